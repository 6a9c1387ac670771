"""One session's controller side, with the process played by the test: which answer or end becomes which error."""

import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from os import close, dup
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import (
    CandidateCrashed,
    CandidateDiskLimit,
    CandidateError,
    CandidateFileLimit,
    CandidateNotFinite,
    CandidateOutOfGpuMemory,
    CandidateOutOfMemory,
    CandidateOutputLimit,
    CandidateProcessLimit,
    CandidateRaised,
    CandidateResultInvalid,
    CandidateSyntaxError,
    CandidateTimedOut,
    SandboxError,
)
from sandbox.frames import read_frame, write_all
from sandbox.limits import MEBIBYTE, Limits
from sandbox.link import Reply, ServerLink
from sandbox.session import ProcessSession
from sandbox.wire import TAG_JSON, PlainDataError, decode, encode
from tests.extent import examples

READY = encode(["ready"])
LOADED = encode(["ok", None])
FILES = {"a.py": "def f(): pass"}
LONG = 60.0
LIMITS = Limits(wall_seconds=LONG, cpu_seconds=3.0, memory_bytes=100 * MEBIBYTE, output_bytes=500)
ENDED = {"status": 0, "cpu_seconds": 0.1, "grown_bytes": 0, "reason": {}, "n_left": 0}

Answering = Callable[[Any], bytes | None]


class ScriptedLink(ServerLink):
    """A server without a process: a thread reads each request and writes what `reply` makes of it; None hangs up."""

    def __init__(self, reply: Answering, *, first: bytes = READY, ending: dict[str, Any] | None = None) -> None:
        self._reply = reply
        self._first = first
        self._ending = ending or ENDED
        self._ours, self._theirs = socket.socketpair()
        self._thread: threading.Thread | None = None
        self.requests: list[Any] = []
        self.stopped: list[int] = []
        self.says = b""
        self.refuses_start = False
        self.is_gone = False
        self.hangs_up = False
        self.dies_when_ready = False

    @property
    def lifeline(self) -> int:
        return self._ours.fileno()

    def start(self, limits: Limits, descriptors: Sequence[int]) -> Reply:
        if self.refuses_start:
            raise SandboxError("no process can be started")
        self._thread = threading.Thread(target=self._serve, args=[dup(number) for number in descriptors])
        self._thread.start()
        return Reply({"session": 17, "pid": 1})

    def stop(self, session: int) -> Reply:
        if self.is_gone:
            raise SandboxError("the server is gone")
        self.stopped.append(session)
        return Reply(self._ending)

    def wait(self, reply: Reply) -> dict[str, Any]:
        assert reply.answer is not None
        return reply.answer

    def wait_for_the_process(self) -> None:
        if self._thread is not None:
            self._thread.join(LONG)
            assert not self._thread.is_alive()

    def close(self) -> None:
        self.wait_for_the_process()
        self._ours.close()
        self._theirs.close()

    def _serve(self, requests: int, answers: int, output: int) -> None:
        with suppress(BrokenPipeError):
            write_all(output, self.says)
            write_all(answers, self._first)
            if self.hangs_up:
                self._theirs.close()
            while not self.dies_when_ready and (frame := read_frame(requests)) is not None:
                self.requests.append(decode(*frame))
                reply = self._reply(self.requests[-1])
                if reply is None:
                    break
                write_all(answers, reply)
        for descriptor in (requests, answers, output):
            close(descriptor)


def answering(message: bytes | None) -> Answering:
    return lambda _request: message


def raw(body: bytes, tag: int = TAG_JSON) -> bytes:
    return struct.pack("<IB", len(body) + 1, tag) + body


@contextmanager
def session_with(
    reply: Answering, *, ending: dict[str, Any] | None = None, limits: Limits = LIMITS, says: bytes = b""
) -> Iterator[tuple[ProcessSession, ScriptedLink]]:
    """A session that has loaded its program; `reply` answers the calls."""
    link = ScriptedLink(lambda request: LOADED if request[0] == "load" else reply(request), ending=ending)
    link.says = says
    try:
        with ProcessSession(link, limits) as session:
            session.load(FILES, "a.py")
            link.requests.clear()
            yield session, link
    finally:
        link.close()


