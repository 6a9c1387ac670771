"""Step functions with equal steps: autoconvolutions and overlaps, exact at every real shift.

Correlations of step functions are linear between the multiples of the step's width, so their largest and smallest
values and their norms follow from the values there: products of polynomials with whole coefficients.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import lcm
from typing import Any

from flint import arb, fmpq, fmpz_poly

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import float_of, steps_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Choice, Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_steps.py"
MOST = 100_000
BITS = 160
SLACK = fmpq(1, 10**6)


def on_common_scale(heights: Sequence[fmpq]) -> tuple[list[int], int]:
    """The same heights as whole numbers over one denominator."""
    scale = lcm(*(int(height.q) for height in heights))
    return [int(height.p) * (scale // int(height.q)) for height in heights], scale


def self_convolution(values: Sequence[int]) -> list[int]:
    """The coefficients of the square of a polynomial; zeros at the end stay."""
    return _padded(fmpz_poly(values) ** 2, 2 * len(values) - 1)


def correlation(values: Sequence[int], others: Sequence[int]) -> list[int]:
    """The sums over i of values[i + k] * others[i], for all shifts k from 1 - n to n - 1."""
    return _padded(fmpz_poly(values) * fmpz_poly(others[::-1]), 2 * len(values) - 1)


def _padded(polynomial: Any, length: int) -> list[int]:
    found = [int(each) for each in polynomial.coeffs()]
    return found + [0] * (length - len(found))


def _heights(data: Any, parameters: Parameters, *, signed: bool) -> list[fmpq]:
    heights = reading.rationals(data, "the list of heights", most=int(parameters["n"]))
    if not heights:
        raise RejectedError("there is no step")
    for index, height in enumerate(heights):
        if height < 0 and not signed:
            raise RejectedError(f"step {index + 1} is negative ({float_of(height):.9g}), expected heights of 0 or more")
    if sum(heights, fmpq(0)) <= 0:
        raise RejectedError("the integral is not positive")
    return heights


def _measured(value: fmpq, heights: Sequence[fmpq], title: str) -> Measured:
    shown = [float_of(height) for height in heights]
    size = max(max(map(abs, shown)), 1e-300)
    jumps = sum(abs(a - b) / size for a, b in pairwise(shown))
    return Measured(
        value=value,
        construction=[str(height) for height in heights],
        details={
            "zero_share": sum(height == 0 for height in heights) / len(heights),
            "roughness": jumps / len(heights),
            "n_steps": float(len(heights)),
        },
        picture=steps_picture(title, heights),
    )


def first_autocorrelation(data: Any, parameters: Parameters) -> Measured:
    """max(f*f) / (integral of f)^2 for f >= 0 on an interval of length 1/2, or half of it (length 1)."""
    heights = _heights(data, parameters, signed=False)
    values, _ = on_common_scale(heights)
    support = 1 if parameters["support"] == "one" else 2
    value = fmpq(support * len(values) * max(self_convolution(values)), sum(values) ** 2)
    return _measured(value, heights, "step function")


def second_autocorrelation(data: Any, parameters: Parameters) -> Measured:
    """|f*f|_2^2 / (|f*f|_1 |f*f|_inf) for f >= 0: f*f is linear between its values at the nodes."""
    heights = _heights(data, parameters, signed=False)
    values, _ = on_common_scale(heights)
    at = [0, *self_convolution(values), 0]
    square = sum(a * a + a * b + b * b for a, b in pairwise(at))
    return _measured(fmpq(square, 3 * sum(at) * max(at)), heights, "step function")


def third_autocorrelation(data: Any, parameters: Parameters) -> Measured:
    """max(f*f) or max|f*f| / (integral of f)^2 for real f on an interval of length 1/2."""
    heights = _heights(data, parameters, signed=True)
    values, _ = on_common_scale(heights)
    found = self_convolution(values)
    peak = max(map(abs, found)) if parameters["peak"] == "absolute" else max(found)
    return _measured(fmpq(2 * len(values) * peak, sum(values) ** 2), heights, "step function")


def smallest_autocorrelation(data: Any, parameters: Parameters) -> Measured:
    """The least integral of f(x) f(x + t) over t from 0 to 1, over |f|_1^2, for f >= 0 with steps of width 1/m."""
    heights = _heights(data, parameters, signed=False)
    values, _ = on_common_scale(heights)
    m = int(parameters["m"])
    right = correlation(values, values)[len(values) - 1 :]
    least = min(right[: m + 1]) if len(right) > m else 0
    return _measured(fmpq(m * least, sum(values) ** 2), heights, f"step function, steps of 1/{m}")


def erdos_overlap(data: Any, parameters: Parameters) -> Measured:
    """The largest overlap of h and 1 - h over all shifts, for h from 0 to 1 on [0, 2] with integral 1."""
    heights = _heights(data, parameters, signed=True)
    for index, height in enumerate(heights):
        if not -SLACK <= height <= 1 + SLACK:
            raise RejectedError(f"step {index + 1} is {float_of(height):.9g}, expected a height from 0 to 1")
    heights = with_mean_half([min(max(height, fmpq(0)), fmpq(1)) for height in heights])
    values, scale = on_common_scale(heights)
    overlap = max(correlation(values, [scale - value for value in values]))
    return _measured(fmpq(2 * overlap, len(values) * scale * scale), heights, "h on [0, 2]")


def with_mean_half(heights: Sequence[fmpq]) -> list[fmpq]:
    """The heights moved towards 0 or towards 1, all by the same share of their way, so that their mean is 1/2."""
    n = len(heights)
    total = sum(heights, fmpq(0))
    if 2 * total > n:
        return [height * n / (2 * total) for height in heights]
    share = (fmpq(n, 2) - total) / (n - total)
    return [height + share * (1 - height) for height in heights]


def young_convolution(data: Any, parameters: Parameters) -> Measured:
    """|f*g|_2 / (|f|_(4/3) |g|_(4/3)) for step functions f, g >= 0 with steps of one width."""
    pair = [_heights(reading.member(data, name), parameters, signed=False) for name in ("f", "g")]
    (f, f_scale), (g, g_scale) = map(on_common_scale, pair)
    at = [0, *_padded(fmpz_poly(f) * fmpz_poly(g), len(f) + len(g) - 1), 0]
    square = fmpq(sum(a * a + a * b + b * b for a, b in pairwise(at)), 3 * (f_scale * g_scale) ** 2)
    with working(bits=BITS):
        norms = [sum((arb(x) ** arb(fmpq(4, 3)) for x in heights if x > 0), arb(0)) for heights in pair]
        value = lower(arb(square).sqrt() / (norms[0] * norms[1]) ** arb(fmpq(3, 4)))
    measured = _measured(value, pair[0], "f")
    return Measured(
        value=value,
        is_exact=False,
        construction={name: [str(x) for x in heights] for name, heights in zip("fg", pair, strict=True)},
        details=measured.details,
        picture=measured.picture,
    )


def gagliardo_nirenberg(data: Any, parameters: Parameters) -> Measured:
    """(integral f^4)^4 / ((integral f^2)^6 (integral f'^2)^2) for f linear between its values at 0, 1, 2, ..."""
    values = reading.rationals(data, "the list of values", most=int(parameters["n"]))
    if not any(value != 0 for value in values):
        raise RejectedError("f is zero")
    at = [fmpq(0), *values, fmpq(0)]
    fourth, second, slope = fmpq(0), fmpq(0), fmpq(0)
    for a, b in pairwise(at):
        fourth += (a**4 + a**3 * b + a**2 * b**2 + a * b**3 + b**4) / 5
        second += (a * a + a * b + b * b) / 3
        slope += (b - a) ** 2
    return _measured(fourth**4 / (second**6 * slope**2), values, "values of f")


_STEPS = Whole(name="n", low=1, high=MOST)

VERIFIERS = (
    Verifier(
        name="first_autocorrelation",
        quantity="largest value of f*f over the squared integral of f",
        direction="min",
        checker=CHECKER,
        measure=first_autocorrelation,
        parameters=(_STEPS, Choice(name="support", options=("half", "one"))),
    ),
    Verifier(
        name="second_autocorrelation",
        quantity="squared 2-norm of f*f over the product of its 1-norm and its largest value",
        direction="max",
        checker=CHECKER,
        measure=second_autocorrelation,
        parameters=(_STEPS,),
    ),
    Verifier(
        name="third_autocorrelation",
        quantity="largest (absolute) value of f*f over the squared integral of f",
        direction="min",
        checker=CHECKER,
        measure=third_autocorrelation,
        parameters=(_STEPS, Choice(name="peak", options=("signed", "absolute"))),
    ),
    Verifier(
        name="smallest_autocorrelation",
        quantity="smallest autocorrelation at shifts from 0 to 1 over the squared integral of f",
        direction="max",
        checker=CHECKER,
        measure=smallest_autocorrelation,
        parameters=(_STEPS, Whole(name="m", low=1, high=10_000)),
    ),
    Verifier(
        name="young_convolution",
        quantity="quotient |f*g|_2 / (|f|_(4/3) |g|_(4/3))",
        direction="max",
        checker=CHECKER,
        measure=young_convolution,
        parameters=(Whole(name="n", low=1, high=2000),),
    ),
    Verifier(
        name="gagliardo_nirenberg",
        quantity="quotient of integrals",
        direction="max",
        checker=CHECKER,
        measure=gagliardo_nirenberg,
        parameters=(Whole(name="n", low=1, high=2000),),
    ),
    Verifier(
        name="erdos_overlap",
        quantity="largest overlap of h and 1 - h over all shifts",
        direction="min",
        checker=CHECKER,
        measure=erdos_overlap,
        parameters=(_STEPS,),
    ),
)
