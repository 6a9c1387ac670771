"""The largest error of a program over the whole interval, as a number; `proof` turns it into a theorem.

The error curve of a rational function against a smooth target can only have narrow spikes next to the function's
poles, and the poles are known: so the curve is sampled on Chebyshev points and around every pole near the interval,
and every local maximum is then refined. Values come from ball arithmetic on the exact form: no rounding shows.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from flint import arb, arb_poly

from evaluators.approximation.functions import Target, ball, taylor
from evaluators.approximation.poles import complex_zeros, zero_inside
from evaluators.approximation.precision import working
from evaluators.approximation.rational import Quotient
from evaluators.errors import EvaluatorError

N_POINTS = 256
BITS = 128
MAX_BITS = 8192
MAX_PEAKS = 48
REFINEMENTS = 5
MAX_HALVINGS = 40
ACCURACY = 1e-4
AROUND_A_POLE = (-10.0, -3.0, -1.5, -1.0, -0.7, -0.3, -0.1, 0.0, 0.1, 0.3, 0.7, 1.0, 1.5, 3.0, 10.0)
NEAR = 0.05
"""A pole farther from the interval than this part of its width makes no spike that the Chebyshev points miss."""


class UnboundedErrorError(Exception):
    """The error has no finite bound: a pole in the interval, or a relative error at a zero that is missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The largest error found, and the point where it is attained."""

    error: float
    point: float


class ErrorCurve:
    """The error against one target on one interval, as a function of the program's exact form.

    The target's values on the fixed points are computed once; judging a program takes about a millisecond.
    """

    def __init__(self, target: Target, low: float, high: float, *, relative: bool) -> None:
        self.target = target
        self.low = low
        self.high = high
        self.relative = relative
        self._points = chebyshev_points(low, high, N_POINTS)
        self._values: dict[int, list[Any]] = {}

    @property
    def has_zero(self) -> bool:
        """Whether a relative error is taken at x = 0, where the target is zero, as a limit."""
        return self.relative and self.target.zero_at_0 and self.low <= 0 <= self.high

    def require_defined(self) -> None:
        """Raise EvaluatorError unless the target is finite, and not zero where a relative error needs it."""
        with working(bits=BITS):
            values = self.values_at(self._points)
            defined = all(value.is_finite() for value in values) and self._is_finite_between_points()
        if not defined:
            raise EvaluatorError(f"{self.target.written} is not defined on all of [{self.low!r}, {self.high!r}]")
        signs = {bool(value > 0) for value in values if not value.contains(0)}
        if self.relative and (len(signs) != 1 or any(value.contains(0) for value in values)):
            raise EvaluatorError(
                f"{self.target.written} is zero inside [{self.low!r}, {self.high!r}], where a relative error makes no "
                "sense: set evaluator.options.error = 'absolute' or choose another interval"
            )

    def _is_finite_between_points(self) -> bool:
        """Whether the target has no pole inside; at the ends themselves its enclosure may fail (sqrt at 0)."""
        pending = [(left, right, 0) for left, right in pairwise(self._points)]
        while pending:
            left, right, depth = pending.pop()
            if self.target.value(ball(left, right)).is_finite():
                continue
            middle = left + (right - left) / 2
            if depth == MAX_HALVINGS or not left < middle < right:
                if self.low < left and right < self.high:
                    return False
                continue
            pending += [(left, middle, depth + 1), (middle, right, depth + 1)]
        return True

    def largest(self, quotient: Quotient) -> Peak:
        """The largest error over the closed interval, to about 1e-4 of itself.

        Raises:
            UnboundedErrorError: there is no finite largest error.
            NoExactFormError: the degree is too large.
        """
        self.require_bounded(quotient)
        bits = BITS
        while True:
            with working(bits=bits):
                peak, settled = self._largest(quotient, bits)
            if settled or bits >= MAX_BITS:
                return peak
            bits *= 2

    def require_bounded(self, quotient: Quotient) -> None:
        """Raise UnboundedErrorError if there is a pole, or a zero of the target that the program misses."""
        pole = zero_inside(quotient.denominator, self.low, self.high)
        if pole is not None:
            raise UnboundedErrorError(f"the program has a pole in the interval, near x = {pole!r}")
        if self.has_zero and quotient.numerator(0) != 0:
            value = float(arb(quotient.numerator(0) / quotient.denominator(0)) ** quotient.power)
            raise UnboundedErrorError(
                f"f(0) is {value!r} but {self.target.written} is 0 at x = 0, so the relative error grows without "
                "bound: use a form that is exactly zero there, such as x * R(x)"
            )

    def errors_at(self, quotient: Quotient, points: list[float], values: list[Any]) -> list[Any]:
        """Balls around the signed errors; `values` are the target's (divided by x where the zero is divided out)."""
        if self.has_zero:
            quotient = without_zero(quotient)
        numerator, denominator = arb_poly(quotient.numerator), arb_poly(quotient.denominator)
        errors = []
        for point, value in zip(points, values, strict=True):
            x = arb(point)
            ratio = numerator(x) / denominator(x)
            if quotient.power != 1:
                ratio = ratio**quotient.power
            errors.append(ratio / value - 1 if self.relative else ratio - value)
        return errors

    def values_at(self, points: list[float]) -> list[Any]:
        """Balls around the target's values; around target(x)/x where its zero at 0 is divided out."""
        if not self.has_zero:
            return [self.target.value(arb(point)) for point in points]
        return [self.target.value(arb(point)) / arb(point) if point else self._slope_at_0() for point in points]

    def _slope_at_0(self) -> Any:
        return taylor(self.target, arb(0), 2)[1]

    def _largest(self, quotient: Quotient, bits: int) -> tuple[Peak, bool]:
        """The peak, and whether the working precision was enough for it."""
        if bits not in self._values:
            self._values[bits] = self.values_at(self._points)
        points, values = self._points, self._values[bits]
        extra = self._points_near_poles(quotient)
        sizes = [size_of(error) for error in self.errors_at(quotient, points, values)]
        curve = list(zip(points, sizes, strict=True))
        if extra:
            near = self.errors_at(quotient, extra, self.values_at(extra))
            curve = sorted({*curve, *zip(extra, (size_of(error) for error in near), strict=True)})
        peak = self._refined(quotient, curve)
        [error] = self.errors_at(quotient, [peak.point], self.values_at([peak.point]))
        width = float(error.rad())
        return peak, math.isfinite(peak.error) and (width <= ACCURACY * peak.error or peak.error == 0.0)

    def _points_near_poles(self, quotient: Quotient) -> list[float]:
        width = self.high - self.low
        points: set[float] = set()
        for pole in complex_zeros(quotient.denominator):
            nearest = min(max(pole.real, self.low), self.high)
            distance = abs(pole - nearest)
            if distance < NEAR * width:
                points.update(min(max(nearest + step * distance, self.low), self.high) for step in AROUND_A_POLE)
        return sorted(points)

    def _refined(self, quotient: Quotient, curve: list[tuple[float, float]]) -> Peak:
        """The largest of the local maxima, each followed by parabolas."""
        last = len(curve) - 1
        tops = [
            i
            for i, (_, size) in enumerate(curve)
            if size >= curve[max(i - 1, 0)][1] and size >= curve[min(i + 1, last)][1]
        ]
        largest = max(size for _, size in curve)
        tops = [i for i in sorted(tops, key=lambda i: -curve[i][1])[:MAX_PEAKS] if curve[i][1] >= largest / 3]
        best = max(curve, key=lambda pair: pair[1])
        for i in tops:
            if 0 < i < last:
                best = max(best, self._climb(quotient, curve[i - 1 : i + 2]), key=lambda pair: pair[1])
        return Peak(error=best[1], point=best[0])

    def _climb(self, quotient: Quotient, bracket: list[tuple[float, float]]) -> tuple[float, float]:
        """The maximum inside three points of which the middle one is highest."""
        left, top, right = bracket
        for _ in range(REFINEMENTS):
            point = _vertex(left, top, right)
            if not left[0] < point < right[0] or point == top[0]:
                break
            [error] = self.errors_at(quotient, [point], self.values_at([point]))
            new = (point, size_of(error))
            gain = new[1] - top[1]
            if new[1] > top[1]:
                left, top, right = (top, new, right) if point > top[0] else (left, new, top)
            else:
                left, right = (left, new) if point > top[0] else (new, right)
            if abs(gain) <= ACCURACY / 10 * top[1]:
                break
        return top


