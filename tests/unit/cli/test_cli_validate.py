"""`evolve validate`: what it refuses, and what it shows of a validation."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluators.optimizers.validation import validate
from evolve.cli.validate_command import finalist_of_file, finalists_of_run
from evolve.cli.validate_table import validation_lines
from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.store.lock import only_writer
from sandbox.update_rules.rule import read_rule
from tests.unit.evaluators.validation_stand_in import BAD, GOOD, MUON, effort, finalists, how, rule
from tests.unit.view.small_run import candidate, write_run

Invoke = Callable[..., Any]
NO_RULES = {
    "a function of something else": "def f(x):\n    return x\n",
    "no Python": "def update(g:\n",
    "nothing": "",
    "hostile": "def update(g):\n    return g + '\x1b[31m'\n",
}


@pytest.mark.parametrize("name", list(NO_RULES))
def test_a_file_without_an_update_rule_is_refused_by_its_name(name: str, tmp_path: Path, invoke: Invoke) -> None:
    file = tmp_path / "rule.py"
    file.write_text(NO_RULES[name], encoding="utf-8")

    result = invoke("validate", str(file))

    assert isinstance(result.exception, UsageError)
    assert "rule.py is no update rule" in str(result.exception)
    assert "\x1b" not in str(result.exception)
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_not_there_is_told(tmp_path: Path, invoke: Invoke) -> None:
    result = invoke("validate", str(tmp_path / "none.py"))

    assert isinstance(result.exception, UsageError)
    assert "cannot read" in str(result.exception)


def test_a_run_of_something_else_is_refused(tmp_path: Path, invoke: Invoke) -> None:
    write_run(tmp_path / "run")

    result = invoke("validate", str(tmp_path / "run"))

    assert isinstance(result.exception, UsageError)
    assert "is no update rule" in str(result.exception)
    assert "evolve run optimizers" in result.exception.hint


def test_without_torch_it_says_how_to_get_it(tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    file = tmp_path / "rule.py"
    file.write_text(GOOD, encoding="utf-8")

    result = invoke("validate", str(file))

    assert isinstance(result.exception, EvolveEnvironmentError)
    assert "torch is not installed" in result.exception.message
    assert "pip install" in result.exception.hint


def test_a_second_validation_of_the_same_rule_is_kept_out(tmp_path: Path, invoke: Invoke) -> None:
    # Given a validation that is at work
    file = tmp_path / "rule.py"
    file.write_text(GOOD, encoding="utf-8")
    with only_writer(tmp_path / "rule.validation.jsonl"):
        # When another one is started
        result = invoke("validate", str(file))

    # Then it is told to wait, and nothing was written
    assert isinstance(result.exception, EvolveEnvironmentError)
    assert "another process is writing" in str(result.exception)
    assert (tmp_path / "rule.validation.jsonl").read_bytes() == b""
    assert not (tmp_path / "rule.validation.json").exists()


def test_a_validation_is_shown_with_its_contests_tasks_and_gap() -> None:
    # Given a rule that won on both tasks
    trained = how(rule(GOOD, octaves=0.5), rule(BAD, octaves=-0.2), rule(MUON, octaves=0.3))
    found = validate(finalists(BAD, GOOD), effort(), trained)

    # When it is shown
    text = "\n".join(validation_lines(found.to_json()))

    # Then this is told
    assert "chosen: candidate 1, out of 2 finalists" in text
    assert "m = ema(m, g, 0.9)" in text
    assert "search x1.41, validation x1.41, test x1.41" in text
    assert "each task clipped to -1.5 .. 2 octaves" in text
    adamw, muon = (next(line for line in text.splitlines() if line.startswith(name)) for name in ("AdamW*", "Muon*"))
    assert adamw.split()[1:3] == ["x1.41", "x1.41"]
    assert adamw.split()[-3:] == ["2", "0", "0"]
    assert muon.split()[1] == "x1.15"
    assert "x1.41 *" in text
    assert "at four times the horizon, against AdamW*: loss 1 times better, 0 times worse" in text
    assert "task, width x2" in text


def test_the_finalists_of_a_run_are_its_best_elites_with_their_scores(tmp_path: Path) -> None:
    # Given a run of update rules
    rows = (
        candidate(1, score=0.0, place=(0, 0), operator="seed", source=BAD),
        candidate(2, score=0.4, place=(1, 0), parents=(1,), source=GOOD),
        candidate(3, parents=(1,), detail="diverged", source=MUON),
        candidate(4, score=0.2, place=(2, 0), parents=(1,), source=MUON),
    )
    write_run(tmp_path / "run", rows)

    # When its finalists are asked for
    found, place = finalists_of_run(tmp_path / "run")

    # Then they are these, and what is trained is kept with the run
    assert [(each.name, each.score) for each in found] == [
        ("candidate 2", 0.4),
        ("candidate 4", 0.2),
        ("candidate 1", 0.0),
    ]
    assert place.ledger == tmp_path / "run" / "validation.jsonl"


def test_the_rule_of_a_file_is_the_only_finalist_and_its_ledger_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "found.py").write_text(GOOD, encoding="utf-8")

    [finalist], place = finalist_of_file(tmp_path / "found.py")

    assert (finalist.name, finalist.score) == ("found.py", None)
    assert read_rule(finalist.text).fingerprint == read_rule(GOOD).fingerprint
    assert place.document == tmp_path / "found.validation.json"
