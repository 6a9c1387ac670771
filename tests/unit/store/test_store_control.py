"""Requests to the controller of a run: who may ask whom, and what garbage does."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.store import RunReader, RunWriter
from evolve.store.control import (
    CONTROL_NAME,
    MAX_BYTES,
    Mailbox,
    SessionKey,
    Wanted,
    read_request,
    request,
    write_request,
)

KEY = SessionKey(id=3, started="2026-01-02T03:04:05.000+00:00")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    """The controller of a run in `tmp_path / "run"`, in this process."""
    writer = RunWriter.create(tmp_path / "run", {"problem": "p"}, durability="fast")
    writer.start_session()
    yield writer
    writer.close()


def key_of(writer: RunWriter) -> SessionKey:
    assert writer.session_key is not None
    return writer.session_key


def document(**changes: Any) -> dict[str, Any]:
    session = {"id": KEY.id, "started": KEY.started}
    return {"wanted": "pause", "session": session, "at": "now", "pid": 7, "host": "here", **changes}


def test_a_request_reaches_the_session_that_works_on_the_run_once(writer: RunWriter) -> None:
    mailbox = Mailbox(writer.run_dir, key_of(writer))
    assert mailbox.news() is None

    asked = request(writer.run_dir, "pause")

    assert mailbox.news() == asked
    assert (asked.wanted, asked.pid) == (Wanted.PAUSE, os.getpid())
    assert mailbox.news() is None


def test_the_last_of_several_requests_counts_and_no_other_file_is_left(writer: RunWriter) -> None:
    for wanted in (Wanted.PAUSE, Wanted.RESUME, Wanted.STOP):
        request(writer.run_dir, wanted)

    news = Mailbox(writer.run_dir, key_of(writer)).news()

    assert news is not None
    assert news.wanted is Wanted.STOP
    assert [path.name for path in writer.run_dir.iterdir() if "control.json" in path.name] == [CONTROL_NAME]


def test_a_request_for_an_earlier_session_is_not_for_this_one(writer: RunWriter) -> None:
    earlier = request(writer.run_dir, "stop").session
    left_behind = (writer.run_dir / CONTROL_NAME).read_bytes()
    writer.start_session()  # as a resume does
    (writer.run_dir / CONTROL_NAME).write_bytes(left_behind)

    assert Mailbox(writer.run_dir, key_of(writer)).news() is None
    assert Mailbox(writer.run_dir, earlier).news() is not None


def test_a_session_of_equal_number_in_a_run_made_anew_is_another_one(tmp_path: Path) -> None:
    write_request(tmp_path, Wanted.STOP, KEY)

    assert Mailbox(tmp_path, SessionKey(id=KEY.id, started="2026-01-02T03:04:06.000+00:00")).news() is None
    assert Mailbox(tmp_path, KEY).news() is not None


def test_a_second_controller_that_is_refused_takes_no_request_away(writer: RunWriter) -> None:
    asked = request(writer.run_dir, "pause")

    with pytest.raises(EvolveEnvironmentError, match="another controller"):
        RunWriter.open(writer.run_dir)

    assert Mailbox(writer.run_dir, key_of(writer)).news() == asked


def test_a_session_that_begins_or_ends_leaves_no_request(writer: RunWriter) -> None:
    request(writer.run_dir, "pause")
    writer.start_session()
    assert read_request(writer.run_dir) is None

    request(writer.run_dir, "pause")
    writer.end_session(1.0, "request")
    assert read_request(writer.run_dir) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00\xff",
        b"null",
        b"[]",
        b"{}",
        b"[" * 4000,
        json.dumps(document(wanted="format")).encode(),
        json.dumps(document(session=4)).encode(),
        json.dumps(document(pid=None)).encode(),
        json.dumps(document(pid="x" * 20)).encode(),
        json.dumps(document(pid=1e999)).encode(),
        json.dumps(document(host="h" * MAX_BYTES)).encode(),
        json.dumps(document()).encode()[:-1],
    ],
)
def test_garbage_asks_for_nothing(tmp_path: Path, text: bytes) -> None:
    (tmp_path / CONTROL_NAME).write_bytes(text)

    assert read_request(tmp_path) is None
    assert Mailbox(tmp_path, KEY).news() is None


def test_the_document_that_the_garbage_is_made_from_is_read(tmp_path: Path) -> None:
    (tmp_path / CONTROL_NAME).write_text(json.dumps(document()))

    found = read_request(tmp_path)

    assert found is not None
    assert (found.wanted, found.session, found.asker()) == ("pause", KEY, {"at": "now", "pid": 7, "host": "here"})


def test_a_folder_a_pipe_and_a_link_in_the_place_of_the_file_neither_hang_nor_count(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text(json.dumps(document()))

    def link(path: Path) -> None:
        path.symlink_to(tmp_path / "elsewhere.json")

    makers: list[Callable[[Path], None]] = [Path.mkdir, os.mkfifo, link]
    for number, make in enumerate(makers):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder / CONTROL_NAME)

        assert read_request(folder) is None
        assert Mailbox(folder, KEY).news() is None


def test_nobody_is_asked_where_nobody_works(tmp_path: Path, writer: RunWriter) -> None:
    with pytest.raises(UsageError, match="no run in"):
        request(tmp_path, "pause")

    writer.end_session(1.0, "time")

    with pytest.raises(UsageError, match=r"nobody works on .*: it is stopped \(time\)") as raised:
        request(writer.run_dir, "pause")
    assert "evolve resume" in (raised.value.hint or "")
    assert read_request(writer.run_dir) is None


def test_a_request_that_cannot_be_written_says_so_and_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write_request(tmp_path, Wanted.PAUSE, KEY)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evolve.store.control.os.fsync", full)

    with pytest.raises(EvolveEnvironmentError, match="No space left on device; make room"):
        write_request(tmp_path, Wanted.STOP, KEY)

    assert read_request(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == [CONTROL_NAME]


def test_a_pause_is_seen_in_the_session(writer: RunWriter) -> None:
    from evolve.store import Pulse
    from evolve.store.state import current_state

    def state() -> str:
        reader = RunReader(writer.run_dir)
        sessions = reader.sessions()
        reader.close()
        return current_state(sessions)

    states = [state()]
    for paused in (True, False, True):
        writer.heartbeat(1.0, Pulse(seconds=1.0, data={}, paused=paused))
        states.append(state())
    writer.end_session(2.0, "request")
    states.append(state())

    assert states == ["running", "paused", "running", "paused", "stopped (request)"]
