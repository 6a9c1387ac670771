"""Sets of whole numbers, their sums and their differences."""

from collections.abc import Sequence
from dataclasses import replace
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import numbers_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_sums.py"
MOST = 4000
LARGEST = 1 << 60
BITS = 160
MARKED = 1 << 25  # sets whose span is smaller are marked in a table, others are sorted

Integers = npt.NDArray[np.int64]


def _set(data: Any, *, low: int = -LARGEST, high: int = LARGEST, most: int = MOST) -> Integers:
    numbers = reading.wholes(data, "the set", most=most, low=low, high=high)
    reading.distinct(numbers, "the set")
    if len(numbers) < 2:
        raise RejectedError(f"the set has {len(numbers)} elements, expected 2 at least")
    return np.array(sorted(numbers), dtype=np.int64)


def sums_of(numbers: Integers) -> Integers:
    """All sums of two elements, each once; below 2^61 they fit."""
    low = 2 * int(numbers[0])
    if 2 * int(numbers[-1]) - low > MARKED:
        return np.unique(numbers[:, None] + numbers)
    moved = numbers - numbers[0]
    return low + _marked([moved + each for each in moved], 2 * int(moved[-1]))


def differences_of(numbers: Integers) -> Integers:
    """All positive differences, each once."""
    span = int(numbers[-1] - numbers[0])
    if span > MARKED:
        return np.unique(np.abs(numbers[:, None] - numbers))[1:]
    return _marked([numbers[i + 1 :] - each for i, each in enumerate(numbers)], span)


def _marked(rows: Sequence[Integers], largest: int) -> Integers:
    """The numbers from 0 to `largest` that are in one of the rows."""
    is_there = np.zeros(largest + 1, dtype=bool)
    for row in rows:
        is_there[row] = True
    return np.flatnonzero(is_there)


def _measured(value: fmpq, numbers: Integers, *, is_exact: bool = True) -> Measured:
    span = int(numbers[-1] - numbers[0])
    return Measured(
        value=value,
        is_exact=is_exact,
        construction=[int(number) for number in numbers],
        details={"size": float(len(numbers)), "density": len(numbers) / (span + 1)},
        picture=numbers_picture(f"{len(numbers)} numbers", [int(number) for number in numbers]),
    )


def more_sums(data: Any, parameters: Parameters) -> Measured:
    """|A + A| / |A - A| for A in {0, ..., n - 1}."""
    numbers = _set(data, low=0, high=int(parameters["n"]) - 1)
    return _measured(fmpq(len(sums_of(numbers)), 2 * len(differences_of(numbers)) + 1), numbers)


def sums_differences(data: Any, parameters: Parameters) -> Measured:
    """1 + log(|U - U| / |U + U|) / log(2 max U + 1) for a set U of whole numbers with 0 in it."""
    numbers = _set(data, low=0, most=int(parameters["n"]))
    if numbers[0] != 0:
        raise RejectedError(f"the smallest element is {numbers[0]}, expected 0 in the set")
    n_sums, n_differences = len(sums_of(numbers)), 2 * len(differences_of(numbers)) + 1
    reach = 2 * int(numbers[-1]) + 1
    if n_differences >= reach:
        raise RejectedError("every number up to the largest is a difference: |U - U| < 2 max U + 1 is needed")
    with working(bits=BITS):
        value = lower(1 + (arb(n_differences) / n_sums).log() / arb(reach).log())
    return _measured(value, numbers, is_exact=False)


def sum_difference_one(data: Any, parameters: Parameters) -> Measured:
    """log(|A + A| / |A|) / log(|A - A| / |A|)."""
    numbers = _within(data, parameters)
    n, n_sums, n_differences = len(numbers), len(sums_of(numbers)), 2 * len(differences_of(numbers)) + 1
    with working(bits=BITS):
        value = lower((arb(n_sums) / n).log() / (arb(n_differences) / n).log())
    return _measured(value, numbers, is_exact=False)


def sum_difference_two(data: Any, parameters: Parameters) -> Measured:
    """Log |A - A| / log |A + A|."""
    numbers = _within(data, parameters)
    n_sums, n_differences = len(sums_of(numbers)), 2 * len(differences_of(numbers)) + 1
    with working(bits=BITS):
        value = lower(arb(n_differences).log() / arb(n_sums).log())
    return _measured(value, numbers, is_exact=False)


def _within(data: Any, parameters: Parameters) -> Integers:
    numbers = _set(data, most=int(parameters["n"]))
    span = int(numbers[-1] - numbers[0])
    if span > int(parameters["span"]):
        raise RejectedError(f"largest less smallest element is {span}, at most {parameters['span']} is allowed")
    return numbers


def difference_basis(data: Any, parameters: Parameters) -> Measured:
    """|B|^2 / n, where all of 1, ..., n are differences of elements of B."""
    numbers = _set(data, most=int(parameters["n"]))
    found = differences_of(numbers)
    gaps = np.flatnonzero(found != np.arange(1, len(found) + 1))
    reach = int(gaps[0]) if len(gaps) else len(found)
    if reach == 0:
        raise RejectedError("1 is no difference of two elements")
    measured = _measured(fmpq(len(numbers) ** 2, reach), numbers)
    return replace(measured, details={"size": measured.details["size"], "used": reach / len(found)})


