"""Signs: flat polynomials, merit factors, low discrepancy, and matrices of signs."""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from math import log2
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb, fmpq, fmpz_mat

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import signs_picture, steps_picture
from evaluators.constructions.rounding import lower, upper
from evaluators.constructions.verdict import Choice, Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_signs.py"
BITS = 120
UNIT = 2.0**-53


def _signs(data: Any, where: str, *, count: int | None = None, most: int | None = None) -> list[int]:
    signs = reading.wholes(data, where, count=count, most=most, low=-1, high=1)
    if 0 in signs:
        raise RejectedError(f"entry {signs.index(0) + 1} of {where} is 0, expected 1 or -1")
    return signs


def _details(signs: Sequence[int]) -> dict[str, float]:
    runs = 1 + sum(a != b for a, b in pairwise(signs))
    return {"plus_share": sum(sign > 0 for sign in signs) / len(signs), "runs_share": runs / len(signs)}


def largest_modulus(signs: Sequence[int]) -> arb:
    """An upper bound of the polynomial's modulus on the unit circle, at most a hundred-thousandth above it.

    The squared modulus is a trigonometric polynomial of degree n - 1. Between M points of the circle it is at most
    its largest value there over cos(pi (n - 1) / M) (Ehlich and Zeller 1964).
    """
    moduli, rounding, m = _sampled(signs)
    return (arb(float(moduli.max())) + rounding) / (arb.pi() * (len(signs) - 1) / m).cos().sqrt()


def least_modulus(signs: Sequence[int]) -> arb:
    """A lower bound of the polynomial's modulus on the unit circle.

    Between two of M points the squared modulus is below the smaller of its values there by at most an eighth of the
    squared step times its second derivative, which is at most (n - 1)^2 / 2 times the largest value (Bernstein).
    """
    moduli, rounding, m = _sampled(signs)
    dip = (arb.pi() * (len(signs) - 1) * largest_modulus(signs) / (2 * m)) ** 2
    least = arb(float(moduli.min())) - rounding
    return (least * least - dip).max(arb(0)).sqrt() if least > 0 else arb(0)


def _sampled(signs: Sequence[int]) -> tuple[npt.NDArray[np.float64], arb, int]:
    """The modulus at M points, and how far it may be off by rounding.

    The transform's rounding is bounded in norm: by 8 log2 M units of rounding (Higham 2002, section 24.1), with room.
    """
    n = len(signs)
    m = 1 << (512 * n - 1).bit_length()
    return np.abs(np.fft.rfft(np.array(signs, dtype=np.float64), m)), arb(64.0 * UNIT * log2(m) * (m * n) ** 0.5), m


def flat_polynomial(data: Any, parameters: Parameters) -> Measured:
    """The largest modulus on the unit circle of a polynomial with n coefficients 1 and -1, over a divisor."""
    return _modulus(data, parameters, largest_modulus, upper)


def lifted_polynomial(data: Any, parameters: Parameters) -> Measured:
    """The least modulus on the unit circle of a polynomial with n coefficients 1 and -1, over a divisor."""
    return _modulus(data, parameters, least_modulus, lower)


def narrow_polynomial(data: Any, parameters: Parameters) -> Measured:
    """The difference between the largest and the least modulus on the unit circle, over a divisor."""
    return _modulus(data, parameters, lambda signs: largest_modulus(signs) - least_modulus(signs), upper)


def _modulus(
    data: Any, parameters: Parameters, quantity: Callable[[Sequence[int]], arb], side: Callable[[arb], fmpq]
) -> Measured:
    n = int(parameters["n"])
    signs = _signs(data, "the list of coefficients", count=n)
    with working(bits=BITS):
        divisor = {"one": arb(1), "coefficients": arb(n).sqrt(), "coefficients_and_one": arb(n + 1).sqrt()}
        value = side(quantity(signs) / divisor[str(parameters["divisor"])])
    return Measured(
        value=value,
        is_exact=False,
        construction=signs,
        details=_details(signs),
        picture=steps_picture(f"modulus of a polynomial with {n} signs", _moduli(signs)),
    )


def _moduli(signs: Sequence[int]) -> list[float]:
    values: npt.NDArray[np.float64] = np.abs(np.fft.rfft(np.array(signs, dtype=np.float64), 512))
    return [float(value) for value in values]


def merit_factor(data: Any, parameters: Parameters) -> Measured:
    """n^2 over twice the sum of the squared aperiodic autocorrelations (Golay)."""
    n = int(parameters["n"])
    signs = np.array(_signs(data, "the sequence", count=n), dtype=np.int64)
    energy = sum(int(signs[:-shift] @ signs[shift:]) ** 2 for shift in range(1, n))
    return Measured(
        value=fmpq(n * n, 2 * energy),
        construction=signs.tolist(),
        details=_details(signs.tolist()),
        picture=steps_picture(f"{n} signs", signs.tolist()),
    )


