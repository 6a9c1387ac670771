"""Families: several values of one parameter make a run that generalises over them."""

from pathlib import Path
from typing import Any

import pytest

from evolve.cli.parameters import parameters_of
from evolve.config.family import value_of
from evolve.config.locate import shipped_problems
from evolve.config.problem import Problem, load_problem
from evolve.errors import ProblemError
from tests.unit.config.test_config_every_key import MINIMAL, lines_for

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
file = "known.csv"
"""
FAMILY = '[family]\nparameter = "n"\nsizes = [4, 6]\nheld_out = [12]\n'
KNOWN = "n,d,value,source,year,alphaevolve\n4,3,1.63,a,,\n5,3,1.4,a,,\n6,3,1.41,a,,\n7,2,9.0,a,,\n"
SHIPPED = sorted(
    name for name, folder in shipped_problems().items() if "[family]" in (folder / "problem.toml").read_text()
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "problem.toml").write_text(TOML + FAMILY, encoding="utf-8")
    (tmp_path / "known.csv").write_text(KNOWN, encoding="utf-8")
    seed = "# EVOLVE-BLOCK-START\ndef construct(n, d): ...\n# EVOLVE-BLOCK-END\n"
    (tmp_path / "seed.py").write_text(seed, encoding="utf-8")
    return tmp_path


def sizes_of(problem: Problem) -> Any:
    family = problem.tables.family
    assert family is not None
    return family.sizes, family.held_out


def judged(problem: Problem) -> Any:
    return problem.judge_spec_mapping()["options"]["family"]


def test_a_problem_with_a_family_scores_one_size_unless_it_is_told_to_generalize(folder: Path) -> None:
    problem = load_problem(folder)

    assert problem.name == "apart"
    assert "family" not in problem.judge_spec_mapping()["options"]


def test_a_run_that_generalizes_has_a_name_a_statement_and_references_of_its_own(folder: Path) -> None:
    problem = load_problem(folder, generalize=True)

    assert problem.name == "apart_n4to6_d3"
    assert problem.title == "Points (n = 4, 6, d = 3)"
    assert "has to work for every n" in problem.tables.problem.statement
    assert "12" not in problem.tables.problem.statement
    assert judged(problem)["references"] == {"4": 1.63, "6": 1.41, "12": 1.05}
    assert problem.tables.known is not None
    assert problem.tables.known.value == 1.0
    assert Problem.from_json(problem.to_json()) == problem
    assert Problem.from_json(problem.to_json()).judge_spec_mapping() == problem.judge_spec_mapping()


@pytest.mark.parametrize(
    ("words", "sizes", "held_out"),
    [
        ("n=4,6", (4, 6), (12,)),
        ("n=6,5,4", (4, 5, 6), (12,)),
        ("n=4..6", (4, 5, 6), (12,)),
        ("n=4,12/5,6", (4, 12), (5, 6)),
        ("n=4,12", (4, 12), ()),
        ("n=4,6/5..6,d=3", None, None),
    ],
)
def test_sizes_are_given_as_lists_and_ranges(folder: Path, words: str, sizes: Any, held_out: Any) -> None:
    if sizes is None:
        with pytest.raises(ProblemError, match="6 cannot be searched with and held out"):
            load_problem(folder, parameters=parameters_of([words]))
        return

    problem = load_problem(folder, parameters=parameters_of([words]))

    assert sizes_of(problem) == (sizes, held_out)


def test_a_baseline_is_the_yardstick_of_all_sizes(folder: Path) -> None:
    (folder / "problem.toml").write_text(TOML + FAMILY + 'baseline = "d / n ** 0.5"\n', encoding="utf-8")

    problem = load_problem(folder, parameters={"n": "4,9"})

    assert judged(problem)["references"] == {"4": 1.5, "9": 1.0, "12": pytest.approx(0.75**0.5)}
    assert problem.tables.known is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n": "5..2"}, r"the sizes 5\.\.2 of n are none"),
        ({"n": "4..400"}, "more than 64"),
        ({"n": "4,x"}, "expected whole numbers"),
        ({"n": "4,6.5"}, "expected whole numbers"),
        ({"n": "4/6"}, "two sizes or more"),
        ({"n": "4,4"}, "two sizes or more"),
        ({"n": "4,5/5"}, "5 cannot be searched with and held out"),
        ({"n": "4,8"}, "no best value is known for n = 8"),
        ({"n": "4,5", "d": "2,3"}, "n and d have several values"),
        ({"m": "4,5"}, "no parameter 'm'"),
    ],
)
def test_wrong_sizes_are_refused(folder: Path, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        load_problem(folder, parameters=parameters)


def test_without_a_family_nobody_knows_what_to_generalize_over(folder: Path) -> None:
    (folder / "problem.toml").write_text(TOML, encoding="utf-8")

    with pytest.raises(ProblemError, match=r"no table \[family\]"):
        load_problem(folder, generalize=True)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"sizes": [5]}, "family.sizes: got [5], expected at least 2"),
        ({"sizes": [5, 4]}, "family.sizes: got [5, 4], expected different sizes, small ones first"),
        ({"held_out": [4, 9]}, "family.held_out: got [4, 9], expected other sizes than those of the search"),
        ({"threshold": -1.0}, "family.threshold: got -1.0, expected 0.0 or more"),
        ({"size": [1]}, "family.size: got an unknown key"),
    ],
)
def test_wrong_tables_are_told_with_their_key(table: dict[str, Any], line: str) -> None:
    whole = {"parameter": "n", "sizes": [4, 6], **table}

    assert any(each.startswith(line) for each in lines_for({**MINIMAL, "family": whole}))


@pytest.mark.parametrize("name", ["m", "ring"])
def test_the_parameter_of_a_family_is_one_of_the_problem_and_a_number(folder: Path, name: str) -> None:
    text = (TOML + FAMILY).replace('parameter = "n"', f'parameter = "{name}"').replace("d = 3\n", 'd = 3\nring = "z"\n')
    (folder / "problem.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ProblemError, match=rf'family.parameter: got "{name}", expected .*: n, d'):
        load_problem(folder)


@pytest.mark.parametrize(
    "formula", ["", "n +", "f(n)", "m", "n / 0", "__import__('os')", "n if n else 1", "'a'", "n.real"]
)
def test_a_baseline_is_a_formula_of_numbers_and_parameters(formula: str) -> None:
    with pytest.raises(ProblemError, match=r"family\.baseline is .*expected a formula over n"):
        value_of(formula, {"n": 3, "ring": "z"})


@pytest.mark.parametrize("baseline", ["n - 12", "-n"])
def test_nothing_is_compared_with_a_number_that_is_not_above_zero(folder: Path, baseline: str) -> None:
    (folder / "problem.toml").write_text(TOML + FAMILY + f'baseline = "{baseline}"\n', encoding="utf-8")

    with pytest.raises(ProblemError, match="would be compared with -"):
        load_problem(folder, generalize=True)


def test_some_shipped_problems_have_families() -> None:
    assert len(SHIPPED) >= 5


@pytest.mark.parametrize("name", SHIPPED)
def test_the_family_of_a_shipped_problem_can_be_judged(name: str) -> None:
    problem = load_problem(name, generalize=True)

    sizes, held_out = sizes_of(problem)
    assert len(held_out) >= 2
    assert max(held_out) > max(sizes)
    assert set(judged(problem)["references"]) == {str(size) for size in (*sizes, *held_out)}
