"""Lines in space at one distance from each other: the axes of unit cylinders that all touch."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import squared
from evaluators.constructions.distances import dot, text_rows
from evaluators.constructions.newton import proved_solution
from evaluators.constructions.pictures import float_of, points_picture
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_existence.py"
SMALLEST = 1e-250  # of squares: what floats can still divide by
NEAR = fmpq(1, 10**4)  # where it is worth while to look for an exact solution


def cross(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    """The vector product; of balls as well as of exact numbers."""
    (a, b, c), (d, e, f) = one, other
    return [b * f - c * e, c * d - a * f, a * e - b * d]


def touching_cylinders(data: Any, parameters: Parameters) -> Measured:
    """The squared ratio of the largest to the smallest distance of n lines; exactly 1 where it is proved to be.

    Rows are a point of a line and its direction. Where all distances are nearly equal, Krawczyk's test shows that
    there are lines nearby whose distances all are 2: then as many unit cylinders touch each other.
    """
    n = int(parameters["n"])
    rows = reading.points(data, "the list of lines", count=n, dimension=6)
    squares = [_squared_distance(rows, i, j) for i, j in combinations(range(n), 2)]
    if min(squares) == 0:
        i, j = list(combinations(range(n), 2))[squares.index(fmpq(0))]
        raise RejectedError(f"lines {i + 1} and {j + 1} meet")
    ratio = max(squares) / min(squares)
    is_proved = False
    if ratio - 1 < NEAR:
        found = proved_solution(_equations(n), [value for row in _scaled(rows, squares) for value in row])
        if found is not None and _is_sound(moved := [found[6 * k : 6 * k + 6] for k in range(n)]):
            rows, ratio, is_proved = moved, fmpq(1), True
    directions = [row[3:] for row in rows]
    cosines = [float_of(dot(u, v) ** 2 / (dot(u, u) * dot(v, v))) ** 0.5 for u, v in combinations(directions, 2)]
    return Measured(
        value=ratio,
        construction=text_rows(rows),
        details={"proved": float(is_proved), "largest_cosine": max(cosines)},
        picture=points_picture(f"points of {n} lines", rows),
    )


def _is_sound(rows: Sequence[Sequence[fmpq]]) -> bool:
    """Whether the lines found are lines of the kind that is asked for, at distances of about 2."""
    try:
        return all(abs(_squared_distance(rows, i, j) - 4) < NEAR for i, j in combinations(range(len(rows)), 2))
    except RejectedError:
        return False


def _squared_distance(rows: Sequence[Sequence[fmpq]], i: int, j: int) -> fmpq:
    normal = cross(rows[i][3:], rows[j][3:])
    size = dot(normal, normal)
    if size == 0 or 50 * size < dot(rows[i][3:], rows[i][3:]) * dot(rows[j][3:], rows[j][3:]):
        raise RejectedError(f"lines {i + 1} and {j + 1} are nearly parallel, or a direction is 0")
    apart = [a - b for a, b in zip(rows[i][:3], rows[j][:3], strict=True)]
    return dot(apart, normal) ** 2 / size


def _scaled(rows: Sequence[Sequence[fmpq]], squares: Sequence[fmpq]) -> list[list[fmpq]]:
    """About at the distance 2, where they are not there already, and with directions of about the length 1."""
    if min(float_of(squares[0]), *(float_of(dot(row[3:], row[3:])) for row in rows)) < SMALLEST:
        raise RejectedError(
            "distances or directions are too small: expected lines about 2 apart, directions of about 1"
        )
    factor = 2 / float_of(squares[0]) ** 0.5
    scale = fmpq(1) if abs(factor - 1) < 1e-9 else fmpq(*factor.as_integer_ratio())
    found = []
    for row in rows:
        length = float_of(dot(row[3:], row[3:])) ** 0.5
        share = fmpq(1) if abs(length - 1) < 0.5 else fmpq(*(1 / length).as_integer_ratio())
        found.append([*(value * scale for value in row[:3]), *(value * share for value in row[3:])])
    return found


def _equations(n: int) -> Any:
    """The system ((p_i - p_j) . (v_i x v_j))^2 = 4 |v_i x v_j|^2 for all pairs."""

    def system(unknowns: Sequence[arb]) -> tuple[list[arb], list[list[arb]]]:
        values, slopes = [], []
        for i, j in combinations(range(n), 2):
            p, u = unknowns[6 * i : 6 * i + 3], unknowns[6 * i + 3 : 6 * i + 6]
            q, v = unknowns[6 * j : 6 * j + 3], unknowns[6 * j + 3 : 6 * j + 6]
            apart = [a - b for a, b in zip(p, q, strict=True)]
            normal = cross(u, v)
            volume = _dot(apart, normal)
            values.append(squared(volume) - 4 * _dot(normal, normal))
            row = [arb(0)] * len(unknowns)
            by_u, by_v = cross(v, apart), cross(apart, u)
            square_by_u, square_by_v = cross(v, normal), cross(normal, u)
            for k in range(3):
                row[6 * i + k] = 2 * volume * normal[k]
                row[6 * j + k] = -2 * volume * normal[k]
                row[6 * i + 3 + k] = 2 * volume * by_u[k] - 8 * square_by_u[k]
                row[6 * j + 3 + k] = 2 * volume * by_v[k] - 8 * square_by_v[k]
            slopes.append(row)
        return values, slopes

    return system


def _dot(one: Sequence[arb], other: Sequence[arb]) -> arb:
    return sum((a * b for a, b in zip(one, other, strict=True)), arb(0))


VERIFIERS = (
    Verifier(
        name="touching_cylinders",
        quantity="squared ratio of the largest to the smallest distance, 1 where lines nearby are proved to have it",
        direction="min",
        checker=CHECKER,
        measure=touching_cylinders,
        parameters=(Whole(name="n", low=3, high=9),),
    ),
)
