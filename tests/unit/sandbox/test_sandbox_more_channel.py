"""The pipes, both sides: whole messages over blocking descriptors, and the controller's channel against a liar."""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.channel import (
    Channel,
    ChannelError,
    ClosedError,
    FloodError,
    OverdueError,
    UnaskedError,
)
from sandbox.frames import read_frame, write_all
from sandbox.wire import TAG_JSON, decode, encode
from tests.extent import examples

PIPE_BYTES = 65536
SOON = 0.02
LONG = 60.0


class Peer:
    """A channel and the other side's ends, held by the same test."""

    def __init__(self, *, output_bytes: int = 100, answer_bytes: int = 1000) -> None:
        self.lifeline, self.their_lifeline = socket.socketpair()
        self.channel = Channel(output_bytes=output_bytes, answer_bytes=answer_bytes, lifeline=self.lifeline.fileno())
        self.requests, self.answers, self.output = (os.dup(number) for number in self.channel.theirs)
        self.channel.close_theirs()

    def answer(self, message: bytes) -> None:
        write_all(self.answers, message)

    def print(self, text: bytes) -> None:
        write_all(self.output, text)

    def close_end(self, name: str) -> None:
        os.close(getattr(self, name))
        setattr(self, name, -1)

    def close(self) -> None:
        self.channel.close()
        for name in ("requests", "answers", "output"):
            if getattr(self, name) >= 0:
                self.close_end(name)
        self.lifeline.close()
        self.their_lifeline.close()


@contextmanager
def peer(*, output_bytes: int = 100, answer_bytes: int = 1000) -> Iterator[Peer]:
    made = Peer(output_bytes=output_bytes, answer_bytes=answer_bytes)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def working(task: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=task)
    thread.start()
    try:
        yield
    finally:
        thread.join(LONG)
        assert not thread.is_alive()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for descriptor in ends:
        try:
            os.close(descriptor)
        except OSError:  # the test closed it
            continue


def frame(body: bytes, *, size: int | None = None) -> bytes:
    return struct.pack("<IB", len(body) + 1 if size is None else size, TAG_JSON) + body


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def n_descriptors() -> int:
    return len(os.listdir(f"/proc/{os.getpid()}/fd"))


# frames


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=50)), max_size=6))
def test_messages_are_read_one_by_one_as_they_were_written(messages: list[tuple[int, bytes]]) -> None:
    read, write = os.pipe()
    for tag, body in messages:
        write_all(write, struct.pack("<IB", len(body) + 1, tag) + body)
    os.close(write)

    received = [read_frame(read) for _ in messages]

    after = read_frame(read)
    os.close(read)
    assert received == [(tag, bytearray(body)) for tag, body in messages]
    assert after is None


@pytest.mark.parametrize("n_bytes", range(1, len(frame(b"[1]"))))
def test_a_message_that_breaks_off_anywhere_is_no_message(pipe: tuple[int, int], n_bytes: int) -> None:
    read, write = pipe
    write_all(write, frame(b"[1]")[:n_bytes])
    os.close(write)

    assert read_frame(read) is None


def test_a_message_larger_than_the_pipe_arrives_whole_through_a_slow_reader(pipe: tuple[int, int]) -> None:
    read, write = pipe
    body = os.urandom(5 * PIPE_BYTES + 3)

    with working(lambda: write_all(write, frame(body))):
        received = read_frame(read)

    assert received == (TAG_JSON, bytearray(body))


def test_a_body_in_single_bytes_is_put_together(pipe: tuple[int, int]) -> None:
    read, write = pipe

    def drip() -> None:
        for number in frame(b'{"a":1}'):
            os.write(write, bytes([number]))

    with working(drip):
        received = read_frame(read)

    assert received == (TAG_JSON, bytearray(b'{"a":1}'))


def test_writing_to_a_reader_that_is_gone_is_a_broken_pipe(pipe: tuple[int, int]) -> None:
    read, write = pipe
    os.close(read)

    with pytest.raises(BrokenPipeError):
        write_all(write, b"x")


