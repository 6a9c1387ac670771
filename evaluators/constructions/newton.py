"""Proofs that a system of equations has an exact solution near an approximate one (Krawczyk 1969).

With F of n equations in n unknowns, a box X around x, and any matrix C: if x - C F(x) + (1 - C F'(X)) (X - x) lies in
the inside of X, there is exactly one solution in X.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from flint import arb, arb_mat, fmpq

from evaluators.constructions.balls import working

Floats = npt.NDArray[np.float64]
# The values of all equations and their derivatives by all unknowns, at a point or over a box.
System = Callable[[Sequence[arb]], tuple[list[arb], list[list[arb]]]]

BITS = 200
STEPS = 8
RADIUS = 2.0**-90
GRID = 1 << 80


def chosen_unknowns(jacobian: Floats) -> list[int]:
    """As many columns as there are rows, as independent as elimination with full pivoting finds them."""
    rest = jacobian.copy()
    chosen: list[int] = []
    for _ in range(len(rest)):
        row, column = np.unravel_index(int(np.abs(rest).argmax()), rest.shape)
        pivot = rest[row, column]
        if not abs(pivot) > 1e-9 * max(1.0, float(np.abs(jacobian).max())):
            return []
        rest = rest - np.outer(rest[:, column], rest[row]) / pivot
        rest[row] = 0.0
        rest[:, column] = 0.0
        chosen.append(int(column))
    return sorted(chosen)


def proved_solution(system: System, start: Sequence[fmpq]) -> list[fmpq] | None:
    """Numbers within 2^-79 of an exact solution, or None where none could be proved.

    Where there are more unknowns than equations, the others keep their values. Rational text of the answer is short,
    and starting from it gives the same answer.
    """
    with working(bits=BITS):
        point = [arb(value) for value in start]
        _, slopes = system(point)
        rough = np.array([[float(entry.mid()) for entry in row] for row in slopes])
        if rough.ndim != 2 or len(rough) > rough.shape[1] or not np.isfinite(rough).all():
            return None
        free = chosen_unknowns(rough)
        if len(free) < len(rough):
            return None
        box = _refined(system, point, free)
        if box is None:
            return None
        moved = {index: fmpq(int((fmpq_of(box[index]) * GRID + fmpq(1, 2)).floor()), GRID) for index in free}
        return [moved.get(index, value) for index, value in enumerate(start)]


def fmpq_of(ball: arb) -> fmpq:
    """The middle of a ball."""
    mantissa, exponent = ball.mid().man_exp()
    return fmpq(mantissa) * fmpq(2) ** int(exponent)


def _refined(system: System, point: list[arb], free: list[int]) -> list[arb] | None:
    """Newton's method, and then Krawczyk's test."""
    try:
        for _ in range(STEPS):
            values, slopes = system(point)
            step = _restricted(slopes, free).solve(arb_mat([[value] for value in values]))
            for row, index in enumerate(free):
                point[index] = (point[index] - step[row, 0]).mid()
        return _tested(system, point, free)
    except (ZeroDivisionError, ValueError):
        return None


def _restricted(slopes: Sequence[Sequence[arb]], free: Sequence[int]) -> arb_mat:
    return arb_mat([[row[index] for index in free] for row in slopes])


def _tested(system: System, point: list[arb], free: list[int]) -> list[arb] | None:
    values, slopes = system(point)
    inverse = _restricted(slopes, free).inv().mid()
    box = list(point)
    for index in free:
        box[index] = arb(point[index], RADIUS * max(1.0, abs(float(point[index]))))
    _, around = system(box)
    n = len(free)
    identity = arb_mat([[int(i == j) for j in range(n)] for i in range(n)])
    spread = arb_mat([[box[index] - point[index]] for index in free])
    image = (identity - inverse * _restricted(around, free)) * spread - inverse * arb_mat([[v] for v in values])
    for row, index in enumerate(free):
        if not box[index].contains_interior(point[index] + image[row, 0]):
            return None
    return box
