"""The command that opens the dashboard."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from evolve.cli.app import cli
from evolve.cli.dashboard_command import has_colours
from evolve.errors import UsageError


@pytest.mark.parametrize("name", ["dashboard", "top"])
def test_without_a_terminal_it_says_what_answers_instead(name: str, run_dir: Path) -> None:
    # when
    result = CliRunner().invoke(cli, [name, str(run_dir)])
    # then
    assert isinstance(result.exception, UsageError)
    assert "needs a terminal" in str(result.exception)
    assert "evolve status" in str(result.exception.hint)


def test_scripts_get_the_overview(run_dir: Path) -> None:
    # when
    result = CliRunner().invoke(cli, ["top", str(run_dir), "--json"])
    # then
    document = json.loads(result.output)
    assert document["schema"] == "evolve.dashboard/1"
    assert (document["state"], document["best_score"], document["evaluations"]) == ("stopped (time)", 4.5, 8)
    assert document["left"]["evaluations"] == 92


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "vt100"}, False),
        ({"TERM": "xterm"}, False),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, True),
        ({}, False),
    ],
)
def test_colours_are_used_where_the_terminal_has_enough(environment: dict[str, str], *, expected: bool) -> None:
    # given
    known = {"xterm-256color": 256, "xterm": 8, "vt100": -1}
    # when / then
    assert has_colours(environment, lambda name: known.get(name, 0)) is expected
