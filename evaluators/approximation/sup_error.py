"""The largest error of a program over the whole interval, as a number; `proof` turns it into a theorem.

The error curve of a rational function against a smooth target can only have narrow spikes next to the function's
poles, and the poles are known: so the curve is sampled on Chebyshev points and around every pole near the interval,
and every local maximum is then refined. Values come from ball arithmetic on the exact form: no rounding shows.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_poly, ctx

from evaluators.approximation.defined import require_defined, require_no_other_zero, require_weight
from evaluators.approximation.functions import Target
from evaluators.approximation.poles import complex_zeros, zero_inside
from evaluators.approximation.precision import working
from evaluators.approximation.rational import Quotient, exact
from evaluators.approximation.zeros import Zero, leading_coefficient, misses, without_zero, zeros_of

N_POINTS = 256
BITS = 128
MAX_BITS = 8192
MAX_PEAKS = 48
REFINEMENTS = 5
MAX_KNOWN_WEIGHTS = 4 * N_POINTS
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

    def __init__(
        self, target: Target, low: float, high: float, *, relative: bool, weight: Target | None = None
    ) -> None:
        if relative and weight is not None:
            raise ValueError("an error is relative or weighted, not both")
        self.target = target
        self.low = low
        self.high = high
        self.relative = relative
        self.weight = weight
        self.points = chebyshev_points(low, high, N_POINTS)
        self._values: dict[int, list[Any]] = {}
        self._weights: dict[tuple[int, float], Any] = {}
        self._zeros: tuple[Zero, ...] | None = None

    @property
    def kind(self) -> str:
        """What the error is: relative, absolute or weighted."""
        return "relative" if self.relative else "absolute" if self.weight is None else "weighted"

    @property
    def zeros(self) -> tuple[Zero, ...]:
        """Where a relative error is taken as a limit, because the target is zero there."""
        if not self.relative:
            return ()
        if self._zeros is None:
            with working(bits=BITS):
                values = [self.target.value(arb(point)) for point in self.points]
                self._zeros = zeros_of(self.target, self.points, values)
        return self._zeros

    @property
    def has_zero(self) -> bool:
        """Whether there are `zeros`."""
        return bool(self.zeros)

    def require_defined(self) -> None:
        """Raise EvaluatorError unless the target is finite, and not zero where a relative error needs it."""
        with working(bits=BITS):
            values = self.values_at(self.points)
            require_defined(self.target, self.points, values)
            if self.relative:
                require_no_other_zero(self.target, self.points, values, self.zeros)
            if self.weight is not None:
                require_weight(self.weight, self.points)

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
        for zero in self.zeros:
            if misses(quotient, zero):
                raise UnboundedErrorError(self._missed(quotient, zero))

    def _missed(self, quotient: Quotient, zero: Zero) -> str:
        point = exact(zero.point)
        value = float(arb(quotient.numerator(point) / quotient.denominator(point)) ** quotient.power)
        factor = "x" if zero.point == 0 else f"(x - {zero.point!r})"
        power = f"^{zero.order}" if zero.order > 1 else ""
        return (
            f"f({zero.point:g}) is {value!r} but {self.target.written} is 0 at x = {zero.point:g}, so the relative "
            f"error grows without bound: use a form that is exactly zero there, such as {factor}{power} * R(x)"
        )

    def errors_at(self, quotient: Quotient, points: list[float], values: list[Any]) -> list[Any]:
        """Balls around the signed errors; `values` are the target's (with its zeros divided out)."""
        for zero in self.zeros:
            quotient = without_zero(quotient, zero)
        numerator, denominator = arb_poly(quotient.numerator), arb_poly(quotient.denominator)
        errors = []
        for point, value in zip(points, values, strict=True):
            x = arb(point)
            ratio = numerator(x) / denominator(x)
            if quotient.power != 1:
                ratio = ratio**quotient.power
            errors.append(ratio / value - 1 if self.relative else ratio - value)
        if self.weight is None:
            return errors
        return [error * self.weight_at(point) for error, point in zip(errors, points, strict=True)]

    def values_at(self, points: list[float]) -> list[Any]:
        """Balls around the target's values, divided by (x - zero)^order for each of its zeros."""
        zeros = self.zeros
        if not zeros:
            return [self.target.value(arb(point)) for point in points]
        return [self._divided_value(arb(point), zeros) for point in points]

    def _divided_value(self, x: Any, zeros: tuple[Zero, ...]) -> Any:
        value, factor = None, arb(1)
        for zero in zeros:
            distance = x - arb(zero.point)
            if distance.is_zero():
                value = leading_coefficient(self.target, zero)
            else:
                factor *= distance**zero.order
        return (self.target.value(x) if value is None else value) / factor

    def weight_at(self, point: float) -> Any:
        """A ball around what errors are multiplied by at a point."""
        if self.weight is None:
            return arb(1)
        key = (ctx.prec, point)
        weight = self._weights.get(key)
        if weight is None:
            weight = self.weight.value(arb(point))
            if len(self._weights) < MAX_KNOWN_WEIGHTS:
                self._weights[key] = weight
        return weight

    def _largest(self, quotient: Quotient, bits: int) -> tuple[Peak, bool]:
        """The peak, and whether the working precision was enough for it."""
        if bits not in self._values:
            self._values[bits] = self.values_at(self.points)
        points, values = self.points, self._values[bits]
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


def chebyshev_points(low: float, high: float, count: int) -> list[float]:
    """`count` Chebyshev points of the interval, with both ends, ascending."""
    angles = np.linspace(0.0, math.pi, count)
    points = low + (high - low) * (1 - np.cos(angles)) / 2
    points[0], points[-1] = low, high
    return [float(point) for point in np.unique(np.clip(points, low, high))]
