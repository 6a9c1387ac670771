"""Operators from other packages, found by entry points, and the page that lists the built-in ones."""

from pathlib import Path

import pytest

from evolve.config.problem import Problem, load_problem
from evolve.errors import ProblemError
from evolve.loop import RunOptions, start_run
from evolve.loop.setup import build_operators

ARCHITECTURE = Path(__file__).resolve().parents[3] / "docs" / "architecture.md"

MODULE = """
from evolve import Proposal


class Doubling:
    name = "doubling"
    n_parents = 1

    def propose(self, parents, inspirations, rng):
        yield from ()
        text = parents[0].files["seed.py"].replace("first = ", "first = 0.5 + ")
        return [Proposal(files={"seed.py": text}, parent_ids=(parents[0].id,))]


def make(problem):
    return Doubling()


def misnamed(problem):
    operator = Doubling()
    operator.name = "other"
    return operator
"""

ENTRY_POINTS = """
[evolve.operators]
doubling = foreign_operator:make
misnamed = foreign_operator:misnamed
missing = foreign_operator:nowhere
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "packages"
    information = packages / "foreign_operator-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-operator\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    (packages / "foreign_operator.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(packages))


def problem_with(folder: Path, operators: str) -> Problem:
    path = folder / "problem.toml"
    path.write_text(path.read_text().replace("window = 4", f"window = 4\noperators = {operators}"))
    return load_problem(folder)


def test_an_operator_of_an_installed_package_works_where_it_is_named(
    installed: None, python_problem: Path, tmp_path: Path
) -> None:
    problem = problem_with(python_problem, '["doubling", "literal_edit"]')
    options = RunOptions(workers=1, evaluations=6, durability="fast")
    summary = start_run(problem, tmp_path / "run", options, lambda event: None)
    assert summary.evaluations == 6
    assert [operator.name for operator in build_operators(problem)] == ["doubling", "literal_edit"]


def test_an_installed_operator_that_is_not_named_changes_nothing(installed: None, python_problem: Path) -> None:
    names = [operator.name for operator in build_operators(load_problem(python_problem))]
    assert names == ["literal_edit", "tree_edit", "crossover"]


def test_an_unknown_name_lists_the_installed_operators_too(installed: None, python_problem: Path) -> None:
    problem = problem_with(python_problem, '["tripling"]')
    with pytest.raises(ProblemError, match=r"tripling.*tree_edit.*doubling"):
        build_operators(problem)


def test_an_entry_point_that_cannot_be_loaded_is_named(installed: None, python_problem: Path) -> None:
    problem = problem_with(python_problem, '["missing"]')
    with pytest.raises(ProblemError, match=r"missing \(foreign_operator:nowhere\) cannot be loaded"):
        build_operators(problem)


def test_an_entry_point_must_carry_its_operators_name(installed: None, python_problem: Path) -> None:
    problem = problem_with(python_problem, '["misnamed"]')
    with pytest.raises(ProblemError, match="made an operator called other"):
        build_operators(problem)


@pytest.mark.parametrize("name", ["exp2", "circle_packing_26"])
def test_the_architecture_page_lists_every_built_in_operator(name: str) -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")
    assert [each.name for each in build_operators(load_problem(name)) if f"`{each.name}`" not in page] == []


def test_the_architecture_page_lists_every_conformance_suite() -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")
    suites = sorted((ARCHITECTURE.parents[1] / "evolve" / "testing").glob("*_conformance.py"))
    assert len(suites) == 6
    assert [suite.stem for suite in suites if f"`{suite.stem}`" not in page] == []
