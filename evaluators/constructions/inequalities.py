"""Sharp inequalities between norms of functions of one variable: every function gives a bound from one side.

Functions are steps or linear between whole numbers, so that integrals of whole powers are rational numbers.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from flint import arb, fmpq, fmpz_poly

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import float_of, steps_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.steps import on_common_scale
from evaluators.constructions.verdict import Choice, Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_inequalities.py"
BITS = 256


def spline_values(order: int) -> list[fmpq]:
    """The cardinal B-spline of an order at 1, 2, ..., order - 1 (de Boor's recursion at whole numbers)."""
    values = [fmpq(1)]
    for k in range(3, order + 1):
        at = [fmpq(0), *values, fmpq(0)]
        values = [((i + 1) * at[i + 1] + (k - 1 - i) * at[i]) / (k - 1) for i in range(k - 1)]
    return values


def hausdorff_young(data: Any, parameters: Parameters) -> Measured:
    """|F|_q / |f|_p for the Fourier transform F of a step function f, q = 2k and p = 2k / (2k - 1).

    |F|_q^q is the squared 2-norm of the k-fold convolution of f with itself (Plancherel): a sum of products of its
    coefficients with the values of a B-spline of order 2k at whole numbers. So it is exact over the whole line.
    """
    k = int(parameters["k"])
    heights = reading.rationals(data, "the list of heights", most=int(parameters["n"]))
    if not any(heights):
        raise RejectedError("f is zero")
    values, scale = on_common_scale(heights)
    power = fmpz_poly(values) ** k
    mirrored = fmpz_poly([int(c) for c in power.coeffs()][::-1])
    correlation, middle = power * mirrored, power.degree()
    splines = spline_values(2 * k)
    total = sum((splines[d + k - 1] * int(correlation[middle + d]) for d in range(1 - k, k)), fmpq(0))
    with working(bits=BITS):
        p = arb(2 * k) / (2 * k - 1)
        norm = sum((abs(arb(h)) ** p for h in heights if h != 0), arb(0)) ** (1 / p)
        value = lower(arb(total / fmpq(scale) ** (2 * k)) ** (arb(1) / (2 * k)) / norm)
    return _measured(value, heights, "f", is_exact=False)


def nash(at: Sequence[fmpq]) -> fmpq:
    """|u|_2^6 / (|u'|_2^2 |u|_1^4)."""
    return _second(at) ** 3 / (_slope(at) * _first(at) ** 4)


def agmon(at: Sequence[fmpq]) -> fmpq:
    """The quotient max |u|^4 / (|u|_2^2 |u'|_2^2)."""
    return max(abs(value) for value in at) ** 4 / (_second(at) * _slope(at))


def sextic(at: Sequence[fmpq]) -> fmpq:
    """|u|_6^6 / (|u'|_2^2 |u|_2^4)."""
    sixth = sum((sum((a**i * b ** (6 - i) for i in range(7)), fmpq(0)) / 7 for a, b in pairwise(at)), fmpq(0))
    return sixth / (_slope(at) * _second(at) ** 2)


def landau(at: Sequence[fmpq]) -> fmpq:
    """The quotient max |u'|^2 / (max |u| max |u''|), where `at` are values of u' and u + c is smallest."""
    height, heights = fmpq(0), [fmpq(0)]
    for a, b in pairwise(at):
        if a * b < 0:  # u' has a zero on the way, where u has an extremum
            heights.append(height + a * a / (a - b) / 2)
        height += (a + b) / 2
        heights.append(height)
    reach = (max(heights) - min(heights)) / 2
    return max(abs(value) for value in at) ** 2 / (reach * max(abs(b - a) for a, b in pairwise(at)))


INEQUALITIES = {"nash": nash, "agmon": agmon, "sextic": sextic, "landau": landau}


def interpolation_inequality(data: Any, parameters: Parameters) -> Measured:
    """A quotient of norms of u and its derivatives; u, or u' for Landau's, is linear between its values."""
    values = reading.rationals(data, "the list of values", most=int(parameters["n"]))
    if not any(values):
        raise RejectedError("the function is zero")
    quotient = INEQUALITIES[str(parameters["inequality"])]([fmpq(0), *values, fmpq(0)])
    return _measured(quotient, values, "values", is_exact=True)


def _first(at: Sequence[fmpq]) -> fmpq:
    """The integral of |u|, which is linear in pieces."""
    total = fmpq(0)
    for a, b in pairwise(at):
        total += (a * a + b * b) / (abs(a) + abs(b)) / 2 if a * b < 0 else abs(a + b) / 2
    return total


def _second(at: Sequence[fmpq]) -> fmpq:
    return sum(((a * a + a * b + b * b) / 3 for a, b in pairwise(at)), fmpq(0))


def _slope(at: Sequence[fmpq]) -> fmpq:
    return sum(((b - a) ** 2 for a, b in pairwise(at)), fmpq(0))


def _measured(value: fmpq, heights: Sequence[fmpq], title: str, *, is_exact: bool) -> Measured:
    shown = [float_of(height) for height in heights]
    size = max(max(map(abs, shown)), 1e-300)
    jumps = sum(abs(a - b) / size for a, b in pairwise(shown))
    return Measured(
        value=value,
        is_exact=is_exact,
        construction=[str(height) for height in heights],
        details={"roughness": jumps / len(heights), "n_steps": float(len(heights))},
        picture=steps_picture(title, heights),
    )


VERIFIERS = (
    Verifier(
        name="hausdorff_young",
        quantity="quotient of the 2k-norm of the Fourier transform and the norm of the function",
        direction="max",
        checker=CHECKER,
        measure=hausdorff_young,
        parameters=(Whole(name="n", low=1, high=1000), Whole(name="k", low=1, high=6)),
    ),
    Verifier(
        name="interpolation_inequality",
        quantity="quotient of norms",
        direction="max",
        checker=CHECKER,
        measure=interpolation_inequality,
        parameters=(Whole(name="n", low=1, high=2000), Choice(name="inequality", options=tuple(INEQUALITIES))),
    ),
)
