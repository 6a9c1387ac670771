"""The baselines and settings of the shipped approximation problems, recomputed here by a small exchange algorithm."""

import json
import math
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from evaluators.judge import Judge, JudgeSpec
from evolve.config.problem import load_problem

FOLDER = Path(__file__).parents[3] / "problems"
APPROXIMATIONS = ("erf", "exp2", "log2")
PROBLEMS = sorted(path.parent.name for path in FOLDER.glob("*/problem.toml"))

Array = npt.NDArray[np.float64]
Form = Callable[[Array, Array], Array]
"""The value of a form of approximation: from its parameters and points."""

TRUTH: dict[str, Callable[[Array], Array]] = {
    "exp2": np.exp2,
    "log2": lambda x: np.log1p(x) / math.log(2),
    "erf": lambda x: np.array([math.erf(each) for each in x]),
}
END = {"exp2": 1.0, "log2": 1.0, "erf": 2.0}


def points_of(name: str, count: int) -> Array:
    """Points of the interval, dense at both ends; 0 itself, where forms divide, is only approached."""
    angles = np.linspace(0.0, math.pi, count)
    return np.maximum(END[name] * (1 - np.cos(angles)) / 2, 1e-9)


def slopes(form: Form, parameters: Array, x: Array) -> Array:
    """Derivatives of the form's values by each parameter (rows are points), by central differences."""
    columns = []
    for k, parameter in enumerate(parameters):
        step = np.zeros_like(parameters)
        step[k] = 1e-6 * max(1.0, abs(parameter))
        columns.append((form(parameters + step, x) - form(parameters - step, x)) / (2 * step[k]))
    return np.array(columns).T


def least_squares(form: Form, start: Sequence[float], name: str) -> Array:
    """Parameters with the least sum of squared relative errors, by Gauss and Newton."""
    parameters = np.array(start, dtype=np.float64)
    x = points_of(name, 200)
    wanted = TRUTH[name](x)
    for _ in range(12):
        error = form(parameters, x) / wanted - 1
        step, *_ = np.linalg.lstsq(slopes(form, parameters, x) / wanted[:, None], -error, rcond=None)
        parameters = parameters + step
    return parameters


def alternating(error: Array, count: int) -> list[int]:
    """Positions of the largest errors of alternating sign; `count` neighbours of them."""
    starts = [0, *(np.flatnonzero(np.diff(np.sign(error)) != 0) + 1), len(error)]
    tops = [a + int(np.argmax(np.abs(error[a:b]))) for a, b in pairwise(starts) if b > a]
    while len(tops) > count:
        tops.pop(0 if abs(error[tops[0]]) < abs(error[tops[-1]]) else -1)
    return tops


def minimax(form: Form, start: Sequence[float], name: str) -> tuple[Array, float]:
    """Parameters whose largest relative error is least, and that error: Remez exchange with Newton steps."""
    parameters = least_squares(form, start, name)
    x = points_of(name, 4001)
    wanted = TRUTH[name](x)
    for _ in range(12):
        error = form(parameters, x) / wanted - 1
        tops = alternating(error, len(parameters) + 1)
        assert len(tops) == len(parameters) + 1, "the error does not alternate often enough"
        signs = (-1.0) ** np.arange(len(tops))
        matrix = np.column_stack([slopes(form, parameters, x[tops]) / wanted[tops, None], signs])
        step = np.linalg.solve(matrix, -error[tops])
        parameters = parameters + step[:-1]
    return parameters, float(np.abs(form(parameters, x) / wanted - 1).max())


def polynomial(parameters: Array, x: Array) -> Array:
    value: Array = np.zeros_like(x)
    for parameter in parameters[::-1]:
        value = value * x + parameter
    return value


def horner(parameters: Array, variable: str) -> str:
    text = repr(float(parameters[-1]))
    for parameter in parameters[-2::-1]:
        text = f"({float(parameter)!r} + {variable} * {text})"
    return text


def judged_error(name: str, body: str) -> tuple[float, float]:
    """The judge's largest error, and the operations it counts."""
    spec = JudgeSpec.from_mapping(load_problem(FOLDER / name).judge_spec_mapping())
    evaluation = Judge(spec).evaluate({"seed.py": f"def f(x):\n    {body}\n"})
    assert evaluation.failure is None, evaluation.detail
    return evaluation.metrics["max_relative_error"], evaluation.metrics["operations"]


