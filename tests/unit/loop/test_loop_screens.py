"""Where screens run: what is settled before a run begins, which problems have some, and that archives are the same."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evolve.config.problem import Problem, load_problem
from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.loop import RunOptions, start_run
from evolve.loop.events import Event
from evolve.loop.screens import rows_of, settled_device
from evolve.loop.setup import Approach, build_search
from evolve.operators.screening import N_SCREENS, ROWS
from evolve.operators.symbolic import SymbolicBurst

PROBLEM = """
[problem]
name = "hypotenuse"
title = "The longest side of a right triangle"
statement = "From the two other sides."
language = "symbolic"

[symbolic]
vocabulary = "elementary"
inputs = ["x", "y"]
max_operations = 8
screen = 40
enumerate = 0

[evaluator]
file = "evaluate.py"

[search]
burst_work = 0.01
window = 2

[[archive.axes]]
name = "length"
kind = "linear"
low = 0
high = 40
cells = 40
"""

EVALUATE = """
import numpy as np

POINTS = np.random.default_rng(1).uniform(1.0, 3.0, size=(2, 64))
VALUES = np.sqrt(POINTS[0] ** 2 + POINTS[1] ** 2)


def fit_target():
    return POINTS, VALUES, True


def evaluate(candidate):
    values = np.broadcast_to(candidate.call("f", *POINTS), VALUES.shape)
    error = float(np.abs(values / VALUES - 1.0).max())
    text = next(iter(candidate.files.values()))
    return {"score": -np.log10(error + 1e-17), "descriptor": {"length": float(text.count("="))}, "metrics": {}}
"""


class FakeTorch(SimpleNamespace):
    """As much of torch as says how many cards there are."""

    def __init__(self, n_cards: int) -> None:
        cuda = SimpleNamespace(is_available=lambda: n_cards > 0, device_count=lambda: n_cards)
        device = lambda name: SimpleNamespace(type=name.partition(":")[0], index=None)  # noqa: E731
        super().__init__(__version__="2.99", cuda=cuda, device=device)


@pytest.fixture
def triangle(tmp_path: Path) -> Problem:
    folder = tmp_path / "hypotenuse"
    folder.mkdir()
    (folder / "problem.toml").write_text(PROBLEM, encoding="utf-8")
    (folder / "evaluate.py").write_text(EVALUATE, encoding="utf-8")
    (folder / "seed.py").write_text("def f(x, y):\n    return x\n", encoding="utf-8")
    return load_problem(folder)


def with_cards(monkeypatch: pytest.MonkeyPatch, n_cards: int) -> None:
    monkeypatch.setitem(sys.modules, "torch", FakeTorch(n_cards))


def test_the_processor_is_taken_without_asking_for_torch(monkeypatch: pytest.MonkeyPatch, triangle: Problem) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    assert settled_device(triangle, RunOptions()) == ("cpu", "")


@pytest.mark.parametrize("asked", ["cuda", "auto"])
def test_a_card_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch, triangle: Problem, asked: str) -> None:
    with_cards(monkeypatch, 1)

    assert settled_device(triangle, RunOptions(device=asked)) == ("cuda", "")


def test_a_card_if_there_is_one_falls_back_loudly(monkeypatch: pytest.MonkeyPatch, triangle: Problem) -> None:
    with_cards(monkeypatch, 0)

    device, notice = settled_device(triangle, RunOptions(device="auto"))

    assert device == "cpu"
    assert notice.startswith("NO GRAPHICS CARD: screens run on processors")
    assert "torch 2.99 sees no graphics card" in notice


def test_so_it_does_without_torch(monkeypatch: pytest.MonkeyPatch, triangle: Problem) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    device, notice = settled_device(triangle, RunOptions(device="auto"))

    assert device == "cpu"
    assert "pip install torch" in notice


def test_a_card_that_is_asked_for_and_not_there_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, triangle: Problem
) -> None:
    with_cards(monkeypatch, 0)

    with pytest.raises(EvolveEnvironmentError, match="sees 0 GPUs") as caught:
        settled_device(triangle, RunOptions(device="cuda"))

    assert "--device auto" in caught.value.hint


def test_under_ray_screens_run_on_processors(monkeypatch: pytest.MonkeyPatch, triangle: Problem) -> None:
    with_cards(monkeypatch, 8)

    device, notice = settled_device(triangle, RunOptions(device="auto", executor="ray"))

    assert device == "cpu"
    assert "Ray" in notice
    with pytest.raises(EvolveEnvironmentError, match="Ray"):
        settled_device(triangle, RunOptions(device="cuda", executor="ray"))


@pytest.mark.parametrize("name", ["exp2", "circle_packing_26"])
def test_a_card_is_refused_where_no_screen_would_use_it(name: str) -> None:
    problem = load_problem(name)

    with pytest.raises(UsageError, match=f"{name} has none"):
        settled_device(problem, RunOptions(device="cuda"))
    assert settled_device(problem, RunOptions(device="auto")) == ("cpu", "")


def with_screen(problem: Problem, rows: int | None) -> Problem:
    symbolic = problem.tables.symbolic.model_copy(update={"screen": rows})
    return replace(problem, tables=problem.tables.model_copy(update={"symbolic": symbolic}))


def openers_of(problem: Problem, device: str = "cpu") -> list[tuple[Any, Any]]:
    openers = build_search(problem, 0, Approach(device=device)).openers
    return [
        (each.settings["screen_rows"], each.settings["device"]) for each in openers if isinstance(each, SymbolicBurst)
    ]


def test_screens_open_where_programs_have_functions_beside_the_four_operations(triangle: Problem) -> None:
    assert openers_of(with_screen(triangle, None), "cuda") == [(ROWS, "cuda")] * N_SCREENS
    assert openers_of(triangle) == [(40, "cpu")] * N_SCREENS
    assert openers_of(with_screen(triangle, 0)) == []
    assert (rows_of(triangle), rows_of(with_screen(load_problem("exp2"), None))) == (40, 0)


def test_over_the_four_operations_alone_screens_come_only_if_asked_for_and_before_the_shards() -> None:
    problem = load_problem("exp2")

    names = [each.name for each in build_search(with_screen(problem, 300), 0).openers]

    assert names[: N_SCREENS + 1] == ["screen"] * N_SCREENS + ["enumerate"]
    assert "screen" not in {each.name for each in build_search(problem, 0).openers}
    assert "screen" not in problem.judge_spec_mapping()["symbolic"]


def test_a_run_finds_the_same_archive_wherever_its_screens_run(triangle: Problem, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch, an extra, is not installed")
    heard: list[Event] = []

    one, other = (
        start_run(
            triangle,
            tmp_path / device,
            RunOptions(rng_seed=1, workers=1, evaluations=8, durability="fast", device=device),
            heard.append,
        )
        for device in ("cpu", "auto")
    )

    assert one.archive_hash == other.archive_hash
    assert one.best_score is not None
    assert one.best_score > 15.0
    warnings = [event.data["text"] for event in heard if event.kind == "warning"]
    assert any("NO GRAPHICS CARD" in text for text in warnings) == (not torch.cuda.is_available())


def test_networks_are_trained_where_the_problem_says_and_the_refusal_tells_so() -> None:
    problem = load_problem("optimizers")

    assert rows_of(problem) == 0
    with pytest.raises(UsageError, match="has none") as caught:
        settled_device(problem, RunOptions(device="cuda"))
    assert 'device = "cuda" in [evaluator.options]' in caught.value.hint
