"""Plain constructions for problems whose seed programs are searches of some seconds: right, quick and not good."""

from collections.abc import Callable, Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def spiral(n: int, d: int) -> Floats:
    """A sunflower in the plane, wound up a little in further dimensions."""
    k = np.arange(n) + 0.5
    points = np.zeros((n, d))
    points[:, 0] = np.sqrt(k) * np.cos(2.4 * k)
    points[:, 1] = np.sqrt(k) * np.sin(2.4 * k)
    points[:, 2:] = (k * 0.75 % 1.0)[:, None]
    return points


def fibonacci(n: int, d: int) -> Floats:
    """A spiral from pole to pole."""
    k = np.arange(n) + 0.5
    height = 1.0 - 2.0 * k / n
    points = np.zeros((n, d))
    points[:, 0] = np.sqrt(1.0 - height**2) * np.cos(2.399963 * k)
    points[:, 1] = np.sqrt(1.0 - height**2) * np.sin(2.399963 * k)
    points[:, 2:] = height[:, None]
    return points


def cloud(n: int) -> Floats:
    """Points on a parabola: no three are on a line."""
    x = (np.arange(n) + 0.5) / n
    return np.column_stack([x, x * x])


def in_triangle(n: int) -> Floats:
    """The same in the triangle u, v >= 0, u + v <= 1."""
    return 0.5 * cloud(n)


def grid_of_circles(n: int) -> Floats:
    """A circle in each cell of a grid."""
    side = int(np.ceil(np.sqrt(n)))
    k = np.arange(n)
    return np.column_stack([(k % side + 0.5) / side, (k // side + 0.5) / side, np.full(n, 0.5 / side)])


def falling(n: int, *_: Any) -> Floats:
    """Heights that fall as 1 / sqrt(x) does."""
    return 1.0 / np.sqrt((np.arange(min(n, 60)) + 0.5) / 60 + 0.05)


def plateau(n: int) -> Floats:
    """A plateau that falls off to both sides."""
    x = (np.arange(min(n, 50)) + 0.5) / 25 - 1.0
    return np.clip(0.9 - np.abs(x) ** 3, 0.0, 1.0)


def conway(n: int, *_: Any) -> list[int]:
    """Conway's set with more sums than differences."""
    return [number for number in (0, 2, 3, 4, 7, 11, 12, 14) if number < n]


def two_scales(_: int) -> list[int]:
    """0, ..., 9 and then every tenth number."""
    return [*range(10), *range(19, 109, 10)]


def star(n: int) -> list[list[int]]:
    """One vertex joined to all others."""
    return [[0, other] for other in range(1, n)]


def schoolbook(n: int, m: int, p: int, _: str) -> dict[str, list[list[int]]]:
    """One product for every pair of entries that meet."""
    places = list(product(range(n), range(m), range(p)))
    return {
        "u": [unit(n * m, i * m + j) for i, j, _ in places],
        "v": [unit(m * p, j * p + k) for _, j, k in places],
        "w": [unit(p * n, k * n + i) for i, _, k in places],
    }


def unit(size: int, place: int) -> list[int]:
    return [int(index == place) for index in range(size)]


def roots_of_d(d: int) -> list[list[int]]:
    """Vectors with two coordinates 1 or -1."""
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    pairs = [(i, j, a, b) for i, j in combinations(range(d), 2) for a, b in signs]
    return [[a if k == i else b if k == j else 0 for k in range(d)] for i, j, a, b in pairs]


PLAIN: Mapping[str, Callable[..., Any]] = {
    "autocorrelation_1": falling,
    "autocorrelation_2": falling,
    "autocorrelation_3": falling,
    "autocorrelation_3_absolute": falling,
    "autoconvolution_peak": falling,
    "circles_in_rectangle": grid_of_circles,
    "circles_in_square": grid_of_circles,
    "difference_basis": two_scales,
    "erdos_overlap": plateau,
    "girth_five": star,
    "heilbronn_convex": cloud,
    "heilbronn_square": cloud,
    "heilbronn_triangle": in_triangle,
    "kissing": roots_of_d,
    "matrix_multiplication": schoolbook,
    "minmax_distance_ratio": spiral,
    "more_sums_than_differences": conway,
    "spherical_code": fibonacci,
    "sum_difference_one": conway,
    "tammes": fibonacci,
    "thomson": fibonacci,
}
