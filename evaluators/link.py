"""The controller's end of a judging process: starts it, asks it, notices when it hangs, dies or talks nonsense."""

import codecs
import math
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from typing import Any

from evaluators.environment import scrubbed_environment
from evaluators.judging import MAX_ANSWER_BYTES, OPEN
from evaluators.stopwatch import Stopwatch
from sandbox.untrusted_text import tame
from sandbox.wire import HEADER, PlainDataError, decode, encode

CHUNK_BYTES = 1 << 18
MOST_CHUNKS = 16
ECHOED_BYTES = 64 << 10  # of one evaluation
SAID_BYTES = 8192
MAX_SAID = 1000
SHORTEST_NAP_SECONDS = 0.05
LONGEST_NAP_SECONDS = 3600.0
END_SECONDS = 30.0  # a guard needs a few at the most, but on a machine that stands still
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
_BOOT = "import sys; from evaluators.guard import main; main(*map(int, sys.argv[1:]))"


class LostError(Exception):
    """The judging process is lost, and its link closed; the text says how, for whoever mends the evaluator.

    `hint` says what to do about it, `said` is what the evaluator printed last.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text, self.hint, self.said = text, "", ""

    def __str__(self) -> str:
        told = f"{self.text}; {self.hint}" if self.hint else self.text
        return f"{told}; it last printed:\n{self.said}" if self.said else told


class DiedError(LostError):
    """It ended without an answer."""

    def __init__(self, text: str = "the evaluator's process died") -> None:
        super().__init__(text)


class HungError(LostError):
    """It took longer than allowed."""


class StuckError(LostError):
    """It waits for the sandbox longer than all limits of a candidate together allow: the sandbox is to blame."""


class JudgeLink:
    """One judging process below its guard; used by one thread at a time. See `evaluators.judging` for what is said."""

    def __init__(self) -> None:
        """Start the process; it says nothing until it is asked.

        Raises:
            OSError: there are no descriptors or processes left.
        """
        with ExitStack() as theirs, ExitStack() as ours:
            requests, self._requests = _pipe(theirs, ours)
            self._answers, answers = _pipe(ours, theirs)
            self._printed, printed = _pipe(ours, theirs)
            self._stopwatch, stopwatch = Stopwatch.make()
            theirs.callback(os.close, stopwatch)
            ours.callback(self._stopwatch.close)
            self._process = _start((requests, answers, stopwatch), printed)
            ours.pop_all()
        self._poll = select.poll()
        for descriptor in (self._answers, self._printed):
            os.set_blocking(descriptor, False)
            self._poll.register(descriptor, select.POLLIN)
        os.set_blocking(self._requests, False)
        self._received = bytearray()
        self._said = bytearray()
        self._n_printed = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._is_open = True

    @property
    def pid(self) -> int:
        """The guard's process, above the judging one."""
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked: it lives, and it said nothing that nobody asked for."""
        if not self._is_open or self._process.poll() is not None:
            return False
        self._take_prints()
        return _read(self._answers) is None

    def ask(self, task: str, argument: Any, *, own_seconds: float, all_seconds: float) -> tuple[str, Any]:
        """Ask and wait; gives the word and the value of the answer.

        Args:
            task: what to do, a word of `evaluators.judging`.
            argument: plain data.
            own_seconds: how long the evaluator may take, not counting its candidates.
            all_seconds: how long it may take in all.

        Raises:
            PlainDataError: the argument is not plain data; nothing was asked.
            LostError: there is no answer; the process and all it started are dead.
        """
        token = secrets.token_hex(8)
        message = encode([task, token, argument])
        self._said.clear()
        self._end_echo()
        if task == OPEN:
            self._stopwatch.hold()  # the process comes up first, and starts the clock itself
        else:
            self._stopwatch.start()
        try:
            tag, body = self._exchange(message, own_seconds, time.monotonic() + all_seconds)
            answer = decode(tag, body)
        except PlainDataError as error:
            raise self._lost(LostError(f"the evaluator wrote to the judge's own pipes: {error}")) from None
        except LostError as error:
            raise self._lost(error) from None
        match answer:
            case [str(word), str(same), value] if same == token and not self._received:
                return word, value
        raise self._lost(LostError("the evaluator wrote to the judge's own pipes: an answer that nobody asked for"))

    def close(self) -> int:
        """End the process and all it started, give its exit status; harmless when repeated."""
        if self._is_open:
            self._is_open = False
            os.close(self._requests)
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._process.wait()
            self._take_prints()
            self._end_echo()
            os.close(self._answers)
            os.close(self._printed)
            self._stopwatch.close()
        return self._process.returncode

    def _exchange(self, message: bytes, own_seconds: float, deadline: float) -> tuple[int, bytearray]:
        unsent = self._send(memoryview(message))
        if unsent:
            self._poll.register(self._requests, select.POLLOUT)
        try:
            while (frame := self._take_frame()) is None:
                nap = self._nap(own_seconds, deadline)
                for descriptor, event in self._poll.poll(math.ceil(nap * 1000)):
                    if descriptor == self._requests:
                        unsent = self._send(unsent)
                        if not unsent:
                            self._poll.unregister(self._requests)
                    elif descriptor == self._printed:
                        self._take_prints()
                        if event & _GONE and not event & select.POLLIN:
                            self._poll.unregister(self._printed)
                    else:
                        self._take_answer()
        finally:
            if unsent:
                self._poll.unregister(self._requests)
        return frame

    def _nap(self, own_seconds: float, deadline: float) -> float:
        """How long nothing can be overdue."""
        own_left = own_seconds - self._stopwatch.seconds()
        if own_left <= 0:
            raise HungError(f"the evaluator did not answer within {own_seconds:g} s of its own time")
        left = deadline - time.monotonic()
        if left <= 0:
            raise StuckError("the sandbox did not come back to the evaluator, whatever the limits of the candidate are")
        return min(max(min(own_left, left), SHORTEST_NAP_SECONDS), LONGEST_NAP_SECONDS)

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._requests, unsent[:CHUNK_BYTES]) :]
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            raise DiedError from None

    def _take_answer(self) -> None:
        chunk = _read(self._answers)
        if chunk == b"":
            raise DiedError
        self._received += chunk or b""

    def _take_frame(self) -> tuple[int, bytearray] | None:
        """The answer, when all of it is there."""
        received = self._received
        if len(received) < HEADER.size:
            return None
        size, tag = HEADER.unpack_from(received)
        if not 0 < size <= MAX_ANSWER_BYTES + 1:
            raise LostError(f"the evaluator wrote to the judge's own pipes: an answer of {size} bytes")
        if len(received) < HEADER.size + size - 1:
            return None
        body = received[HEADER.size : HEADER.size + size - 1]
        del received[: HEADER.size + size - 1]
        return tag, body

    def _take_prints(self) -> None:
        """Take some of what the evaluator prints: keep the end, pass the beginning on to our standard error.

        Never until there is no more: who prints for ever is to be cut off like who loops for ever.
        """
        for _ in range(MOST_CHUNKS):
            chunk = _read(self._printed)
            if not chunk:
                return
            self._said += chunk
            del self._said[:-SAID_BYTES]
            shown = chunk[: max(ECHOED_BYTES - self._n_printed, 0)]
            self._n_printed += len(chunk)
            _echo(self._decoder.decode(shown))

    def _end_echo(self) -> None:
        """Say how much of one evaluation was not passed on, and start with the next."""
        if self._n_printed > ECHOED_BYTES:
            _echo(f"\n… {self._n_printed - ECHOED_BYTES} more bytes not shown\n")
        self._n_printed = 0
        self._decoder.reset()

    def _lost(self, error: LostError) -> LostError:
        """End everything; the same error with what is known of the end."""
        if isinstance(error, DiedError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(END_SECONDS)  # its own end, not the one that we make
            error.text += f": {_described(self.close())}"
        self.close()
        error.said = tame(self._said.decode(errors="replace"), max_length=MAX_SAID).strip()
        return error


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """A pipe whose ends are closed with these two."""
    ends = os.pipe()
    reader.callback(os.close, ends[0])
    writer.callback(os.close, ends[1])
    return ends


def _start(descriptors: tuple[int, int, int], printed: int) -> subprocess.Popen[bytes]:
    # Like -I, but for PYTHONHASHSEED: sets of text iterate alike in every run, and nothing else is passed on.
    command = [sys.executable, "-s", "-P", "-c", _BOOT, *map(str, descriptors)]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=printed,
        pass_fds=descriptors,
        env=scrubbed_environment() | {"PYTHONHASHSEED": "0"},
        start_new_session=True,
    )


def _echo(text: str) -> None:
    with suppress(OSError, ValueError):  # nobody reads our standard error any more
        sys.stderr.write(tame(text, max_length=len(text)))
        sys.stderr.flush()


def _described(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"


def _read(descriptor: int) -> bytes | None:
    """What is there now; empty at the end, None when there is nothing yet."""
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return None