def error_after_end(ending: dict[str, Any], *, says: bytes = b"", limits: Limits = LIMITS) -> CandidateError:
    """The error of a call during which the process ended in the given way."""
    with session_with(answering(None), ending=ENDED | ending, limits=limits, says=says) as (session, _):
        with pytest.raises(CandidateError) as caught:
            session.call("f")
        return caught.value


# calls and answers


def test_a_call_sends_its_name_and_arguments_and_returns_the_value() -> None:
    with session_with(answering(encode(["ok", {"x": [1, 2.5]}]))) as (session, link):
        value = session.call("f", 1, "two", [3])

    assert value == {"x": [1, 2.5]}
    assert link.requests == [["call", "f", [1, "two", [3]]]]


def test_loading_sends_the_files_in_their_order_and_the_entry() -> None:
    files = {"b.py": "y = 2", "a.py": "x = 1"}
    link = ScriptedLink(answering(LOADED))
    with ProcessSession(link, LIMITS) as session:
        session.load(files, "a.py")
    link.close()

    assert link.requests == [["load", [["b.py", "y = 2"], ["a.py", "x = 1"]], "a.py"]]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("exception", CandidateRaised),
        ("syntax", CandidateSyntaxError),
        ("output", CandidateOutputLimit),
        ("invalid", CandidateResultInvalid),
        ("not_finite", CandidateNotFinite),
    ],
)
def test_a_reported_error_is_raised_by_its_kind_and_the_session_goes_on(kind: str, error: type[Exception]) -> None:
    replies = iter([encode(["error", kind, "wh\x1bat\u202e"]), encode(["ok", 1])])
    with session_with(lambda _request: next(replies)) as (session, link):
        with pytest.raises(CandidateError, match=r"^what$") as caught:
            session.call("f")

        assert type(caught.value) is error
        assert session.call("f") == 1
        assert link.stopped == []


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("memory", CandidateOutOfMemory, r"100 MiB allowed \(\[limits\] memory_mb\): what"),
        ("processes", CandidateProcessLimit, r"32 allowed \(\[limits\] n_processes\): what"),
        ("files", CandidateFileLimit, r"64 allowed \(\[limits\] n_files\): what"),
        ("disk", CandidateDiskLimit, r"0 bytes or 1024 files allowed \(\[limits\] scratch_mb\): what"),
        ("gpu_memory", CandidateOutOfGpuMemory, "what"),
    ],
)
def test_a_limit_that_the_process_reports_is_told_with_its_value(
    kind: str, error: type[CandidateError], says: str
) -> None:
    with session_with(answering(encode(["error", kind, "what"]))) as (session, link):
        with pytest.raises(CandidateError, match=f"{says}$") as caught:
            session.call("f")

        assert type(caught.value) is error
        assert link.stopped == []


@pytest.mark.parametrize("kind", ["crash", "timeout", "cpu", "forbidden", "", "EXCEPTION", "ok"])
def test_a_process_cannot_report_an_end_that_only_we_can_see(kind: str) -> None:
    with (
        session_with(answering(encode(["error", kind, "text"]))) as (session, _),
        pytest.raises(CandidateResultInvalid, match="forged"),
    ):
        session.call("f")


@pytest.mark.parametrize(
    "answer",
    [None, 1, "ok", [], {}, {"ok": 1}, ["ok"], ["OK", 1], ["ok", 1, 1], ["error", "exception"], [["ok", 1]], [True, 1]],
    ids=repr,
)
def test_an_answer_of_another_form_is_forged_and_ends_the_session(answer: Any) -> None:
    with session_with(answering(encode(answer))) as (session, link):
        with pytest.raises(CandidateResultInvalid, match="forged"):
            session.call("f")

        assert link.stopped == [17]


@settings(max_examples=examples(30), deadline=None)
@given(st.binary(max_size=30), st.sampled_from([b"J"[0], b"P"[0], 0, 255]))
def test_noise_instead_of_an_answer_is_the_candidates_fault(noise: bytes, tag: int) -> None:
    with (
        session_with(answering(raw(noise, tag))) as (session, _),
        pytest.raises((CandidateResultInvalid, CandidateNotFinite)),
    ):
        session.call("f")


