"""Where inputs and outputs lie while a program is timed: in the machine's memory, or in that of a graphics card.

A bench hands over fresh inputs, takes the time of one call, and gives copies of the outputs that no program can reach.
"""

import math
import time
from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np

from evaluators.timing.caches import CacheFlush
from evaluators.timing.programs import OnCard, Timeable
from evaluators.timing.quiet import QuietCard
from evaluators.timing.tasks import Array, TimedTask, laid_out
from sandbox.pausing import CallTime


class Bench(Protocol):
    """Takes the time of calls; programs stand still before and after."""

    def call(
        self, program: Timeable, function: str, task: TimedTask, inputs: Sequence[Any]
    ) -> tuple[CallTime, list[Any]]:
        """One call on these inputs: how long it took, and copies of what it wrote."""


class HostBench:
    """Arrays of the machine's memory, which cannot change while the program stands still.

    By the wall clock a call ends when the copies are made: a graphics card goes on writing for a process that stands
    still.
    """

    def __init__(self, *, flush_bytes: int | None = None, card: QuietCard | None = None) -> None:
        """Make the buffer that empties the caches.

        Args:
            flush_bytes: its size; by default twice that of the last cache.
            card: for programs that use a graphics card: nothing of theirs may still run there when the next call comes.
        """
        self._flush = CacheFlush(flush_bytes)
        self._card = card

    def call(
        self, program: Timeable, function: str, task: TimedTask, inputs: Sequence[Array]
    ) -> tuple[CallTime, list[Array]]:
        """See `Bench.call`."""
        placed = laid_out(program.shared, inputs, task.places(inputs))
        if self._card is not None:
            self._card.wait(task.name)
        self._flush()
        taken = program.timed(function, *placed)
        stopped = time.perf_counter()
        copies = [np.array(each.values) for each in placed[len(inputs) :]]
        copied = time.perf_counter() - stopped
        return CallTime(taken.wall_seconds + copied, taken.processor_seconds), copies


class CardBench:
    """Tensors in memory of a graphics card that judge and program share. Never tried on a card.

    Kernels go on while the process that started them stands still; they can even be left waiting for a word of memory
    to change. So what a program must not see before the clock starts, or write after it has stopped, is not in shared
    memory then: the clock starts, the judge copies the inputs there, calls, and copies the outputs from there, and the
    clock stops. Both copies are part of both programs' times, so a speed-up is told too small, never too large.

    Inputs and outputs of tasks are tensors on the card, whose types numpy has too, without gaps; `task.outputs` may
    give tensors on torch's device "meta", as their values do not matter. By the wall clock only.
    """

    def __init__(self, card: QuietCard) -> None:
        """Take the card, of which nobody else has anything now."""
        self._card = card
        self._torch = card.device.torch

    def call(
        self, program: Timeable, function: str, task: TimedTask, inputs: Sequence[Any]
    ) -> tuple[CallTime, list[Any]]:
        """See `Bench.call`."""
        wanted = (*inputs, *task.places(inputs))
        memory = cast("OnCard", program).card
        memory.clear()
        try:
            placed = [memory.array(tuple(each.shape), _numpy_type(each)) for each in wanted]
        except MemoryError as error:  # of shared memory, not the judge's own
            raise ValueError(str(error)) from None
        tensors = [each.tensor(self._torch) for each in placed]
        outputs = tensors[len(inputs) :]
        for each in outputs:
            each.fill_(math.nan if each.is_floating_point() else -1)
        copies = [self._torch.empty_like(each) for each in outputs]
        self._card.wait(task.name)
        started = time.perf_counter()
        for each, place in zip(inputs, tensors, strict=False):
            place.copy_(each)
        self._card.synchronize()
        taken = program.timed(function, *placed)
        for each, place in zip(copies, outputs, strict=True):
            each.copy_(place)
        self._card.synchronize()
        return CallTime(time.perf_counter() - started, taken.processor_seconds), copies


def _numpy_type(tensor: Any) -> np.dtype[Any]:
    """The type of a tensor's numbers.

    Raises:
        TypeError: numpy has none like it.
    """
    return np.dtype(str(tensor.dtype).removeprefix("torch."))
