"""Masses on a line: how long their centred maximal function is above 1."""

import numpy as np

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import Quantity


def maximal_function(n: int) -> Quantity:
    """The length of the set where the maximal function of `n` masses is above 1, over the total mass.

    A vector holds the gaps before the places, then the masses. The length is linear wherever the same ends of intervals
    bound the set.
    """
    first, last = np.triu_indices(n)

    def measured(x: FloatArray) -> tuple[float, FloatArray]:
        places, masses = np.cumsum(x[:n]), x[n:]
        sums = np.append(0.0, np.cumsum(masses))
        mass = sums[last + 1] - sums[first]
        covered = places[last] - places[first] < mass
        i, j, half = first[covered], last[covered], 0.5 * mass[covered]
        low, high = places[j] - half, places[i] + half
        order = np.argsort(low, kind="stable")
        low, high, i, j = low[order], high[order], i[order], j[order]
        reach = np.maximum.accumulate(high)
        starts = np.append(True, low[1:] > reach[:-1])
        ends = np.flatnonzero(np.append(starts[1:], True))
        widest = np.maximum.accumulate(np.where(high >= reach, np.arange(len(high)), 0))[ends]
        begins = np.flatnonzero(starts)
        by_place, by_sum = np.zeros(n), np.zeros(n + 1)
        np.add.at(by_place, i[widest], 1.0)
        np.add.at(by_place, j[begins], -1.0)
        for chosen in (widest, begins):
            np.add.at(by_sum, j[chosen] + 1, 0.5)
            np.add.at(by_sum, i[chosen], -0.5)
        length, total = float((high[widest] - low[begins]).sum()), max(float(sums[-1]), 1e-12)
        by_mass = np.cumsum(by_sum[::-1])[::-1][1:] - length / total
        return length / total, np.concatenate([np.cumsum(by_place[::-1])[::-1], by_mass]) / total

    def start(rng: np.random.Generator) -> FloatArray:
        return np.concatenate([rng.uniform(0.5, 1.5, n), rng.uniform(0.5, 1.0, n)])

    return Quantity(
        low=np.append(np.zeros(n), np.full(n, 1e-3)),
        high=np.append(np.full(n, 4.0), np.full(n, 2.0)),
        start=start,
        terms=lambda x: np.array([measured(x)[0]]),
        slopes=lambda x, _: measured(x)[1][None, :],
        cost=0.02 * (n / 60.0) ** 2,
    )


def mass_rows(x: FloatArray) -> list[list[float]]:
    """Rows of a place and a mass."""
    n = len(x) // 2
    return [[float(place), float(mass)] for place, mass in zip(np.cumsum(x[:n]), x[n:], strict=True)]


def mass_vector(rows: list[list[float]]) -> FloatArray:
    """What `mass_rows` was made from."""
    places, masses = np.array(rows).T
    return np.concatenate([np.diff(places, prepend=0.0), masses])
