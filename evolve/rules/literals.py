"""Literals of update rules: how new ones are drawn and old ones are changed."""

from typing import Final

import numpy as np

MEMORY: Final = frozenset({("ema", 2), ("debias", 1)})
"""Arguments, by word, that say how much is remembered: numbers k in (0, 1) of which 1 - k is the natural scale."""

STEP_NUMBER: Final = frozenset({("debias", 2), ("basis", 2), ("inverse_root", 2)})
"""Arguments, by word, that are the number of the step and nothing else."""

_USUAL: Final = (0.5, 1.0, 2.0, -1.0, 0.1)
_STANDARD_MEMORY: Final = (0.9, 0.99, 0.999, 0.95, 0.8, 0.5)


def is_memory(word: str, argument: int) -> bool:
    """Whether the argument is a share that is remembered from step to step."""
    return (word, argument) in MEMORY


def drawn(word: str, argument: int, rng: np.random.Generator) -> float:
    """A new literal for an argument of a word."""
    if is_memory(word, argument):
        if rng.random() < 0.5:
            return _STANDARD_MEMORY[int(rng.integers(len(_STANDARD_MEMORY)))]
        return float(1.0 - 10.0 ** rng.uniform(-3.5, -0.2))
    if rng.random() < 0.4:
        return _USUAL[int(rng.integers(len(_USUAL)))]
    sign = -1.0 if rng.random() < 0.1 and word not in ("clip", "pow") else 1.0
    return float(sign * 2.0 ** rng.uniform(-4.0, 4.0))


def varied(value: float, word: str, argument: int, rng: np.random.Generator, *, spread: float = 1.0) -> float:
    """A literal near `value`: a factor of 2 ** N(0, spread) on it, or on 1 - value where that is the natural scale.

    One in five is the nearest round number instead: what people and published rules write.
    """
    if rng.random() < 0.2:
        digits = int(rng.integers(1, 3))
        return round(1.0 - rounded(1.0 - value, digits), 12) if is_memory(word, argument) else rounded(value, digits)
    factor = float(2.0 ** (spread * rng.normal()))
    if is_memory(word, argument):
        return float(min(max(1.0 - (1.0 - value) * factor, 0.0), 0.99999))
    if value == 0.0:
        return float(spread * rng.normal())
    if rng.random() < 0.02:
        return -value
    return rounded(value * factor)


def rounded(value: float, digits: int = 6) -> float:
    """The value with few significant digits: literals are read by people."""
    return float(f"{value:.{digits}g}")
