"""One iteration, with an executor that answers what a test wants: gating, judging, and who is blamed for what."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from archive import GridArchive, LinearAxis
from archive.candidate import Candidate
from archive.islands import Islands
from evaluators.contract import Evaluation, Failure
from evolve import tasks
from evolve.errors import EvolveEnvironmentError, SeedError
from evolve.executors import ITERATION, InfrastructureError, TaskError
from evolve.loop.iteration import EVALUATION_COST, MAX_DETAIL, Bench, judge_all, run_iteration
from evolve.loop.randomness import Purpose, evaluation_seed, stream
from evolve.loop.search import Search
from evolve.loop.told import Told, ToldChild
from evolve.operators.contract import Compute, Operator, Proposal, Proposing
from sandbox.errors import CandidateSyntaxError

RNG_SEED = 11


@dataclass
class Scripted:
    """Answers tasks of the test's own from `answers`, judges by text length, or fails with `error`."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: Exception | None = None
    evaluations: dict[str, Any] | None = None
    capacity: int = 1
    n_lost_workers: int = 0
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to close."""

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((task, dict(payload)))
        if self.error is not None:
            raise self.error
        if task in self.answers:
            return self.answers[task]
        if self.evaluations is not None:
            return self.evaluations
        texts = [child["files"]["p"] for child in payload["children"]]
        return {"evaluations": [tasks.evaluation_to_mapping(by_length(text)) for text in texts]}


@dataclass(frozen=True)
class Script:
    """Asks for `requests`, then proposes `texts`; remembers what it was sent."""

    texts: Sequence[str]
    requests: Sequence[str] = ()
    received: list[Mapping[str, Any]] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    name: str = "script"
    n_parents: int = 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        self.drawn.append(float(rng.random()))
        for request in self.requests:
            self.received.append((yield Compute(task=request, payload={"for": request})))
        return [Proposal(files={"p": text}, parent_ids=(parents[0].id,)) for text in self.texts]


class CaselessGate:
    """Texts are equal up to case; those that start with `!` are illegal."""

    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        if files["p"].startswith("!"):
            raise CandidateSyntaxError(f"a {files['p']!r} is not allowed")
        return files["p"].lower()


def by_length(text: str) -> Evaluation:
    return Evaluation(score=float(len(text)), descriptor={"x": 0.5})


def a_search(operator: Operator) -> Search:
    search = Search(
        Islands([GridArchive([LinearAxis("x", 0.0, 1.0, 2)])]),
        [operator],
        rng_seed=RNG_SEED,
        migrate_every=10,
        n_migrants=1,
    )
    search.tell(told(0, "seed"))
    return search


def told(number: int, text: str) -> Told:
    child = ToldChild(files={"p": text}, fingerprint=text, parent_ids=(), evaluation=by_length(text))
    return Told(number=number, operator="script", island=0, cost=0.0, seconds=0.0, n_duplicates=0, children=(child,))


def a_bench(executor: Scripted) -> Bench:
    return Bench(
        executor=executor, gate=CaselessGate(), judge={"name": "judge"}, rng_seed=RNG_SEED, longest_seconds=10.0
    )


def iterate(operator: Script, executor: Scripted | None = None) -> Told:
    search = a_search(operator)
    return asyncio.run(run_iteration(search.plan(1), search, a_bench(executor or Scripted())))


def judge(programs: Sequence[str], executor: Scripted, *, iteration: int = 3) -> list[Evaluation]:
    return asyncio.run(judge_all([{"p": text} for text in programs], iteration, a_bench(executor)))


def test_each_child_has_the_evaluation_of_its_own_text() -> None:
    outcome = iterate(Script(["a", "bbbb", "cc"]))

    assert {child.files["p"]: child.evaluation.score for child in outcome.children} == {"a": 1, "bbbb": 4, "cc": 2}
    assert {child.parent_ids for child in outcome.children} == {(1,)}


def test_equal_programs_of_one_iteration_are_judged_once() -> None:
    executor = Scripted()

    outcome = iterate(Script(["one", "ONE", "two", "One"]), executor)

    assert outcome.n_duplicates == 2
    assert [child["files"]["p"] for child in executor.asked[0][1]["children"]] == ["one", "two"]


def test_a_program_told_before_the_plan_is_not_judged_and_one_told_after_is() -> None:
    operator, executor = Script(["seed", "later"]), Scripted()
    search = a_search(operator)
    plan = search.plan(2)
    search.tell(told(1, "later"))

    outcome = asyncio.run(run_iteration(plan, search, a_bench(executor)))

    assert outcome.n_duplicates == 1
    assert [child.files["p"] for child in outcome.children] == ["later"]


def test_an_illegal_child_is_a_syntax_failure_that_costs_no_evaluation() -> None:
    executor = Scripted()

    outcome = iterate(Script(["!x", "fine", "!x"]), executor)

    refused = [child for child in outcome.children if child.evaluation.failure is not None]
    assert [child.evaluation.failure for child in refused] == [Failure.SYNTAX] * 2
    assert all("is not allowed" in child.evaluation.detail for child in refused)
    assert len({child.fingerprint for child in refused}) == 2
    assert outcome.cost == EVALUATION_COST
    assert len(executor.asked[0][1]["children"]) == 1


def test_an_iteration_without_legal_children_asks_no_worker() -> None:
    executor = Scripted()

    outcome = iterate(Script(["!", "seed"]), executor)

    assert executor.asked == []
    assert (len(outcome.children), outcome.n_duplicates, outcome.cost) == (1, 1, 0.0)


def test_the_operator_is_sent_the_answers_to_its_own_requests_and_charged_for_them() -> None:
    executor = Scripted(answers={"first": {"cost": 1.5, "n": 1}, "second": {"cost": 0.25, "n": 2}})
    operator = Script(["child"], requests=["first", "second"])

    outcome = iterate(operator, executor)

    assert [answer["n"] for answer in operator.received] == [1, 2]
    assert [asked[0] for asked in executor.asked] == ["first", "second", tasks.EVALUATE]
    assert executor.asked[1][1] == {"for": "second", ITERATION: 1}
    assert outcome.cost == pytest.approx(1.75 + EVALUATION_COST)


def test_an_evaluator_that_fails_an_operators_request_is_told_as_such() -> None:
    executor = Scripted(answers={"first": {"failed": "no fit target"}})

    with pytest.raises(SeedError, match="evaluator cannot be used: no fit target"):
        iterate(Script(["child"], requests=["first"]), executor)


def test_workers_that_die_under_an_operators_request_stop_the_run() -> None:
    with pytest.raises(InfrastructureError, match="three workers"):
        iterate(Script(["child"], requests=["first"]), Scripted(error=InfrastructureError("three workers died")))


def test_an_operator_draws_from_the_stream_of_its_iteration() -> None:
    operator = Script([])
    search = a_search(operator)

    asyncio.run(run_iteration(search.plan(9), search, a_bench(Scripted())))

    assert operator.drawn == [stream(RNG_SEED, Purpose.OPERATOR, 9).random()]


def test_nothing_to_judge_asks_nobody() -> None:
    executor = Scripted(error=AssertionError("nobody is to be asked"))

    assert judge([], executor) == []


def test_every_child_is_judged_with_a_seed_of_its_own_that_can_be_made_again() -> None:
    executor = Scripted()

    judge(["a", "b", "c"], executor, iteration=7)

    (task, payload), seeds = executor.asked[0], [child["rng_seed"] for child in executor.asked[0][1]["children"]]
    assert (task, payload["judge"]) == (tasks.EVALUATE, {"name": "judge"})
    assert seeds == [evaluation_seed(RNG_SEED, 7, ordinal) for ordinal in range(3)]
    assert len(set(seeds)) == 3


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (TimeoutError(), "did not answer within 150 s"),
        (TaskError("KeyError in the judge"), "KeyError in the judge"),
        (InfrastructureError("three in a row"), "the worker that judges died: three in a row"),
    ],
)
def test_a_judge_that_breaks_fails_every_child_and_not_the_run(error: Exception, word: str) -> None:
    evaluations = judge(["a", "b", "c"], Scripted(error=error))

    assert [each.failure for each in evaluations] == [Failure.EVALUATOR] * 3
    assert {each.stage for each in evaluations} == {"judge"}
    assert all(word in each.detail for each in evaluations)


def test_what_a_broken_judge_says_is_kept_short_and_harmless() -> None:
    detail = judge(["a"], Scripted(error=TaskError("\x1b[2J" + "x" * 100_000 + "KeyError: the end")))[0].detail

    assert "\x1b" not in detail
    assert len(detail) <= MAX_DETAIL
    assert detail.endswith("KeyError: the end")


def test_a_sandbox_that_does_not_work_is_the_machines_fault() -> None:
    with pytest.raises(EvolveEnvironmentError, match="sandbox does not work: no processes left"):
        judge(["a"], Scripted(evaluations={"broken": "no processes left"}))


def test_a_judge_that_answers_for_fewer_children_than_asked_is_noticed() -> None:
    answer = {"evaluations": [tasks.evaluation_to_mapping(by_length("a"))]}

    with pytest.raises(ValueError, match="zip"):
        iterate(Script(["a", "b"]), Scripted(evaluations=answer))
