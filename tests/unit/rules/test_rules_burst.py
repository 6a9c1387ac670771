"""Bursts of search with training, over programs that are a single number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from evolve.rules.burst import BurstLimits, BurstResult, Tools, burst
from sandbox.symbolic.program import Program

TARGET = 3.0
WORK = (0.1, 0.3, 1.0)
LIMITS = BurstLimits(work=30.0, n_rungs=3, n_children=4, n_together=6)


@dataclass(frozen=True)
class Seen:
    signature: str | None


@dataclass(frozen=True)
class Measured:
    value: float | None
    work: float
    parts: tuple[float, ...] = ()


def number(value: float) -> Program:
    return Program(name="update", inputs=("g",), constants=(value,), instructions=(), output=-1)


def nudged(members: Sequence[Program], place: int, rng: np.random.Generator) -> tuple[Program, tuple[int, ...]] | None:
    value = members[place].constants[0] + rng.normal()
    return (number(round(value, 2) + 0.0), (place,)) if rng.random() < 0.9 else None


def looked(program: Program) -> Seen:
    """Numbers below -100 are refused."""
    value = program.constants[0]
    return Seen(None if value < -100.0 else f"{value:.2f}")


def trained(programs: Sequence[Program], rung: int) -> list[Measured]:
    """The nearer to the target the better; what lies above 50 fails."""
    values = [program.constants[0] for program in programs]
    return [Measured(None if value > 50.0 else -abs(value - TARGET), WORK[rung]) for value in values]


TOOLS = Tools(vary=nudged, look=looked, train=trained)


def run(
    parents: Sequence[float] = (0.0, 10.0), known: Sequence[str] = (), limits: BurstLimits = LIMITS, seed: int = 1
) -> BurstResult:
    return burst([number(each) for each in parents], known, TOOLS, limits, np.random.default_rng(seed))


def test_a_burst_climbs_over_several_generations() -> None:
    # given / when
    best = run(parents=(7.0,)).children[0]

    # then
    assert abs(best.program.constants[0] - TARGET) < 1.5
    assert best.parents == (0,)


def test_a_burst_is_a_function_of_its_arguments() -> None:
    # given / when / then
    assert run(seed=5) == run(seed=5)
    assert run(seed=5) != run(seed=6)


def test_children_come_best_first_and_are_no_parents() -> None:
    # given / when
    result = run(parents=(TARGET, 0.0, 10.0))

    # then
    values = [child.value for child in result.children]
    assert values == sorted(values, reverse=True)
    assert number(TARGET) not in [child.program for child in result.children]
    assert len(result.children) <= LIMITS.n_children


def test_the_work_is_overrun_by_one_batch_at_most() -> None:
    # given / when
    result = run(limits=replace(LIMITS, work=7.0))

    # then
    assert 0.7 * 7.0 < result.work <= 7.0 + 2 * WORK[-1]


def test_even_with_little_work_somebody_reaches_the_last_rung() -> None:
    # given / when
    result = run(limits=replace(LIMITS, work=1.0, n_together=12))

    # then
    assert result.children
    assert result.counts.trained[-1] == 1


def test_fewer_are_trained_the_dearer_it_is() -> None:
    # given / when
    first, second, third = run().counts.trained

    # then
    assert first / 2 >= second > third > 0
    assert second / 2 >= third


def test_what_is_known_is_not_trained_again() -> None:
    # given
    everything = [f"{value / 100:.2f}" for value in range(-2000, 4000)]

    # when
    result = run(known=everything)

    # then: the parents were measured, nothing else was, and the burst gave up
    assert result.children == ()
    assert result.counts.trained == [2, 0, 0]
    assert result.counts.known > 100


@pytest.mark.parametrize("parents", [(-200.0,), (60.0,), ()])
def test_without_a_parent_that_trains_there_is_nothing_to_do(parents: tuple[float, ...]) -> None:
    # given / when
    result = run(parents=parents)

    # then
    assert result.children == ()
    assert result.counts.generated == 0


def test_children_that_fail_are_counted_and_never_returned() -> None:
    # given / when
    result = run(parents=(49.5,), limits=replace(LIMITS, work=60.0))

    # then
    assert result.counts.failed > 0
    assert all(child.program.constants[0] <= 50.0 for child in result.children)


def test_a_child_names_all_parents_it_descends_from() -> None:
    # given
    def mean(
        members: Sequence[Program], place: int, rng: np.random.Generator
    ) -> tuple[Program, tuple[int, ...]] | None:
        other = int(rng.integers(len(members)))
        value = (members[place].constants[0] + members[other].constants[0]) / 2 + 0.1 * rng.normal()
        return number(round(value, 2) + 0.0), (place, other)

    # when
    result = burst([number(0.0), number(10.0)], (), replace(TOOLS, vary=mean), LIMITS, np.random.default_rng(3))

    # then
    assert (0, 1) in [child.parents for child in result.children]
