"""Views: P instead of x * P(x^2), and back."""

import numpy as np
import pytest

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.tape import FloatArray
from evolve.symbolic.views import Outer, View, lifted, projected, seen, views_of
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC

VIEWS = [View(squared=squared, outer=outer) for squared in (False, True) for outer in Outer]
POINTS = np.linspace(0.1, 1.5, 9)
SEEN = "def f(x):\n    return 2.0 / (x + 3.0) + x * 0.5\n"
CLOSE_TO_ZERO = np.append(2.0 ** np.array([-100.0, -60.0]), POINTS)


def value(program: Program, points: FloatArray) -> FloatArray:
    values: FloatArray = evaluate(program, ARITHMETIC, [points])
    return values


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_lifted_has_the_value_that_the_view_says(view: View) -> None:
    inner = parse(SEEN, ARITHMETIC)

    program = lifted(inner, view, ARITHMETIC)

    within = value(inner, POINTS * POINTS if view.squared else POINTS)
    wanted = {Outer.PLAIN: within, Outer.TIMES: POINTS * within, Outer.OVER: POINTS / within}[view.outer]
    np.testing.assert_allclose(value(program, POINTS), wanted, rtol=1e-14)
    assert operation_count(program) == operation_count(inner) + view.n_operations


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_lifted_can_be_projected_again(view: View) -> None:
    inner = parse(SEEN, ARITHMETIC)

    again = projected(lifted(inner, view, ARITHMETIC), view, ARITHMETIC)

    assert again is not None
    np.testing.assert_array_equal(value(again, POINTS), value(inner, POINTS))


@pytest.mark.parametrize(
    "text",
    ["x * (x + 1.0)", "x", "x * x", "x * (x * x + x)", "(x * x + 1.0) / x", "x * (x * x) * (x * x)", "x * 2.0"],
)
def test_a_program_of_another_form_has_no_projection(text: str) -> None:
    program = parse(f"def f(x):\n    return {text}\n", ARITHMETIC)

    seen_odd = projected(program, View(squared=True, outer=Outer.OVER), ARITHMETIC)

    assert seen_odd is None


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("view", VIEWS)
def test_the_error_of_p_in_its_table_is_the_error_of_the_program(view: View, relative: bool) -> None:
    if view.outer is Outer.OVER and not relative:
        pytest.skip("this view is offered for relative errors only")
    target = FitTarget(points=POINTS, values=np.sin(POINTS), relative=relative)

    table = seen(target, view)

    exact = table.values * 1.0001
    inner = FitTarget(points=table.points, values=exact, relative=relative)
    error = (inner.values - table.values) * table.scale
    lifted_values = {Outer.PLAIN: exact, Outer.TIMES: POINTS * exact, Outer.OVER: POINTS / exact}[view.outer]
    wanted = (lifted_values - target.values) * target.scale
    np.testing.assert_allclose(np.abs(error), np.abs(wanted), rtol=2e-4)


def test_views_follow_the_symmetry_and_the_zero_of_the_target() -> None:
    values = np.sin(CLOSE_TO_ZERO)
    odd = FitTarget(points=CLOSE_TO_ZERO, values=values, symmetry="odd")
    even = FitTarget(points=CLOSE_TO_ZERO, values=np.cos(CLOSE_TO_ZERO), symmetry="even")
    with_zero = FitTarget(points=CLOSE_TO_ZERO, values=values)
    absolute = FitTarget(points=CLOSE_TO_ZERO, values=values, relative=False, symmetry="odd")
    plain = FitTarget(points=CLOSE_TO_ZERO, values=np.exp(CLOSE_TO_ZERO))

    assert views_of(odd, ARITHMETIC) == [View(), View(True, Outer.TIMES), View(True, Outer.OVER)]
    assert views_of(even, ARITHMETIC) == [View(), View(True, Outer.PLAIN)]
    assert views_of(with_zero, ARITHMETIC) == [View(), View(False, Outer.TIMES), View(False, Outer.OVER)]
    assert views_of(absolute, ARITHMETIC) == [View(), View(True, Outer.TIMES)]
    assert views_of(plain, ARITHMETIC) == [View()]


def test_a_table_on_both_sides_of_zero_is_seen_from_its_longer_side() -> None:
    points = np.linspace(-1.0, 0.5, 20)
    target = FitTarget(points=points, values=np.cos(points), symmetry="even")

    table = seen(target, View(squared=True))

    assert table.points.size == (points < 0).sum()
    np.testing.assert_allclose(table.values, np.cos(np.sqrt(table.points)), rtol=1e-14)
