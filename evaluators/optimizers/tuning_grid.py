"""Learning rates on one global grid, so that what a cheap rung trained serves the dearer ones.

A rate is an integer `index`: 8 to the octave, neighbours differ by 9 %. That is finer than any optimum is sharp.
"""

import math
from collections.abc import Mapping, Sequence

PER_OCTAVE = 8
LOWEST, HIGHEST = -40 * PER_OCTAVE, 40 * PER_OCTAVE


def learning_rate(index: int) -> float:
    """The rate with this index."""
    return float(2.0 ** (index / PER_OCTAVE))


def nearest_index(rate: float) -> int:
    """The index of the nearest rate of the grid; rates outside of 2^-40 .. 2^40 are moved to its ends."""
    if not rate > 0.0:
        return LOWEST
    return max(LOWEST, min(HIGHEST, round(PER_OCTAVE * math.log2(rate)))) if math.isfinite(rate) else HIGHEST


def stride_of(ratio: float) -> int:
    """How many indexes lie between neighbours whose rates have this ratio."""
    return max(1, round(PER_OCTAVE * math.log2(ratio)))


def around(center: int, *, n: int, stride: int) -> tuple[int, ...]:
    """The `n` indexes around a centre, in ascending order; with an even `n` one more lies above it."""
    return tuple(center + stride * (place - (n - 1) // 2) for place in range(n))


def best_of(values: Mapping[int, float]) -> int:
    """The index with the smallest value; among equals the smallest rate, which is the safest."""
    return min(values, key=lambda index: (values[index], index))


def beyond(values: Mapping[int, float], *, n: int, stride: int) -> tuple[int, ...]:
    """Where to look next if the best of a grid lies at its edge; empty if it lies inside.

    A grid on which all is equal (nothing was learned, or all diverged) has its best at the lower edge.
    """
    best = best_of(values)
    if best == min(values):
        return tuple(best - stride * place for place in range(n, 0, -1))
    if best == max(values):
        return tuple(best + stride * place for place in range(1, n + 1))
    return ()


def vertex(values: Mapping[int, float]) -> int:
    """The index at the minimum of the parabola through the best value and its neighbours; see `valley`."""
    return valley(values)[0]


def valley(values: Mapping[int, float]) -> tuple[int, float]:
    """Where the parabola through the best value and its neighbours is lowest, and how far below the best value.

    The parabola is one in the log of the rate. A neighbour beyond a cliff (a diverged run) would push the minimum away
    from it however high the cliff is, so the rises on both sides count as at most ten to one.
    """
    ordered = sorted(values)
    place = ordered.index(best_of(values))
    if place in (0, len(ordered) - 1):
        return ordered[place], 0.0
    left, middle, right = ordered[place - 1 : place + 2]
    before, after = middle - left, right - middle
    down, up = values[left] - values[middle], values[right] - values[middle]
    if not 0.0 < down + up < math.inf:
        return middle, 0.0
    limit = max(10.0 * min(down, up), 1e-12)
    down, up = min(down, limit), min(up, limit)
    slopes = down / before + up / after
    shift = 0.5 * (down * after / before - up * before / after) / slopes
    depth = slopes / (before + after) * shift * shift
    return max(left, min(right, middle + round(shift))), depth


def smoothed(indexes: Sequence[int], places: Sequence[float]) -> tuple[int, ...]:
    """Tuned indexes along horizons, smoothed by a straight line: one horizon's optimum is known to a factor of 1.3."""
    n = len(indexes)
    if n < 3:
        return tuple(indexes)
    x_mean, y_mean = sum(places) / n, sum(indexes) / n
    spread = sum((x - x_mean) ** 2 for x in places)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(places, indexes, strict=True)) / spread
    return tuple(round(y_mean + slope * (x - x_mean)) for x in places)
