"""A proof that the error of a program stays below a bound on the whole interval.

The interval is cut into pieces until, on each, a Taylor model of the error stays within half a percent of the largest
error that was found at a point. Every step is in ball arithmetic on the exact form, so the bound is a theorem about
the program over the real numbers (its constants being the float64 numbers that are written).
"""

from dataclasses import dataclass
from typing import Any

from flint import arb

from evaluators.approximation.precision import working
from evaluators.approximation.rational import Quotient
from evaluators.approximation.sup_error import ErrorCurve, Peak, without_zero
from evaluators.approximation.taylor_model import (
    NoModelError,
    Piece,
    TaylorModel,
    model_of_polynomial,
    model_of_target,
)

BITS = 384
MAX_PIECES = 20_000
SLACK = 1.005
SMALLEST_BOUND = 1e-60
NARROWEST = 2.0**-48
METHOD = "Taylor models in ball arithmetic on the exact rational form, adaptive bisection"


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
        NotProvedError: the bound could not be proved within the allowed number of pieces.
    """
    order = 8 + max(0, min(24, round(-_log10(peak.error) * 0.6)))
    with working(bits=BITS, length=order + 4):
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


def _first_pieces(curve: ErrorCurve) -> list[tuple[float, float]]:
    if curve.low < 0 < curve.high:
        return [(curve.low, 0.0), (0.0, curve.high)]
    return [(curve.low, curve.high)]


def _log10(number: float) -> float:
    return float(arb(number).log() / arb(10).log()) if number > 0 else -60.0


class _ErrorModels:
    """Bounds of the error of one program on pieces of the interval."""

    def __init__(self, curve: ErrorCurve, quotient: Quotient, order: int) -> None:
        self.curve = curve
        self.order = order
        self.quotient = quotient
        self.divided = without_zero(quotient) if curve.has_zero else quotient

    def bound(self, left: float, right: float) -> Any | None:
        """A proven bound of the error on [left, right], or None where the piece is too wide for one."""
        at_zero = self.curve.has_zero and left <= 0 <= right
        centre = arb(0) if at_zero else arb(left + (right - left) / 2)
        radius = (arb(right) - centre).max(centre - arb(left)).upper()
        try:
            model = self._error(Piece(centre, radius, self.order), at_zero=at_zero)
        except NoModelError:
            return None
        bound = model.bound()
        return bound if bound.is_finite() else None

    def _error(self, piece: Piece, *, at_zero: bool) -> TaylorModel:
        quotient = self.divided if at_zero else self.quotient
        numerator = model_of_polynomial(quotient.numerator, piece)
        denominator = model_of_polynomial(quotient.denominator, piece)
        value = (numerator * denominator.reciprocal()).power(quotient.power)
        target = model_of_target(self.curve.target, piece, divided_by_x=at_zero)
        if not self.curve.relative:
            return value.minus_model(target)
        return (value * target.reciprocal()).minus(1)