@pytest.mark.parametrize(
    "answer",
    [
        raw(b'["ok",NaN]'),
        raw(b'["ok",[1,-Infinity]]'),
        raw(b'["ok",1e999]'),
        raw(b'["ok",' + b"9" * 299 + b"e99]"),
        encode(["ok", [np.array([1.0, np.inf])]]),
        encode(["ok", {"x": np.float64(1), "y": np.array(np.nan, dtype="f2")}]),
    ],
    ids=["nan", "infinity", "exponent", "many digits", "array", "half"],
)
def test_no_way_of_writing_an_infinite_number_passes(answer: bytes) -> None:
    with session_with(answering(answer)) as (session, _), pytest.raises(CandidateNotFinite):
        session.call("f")


def test_an_answer_that_is_not_finite_does_not_end_the_session() -> None:
    replies = iter([raw(b'["ok",NaN]'), encode(["ok", np.array([np.inf])]), encode(["ok", 2])])
    with session_with(lambda _request: next(replies)) as (session, _):
        for _ in range(2):
            with pytest.raises(CandidateNotFinite):
                session.call("f")

        assert session.call("f") == 2


def test_text_that_cannot_be_written_is_a_syntax_error_and_never_sent() -> None:
    link = ScriptedLink(answering(LOADED))
    with ProcessSession(link, LIMITS) as session:
        with pytest.raises(CandidateSyntaxError, match="not text"):
            session.load({"a.py": "x = '\ud800'"}, "a.py")

        assert link.requests == []
        assert link.stopped == [17]
    link.close()


@pytest.mark.parametrize("argument", [{1}, float("inf"), "," * 1_000_001], ids=["set", "infinity", "too many marks"])
def test_arguments_that_cannot_be_sent_are_the_callers_mistake_and_change_nothing(argument: Any) -> None:
    with session_with(answering(encode(["ok", 1]))) as (session, link):
        with pytest.raises(PlainDataError):
            session.call("f", argument)

        assert session.call("f", 1) == 1
        assert link.requests == [["call", "f", [1]]]


# the wall clock


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan"), 0.02])
def test_a_call_without_an_answer_in_time_ends_the_session(timeout: float) -> None:
    with session_with(answering(b"")) as (session, link):
        with pytest.raises(CandidateTimedOut, match="no answer within"):
            session.call("f", timeout=timeout)

        assert link.stopped == [17]


@pytest.mark.parametrize(("timeout", "says"), [(None, "0.5 s"), (5.0, "0.5 s"), (0.01, "0.01 s")])
def test_the_shorter_of_the_two_timeouts_counts(timeout: float | None, says: str) -> None:
    link = ScriptedLink(answering(b""), first=b"")  # nothing has to be loaded in such a hurry
    with ProcessSession(link, Limits(wall_seconds=0.5)) as session, pytest.raises(CandidateTimedOut, match=says):
        session.call("f", timeout=timeout)
    link.close()


def test_an_unlimited_wall_is_no_mistake() -> None:
    limits = Limits(wall_seconds=float("inf"))
    with session_with(answering(encode(["ok", 1])), limits=limits) as (session, _):
        assert session.call("f") == 1
        assert session.call("f", timeout=1e10) == 1


# how a process ended


def test_an_exit_status_is_a_crash_that_tells_it() -> None:
    error = error_after_end({"status": 3})

    assert type(error) is CandidateCrashed
    assert "exit status 3 " in error.detail


def test_a_limit_that_ended_the_process_is_told_with_its_value() -> None:
    error = error_after_end({"status": -signal.SIGKILL, "reason": {"limit": "memory", "used": 130 * MEBIBYTE}})

    assert type(error) is CandidateOutOfMemory
    assert error.detail == "took 130 MiB of memory, allowed are 100 MiB ([limits] memory_mb)"


def test_the_last_words_are_told_tamed_and_only_their_end() -> None:
    error = error_after_end({"status": 1}, says=b"a" * 300 + b"\x1b[31m\xff the end\n", limits=Limits())

    assert "last output:\n" in error.detail
    assert error.detail.endswith("[31m\ufffd the end")
    assert "\x1b" not in error.detail


