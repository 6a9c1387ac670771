"""How well candidates were confined: where the command line shows it, and how it is told to do with less."""

import json
from pathlib import Path

import pytest

from evolve.cli.isolation import is_unsafe_allowed, levels_line
from tests.unit.cli.conftest import Invoke, judged, write_run


def test_one_level_is_one_word_and_none_is_nothing() -> None:
    assert levels_line({"FULL": 12}) == "sandbox: FULL"
    assert levels_line({}) == ""


def test_several_levels_are_counted_and_warned_of() -> None:
    line = levels_line({"FULL": 1200, "WEAK": 3})

    assert line == "sandbox: FULL (1,200), WEAK (3): not all candidates of this run were confined alike"


def test_the_status_counts_levels_for_scripts_and_people(tmp_path: Path, invoke: Invoke) -> None:
    levels = ["FULL", "WEAK", "FULL", ""]
    records = [judged(number, score=1.0, level=level) for number, level in enumerate(levels, 1)]
    run = str(write_run(tmp_path / "run", records))

    assert json.loads(invoke("status", run, "--json").stdout)["levels"] == {"FULL": 2, "WEAK": 1}
    assert "FULL (2), WEAK (1)" in invoke("status", run).stdout
    assert json.loads(invoke("show", run, "2", "--json").stdout)["level"] == "WEAK"
    assert "sandbox   it never ran" in invoke("show", run, "4").stdout


def test_the_flag_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert not is_unsafe_allowed(None)

    monkeypatch.setenv("EVOLVE_UNSAFE_SANDBOX", "yes")

    assert is_unsafe_allowed(None)
    assert not is_unsafe_allowed(False)


@pytest.mark.parametrize("command", ["run", "resume", "verify"])
def test_every_command_that_runs_candidates_has_the_flag(command: str, invoke: Invoke) -> None:
    assert "--unsafe-sandbox" in invoke(command, "--help").stdout
