"""What a window that is small for its executor leaves idle, and who says it."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evolve.cli.app import cli
from evolve.dashboard.standing import standing
from evolve.store import RunWriter
from evolve.view.run import RunView
from evolve.view.slots import idle_slots_notice, idle_slots_of
from tests.unit.view.small_run import write_run


@pytest.mark.parametrize(("slots", "window"), [(1, 2), (4, 8), (0, 1), (3, 100), (8, 8), (5, 8)])
def test_a_window_as_large_as_the_slots_is_no_news(slots: int, window: int) -> None:
    assert idle_slots_notice(slots, window) == ""


def test_slots_beyond_the_window_are_counted_and_the_window_that_uses_them_is_named() -> None:
    told = idle_slots_notice(40, 8)
    assert told.startswith("32 of 40 slots idle: the window of 8 ")
    assert "--window 80 " in told
    assert "compare only runs with the same one" in told


@pytest.mark.parametrize(
    ("options", "data"),
    [(None, {"workers": 9}), ({}, {"workers": 9}), ({"window": "8"}, {"workers": 9}), ({"window": 8}, {})],
)
def test_a_run_that_does_not_say_has_no_notice(options: object, data: dict[str, Any]) -> None:
    assert idle_slots_of(options, {"data": data}) == ()
    assert idle_slots_of({"window": 8}, None) == ()


def test_the_status_and_the_overview_say_it_of_a_run(tmp_path: Path) -> None:
    # given
    run = write_run(tmp_path / "toy")  # on two workers
    with closing(RunWriter.open(run)) as writer:
        writer.set_meta("options", {"workers": 2, "window": 1})
    # when
    with RunView(run) as view:
        shown = standing(view).notices
    status = json.loads(CliRunner().invoke(cli, ["status", str(run), "--json"]).stdout)
    text = CliRunner().invoke(cli, ["status", str(run)]).stdout
    # then
    assert list(shown) == status["notices"] == [idle_slots_notice(2, 1)]
    assert f"note: {idle_slots_notice(2, 1)}" in text
