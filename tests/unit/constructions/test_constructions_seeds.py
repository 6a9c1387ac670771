"""Every problem with a verifier: a plain construction has a value, and a certificate that a script of a page confirms.

The construction is that of the seed program, or for seed programs that search for seconds one of `plain`.
"""

import copy
import json
import runpy
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from evaluators.constructions.certificate import CHECKERS, checker_of
from evaluators.constructions.pictures import as_text
from evaluators.constructions.registry import MODULES, checked_parameters, verifier_named, verify
from evaluators.constructions.verdict import Verdict
from evaluators.judge import JudgeSpec
from evaluators.process import open_judge
from evolve.config.locate import shipped_problems
from evolve.config.parameters import known_values
from evolve.config.problem import Problem, load_problem
from evolve.view.pictures import from_artifact
from tests.extent import ALL_TESTS
from tests.unit.constructions.checked import confirm, of_verdict
from tests.unit.constructions.plain import PLAIN

FOLDERS = {name: folder for name, folder in shipped_problems().items() if folder.parent.name != "problems"}
NAMES = sorted(FOLDERS)
# Without a part they may be worth as much, or more: their bounds then hold all the same.
CAN_DO_WITHOUT = (
    "arithmetic_kakeya",
    "crouzeix",
    "prime_number_certificate",
    "sidorenko",
    "square_free_differences",
    "sum_difference_one",
    "sum_difference_two",
    "sums_differences",
    "young_convolution",
)
DRAWN = ("geometry", "packing")  # what lies there has a picture; elsewhere what can be drawn has one
QUICK = [name for name in NAMES if name not in PLAIN]
JUDGED = NAMES if ALL_TESTS else ["golomb_ruler", "low_discrepancy"]  # one with a long picture
# Cheaper members of their families; the whole suite takes the problems as they are.
SMALLER: dict[str, dict[str, int]] = {
    "littlewood_polynomial": {"n": 64},
    "flat_polynomial": {"n": 32},
    "matrix_discrepancy": {"n": 12},
    "ring_loading": {"m": 9},
    "thomson": {"n": 24},
    "sidorenko": {"n": 2},
    "lattice_packing": {"d": 5},
    "cycle_power_independent": {"d": 3},
    "crouzeix": {"cuts": 64},
    "harmonic_norm": {"degree": 4},
    "kakeya_space": {"n": 3},
    "moving_sofa": {"n": 12},
    "touching_cylinders": {"n": 4},
    "lifted_polynomial": {"n": 24},
    "narrow_polynomial": {"n": 24},
}
_found: dict[str, tuple[Problem, str, Verdict]] = {}


def measured(name: str) -> tuple[Problem, str, Verdict]:
    """The problem, its verifier and what a plain construction is worth; once for all tests."""
    if name not in _found:
        smaller = {} if ALL_TESTS else SMALLER.get(name, {})
        problem = load_problem(FOLDERS[name], parameters=smaller)
        verifier = problem.tables.evaluator.options["verifier"]
        build = PLAIN.get(name) or runpy.run_path(str(FOLDERS[name] / "seed.py"))["construct"]
        construction = build(*problem.tables.parameters.values())
        _found[name] = problem, verifier, verify(verifier, construction, problem.tables.parameters)
    return _found[name]


def certificate_of_plain(name: str) -> dict[str, Any]:
    problem, verifier, verdict = measured(name)
    return of_verdict(verifier, verdict, problem.tables.parameters)


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_construction_has_a_value_and_a_place(name: str) -> None:
    problem, _, verdict = measured(name)

    assert verdict.valid, verdict.reason
    axes = {axis.name for axis in problem.tables.archive.axes}
    assert axes <= {*verdict.details, "program_lines"}


@pytest.mark.parametrize("name", NAMES)
def test_a_problem_says_where_its_best_value_is_from_and_which_way_is_better(name: str) -> None:
    _, verifier, verdict = measured(name)
    problem = load_problem(FOLDERS[name])
    known = problem.tables.known

    readme = (FOLDERS[name] / "README.md").read_text(encoding="utf-8")
    assert problem.name == name
    assert problem.tables.problem.area == FOLDERS[name].parent.name
    assert problem.tables.problem.tier
    assert len(readme) > 500
    if known is None:
        assert "**Known.**" in readme
        return
    assert known.source
    assert known.direction == verifier_named(verifier).direction
    if name in SMALLER and not ALL_TESTS:
        return
    # A plain construction leaves something to be found.
    assert verdict.score is not None
    assert verdict.score <= (known.value if known.direction == "max" else -known.value) * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("name", [name for name in NAMES if (FOLDERS[name] / "known.csv").is_file()])
