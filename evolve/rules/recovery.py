"""The recovery test: find a hidden update rule again when only its trajectory is given.

A test of search engines that needs no training: a program's fitness is how alike its updates on the probe's gradients
are to the hidden rule's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evolve.rules.engine import Fitness, Search, SearchResult, SearchSettings, SearchStatistics
from evolve.rules.moves import Moves, MoveSettings
from evolve.rules.probe import Look, Probe, ProbeSettings
from evolve.rules.tidy import simplified
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

Array = NDArray[np.float64]
Measure = Callable[[Array, Array], float]

NEGLIGIBLE: Final = 1e-4
"""Statements and digits that change the likeness by less are left out of what is shown."""


def likeness(update: Array, target: Array) -> float:
    """The mean over the steps of the cosine between two updates [steps, coordinates]: 1 for equal directions."""
    return _mean_cosine(update, target, axis=1)


def full_likeness(update: Array, target: Array) -> float:
    """The smaller one of the mean cosine over the steps and over the coordinates.

    1 only for rules that are equal up to one factor: the second also tells rules apart that differ by a factor that
    changes in time or by what they do to coordinates with small gradients.
    """
    return min(_mean_cosine(update, target, axis=1), _mean_cosine(update, target, axis=0))


def _mean_cosine(update: Array, target: Array, *, axis: int) -> float:
    a, b = _unit(update, axis), _unit(target, axis)
    return float(np.mean(np.sum(a * b, axis=axis)))


def _unit(values: Array, axis: int) -> Array:
    largest = np.max(np.abs(values), axis=axis, keepdims=True)
    scaled = values / np.where(largest > 0.0, largest, 1.0)
    length = np.sqrt(np.sum(np.square(scaled), axis=axis, keepdims=True))
    return np.asarray(scaled / np.where(length > 0.0, length, 1.0))


def likeness_to(target: Array, *, is_full: bool) -> Fitness:
    """The fitness of the recovery test."""
    measure = _measure(is_full=is_full)

    def fitness(_: Sequence[Program], looks: Sequence[Look]) -> list[float | None]:
        return [None if look.update is None else measure(look.update, target) for look in looks]

    return fitness


def _measure(*, is_full: bool) -> Measure:
    return full_likeness if is_full else likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverySettings:
    """How a hidden rule is searched for: `is_full` says which likeness is the fitness."""

    search: SearchSettings
    moves: MoveSettings
    is_full: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What became of one hidden rule.

    `likeness` is that of the best program of the search; `program` is what is left of it without statements and digits
    that made it no more alike, `likeness_elsewhere` its likeness, by the same measure, on a longer stream that the
    search never saw. `n_programs` were made until the best was found.
    """

    program: Program
    likeness: float
    likeness_elsewhere: float
    n_programs: int
    statistics: SearchStatistics


def recover(
    hidden: Program, start: Program, vocabulary: Vocabulary, settings: RecoverySettings, *, rng_seed: int
) -> Recovery:
    """Search for a program that does what the hidden rule did, from the program `start`.

    Raises:
        ValueError: the hidden rule makes no updates.
    """
    probe = Probe(vocabulary)
    target = probe.look(hidden)
    if target.update is None:
        raise ValueError(f"the hidden rule makes no updates ({target.refusal}): hide another one")
    search = Search(
        likeness_to(target.update, is_full=settings.is_full),
        moves=Moves(vocabulary, (), settings.moves),
        probe=probe,
        settings=settings.search,
        rng=np.random.default_rng([rng_seed, 916]),
    )
    search.start([start])
    result = search.run()
    measure = _measure(is_full=settings.is_full)
    program = _readable(result, probe, target.update, measure)
    elsewhere = Probe(vocabulary, ProbeSettings(rng_seed=1, n_steps=256))
    found, wanted = elsewhere.look(program).update, elsewhere.look(hidden).update
    return Recovery(
        program=program,
        likeness=result.fitness,
        likeness_elsewhere=0.0 if found is None or wanted is None else measure(found, wanted),
        n_programs=result.found_at,
        statistics=result.statistics,
    )


def _readable(result: SearchResult, probe: Probe, target: Array, measure: Measure) -> Program:
    """The best program without what makes it no more alike."""
    best = probe.look(result.best).update
    least = -1.0 if best is None else measure(best, target) - NEGLIGIBLE

    def is_good(look: Look) -> bool:
        return look.update is not None and measure(look.update, target) >= least

    return simplified(result.best, probe, is_good)
