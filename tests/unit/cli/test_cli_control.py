"""`pause`, `stop`, and `resume` of a paused run; `tail`."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import EXIT_USAGE, UsageError
from evolve.store import Pulse, RunReader, RunWriter
from evolve.store.control import Wanted, read_request, request
from tests.unit.cli.conftest import HOSTILE, Invoke

LIVE = Pulse(seconds=2.0, data={"evaluations": 9, "best_score": 1.5, "elites": 2})
STILL = Pulse(seconds=2.0, data={"evaluations": 9, "best_score": 1.5, "elites": 2, "paused": True}, paused=True)


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[RunWriter]:
    """A run in `tmp_path / "run"` that this process works on."""
    writer = RunWriter.create(tmp_path / "run", {"problem": "p"}, durability="fast", network_fs_allowed=True)
    writer.start_session()
    yield writer
    writer.close()


def wanted_of(run_dir: Path) -> Wanted | None:
    found = read_request(run_dir)
    return None if found is None else found.wanted


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evolve.cli.control_command.LOOK_SECONDS", 0.005)
    monkeypatch.setattr("evolve.cli.tail_command.LOOK_SECONDS", 0.005)


def meanwhile(act: Callable[[], object], run_dir: Path) -> threading.Thread:
    """Do something as soon as a request lies in the folder."""

    def wait_and_act() -> None:
        while read_request(run_dir) is None:
            threading.Event().wait(0.001)
        act()

    thread = threading.Thread(target=wait_and_act, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(("command", "word"), [("pause", "to pause"), ("stop", "to stop")])
def test_a_request_is_left_and_said(controller: RunWriter, invoke: Invoke, command: str, word: str) -> None:
    result = invoke(command, str(controller.run_dir))

    assert result.exit_code == 0
    assert f"asked {controller.run_dir} {word}: what is in flight" in result.stdout
    assert wanted_of(controller.run_dir) == command


def test_scripts_read_what_was_asked(controller: RunWriter, invoke: Invoke) -> None:
    answer = json.loads(invoke("pause", str(controller.run_dir), "--json").stdout)

    assert list(answer) == ["schema", "run", "wanted", "asked", "state"]
    assert (answer["schema"], answer["wanted"], answer["state"]) == ("evolve.control/1", "pause", None)


def test_pause_waits_until_the_run_stands_still(controller: RunWriter, invoke: Invoke, tmp_path: Path) -> None:
    thread = meanwhile(lambda: _beat(tmp_path / "run", paused=1), tmp_path / "run")

    result = invoke("pause", str(controller.run_dir), "--wait")

    thread.join()
    assert result.stdout == f"{controller.run_dir} is paused\n"


def _beat(run_dir: Path, *, paused: int, stopped_by: str | None = None) -> None:
    """Write into the session from another thread, as the controller would."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(run_dir / "run.db")) as connection:
        connection.execute("UPDATE session SET paused = ?, stopped_by = ?", (paused, stopped_by))
        connection.commit()


def test_a_pause_that_comes_too_late_fails(controller: RunWriter, invoke: Invoke, tmp_path: Path) -> None:
    thread = meanwhile(lambda: _beat(tmp_path / "run", paused=0, stopped_by="time"), tmp_path / "run")

    result = invoke("pause", str(controller.run_dir), "--wait")

    thread.join()
    assert isinstance(result.exception, UsageError)
    assert "ended before it could pause: it is stopped (time)" in str(result.exception)


def test_a_pause_that_another_request_undoes_is_not_waited_for_for_ever(
    controller: RunWriter, invoke: Invoke, tmp_path: Path
) -> None:
    thread = meanwhile(lambda: request(tmp_path / "run", "resume"), tmp_path / "run")

    result = invoke("pause", str(controller.run_dir), "--wait")

    thread.join()
    assert isinstance(result.exception, UsageError)
    assert "asked for something else" in str(result.exception)


def test_stop_waits_for_the_end(controller: RunWriter, invoke: Invoke, tmp_path: Path) -> None:
    thread = meanwhile(lambda: _beat(tmp_path / "run", paused=0, stopped_by="request"), tmp_path / "run")

    answer = json.loads(invoke("stop", str(controller.run_dir), "--wait", "--json").stdout)

    thread.join()
    assert answer["state"] == "stopped (request)"


def test_stop_does_not_wait_for_a_stranger_who_has_the_number_of_a_dead_controller(
    controller: RunWriter, invoke: Invoke, tmp_path: Path
) -> None:
    thread = meanwhile(lambda: _last_heard_of(tmp_path / "run", "2020-01-02T03:04:05.000+00:00"), tmp_path / "run")

    answer = json.loads(invoke("stop", str(controller.run_dir), "--wait", "--json").stdout)
    again = invoke("stop", str(controller.run_dir), "--wait")

    thread.join()
    assert answer["state"] == "crashed"
    assert isinstance(again.exception, UsageError)
    assert "it is crashed" in str(again.exception)


