"""What every shipped problem must have, and that the baselines are what they say."""

import json
from pathlib import Path
from typing import Any

import pytest

from evaluators.judge import Judge, JudgeSpec
from evolve.config.problem import load_problem

FOLDER = Path(__file__).parents[3] / "problems"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/problem.toml"))
APPROXIMATIONS = ("erf", "exp2", "log2")


def test_the_first_problems_are_here() -> None:
    assert {"circle_packing_26", *APPROXIMATIONS} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_problem_loads_and_explains_itself(name: str) -> None:
    problem = load_problem(FOLDER / name)
    assert problem.name == name
    readme = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert len(readme) > 500
    assert readme.startswith("# ")


def baselines(name: str) -> dict[str, dict[str, dict[str, Any]]]:
    content = json.loads((FOLDER / name / "baselines.json").read_text(encoding="utf-8"))
    assert content["source"]
    operations: dict[str, dict[str, dict[str, Any]]] = content["operations"]
    return operations


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_baselines_never_get_worse_with_more_operations(name: str) -> None:
    table = baselines(name)
    counts = sorted(map(int, table))
    assert counts == list(range(counts[0], counts[-1] + 1))
    for method in {method for row in table.values() for method in row}:
        errors = [table[str(count)][method]["error"] for count in counts if method in table[str(count)]]
        assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize(
    ("name", "operations", "method", "body"),
    [
        ("exp2", "2", "polynomial", "return 0.97017 + x * 0.97017"),
        ("log2", "3", "rational", "return x / (0.6966023483356385 + x * 0.30838210357050083)"),
        ("log2", "3", "polynomial", "return x * (1.41161836 + x * -0.43316139)"),
    ],
)
def test_a_baseline_is_the_error_that_the_judge_measures_by_the_same_convention(
    name: str, operations: str, method: str, body: str
) -> None:
    spec = JudgeSpec.from_mapping(load_problem(FOLDER / name).judge_spec_mapping())
    evaluation = Judge(spec).evaluate({"seed.py": f"def f(x):\n    {body}\n"})
    error = baselines(name)[operations][method]["error"]
    assert evaluation.metrics["max_relative_error"] == pytest.approx(error, rel=0.01)
    assert evaluation.metrics["max_relative_error"] >= error * (1 - 1e-4)