@cache
def baselines(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name / "baselines.json").read_text(encoding="utf-8"))
    return content


def row(name: str, operations: int, method: str) -> dict[str, Any]:
    found: dict[str, Any] = baselines(name)["operations"][str(operations)][method]
    return found


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_the_best_polynomial_for_exp2_is_the_baseline(degree: int) -> None:
    parameters, least = minimax(polynomial, [1.0, 0.7, 0.2, 0.05, 0.01, 0.001][: degree + 1], "exp2")
    error, operations = judged_error("exp2", f"return {horner(parameters, 'x')}")
    baseline = row("exp2", 2 * degree, "polynomial")
    assert operations == 2 * degree
    assert baseline["form"] == f"p{degree}"
    assert error == pytest.approx(baseline["error"], rel=1e-3)
    assert error == pytest.approx(least, rel=1e-3)


@pytest.mark.parametrize(("name", "degrees"), [("log2", (1, 2, 3, 4)), ("erf", (1, 2, 3, 4))])
def test_the_best_polynomial_times_x_is_the_baseline(name: str, degrees: tuple[int, ...]) -> None:
    for degree in degrees:
        parameters, _ = minimax(lambda p, x: x * polynomial(p, x), [1.0, *[0.0] * degree], name)
        error, operations = judged_error(name, f"return x * {horner(parameters, 'x')}")
        assert operations == 2 * degree + 1
        assert row(name, 2 * degree + 1, "polynomial")["form"] == f"x*p{degree}"
        assert error == pytest.approx(row(name, 2 * degree + 1, "polynomial")["error"], rel=1e-3)


@pytest.mark.parametrize("degree", [2, 3, 4])
def test_the_best_odd_polynomial_for_erf_is_the_baseline(degree: int) -> None:
    parameters, _ = minimax(lambda p, x: x * polynomial(p, x * x), [1.0, *[0.0] * degree], "erf")
    error, operations = judged_error("erf", f"u = x * x; return x * {horner(parameters, 'u')}")
    baseline = row("erf", 2 * degree + 2, "polynomial")
    assert (operations, baseline["form"]) == (2 * degree + 2, f"xu*p{degree}")
    assert error == pytest.approx(baseline["error"], rel=1e-3)


CODED: list[tuple[str, int, str, Form, list[float], str]] = [
    ("exp2", 3, "continued_fraction", lambda p, x: p[0] - p[1] / (p[2] - x), [-1.4, 8.2, 3.4], "{0} - {1} / ({2} - x)"),
    (
        "log2",
        4,
        "continued_fraction",
        lambda p, x: x * (p[0] + p[1] / (x + p[2])),
        [0.5, 1.5, 1.6],
        "x * ({0} + {1} / (x + {2}))",
    ),
    ("log2", 3, "rational", lambda p, x: x / (p[0] + p[1] * x), [0.7, 0.3], "x / ({0} + {1} * x)"),
    ("erf", 4, "rational", lambda p, x: x / (p[0] + p[1] * x * x), [0.9, 0.25], "x / ({0} + {1} * (x * x))"),
    ("erf", 3, "rational", lambda p, x: x / (p[0] + p[1] * x), [0.8, 0.6], "x / ({0} + {1} * x)"),
]


@pytest.mark.parametrize(("name", "operations", "method", "form", "start", "written"), CODED)
def test_a_best_small_rational_function_is_the_baseline(
    name: str, operations: int, method: str, form: Form, start: list[float], written: str
) -> None:
    parameters, _ = minimax(form, start, name)
    error, counted = judged_error(name, "return " + written.format(*(float(p) for p in parameters)))
    assert counted == operations
    assert error == pytest.approx(row(name, operations, method)["error"], rel=1e-3)


def squared(form: Form, times: int) -> Form:
    return lambda p, x: form(p, x) ** (2**times)


def continued(p: Array, x: Array) -> Array:
    value: Array = p[0] + p[1] / (x + p[2] / x + p[3])
    return value


