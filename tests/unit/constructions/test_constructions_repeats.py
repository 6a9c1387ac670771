"""Repeats of a strategy: each has a random state of its own, and what is inherited depends on what counts."""

import json
from typing import Any

import pytest

from evaluators.constructions.evaluator import ConstructionEvaluator
from evaluators.judge import JudgeSpec
from evaluators.process import open_judge

OPTIONS = {"verifier": "block_stacking", "parameters": {"n": 1}, "inherit": True}
PROGRAM = "def construct(n, best, seed):\n    return [-0.1 * (seed % 4)]\n"
WARM = json.dumps([0.3, "[-0.2]"])


def spec(combine: str, repeats: int = 1) -> JudgeSpec:
    axes = ("program_lines",)
    common: dict[str, Any] = {"language": "python", "family": "construction", "options": OPTIONS, "axes": axes}
    return JudgeSpec(name="stack", combine=combine, repeats=repeats, **common)


class Program:
    """A candidate that remembers what it was given."""

    def __init__(self, *, rng_seed: int, repeat: int) -> None:
        self.files = {"seed.py": PROGRAM}
        self.rng_seed, self.repeat, self.inherited = rng_seed, repeat, WARM
        self.asked: list[Any] = []

    def call(self, name: str, *args: Any) -> Any:
        self.asked.append((name, *args))
        return [0.0]


@pytest.mark.parametrize(("rng_seed", "repeat", "seed"), [(7, 0, 7), (7, 2, 9), (2**32 - 1, 1, 0)])
def test_each_repeat_has_a_random_state_of_its_own(rng_seed: int, repeat: int, seed: int) -> None:
    program = Program(rng_seed=rng_seed, repeat=repeat)

    ConstructionEvaluator(spec("best")).judge(program)

    assert program.asked == [("construct", 1, [-0.2], seed)]


def test_where_the_mean_counts_nothing_is_inherited_or_handed_on() -> None:
    program = Program(rng_seed=1, repeat=0)

    answer = ConstructionEvaluator(spec("mean")).judge(program)

    assert program.asked == [("construct", 1, None, 1)]
    assert "construction" not in answer["artifacts"]


@pytest.mark.parametrize(("combine", "score"), [("best", 0.5), ("mean", 0.4), ("median", 0.4)])
def test_three_repeats_are_combined_as_the_problem_says(combine: str, score: float) -> None:
    with open_judge(spec(combine, repeats=3)) as judge:
        evaluation = judge.evaluate({"seed.py": PROGRAM}, rng_seed=4)

    assert evaluation.score == pytest.approx(score)
    assert evaluation.metrics["n_repeats"] == 3.0
    assert evaluation.metrics["score_spread"] == pytest.approx(0.2)


def test_the_best_of_three_repeats_hands_on_its_own_construction() -> None:
    with open_judge(spec("best", repeats=3)) as judge:
        evaluation = judge.evaluate({"seed.py": PROGRAM}, rng_seed=4)

    assert json.loads(evaluation.artifacts["construction"]) == [0.0]
