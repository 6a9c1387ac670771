"""What a structure must keep: its order at zero and its parity."""

import numpy as np
import pytest

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.genomes import write_genome
from evolve.symbolic.laws import ANY_ORDER, EVEN, NO_LAW, NO_PARITY, ODD, Laws, keeps_laws, laws_of, order_at_zero
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Vocabulary

NEAR_ZERO = np.array([2.0**-100, 2.0**-60, 2.0**-24, 0.1, 0.3, 0.6, 0.9])


def keeps(text: str, laws: Laws, *, with_parity: bool = True, vocabulary: Vocabulary = ARITHMETIC) -> bool:
    program = parse(text, vocabulary)
    code, constants = np.zeros((20, 3), np.int64), np.zeros((20, 2))
    n = write_genome(program, vocabulary, code, constants)
    return bool(keeps_laws(code, n, laws, with_parity, np.zeros((2, 24), np.int64)))


def order(k: int) -> Laws:
    return Laws(k, k, NO_PARITY)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("x * 3.0", 1),
        ("x + 3.0", 0),
        ("3.0 / x", -1),
        ("x * x * 2.0", 2),
        ("x / (x + 2.0)", 1),
        ("x + 2.0 / x", -1),
        ("2.0 / (x + 3.0 / x)", 1),
        ("(x * x + 1.0) / (x * x)", -2),
    ],
)
def test_the_order_at_zero_is_that_of_the_leading_power(text: str, right: int) -> None:
    text = f"def f(x):\n    return {text}\n"

    assert [k for k in range(-4, 5) if keeps(text, order(k))] == [right]


def test_a_function_whose_order_is_not_known_passes() -> None:
    assert keeps("def f(x):\n    return log(x + 1.0)\n", order(1), vocabulary=ELEMENTARY)


@pytest.mark.parametrize(
    ("text", "parity"),
    [
        ("x + 2.0 / x", ODD),
        ("x * x + 2.0", EVEN),
        ("x * (x * x + 2.0)", ODD),
        ("2.0 / (x + 3.0 / x)", ODD),
        ("x / (2.0 / x)", EVEN),
        ("x + 2.0", NO_PARITY),
        ("x * x + x", NO_PARITY),
    ],
)
def test_parity_follows_from_the_structure(text: str, parity: int) -> None:
    text = f"def f(x):\n    return {text}\n"
    any_order = {parity_asked: Laws(*NO_LAW, parity_asked) for parity_asked in (ODD, EVEN)}

    assert [asked for asked, laws in any_order.items() if keeps(text, laws)] == [
        asked for asked in (ODD, EVEN) if asked == parity
    ]
    assert all(keeps(text, laws, with_parity=False) for laws in any_order.values())


def test_a_relative_error_asks_for_the_order_of_the_target() -> None:
    assert order_at_zero(FitTarget(points=NEAR_ZERO, values=np.sin(NEAR_ZERO))) == (1, 1)
    assert order_at_zero(FitTarget(points=NEAR_ZERO, values=np.exp(NEAR_ZERO))) == (0, 0)
    assert order_at_zero(FitTarget(points=NEAR_ZERO, values=NEAR_ZERO**-2.0)) == (-2, -2)


def test_an_absolute_error_only_forbids_a_pole_at_zero() -> None:
    target = FitTarget(points=NEAR_ZERO, values=np.sin(NEAR_ZERO), relative=False)

    assert order_at_zero(target) == (0, ANY_ORDER)


def test_an_interval_away_from_zero_and_a_root_at_zero_ask_for_nothing() -> None:
    assert order_at_zero(FitTarget(points=NEAR_ZERO + 0.01, values=np.exp(NEAR_ZERO))) == NO_LAW
    assert order_at_zero(FitTarget(points=NEAR_ZERO, values=np.sqrt(NEAR_ZERO))) == NO_LAW
    two_inputs = FitTarget(points=np.vstack([NEAR_ZERO, NEAR_ZERO]), values=np.exp(NEAR_ZERO))
    assert order_at_zero(two_inputs) == NO_LAW


def test_the_laws_hold_the_symmetry_that_is_known() -> None:
    assert laws_of(FitTarget(points=NEAR_ZERO, values=np.sin(NEAR_ZERO), symmetry="odd")) == Laws(1, 1, ODD)
    assert laws_of(FitTarget(points=NEAR_ZERO, values=np.cos(NEAR_ZERO), symmetry="even")) == Laws(0, 0, EVEN)
