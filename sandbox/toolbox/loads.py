"""Rings, stacks and covered curves: what the least routing loads, how far blocks reach, where points on a curve lie."""

from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import IntArray, Quantity, Walls

LARGEST_RING = 16
MOST_PARTS = 20


def ring_loading(m: int, cuts: str) -> Quantity:
    """The least largest load over all routings of `m` pairs (u, v); a vector holds all u, then all v.

    For each routing the load is the largest of linear functions, so that linearising it promises nothing too much:
    every step of a linear program is as good as it says.
    """
    if not 2 <= m <= LARGEST_RING:
        raise ValueError(f"m is {m}, expected a whole number from 2 to {LARGEST_RING}")
    is_up = ((np.arange(2**m)[:, None] >> np.arange(m)) & 1).astype(bool)
    n_cuts = m if cuts == "all" else m - 1
    signs = np.where(np.arange(m) < np.arange(1, m + 1)[:, None], 1.0, -1.0)[:n_cuts]

    def sums(x: FloatArray, which: IntArray | slice = slice(None)) -> FloatArray:
        return np.asarray(np.where(is_up[which], x[m:], -x[:m]) @ signs.T, np.float64)

    def slopes(x: FloatArray, which: IntArray) -> FloatArray:
        found = sums(x, which)
        cut = np.abs(found).argmax(1)
        rising = np.sign(found[np.arange(len(which)), cut])[:, None] * signs[cut]
        return np.column_stack([np.where(is_up[which], 0.0, -rising), np.where(is_up[which], rising, 0.0)])

    def inside(x: FloatArray) -> FloatArray:
        scale = np.maximum(x[:m] + x[m:], 1.0)
        return np.concatenate([x[:m] / scale, x[m:] / scale])

    def walls(x: FloatArray) -> Walls:
        return csr_array(np.hstack([np.eye(m), np.eye(m)])), np.maximum(1.0 - x[:m] - x[m:], 0.0)

    def start(rng: np.random.Generator) -> FloatArray:
        u = rng.random(m)
        return np.concatenate([u, 1.0 - u])

    return Quantity(
        low=0.0,
        high=1.0,
        start=start,
        terms=lambda x: np.abs(sums(x)).max(1),
        slopes=slopes,
        inside=inside,
        walls=walls,
        cost=2.0 ** (m - 15),
    )


def block_stacking(n: int) -> Quantity:
    """How far the top block reaches beyond the table's edge.

    A vector says how far the centre of the upper 1, 2, ..., n blocks lies beyond the centre of what is below them, the
    last one beyond the table's edge, where it may not be.
    """
    leverage = np.append(1.0 / np.arange(2, n + 1), 1.0)
    return Quantity(
        low=-0.5,
        high=np.append(np.full(n - 1, 0.5), 0.0),
        start=lambda rng: rng.uniform(-0.5, 0.5, n),
        terms=lambda x: np.array([leverage @ x + 0.5]),
        slopes=lambda *_: leverage[None, :],
    )


def block_centres(x: FloatArray) -> list[str]:
    """The centres of the blocks from the top one down, as fractions, with no rounding."""
    offsets = [Fraction(float(value)) for value in x]
    mean, centres = Fraction(0), [Fraction(0)]
    for count, offset in enumerate(offsets[:-1], 1):
        centres.append(mean - offset)
        mean += (centres[-1] - mean) / (count + 1)
    return [str(centre - mean + offsets[-1]) for centre in centres]


def edges_and_triangles(n: int) -> Quantity:
    """Minus the area under the curve through `n` graphs with the fewest triangles, less ten times a gap.

    A vector holds their edge densities; the triangles' are Razborov's (2008, https://doi.org/10.1017/S0963548308009085).
    """
    last = 1.0 - 1.0 / MOST_PARTS

    def curve(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        at = np.concatenate([[0.0], np.sort(x), [1.0]])
        height, slope = _fewest_triangles(at[1:-1])
        return at, np.concatenate([[0.0], height, [1.0]]), np.concatenate([[0.0], slope, [0.0]])

    def terms(x: FloatArray) -> FloatArray:
        at, height, _ = curve(x)
        width, rise = np.diff(at), np.diff(height)
        rising = np.clip(rise / 3.0, 0.0, width)
        area = (height[:-1] * width + 3.0 * rising * (width - 0.5 * rising)).sum()
        return np.asarray(-area - 10.0 * width, np.float64)

    def slopes(x: FloatArray, which: IntArray) -> FloatArray:
        at, height, slope = curve(x)
        width, rise = np.diff(at), np.diff(height)
        rising = np.clip(rise / 3.0, 0.0, width)
        free = rising < width
        by_rise = np.where(free, width - rising, 0.0)  # 3 (w - r) dr with dr = d(rise) / 3
        by_width = height[:-1] + np.where(free, 3.0 * rising, 3.0 * width)
        right, left = by_width + by_rise * slope[1:], -by_width + (width - by_rise) * slope[:-1]
        area = np.zeros(n + 2)
        area[1:] += right
        area[:-1] += left
        found = np.tile(-area, (len(which), 1))
        rows = np.arange(len(which))
        found[rows, which + 1] -= 10.0
        found[rows, which] += 10.0
        back = np.empty((len(which), n))
        back[:, np.argsort(x, kind="stable")] = found[:, 1:-1]
        return back

    def start(rng: np.random.Generator) -> FloatArray:
        sparse = min(9 + int(rng.integers(0, 3)), n // 2)
        return np.concatenate([np.linspace(0.05, 0.45, sparse), rng.uniform(0.48, last, n - sparse)])

    return Quantity(low=0.0, high=last, start=start, terms=terms, slopes=slopes, inside=np.sort)


def _parts(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """So many equal parts, and their weight; the rest is one smaller part."""
    count = np.floor(1.0 / (1.0 - x) + 1e-12)
    return count, (1.0 + np.sqrt(np.maximum(1.0 - (1.0 + 1.0 / count) * x, 0.0))) / (count + 1.0)


def _fewest_triangles(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    count, weight = _parts(x)
    rest = np.maximum(1.0 - count * weight, 0.0)
    height = 1.0 - 3.0 * (1.0 - x) + 2.0 * (count * weight**3 + rest**3)
    return height, 3.0 - 3.0 * (weight + rest)


def multipartite_weights(x: FloatArray) -> list[list[float]]:
    """Rows of weights: the graphs with these edge densities and the fewest triangles."""
    rows = []
    for density in x:
        count, weight = (float(value[0]) for value in _parts(np.array([density])))
        rest = 1.0 - count * weight
        rows.append([weight] * int(count) + ([rest] if rest > 0.0 and count < MOST_PARTS else []))
    return rows


def edge_densities(rows: list[list[float]]) -> FloatArray:
    """What `multipartite_weights` was made from."""
    return np.array([1.0 - (np.array(row) ** 2).sum() / sum(row) ** 2 for row in rows])