def _vertex(left: tuple[float, float], top: tuple[float, float], right: tuple[float, float]) -> float:
    """The top of the parabola through three points; the middle of the wider side where it has none."""
    a, b = top[0] - left[0], right[0] - top[0]
    rise, fall = (top[1] - left[1]) * b, (top[1] - right[1]) * a
    if rise + fall <= 0 or not math.isfinite(rise + fall):
        return top[0] + b / 2 if b > a else top[0] - a / 2
    return top[0] + (rise * b - fall * a) / (2 * (rise + fall))


def size_of(error: Any) -> float:
    """An upper bound of the absolute value; infinity where the working precision says nothing."""
    size = float(error.abs_upper())
    return math.inf if math.isnan(size) else size


def without_zero(quotient: Quotient) -> Quotient:
    """The quotient divided by x; its numerator must be zero at 0."""
    plain = quotient.expanded()
    return Quotient(plain.numerator.right_shift(1), plain.denominator)


def chebyshev_points(low: float, high: float, count: int) -> list[float]:
    """`count` Chebyshev points of the interval, with both ends, ascending."""
    angles = np.linspace(0.0, math.pi, count)
    points = low + (high - low) * (1 - np.cos(angles)) / 2
    points[0], points[-1] = low, high
    return [float(point) for point in np.unique(np.clip(points, low, high))]
