"""One iteration in flight: drive the operator's generator, gate its children, have them judged."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.answers import WrongAnswerError, clean
from evaluators.contract import Evaluation, Failure
from evolve import tasks
from evolve.errors import EvolveEnvironmentError
from evolve.executors import ITERATION, Executor, InfrastructureError, TaskError
from evolve.loop.gate import Gate
from evolve.loop.proposing import Asker, propose
from evolve.loop.randomness import evaluation_seed
from evolve.loop.search import Search
from evolve.loop.told import Plan, Told, ToldChild
from evolve.operators.contract import Proposal
from sandbox.errors import CandidateSyntaxError

EVALUATION_COST = 0.01
GRACE_SECONDS = 120.0
MAX_DETAIL = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What an iteration works with: where compute runs, how children are gated and judged.

    `longest_seconds` is how long one evaluation can take at most, see `JudgeSpec.longest_seconds`. `models` answers
    questions to language models, None in a run without any.
    """

    executor: Executor
    gate: Gate
    judge: Mapping[str, Any]
    rng_seed: int
    longest_seconds: float
    models: Asker | None = None


async def run_iteration(plan: Plan, search: Search, bench: Bench) -> Told:
    """Make, gate and judge the children of one plan.

    Raises:
        InfrastructureError: workers kept dying; the run should stop and be resumed later.
        BudgetSpentError: a question to a language model could not be paid for.
        SeedError: the evaluator fails where the operator needs it.
    """
    started = time.monotonic()
    proposed = await propose(plan, search.operator_stream(plan.number), bench.executor, bench.models)
    children: list[ToldChild] = []
    fresh: list[tuple[Proposal, str]] = []
    n_duplicates = 0
    seen: set[str] = set()
    for proposal in proposed.proposals:
        try:
            fingerprint = bench.gate.fingerprint_of(proposal.files)
        except CandidateSyntaxError as error:
            children.append(_refused(proposal, error, f"refused-{plan.number}-{len(children)}"))
            continue
        signature = search.known.behaviour_of(proposal.files)
        if (
            not seen.isdisjoint((fingerprint, signature))
            or search.known.had(fingerprint, plan.horizon)
            or search.known.had_behaviour(signature, plan.horizon)
        ):
            n_duplicates += 1
            continue
        seen |= {fingerprint} if signature is None else {fingerprint, signature}
        fresh.append((proposal, fingerprint))
    evaluations = await judge_all([proposal.files for proposal, _ in fresh], plan.number, bench, plan.inherited)
    children.extend(
        ToldChild(files=proposal.files, fingerprint=fingerprint, parent_ids=proposal.parent_ids, evaluation=evaluation)
        for (proposal, fingerprint), evaluation in zip(fresh, evaluations, strict=True)
    )
    return Told(
        number=plan.number,
        operator=plan.operator.name,
        island=plan.island,
        cost=proposed.cost + EVALUATION_COST * len(fresh),
        seconds=time.monotonic() - started,
        n_duplicates=n_duplicates,
        children=tuple(children),
        notes=proposed.notes,
    )


async def judge_all(
    programs: Sequence[Mapping[str, str]], iteration: int, bench: Bench, inherited: str = ""
) -> list[Evaluation]:
    """Judge programs in one task; an evaluator that hangs or breaks its worker fails them as EVALUATOR.

    A problem's own evaluator is bounded in its own process already: the deadline here lies above all its limits and is
    for what should never happen, a built-in family or a worker that hangs.

    Raises:
        EvolveEnvironmentError: the sandbox does not work on this machine.
    """
    if not programs:
        return []
    shared = {"inherited": inherited} if inherited else {}
    # Paired scores: everybody gets the random states of the seed program, so luck is the same for all.
    places = [(0, 0) if bench.judge.get("paired") else (iteration, ordinal) for ordinal in range(len(programs))]
    children = [
        {"files": dict(files), "rng_seed": evaluation_seed(bench.rng_seed, *place), **shared}
        for place, files in zip(places, programs, strict=True)
    ]
    deadline = GRACE_SECONDS + bench.longest_seconds * len(children)
    payload = {"judge": bench.judge, "children": children, ITERATION: iteration}
    try:
        async with asyncio.timeout(deadline):
            answer = await bench.executor.submit(tasks.EVALUATE, payload)
    except TimeoutError:
        return _judge_failed(f"the worker that judges did not answer within {deadline:.0f} s", len(programs))
    except TaskError as error:
        return _judge_failed(str(error), len(programs))
    except InfrastructureError as error:
        return _judge_failed(f"the worker that judges died: {error}", len(programs))
    if "broken" in answer:
        raise EvolveEnvironmentError(f"the sandbox does not work: {answer['broken']}")
    try:
        return [tasks.evaluation_from_mapping(each) for each in answer["evaluations"]]
    except WrongAnswerError as error:
        return _judge_failed(f"the worker that judges gave no evaluation: {error}", len(programs))


def _refused(proposal: Proposal, error: CandidateSyntaxError, fingerprint: str) -> ToldChild:
    evaluation = Evaluation.failed(Failure.SYNTAX, detail=error.detail, stage="gate")
    return ToldChild(
        files=proposal.files, fingerprint=fingerprint, parent_ids=proposal.parent_ids, evaluation=evaluation
    )


def _judge_failed(detail: str, n: int) -> list[Evaluation]:
    return [Evaluation.failed(Failure.EVALUATOR, detail=clean(detail, MAX_DETAIL), stage="judge")] * n
