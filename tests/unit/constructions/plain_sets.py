"""Plain sets, signs and tilings for problems whose seed programs are searches of some seconds."""

from collections.abc import Callable, Mapping
from itertools import combinations, product
from typing import Any

import numpy as np


def parabola(n: int) -> list[list[int]]:
    """Points of a parabola modulo n, those with no three in line."""
    kept: list[tuple[int, int]] = []
    for x in range(n):
        point = (x, x * x % n)
        if all((x - u) * (t - v) != (point[1] - v) * (s - u) for (u, v), (s, t) in combinations(kept, 2)):
            kept.append(point)
    return [list(point) for point in kept]


def doubled(n: int) -> list[list[int]]:
    """Points of the lowest row, as far apart as powers of two."""
    return [[0, 1 << k] for k in range(n.bit_length() - 1)]


def corner_and_axes(n: int) -> list[list[int]]:
    """A corner of the grid, its neighbours and a point far away."""
    return [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [n - 1, n - 2, n - 4]]


def convex_chain(k: int) -> list[list[int]]:
    """k - 1 points of a parabola."""
    return [[x, x * x] for x in range(k - 1)]


def lines_through_squares(p: int, d: int) -> list[list[int]]:
    """For every direction v the line through the squares of its coordinates."""
    points = set()
    for v in product(range(p), repeat=d):
        if any(v) and next(x for x in v if x) == 1:
            points |= {tuple((x * x + t * x) % p for x in v) for t in range(p)}
    return [list(point) for point in sorted(points)]


def without_a_plane(p: int, d: int) -> list[list[int]]:
    """All points whose first coordinate is not zero, and one line of the others."""
    return [list(x) for x in product(range(p), repeat=d) if x[0] or not any(x[2:])]


def even_words(n: int, d: int) -> list[list[int]]:
    """All words over 0, 2, 4, ... without the last letter, which is next to the first."""
    return [list(word) for word in product(range(0, n - 1, 2), repeat=d)]


def sevens(n: int) -> list[int]:
    """The multiples of 25, plus 7, up to half of the range."""
    return list(range(7, n // 2, 25))


def beside_the_diagonal(n: int) -> list[list[int]]:
    """In every row a rectangle to the left of the diagonal and one to the right."""
    return [[k, 0, k + 1, k] for k in range(1, n)] + [[k, k + 1, k + 1, n] for k in range(n - 1)]


def two_kinds(n: int) -> list[list[float]]:
    """Two kinds of vertices that prefer the other kind."""
    kind = np.arange(n) % 2
    found: list[list[float]] = np.where(kind[:, None] == kind, 0.25, 0.75).tolist()
    return found


def residues_of_65(_: int) -> dict[str, Any]:
    """The first residues modulo 65 that fit."""
    squares = {x * x % 65 for x in range(65)}
    residues: list[int] = []
    for r in range(65):
        if all((r - s) % 65 not in squares for s in residues):
            residues.append(r)
    return {"m": 65, "residues": residues}


def chirp(n: int, *_: Any) -> list[int]:
    """The signs of a quadratic phase."""
    k = np.arange(n)
    found: list[int] = np.where(np.cos(np.pi * k * k / n) >= 0, 1, -1).tolist()
    return found


PLAIN_SETS: Mapping[str, Callable[..., Any]] = {
    "cycle_power_independent": even_words,
    "flat_polynomial": chirp,
    "happy_ending": convex_chain,
    "kakeya_finite_field": lines_through_squares,
    "littlewood_polynomial": chirp,
    "merit_factor": chirp,
    "nikodym_finite_field": without_a_plane,
    "no_five_on_a_sphere": corner_and_axes,
    "no_isosceles": doubled,
    "no_squarefree_products": sevens,
    "no_three_in_line": parabola,
    "rectangle_tiling": beside_the_diagonal,
    "sidorenko": two_kinds,
    "square_free_differences": residues_of_65,
}