def test_a_silent_end_mentions_no_output() -> None:
    assert "output" not in error_after_end({"status": 1}, says=b" \n").detail


# after the end


def test_every_later_call_raises_the_first_error_again_without_sending() -> None:
    with session_with(answering(encode("forged"))) as (session, link):
        with pytest.raises(CandidateResultInvalid) as first:
            session.call("f")
        with pytest.raises(CandidateResultInvalid) as second:
            session.call("g")

        assert second.value is first.value
        assert len(link.requests) == 1


def test_the_process_is_stopped_once_however_often_the_session_is_closed() -> None:
    with session_with(answering(None)) as (session, link):
        with pytest.raises(CandidateCrashed):
            session.call("f")
        session.close()
        session.close()

    assert link.stopped == [17]


def test_closing_does_not_hide_the_error_that_ended_the_session() -> None:
    with session_with(answering(None), ending=ENDED | {"status": 5}) as (session, _):
        with pytest.raises(CandidateCrashed, match="status 5"):
            session.call("f")
        session.close()

        with pytest.raises(CandidateCrashed, match="status 5"):
            session.call("f")


def test_when_the_server_is_gone_too_it_is_the_sandboxs_fault_for_good() -> None:
    with session_with(answering(None)) as (session, link):
        link.is_gone = True

        for _ in range(2):
            with pytest.raises(SandboxError, match="the server is gone"):
                session.call("f")


def test_closing_a_session_of_a_server_that_is_gone_is_harmless() -> None:
    with session_with(answering(None)) as (session, link):
        link.is_gone = True
        session.close()

        with pytest.raises(CandidateCrashed, match="closed"):
            session.call("f")


def test_what_was_printed_can_be_read_after_the_end_and_is_tamed() -> None:
    with (
        session_with(answering(None), says=b"one\x07 \xe2\x80\xae two\n") as (session, _),
        pytest.raises(CandidateCrashed),
    ):
        session.call("f")

    assert session.output == "one  two\n"


def test_the_output_never_exceeds_its_limit_even_when_bytes_are_no_text() -> None:
    limits = Limits(output_bytes=9, wall_seconds=LONG)
    with session_with(answering(encode(["ok", 1])), limits=limits, says=b"\xff" * 9) as (session, _):
        session.call("f")

        assert session.output == "\ufffd" * 9


# a start that fails


def test_a_server_that_cannot_start_a_process_is_the_sandboxs_failure() -> None:
    link = ScriptedLink(answering(None))
    link.refuses_start = True

    with pytest.raises(SandboxError, match="no process can be started"):
        ProcessSession(link, LIMITS)

    link.close()


def test_a_process_that_ends_before_it_is_ready_could_not_be_confined_and_says_why() -> None:
    link = ScriptedLink(answering(None), first=raw(b"x" * 10)[:3])
    link.says = b"prctl was refused"
    link.hangs_up = True

    with (
        ProcessSession(link, LIMITS) as session,
        pytest.raises(SandboxError, match="could not be confined: prctl was refused"),
    ):
        session.load(FILES, "a.py")

    link.close()
    assert link.stopped == [17]


def test_a_session_says_by_which_server_it_was_made() -> None:
    link, other = ScriptedLink(answering(LOADED)), ScriptedLink(answering(LOADED))

    with ProcessSession(link, LIMITS) as session:
        session.load(FILES, "a.py")

    link.close()
    other.close()
    assert session.belongs_to(link)
    assert not session.belongs_to(other)


def test_a_process_that_died_while_it_waited_for_a_program_is_the_sandboxs_loss() -> None:
    link = ScriptedLink(answering(None), ending=ENDED | {"status": -signal.SIGKILL})

    link.dies_when_ready = True
    with ProcessSession(link, LIMITS) as session:
        link.wait_for_the_process()
        with pytest.raises(SandboxError, match="could not be confined"):
            session.load(FILES, "a.py")

    link.close()
    assert link.requests == []
    assert link.stopped == [17]
