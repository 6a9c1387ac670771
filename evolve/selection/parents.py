"""Chooses islands, parents and inspirations. Pure functions of the archive and the random stream they are given."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from archive.candidate import Candidate
from archive.contract import Archive, Elite, Values

EXPLOITATION = 0.25
"""The share of parents that come from the best by score, whatever their cell."""

N_TOP = 8
"""How many count as the best."""

MOST_PARENTS = 512
"""How many parents an operator that reads the whole archive is given at most."""

_TRIES_A_PARENT = 8
_SAMPLED_A_CHOICE = 4

T = TypeVar("T")


def choose_island(iteration: int, n_islands: int) -> int:
    """The island of an iteration: they take turns."""
    if n_islands < 1:
        raise ValueError(f"there must be at least one island, got {n_islands}")
    return iteration % n_islands


def choose_parents(
    archive: Archive, n: int, rng: np.random.Generator, *, exploitation: float = EXPLOITATION
) -> list[Candidate]:
    """`n` parents, different ones as long as the archive holds enough; among fewer, some come again.

    Each comes with probability `exploitation` from the `N_TOP` best by score, else from a cell drawn uniformly among
    the occupied ones, so that rare kinds breed as often as common ones. Within either, the k-th best has weight 1/k.

    Raises:
        ValueError: the archive is empty.
    """
    if n < 1:
        return []
    occupied = archive.occupied()
    if not len(occupied):
        raise ValueError("an empty archive has no parents: offer it the seed program first")
    top = archive.top(N_TOP)
    chosen: list[Candidate] = []
    for _ in range(n):
        drawn = _draw(archive, occupied, top, rng, exploitation)
        for _ in range(_TRIES_A_PARENT):
            if not _is_among(drawn, chosen):
                break
            drawn = _draw(archive, occupied, top, rng, exploitation)
        else:
            drawn = next(
                (elite.candidate for elite in archive.elites() if not _is_among(elite.candidate, chosen)), drawn
            )
        chosen.append(drawn)
    return chosen


def everyone(archive: Archive, limit: int = MOST_PARENTS) -> list[Candidate]:
    """All candidates that the archive holds, the best of each cell first; at most `limit`."""
    first: dict[tuple[int, str], Candidate] = {}
    for elite in sorted(archive.elites(), key=lambda elite: (elite.rank, elite.cell)):
        first.setdefault((elite.candidate.id, elite.candidate.fingerprint), elite.candidate)
    return list(first.values())[:limit]


def _draw(
    archive: Archive,
    occupied: Sequence[int] | np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    top: Sequence[Elite],
    rng: np.random.Generator,
    exploitation: float,
) -> Candidate:
    if rng.random() < exploitation:
        return _by_rank(top, rng).candidate
    cell = int(occupied[int(rng.integers(len(occupied)))])
    return _by_rank(archive.elites_in(cell), rng).candidate


def _by_rank(ranked: Sequence[T], rng: np.random.Generator) -> T:
    """One of a list, best first: the k-th has weight 1/k."""
    point = rng.random()
    if len(ranked) == 1:
        return ranked[0]  # most cells hold one
    sums = np.cumsum(1.0 / np.arange(1, len(ranked) + 1))
    return ranked[min(int(np.searchsorted(sums, point * sums[-1], side="right")), len(ranked) - 1)]


def _is_among(candidate: Candidate, others: Sequence[Candidate]) -> bool:
    return any(candidate.id == other.id and candidate.fingerprint == other.fingerprint for other in others)


def choose_inspirations(
    archive: Archive, parents: Sequence[Candidate], n: int, rng: np.random.Generator
) -> list[Candidate]:
    """At most `n` candidates that are no parents, spread out, from cells that hold no parent if there are any.

    A few times `n` cells are drawn. The first stays, then always the one whose descriptor is farthest from those that
    stay; number axes are scaled to the range drawn, categories are equal or not.
    """
    occupied = archive.occupied()
    if n < 1 or not len(occupied):
        return []
    others: list[Elite] = []
    for place in rng.permutation(len(occupied)).tolist():
        held = archive.elites_in(int(occupied[place]))
        if not any(_is_among(elite.candidate, parents) for elite in held):
            others.append(_by_rank(held, rng))
            if len(others) == _SAMPLED_A_CHOICE * n:
                break
    others = _different(others)
    if not others:
        return [elite.candidate for elite in archive.top(n + len(parents)) if not _is_among(elite.candidate, parents)][
            :n
        ]
    return [elite.candidate for elite in _spread(others, n)]


def _different(elites: Sequence[Elite]) -> list[Elite]:
    """Each candidate once, though it may live in several cells."""
    first = {(elite.candidate.id, elite.candidate.fingerprint): elite for elite in reversed(elites)}
    return [elite for elite in elites if first[elite.candidate.id, elite.candidate.fingerprint] is elite]


def _spread(elites: Sequence[Elite], n: int) -> list[Elite]:
    """Farthest-first traversal: start with the first, then always the one farthest from all before."""
    gaps = _distances([elite.descriptor for elite in elites])
    chosen = [0]
    nearest = gaps[0].copy()
    while len(chosen) < min(n, len(elites)):
        nearest[chosen] = -1.0
        place = int(np.argmax(nearest))
        chosen.append(place)
        nearest = np.minimum(nearest, gaps[place])
    return [elites[place] for place in chosen]


def _distances(descriptors: Sequence[Values]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    total = np.zeros((len(descriptors), len(descriptors)))
    for column in zip(*descriptors, strict=True):
        if isinstance(column[0], str):
            names = np.array(column, dtype=object)
            total += (names[:, None] != names).astype(np.float64)
            continue
        values = np.array(column, dtype=np.float64)
        largest = float(np.abs(values).max())
        values = values / largest if largest > 0.0 else values
        width = float(values.max() - values.min())
        if width > 0.0:
            total += np.square((values[:, None] - values) / width)
    return total
