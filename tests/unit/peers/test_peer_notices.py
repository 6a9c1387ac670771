"""People are told what isolation a folder of another engine lacks: before a run, and of every run."""

import json

import pytest
from click.testing import CliRunner

from evolve.cli.isolation import stored_notices, tell_notices
from evolve.cli.problems_command import problems_command
from evolve.config.problem import load_problem
from tests.unit.peers.conftest import OPENEVOLVE, Write


def test_a_problem_of_another_engine_is_described_with_its_notices(write: Write) -> None:
    home = str(write(OPENEVOLVE))

    told = json.loads(CliRunner().invoke(problems_command, [home, "--json"]).stdout)
    shown = CliRunner().invoke(problems_command, [home]).stdout

    assert "forged" in told["notices"][0]
    assert "note: the score can be forged" in shown
    assert told["tags"] == ["openevolve"]


def test_a_run_keeps_its_notices(write: Write) -> None:
    problem = load_problem(write(OPENEVOLVE))

    assert stored_notices({"problem": problem.to_json()}) == problem.notices
    assert stored_notices({"problem": "old"}) == ()


def test_notices_are_told_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    tell_notices(["one \x1b[2J", "two"])

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[1] == "note: two"
    assert "\x1b" not in captured.err
