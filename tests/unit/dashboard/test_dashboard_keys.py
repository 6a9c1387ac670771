"""What the keys do."""

import json
from pathlib import Path

import pytest

from tests.unit.dashboard.watching import Watcher, watch
from tests.unit.view.small_run import HOSTILE, candidate, write_run


def test_a_number_opens_a_candidate_and_escape_goes_back(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        # given
        await watcher.press("3")
        # when
        await watcher.type_line("5")
        # then
        assert "candidate 5  score 1" in watcher.text()
        # and when
        await watcher.press("escape")
        # then
        assert "elites  1–4 of 4" in watcher.text()  # noqa: RUF001 the dash that is drawn
        # and when the number is that of nobody
        await watcher.type_line("77")
        # then
        assert "there is no candidate 77: ids run from 1 to 8" in watcher.text()

    watch(run_dir, steps)


def test_elites_are_searched_sorted_and_filtered(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        # given
        await watcher.press("3")
        # when searching for a text of a program
        await watcher.type_line("x * 4.0")
        # then
        assert "1–1 of 1" in watcher.text()  # noqa: RUF001 the dash that is drawn
        # and when nothing fits
        await watcher.type_line("nowhere")
        # then
        assert "no elites fit: press f for another filter" in watcher.text()
        # and when the search ends and the third way to sort is chosen
        await watcher.type_line("")
        await watcher.press("s", "down", "down", "enter")
        # then
        assert "by generation, largest first" in watcher.text()
        assert [line.split()[0] for line in watcher.lines()[4:8]] == ["8", "4", "3", "1"]
        # and when only the first operator is wanted
        await watcher.press("r", "f", "down", "enter")
        # then
        assert "operator crossover" in watcher.text()

    watch(run_dir, steps)


def test_an_operator_and_a_failure_lead_to_their_candidates(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        # given / when
        await watcher.press("6", "enter")
        # then
        assert "all candidates  1–4 of 4, by id, largest first, operator mutate" in watcher.text()  # noqa: RUF001
        # and when
        await watcher.press("7", "o")
        # then
        assert "1–3 of 3, by id, largest first, failure exception" in watcher.text()  # noqa: RUF001

    watch(run_dir, steps)


def test_two_marked_candidates_are_compared(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        # given
        await watcher.press("3", "space", "down", "space")
        assert "*" in watcher.lines()[4]
        # when
        await watcher.press("c")
        # then
        screen = watcher.text()
        assert "candidates 4 and 8" in screen
        assert "-1.25" in screen
        assert "-    return x * 4.0" in screen

    watch(run_dir, steps, size=(80, 36))


def test_a_program_is_copied_and_exported(run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.chdir(tmp_path)

    async def steps(watcher: Watcher) -> None:
        await watcher.type_line("2")
        # when
        await watcher.press("y")
        # then the text as it is, for it goes through no terminal unwrapped
        assert watcher.app.clipboard == f"# {HOSTILE}\ndef f(x):\n"
        # and when
        await watcher.ask("e", "as it is")
        await watcher.press("enter")
        # then
        assert "candidate-2-seed.py" in watcher.text()

    watch(run_dir, steps)
    assert (tmp_path / "candidate-2-seed.py").read_bytes().decode() == f"# {HOSTILE}\ndef f(x):\n"


def test_a_run_is_paused_and_stopped_after_confirmation_only(tmp_path: Path) -> None:
    # given a run on which this process works
    run = write_run(tmp_path / "live", is_going=True)
    control = run / "control.json"

    async def steps(watcher: Watcher) -> None:
        # when it is refused
        await watcher.ask("S", "Stop this run?")
        await watcher.press("n")
        # then
        assert not control.exists()
        # and when it is confirmed
        await watcher.ask("P", "Pause this run?")
        await watcher.press("y")
        assert json.loads(control.read_text())["wanted"] == "pause"
        await watcher.ask("S", "Stop this run?")
        await watcher.press("y")
        # then
        assert json.loads(control.read_text())["wanted"] == "stop"

    watch(run, steps)


def test_nobody_can_be_stopped_where_nobody_works(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        # given / when
        await watcher.press("S")
        # then
        assert "nobody works on this run: it is stopped (time)" in watcher.text()

    watch(run_dir, steps)


def test_the_map_moves_opens_and_changes_its_axes(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        # given
        await watcher.press("2")
        assert "operations 4, depth 2: candidate 4" in watcher.text()
        # when
        await watcher.press("up", "right", "enter")
        # then
        assert "candidate 8  score 3.25" in watcher.text()
        # and when
        await watcher.press("escape", "x")
        # then
        assert "depth →  operations ↑" in watcher.text()
        assert "depth 2, operations 4: candidate 4" in watcher.text()

    watch(run_dir, steps)


def test_pages_turn_at_their_ends(tmp_path: Path) -> None:
    # given a run of more candidates than a page holds
    rows = (candidate(1, score=0.0, operator="seed"), *(candidate(n, score=1.0, parents=(1,)) for n in range(2, 252)))
    run = write_run(tmp_path / "long", rows)

    async def steps(watcher: Watcher) -> None:
        await watcher.press("3", "a")
        assert "1–200 of 251" in watcher.text()  # noqa: RUF001 the dash that is drawn
        # when
        await watcher.press("end", "down")
        # then
        assert "201–251 of 251" in watcher.text()  # noqa: RUF001 the dash that is drawn
        assert watcher.app.pane.candidate == 51
        # and when
        await watcher.press("up")
        # then
        assert watcher.app.pane.candidate == 52

    watch(run, steps)
