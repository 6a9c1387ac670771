"""Sets in finite fields and their spaces: Kakeya and Nikodym sets, sums and products."""

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import fmpq

from evaluators.constructions import reading
from evaluators.constructions.pictures import numbers_picture, points_picture
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_fields.py"
LARGEST = 1 << 16  # points of a space

Table = npt.NDArray[np.bool_]


def _space(data: Any, p: int, d: int) -> tuple[list[tuple[int, ...]], Table]:
    """The points of a set, and a table of the whole space."""
    require_prime(p)
    if p**d > LARGEST:
        raise RejectedError(f"the space has {p**d} points, at most {LARGEST} are looked through")
    points = reading.whole_points(data, "the set of points", dimension=d, most=p**d, low=0, high=p - 1)
    reading.distinct(points, "the set of points")
    table = np.zeros((p,) * d, dtype=bool)
    for point in points:
        table[point] = True
    return points, table


def require_prime(p: int) -> None:
    """Refuse a field of p elements where p is no prime."""
    if p < 2 or any(p % k == 0 for k in range(2, int(p**0.5) + 1)):
        raise RejectedError(f"{p} is no prime")


def directions(p: int, d: int) -> list[tuple[int, ...]]:
    """Every direction once: the first coordinate that is not 0 is 1."""
    return [v for v in product(range(p), repeat=d) if any(v) and next(x for x in v if x) == 1]


def _shifted(table: Table, step: tuple[int, ...], times: int) -> Table:
    return np.roll(table, [-times * x for x in step], axis=tuple(range(table.ndim)))


def kakeya(data: Any, parameters: Parameters) -> Measured:
    """The size of a set in F_p^d that holds a line in every direction."""
    p, d = int(parameters["p"]), int(parameters["d"])
    points, table = _space(data, p, d)
    for step in directions(p, d):
        lines = table.copy()
        for times in range(1, p):
            lines &= _shifted(table, step, times)
        if not lines.any():
            raise RejectedError(f"there is no line in the direction {list(step)}")
    return _counted(points, p, d)


def nikodym(data: Any, parameters: Parameters) -> Measured:
    """The size of a set in F_p^d so that every point of the space is on a line whose other points are in the set."""
    p, d = int(parameters["p"]), int(parameters["d"])
    points, table = _space(data, p, d)
    reached = np.zeros_like(table)
    for step in directions(p, d):
        others = np.ones_like(table)
        for times in range(1, p):
            others &= _shifted(table, step, times)
        reached |= others
    if not reached.all():
        bad = [int(x) for x in np.argwhere(~reached)[0]]
        raise RejectedError(f"no line through the point {bad} has all its other points in the set")
    return _counted(points, p, d)


def _counted(points: list[tuple[int, ...]], p: int, d: int) -> Measured:
    return Measured(
        value=fmpq(len(points)),
        construction=[list(point) for point in sorted(points)],
        details={"density": len(points) / p**d},
        picture=points_picture(_title(len(points), d), [_in_layers(point, p) for point in points]),
    )


def _in_layers(point: tuple[int, ...], p: int) -> list[int]:
    """The place of a point in a picture: the third coordinate shifts it to the right, the fourth upwards, and so on."""
    place = [0, 0]
    for index, value in enumerate(point):
        place[index % 2] += value * (p + 1) ** (index // 2)
    return place


def _title(n_points: int, d: int) -> str:
    return f"{n_points} points" + (", a square for each value of the further coordinates" if d > 2 else "")


def sum_product(data: Any, parameters: Parameters) -> Measured:
    """The larger of |A + A| and |A A| for n nonzero elements of F_p."""
    p, n = int(parameters["p"]), int(parameters["n"])
    require_prime(p)
    numbers = reading.wholes(data, "the set", count=n, low=1, high=p - 1)
    reading.distinct(numbers, "the set")
    sums = {(a + b) % p for a in numbers for b in numbers}
    products = {a * b % p for a in numbers for b in numbers}
    return Measured(
        value=fmpq(max(len(sums), len(products))),
        construction=sorted(numbers),
        details={"sums": float(len(sums)), "products": float(len(products))},
        picture=numbers_picture(f"{n} elements", numbers),
    )


_P, _D = Whole(name="p", low=2, high=251), Whole(name="d", low=2, high=6)

VERIFIERS = (
    Verifier(
        name="kakeya",
        quantity="number of points",
        direction="min",
        checker=CHECKER,
        measure=kakeya,
        parameters=(_P, _D),
    ),
    Verifier(
        name="nikodym",
        quantity="number of points",
        direction="min",
        checker=CHECKER,
        measure=nikodym,
        parameters=(_P, _D),
    ),
    Verifier(
        name="sum_product",
        quantity="larger of the numbers of sums and of products",
        direction="min",
        checker=CHECKER,
        measure=sum_product,
        parameters=(Whole(name="p", low=5, high=1_000_003), Whole(name="n", low=2, high=1000)),
    ),
)
