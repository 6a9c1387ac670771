"""Critical points against means of the zeros: Borcea's conjecture and the inequalities of de Bruin and Sharma."""

from collections.abc import Sequence
from typing import Any

from flint import acb, arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import squared, working
from evaluators.constructions.distances import text_rows
from evaluators.constructions.pictures import float_of, points_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole
from evaluators.constructions.zeros import BITS, Complex, complex_ball, critical_points

CHECKER = "check_critical.py"
SMALLEST = 1e-300
"""Zeros nearer to 0 are told as if they were there."""


def squared_moduli(zeros: Sequence[Complex]) -> list[fmpq]:
    """The squared moduli of complex numbers with rational parts."""
    return [x * x + y * y for x, y in zeros]


def borcea(data: Any, parameters: Parameters) -> Measured:
    """The largest distance of a zero to the nearest critical point, over the p-mean of the moduli of the zeros."""
    n, p = int(parameters["n"]), int(parameters["p"])
    zeros = reading.points(data, "the list of zeros", count=n, dimension=2)
    squares = squared_moduli(zeros)
    if not any(squares):
        raise RejectedError("all zeros are 0")
    with working(bits=BITS):
        critical = critical_points(zeros)
        farthest = max_of([_nearest(complex_ball(zero), critical) for zero in zeros])
        powers = sum((arb(square).sqrt() ** p for square in squares), arb(0))
        value = lower(farthest / (powers / n) ** (arb(1) / p))
    return _measured(value, zeros)


def de_bruin_sharma(data: Any, parameters: Parameters) -> Measured:
    """(sum |w|^4 - a sum |z|^4) / (sum |z|^2)^2 for zeros z with the mean 0, critical points w and a in tenths."""
    n = int(parameters["n"])
    given = reading.points(data, "the list of zeros", count=n, dimension=2)
    mean = [sum((row[part] for row in given), fmpq(0)) / n for part in (0, 1)]
    zeros = [(x - mean[0], y - mean[1]) for x, y in given]
    squares = squared_moduli(zeros)
    if not any(squares):
        raise RejectedError("all zeros are equal")
    fourth = sum((square * square for square in squares), fmpq(0))
    with working(bits=BITS):
        moduli = [abs(point) for point in critical_points(zeros)]
        excess = sum((squared(squared(modulus)) for modulus in moduli), arb(0)) - arb(
            fourth * int(parameters["tenths"]) / 10
        )
        value = lower(excess / arb(sum(squares, fmpq(0)) ** 2))
    return _measured(value, zeros)


def max_of(values: Sequence[arb]) -> arb:
    """A ball around the largest of several numbers."""
    found = values[0]
    for value in values[1:]:
        found = found.max(value)
    return found


def _nearest(point: acb, others: Sequence[acb]) -> arb:
    found = abs(point - others[0])
    for other in others[1:]:
        found = found.min(abs(point - other))
    return found


def _measured(value: fmpq, zeros: Sequence[Complex]) -> Measured:
    sizes = [float_of(square) ** 0.5 for square in squared_moduli(zeros)]
    largest = max(max(sizes), SMALLEST)
    return Measured(
        value=value,
        is_exact=False,
        construction=text_rows(zeros),
        details={"least_share": min(sizes) / largest, "mean_share": sum(sizes) / len(sizes) / largest},
        picture=points_picture(f"{len(zeros)} zeros", zeros),
    )


VERIFIERS = (
    Verifier(
        name="borcea",
        quantity="largest distance of a zero to the nearest critical point, over the p-mean of the zeros' moduli",
        direction="max",
        checker=CHECKER,
        measure=borcea,
        parameters=(Whole(name="n", low=2, high=60), Whole(name="p", low=1, high=16)),
    ),
    Verifier(
        name="de_bruin_sharma",
        quantity="(sum |w|^4 - a sum |z|^4) / (sum |z|^2)^2 over the critical points w and the zeros z",
        direction="max",
        checker=CHECKER,
        measure=de_bruin_sharma,
        parameters=(Whole(name="n", low=4, high=60), Whole(name="tenths", low=0, high=10)),
    ),
)