def low_discrepancy(data: Any, parameters: Parameters) -> Measured:
    """How long a sequence of signs has sums of at most d over all progressions k, 2k, 3k, ...; the rest is cut off."""
    signs = _signs(data, "the sequence", most=20_000)
    limit = int(parameters["d"])
    sums = [0] * (len(signs) + 1)
    length = 0
    for place, sign in enumerate(signs, start=1):
        divisors = [k for k in range(1, int(place**0.5) + 1) if place % k == 0]
        for k in {*divisors, *(place // k for k in divisors)}:
            sums[k] += sign
            if abs(sums[k]) > limit:
                break
        else:
            length = place
            continue
        break
    if length == 0:
        raise RejectedError("the sequence is empty")
    kept = signs[:length]
    return Measured(
        value=fmpq(length),
        construction=kept,
        details={**_details(kept), "given": float(len(signs))},
        picture=steps_picture(f"partial sums of {length} signs", list(accumulate(kept))),
    )


def _matrix(data: Any, n: int) -> list[list[int]]:
    found = reading.rows(data, "the matrix", count=n)
    return [_signs(row, f"row {index + 1} of the matrix", count=n) for index, row in enumerate(found)]


def largest_determinant(data: Any, parameters: Parameters) -> Measured:
    """The absolute value of the determinant of an n by n matrix of signs."""
    n = int(parameters["n"])
    rows = _matrix(data, n)
    value = fmpq(abs(int(fmpz_mat(rows).det())))
    return Measured(
        value=value,
        construction=rows,
        details={
            "plus_share": sum(sign > 0 for row in rows for sign in row) / n**2,
            "rank": float(fmpz_mat(rows).rank()),
        },
        picture=signs_picture(f"a matrix of {n} by {n} signs", rows),
    )


def matrix_discrepancy(data: Any, parameters: Parameters) -> Measured:
    """The least over signs x of max_i |(A x)_i|, over sqrt(n), for an n by n matrix A of signs."""
    n = int(parameters["n"])
    rows = _matrix(data, n)
    signs = 1 - 2 * ((np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1).astype(np.int8)
    least = int(np.abs(signs @ np.array(rows, dtype=np.int8).T).max(1).min())
    with working(bits=BITS):
        value = lower(arb(least) / arb(n).sqrt())
    return Measured(
        value=value,
        is_exact=False,
        construction=rows,
        details={
            "plus_share": sum(sign > 0 for row in rows for sign in row) / n**2,
            "rank": float(fmpz_mat(rows).rank()),
        },
        picture=signs_picture(f"a matrix of {n} by {n} signs", rows),
    )


_MODULUS = (
    Whole(name="n", low=2, high=2048),
    Choice(name="divisor", options=("one", "coefficients", "coefficients_and_one")),
)

VERIFIERS = (
    Verifier(
        name="lifted_polynomial",
        quantity="least modulus on the unit circle, divided",
        direction="max",
        checker=CHECKER,
        measure=lifted_polynomial,
        parameters=_MODULUS,
    ),
    Verifier(
        name="narrow_polynomial",
        quantity="difference of the largest and the least modulus on the unit circle, divided",
        direction="min",
        checker=CHECKER,
        measure=narrow_polynomial,
        parameters=_MODULUS,
    ),
    Verifier(
        name="flat_polynomial",
        quantity="largest modulus on the unit circle, divided",
        direction="min",
        checker=CHECKER,
        measure=flat_polynomial,
        parameters=_MODULUS,
    ),
    Verifier(
        name="merit_factor",
        quantity="merit factor",
        direction="max",
        checker=CHECKER,
        measure=merit_factor,
        parameters=(Whole(name="n", low=2, high=4096),),
    ),
    Verifier(
        name="low_discrepancy",
        quantity="length",
        direction="max",
        checker=CHECKER,
        measure=low_discrepancy,
        parameters=(Whole(name="d", low=1, high=10),),
    ),
    Verifier(
        name="largest_determinant",
        quantity="absolute value of the determinant",
        direction="max",
        checker=CHECKER,
        measure=largest_determinant,
        parameters=(Whole(name="n", low=2, high=100),),
    ),
    Verifier(
        name="matrix_discrepancy",
        quantity="discrepancy over sqrt(n)",
        direction="max",
        checker=CHECKER,
        measure=matrix_discrepancy,
        parameters=(Whole(name="n", low=2, high=20),),
    ),
)
