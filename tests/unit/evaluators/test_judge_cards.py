"""From what a problem says of cards to those of the machine, as a judge does it that nobody booked any for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluators.cards import settled
from evaluators.process import JudgeProcess
from evaluators.spec import JudgeSpec, LimitsSpec
from sandbox.errors import SandboxError
from tests.unit.sandbox.made_up_cards import CUT, CUT_LIST, CUT_REPORT, TWO, MadeUpCards

SEES = """
import os
def evaluate(candidate):
    seen = [os.environ.get("CUDA_VISIBLE_DEVICES"), candidate.gpus]
    return {"score": candidate.call("answer"), "artifacts": {"seen": repr(seen)}}
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make this machine one with those cards, or with no driver."""

    def made(cards: str | None = None, *, listed: str = "", report: str = "") -> None:
        folder = tmp_path if cards is None else MadeUpCards(tmp_path, cards, listed=listed, report=report).folder
        monkeypatch.setenv("PATH", str(folder) if cards is None else f"{folder}:/usr/bin:/bin")

    return made


def cards_of(*gpus: int | str) -> tuple[int | str, ...]:
    return settled(JudgeSpec(language="python", file="evaluate.py", gpus=gpus)).gpus


def test_numbers_become_names_that_never_change(machine: Callable[..., None]) -> None:
    machine(TWO)

    assert cards_of(1, 0) == ("GPU-bbbb", "GPU-aaaa")
    assert cards_of("auto") == cards_of("needed") == ("GPU-aaaa",)
    with pytest.raises(SandboxError, match=r"there is no GPU 2: nvidia-smi shows 0, 1; set \[sandbox\] gpus"):
        cards_of(2)


def test_the_number_of_a_card_that_is_cut_means_its_first_part(machine: Callable[..., None]) -> None:
    machine(CUT, listed=CUT_LIST, report=CUT_REPORT)

    assert cards_of(0) == cards_of("auto") == ("MIG-1111",)


def test_names_are_not_asked_about(machine: Callable[..., None]) -> None:
    machine()

    assert cards_of("GPU-bbbb", "MIG-7") == ("GPU-bbbb", "MIG-7")
    assert cards_of() == ()


def test_without_a_card_only_a_problem_that_needs_one_fails(machine: Callable[..., None]) -> None:
    machine()

    assert cards_of("auto") == ()
    for gpus in ("needed", 0):
        with pytest.raises(SandboxError, match="so no NVIDIA driver"):
            cards_of(gpus)


def test_a_driver_without_cards_is_as_good_as_none(machine: Callable[..., None]) -> None:
    machine("")

    assert cards_of("auto") == ()
    with pytest.raises(SandboxError, match="there is no graphics card that can be used, and the problem needs one"):
        cards_of("needed")


def test_an_evaluator_sees_no_card_that_its_candidate_has_not(tmp_path: Path) -> None:
    (tmp_path / "evaluate.py").write_text(SEES, encoding="utf-8")
    limits = LimitsSpec(wall_seconds=60.0, memory_mb=200)
    spec = JudgeSpec(language="python", folder=str(tmp_path), file="evaluate.py", limits=limits)

    with JudgeProcess(spec) as judge:
        evaluation = judge.evaluate({"seed.py": "def answer():\n    return 1.0\n"})

    assert evaluation.artifacts["seen"] == "['', ()]"


@pytest.mark.parametrize("gpus", [("auto",), ()], ids=["none is there", "none was booked"])
def test_who_has_no_card_shares_no_memory_of_one(machine: Callable[..., None], gpus: tuple[str, ...]) -> None:
    # given
    machine()
    limits = LimitsSpec(shared_mb=1, gpu_shared_mb=9, scratch_mb=3)
    # when
    spec = settled(JudgeSpec(language="python", file="evaluate.py", gpus=gpus, limits=limits))
    # then
    assert spec.limits == LimitsSpec(shared_mb=1, scratch_mb=3)
