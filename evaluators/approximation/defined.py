"""Whether a target makes sense on an interval: finite, and without zeros that a relative error could not stand."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from flint import arb

from evaluators.approximation.functions import Target, ball
from evaluators.approximation.zeros import Zero
from evaluators.errors import EvaluatorError

MAX_HALVINGS = 40
MAX_PIECES = 5000


def require_defined(target: Target, points: Sequence[float], values: Sequence[Any]) -> None:
    """Refuse a target that is not finite at a point (`values` are those there) or has a pole between two of them.

    Raises:
        EvaluatorError: it is not defined on the whole interval.
    """
    undefined = next((point for point, value in zip(points, values, strict=True) if not value.is_finite()), None)
    if undefined is None:
        undefined = _pole_between(target, points)
    if undefined is not None:
        raise EvaluatorError(
            f"{target.written} is not defined on all of [{points[0]!r}, {points[-1]!r}], see x = {undefined!r}"
        )


def require_no_other_zero(
    target: Target, points: Sequence[float], values: Sequence[Any], zeros: Sequence[Zero]
) -> None:
    """Refuse a target with more zeros than these, which `values` at the points have divided out.

    A zero of even order between the points is searched for with a bounded number of pieces.

    Raises:
        EvaluatorError: there is another zero.
    """
    where = next((point for point, value in zip(points, values, strict=True) if value.contains(0)), None)
    if where is None:
        pairs = pairwise(zip(points, values, strict=True))
        where = next((left for (left, below), (_, above) in pairs if bool(below > 0) != bool(above > 0)), None)
    if where is None and target.is_enclosed:
        where = _zero_between(target, points, [zero.point for zero in zeros])
    if where is not None:
        raise EvaluatorError(
            f"{target.written} is zero inside [{points[0]!r}, {points[-1]!r}], near x = {where:.6g}, where no program "
            "can be exactly zero too and a relative error makes no sense: set evaluator.options.error = 'absolute' or "
            "choose another interval"
        )


def require_weight(weight: Target, points: Sequence[float]) -> None:
    """Refuse a weight that is not finite, or not above zero inside the interval.

    Raises:
        EvaluatorError: it is not; the message says where.
    """
    for place, point in enumerate(points):
        value = weight.value(arb(point))
        is_end = place in (0, len(points) - 1)
        if not value.is_finite() or not (value > 0 or (is_end and value >= 0)):
            raise EvaluatorError(
                f"the weight {weight.written} of evaluator.options.error is {value.str(6)} at x = {point!r}, "
                "expected a number above 0"
            )
    pole = _pole_between(weight, points)
    if pole is not None:
        raise EvaluatorError(f"the weight {weight.written} of evaluator.options.error has a pole near x = {pole!r}")


def _pole_between(target: Target, points: Sequence[float]) -> float | None:
    """Where the target has a pole inside, about; at the ends themselves its enclosure may fail (sqrt at 0)."""
    if not target.is_enclosed:
        return None
    pending = [(left, right, 0) for left, right in pairwise(points)]
    while pending:
        left, right, depth = pending.pop()
        if target.value(ball(left, right)).is_finite():
            continue
        middle = left + (right - left) / 2
        if depth == MAX_HALVINGS or not left < middle < right:
            if points[0] < left and right < points[-1]:
                return middle
            continue
        pending += [(left, middle, depth + 1), (middle, right, depth + 1)]
    return None


def _zero_between(target: Target, points: Sequence[float], known: Sequence[float]) -> float | None:
    """Where there is another zero, about; pieces that touch a known one are passed over."""
    pending = [(left, right, 0) for left, right in pairwise(sorted({*points, *known}))]
    for _ in range(MAX_PIECES):
        if not pending:
            break
        left, right, depth = pending.pop()
        if left in known or right in known or not target.value(ball(left, right)).contains(0):
            continue
        middle = left + (right - left) / 2
        if depth == MAX_HALVINGS or not left < middle < right:
            return middle
        pending += [(left, middle, depth + 1), (middle, right, depth + 1)]
    return None
