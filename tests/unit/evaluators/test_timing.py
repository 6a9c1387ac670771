"""Pairs of times, when to stop, what is checked: with programs that this test plays, and times that it makes up."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.timing.caches import UNKNOWN_BYTES, CacheFlush, last_level_bytes
from evaluators.timing.evaluation import timed_evaluation
from evaluators.timing.machine import Moment, busy_elsewhere
from evaluators.timing.paired import PairedTimer, TimingEffort
from evaluators.timing.ratios import mean_of, speed_up
from evaluators.timing.tasks import Array, TimedTask, TooNoisyError, WrongOutputError
from sandbox.errors import CandidateRaised
from sandbox.pausing import CallTime
from sandbox.shared import SharedMemory

EFFORT = TimingEffort(warm_ups=1, fewest=4, most=8, seconds=60.0, flush_bytes=8)


def doubled(arrays: Sequence[Array]) -> None:
    x, out = arrays
    out[...] = 2 * x


class PlayedProgram:
    """A program that runs here, and takes what processor seconds the script says."""

    def __init__(
        self,
        seconds: Iterator[float],
        work: Callable[[Sequence[Array]], None] = doubled,
        beside: "PlayedProgram | None" = None,
    ) -> None:
        self._seconds, self._work, self._beside = seconds, work, beside
        self.shared = SharedMemory(1 << 16)
        self.shared.give_away()
        self.inputs: list[list[float]] = []
        self.n_pauses = 0
        self.wall_seconds = 100.0

    def timed(self, name: str, *args: Any, timeout: float | None = None) -> CallTime:
        assert (name, timeout) == ("double", None)
        arrays = [each.values for each in args]
        assert np.isnan(arrays[1]).all(), "what was written before is not there any more"
        self.inputs.append(arrays[0].tolist())
        self._work(arrays)
        return CallTime(wall_seconds=self.wall_seconds, processor_seconds=next(self._seconds))

    def pause(self) -> None:
        self.n_pauses += 1

    def beside(self, files: Mapping[str, str]) -> "PlayedProgram":
        assert files == {"reference.py": "…"}
        assert self._beside is not None
        return self._beside


def error(inputs: Sequence[Array], outputs: Sequence[Array]) -> float:
    return float(np.max(np.abs(outputs[0] - 2 * inputs[0])) / 1e-12)


def drawn(rng: np.random.Generator) -> Sequence[Array]:
    return (rng.standard_normal((3, 2)),)


TASK = TimedTask(name="doubling", draw=drawn, outputs=lambda x: (np.empty_like(x),), error=error)


def timer_of(
    candidate: PlayedProgram, *, reference: PlayedProgram | None = None, effort: TimingEffort = EFFORT
) -> PairedTimer:
    candidate._beside = reference or PlayedProgram(cycle([1.0]))
    return PairedTimer(candidate, reference={"reference.py": "…"}, function="double", effort=effort)


def test_the_speed_up_is_the_median_of_ratios_of_neighbours_and_forgets_single_delays() -> None:
    found = speed_up([1.0, 1.0, 3.0, 1.0, 40.0], [0.5, 0.5, 1.5, 0.5, 0.5])

    assert found.log2 == 1.0
    assert found.factor == 2.0
    assert found.low == 1.0
    assert found.n_pairs == 5


def test_equal_pairs_have_no_standard_error_and_differing_ones_have() -> None:
    rng = np.random.default_rng(3)
    times = np.exp2(0.1 * rng.standard_normal(400))

    found = speed_up(np.ones(400).tolist(), times.tolist())

    assert speed_up([1.0] * 5, [1.0] * 5).standard_error == 0.0
    # The standard error of a normal median: 1.2533 sigma / sqrt(n).
    assert found.standard_error == pytest.approx(1.2533 * 0.1 / 20, rel=0.3)
    assert found.low < 0.0 < found.high


@pytest.mark.parametrize(("one", "other"), [([], []), ([1.0], [0.0]), ([math.nan], [1.0])])
def test_times_that_cannot_be_are_refused(one: list[float], other: list[float]) -> None:
    with pytest.raises(ValueError, match="seconds above zero"):
        speed_up(one, other)


def test_tasks_are_averaged_geometrically_with_their_errors() -> None:
    rng = np.random.default_rng(1)
    one = speed_up([2.0] * 9, [1.0] * 9)
    other = speed_up(np.exp2(rng.standard_normal(99)).tolist(), [1.0] * 99)

    mean = mean_of([one, other])

    assert mean.log2 == pytest.approx((1.0 + other.log2) / 2)
    assert mean.standard_error == pytest.approx(other.standard_error / 2)
    assert mean.n_pairs == 108


def test_timing_ends_as_soon_as_the_answer_is_sure() -> None:
    candidate = PlayedProgram(cycle([0.25]))

    found = timer_of(candidate).compare(TASK)

    assert found.speed_up.log2 == 2.0
    assert found.speed_up.n_pairs == EFFORT.fewest
    assert (found.seconds, found.reference_seconds, found.largest_error) == (0.25, 1.0, 0.0)


def test_by_the_wall_clock_sleep_counts_and_the_time_until_the_judge_has_its_copy() -> None:
    candidate = PlayedProgram(cycle([0.001]))
    candidate.wall_seconds = 400.0
    candidate._beside = PlayedProgram(cycle([1.0]))
    reference = {"reference.py": "…"}

    timer = PairedTimer(candidate, reference=reference, function="double", clock="wall", effort=EFFORT)
    found = timer.compare(TASK)

    assert found.speed_up.log2 == pytest.approx(-2.0, abs=0.1)
    assert found.seconds > 400.0


def test_each_call_gets_inputs_that_nobody_had_before_and_the_pair_shares_them() -> None:
    reference, candidate = PlayedProgram(cycle([1.0])), PlayedProgram(cycle([1.0]))

    timer_of(candidate, reference=reference).compare(TASK)

    assert len({str(each) for each in candidate.inputs}) == len(candidate.inputs) == 5
    assert reference.inputs[1:] == candidate.inputs  # the first was to see whether the reference is right


def test_two_timers_draw_differently_though_nothing_else_differs() -> None:
    one, other = PlayedProgram(cycle([1.0])), PlayedProgram(cycle([1.0]))

    timer_of(one).check(TASK)
    timer_of(other).check(TASK)

    assert one.inputs != other.inputs


def test_both_programs_stand_still_from_the_beginning() -> None:
    reference, candidate = PlayedProgram(cycle([1.0])), PlayedProgram(cycle([1.0]))
    timer_of(candidate, reference=reference)
    assert (candidate.n_pauses, reference.n_pauses) == (1, 1)


def test_a_candidate_far_behind_gets_no_more_than_three_pairs() -> None:
    candidate = PlayedProgram(cycle([100.0]))
    assert timer_of(candidate).compare(TASK).speed_up.n_pairs == 3


def test_times_that_stay_wild_are_no_score_but_a_failure_of_the_judge() -> None:
    wild = PlayedProgram(cycle([1.0, 4.0, 0.3, 9.0, 0.1]))

    with pytest.raises(TooNoisyError, match=r"after 8 pairs, twice, the standard error .* exclusive = true"):
        timer_of(wild).compare(TASK)
    told = timed_evaluation(timer_of(PlayedProgram(cycle([1.0, 4.0, 0.3, 9.0, 0.1]))), tasks=[TASK])
    assert told["kind"] == "evaluator"


def test_a_second_look_at_wild_times_may_be_a_calm_one() -> None:
    wild, calm = [1.0, 4.0, 0.3, 9.0, 0.1, 7.0, 0.2, 6.0], [0.5] * 8
    candidate = PlayedProgram(iter([1.0, *wild, *calm]))
    assert timer_of(candidate).compare(TASK).speed_up.log2 == 1.0


def half(arrays: Sequence[Array]) -> None:
    arrays[1][:1] = 2 * arrays[0][:1]


def nothing(arrays: Sequence[Array]) -> None:
    del arrays


def spoiling(arrays: Sequence[Array]) -> None:
    arrays[0][...] = 0.0
    arrays[1][...] = 0.0


class RightAtFirst:
    """Right in its first calls, then lazy: a program that takes them for the test of what it does."""

    def __init__(self, n: int) -> None:
        self._n = count(n, -1)

    def __call__(self, arrays: Sequence[Array]) -> None:
        if next(self._n) > 0:
            doubled(arrays)


class Remembering:
    """Computes once, and copies that answer into the same place ever after."""

    def __init__(self) -> None:
        self._known: dict[int, Array] = {}

    def __call__(self, arrays: Sequence[Array]) -> None:
        place = arrays[0].__array_interface__["data"][0]
        if place not in self._known:
            self._known[place] = 2 * arrays[0]
        arrays[1][...] = self._known[place]


CHEATS: list[Callable[[], Callable[[Sequence[Array]], None]]] = [
    lambda: half,
    lambda: nothing,
    lambda: spoiling,
    lambda: RightAtFirst(3),
    Remembering,
]


@pytest.mark.parametrize("cheat", CHEATS, ids=["half", "nothing", "spoiling", "right_at_first", "remembering"])
def test_one_wrong_output_among_all_calls_is_enough(cheat: Callable[[], Callable[[Sequence[Array]], None]]) -> None:
    timer = timer_of(PlayedProgram(cycle([0.001]), cheat()))
    with pytest.raises(WrongOutputError, match="wrong on doubling"):
        timer.compare(TASK)


def test_a_wrong_or_failing_reference_is_the_evaluators_fault() -> None:
    def failing(arrays: Sequence[Array]) -> None:
        del arrays
        raise CandidateRaised("no")

    for work in (half, failing):
        timer = timer_of(PlayedProgram(cycle([1.0])), reference=PlayedProgram(cycle([1.0]), work))
        with pytest.raises(RuntimeError, match="the reference"):
            timer.compare(TASK)


def test_an_evaluation_has_the_mean_the_worst_task_and_how_sure_it_is() -> None:
    candidate = PlayedProgram(cycle([0.5]))
    other = TimedTask(name="the same again", draw=drawn, outputs=TASK.outputs, error=error)

    found = timed_evaluation(timer_of(candidate), tasks=[TASK, other], checks=[TASK])

    assert found["score"] == 1.0
    assert {
        name: found["metrics"][name] for name in ("standard_error", "worst", "speed_up", "log2_the_same_again")
    } == {
        "standard_error": 0.0,
        "worst": 1.0,
        "speed_up": 2.0,
        "log2_the_same_again": 1.0,
    }
    assert "speed-up 2 (log2 +1.000" in found["artifacts"]["times"]


def test_a_wrong_check_fails_before_anything_is_timed() -> None:
    candidate = PlayedProgram(cycle([1.0]), nothing)

    found = timed_evaluation(timer_of(candidate), tasks=[TASK], checks=[TASK])

    assert found == {"failure": "wrong on doubling: the error is nan times the allowed one", "kind": "invalid"}
    assert len(candidate.inputs) == 1


def test_the_last_caches_size_is_read_and_twice_that_is_written(tmp_path: Path) -> None:
    assert last_level_bytes(tmp_path) == UNKNOWN_BYTES
    for number, size in enumerate(("32K", "2M", "?")):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}" / "size").write_text(f"{size}\n")
    assert last_level_bytes(tmp_path) == 2 << 20
    flush = CacheFlush(1 << 12)
    flush()
    assert flush.n_bytes == 1 << 12


def test_what_others_had_of_the_processors_is_told_where_the_machine_tells(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 1000 10 0 5 45 0 0\ncpu0 1 2 3\n")
    assert Moment.now(stat).busy_seconds == pytest.approx(2.0)
    assert Moment.now(tmp_path / "none").busy_seconds is None

    start, end = Moment(10.0, 100.0), Moment(20.0, 116.0)
    assert busy_elsewhere(start, end, own_seconds=6.0, n_processors=2) == pytest.approx(0.5)
    assert busy_elsewhere(start, end, own_seconds=90.0, n_processors=2) == 0.0
    assert busy_elsewhere(start, Moment(20.0, None), own_seconds=0.0, n_processors=2) is None
