"""Where a function is zero: there a relative error is a limit, and a program has to be exactly zero too."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, ctx, fmpq_poly

from evaluators.approximation.functions import Target, taylor
from evaluators.approximation.precision import working
from evaluators.approximation.rational import Quotient, exact

BITS = 1024
TINY = 2.0**-900
MAX_ORDER = 4
STEP_BITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero:
    """The function is (x - point)^order times something that is not zero at `point`, a float64.

    `is_proved` says whether it is exactly zero there: ball arithmetic shows that for some formulas only.
    """

    point: float
    order: int
    is_proved: bool


ORIGIN = Zero(point=0.0, order=1, is_proved=True)


def zeros_of(target: Target, points: Sequence[float], values: Sequence[Any]) -> tuple[Zero, ...]:
    """The zeros at float64 numbers: at the ends, at 0, and where the values at ascending points change their sign."""
    candidates = {points[0], points[-1]}
    if points[0] < 0 < points[-1]:
        candidates.add(0.0)
    candidates.update(point for point, value in zip(points, values, strict=True) if value.contains(0))
    for (left, below), (right, above) in pairwise(zip(points, values, strict=True)):
        if (below < 0 and above > 0) or (below > 0 and above < 0):
            candidates.update(_where_the_sign_changes(target, left, right, rises=bool(above > 0)))
    found = [_zero_at(target, point) for point in sorted(candidates)]
    return tuple(zero for zero in found if zero is not None)


def _where_the_sign_changes(target: Target, left: float, right: float, *, rises: bool) -> tuple[float, ...]:
    """A float64 at which the value may be zero, or nothing: then the zero lies between two neighbours."""
    while left < (middle := left + (right - left) / 2) < right:
        value = target.value(arb(middle))
        if value.contains(0) or not value.is_finite():
            return (middle,)
        if bool(value > 0) == rises:
            right = middle
        else:
            left = middle
    return ()


def _zero_at(target: Target, point: float) -> Zero | None:
    with working(bits=BITS, length=MAX_ORDER + 2):
        value = target.value(arb(point))
        if not value.contains(0) or not _is_tiny(value):
            return None
        if target.series is None:
            slope = slope_of(target, point)
            return None if slope.contains(0) or not slope.is_finite() else Zero(point=point, order=1, is_proved=False)
        coefficients = taylor(target, arb(point), MAX_ORDER + 1)
        for order, coefficient in enumerate(coefficients):
            if not _is_tiny(coefficient):
                is_known = coefficient.is_finite() and not coefficient.contains(0)
                is_proved = all(each.is_zero() for each in coefficients[:order])
                return Zero(point=point, order=order, is_proved=is_proved) if is_known and order else None
        return None


def _is_tiny(value: Any) -> bool:
    return bool(value.is_finite() and value.abs_upper() < TINY)


def leading_coefficient(target: Target, zero: Zero) -> Any:
    """What the function divided by (x - point)^order is at the zero."""
    if target.series is None:
        return slope_of(target, zero.point)
    with working(bits=ctx.prec, length=MAX_ORDER + 2):
        return taylor(target, arb(zero.point), zero.order + 1)[zero.order]


def slope_of(target: Target, point: float) -> Any:
    """The slope at a simple zero, nearly: by a tiny step, with the bits that it costs."""
    bits = ctx.prec
    step = arb(2) ** -bits
    with working(bits=STEP_BITS * bits):
        here = arb(point)
        sides = [target.value(here + side) / side for side in (step, -step)]
        return next((side for side in sides if side.is_finite()), arb.nan())


def without_zero(quotient: Quotient, zero: Zero = ORIGIN) -> Quotient:
    """The quotient divided by (x - point)^order, of which its numerator must be a multiple."""
    plain = quotient.expanded()
    if zero.point == 0.0:
        return Quotient(plain.numerator.right_shift(zero.order), plain.denominator)
    return Quotient(plain.numerator // _factor(zero), plain.denominator)


def misses(quotient: Quotient, zero: Zero) -> bool:
    """Whether the quotient is not a multiple of (x - point)^order."""
    if quotient.numerator(exact(zero.point)) != 0:
        return True
    return zero.order > 1 and quotient.expanded().numerator % _factor(zero) != 0


def _factor(zero: Zero) -> Any:
    return fmpq_poly([-exact(zero.point), 1]) ** zero.order
