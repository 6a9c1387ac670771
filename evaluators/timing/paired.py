"""Candidate and reference in turn: two processes alike, fresh inputs for each pair, every output checked."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from evaluators.timing.benches import Bench, HostBench
from evaluators.timing.machine import Moment, busy_elsewhere
from evaluators.timing.programs import Candidate, Timeable
from evaluators.timing.ratios import SpeedUp, speed_up
from evaluators.timing.tasks import TimedTask, TooNoisyError
from sandbox.errors import CandidateError
from sandbox.pausing import CallTime

FEWEST_TO_GIVE_UP = 3


class Clock(StrEnum):
    """Which of the two times of a call counts."""

    PROCESSOR = "processor"  # of all threads, counted by the kernel: for work on processors, on one thread
    WALL = "wall"  # the judge's own: for work on several threads, or on a graphics card


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingEffort:
    """When to stop timing one task.

    After `fewest` pairs, once the standard error (of log2) is at most `wanted_error`, or judge and programs have spent
    `seconds` (by the clock that counts); after `most` pairs. If the error is above `largest_error` then, all is done
    once more, and then given up. A candidate whose log2 speed-up is below `hopeless` after three pairs is not worth
    more. Before each call `flush_bytes` are written to empty the caches, by default twice the last one's size.
    """

    warm_ups: int = 2
    fewest: int = 7
    most: int = 60
    seconds: float = 2.0
    wanted_error: float = 0.01
    largest_error: float = 0.15
    hopeless: float = -5.0
    flush_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What one task showed; seconds are medians of one call.

    `busy_elsewhere` is the part of all processors that others had, None where the machine does not tell.
    """

    task: str
    speed_up: SpeedUp
    seconds: float
    reference_seconds: float
    largest_error: float
    busy_elsewhere: float | None


