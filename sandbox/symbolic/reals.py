"""The words of update rules over plain numbers: total functions, so that no number a program meets raises an error."""

import math
from collections.abc import Callable
from typing import Final

SMALLEST_DIVISOR: Final = 1e-12
"""Divisors and arguments of `log` are kept at least this far from zero."""

LARGEST_EXPONENT: Final = 50.0
"""`exp` sees its argument within this distance from zero; exp(50) is about 5e21."""


def divisor(x: float) -> float:
    """`x`, or the nearest number of its sign that may divide (any zero counts as positive)."""
    return x if math.isnan(x) else math.copysign(max(abs(x), SMALLEST_DIVISOR), x + 0.0)


def div(a: float, b: float) -> float:
    """The quotient a / b, where |b| is at least 1e-12."""
    return a / divisor(b)


def power(a: float, b: float) -> float:
    """|a| to the power b; infinite where that is too large, as for a negative power of zero."""
    try:
        return float(abs(a) ** b)
    except (OverflowError, ZeroDivisionError):
        return math.inf


def sign(x: float) -> float:
    """-1, 0 or 1; no number stays none."""
    return x if math.isnan(x) else float(x > 0) - float(x < 0)


def sqrt(x: float) -> float:
    """The square root of |x|."""
    return math.sqrt(abs(x))


def exp(x: float) -> float:
    """The exponential of x, which is clipped to [-50, 50]."""
    return x if math.isnan(x) else math.exp(min(max(x, -LARGEST_EXPONENT), LARGEST_EXPONENT))


def log(x: float) -> float:
    """The logarithm of |x|, which counts as at least 1e-12."""
    return math.log(max(abs(x), SMALLEST_DIVISOR))


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x))."""
    return 0.5 + 0.5 * math.tanh(0.5 * x)


def minimum(a: float, b: float) -> float:
    """The smaller one; no number if one of them is none."""
    return math.nan if math.isnan(a) or math.isnan(b) else min(a, b)


def maximum(a: float, b: float) -> float:
    """The larger one; no number if one of them is none."""
    return math.nan if math.isnan(a) or math.isnan(b) else max(a, b)


def clip(x: float, k: float) -> float:
    """`x` within [-|k|, |k|]."""
    return minimum(maximum(x, -abs(k)), abs(k))


REAL_WORDS: Final[dict[str, Callable[..., float]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": div,
    "positive_div": div,
    "plain_div": lambda a, b: a / b,
    "pow": power,
    "neg": lambda x: -x,
    "sign": sign,
    "abs": abs,
    "sqrt": sqrt,
    "plain_sqrt": sqrt,
    "square": lambda x: x * x,
    "exp": exp,
    "log": log,
    "log1p": lambda x: math.log1p(abs(x)),
    "tanh": math.tanh,
    "sigmoid": sigmoid,
    "minimum": minimum,
    "maximum": maximum,
    "clip": clip,
    "agree": lambda a, b: maximum(sign(a) * sign(b), 0.0),
}
"""Every word that has a meaning for plain numbers alone, by its name."""
