"""The functions that float32 programs can be asked for, their intervals, and the numbering of the float32 numbers."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluators.errors import EvaluatorError

Float32Array = npt.NDArray[np.float32]

TARGETS = {
    "exp2": "exp2(x)",
    "exp": "exp(x)",
    "expm1": "expm1(x)",
    "log2": "log2(x)",
    "log": "log(x)",
    "log1p": "log1p(x)",
    "sqrt": "sqrt(x)",
    "rsqrt": "(1.0 / sqrt(x))",
    "sin": "sin(x)",
    "cos": "cos(x)",
    "tan": "tan(x)",
    "asin": "asin(x)",
    "atan": "atan(x)",
    "tanh": "tanh(x)",
    "erf": "erf(x)",
    "erfc": "erfc(x)",
}
"""From names to C in double, the reference."""

REFERENCE_UNITS = 8.0
"""The reference is taken to be within so many units in the last place of float64; glibc's tables list at most 5."""

REFERENCE_ERROR = (REFERENCE_UNITS + 1.0) * 2.0**-29
"""What that is in units of float32, and one more for the arithmetic on errors: added to every bound that is claimed."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All float32 numbers from `low` to `high`, both included; numbered by keys in their order."""

    low: float
    high: float

    @property
    def first(self) -> int:
        """The key of the lowest."""
        return key_of(self.low)

    @property
    def last(self) -> int:
        """The key of the highest."""
        return key_of(self.high)

    @property
    def size(self) -> int:
        """How many float32 numbers there are; zero counts twice, with either sign."""
        return self.last - self.first + 1 + int(self.first <= 0 <= self.last)


def target_named(name: object) -> str:
    """The C expression of a function.

    Raises:
        EvaluatorError: there is no such function; the message names the nearest.
    """
    if isinstance(name, str) and name in TARGETS:
        return TARGETS[name]
    near = difflib.get_close_matches(str(name), TARGETS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise EvaluatorError(f"evaluator.options.function is {name!r}, expected one of {', '.join(TARGETS)}{hint}")


def interval_of(ends: object) -> Interval:
    """The float32 numbers between two ends: an end that is no float32 counts as the next one inside.

    Raises:
        EvaluatorError: these are no two finite numbers with a float32 between them.
    """
    is_pair = isinstance(ends, Sequence) and not isinstance(ends, str) and len(ends) == 2
    numbers = [float(e) for e in ends if isinstance(e, int | float) and abs(e) < 2.0**128] if is_pair else []  # type: ignore[attr-defined]
    if len(numbers) == 2:
        low, high = _inside(numbers[0], math.inf), _inside(numbers[1], -math.inf)
        if low <= high:
            return Interval(low, high)
    raise EvaluatorError(f"evaluator.options.interval is {ends!r}, expected two float32 ends such as [-126, 127.5]")


def key_of(x: float) -> int:
    """The place of a float32 number in their order; both zeros have 0."""
    bits = int(np.float32(x).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def from_keys(keys: npt.NDArray[np.int64]) -> Float32Array:
    """The float32 numbers of keys."""
    bits = np.where(keys >= 0, keys, 0x80000000 | np.abs(keys)).astype(np.uint32)
    return bits.view(np.float32)


def spread(interval: Interval, n: int) -> Float32Array:
    """About `n` numbers of the interval, always the same: a third evenly by value, a third by key, a third by binade.

    Errors repeat from binade to binade: the last third has the values of the binades in turn, each at other places.
    """
    low, high = interval.low, interval.high
    part = max(n // 3, 2)
    by_value = np.linspace(low, high, part).astype(np.float32)
    by_key = np.linspace(interval.first, interval.last, part).astype(np.int64)
    rng = np.random.default_rng(part)
    near = np.ldexp(rng.uniform(1.0, 2.0, part), rng.integers(-24, 8, part)) * rng.choice((-1.0, 1.0), part)
    around_one = np.concatenate((near, 1.0 + near * 2.0**-8)).astype(np.float32)
    inside = around_one[(around_one >= np.float32(low)) & (around_one <= np.float32(high))]
    return np.unique(np.clip(np.concatenate((by_value, from_keys(by_key), inside)), low, high))


def _inside(end: float, towards: float) -> float:
    nearest = np.float32(end)
    is_outside = float(nearest) < end if towards > 0 else float(nearest) > end
    return float(np.nextafter(nearest, np.float32(towards)) if is_outside or not np.isfinite(nearest) else nearest)
