"""One program for several sizes: mean of relative values, failures with their size, sizes that were held out."""

from collections.abc import Callable
from typing import Any

import pytest

from evaluators.constructions.family import FamilyEvaluator
from evaluators.errors import EvaluatorError
from evaluators.judge import JudgeSpec
from evaluators.process import open_judge
from evolve.config.problem import load_problem
from sandbox.errors import CandidateTimedOut
from tests.unit.constructions.checked import confirm

GOLOMB = {5: [0, 1, 4, 9, 11], 6: [0, 1, 4, 10, 12, 17], 7: [0, 1, 4, 10, 18, 23, 25], 8: [0, 1, 4, 9, 15, 22, 32, 34]}
SIZES, HELD_OUT = (5, 6), (7, 8)
REFERENCES = {"5": 11.0, "6": 17.0, "7": 25.0, "8": 34.0}


class Program:
    """A candidate whose function is one of ours."""

    def __init__(self, construct: Callable[..., Any]) -> None:
        self.files = {"seed.py": "def construct(n): ...\n"}
        self.rng_seed, self.repeat, self.inherited, self.output = 3, 0, "", ""
        self.asked: list[tuple[Any, ...]] = []
        self.n_closed = 0
        self._construct = construct

    def call(self, name: str, *args: Any) -> Any:
        assert name == "construct"
        self.asked.append(args)
        return self._construct(*args)

    def close(self) -> None:
        self.n_closed += 1


def spec(threshold: float = 0.0, held_out: tuple[int, ...] = HELD_OUT, **options: Any) -> JudgeSpec:
    family: dict[str, Any] = {"parameter": "n", "sizes": list(SIZES), "held_out": list(held_out)}
    family |= {"threshold": threshold, "references": REFERENCES}
    whole = {"verifier": "golomb_ruler", "parameters": {"n": 5}, "family": family, **options}
    axes = ("density", "program_lines")
    return JudgeSpec(name="golomb", language="python", family="construction", options=whole, axes=axes)


def doubled(n: int) -> list[int]:
    """A ruler twice as long as the best one."""
    return [2 * mark for mark in GOLOMB[n]]


def learnt_by_heart(n: int) -> list[int]:
    """Perfect for the sizes of the search."""
    return GOLOMB[n] if n in SIZES else [2**k for k in range(n)]


def test_the_score_is_the_mean_of_values_relative_to_the_best_known_ones() -> None:
    answer = FamilyEvaluator(spec()).judge(Program(lambda n: GOLOMB[n] if n == 5 else doubled(n)))

    assert answer["score"] == 0.75
    metrics = answer["metrics"]
    assert (metrics["relative_n5"], metrics["relative_n6"], metrics["worst"]) == (1.0, 0.5, 0.5)
    assert (metrics["value_n5"], metrics["value_n6"]) == (11.0, 34.0)
    assert metrics["density"] == pytest.approx((5 / 12 + 6 / 35) / 2)
    assert answer["descriptor"]["density"] == metrics["density"]


def test_what_is_as_good_as_known_at_every_size_scores_one() -> None:
    assert FamilyEvaluator(spec()).judge(Program(GOLOMB.__getitem__))["score"] == 1.0


def test_where_large_is_good_the_value_is_divided_by_the_known_one() -> None:
    family = {"parameter": "n", "sizes": [1, 2], "held_out": [], "threshold": 0.0, "references": {"1": 0.5, "2": 0.75}}
    evaluator = FamilyEvaluator(spec(verifier="block_stacking", family=family))

    answer = evaluator.judge(Program(lambda n: [0.0] if n == 1 else [0.25, -0.25]))

    assert answer["score"] == 1.0
    assert answer["metrics"]["value_n2"] == 0.75


def test_the_search_sees_no_held_out_size_and_each_size_gets_a_fresh_process() -> None:
    program = Program(GOLOMB.__getitem__)

    FamilyEvaluator(spec()).judge(program)

    assert program.asked == [(5,), (6,)]
    assert program.n_closed == 2


def test_strategies_inherit_nothing_and_get_the_same_random_state_at_every_size() -> None:
    program = Program(lambda n, best, seed: GOLOMB[n])
    program.inherited = '[1.0, "[0, 1]"]'

    answer = FamilyEvaluator(spec(inherit=True)).judge(program)

    assert [each[2] for each in program.asked] == [3, 3]
    assert "construction" not in answer["artifacts"]


