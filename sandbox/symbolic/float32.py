"""The words of the vocabulary `float32` over numpy arrays: every operation rounds to float32 exactly as C does.

A value is 32 bits. Arithmetic reads them as a float32, `..._bits` and the shifts read them as an int32; so bit casts
need no words, and a constant stands for the nearest float32 and for that number's bits. Where arithmetic makes a NaN
its payload is the machine's choice: programs whose value depends on one are worth nothing anyway.
"""

from typing import Any

import numpy as np

MANTISSA_BITS = 23


def word(value: Any) -> Any:
    """The value as float32 words."""
    return np.asarray(value, dtype=np.float32)


def _bits(value: Any) -> Any:
    return word(value).view(np.uint32)


def _word(bits: Any) -> Any:
    return np.asarray(bits, dtype=np.uint32).view(np.float32)


def add(a: Any, b: Any) -> Any:
    """The rounded sum."""
    return word(a) + word(b)


def sub(a: Any, b: Any) -> Any:
    """The rounded difference."""
    return word(a) - word(b)


def mul(a: Any, b: Any) -> Any:
    """The rounded product."""
    return word(a) * word(b)


def div(a: Any, b: Any) -> Any:
    """The rounded quotient."""
    return word(a) / word(b)


def neg(a: Any) -> Any:
    """The value with the other sign."""
    return -word(a)


def fma(a: Any, b: Any, c: Any) -> Any:
    """The product of `a` and `b` plus `c`, rounded once.

    float64 holds the product exactly; its sum with c is rounded to odd there, so that the last rounding, to float32,
    is as good as the only one (Boldo and Melquiond 2008, https://doi.org/10.1109/TC.2007.70819).
    """
    with np.errstate(all="ignore"):
        product = word(a).astype(np.float64) * word(b)
        term = word(c).astype(np.float64)
        total = product + term
        part = total - product
        lost = (product - (total - part)) + (term - part)
        is_even = np.asarray(total).view(np.int64) & 1 == 0
        towards = np.nextafter(total, np.where(lost > 0, np.inf, -np.inf))
        return word(np.where(np.isfinite(total) & (lost != 0) & is_even, towards, total))


def minimum(a: Any, b: Any) -> Any:
    """The smaller; `b` where one is NaN or both are zero, as machines have it."""
    left, right = word(a), word(b)
    return np.where(left < right, left, right)


def maximum(a: Any, b: Any) -> Any:
    """The larger; `b` where one is NaN or both are zero, as machines have it."""
    left, right = word(a), word(b)
    return np.where(left > right, left, right)


def rint(a: Any) -> Any:
    """The nearest integer, ties to even."""
    return np.rint(word(a))


def add_bits(a: Any, b: Any) -> Any:
    """The sum of the integers."""
    return _word(_bits(a) + _bits(b))


def sub_bits(a: Any, b: Any) -> Any:
    """The difference of the integers."""
    return _word(_bits(a) - _bits(b))


def and_bits(a: Any, b: Any) -> Any:
    """The bits that both have."""
    return _word(_bits(a) & _bits(b))


def clear_bits(a: Any, b: Any) -> Any:
    """The bits of `a` that `b` has not."""
    return _word(_bits(a) & ~_bits(b))


def to_exponent(a: Any) -> Any:
    """The integer times 2^23: its low bits become an exponent."""
    return _word(_bits(a) << np.uint32(MANTISSA_BITS))


def from_exponent(a: Any) -> Any:
    """The integer divided by 2^23, rounded down: sign and exponent become its low bits."""
    return _word((word(a).view(np.int32) >> np.int32(MANTISSA_BITS)).astype(np.uint32))


def int_to_float(a: Any) -> Any:
    """The float32 nearest to the integer."""
    return word(a).view(np.int32).astype(np.float32)
