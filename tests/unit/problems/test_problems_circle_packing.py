"""The exact judge of 26 circles: traps that other judges fell into, and the published record."""

import importlib.util
import json
import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.contract import Certainty, Evaluation, Failure
from evaluators.judge import Judge, JudgeSpec
from evolve.config.problem import load_problem

ROOT = Path(__file__).parents[3]
RECORDS = ROOT.parent / "shared" / "data" / "records"
FOLDER = ROOT / "problems" / "circle_packing_26"
pytestmark = pytest.mark.xdist_group("circle-packing")  # its judge is started once


def load_evaluator() -> Any:
    spec = importlib.util.spec_from_file_location("_circle_packing_under_test", FOLDER / "evaluate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


judge = load_evaluator()


class Answering:
    """A candidate that returns what the test says."""

    def __init__(self, answer: object) -> None:
        self.files = {"seed.py": "# nothing\nx = 1\n\n"}
        self.answer = answer

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        assert name == "pack"
        return self.answer


def evaluated(answer: object) -> Mapping[str, Any]:
    result: Mapping[str, Any] = judge.evaluate(Answering(answer))
    return result


def grid(radius: float = 1 / 12, columns: int = 6) -> list[list[float]]:
    """26 equal circles on a 6 by 6 grid of cells."""
    return [[(2 * (k % columns) + 1) / 12, (2 * (k // columns) + 1) / 12, radius] for k in range(26)]


def changed(row: int, column: int, value: object) -> list[list[Any]]:
    rows: list[list[Any]] = [list(each) for each in grid(0.08)]
    rows[row][column] = value
    return rows


def test_circles_that_do_not_touch_score_the_sum_of_their_radii() -> None:
    result = evaluated(grid(0.0625))
    assert result["score"] == 26 * 0.0625
    assert result["metrics"]["shrink"] == 0.0
    assert result["metrics"]["contacts"] == 0
    assert result["descriptor"] == {"radius_spread": 0.0, "program_lines": 1}


def test_contacts_are_counted_after_the_repair() -> None:
    assert evaluated(grid())["metrics"]["contacts"] == 15 + 41


def test_an_array_is_as_good_as_a_list() -> None:
    assert evaluated(np.array(grid(0.08))) == evaluated(grid(0.08))


@pytest.mark.parametrize("slack", [1e-6, 1e-7, 1e-9, 1e-12])
def test_slack_is_never_harvested(slack: float) -> None:
    exact, greedy = evaluated(grid(1 / 12)), evaluated(grid(1 / 12 + slack))
    assert greedy["score"] <= exact["score"] + 1e-15
    assert greedy["metrics"]["shrink"] == pytest.approx(slack, rel=1e-3)


def test_the_shrink_is_the_least_one_for_a_pair() -> None:
    rows = grid(0.0)
    rows[0], rows[1] = [0.25, 0.25, 0.2], [0.55, 0.65, 0.31]
    for k in range(2, 26):
        rows[k] = [0.03 * (k - 1), 0.98, 0.01]
    packing = judge.Packing(rows)
    assert float(packing.shrink) == pytest.approx((0.51 - 0.5) / 2, rel=1e-9)


def test_the_shrink_is_the_least_one_for_a_wall() -> None:
    rows = grid(0.01)
    rows[0] = [0.03, 0.5, 0.035]
    packing = judge.Packing(rows)
    assert packing.shrink == Fraction(0.035) - Fraction(0.03)


def test_the_score_is_never_above_the_exact_sum() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        rows = grid(0.0)
        for row in rows:
            row[:] = [row[0] + rng.normal() * 1e-3, row[1] + rng.normal() * 1e-3, 0.083 + rng.normal() * 1e-4]
        packing = judge.Packing(rows)
        packing.require_exact()
        score = judge.rounded_down(packing.total)
        assert Fraction(score) <= packing.total < Fraction(math.nextafter(score, math.inf))


def test_a_wrong_repair_would_be_noticed() -> None:
    packing = judge.Packing(grid(0.08))
    packing.radii[3] += Fraction(1, 10)
    with pytest.raises(ArithmeticError, match="circle 4"):
        packing.require_exact()


HOSTILE: list[tuple[object, str]] = [
    (None, "returned a NoneType"),
    (2.7, "returned a float"),
    ("26 circles", "returned a str"),
    ({"circles": grid(), "sum": 9.0}, "returned a dict"),
    ([], "returned 0 rows"),
    (grid()[:25], "returned 25 rows"),
    ([*grid(0.01), [0.95, 0.95, 0.01]], "returned 27 rows"),
    ([grid(), 9.0], "returned 2 rows"),
    ([0.5] * 26, "circle 1 is not a row"),
    (np.zeros((26, 4)), "circle 1 is not a row"),
    (np.zeros((26, 3, 2)), "the x of circle 1 is a list"),
    (np.zeros(78), "returned 78 rows"),
    (np.array(0.5), "returned a float"),
    (np.ones((26, 3), dtype=bool), "the x of circle 1 is a bool"),
    (changed(4, 2, math.nan), "the radius of circle 5 is nan"),
    (changed(4, 0, math.nan), "the x of circle 5 is nan"),
    (changed(4, 2, math.inf), "the radius of circle 5 is inf"),
    (changed(0, 2, -0.01), "the radius of circle 1 is -0.01"),
    (changed(0, 2, -1e-300), "the radius of circle 1 is -1e-300"),
    (changed(0, 0, -0.5), "the x of circle 1 is -0.5"),
    (changed(0, 1, 1.0000000000000002), "the y of circle 1 is 1.0000000000000002"),
    (changed(25, 2, "0.1"), "the radius of circle 26 is a str"),
    (changed(25, 2, None), "the radius of circle 26 is a NoneType"),
    (changed(25, 2, True), "the radius of circle 26 is a bool"),
    (changed(25, 2, [0.1]), "the radius of circle 26 is a list"),
    (changed(25, 2, 10**400), "a whole number out of range"),
    (changed(25, 2, 0.1j), "the radius of circle 26 is a complex"),
    ([[0.5, 0.5, 0.1]] * 26, "overlap or stick out too much"),
    ([[0.0, 0.0, 0.1], *grid(0.08)[1:]], "overlap or stick out too much"),
]


@pytest.mark.parametrize(("answer", "words"), HOSTILE)
def test_a_hostile_answer_is_refused_with_a_clear_text(answer: object, words: str) -> None:
    result = evaluated(answer)
    assert words in result["failure"]
    assert "score" not in result
    assert judge.verify(Answering(answer))["verdict"] == "refuted"


@pytest.mark.parametrize("tiny", [5e-324, 1e-300, 0, 1])
def test_extreme_but_legal_numbers_are_judged_exactly(tiny: float) -> None:
    rows = grid(0.01)
    rows[0] = [tiny, 0.5, 0]
    assert evaluated(rows)["score"] == pytest.approx(0.25)


def test_the_certificate_can_be_checked_with_fractions_alone() -> None:
    verdict = judge.verify(Answering(grid(1 / 12 + 1e-9)))
    certificate = json.loads(json.dumps(verdict["certificate"]))
    circles = [[Fraction(text) for text in row] for row in certificate["circles"]]
    assert len(circles) == 26
    assert sum(row[2] for row in circles) == Fraction(certificate["sum"]) >= Fraction(verdict["value"])
    for i, (x, y, r) in enumerate(circles):
        assert 0 <= r <= min(x, y, 1 - x, 1 - y)
        assert all((x - a) ** 2 + (y - b) ** 2 >= (r + c) ** 2 for a, b, c in circles[:i])


PUBLISHED = {
    "circles_square_ae_v1_26": 2.6358627564136983,
    "circles_square_ae_v2_26": 2.6359830849176067,
}


@pytest.mark.parametrize(("name", "certified"), PUBLISHED.items())
def test_a_published_construction_comes_out_at_its_verified_value(name: str, certified: float) -> None:
    path = RECORDS / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here: published constructions are no part of this project")
    rows = json.loads(path.read_text(encoding="utf-8"))["data"]["circles"]
    result = evaluated(rows)
    assert result["score"] == pytest.approx(certified, abs=2e-15)
    assert judge.verify(Answering(rows))["verdict"] == "certified"


@pytest.fixture(scope="module")
def judging() -> Iterator[Judge]:
    """The judge of the problem; each program has a process of its own below it."""
    with Judge(JudgeSpec.from_mapping(load_problem("circle_packing_26").judge_spec_mapping())) as whole:
        yield whole


def judged_program(judging: Judge, text: str) -> Evaluation:
    return judging.evaluate({"seed.py": text})


@pytest.mark.parametrize(
    ("text", "failure", "words"),
    [
        ("def pack():\n    return [[float('nan')] * 3] * 26\n", Failure.NOT_FINITE, ""),
        ("def pack():\n    return 1 / 0\n", Failure.EXCEPTION, "ZeroDivisionError"),
        ("def solve():\n    return 3\n", Failure.EXCEPTION, "pack"),
        ("def pack():\n    return [[0.5, 0.5, 0.1]] * 26, 9.9\n", Failure.INVALID, "2 rows"),
        ("import os\n\n\ndef pack():\n    os._exit(0)\n", Failure.CRASH, ""),
    ],
)
def test_a_hostile_program_is_a_failure_and_never_a_score(
    judging: Judge, text: str, failure: Failure, words: str
) -> None:
    evaluation = judged_program(judging, text)
    assert evaluation.failure is failure
    assert words in evaluation.detail


def test_a_program_cannot_reach_the_judge_through_its_answer(judging: Judge) -> None:
    text = (
        "class Liar(float):\n    def __float__(self):\n        return 1.0\n    def __le__(self, other):\n"
        "        return True\n    __ge__ = __le__\n\n\ndef pack():\n    return [[Liar(7.0)] * 3] * 26\n"
    )
    evaluation = judged_program(judging, text)
    assert evaluation.failure is Failure.INVALID


def seed_with(judging: Judge, change: Callable[[str], str]) -> Evaluation:
    return judged_program(judging, change((FOLDER / "seed.py").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def unchanged(judging: Judge) -> Evaluation:
    """What the seed program is worth."""
    return seed_with(judging, lambda text: text)


def test_a_search_that_wants_more_looks_than_there_are_keeps_what_it_has_shown(judging: Judge) -> None:
    evaluation = seed_with(judging, lambda text: text.replace("range(2)", "range(10_000)"))
    assert evaluation.score is not None
    assert evaluation.score > 1.0


def test_a_search_that_shows_nothing_fails_with_a_reason(judging: Judge) -> None:
    evaluation = seed_with(judging, lambda text: text.replace("radii, 40, 0.05)", "radii, 10_000, 0.05)"))
    assert evaluation.failure is Failure.EXCEPTION
    assert "the search has shown no packing" in evaluation.detail


def test_the_seed_is_modest_and_certified(judging: Judge, unchanged: Evaluation) -> None:
    evaluation, verdict = unchanged, judging.verify(load_problem("circle_packing_26").seed_files)
    assert evaluation.score is not None
    assert 0.9 < evaluation.score < 2.2
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.value == evaluation.score


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rate = 0.05", "rate = 0.2"),
        ("radii, 40, 0.05)", "radii, 120, 0.05)"),
        ("range(2)", "range(20)"),
        ("0.25, 0.75", "0.1, 0.9"),
        ("cooling = 0.95", "cooling = 1.0"),
    ],
)
def test_editing_one_literal_of_the_seed_improves_it(judging: Judge, unchanged: Evaluation, old: str, new: str) -> None:
    after = seed_with(judging, lambda text: text.replace(old, new))
    assert unchanged.score is not None
    assert after.score is not None
    assert after.score > unchanged.score
