"""Twins: programs that do the same with the same operations are told apart from those that do it with fewer."""

import pytest

from evolve.config.problem import load_problem
from evolve.loop.behaviour import SymbolicBehaviour, behaviour_for
from sandbox.symbolic.vocabulary import load_vocabulary

BEHAVIOUR = SymbolicBehaviour(load_vocabulary("arithmetic"), ("x",), "seed.py")


def signature(expression: str) -> str | None:
    return BEHAVIOUR.signature_of({"seed.py": f"def f(x):\n    return {expression}\n"})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("(x - 1.0) * 2.0", "2.0 * (x - 1.0)"),
        ("(x * 2.0) * 4.0", "(x * 4.0) * 2.0"),
        ("x + (x - x * 4.0)", "(x - x * 4.0) + x"),
        ("(x / 2.0) * 8.0", "(x * 8.0) / 2.0"),
    ],
)
def test_the_same_numbers_by_the_same_operations_are_twins(left: str, right: str) -> None:
    assert signature(left) == signature(right) is not None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x * 2.0", "x + x"),
        ("(x * 2.0) * 4.0", "x * 8.0"),
        ("(x + x) + (x + x)", "((x + x) + x) + x"),
        ("x * 2.0", "x * 2.0000000000000004"),
        ("x - 1.0", "1.0 - x"),
    ],
)
def test_fewer_other_or_flatter_operations_or_another_last_digit_make_no_twins(left: str, right: str) -> None:
    assert signature(left) != signature(right)


@pytest.mark.parametrize("expression", ["x / (x - x)", "x +", "y", "x * 3.14159265358979323846"])
def test_what_the_probes_cannot_tell_has_no_signature(expression: str) -> None:
    assert signature(expression) is None


def test_only_plain_arithmetic_is_probed() -> None:
    known = {name: behaviour_for(load_problem(name)) is not None for name in ("exp2", "exp2_f32", "circle_packing_26")}

    assert known == {"exp2": True, "exp2_f32": False, "circle_packing_26": False}