def test_every_row_of_known_values_is_of_parameters_that_the_verifier_takes(name: str) -> None:
    problem = load_problem(FOLDERS[name])
    verifier = problem.tables.evaluator.options["verifier"]
    rows = known_values(problem.tables.known.model_dump() if problem.tables.known else {}, FOLDERS[name])
    defaults = problem.tables.parameters

    assert rows
    for row in rows:
        given = {key: row[key] for key in defaults}
        typed = {key: int(text) if isinstance(defaults[key], int) else text for key, text in given.items()}
        assert checked_parameters(verifier_named(verifier), typed) == typed
        assert float(row["value"])
        assert row["source"]
    own = {key: str(value) for key, value in defaults.items()}
    same = [row for row in rows if all(row[key] == text for key, text in own.items())]
    known = problem.tables.known
    assert known is not None
    for row in same:
        assert float(row["value"]) == known.value
        assert (float(row["alphaevolve"]) if row["alphaevolve"] else None) == known.alphaevolve
    assert len(same) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_repaired_construction_needs_no_repair(name: str) -> None:
    problem, verifier, verdict = measured(name)

    again = verify(verifier, verdict.construction, problem.tables.parameters)

    assert again.valid, again.reason
    assert again.value == verdict.value
    assert again.construction == verdict.construction


@pytest.mark.parametrize("name", NAMES)
def test_the_checker_confirms_the_certificate(name: str) -> None:
    confirm(certificate_of_plain(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_checker_refuses_a_better_value(name: str) -> None:
    certificate = certificate_of_plain(name)
    sign = 1 if certificate["direction"] == "max" else -1
    value = Fraction(certificate["value"])
    certificate["value"] = str(value + sign * max(abs(value), Fraction(1)) / 10**9)

    with pytest.raises((ValueError, KeyError, TypeError, ZeroDivisionError)):
        confirm(certificate)


@pytest.mark.parametrize("name", NAMES)
def test_the_checker_refuses_a_certificate_about_something_else(name: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        confirm({**certificate_of_plain(name), "verifier": "\x1b[31m"})


@pytest.mark.parametrize("name", [name for name in NAMES if name not in CAN_DO_WITHOUT])
def test_the_checker_refuses_a_construction_that_lost_a_part(name: str) -> None:
    certificate = copy.deepcopy(certificate_of_plain(name))
    certificate["construction"] = without_a_part(certificate["construction"])

    with pytest.raises((ValueError, KeyError, TypeError, ZeroDivisionError, IndexError)):
        confirm(certificate)


def without_a_part(construction: Any) -> Any:
    if isinstance(construction, dict):
        last = list(construction)[-1]
        part = construction[last]
        return {**construction, last: part[:-1] if isinstance(part, list) else part}
    return construction[:-1]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_of_the_construction_can_be_drawn(name: str) -> None:
    _, _, verdict = measured(name)
    text = as_text(verdict.picture)

    assert verdict.picture is not None or FOLDERS[name].parent.name not in DRAWN, "geometry is to be seen"
    if verdict.picture is not None:
        assert text is not None
        assert from_artifact(text) is not None


@pytest.mark.parametrize("name", JUDGED)
def test_the_judge_scores_the_seed_program_in_the_sandbox(name: str) -> None:
    problem, _, verdict = measured(name)
    judge = open_judge(JudgeSpec.from_mapping(problem.judge_spec_mapping()))
    try:
        evaluation = judge.evaluate(problem.seed_files)
        proved = judge.verify(problem.seed_files)
    finally:
        judge.close()

    assert evaluation.failure is None, evaluation.detail
    if name in QUICK:
        assert evaluation.score == verdict.score
    assert proved.verdict == "certified"
    confirm(json.loads(json.dumps(dict(proved.certificate))))


def test_the_documents_list_every_problem() -> None:
    document = (Path(__file__).parents[3] / "docs" / "library.md").read_text(encoding="utf-8")

    assert [name for name in NAMES if f"| `{name}` |" not in document] == []


def test_every_verifier_has_a_problem() -> None:
    used = {load_problem(folder).tables.evaluator.options["verifier"] for folder in FOLDERS.values()}

    assert used == set(MODULES)


def test_a_checker_is_a_page_that_imports_nothing_of_ours() -> None:
    for path in sorted(CHECKERS.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 200, path.name
        imported = {
            line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))
        }
        assert imported <= {*sys.stdlib_module_names, "flint"}, path.name


def test_a_checker_runs_alone_and_says_yes_or_no(tmp_path: Path) -> None:
    certificate = certificate_of_plain("heilbronn_triangle")
    checker = tmp_path / "check.py"
    shutil.copyfile(checker_of(certificate), checker)
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps({**certificate, "quantity": "\x1b[31m"}), encoding="utf-8")
    bad.write_text(json.dumps({**certificate, "value": "1/2"}), encoding="utf-8")

    yes, no, none, nothing = (
        subprocess.run([sys.executable, "-I", str(checker), *paths], capture_output=True, text=True, check=False)
        for paths in ([good], [bad], [tmp_path / "none.json"], [])
    )

    assert [each.returncode for each in (yes, no, none, nothing)] == [0, 1, 1, 1]
    assert yes.stdout.startswith('confirmed: {"verifier": "heilbronn_triangle", "parameters": {"n": 11}} reaches')
    assert "\x1b" not in yes.stdout  # of what a certificate says, only what was checked is repeated
    assert no.stderr.startswith("NOT CONFIRMED: ")
    assert "none.json" in none.stderr
    assert nothing.stderr.startswith("usage: ")


def test_a_checker_says_what_it_needs_where_python_has_no_flint() -> None:
    command = [sys.executable, "-I", "-S", str(CHECKERS / "check_distances.py"), "any.json"]  # -S: without packages

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("this check needs python-flint")
