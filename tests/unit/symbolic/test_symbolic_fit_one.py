"""The constants of a structure that somebody wrote are fitted: the structure stays, its error becomes the least."""

import math

import numpy as np
import pytest

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.fit import fit_constants
from sandbox.symbolic.canonical import canonical
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY

POINTS = (1.0 - np.cos(np.pi * (np.arange(256) + 0.5) / 256)) / 2.0
EXP2 = FitTarget(points=POINTS, values=np.exp2(POINTS))
pytestmark = pytest.mark.xdist_group("first-compiled-search")


def program(body: str) -> Program:
    return canonical(parse(f"def f(x):\n    return {body}\n", ARITHMETIC), ARITHMETIC)


def digits(body: str) -> float:
    [child] = fit_constants(program(body), ARITHMETIC, EXP2, [1, 2]).children
    return -math.log10(child.error)


def test_rough_polynomials_become_minimax_ones() -> None:
    # Least relative errors of degree 3 and 4, as stored in the baselines of the problem exp2.
    assert digits("1.0 + x * (0.7 + x * (0.2 + x * 0.05))") == pytest.approx(-math.log10(7.4781e-05), abs=1e-3)
    assert digits("1.0 + x * (0.7 + x * (0.2 + x * (0.05 + x * 0.01)))") == pytest.approx(
        -math.log10(2.5934e-06), abs=1e-3
    )


def test_the_structure_stays() -> None:
    written = program("(x * x + 12.0 + x * 6.0) / (x * x + 12.0 - x * 6.0)")

    result = fit_constants(written, ARITHMETIC, EXP2, [1])

    [child] = result.children
    assert child.program.instructions == written.instructions
    assert child.program.constants != written.constants
    assert 0.0 < result.work < 0.05


def test_the_same_arguments_give_the_same_child() -> None:
    written = program("0.9 + x * (0.7 + x * 0.3)")

    assert fit_constants(written, ARITHMETIC, EXP2, [5]) == fit_constants(written, ARITHMETIC, EXP2, [5])


@pytest.mark.parametrize("body", ["x", "x * x"])
def test_without_constants_there_is_nothing_to_fit(body: str) -> None:
    assert fit_constants(program(body), ARITHMETIC, EXP2, [1]).children == ()


def test_a_structure_that_cannot_follow_the_target_gives_no_pole() -> None:
    for child in fit_constants(program("1.0 / (x - 0.5)"), ARITHMETIC, EXP2, [1]).children:
        assert child.error < 1.0


def test_other_functions_can_be_fitted_too() -> None:
    wave = FitTarget(points=POINTS, values=np.sin(3.0 * POINTS + 1.0), relative=False)
    written = canonical(parse("def f(x):\n    return sin(x * 2.5 + 0.9)\n", ELEMENTARY), ELEMENTARY)

    [child] = fit_constants(written, ELEMENTARY, wave, [1]).children

    assert child.error < 1e-12
