"""The ledger of training runs."""

from pathlib import Path

import pytest

from evaluators.errors import EvaluatorError
from evaluators.optimizers.ledger import Ledger, Outcome
from evaluators.optimizers.rungs import Run
from evaluators.optimizers.tuning import Bench
from tests.unit.evaluators.optimizer_stand_in import StandInRule, StandInTrainer

LOSS = Outcome(0.25, 2.0)
RUN = Run(task="task", n_steps=100)


def test_what_was_paid_for_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    Ledger(path).add("rule", "run", -3, {0: LOSS, 1: Outcome(2.0, 2.0, diverged=True)})

    again = Ledger(path)

    assert again.get("rule", "run", -3, 0) == LOSS
    assert again.get("rule", "run", -3, 1) == Outcome(2.0, 2.0, diverged=True)
    assert again.get("rule", "run", -2, 0) is None
    assert len(again) == 2


def test_an_entry_never_changes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.add("rule", "run", 0, {0: LOSS})

    ledger.add("rule", "run", 0, {0: Outcome(9.0, 9.0)})

    assert ledger.get("rule", "run", 0, 0) == LOSS
    assert len(path.read_text().splitlines()) == 1


def test_a_line_cut_short_by_a_crash_is_left_out_and_written_again(tmp_path: Path) -> None:
    # Given a ledger whose second line was being written when the machine stopped
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.add("rule", "run", 0, {0: LOSS})
    ledger.add("rule", "run", 1, {0: LOSS})
    path.write_bytes(path.read_bytes()[:-7])

    # When it is read again and the lost run is trained again
    again = Ledger(path)
    assert again.get("rule", "run", 1, 0) is None
    again.add("rule", "run", 1, {0: LOSS})

    # Then the file is whole
    assert Ledger(path).get("rule", "run", 1, 0) == LOSS


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        '{"format":1}',
        '{"format":2,"rule":"a","run":"b","rate":0,"ends":[]}',
        '{"format":1,"rule":"a","run":"b","rate":0,"ends":[[0,NaN,1.0,0]]}',
        '{"format":1,"rule":"a","run":"b","rate":0,"ends":[[0,1.0]]}',
        "\\u001b[2J",
    ],
)
def test_a_file_that_is_no_ledger_is_refused_by_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(line + "\n")

    with pytest.raises(EvaluatorError, match=r"line 1 of the ledger ledger\.jsonl is .* move the file away"):
        Ledger(path)


@pytest.mark.parametrize("change", ["torch", "device", "nothing"])
def test_a_ledger_on_disk_answers_only_for_the_torch_and_device_that_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    # Given a run in a ledger on disk
    path, rule = tmp_path / "ledger.jsonl", StandInRule("rule").as_rule
    Bench(StandInTrainer(), Ledger(path)).outcomes(rule, RUN, [0], [0])

    # When it is asked for after an upgrade of torch, on another device, or as before
    if change == "torch":
        monkeypatch.setattr("evaluators.optimizers.tuning.torch_version", lambda: "none such")
    later = StandInTrainer(device="cuda" if change == "device" else "cpu")
    Bench(later, Ledger(path)).outcomes(rule, RUN, [0], [0])

    # Then it is trained again where losses may differ
    assert later.calls == (0 if change == "nothing" else 1)
