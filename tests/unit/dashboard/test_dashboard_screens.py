"""Every screen as it is recorded below `screens/`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evolve.dashboard.palette import Painter
from tests.unit.dashboard.watching import Watcher, watch
from tests.unit.view.small_run import write_run

Recorded = Callable[[str, list[str]], None]

WALK = (
    ("overview", ("1",)),
    ("map", ("2",)),
    ("map_of_operators", ("v", "v", "left")),
    ("elites", ("3",)),
    ("candidates", ("a",)),
    ("program_code", ("4",)),
    ("program_diff", ("right",)),
    ("program_facts", ("right",)),
    ("program_output", ("right",)),
    ("program_models_of_none", ("right",)),
    ("program_picture", ("right",)),
    ("lineage", ("5",)),
    ("operators", ("6",)),
    ("failures", ("7",)),
    ("workers", ("8",)),
    ("log", ("9",)),
    ("help", ("question_mark",)),
)
"""Names of screens, and the keys that lead there from the one before."""


@pytest.fixture(scope="module")
def walked(run_dir: Path) -> dict[str, list[str]]:
    screens = {}

    async def walk(watcher: Watcher) -> None:
        for name, keys in WALK:
            await watcher.press(*keys)
            screens[name] = watcher.lines()

    watch(run_dir, walk)
    return screens


@pytest.mark.parametrize("name", [name for name, _ in WALK])
def test_a_screen_looks_as_it_was_recorded(name: str, walked: dict[str, list[str]], recorded: Recorded) -> None:
    # given a run whose screens were all looked at
    # when
    lines = walked[name]
    # then
    recorded(name, lines)


def test_a_wide_terminal_gets_more(run_dir: Path, recorded: Recorded) -> None:
    # given
    seen: list[list[str]] = []

    async def look(watcher: Watcher) -> None:
        seen.append(watcher.lines())

    # when
    watch(run_dir, look, size=(120, 40))
    # then
    recorded("overview_wide", seen[0])


def test_without_colour_and_unicode_every_screen_is_plain_ascii(run_dir: Path, recorded: Recorded) -> None:
    # given
    seen: list[list[str]] = []

    async def look(watcher: Watcher) -> None:
        for key in ("1", "2", "3"):
            await watcher.press(key)
            seen.append(watcher.lines())

    # when
    watch(run_dir, look, size=(60, 24), look=Painter(in_colour=False, unicode=False))
    # then
    assert all(line.isascii() for screen in seen for line in screen)
    recorded("map_in_ascii", seen[1])


def test_every_screen_of_an_empty_run_says_why_it_is_empty(tmp_path: Path, recorded: Recorded) -> None:
    # given a run that has not judged anything yet
    run = write_run(tmp_path / "new-run", ())
    seen: list[str] = []

    async def look(watcher: Watcher) -> None:
        for key in "123456789":
            await watcher.press(key)
            seen.extend(line for line in watcher.lines() if line)

    # when
    watch(run, look)
    # then
    recorded("empty_run", seen)
