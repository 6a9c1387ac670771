"""A proof that the error of a program stays below a bound on the whole interval.

The interval is cut into pieces until, on each, a Taylor model of the error stays within half a percent of the largest
error that was found at a point; where the target has no power series, plain ball arithmetic has to do. Every step is in
ball arithmetic on the exact form, so the bound is a theorem about the program over the real numbers, its constants
being exact.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, arb_poly

from evaluators.approximation.functions import ball
from evaluators.approximation.precision import working
from evaluators.approximation.rational import Quotient
from evaluators.approximation.sup_error import ErrorCurve, Peak
from evaluators.approximation.taylor_model import (
    NoModelError,
    Piece,
    model_of_polynomial,
    model_of_target,
)
from evaluators.approximation.zeros import Zero, without_zero

BITS = 384
MAX_PIECES = 20_000
SLACK = 1.005
SMALLEST_BOUND = 1e-60
NARROWEST = 2.0**-48
METHOD = "Taylor models, or plain balls where there are none, on the exact rational form, adaptive bisection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`lower <= largest error <= upper`, both proven; `lower` is attained at `witness`."""

    upper: Any
    lower: Any
    witness: float
    n_pieces: int
    bits: int = BITS


class NotProvedError(Exception):
    """The work allowed was spent; nothing is claimed."""


def prove(curve: ErrorCurve, quotient: Quotient, peak: Peak) -> Proof:
    """Bound the error over the closed interval.

    Raises:
        NotProvedError: the bound could not be proved within the allowed number of pieces, or the target allows none.
    """
    _require_provable(curve)
    order = 8 + max(0, min(24, round(-_log10(peak.error) * 0.6)))
    with working(bits=BITS, length=order + 4 + max((zero.order for zero in curve.zeros), default=0)):
        witness, lower = peak.point, _error_at(curve, quotient, peak.point)
        models = _ErrorModels(curve, quotient, order)
        upper, n_pieces = arb(0), 0
        pending = _first_pieces(curve)
        while pending:
            left, right = pending.pop()
            n_pieces += 1
            if n_pieces > MAX_PIECES:
                raise NotProvedError(f"no bound within {MAX_PIECES} pieces; stuck near x = {left!r}")
            bound = models.bound(left, right)
            if bound is not None and bound <= _goal(lower):
                upper = upper.max(bound)
                continue
            middle = left + (right - left) / 2
            here = _error_at(curve, quotient, middle)
            if here > lower:
                witness, lower = middle, here
            if not left < middle < right or right - left < NARROWEST * (curve.high - curve.low):
                raise NotProvedError(f"no bound near x = {middle!r}, even on a piece of width {right - left!r}")
            pending += [(middle, right), (left, middle)]
        return Proof(upper=upper.upper(), lower=lower, witness=witness, n_pieces=n_pieces)


def _error_at(curve: ErrorCurve, quotient: Quotient, point: float) -> Any:
    """A lower bound of the error at one point."""
    [error] = curve.errors_at(quotient, [point], curve.values_at([point]))
    return error.abs_lower()


def _goal(lower: Any) -> Any:
    """What a piece's bound has to reach: a little more than the largest error that is certainly there."""
    return (lower * arb(SLACK)).max(arb(SMALLEST_BOUND))


def _require_provable(curve: ErrorCurve) -> None:
    for target in filter(None, (curve.target, curve.weight)):
        if target.unproved:
            raise NotProvedError(f"nothing can be proved about {target.written}: {target.unproved}")
    for zero in curve.zeros:
        if not zero.is_proved:
            raise NotProvedError(
                f"{curve.target.written} seems to be 0 at x = {zero.point!r}, but ball arithmetic cannot show that it "
                "is exactly 0, which a relative error needs: write it in a form that shows it, or use an absolute error"
            )


def _first_pieces(curve: ErrorCurve) -> list[tuple[float, float]]:
    inner = {zero.point for zero in curve.zeros} | {0.0}
    cuts = [curve.low, *sorted(point for point in inner if curve.low < point < curve.high), curve.high]
    return list(pairwise(cuts))


def _log10(number: float) -> float:
    return float(arb(number).log() / arb(10).log()) if number > 0 else -60.0


class _ErrorModels:
    """Bounds of the error of one program on pieces of the interval."""

    def __init__(self, curve: ErrorCurve, quotient: Quotient, order: int) -> None:
        self.curve = curve
        self.order = order
        self.quotient = quotient
        self.divided = {zero: without_zero(quotient, zero) for zero in curve.zeros}

    def bound(self, left: float, right: float) -> Any | None:
        """A proven bound of the error on [left, right], or None where the piece is too wide for one."""
        zero = next((each for each in self.curve.zeros if left <= each.point <= right), None)
        centre = arb(left + (right - left) / 2) if zero is None else arb(zero.point)
        radius = (arb(right) - centre).max(centre - arb(left)).upper()
        try:
            bound = self._error(Piece(centre, radius, self.order), zero)
        except NoModelError:
            bound = self._plain_bound(ball(left, right), zero)
        return bound if bound.is_finite() else None

    def _error(self, piece: Piece, zero: Zero | None) -> Any:
        quotient = self.quotient if zero is None else self.divided[zero]
        numerator = model_of_polynomial(quotient.numerator, piece)
        denominator = model_of_polynomial(quotient.denominator, piece)
        value = (numerator * denominator.reciprocal()).power(quotient.power)
        target = model_of_target(self.curve.target, piece, order_of_zero=0 if zero is None else zero.order)
        if self.curve.relative:
            return (value * target.reciprocal()).minus(1).bound()
        error = value.minus_model(target)
        if self.curve.weight is not None:
            error = error * model_of_target(self.curve.weight, piece)
        return error.bound()

    def _plain_bound(self, x: Any, zero: Zero | None) -> Any:
        """A bound by the values on a ball alone: wide, but it stands where the target has no power series."""
        if zero is not None:
            return arb.pos_inf()
        value = (arb_poly(self.quotient.numerator)(x) / arb_poly(self.quotient.denominator)(x)) ** self.quotient.power
        target = self.curve.target.value(x)
        error = value / target - 1 if self.curve.relative else value - target
        if self.curve.weight is not None:
            error *= self.curve.weight.value(x)
        return error.abs_upper()