def test_writing_nothing_writes_nothing(pipe: tuple[int, int]) -> None:
    read, write = pipe

    write_all(write, b"")

    os.set_blocking(read, False)
    with pytest.raises(BlockingIOError):
        os.read(read, 1)


# a request and its answer


def test_a_request_arrives_and_its_answer_comes_back() -> None:
    with peer() as other:

        def serve() -> None:
            request = read_frame(other.requests)
            assert request is not None
            other.answer(encode(["ok", decode(*request)]))

        with working(serve):
            tag, body = other.channel.exchange(encode(["call", 5]), seconds=LONG)

    assert decode(tag, body) == ["ok", ["call", 5]]


def test_the_answers_of_many_requests_keep_their_order() -> None:
    n_requests = 30
    with peer() as other:

        def serve() -> None:
            for _ in range(n_requests):
                request = read_frame(other.requests)
                assert request is not None
                other.answer(frame(bytes(request[1]) * 2))

        with working(serve):
            answers = [other.channel.exchange(frame(b"%d" % n), seconds=LONG)[1] for n in range(n_requests)]

    assert answers == [b"%d" % n * 2 for n in range(n_requests)]


def test_without_a_request_an_answer_is_awaited_all_the_same() -> None:
    with peer() as other:
        other.answer(encode(["ready"]))

        tag, body = other.channel.exchange(b"", seconds=LONG)

    assert decode(tag, body) == ["ready"]


def test_a_request_and_an_answer_larger_than_the_pipes_cross_at_once() -> None:
    size = 6 * PIPE_BYTES
    with peer(answer_bytes=size) as other:

        def serve() -> None:
            request = read_frame(other.requests)
            assert request is not None
            other.answer(frame(bytes(request[1])[::-1]))

        body = os.urandom(size)
        with working(serve):
            answer = other.channel.exchange(frame(body), seconds=LONG)

    assert answer == (TAG_JSON, bytearray(body[::-1]))


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_a_deadline_beyond_what_the_kernel_can_count_is_a_deadline(seconds: float) -> None:
    with peer() as other:
        timer = threading.Timer(SOON, other.answer, (frame(b"1"),))
        timer.start()

        answer = other.channel.exchange(b"", seconds=seconds)

        timer.join()
    assert answer == (TAG_JSON, bytearray(b"1"))


@pytest.mark.parametrize("seconds", [0.0, -1.0, SOON, float("nan")])
def test_no_answer_by_the_deadline_is_overdue(seconds: float) -> None:
    with peer() as other, pytest.raises(OverdueError):
        other.channel.exchange(frame(b"1"), seconds=seconds)


def test_a_request_that_nobody_reads_is_overdue() -> None:
    with peer() as other, pytest.raises(OverdueError):
        other.channel.exchange(frame(bytes(3 * PIPE_BYTES)), seconds=SOON)


def test_half_an_answer_is_overdue_and_its_rest_completes_it_later() -> None:
    message = frame(b"[1,2]")
    with peer() as other:
        other.answer(message[:7])
        with pytest.raises(OverdueError):
            other.channel.exchange(b"", seconds=SOON)
        other.answer(message[7:])

        assert other.channel.exchange(b"", seconds=LONG) == (TAG_JSON, bytearray(b"[1,2]"))


# sizes


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_an_answer_is_a_flood_exactly_when_its_body_is_longer_than_allowed(n_bytes: int, allowed: int) -> None:
    with peer(answer_bytes=allowed) as other:
        other.answer(frame(b"x" * n_bytes))
        try:
            _, body = other.channel.exchange(b"", seconds=LONG)
        except FloodError:
            assert n_bytes > allowed
        else:
            assert len(body) == n_bytes <= allowed