def _last_heard_of(run_dir: Path, at: str) -> None:
    """Make the session older than this process, so that it was another one's."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(run_dir / "run.db")) as connection:
        connection.execute("UPDATE session SET heartbeat = ?", (at,))
        connection.commit()


@pytest.mark.parametrize("command", ["pause", "stop"])
def test_nobody_is_asked_of_a_run_that_is_over(toy_run: Path, invoke: Invoke, command: str) -> None:
    result = invoke(command, str(toy_run))

    assert isinstance(result.exception, UsageError)
    assert "it is stopped (time)" in str(result.exception)


def test_a_paused_run_shows_as_paused_and_resume_lets_its_own_process_go_on(
    controller: RunWriter, invoke: Invoke
) -> None:
    controller.heartbeat(2.0, STILL)
    run = str(controller.run_dir)

    states = [json.loads(invoke("status", run, "--json").stdout)["state"]]
    result = invoke("resume", run)

    assert states == ["paused"]
    assert json.loads(invoke("ls", str(controller.run_dir.parent), "--json").stdout)["runs"][0]["state"] == "paused"
    assert result.stdout == f"asked {run} to go on\n"
    assert wanted_of(controller.run_dir) == "resume"


def test_resume_takes_back_a_pause_that_has_not_happened_yet(controller: RunWriter, invoke: Invoke) -> None:
    invoke("pause", str(controller.run_dir))

    result = invoke("resume", str(controller.run_dir))

    assert result.exit_code == 0, result.output
    assert wanted_of(controller.run_dir) is Wanted.RESUME


def test_a_paused_run_cannot_be_given_another_budget(controller: RunWriter, invoke: Invoke) -> None:
    controller.heartbeat(2.0, STILL)

    result = invoke("resume", str(controller.run_dir), "--time", "3m", "--workers", "2")

    assert result.exit_code == EXIT_USAGE
    assert "leave out --time, --workers" in result.stderr
    assert wanted_of(controller.run_dir) is None


def tell(writer: RunWriter, *events: tuple[str, dict[str, Any]]) -> None:
    writer.append([], events=events, seconds=1.0)


def test_tail_shows_the_last_events_in_one_line_each_and_the_state(controller: RunWriter, invoke: Invoke) -> None:
    tell(controller, *[("warning", {"text": f"number {number} {HOSTILE}"}) for number in range(30)])

    lines = invoke("tail", str(controller.run_dir), "-n", "3").stdout.splitlines()

    assert [line.split("  ", 1)[1].split(" \\x1b")[0] for line in lines[:-1]] == [
        f"warning   number {number}" for number in (27, 28, 29)
    ]
    assert lines[-1] == "the run is running"
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)


def test_tail_for_scripts_is_one_event_a_line_and_then_the_state(controller: RunWriter, invoke: Invoke) -> None:
    tell(controller, ("improved", {"id": 4, "score": 2.0}), ("paused", {"schema": "evil", "kind": "evil"}))

    lines = [json.loads(line) for line in invoke("tail", str(controller.run_dir), "--json").stdout.splitlines()]

    assert [line["schema"] for line in lines] == ["evolve.event/1", "evolve.event/1", "evolve.tail/1"]
    assert [line.get("kind") for line in lines] == ["improved", "paused", None]
    assert (lines[0]["id"], lines[0]["data"]["id"]) == (1, 4)
    assert lines[-1]["state"] == "running"


def test_tail_follows_until_the_run_ends_and_misses_nothing(
    controller: RunWriter, tmp_path: Path, invoke: Invoke
) -> None:
    tell(controller, ("warning", {"text": "first"}))
    looks: list[int] = []
    original = RunReader.sessions

    def sessions(reader: RunReader) -> list[dict[str, Any]]:
        looks.append(1)
        if len(looks) == 3:
            tell(controller, *[("warning", {"text": f"more {number}"}) for number in range(700)])
            controller.end_session(2.0, "time")
        return original(reader)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunReader, "sessions", sessions)
        result = invoke("tail", str(controller.run_dir), "--follow", "--json")

    texts = [json.loads(line).get("data", {}).get("text") for line in result.stdout.splitlines()]
    assert texts == ["first", *(f"more {number}" for number in range(700)), None]
    assert json.loads(result.stdout.splitlines()[-1])["state"] == "stopped (time)"


def test_tail_says_how_far_a_quiet_run_is(
    controller: RunWriter, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evolve.cli.tail_command.QUIET_SECONDS", 0.0)
    controller.heartbeat(2.0, LIVE)
    looks: list[int] = []
    original = RunReader.sessions

    def sessions(reader: RunReader) -> list[dict[str, Any]]:
        looks.append(1)
        if len(looks) == 2:
            controller.heartbeat(2.0, STILL)
        if len(looks) == 3:
            controller.end_session(2.0, "time")
        return original(reader)

    monkeypatch.setattr(RunReader, "sessions", sessions)
    lines = invoke("tail", str(controller.run_dir), "-f").stdout.splitlines()

    assert [line.split("  ", 1)[-1] for line in lines] == [
        "running   9 evaluations, best 1.5, 2 elites",
        "paused    9 evaluations, best 1.5, 2 elites",
        "the run is stopped (time)",
    ]


def test_tail_of_a_run_that_is_over_ends_at_once(toy_run: Path, invoke: Invoke) -> None:
    assert invoke("tail", str(toy_run), "--follow").stdout == "the run is stopped (time)\n"