class PairedTimer:
    """Times one candidate against a reference.

    Both programs define `function(*inputs, *outputs)`, which writes its results into the outputs. Between calls both
    stand still: while inputs are written, caches emptied and outputs read, nothing in them runs.
    """

    def __init__(  # noqa: PLR0913 keywords, most with a default
        self,
        candidate: Candidate,
        *,
        reference: Mapping[str, str],
        function: str,
        clock: Clock | str = Clock.PROCESSOR,
        effort: TimingEffort | None = None,
        rng: np.random.Generator | None = None,
        bench: Bench | None = None,
    ) -> None:
        """Start both processes and pause them.

        Args:
            candidate: what `evaluate` was given.
            reference: the files of the program to compare with.
            function: the name of the function in both.
            clock: which time counts.
            effort: when to stop.
            rng: what inputs are drawn with. By default nobody can foretell it: inputs that follow from a number in
                `problem.toml` could be computed in advance.
            bench: where inputs and outputs lie; by default in the machine's memory.
        """
        self._candidate = candidate
        self._reference = candidate.beside(reference)
        self._function = function
        if clock not in tuple(Clock):
            raise ValueError(f"clock is {clock!r}, expected {' or '.join(map(repr, map(str, Clock)))}")
        self._clock = Clock(clock)
        self._effort = effort or TimingEffort()
        self._rng = rng or np.random.default_rng()
        self._bench = bench or HostBench(flush_bytes=self._effort.flush_bytes)
        for each in (self._candidate, self._reference):
            each.pause()

    def check(self, task: TimedTask) -> float:
        """Call the candidate once, exactly as when it is timed; returns how wrong the output is, at most 1.

        Raises:
            WrongOutputError: it is wrong.
            CandidateError: the program failed.
        """
        inputs = task.drawn(self._rng)
        _, outputs = self._call(self._candidate, task, inputs)
        return task.checked(inputs, outputs)

    def compare(self, task: TimedTask) -> Comparison:
        """Time the task.

        Raises:
            WrongOutputError: some output of the candidate is wrong.
            TooNoisyError: the standard error stayed too large.
            CandidateError: the program failed.
        """
        self._check_reference(task)
        for _ in range(self._effort.warm_ups):
            self._pair(task, is_reference_first=True)
        comparison = self._measured(task)
        if self._is_too_noisy(comparison):
            comparison = self._measured(task)
            if self._is_too_noisy(comparison):
                raise TooNoisyError(_too_noisy(comparison))
        return comparison

    def _is_too_noisy(self, comparison: Comparison) -> bool:
        found = comparison.speed_up
        return found.standard_error > self._effort.largest_error and found.log2 >= self._effort.hopeless

    def _check_reference(self, task: TimedTask) -> None:
        inputs = task.drawn(self._rng)
        _, outputs = self._call_reference(task, inputs)
        if not (error := task.error_of(inputs, outputs)) <= 1.0:
            raise RuntimeError(f"the reference is wrong on {task.name}: the error is {error:.3g} times the allowed one")

    def _measured(self, task: TimedTask) -> Comparison:
        effort, start, own = self._effort, Moment.now(), time.process_time()
        theirs: list[float] = []
        mine: list[float] = []
        errors: list[float] = []
        processors = 0.0
        while True:
            reference, candidate, error = self._pair(task, is_reference_first=len(mine) % 2 == 0)
            theirs.append(self._seconds(reference))
            mine.append(self._seconds(candidate))
            processors += reference.processor_seconds + candidate.processor_seconds
            errors.append(error)
            found = speed_up(theirs, mine)
            is_hopeless = len(mine) >= FEWEST_TO_GIVE_UP and found.log2 < effort.hopeless
            is_sure = found.standard_error <= effort.wanted_error
            is_spent = self._spent(start, own, processors) > effort.seconds
            if is_hopeless or ((is_sure or is_spent) and len(mine) >= effort.fewest) or len(mine) >= effort.most:
                break
        return Comparison(
            task=task.name,
            speed_up=found,
            seconds=float(np.median(mine)),
            reference_seconds=float(np.median(theirs)),
            largest_error=max(errors),
            busy_elsewhere=busy_elsewhere(start, Moment.now(), own_seconds=processors + time.process_time() - own),
        )

    def _pair(self, task: TimedTask, *, is_reference_first: bool) -> tuple[CallTime, CallTime, float]:
        inputs = task.drawn(self._rng)
        first = self._call_reference(task, inputs)[0] if is_reference_first else None
        candidate, outputs = self._call(self._candidate, task, inputs)
        error = task.checked(inputs, outputs)
        reference = first or self._call_reference(task, inputs)[0]
        return reference, candidate, error

    def _call_reference(self, task: TimedTask, inputs: Sequence[Any]) -> tuple[CallTime, list[Any]]:
        try:
            return self._call(self._reference, task, inputs)
        except CandidateError as error:
            raise RuntimeError(f"the reference failed on {task.name}: {error}") from error

    def _call(self, program: Timeable, task: TimedTask, inputs: Sequence[Any]) -> tuple[CallTime, list[Any]]:
        """One call on these inputs, and copies of its outputs; the process stands still before and behind it."""
        return self._bench.call(program, self._function, task, inputs)

    def _spent(self, start: Moment, own: float, processors: float) -> float:
        """How much has gone into a task: on a busy machine that is less than the time that has gone by."""
        if self._clock is Clock.PROCESSOR:
            return processors + time.process_time() - own
        return time.monotonic() - start.at

    def _seconds(self, taken: CallTime) -> float:
        return taken.processor_seconds if self._clock is Clock.PROCESSOR else taken.wall_seconds


def _too_noisy(comparison: Comparison) -> str:
    found, busy = comparison.speed_up, comparison.busy_elsewhere
    why = "" if busy is None else f"; others had {busy:.0%} of the processors meanwhile"
    return (
        f"the time on {comparison.task} cannot be told: after {found.n_pairs} pairs, twice, the standard error of the "
        f"speed-up is {np.expm1(found.standard_error * np.log(2)):.0%}{why}. Leave the machine alone while kernels are "
        "timed: --workers 1, [evaluator] exclusive = true"
    )