def test_a_flood_is_known_by_its_header_before_its_body_comes() -> None:
    with peer(answer_bytes=10) as other:
        other.answer(frame(b"", size=1 << 31))

        with pytest.raises(FloodError, match="allowed are 10"):
            other.channel.exchange(b"", seconds=LONG)


@pytest.mark.parametrize("size", [0, 2])
def test_an_answer_that_goes_on_after_its_announced_end_was_not_asked_for(size: int) -> None:
    with peer() as other:
        other.answer(frame(b"123", size=size))

        with pytest.raises(UnaskedError, match="does not end where it said"):
            other.channel.exchange(b"", seconds=LONG)


def test_two_answers_to_one_request_were_not_asked_for() -> None:
    with peer() as other:
        other.answer(frame(b"1") + frame(b"2"))

        with pytest.raises(UnaskedError):
            other.channel.exchange(b"", seconds=LONG)


def test_an_answer_in_advance_is_refused_before_the_request_is_sent() -> None:
    with peer() as other:
        other.answer(frame(b"1"))

        with pytest.raises(UnaskedError, match="no request asked for"):
            other.channel.exchange(frame(b"0"), seconds=LONG)

        os.set_blocking(other.requests, False)
        with pytest.raises(BlockingIOError):
            os.read(other.requests, 1)


def test_half_an_answer_in_advance_is_refused_too() -> None:
    with peer() as other:
        other.answer(b"\x05")

        with pytest.raises(UnaskedError):
            other.channel.exchange(frame(b"0"), seconds=LONG)


def test_after_half_an_answer_no_other_request_is_sent() -> None:
    with peer() as other:
        other.answer(frame(b"[1,2]")[:7])
        with pytest.raises(OverdueError):
            other.channel.exchange(b"", seconds=SOON)

        with pytest.raises(UnaskedError, match="no request asked for"):
            other.channel.exchange(frame(b"0"), seconds=LONG)


def test_an_answer_before_the_whole_request_was_read_is_refused() -> None:
    with peer() as other:

        def serve() -> None:
            os.read(other.requests, 100)
            other.answer(frame(b"1"))

        with working(serve), pytest.raises(UnaskedError, match="before the request was read"):
            other.channel.exchange(frame(bytes(4 * PIPE_BYTES)), seconds=LONG)


# what is printed


def test_what_is_printed_before_the_answer_is_there_with_the_answer() -> None:
    with peer() as other:
        other.print(b"one ")
        other.print(b"two")
        other.answer(frame(b"1"))

        other.channel.exchange(b"", seconds=LONG)

        assert other.channel.printed == b"one two"


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5), st.integers(0, 60))
def test_the_printed_bytes_are_kept_up_to_the_limit_and_more_is_a_flood(chunks: list[bytes], allowed: int) -> None:
    everything = b"".join(chunks)
    with peer(output_bytes=allowed) as other:
        for chunk in chunks:
            other.print(chunk)
        try:
            other.channel.drain_output()
        except FloodError:
            assert len(everything) > allowed
        else:
            assert len(everything) <= allowed

        assert other.channel.printed == everything[:allowed]


def test_a_flood_of_output_ends_the_wait_for_the_answer() -> None:
    with peer(output_bytes=10) as other:
        other.print(b"x" * 11)

        with pytest.raises(FloodError, match="printed more than 10 bytes"):
            other.channel.exchange(frame(b"1"), seconds=LONG)


def test_a_program_that_closes_its_output_can_still_answer() -> None:
    with peer() as other:
        other.print(b"last")
        other.close_end("output")
        timer = threading.Timer(SOON, other.answer, (frame(b"1"),))
        timer.start()

        assert other.channel.exchange(b"", seconds=LONG) == (TAG_JSON, bytearray(b"1"))

        timer.join()
        assert other.channel.printed == b"last"


def test_what_was_printed_and_not_read_is_kept_when_the_channel_closes() -> None:
    with peer(output_bytes=4) as other:
        other.print(b"123456")

        other.channel.close()

        assert other.channel.printed == b"1234"