@pytest.mark.parametrize("squarings", [0, 1, 2])
def test_a_continued_fraction_and_squarings_for_exp2_reach_the_transformed_baseline(squarings: int) -> None:
    # e^z is about 1 + 12 / (z + 12/z - 6), with z = x log(2) / 2^k
    scale = math.log(2) / 2**squarings
    start = [1.0, 12 / scale, 12 / scale**2, -6 / scale]
    parameters, _ = minimax(squared(continued, squarings), start, "exp2")
    a, b, c, d = (repr(float(p)) for p in parameters)
    body = f"y = {a} + {b} / (x + {c} / x + {d}); " + "y = y * y; " * squarings + "return y"
    error, operations = judged_error("exp2", body)
    baseline = row("exp2", 5 + squarings, "transformed")
    assert (operations, baseline["form"]) == (5 + squarings, f"S1 k={squarings}")
    assert error == pytest.approx(baseline["error"], rel=1e-3)


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_every_method_that_is_listed_is_explained_and_the_other_way_round(name: str) -> None:
    content = baselines(name)
    used = {method for each in content["operations"].values() for method in each}
    assert used == set(content["methods"])
    assert all(content["methods"].values())


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_a_baseline_is_an_error_with_the_form_that_has_it(name: str) -> None:
    for each in baselines(name)["operations"].values():
        for entry in each.values():
            assert set(entry) == {"error", "form"}
            assert 0.0 < entry["error"] < 1.0
            assert entry["form"]


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_preconditioning_never_loses_against_horner(name: str) -> None:
    for each in baselines(name)["operations"].values():
        if "preconditioned" in each:
            assert each["preconditioned"]["error"] <= each["polynomial"]["error"]


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_equal_forms_have_equal_errors_whatever_the_method_and_count(name: str) -> None:
    errors: dict[str, set[float]] = {}
    for each in baselines(name)["operations"].values():
        for entry in each.values():
            errors.setdefault(entry["form"], set()).add(entry["error"])
    assert {form: found for form, found in errors.items() if len(found) > 1} == {}


@cache
def settings_of(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name / "problem.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_every_allowed_size_and_depth_has_a_cell_of_its_own(name: str) -> None:
    settings = settings_of(name)
    most = settings["symbolic"]["max_operations"]
    for axis in settings["archive"]["axes"]:
        width = (axis["high"] - axis["low"]) / axis["cells"]
        cells = {math.floor((size - axis["low"]) / width) for size in range(most + 1)}
        assert cells == set(range(axis["cells"]))


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_the_baselines_reach_as_far_as_programs_may_grow(name: str) -> None:
    assert str(settings_of(name)["symbolic"]["max_operations"]) in baselines(name)["operations"]


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_the_seed_program_is_free_and_its_score_is_below_every_baseline(name: str) -> None:
    error, operations = judged_error(
        name, (FOLDER / name / "seed.py").read_text(encoding="utf-8").splitlines()[1].strip()
    )
    assert operations == 0
    smallest = min(baselines(name)["operations"], key=int)
    assert error > max(entry["error"] for entry in baselines(name)["operations"][smallest].values())


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_the_interval_of_an_approximation_is_the_one_its_texts_speak_of(name: str) -> None:
    low, high = settings_of(name)["evaluator"]["options"]["interval"]
    interval = f"on [{low}, {high}]"
    assert interval in settings_of(name)["problem"]["title"]
    assert interval in baselines(name)["about"]
    assert END[name] == high


def test_the_known_score_of_exp2_is_the_published_error() -> None:
    known = settings_of("exp2")["known"]
    assert known["value"] == pytest.approx(-math.log10(5.4e-15), abs=0.005)
    evolved = row("exp2", 10, "evolved_structure")["error"]
    assert -math.log10(evolved) > known["value"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_has_a_title_a_statement_and_says_that_higher_is_better(name: str) -> None:
    problem = settings_of(name)["problem"]
    assert problem["title"]
    assert len(problem["statement"]) > 100
    assert "higher is better" in problem["score"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_file_that_a_problem_names_is_there(name: str) -> None:
    settings = settings_of(name)
    named = [
        *settings.get("seed", {}).get("files", []),
        *filter(None, [settings["evaluator"].get("file"), settings.get("baselines", {}).get("file")]),
    ]
    assert named
    assert all((FOLDER / name / each).is_file() for each in named)
