"""What our runs found: every claim is checked again, and nobody who searches gets to see it."""

import json
import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from evaluators.constructions.registry import verify
from evaluators.judge import Judge, JudgeSpec
from evaluators.process import JudgeProcess, open_judge
from evolve.config.finds import FOLDER, MAX_BYTES, Find, finds_in, standing_of
from evolve.config.locate import shipped_problems
from evolve.config.problem import Problem, load_problem
from evolve.errors import ProblemError
from tests.unit.constructions.checked import confirm

MAX_BYTES_IN_ALL = 1_500_000
FILES = {
    f"{name}/{path.stem}": path
    for name, folder in shipped_problems().items()
    for path in sorted((folder / FOLDER).glob("*"))
}
LEAST_PROBLEMS = 10
SPY = """
import math, os

# EVOLVE-BLOCK-START
def construct(n, d, best, seed):
    assert best is None
    seen = [path for path in {paths!r} if os.path.exists(path)]
    read = [open(path).read(9) for path in {paths!r} if os.access(path, os.R_OK)]
    assert not seen and not read, f"saw {{len(seen)}}, read {{len(read)}}"
    return [[math.cos(k), math.sin(k)] for k in range(n)]
# EVOLVE-BLOCK-END
"""


def read(name: str) -> Find:
    return Find.from_json(json.loads(FILES[name].read_text(encoding="utf-8")))


def problem_of(find: Find) -> Problem:
    return load_problem(find.problem, parameters=find.parameters)


@pytest.mark.parametrize("name", FILES)
def test_the_checker_confirms_what_was_found(name: str) -> None:
    confirm(read(name).certificate)


@pytest.mark.parametrize("name", FILES)
def test_the_verifier_finds_the_same_value_again(name: str) -> None:
    find = read(name)
    certificate = find.certificate

    verdict = verify(certificate["verifier"], certificate["construction"], find.parameters)

    assert verdict.valid, verdict.reason
    assert verdict.value == find.value
    assert certificate["verifier"] == problem_of(find).tables.evaluator.options["verifier"]


@pytest.mark.parametrize("name", FILES)
def test_a_find_is_what_it_says_it_is(name: str) -> None:
    find, path = read(name), FILES[name]
    known = problem_of(find).tables.known

    assert known is not None
    assert find.alphaevolve == known.alphaevolve
    assert find.certificate["direction"] == known.direction
    assert find.standing == standing_of(find.value, find.alphaevolve, known.direction)
    assert find.standing in ("beats", "equals")
    assert find.parameters == find.certificate["parameters"]
    assert path == shipped_problems()[find.problem] / FOLDER / find.file_name
    assert path.stat().st_size <= MAX_BYTES


def test_ten_problems_have_a_find_and_all_of_them_are_small() -> None:
    assert len({read(name).problem for name in FILES}) >= LEAST_PROBLEMS
    assert sum(path.stat().st_size for path in FILES.values()) <= MAX_BYTES_IN_ALL


@pytest.mark.parametrize(
    ("value", "published", "direction", "standing"),
    [
        ("23", 23.0, "min", "equals"),
        ("22", 23.0, "min", "beats"),
        ("24", 23.0, "min", "below"),
        ("0.30949", 0.309, "max", "equals"),
        ("0.3095", 0.309, "max", "equals"),
        ("0.30951", 0.309, "max", "beats"),
        ("0.3089999999995", 0.309, "max", "equals"),
        ("0.3089999999994", 0.309, "max", "below"),
        ("0.3090000000006", 0.309, "min", "below"),
        ("0.30849", 0.309, "min", "beats"),
        ("0.99625", 1.0, "max", "below"),
        ("-0.7124938782213", -0.712493878221, "max", "equals"),
        ("5/9", 0.5555555555555556, "max", "equals"),
        ("0.5555555555550", 0.5555555555555556, "max", "below"),
        ("0.5555555555556", 0.5555555555555556, "max", "equals"),
        ("0.5555555555566", 0.5555555555555556, "max", "beats"),
    ],
)
def test_a_value_equals_another_to_twelve_digits_and_beats_it_beyond_all_that_round_to_it(
    value: str, published: float, direction: str, standing: str
) -> None:
    assert standing_of(Fraction(value), published, direction) == standing


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge | JudgeProcess]:
    mapping = load_problem("minmax_distance_ratio").judge_spec_mapping()
    process = open_judge(JudgeSpec.from_mapping({**mapping, "preload": []}))  # quicker, and the same sandbox
    yield process
    process.close()


def test_a_candidate_sees_nothing_of_what_was_found_and_is_given_nothing(judge: Judge | JudgeProcess) -> None:
    spy = SPY.format(paths=[str(path.resolve()) for path in FILES.values()])

    evaluation = judge.evaluate({"seed.py": spy})

    assert evaluation.failure is None, evaluation.detail


def test_the_spy_would_tell_if_it_saw_something(judge: Judge | JudgeProcess) -> None:
    evaluation = judge.evaluate({"seed.py": SPY.format(paths=[os.__file__])})

    assert "saw 1, read 1" in evaluation.detail


def test_finds_are_no_part_of_a_judge_but_other_files_may_be(tmp_path: Path) -> None:
    folder = tmp_path / "minmax_distance_ratio"
    shutil.copytree(shipped_problems()["minmax_distance_ratio"], folder, ignore=shutil.ignore_patterns(FOLDER))
    before = load_problem(folder)
    assert finds_in(folder) == []

    (folder / FOLDER).mkdir()
    (folder / FOLDER / "n16_d2.json").write_text("{}", encoding="utf-8")
    (folder / "more.json").write_text("{}", encoding="utf-8")

    assert before.changed_judge_files() == ("more.json",)
    with pytest.raises(ProblemError, match=r"n16_d2\.json: no find"):
        finds_in(folder)
