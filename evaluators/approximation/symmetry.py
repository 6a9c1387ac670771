"""What structure a function has that programs may use: odd, even or periodic; checked at points, in balls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb

from evaluators.approximation.functions import Target, constant_of
from evaluators.approximation.precision import working
from evaluators.errors import EvaluatorError

BITS = 256
ROUNDED_PERIOD = 2.0**-44
PARTS = (0.013, 0.21, 0.37, 0.5, 0.64, 0.79, 0.93)
EXPECTED = "expected 'odd', 'even' or ['periodic', period] with a period such as '2*pi'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """`kind` is odd (f(-x) = -f(x)), even (f(-x) = f(x)) or periodic (f(x + period) = f(x))."""

    kind: str
    period: float | None = None


def symmetry_of(option: object, target: Target, low: float, high: float) -> Symmetry | None:
    """The symmetry that the option claims; none is claimed by None.

    Raises:
        EvaluatorError: the option says something else, or the function has no such symmetry.
    """
    if option is None:
        return None
    symmetry = _claimed(option)
    with working(bits=BITS):
        for point in (arb(low + (high - low) * part) for part in PARTS):
            _require(symmetry, target, point)
    return symmetry


def _claimed(option: object) -> Symmetry:
    if option in ("odd", "even"):
        return Symmetry(kind=str(option))
    if isinstance(option, Sequence) and not isinstance(option, str) and len(option) == 2 and option[0] == "periodic":
        period = constant_of(option[1])
        if period is not None and period > 0:
            return Symmetry(kind="periodic", period=period)
    raise EvaluatorError(f"evaluator.options.symmetry is {option!r}, {EXPECTED}")


def _require(symmetry: Symmetry, target: Target, x: Any) -> None:
    here = target.value(x)
    other = -x if symmetry.period is None else x + arb(symmetry.period)
    there = target.value(other)
    if not there.is_finite():
        at = other.str(6, radius=False)
        raise EvaluatorError(
            f"evaluator.options.symmetry is {symmetry.kind!r}, but {target.written} is not defined at x = {at}"
        )
    difference = here + there if symmetry.kind == "odd" else here - there
    # A period such as 2 pi is no float64: what its rounding does is no difference.
    room = abs(here) * ROUNDED_PERIOD + ROUNDED_PERIOD if symmetry.period is not None else 0
    if abs(difference) > room:
        raise EvaluatorError(
            f"evaluator.options.symmetry is {symmetry.kind!r}, but {target.written} is "
            f"{here.str(6, radius=False)} at x = {x.str(6, radius=False)} and {there.str(6, radius=False)} at "
            f"x = {other.str(6, radius=False)}"
        )
