"""Whether anything runs on a graphics card: told by how long the judge's own work takes there."""

import math
import time
from collections.abc import Callable

import numpy as np

from evaluators.timing.tasks import TooNoisyError
from sandbox.torch_device import TorchDevice, open_device

FLUSH_BYTES = 256 << 20  # five times the last cache of the largest cards there are
BURST_SECONDS = 0.01  # longer than a card's turns, which it gives to each process in a row: about two milliseconds
N_BURSTS = 5
SLOWER = 1.5
PATIENCE_SECONDS = 5.0


class QuietCard:
    """The judge's view of a card on which nothing else may run while it gets ready.

    A card takes turns between processes. So work that takes about ten milliseconds takes half as much again at least
    when another process has anything to do there all the time. What that work writes is larger than the card's caches,
    and so empties them.

    Make it before any program starts: the card's own speed is measured now.
    """

    def __init__(
        self,
        device: TorchDevice | None = None,
        *,
        flush_bytes: int = FLUSH_BYTES,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Measure how long a burst of work takes on the idle card.

        Args:
            device: the first card by default.
            flush_bytes: how much is written at a time.
            clock: tells seconds.

        Raises:
            DeviceError: torch is not installed, or sees no card.
        """
        self.device = device or open_device("cuda")
        self._buffer = self.device.torch.empty(flush_bytes, dtype=self.device.torch.uint8, device=self.device.device)
        self._clock = clock
        self._n_fills = 1
        self._burst()
        first = min(self._burst() for _ in range(N_BURSTS))
        self._n_fills = max(1, math.ceil(BURST_SECONDS / first))
        self.burst_seconds = float(np.median([self._burst() for _ in range(N_BURSTS)]))

    def synchronize(self) -> None:
        """Wait until all that this process asked of the card is done."""
        if self.device.is_card:
            self.device.torch.cuda.synchronize()

    def wait(self, name: str) -> None:
        """Return when the card does nothing for anybody else, and its caches hold nothing.

        Raises:
            TooNoisyError: that never came; the text says on which task, `name`.
        """
        deadline = self._clock() + PATIENCE_SECONDS
        while (taken := self._burst()) > SLOWER * self.burst_seconds:
            if self._clock() > deadline:
                raise TooNoisyError(
                    f"on {name} something still runs on the card, the candidate's or somebody else's, for "
                    f"{PATIENCE_SECONDS:g} s: work of the judge's takes {1e3 * taken:.3g} ms there, "
                    f"{1e3 * self.burst_seconds:.3g} ms before"
                )

    def _burst(self) -> float:
        self.synchronize()
        started = self._clock()
        for number in range(self._n_fills):
            self._buffer.fill_(number % 2)
        self.synchronize()
        return self._clock() - started
