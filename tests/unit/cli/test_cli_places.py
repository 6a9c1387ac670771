import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evolve.cli.places import default_run_dir, find_run, runs_folder, runs_under
from evolve.errors import UsageError
from evolve.store.state import process_exists, process_lives, run_state

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def make_run(folder: Path, *, at: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.db").touch()
    (folder / "controller.lock").touch()
    os.utime(folder / "controller.lock", (at, at))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    make_run(tmp_path / "runs" / "exp2" / "20260101T000000Z-0", at=10)
    make_run(tmp_path / "runs" / "exp2" / "20260102T000000Z-7", at=30)
    make_run(tmp_path / "runs" / "mine", at=20)
    return tmp_path / "runs"


def test_a_new_run_is_named_by_problem_time_and_seed_and_never_an_old_one(tmp_path: Path) -> None:
    first = default_run_dir("exp2", 7, NOW, runs=tmp_path)
    first.mkdir(parents=True)

    assert first == tmp_path / "exp2" / "20260102T030405Z-7"
    assert default_run_dir("exp2", 7, NOW, runs=tmp_path).name == "20260102T030405Z-7-2"


def test_runs_are_listed_the_one_controlled_last_first(runs: Path) -> None:
    assert [run.name for run in runs_under(runs)] == ["20260102T000000Z-7", "mine", "20260101T000000Z-0"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("last", "20260102T000000Z-7"), ("-7", "20260102T000000Z-7"), ("mine", "mine"), ("0Z-0", "20260101T000000Z-0")],
)
def test_a_run_is_found_by_last_or_by_the_end_of_its_name(runs: Path, text: str, name: str) -> None:
    assert find_run(text, runs=runs).name == name


def test_a_run_is_found_by_its_folder_or_its_database(runs: Path) -> None:
    assert find_run(str(runs / "mine"), runs=runs) == runs / "mine"
    assert find_run(str(runs / "mine" / "run.db"), runs=runs) == runs / "mine"


def test_an_ending_that_fits_several_runs_names_them(runs: Path) -> None:
    make_run(runs / "other" / "x-7", at=5)

    with pytest.raises(UsageError, match=r"fits 2 runs: .*20260102T000000Z-7, .*x-7"):
        find_run("-7", runs=runs)


def test_a_misspelt_run_gets_a_suggestion(runs: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean .*mine"):
        find_run("mime", runs=runs)


@pytest.mark.parametrize("text", ["last", "x", "", "/"])
def test_without_runs_the_message_says_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"there is none under|no run in"):
        find_run(text, runs=tmp_path / "runs")


def test_a_folder_without_a_run_says_what_was_expected(runs: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a file run\.db"):
        find_run(str(runs / "exp2"), runs=runs)


def test_the_folder_of_runs_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("EVOLVE_RUNS_DIR", str(tmp_path / "elsewhere"))

    assert runs_folder() == tmp_path / "elsewhere"


def session(**changes: object) -> dict[str, object]:
    return {"stopped_by": None, "host": "here", "pid": 5, "heartbeat": "2026-01-02T03:04:00.000+00:00", **changes}


@pytest.mark.parametrize(
    ("sessions", "alive", "state"),
    [
        ([], True, "new"),
        ([session(stopped_by="time")], True, "stopped (time)"),
        ([session(stopped_by="time"), session()], True, "running"),
        ([session()], False, "crashed"),
        ([session(host="there")], False, "running"),
        ([session(host="there", heartbeat="2026-01-02T02:00:00.000+00:00")], True, "silent"),
    ],
)
def test_the_state_of_a_run_is_read_from_its_last_session(
    sessions: list[dict[str, object]], alive: bool, state: str
) -> None:
    assert run_state(sessions, now=NOW, host="here", is_alive=lambda *_: alive) == state


def test_a_process_that_came_to_its_number_after_the_last_word_of_a_controller_is_not_that_controller() -> None:
    assert process_lives(os.getpid(), 0.0)
    assert not process_lives(os.getpid(), 365.0 * 24 * 3600)
    assert not process_lives(2**22 + 1, 0.0)


def test_a_controller_that_is_dead_and_not_buried_does_not_live() -> None:
    with subprocess.Popen(["/bin/true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert process_exists(process.pid)
        assert not process_lives(process.pid, 0.0)


def test_this_process_exists_and_an_impossible_one_does_not() -> None:
    assert process_exists(os.getpid())
    assert not process_exists(2**22 + 1)
