"""Number theory and maximal functions: Chebyshev's certificates, factors of factorials, weak-type bounds."""

from math import lcm
from typing import Any

import numpy as np
from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import float_of, points_picture, steps_picture
from evaluators.constructions.rounding import lower
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_arithmetic.py"
BITS = 160
LARGEST_PERIOD = 3_000_000
MOST_WORK = 400_000_000
UNIT = 2.0**-53


def prime_number_certificate(data: Any, parameters: Parameters) -> Measured:
    """A lower bound for Chebyshev's constant from weights f(k): minus the sum of f(k) log k / k.

    f(1) is set so that the sum of f(k) / k is 0; then the sum of f(k) floor(x / k) has the least common multiple of the
    keys as its period, and is looked at over all of it. Where it exceeds 1, all weights are divided by its maximum.
    """
    rows = reading.rows(data, "the list of weights", most=int(parameters["n"]))
    found: dict[int, fmpq] = {}
    for index, row in enumerate(rows):
        key, weight = reading.rows(row, f"row {index + 1}", count=2)
        found[reading.whole(key, f"the key of row {index + 1}", low=1, high=LARGEST_PERIOD)] = reading.rational(
            weight, f"the weight of row {index + 1}"
        )
    if len(found) != len(rows):
        raise RejectedError("a key is there twice")
    found.pop(1, None)
    if not found:
        raise RejectedError("there is no key above 1")
    weights = {1: -sum((weight / key for key, weight in found.items()), fmpq(0)), **found}
    top = _largest_sum(weights)
    with working(bits=BITS):
        terms = [arb(weight) * arb(key).log() / key for key, weight in weights.items()]
        value = lower(-sum(terms, arb(0)) / max(arb(top), arb(1)))
    return Measured(
        value=value,
        is_exact=False,
        construction=[[key, str(weight)] for key, weight in weights.items()],
        details={"keys": float(len(weights)), "largest_sum": float_of(top)},
        picture=points_picture(f"weights of {len(weights)} keys", _weights_by_key(weights)),
    )


def _weights_by_key(weights: dict[int, fmpq]) -> list[tuple[float, float]]:
    """Keys from left to right, their weights upwards, both scaled to at most 1."""
    largest = max(abs(float_of(weight)) for weight in weights.values()) or 1.0
    return [(key / max(weights), float_of(weight) / largest) for key, weight in sorted(weights.items())]


def _largest_sum(weights: dict[int, fmpq]) -> fmpq:
    """The largest sum of f(k) floor(x / k) over a period, rounded up: it is minus that of f(k) (x mod k) / k."""
    period = lcm(*weights)
    if period > LARGEST_PERIOD or period * len(weights) > MOST_WORK:
        raise RejectedError(f"the keys have the period {period}, at most {LARGEST_PERIOD} is looked through")
    scale = lcm(*(int(weight.q) * key for key, weight in weights.items()))
    numerators = {key: int(weight * scale / key) for key, weight in weights.items()}
    x = np.arange(period, dtype=np.int64)
    if sum(abs(number) * key for key, number in numerators.items()) < 1 << 62:
        total = sum((-number * (x % key) for key, number in numerators.items()), np.zeros(period, dtype=np.int64))
        return fmpq(int(total.max()), scale)
    sizes = sum(abs(float_of(weight)) for weight in weights.values())
    floats = sum((-float_of(weight) * ((x % key) / key) for key, weight in weights.items()), np.zeros(period))
    rounding = 2 * (len(weights) + 4) * UNIT * sizes
    bound = float(floats.max()) + rounding
    if not bound < 1e300:
        raise RejectedError("the weights are too large")
    return fmpq(*bound.as_integer_ratio())


def factorial_factors(data: Any, parameters: Parameters) -> Measured:
    """The smallest of n whole numbers whose product divides n factorial."""
    n = int(parameters["n"])
    factors = reading.wholes(data, "the list of factors", count=n, low=1, high=1 << 64)
    product, factorial = 1, 1
    for k, factor in enumerate(factors, start=1):
        product *= factor
        factorial *= k
    if factorial % product:
        raise RejectedError(f"the product of the factors does not divide {n} factorial")
    return Measured(
        value=fmpq(min(factors)),
        construction=sorted(factors),
        details={
            "different": float(len(set(factors))),
            "left": min(float(arb(factorial // product).log().mid()), 1e300),
        },
    )


def maximal_function(data: Any, parameters: Parameters) -> Measured:
    """The length of the set where the centred maximal function of point masses is above 1, over the total mass.

    A point x is in it if some masses i, ..., j add up to more than twice the larger distance of x to their ends.
    """
    rows = reading.points(data, "the list of masses", dimension=2, most=int(parameters["n"]))
    if not rows or any(mass < 0 for _, mass in rows):
        raise RejectedError("a mass is negative, or there is none")
    rows = sorted([list(row) for row in rows], key=lambda row: row[0])
    total = sum((mass for _, mass in rows), fmpq(0))
    if total == 0:
        raise RejectedError("all masses are 0")
    intervals = []
    for i, (start, _) in enumerate(rows):
        mass = fmpq(0)
        for end, weight in rows[i:]:
            mass += weight
            if end - start < mass:
                intervals.append((end - mass / 2, start + mass / 2))
    length, reach = fmpq(0), None
    for low, high in sorted(intervals):
        if reach is None or low > reach:
            length, reach = length + high - low, high
        elif high > reach:
            length, reach = length + high - reach, high
    return Measured(
        value=length / total,
        construction=[[str(place), str(mass)] for place, mass in rows],
        details={"masses": float(len(rows)), "largest_share": float_of(max(mass for _, mass in rows) / total)},
        picture=steps_picture("masses", [mass for _, mass in rows]),
    )


VERIFIERS = (
    Verifier(
        name="prime_number_certificate",
        quantity="lower bound of Chebyshev's constant",
        direction="max",
        checker=CHECKER,
        measure=prime_number_certificate,
        parameters=(Whole(name="n", low=2, high=400),),
    ),
    Verifier(
        name="factorial_factors",
        quantity="smallest factor",
        direction="max",
        checker=CHECKER,
        measure=factorial_factors,
        parameters=(Whole(name="n", low=2, high=2000),),
    ),
    Verifier(
        name="maximal_function",
        quantity="length of the level set over the mass",
        direction="max",
        checker=CHECKER,
        measure=maximal_function,
        parameters=(Whole(name="n", low=1, high=200),),
    ),
)
