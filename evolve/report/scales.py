"""Scales: from values to places on paper, with round numbers to write beside them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 50.0, 100.0)
_FULL_DECADES = 2.0
_LARGEST = 1e300  # beyond, the width of a scale would overflow
_FEW_WHOLE = 3.0
"""Over a range of at least so much ticks are whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values from `low` to `high` onto places from `start` to `end`. What lies outside is put on the border."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value is drawn."""
        low, high, at = (self._along(each) for each in (self.low, self.high, min(max(value, self.low), self.high)))
        share = 0.5 if high == low else (at - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def _along(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self, about: int = 5) -> list[float]:
        """Round values inside the scale, about so many."""
        return log_ticks(self.low, self.high, about) if self.log else linear_ticks(self.low, self.high, about)


def scale_over(values: Sequence[float], start: float, end: float, *, log: bool = False, margin: float = 0.0) -> Scale:
    """A scale that holds all the values, with a margin as a share of their range.

    On a logarithmic scale values that are not positive count for nothing.
    """
    known = [value for value in values if abs(value) <= _LARGEST and (value > 0 or not log)]
    low, high = min(known, default=1.0 if log else 0.0), max(known, default=10.0 if log else 1.0)
    if log:
        room = (high / low) ** margin if high > low else 3.0
        return Scale(low=low / room, high=high * room, start=start, end=end, log=True)
    room = (high - low) * margin if high > low else max(abs(high) * 0.1, 0.5)
    return Scale(low=low - room, high=high + room, start=start, end=end)


def linear_ticks(low: float, high: float, about: int) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten between two values."""
    if not high > low:
        return [low]
    raw = (high - low) / max(about, 1)
    magnitude = 10.0 ** math.floor(math.log10(raw))
    steps = (each * magnitude for each in _STEPS if each * magnitude >= raw * (1 - 1e-9))
    step = next(each for each in steps if high - low < _FEW_WHOLE or each == round(each))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(count * step, 12 - math.floor(math.log10(step))) + 0.0 for count in range(first, last + 1)]


def log_ticks(low: float, high: float, about: int) -> list[float]:
    """Powers of ten between two positive values, every so many if there are many; 2 and 5 between them if few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, round((last - first) / max(about, 1)))
    factors = (1.0, 2.0, 5.0) if math.log10(high / low) < _FULL_DECADES else (1.0,)
    found = [factor * 10.0**power for power in range(first, last + 1) if power % every == 0 for factor in factors]
    return [value for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def tick_text(value: float) -> str:
    """A tick as people write it: 0.25, 40k, 2M, 1e-12."""
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-3:
        return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    for limit, letter in ((1e6, "M"), (1e4, "k")):
        if size >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):.6g}{letter}"
    return f"{value:.6g}"
