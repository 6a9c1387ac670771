"""The problems of further functions: each is judged, proved, explained, and its baselines are recomputed in part."""

import json
import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from evaluators.contract import Certainty
from evaluators.judge import Judge, JudgeSpec
from evolve.config.problem import Problem, load_problem

FOLDER = Path(__file__).parents[3] / "problems"
NAMES = ("airy", "bessel_j0", "exp", "gaussian_quantile", "lambert_w", "lgamma", "sin", "tanh")

Array = npt.NDArray[np.float64]


@cache
def problem(name: str) -> Problem:
    return load_problem(FOLDER / name)


@cache
def judge(name: str) -> Judge:
    return Judge(JudgeSpec.from_mapping(problem(name).judge_spec_mapping()))


def operations(name: str) -> dict[int, dict[str, dict[str, Any]]]:
    return {int(count): row for count, row in problem(name).baselines["operations"].items()}


def error_of(name: str, body: str) -> float:
    evaluation = judge(name).evaluate({"seed.py": f"def f(x):\n    {body}\n"})
    assert evaluation.failure is None, evaluation.detail
    [error] = [value for metric, value in evaluation.metrics.items() if metric.startswith("max_")]
    return error


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_is_judged_and_certified_and_worse_than_every_baseline(name: str) -> None:
    files = dict(problem(name).seed_files)
    evaluation, verdict = judge(name).evaluate(files), judge(name).verify(files)
    assert evaluation.descriptor == {"operations": 0.0, "depth": 0.0}
    assert verdict.verdict is Certainty.CERTIFIED
    table = operations(name)
    assert error_of(name, "return x") > max(entry["error"] for entry in table[min(table)].values())


@pytest.mark.parametrize("name", NAMES)
def test_titles_statements_and_baselines_speak_of_the_interval_that_is_judged(name: str) -> None:
    tables = problem(name).tables
    low, high = tables.evaluator.options["interval"]
    assert f"on [{low}, {high}]" in tables.problem.title
    assert f"for {low} <= x <= {high} " in tables.problem.statement
    assert f"on [{low}, {high}]" in problem(name).baselines["about"]
    assert f"Largest {tables.evaluator.options['error']} error" in problem(name).baselines["about"]


@pytest.mark.parametrize("name", NAMES)
def test_baselines_reach_as_far_as_programs_may_grow_and_never_get_worse(name: str) -> None:
    table = operations(name)
    assert problem(name).tables.symbolic.max_operations in table
    assert {method for row in table.values() for method in row} == set(problem(name).baselines["methods"])
    for method in problem(name).baselines["methods"]:
        errors = [row[method]["error"] for _, row in sorted(table.items()) if method in row]
        assert errors == sorted(errors, reverse=True)
        assert all(0 < error < 1 for error in errors)


@pytest.mark.parametrize("name", NAMES)
def test_every_allowed_size_and_depth_has_a_cell_of_its_own(name: str) -> None:
    most = problem(name).tables.symbolic.max_operations
    for axis in problem(name).archive_mapping()["axes"]:
        width = (axis["high"] - axis["low"]) / axis["cells"]
        assert {math.floor((size - axis["low"]) / width) for size in range(most + 1)} == set(range(axis["cells"]))


SYMMETRIES = {"sin": "odd", "tanh": "odd", "gaussian_quantile": "odd", "bessel_j0": "even"}


@pytest.mark.parametrize("name", NAMES)
def test_the_structure_of_a_function_is_offered_to_the_search(name: str) -> None:
    told = judge(name).symmetry()
    assert (None if told is None else told[0]) == SYMMETRIES.get(name)


def linear_minimax(columns: Array, wanted: Array, weight: Array) -> Array:
    """Coefficients whose largest weighted error is least: Remez exchange on a grid."""
    n = columns.shape[1]
    chosen = np.round(np.linspace(0, wanted.size - 1, n + 1)).astype(int)
    coefficients = np.zeros(n)
    for _ in range(30):
        signs = (-1.0) ** np.arange(n + 1) / weight[chosen]
        solution = np.linalg.solve(np.column_stack([columns[chosen], signs]), wanted[chosen])
        coefficients, level = solution[:-1], abs(solution[-1])
        errors = (columns @ coefficients - wanted) * weight
        if np.abs(errors).max() <= level * (1 + 1e-6):
            break
        starts = [0, *(np.flatnonzero(np.diff(np.sign(errors)) != 0) + 1), errors.size]
        tops = [a + int(np.argmax(np.abs(errors[a:b]))) for a, b in pairwise(starts) if b > a]
        while len(tops) > n + 1:
            tops.pop(0 if abs(errors[tops[0]]) < abs(errors[tops[-1]]) else -1)
        chosen = np.array(tops)
    return coefficients


def horner(coefficients: Sequence[float], variable: str) -> str:
    text = repr(float(coefficients[-1]))
    for coefficient in coefficients[-2::-1]:
        text = f"({float(coefficient)!r} + {variable} * {text})"
    return text


@pytest.mark.parametrize(
    ("name", "count", "form"),
    [
        ("tanh", 5, "x*p2"),
        ("tanh", 6, "xu*p2"),
        ("lambert_w", 7, "x*p3"),
        ("lgamma", 6, "p3"),
        ("bessel_j0", 5, "u*p2"),
        ("airy", 10, "p5"),
        ("gaussian_quantile", 6, "xu*p2"),
        ("sin", 6, "xu*p2"),
        ("exp", 6, "p3"),
    ],
)
def test_the_best_polynomial_has_the_error_that_the_baselines_say(name: str, count: int, form: str) -> None:
    curve = judge(name)._family.curve  # type: ignore[union-attr]
    low, high = curve.low, curve.high
    points = low + (high - low) * (1 - np.cos(np.linspace(0, np.pi, 2001))) / 2
    points = points[points != 0] if curve.has_zero else points
    wanted = np.array([float(value) for value in curve.values_at(list(map(float, points)))])
    weight = 1 / np.abs(wanted) if curve.relative else np.ones_like(wanted)
    degree, variable = int(form[-1]), points**2 if "u" in form else points
    coefficients = linear_minimax(variable[:, None] ** np.arange(degree + 1), wanted, weight)
    body = ("x * " if "x" in form else "") + horner(list(coefficients), "u" if "u" in form else "x")
    error = error_of(name, ("u = x * x; " if "u" in form else "") + f"return {body}")
    baseline = operations(name)[count]["polynomial"]
    assert baseline["form"] == form
    assert error == pytest.approx(baseline["error"], rel=1e-3)


@pytest.mark.parametrize(
    ("name", "body", "method", "count"),
    [
        ("tanh", "u = x * x; return x / (1.0 + u / (3.0 + u / (5.0 + u / 7.0)))", "continued_fraction", 8),
        ("lambert_w", "return x * (1.0 + 1.333 * x) / (1.0 + x * (2.333 + 0.833 * x))", "rational", 7),
    ],
)
def test_a_textbook_formula_is_no_better_than_the_best_of_its_form(
    name: str, body: str, method: str, count: int
) -> None:
    assert error_of(name, body) > operations(name)[count][method]["error"]


def test_the_files_of_baselines_have_one_line_for_each_count() -> None:
    for name in NAMES:
        text = (FOLDER / name / "baselines.json").read_text(encoding="utf-8")
        assert json.loads(text) == problem(name).baselines
        assert sum(line.startswith('  "') and '"error"' in line for line in text.splitlines()) == len(operations(name))