def golomb_ruler(data: Any, parameters: Parameters) -> Measured:
    """The length of a ruler with n marks whose distances are all different."""
    numbers = _set(data, most=int(parameters["n"]))
    n = int(parameters["n"])
    if len(numbers) != n:
        raise RejectedError(f"the ruler has {len(numbers)} marks, expected {n}")
    differences = (numbers - numbers[:, None])[np.triu_indices(n, 1)]
    ordered, counts = np.unique(differences, return_counts=True)
    if (counts > 1).any():
        raise RejectedError(f"the distance {ordered[np.argmax(counts > 1)]} is there twice")
    return _measured(fmpq(int(numbers[-1] - numbers[0])), numbers)


def square_free_differences(data: Any, parameters: Parameters) -> Measured:
    """(1 + log |A| / log m) / 2 for residues A modulo a squarefree m of which no two differ by a square."""
    m = reading.whole(reading.member(data, "m"), "m", low=2, high=int(parameters["n"]))
    residues = reading.wholes(reading.member(data, "residues"), "the residues", most=MOST, low=0, high=m - 1)
    reading.distinct(residues, "the residues")
    if any(m % (d * d) == 0 for d in range(2, isqrt(m) + 1)):
        raise RejectedError(f"m = {m} is divisible by a square: nothing follows for whole numbers")
    if len(residues) < 1:
        raise RejectedError("there are no residues")
    squares = {x * x % m for x in range(m)}
    for index, a in enumerate(residues):
        for b in residues[:index]:
            if (a - b) % m in squares or (b - a) % m in squares:
                raise RejectedError(f"the residues {b} and {a} differ by a square modulo {m}")
    with working(bits=BITS):
        value = lower((1 + arb(len(residues)).log() / arb(m).log()) / 2)
    return Measured(
        value=value,
        is_exact=False,
        construction={"m": m, "residues": sorted(residues)},
        details={"modulus": float(m), "size": float(len(residues))},
        picture=numbers_picture(f"{len(residues)} residues modulo {m}", residues),
    )


def no_squarefree_products(data: Any, parameters: Parameters) -> Measured:
    """How many numbers up to n there are, if a b + 1 is divisible by a square for all a, b in the set, equal or not."""
    n = int(parameters["n"])
    numbers = reading.wholes(data, "the set", most=n, low=1, high=n)
    reading.distinct(numbers, "the set")
    free = _squarefree(n * n + 1)
    ordered = np.array(sorted(numbers), dtype=np.int64)
    table = free[np.multiply.outer(ordered, ordered) + 1] if len(ordered) else np.zeros((0, 0), dtype=bool)
    if table.any():
        i, j = (int(each[0]) for each in np.nonzero(table))
        raise RejectedError(f"{ordered[i]} * {ordered[j]} + 1 = {ordered[i] * ordered[j] + 1} is squarefree")
    return Measured(
        value=fmpq(len(numbers)),
        construction=[int(number) for number in ordered],
        details={"classes": float(len({int(number) % 25 for number in ordered}))},
        picture=numbers_picture(f"{len(numbers)} numbers", numbers) if numbers else None,
    )


def _squarefree(most: int) -> npt.NDArray[np.bool_]:
    free = np.ones(most + 1, dtype=bool)
    for d in range(2, isqrt(most) + 1):
        free[:: d * d] = False
    return free


def _named(verifiers: Sequence[tuple[Any, ...]]) -> tuple[Verifier, ...]:
    return tuple(
        Verifier(
            name=name, quantity=quantity, direction=direction, checker=CHECKER, measure=measure, parameters=parameters
        )
        for name, quantity, direction, measure, parameters in verifiers
    )


_N = Whole(name="n", low=2, high=MOST)
_SPAN = Whole(name="span", low=1, high=LARGEST)

VERIFIERS = _named(
    (
        ("more_sums_than_differences", "ratio |A + A| / |A - A|", "max", more_sums, (_N,)),
        ("sums_differences", "exponent 1 + log(|U - U|/|U + U|)/log(2 max U + 1)", "max", sums_differences, (_N,)),
        ("sum_difference_one", "ratio log(|A+A|/|A|)/log(|A-A|/|A|)", "max", sum_difference_one, (_N, _SPAN)),
        ("sum_difference_two", "ratio log|A - A| / log|A + A|", "max", sum_difference_two, (_N, _SPAN)),
        ("difference_basis", "|B|^2 / n", "min", difference_basis, (_N,)),
        ("golomb_ruler", "length of the ruler", "min", golomb_ruler, (Whole(name="n", low=2, high=200),)),
        (
            "square_free_differences",
            "exponent (1 + log|A| / log m) / 2",
            "max",
            square_free_differences,
            (Whole(name="n", low=2, high=20_000),),
        ),
        (
            "no_squarefree_products",
            "number of elements",
            "max",
            no_squarefree_products,
            (Whole(name="n", low=2, high=2000),),
        ),
    )
)
