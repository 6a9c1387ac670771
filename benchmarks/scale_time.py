"""Simulated time for `benchmarks.scale`: a virtual clock, durations of evaluations, and what ordered telling allows.

The clock runs on while this process computes, second for second of CPU time, and jumps over all waiting: what the
controller costs is real, what evaluators cost is not waited for.
"""

import asyncio
import heapq
import math
import selectors
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CRASH_SHARE = 0.1
"""How much of an ordinary evaluation a crash takes: it comes early."""
FEWEST_DRAWN = 20_000


class VirtualClock:
    """Seconds since it was made: those that were computed, and those that were skipped."""

    def __init__(self, cpu: Callable[[], float] = time.process_time) -> None:
        self._cpu = cpu
        self._began = cpu()
        self._skipped = 0.0

    def __call__(self) -> float:
        """The time now."""
        return self.cpu_seconds + self._skipped

    @property
    def cpu_seconds(self) -> float:
        """How many of these seconds were computed."""
        return self._cpu() - self._began

    def skip(self, seconds: float) -> None:
        """Let time pass in which nobody computes, or somebody whose CPU time is only assumed."""
        self._skipped += seconds


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers follow a virtual clock: where it would sleep, the clock jumps."""

    def __init__(self, clock: VirtualClock) -> None:
        self._virtual_clock = clock
        super().__init__(_SkippingSelector(clock))

    def time(self) -> float:
        """See `asyncio.AbstractEventLoop.time`."""
        return self._virtual_clock()


class _SkippingSelector(selectors.SelectSelector):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("nothing is left to wait for: the simulation would sleep for ever")
        self._clock.skip(max(timeout, 0.0))
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How long evaluations take and how many fail; `longest` is the time limit as a multiple of the mean.

    Durations are all alike with a `sigma` of 0, else lognormal. A failure is a crash, which comes early, or, every
    second time, a program that hangs until the limit. What the distribution puts beyond the limit fails there as well.
    """

    mean_seconds: float
    sigma: float = 0.0
    failure_rate: float = 0.0
    longest: float = 20.0

    def draw(self, n: int, rng: np.random.Generator) -> tuple[list[float], list[bool]]:
        """Seconds of `n` evaluations, and which of them fail."""
        seconds = np.exp(self.sigma * rng.standard_normal(n) - 0.5 * self.sigma**2)
        failed = rng.random(n) < self.failure_rate
        hangs = rng.random(n) < 0.5
        seconds = np.where(failed, np.where(hangs, self.longest, CRASH_SHARE), seconds)
        failed |= seconds >= self.longest
        return (np.minimum(seconds, self.longest) * self.mean_seconds).tolist(), failed.tolist()


def starts_in_order(durations: Sequence[float], *, n_evaluators: int, window: int) -> list[float]:
    """When each evaluation starts under a controller that costs nothing but tells in order.

    The loop's own rule: one begins when an evaluator is free and the one `window` before it has been told, and none is
    told before those in front of it.
    """
    free = [0.0] * n_evaluators
    told: list[float] = []
    starts: list[float] = []
    for number, seconds in enumerate(durations):
        allowed = told[number - window] if number >= window else 0.0
        start = max(heapq.heappop(free), allowed)
        heapq.heappush(free, start + seconds)
        told.append(max(start + seconds, told[-1] if told else 0.0))
        starts.append(start)
    return starts


def utilisation(starts: Sequence[float], durations: Sequence[float], *, n_evaluators: int) -> tuple[float, float]:
    """The share of the evaluators that works, and evaluations a second, once a run is under way.

    From where a third has begun to where the last begins: filling up and running empty are not counted.
    """
    begin, end = starts[len(starts) // 3], starts[-1]
    if not end > begin:
        return math.nan, math.nan
    first, last = np.asarray(starts), np.asarray(starts) + np.asarray(durations)
    busy = np.clip(np.minimum(last, end) - np.maximum(first, begin), 0.0, None).sum()
    share = float(busy) / (n_evaluators * (end - begin))
    return share, share * n_evaluators / float(np.mean(durations))


def needed_window(workload: Workload, *, n_evaluators: int, wanted: float, rng: np.random.Generator) -> int | None:
    """The smallest of some multiples of the evaluators whose ordered telling keeps the `wanted` share of them busy."""
    for factor in (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32):
        if limit_of_order(workload, n_evaluators=n_evaluators, window=factor * n_evaluators, rng=rng) >= wanted:
            return factor
    return None


def limit_of_order(workload: Workload, *, n_evaluators: int, window: int, rng: np.random.Generator) -> float:
    """The utilisation that ordered telling allows: with a controller that costs nothing."""
    durations, _ = workload.draw(max(FEWEST_DRAWN, 6 * window + 40 * n_evaluators), rng)
    starts = starts_in_order(durations, n_evaluators=n_evaluators, window=window)
    return utilisation(starts, durations, n_evaluators=n_evaluators)[0]


def run_virtually(main: Callable[[], Any], clock: VirtualClock) -> Any:
    """Run a coroutine function on a virtual clock."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        return runner.run(main())
