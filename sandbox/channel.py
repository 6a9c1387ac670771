"""Three pipes to a process nobody trusts: requests go in, answers and printed bytes come out, all with a deadline."""

import math
import os
import select
import time
from contextlib import ExitStack, suppress

from sandbox.wire import HEADER

CHUNK_BYTES = 1 << 18
LONGEST_WAIT_SECONDS = 1e6  # twelve days; the kernel counts milliseconds in 32 bits
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class ChannelError(Exception):
    """The other side broke the rules of the channel, or is gone; it cannot be used any more."""


class ClosedError(ChannelError):
    """The answers' pipe is closed: the process ended, or closed it."""


class OverdueError(ChannelError):
    """No answer before the deadline."""


class FloodError(ChannelError):
    """More bytes were printed or answered than allowed."""


class UnaskedError(ChannelError):
    """Bytes came that no request asked for."""


class Channel:
    """The controller's ends of the pipes of one session; used by one thread at a time."""

    def __init__(self, *, output_bytes: int, answer_bytes: int, lifeline: int) -> None:
        """Make the pipes; `theirs` are the ends to give away and then to close with `close_theirs`.

        `lifeline` is a socket to whoever looks after the other side: when it hangs up, all is over, even if a runaway
        keeps the pipes open.
        """
        self.printed = bytearray()
        self._output_bytes = output_bytes
        self._answer_bytes = answer_bytes
        with ExitStack() as undo:
            requests_read, self._requests = _pipe(undo)
            self._answers, answers_write = _pipe(undo)
            self._output, output_write = _pipe(undo)
            undo.pop_all()
        self.theirs: tuple[int, ...] = (requests_read, answers_write, output_write)
        self._poll = select.poll()
        for descriptor in (self._answers, self._output):
            os.set_blocking(descriptor, False)
            self._poll.register(descriptor, select.POLLIN)
        os.set_blocking(self._requests, False)
        self._poll.register(lifeline, 0)
        self._received = bytearray()
        self._is_open = True

    def close_theirs(self) -> None:
        """Close this process's copies of the other side's ends, so that its death can be seen."""
        for descriptor in self.theirs:
            os.close(descriptor)
        self.theirs = ()

    def close(self) -> None:
        """Keep what was printed, close the pipes; harmless when repeated."""
        if self._is_open:
            with suppress(FloodError):
                self.drain_output()
            self._is_open = False
            for descriptor in (self._requests, self._answers, self._output):
                os.close(descriptor)
            self.close_theirs()

    def exchange(self, message: bytes, *, seconds: float) -> tuple[int, bytearray]:
        """Send a request (empty: none) and wait for one answer, its tag and body.

        Raises:
            ChannelError: see its subclasses.
        """
        deadline = time.monotonic() + seconds
        if message:
            self.expect_silence()
        unsent = memoryview(message)[self._send(message) :] if message else memoryview(b"")
        if unsent:
            self._poll.register(self._requests, select.POLLOUT)
        try:
            while (frame := self._take_frame()) is None:
                unsent = self._wait(unsent, deadline)
        finally:
            if unsent:
                self._poll.unregister(self._requests)
        if unsent:
            raise UnaskedError("an answer came before the request was read")
        self.drain_output()
        return frame

    def drain_output(self) -> None:
        """Take what was printed so far without waiting.

        Raises:
            FloodError: it is more than allowed; `printed` holds the allowed part.
        """
        while self._is_open and (chunk := _read(self._output)):
            self.printed += chunk
            if len(self.printed) > self._output_bytes:
                del self.printed[self._output_bytes :]
                raise FloodError(f"printed more than {self._output_bytes} bytes ([limits] output_kb)")

    def expect_silence(self) -> None:
        """Make sure that the other side is there and says nothing.

        Raises:
            ChannelError: it is gone, or has said something.
        """
        chunk = _read(self._answers)
        if chunk or self._received:
            raise UnaskedError("an answer came that no request asked for")
        if chunk == b"":
            raise ClosedError

    def _send(self, message: bytes | memoryview) -> int:
        try:
            return os.write(self._requests, message)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise ClosedError from None

    def _wait(self, unsent: memoryview, deadline: float) -> memoryview:
        """Wait for something to happen and take it in; returns what is still to be sent."""
        left = deadline - time.monotonic()
        events = self._poll.poll(math.ceil(min(left, LONGEST_WAIT_SECONDS) * 1000)) if left > 0 else []
        if not events:
            raise OverdueError
        for descriptor, event in events:
            if descriptor == self._output:
                if event == select.POLLHUP:
                    self._poll.unregister(self._output)
                self.drain_output()
            elif descriptor == self._answers:
                chunk = _read(self._answers)
                if chunk == b"":
                    raise ClosedError
                self._received += chunk or b""
            elif event & _GONE:
                raise ClosedError
            else:
                unsent = unsent[self._send(unsent[:CHUNK_BYTES]) :]
                if not unsent:
                    self._poll.unregister(self._requests)
        return unsent

    def _take_frame(self) -> tuple[int, bytearray] | None:
        """The answer, if it is complete; one byte more than that is an answer nobody asked for."""
        received = self._received
        if len(received) < HEADER.size:
            return None
        size, tag = HEADER.unpack_from(received)
        if size - 1 > self._answer_bytes:
            raise FloodError(
                f"the answer takes {size - 1} bytes, allowed are {self._answer_bytes} ([limits] result_mb)"
            )
        missing = size - 1 - (len(received) - HEADER.size)
        if size == 0 or missing < 0:
            raise UnaskedError("the answer does not end where it said")
        if missing:
            return None
        self._received = bytearray()
        del received[: HEADER.size]
        return tag, received


def _pipe(undo: ExitStack) -> tuple[int, int]:
    """A pipe that is closed when what is being made cannot be finished."""
    ends = os.pipe()
    for descriptor in ends:
        undo.callback(os.close, descriptor)
    return ends


def _read(descriptor: int) -> bytes | None:
    """What is there now; empty at the end, None when there is nothing yet."""
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return None
