"""The logic of `benchmarks.scale`: simulated time, the rule of ordered telling, and a small simulated run."""

import asyncio

import numpy as np
import pytest

from benchmarks.overhead import Stopwatch
from benchmarks.scale_run import Case, simulate
from benchmarks.scale_time import (
    VirtualClock,
    Workload,
    limit_of_order,
    needed_window,
    run_virtually,
    starts_in_order,
    utilisation,
)


def test_the_virtual_clock_jumps_over_waiting() -> None:
    clock = VirtualClock(cpu=lambda: 7.0)

    async def wait_long() -> float:
        await asyncio.sleep(3600.0)
        return asyncio.get_running_loop().time()

    assert run_virtually(wait_long, clock) == pytest.approx(3600.0)


def test_the_virtual_clock_runs_on_while_somebody_computes() -> None:
    cpu = iter([10.0, 10.5, 12.0])
    clock = VirtualClock(cpu=lambda: next(cpu))

    clock.skip(100.0)

    assert [clock(), clock()] == [100.5, 102.0]


def test_waiting_for_nothing_is_an_error_and_no_endless_sleep() -> None:
    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="sleep for ever"):
        run_virtually(wait_for_ever, VirtualClock())


def test_a_straggler_holds_up_what_lies_a_window_behind_it() -> None:
    durations = [10.0, 1.0, 1.0, 1.0]

    starts = starts_in_order(durations, n_evaluators=2, window=2)

    assert starts == [0.0, 0.0, 10.0, 10.0]


def test_a_wider_window_works_past_a_straggler() -> None:
    durations = [10.0, 1.0, 1.0, 1.0]

    starts = starts_in_order(durations, n_evaluators=2, window=4)

    assert starts == [0.0, 0.0, 1.0, 2.0]


def test_evaluators_that_never_wait_are_all_busy() -> None:
    durations = [1.0] * 30

    share, per_second = utilisation(starts_in_order(durations, n_evaluators=3, window=3), durations, n_evaluators=3)

    assert [share, per_second] == pytest.approx([1.0, 3.0])


def test_durations_keep_their_mean_and_their_limit() -> None:
    work = Workload(mean_seconds=2.0, sigma=1.0, longest=20.0)

    durations, failed = work.draw(200_000, np.random.default_rng(0))

    assert np.mean(durations) == pytest.approx(2.0, rel=0.02)
    assert max(durations) <= 40.0
    assert [each == 40.0 for each in durations] == failed


def test_a_window_as_long_as_the_longest_evaluation_is_enough() -> None:
    work = Workload(mean_seconds=1.0, failure_rate=0.01, longest=10.0)

    needed = needed_window(work, n_evaluators=50, wanted=0.95, rng=np.random.default_rng(0))

    assert needed is not None
    assert 2 <= needed <= 12
    assert limit_of_order(work, n_evaluators=50, window=50, rng=np.random.default_rng(0)) < 0.5


@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_the_real_driver_begins_evaluations_as_the_rule_of_order_says(sigma: float) -> None:
    work = Workload(mean_seconds=1.0, sigma=sigma)
    case = Case(workload=work, n_evaluators=4, window=8, n_candidates=48)

    outcome = simulate(case, Stopwatch())

    assert outcome.busy == pytest.approx(outcome.allowed, abs=0.1)
