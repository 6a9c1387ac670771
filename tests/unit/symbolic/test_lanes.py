"""Inner products in the lanes of a vector."""

import numpy as np

from evolve.symbolic.lanes import dot, dot_vector, square_sum


def in_written_order(left: list[float], right: list[float]) -> float:
    s = [0.0] * 8
    for p, (a, b) in enumerate(zip(left, right, strict=True)):
        s[p % 8] += a * b
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))


def test_an_inner_product_adds_in_the_order_that_is_written_down() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(3, 40)) * 1e3, rng.normal(size=(4, 48))

    assert dot(a, 1, b, 2, 40) == in_written_order(a[1].tolist(), b[2, :40].tolist())
    assert dot(a, 2, a, 0, 16) == in_written_order(a[2, :16].tolist(), a[0, :16].tolist())
    assert dot_vector(b, 3, b[1], 48) == in_written_order(b[3].tolist(), b[1].tolist())
    assert square_sum(a[0], 40) == in_written_order(a[0].tolist(), a[0].tolist())


def test_an_empty_inner_product_is_zero() -> None:
    assert dot(np.ones((2, 8)), 0, np.ones((2, 8)), 1, 0) == 0.0
