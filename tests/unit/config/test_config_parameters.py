"""Parameters of a problem: other values make another problem, with a name and a best known value of its own."""

from pathlib import Path
from typing import Any

import pytest

from evaluators.judge import JudgeSpec
from evolve.config.problem import Problem, load_problem
from evolve.errors import ProblemError
from tests.unit.config.test_config_every_key import MINIMAL, lines_for, with_value

TOML = """
[problem]
name = "apart"
title = "Points"
statement = "Place n points."
language = "python"
[evaluator]
family = "construction"
options = { verifier = "tammes" }
[parameters]
n = 12
d = 3
[archive]
axes = [{ name = "program_lines", low = 0, high = 9, cells = 3 }]
[known]
value = 1.05
kind = "distance"
source = "icosahedron"
alphaevolve = 1.0
file = "known.csv"
"""
KNOWN = "n,d,value,source,year,alphaevolve\n12,3,1.05,icosahedron,,1.0\n4,3,1.63,tetrahedron,1943,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "problem.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "known.csv").write_text(KNOWN, encoding="utf-8")
    seed = "# EVOLVE-BLOCK-START\ndef construct(n, d): ...\n# EVOLVE-BLOCK-END\n"
    (tmp_path / "seed.py").write_text(seed, encoding="utf-8")
    return tmp_path


def parameters_of(problem: Problem) -> Any:
    return JudgeSpec.from_mapping(problem.judge_spec_mapping()).options["parameters"]


def test_without_others_the_defaults_hold(folder: Path) -> None:
    problem = load_problem(folder)

    assert problem.name == "apart"
    assert parameters_of(problem) == {"n": 12, "d": 3}


def test_other_values_make_another_problem_with_its_own_best_value(folder: Path) -> None:
    problem = load_problem(folder, parameters={"n": "4"})

    assert problem.name == "apart_n4_d3"
    assert problem.title == "Points (n = 4, d = 3)"
    assert "Here n = 4, d = 3." in problem.tables.problem.statement
    assert list(parameters_of(problem).items()) == [("n", 4), ("d", 3)]
    known = problem.tables.known
    assert known is not None
    assert (known.value, known.source, known.year, known.alphaevolve) == (1.63, "tetrahedron", 1943, None)
    assert Problem.from_json(problem.to_json()) == problem


def test_where_nothing_is_known_nothing_is_said(folder: Path) -> None:
    assert load_problem(folder, parameters={"n": 5}).tables.known is None


def test_the_defaults_given_again_change_nothing(folder: Path) -> None:
    assert load_problem(folder, parameters={"n": "12", "d": 3}) == load_problem(folder)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"m": "4"}, "no parameter 'm'"),
        ({"n": "four"}, "the parameter n is 'four', expected a whole number"),
    ],
)
def test_wrong_parameters_are_refused(folder: Path, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        load_problem(folder, parameters=parameters)


def test_best_values_decide_nothing_about_scores(folder: Path) -> None:
    before = load_problem(folder)

    (folder / "known.csv").write_text(KNOWN + "5,3,1.41,pyramid,,\n", encoding="utf-8")

    assert load_problem(folder).judge_hashes == before.judge_hashes
    assert before.changed_judge_files() == ()


def test_a_missing_table_of_best_values_is_a_mistake(folder: Path) -> None:
    (folder / "known.csv").unlink()

    with pytest.raises(ProblemError, match=r"known\.file"):
        load_problem(folder)


def test_parameters_are_for_constructions_only(folder: Path) -> None:
    text = TOML.replace('family = "construction"\noptions = { verifier = "tammes" }', 'file = "evaluate.py"')
    (folder / "problem.toml").write_text(text, encoding="utf-8")
    (folder / "evaluate.py").write_text("def evaluate(candidate): ...\n", encoding="utf-8")

    with pytest.raises(ProblemError, match=r"\[parameters\]: got this table"):
        load_problem(folder)


@pytest.mark.parametrize("value", [{"n": 1.5}, {"n": True}, {"n": "Big"}, {"N": 1}, {"n": [1]}])
def test_a_parameter_is_a_whole_number_or_a_word(value: dict[str, Any]) -> None:
    (line,) = lines_for(with_value("parameters", value, MINIMAL))

    assert line.startswith("parameters: ")
    assert "names with whole numbers or words in lower case" in line


@pytest.mark.parametrize(("key", "value"), [("problem.area", "Two Words"), ("problem.tier", "F")])
def test_area_and_tier_are_checked(key: str, value: str) -> None:
    (line,) = lines_for(with_value(key, value))

    assert line.startswith(f"{key}: ")


def test_a_way_of_better_is_one_of_two() -> None:
    lines = lines_for({**MINIMAL, "known": {"value": 1.0, "direction": "up"}})

    assert lines == ['known.direction: got "up", expected "max" or "min"']
