"""Hostile programs, damaged runs, runs that change or vanish."""

import gc
import shutil
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

from tests.unit.dashboard.watching import Watcher, watch
from tests.unit.view.small_run import CANDIDATES, CVT, candidate, write_run

ESCAPED = r"\x1b]0;owned\x07\x1b[31mred\x9b2J"


def is_harmless(text: str) -> bool:
    """Whether no character could be obeyed by a terminal or hide others."""
    return all(char == "\n" or char.isprintable() for char in text)


def test_hostile_text_is_shown_but_never_obeyed(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        # given a candidate whose program, failure and conversation hold control characters and markup
        screens = []
        # when looking at all of it
        await watcher.type_line("2")
        for _ in range(6):
            screens.append(watcher.text())
            await watcher.press("right")
        await watcher.type_line("3")
        for _ in range(4):
            await watcher.press("right")
        screens.append(watcher.text())
        await watcher.press("7", "down")
        screens.append(watcher.text())
        # then it stands there in words
        assert all(map(is_harmless, screens))
        assert ESCAPED in screens[0]
        assert "[/bold][red]markup" in screens[0]
        assert r"over\u202eevil" in screens[-1]
        assert "code by model, ok, 1,200 tokens read" in screens[-2]

    watch(run_dir, steps, size=(120, 40))


def test_a_line_of_ten_megabytes_is_cut_and_it_is_said(tmp_path: Path) -> None:
    # given
    source = "x = '" + "a" * 10_000_000 + "'\n" + "y = 1\n" * 30_000
    run = write_run(tmp_path / "huge", (candidate(1, score=1.0, source=source, operator="seed"),))

    async def steps(watcher: Watcher) -> None:
        # when
        await watcher.press("4")
        # then
        lines = watcher.app.program.query_one("#program-lines").text_lines()  # type: ignore[attr-defined]
        assert lines[0].endswith("9,998,006 more characters")
        assert lines[-1].endswith("10,002 more lines")

    watch(run, steps)


def test_a_run_that_vanishes_is_said_to_be_gone_and_found_again(tmp_path: Path) -> None:
    # given
    run = write_run(tmp_path / "moved")

    async def steps(watcher: Watcher) -> None:
        # when
        shutil.move(run, tmp_path / "away")
        watcher.app.look_again()
        await watcher.settle()
        # then
        assert "no run in" in watcher.lines()[0]
        assert "best score" in watcher.text()
        # and when it is back
        shutil.move(tmp_path / "away", run)
        watcher.app.look_again()
        await watcher.settle()
        # then
        assert "stopped (time)" in watcher.lines()[0]

    watch(run, steps, size=(200, 24))


def test_a_damaged_database_is_named_and_does_not_end_the_dashboard(tmp_path: Path) -> None:
    # given
    run = write_run(tmp_path / "damaged")

    async def steps(watcher: Watcher) -> None:
        # when a program cannot be unpacked
        with closing(sqlite3.connect(run / "run.db")) as connection, connection:
            connection.execute("UPDATE source SET body = x'00'")
        await watcher.press("4")
        # then
        assert "is damaged" in watcher.lines()[0]
        # and when the file is no database at all
        (run / "run.db").write_bytes(b"no database" * 1000)
        for name in ("run.db-wal", "run.db-shm"):
            (run / name).unlink(missing_ok=True)
        watcher.app.look_again()
        await watcher.settle()
        # then
        assert "cannot read" in watcher.lines()[0]

    watch(run, steps, size=(200, 24))


def test_what_is_new_appears_by_itself(tmp_path: Path) -> None:
    # given
    run = write_run(tmp_path / "growing")

    async def steps(watcher: Watcher) -> None:
        assert "best 4.5" in watcher.lines()[0]
        # when
        with closing(sqlite3.connect(run / "run.db")) as connection, connection:
            connection.execute(
                "INSERT INTO candidate SELECT 9, iteration, source, fingerprint, operator, island, generation, status,"
                " cell, 7.5, failure, detail, stage, metrics, descriptor, artifacts, seconds, level"
                " FROM candidate WHERE id = 4"
            )
        watcher.app.look_again()
        await watcher.settle()
        # then
        assert "best 7.5  9 evaluations" in watcher.lines()[0]
        assert "candidate 9 by crossover" in watcher.text()

    watch(run, steps)


def test_cells_around_centroids_are_drawn_by_their_descriptors(tmp_path: Path) -> None:
    # given
    run = write_run(tmp_path / "cvt", CANDIDATES, archive=CVT)

    async def steps(watcher: Watcher) -> None:
        # when
        await watcher.press("2")
        # then
        assert "50 cells around centroids, drawn as a grid of 20 bins an axis" in watcher.text()
        assert "candidate 4" in watcher.text()

    watch(run, steps, size=(100, 40))


def test_a_key_in_the_moment_of_leaving_leaves_no_warning(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        watcher.app.action_pause()
        watcher.app.look_again()
        watcher.app.exit()

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        watch(run_dir, steps)
        gc.collect()

    assert [str(each.message) for each in said if "never awaited" in str(each.message)] == []


def test_a_row_beside_the_scrollbar_says_that_it_is_cut(run_dir: Path) -> None:
    async def steps(watcher: Watcher) -> None:
        # when the log has more lines than room
        await watcher.press("9", "up", "up")
        # then
        rows = [line.rstrip(" ▁▂▃▄▅▆▇█▎▏") for line in watcher.lines() if " improved " in line]
        assert rows
        assert all(row.endswith("…") for row in rows)

    watch(run_dir, steps, size=(60, 8))
