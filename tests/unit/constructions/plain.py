"""Plain constructions for problems whose seed programs are searches of some seconds: right, quick and not good."""

from collections.abc import Callable, Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.unit.constructions.plain_sets import PLAIN_SETS

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


def staircase(n: int) -> Floats:
    """Blocks, each a little farther out than the one below."""
    step = 0.5 / n
    return np.asarray(step * (n - 1 - np.arange(n)) - 0.5 * step * (n - 1), np.float64)


def equal_parts(_: int) -> list[list[float]]:
    """Multipartite graphs with equal parts, in growing number."""
    return [[1.0] * k for k in range(2, 21)]


def honeycomb(n: int) -> dict[str, Any]:
    """The cells of a honeycomb that are nearest to a point."""
    i, j = np.meshgrid(np.arange(-5, 6), np.arange(-5, 6))
    x = 1.5 * i.ravel()
    y = 3.0**0.5 * (j + i / 2).ravel()
    order = np.argsort((x - 0.3) ** 2 + (y - 0.2) ** 2, kind="stable")[:n]
    inner = np.column_stack([x[order], y[order], np.zeros(n)])
    return {"inner": inner, "outer": [float(x[order].mean()), float(y[order].mean()), 30.0]}


def through_one_line(n: int, _: str) -> Floats:
    """Thin triangles that meet at half of the height."""
    return -0.5 * np.arange(n) / n


def grid_of_squares(n: int) -> Floats:
    """A square in each cell of a grid."""
    side = int(np.ceil(np.sqrt(n)))
    k = np.arange(n)
    return np.column_stack(
        [(k % side + 0.5) / side, (k // side + 0.5) / side, np.full(n, 1 / side), k * 0 + 1.0, k * 0.0]
    )


def ball_spiral(n: int) -> Floats:
    """A spiral from pole to pole."""
    return fibonacci(n, 3)


def low_middle(n: int, m: int) -> Floats:
    """A low block of length 2 with high ends."""
    heights = np.ones(min(n, 2 * m))
    heights[: m // 4] = 2.0
    heights[-(m // 4) :] = 2.0
    return heights


def tent(_: int) -> Floats:
    """A tent of 41 values."""
    return np.asarray(21.0 - np.abs(np.arange(41) - 20.0), np.float64)


def two_blocks(_: int) -> dict[str, Floats]:
    """A block and a shorter block."""
    return {"f": np.ones(20), "g": np.ones(10)}


def one_on_the_rim(n: int) -> Floats:
    """Points of a smaller circle, and one on the rim of the unit disk."""
    angle = 2.0 * np.pi * np.arange(n) / n
    radius = np.where(np.arange(n) == 0, 1.0, 0.7)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def weighed(n: int) -> dict[str, Any]:
    """The same; the one on the rim weighs most."""
    return {"zeros": one_on_the_rim(n), "weights": [3.0] + [1.0] * (n - 1)}


def falling_coefficients(n: int) -> list[list[float]]:
    """Coefficients that become small."""
    return [[0.3**k, 0.1**k] for k in range(2, n + 1)]


def squares_of_roots(n: int) -> list[float]:
    """Roots that grow like squares."""
    return [3.6 + 2.0 * k + 1.5 * k * k for k in range(n)]


def falling_hermite(n: int) -> list[float]:
    """Falling coefficients of one sign."""
    return [0.3 * 0.01**k for k in range(n)]


def three_points(_: int, __: str) -> list[list[float]]:
    """Three points of equal mass."""
    return [[0, 1, 1.0], [1, 0, 1.0], [2, 2, 1.0]]


def alternating(m: int, _: str) -> Floats:
    """Pairs that add up to 1, alternately large and small."""
    u = 0.5 + 0.2 * np.cos(2.0 * np.arange(m))
    return np.column_stack([u, 1.0 - u])


def two_masses(_: int) -> list[list[float]]:
    """Two equal masses that help each other."""
    return [[0.0, 1.0], [1.5, 1.0]]


def three_parts(_: int) -> dict[str, Any]:
    """One vertex from each of three parts."""
    return {"weights": [1, 1, 1], "triples": [[0, 1, 2]]}


PLAIN: Mapping[str, Callable[..., Any]] = {
    "arithmetic_kakeya": three_points,
    "autoconvolution_peak": falling,
    "autocorrelation_1": falling,
    "autocorrelation_2": falling,
    "autocorrelation_3": falling,
    "autocorrelation_3_absolute": falling,
    "autocorrelation_least": low_middle,
    "block_stacking": staircase,
    "circles_in_rectangle": grid_of_circles,
    "circles_in_square": grid_of_circles,
    "difference_basis": two_scales,
    "edges_and_triangles": equal_parts,
    "erdos_overlap": plateau,
    "gagliardo_nirenberg": tent,
    "girth_five": star,
    "heilbronn_convex": cloud,
    "heilbronn_square": cloud,
    "heilbronn_triangle": in_triangle,
    "hexagons_in_hexagon": honeycomb,
    "kakeya_needle": through_one_line,
    "kissing": roots_of_d,
    "matrix_multiplication": schoolbook,
    "maximal_function": two_masses,
    "minmax_distance_ratio": spiral,
    "more_sums_than_differences": conway,
    "polyhedron_volume": ball_spiral,
    "ring_loading": alternating,
    "schmeisser": weighed,
    "sendov": one_on_the_rim,
    "smale": falling_coefficients,
    "spherical_code": fibonacci,
    "squares_in_square": grid_of_squares,
    "sum_difference_one": conway,
    "tammes": fibonacci,
    "thomson": fibonacci,
    "turan_tetrahedron": three_parts,
    "uncertainty_hermite": falling_hermite,
    "uncertainty_laguerre": squares_of_roots,
    "young_convolution": two_blocks,
    **PLAIN_SETS,
}
