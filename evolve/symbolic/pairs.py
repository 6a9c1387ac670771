"""Double-double arithmetic on single numbers, compiled; `sandbox.symbolic.double_double` says where it comes from."""

from math import sqrt

from evolve.symbolic.kernel import compiled

SPLITTER = 134217729.0  # 2**27 + 1


@compiled
def _sum(a: float, b: float) -> tuple[float, float]:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@compiled
def _product(a: float, b: float) -> tuple[float, float]:
    total = a * b
    a_high = SPLITTER * a
    a_high = a_high - (a_high - a)
    b_high = SPLITTER * b
    b_high = b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    return total, ((a_high * b_high - total) + a_high * b_low + a_low * b_high) + a_low * b_low


@compiled
def _normal(a: float, b: float) -> tuple[float, float]:
    total = a + b
    return total, b - (total - a)


@compiled
def add_pairs(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """The sum of two double-double numbers."""
    high, error = _sum(a, b)
    low, low_error = _sum(a_low, b_low)
    high, error = _normal(high, error + low)
    return _normal(high, error + low_error)


@compiled
def multiply_pairs(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """The product of two double-double numbers."""
    high, error = _product(a, b)
    return _normal(high, error + (a * b_low + a_low * b))


@compiled
def divide_pairs(a: float, a_low: float, b: float, b_low: float) -> tuple[float, float]:
    """The quotient of two double-double numbers, by long division."""
    first = a / b
    high, low = multiply_pairs(b, b_low, first, 0.0)
    rest, rest_low = add_pairs(a, a_low, -high, -low)
    second = rest / b
    high, low = multiply_pairs(b, b_low, second, 0.0)
    rest, rest_low = add_pairs(rest, rest_low, -high, -low)
    high, low = _normal(first, second)
    return add_pairs(high, low, rest / b, 0.0)


@compiled
def root_pair(a: float, a_low: float) -> tuple[float, float]:
    """The square root of a double-double number."""
    root = sqrt(a)
    high, low = _product(root, root)
    rest, _ = add_pairs(a, a_low, -high, -low)
    return _sum(root, rest / (2.0 * root) if root > 0.0 else 0.0)