def test_a_closed_channel_reads_no_more() -> None:
    with peer() as other:
        other.channel.close()
        other.channel.drain_output()

        assert other.channel.printed == b""


# the end of the other side


def test_a_closed_pipe_of_answers_is_the_end() -> None:
    with peer() as other:
        other.close_end("answers")

        with pytest.raises(ClosedError):
            other.channel.exchange(b"", seconds=LONG)


def test_an_answers_pipe_closed_before_the_request_is_the_end() -> None:
    with peer() as other:
        other.close_end("answers")

        with pytest.raises(ClosedError):
            other.channel.exchange(frame(b"1"), seconds=LONG)


def test_a_closed_pipe_of_requests_is_the_end() -> None:
    with peer() as other:
        other.close_end("requests")

        with pytest.raises(ClosedError):
            other.channel.exchange(frame(b"1"), seconds=LONG)


def test_requests_closed_while_a_long_one_is_being_sent_are_the_end() -> None:
    with peer() as other:

        def leave() -> None:
            os.read(other.requests, 100)
            other.close_end("requests")

        with working(leave), pytest.raises(ClosedError):
            other.channel.exchange(frame(bytes(4 * PIPE_BYTES)), seconds=LONG)


def test_a_lifeline_that_hangs_up_is_the_end_though_the_pipes_stay_open() -> None:
    with peer() as other:
        timer = threading.Timer(SOON, other.their_lifeline.close)
        timer.start()

        with pytest.raises(ClosedError):
            other.channel.exchange(frame(b"1"), seconds=LONG)

        timer.join()


def test_an_answer_that_breaks_off_at_the_end_is_the_end() -> None:
    with peer() as other:
        other.answer(frame(b"[1,2]")[:8])
        other.close_end("answers")

        with pytest.raises(ClosedError):
            other.channel.exchange(b"", seconds=LONG)


def test_a_whole_answer_counts_although_its_writer_is_gone() -> None:
    with peer() as other:
        other.answer(frame(b"[1,2]"))
        other.close_end("answers")

        assert other.channel.exchange(b"", seconds=LONG) == (TAG_JSON, bytearray(b"[1,2]"))


@settings(max_examples=examples(40), deadline=None)
@given(st.binary(max_size=40))
def test_whatever_the_other_side_writes_is_an_answer_or_an_error_of_the_channel(noise: bytes) -> None:
    with peer(answer_bytes=16) as other:
        other.answer(noise)
        other.close_end("answers")
        try:
            _, body = other.channel.exchange(b"", seconds=LONG)
        except ChannelError:
            return
        assert noise[5:] == body
        assert struct.unpack("<I", noise[:4])[0] == len(body) + 1


# descriptors


def test_a_channel_gives_all_its_descriptors_back_and_closing_again_is_harmless() -> None:
    with socket.socket() as lifeline:
        before = n_descriptors()
        channel = Channel(output_bytes=1, answer_bytes=1, lifeline=lifeline.fileno())
        assert n_descriptors() == before + 6

        channel.close_theirs()
        assert n_descriptors() == before + 3
        channel.close()
        channel.close()

        assert n_descriptors() == before


def test_closing_also_closes_the_ends_that_were_never_given_away() -> None:
    with socket.socket() as lifeline:
        before = n_descriptors()

        Channel(output_bytes=1, answer_bytes=1, lifeline=lifeline.fileno()).close()

        assert n_descriptors() == before


def test_the_pipes_are_not_inherited_by_programs_that_we_start() -> None:
    with socket.socket() as lifeline:
        before = set(os.listdir("/proc/self/fd"))
        channel = Channel(output_bytes=1, answer_bytes=1, lifeline=lifeline.fileno())
        made = [int(name) for name in set(os.listdir("/proc/self/fd")) - before]
        inheritable = [number for number in made if is_open(number) and os.get_inheritable(number)]
        channel.close()

    assert len(made) >= 6
    assert inheritable == []
