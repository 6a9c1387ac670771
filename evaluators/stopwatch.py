"""How long an evaluator itself has taken: a clock that stands still while the candidate runs, read from outside."""

import math
import mmap
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

SIZE = mmap.PAGESIZE


class Stopwatch:
    """One number in memory that two processes share: the evaluator's process keeps it, its controller reads it.

    Above zero the clock runs, and the number is the moment at which it would have started if it had never stood still;
    else it stands still, and the number is minus the time so far. So the controller needs no message to know whose
    time it is, and one aligned number cannot be read half written. Monotonic time is the same for all processes.
    """

    def __init__(self, descriptor: int) -> None:
        """Map the memory behind a descriptor that `make` gave; the descriptor may then be closed."""
        self._page = mmap.mmap(descriptor, SIZE)
        self._number = memoryview(self._page).cast("d")
        self._lock = threading.Lock()
        self._n_waiting = 0

    @classmethod
    def make(cls) -> tuple[Self, int]:
        """A stopwatch, and the descriptor for the other process; it passes to the caller."""
        descriptor = os.memfd_create("stopwatch")
        try:
            os.ftruncate(descriptor, SIZE)
            return cls(descriptor), descriptor
        except OSError:
            os.close(descriptor)
            raise

    def start(self) -> None:
        """Start from zero; for the controller, before it asks."""
        self._number[0] = time.monotonic()

    def hold(self) -> None:
        """Stand still at zero until somebody starts it: the other process is not ready yet."""
        self._number[0] = 0.0

    def seconds(self) -> float:
        """The evaluator's own time since the start; infinite when somebody scribbled over the number."""
        number, now = self._number[0], time.monotonic()
        seconds = now - number if number > 0 else -number
        return seconds if 0 <= seconds <= now else math.inf

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop the clock for a while; several threads may do so at once."""
        with self._lock:
            self._n_waiting += 1
            self._stop()
        try:
            yield
        finally:
            with self._lock:
                self._n_waiting -= 1
                if not self._n_waiting:
                    self._go_on()

    def _stop(self) -> None:
        if self._number[0] > 0:
            self._number[0] = min(self._number[0] - time.monotonic(), 0.0)

    def _go_on(self) -> None:
        if self._number[0] <= 0:  # else it was started anew meanwhile
            self._number[0] += time.monotonic()

    def close(self) -> None:
        """Give the memory back."""
        self._number.release()
        self._page.close()