@pytest.mark.parametrize(
    ("construct", "reason"),
    [
        (lambda n: GOLOMB[5], "at n = 6: the ruler has 5 marks, expected 6"),
        (lambda n: [*GOLOMB[n][:-1], float("nan")], "at n = 5: "),
        (lambda n: list(range(n)), "at n = 5: the distance 1 is there twice"),
        (lambda n: None, "at n = 5: "),
    ],
)
def test_a_failure_at_one_size_is_that_of_the_program_and_names_the_size(
    construct: Callable[[int], Any], reason: str
) -> None:
    answer = FamilyEvaluator(spec()).judge(Program(construct))

    assert answer["failure"].startswith(reason)
    assert "score" not in answer


def slow(n: int) -> list[int]:
    """In time for small sizes only."""
    if n > 5:
        raise CandidateTimedOut("took more than 10 s")
    return GOLOMB[n]


def test_a_program_that_is_too_slow_for_one_size_fails_with_the_size() -> None:
    answer = FamilyEvaluator(spec()).judge(Program(slow))

    assert answer == {"failure": "at n = 6: took more than 10 s", "kind": "timeout"}


def test_below_the_threshold_the_larger_sizes_are_not_tried() -> None:
    program = Program(doubled)

    answer = FamilyEvaluator(spec(threshold=0.6)).judge(program)

    assert answer["kind"] == "threshold"
    assert answer["failure"] == "at n = 5: the value is 0.5 of 11, below the threshold 0.6"
    assert program.asked == [(5,)]


def test_what_was_learnt_by_heart_is_seen_by_the_held_out_sizes() -> None:
    evaluator = FamilyEvaluator(spec())

    proof = evaluator.verify(Program(learnt_by_heart))

    assert evaluator.judge(Program(learnt_by_heart))["score"] == 1.0
    assert proof["verdict"] == "certified"
    assert proof["value"] == pytest.approx((25 / 63 + 34 / 127) / 2)
    assert proof["certificate"]["generalization_gap"] == pytest.approx(1.0 - proof["value"])
    assert "held out: mean 0.332" in proof["detail"]
    assert "generalization gap 0.667" in proof["detail"]


def test_a_failure_at_a_held_out_size_counts_nothing_and_refutes() -> None:
    proof = FamilyEvaluator(spec()).verify(Program(lambda n: GOLOMB[n] if n < 8 else GOLOMB[7]))

    assert (proof["verdict"], proof["score"], proof["value"]) == ("refuted", 1.0, 0.5)
    assert "8: the ruler has 7 marks, expected 8" in proof["detail"]


def test_a_program_that_is_too_slow_for_a_held_out_size_is_refuted() -> None:
    def slow_later(n: int) -> list[int]:
        return slow(n) if n > 7 else GOLOMB[n]

    proof = FamilyEvaluator(spec()).verify(Program(slow_later))

    assert (proof["verdict"], proof["value"]) == ("refuted", 0.5)
    assert "8: timeout: took more than 10 s" in proof["detail"]
    assert [each["failure"] for each in proof["certificate"]["sizes"]][-1] == "timeout: took more than 10 s"


def test_every_size_has_a_certificate_that_a_script_confirms() -> None:
    sizes = FamilyEvaluator(spec()).verify(Program(GOLOMB.__getitem__))["certificate"]["sizes"]

    assert [(each["size"], each["held_out"], each["relative"]) for each in sizes] == [
        (5, False, 1.0),
        (6, False, 1.0),
        (7, True, 1.0),
        (8, True, 1.0),
    ]
    for each in sizes:
        confirm(each["certificate"])


def test_without_held_out_sizes_the_value_is_that_of_the_search() -> None:
    proof = FamilyEvaluator(spec(held_out=())).verify(Program(doubled))

    assert proof["value"] == 0.5
    assert "no sizes were held out" in proof["detail"]


@pytest.mark.parametrize(("sizes", "message"), [([1, 5], "n is 1, expected"), ([5, 10**6], "n is 1000000, expected")])
def test_a_size_that_the_verifier_does_not_know_is_refused(sizes: list[int], message: str) -> None:
    family = {"parameter": "n", "sizes": sizes, "held_out": [], "threshold": 0.0}
    family["references"] = {str(size): 1.0 for size in sizes}

    with pytest.raises(EvaluatorError, match=message):
        FamilyEvaluator(spec(family=family))


def test_a_judge_runs_programs_of_a_family_in_the_sandbox() -> None:
    problem = load_problem("golomb_ruler", parameters={"n": "5,7/6"})
    files = problem.seed_files

    with open_judge(JudgeSpec.from_mapping(problem.judge_spec_mapping())) as judge:
        evaluation, verdict = judge.evaluate(files), judge.verify(files)
        broken = judge.evaluate({"seed.py": files["seed.py"].replace("return marks", "return marks[n == 5 :]")})

    assert evaluation.score is not None
    assert verdict.score == evaluation.score
    assert {each["size"] for each in verdict.certificate["sizes"]} == {5, 6, 7}
    assert broken.detail.startswith("at n = 5: ")
