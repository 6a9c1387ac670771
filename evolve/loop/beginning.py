"""What comes before the clock of a session starts: compile what operators need, judge the seed program."""

import time
from typing import Any

from archive.contract import AddStatus
from evaluators.contract import Evaluation, Failure
from evaluators.spec import OPTIMIZER_FAMILY
from evolve.config.problem import Problem
from evolve.errors import SeedError
from evolve.loop.events import Event
from evolve.loop.iteration import judge_all
from evolve.loop.parts import RunParts
from evolve.loop.proposing import require_answer
from evolve.loop.told import Told, ToldChild
from evolve.operators.symbolic import SymbolicBurst
from evolve.tasks import REFERENCES
from sandbox.errors import CandidateSyntaxError


async def begin(problem: Problem, parts: RunParts) -> None:
    """Compile or measure what operators and judge need; judge the seed program unless an earlier session did.

    Raises:
        SeedError: the seed program or its evaluator fails.
    """
    operators = (*parts.search.openers, *parts.search.operators)
    preparation = next((each.preparation() for each in operators if isinstance(each, SymbolicBurst)), None)
    if preparation is not None:
        text = "the compiled search; the first time takes about a minute"
        parts.listener(Event(kind="preparing", data={"text": text}))
        require_answer(await parts.bench.executor.submit(preparation.task, preparation.payload))
    if problem.tables.evaluator.family == OPTIMIZER_FAMILY:
        await _measure_references(parts)
    if parts.search.last_told < 0:
        await _tell_seed(problem, parts)


async def _measure_references(parts: RunParts) -> None:
    """Rules are compared with AdamW: on tasks and horizons that nobody measured on this machine it is trained first."""
    payload: dict[str, Any] = {"judge": dict(parts.bench.judge), "measure": False}
    answer = await parts.bench.executor.submit(REFERENCES, payload)
    require_answer(answer)
    if answer["missing"]:
        text = f"tuned AdamW, which takes minutes, once on this machine: {'; '.join(answer['missing'])}"
        parts.listener(Event(kind="preparing", data={"text": text}))
        require_answer(await parts.bench.executor.submit(REFERENCES, {**payload, "measure": True}))


async def _tell_seed(problem: Problem, parts: RunParts) -> None:
    """Iteration 0: judge the seed program and offer it to every island."""
    started = time.monotonic()
    try:
        fingerprint = parts.bench.gate.fingerprint_of(problem.seed_files)
    except CandidateSyntaxError as error:
        raise SeedError(f"the seed program of {problem.name} is not a legal candidate: {error.detail}") from error
    evaluation = (await judge_all([problem.seed_files], 0, parts.bench))[0]
    if evaluation.failure is not None:
        by_evaluator = evaluation.failure is Failure.EVALUATOR
        what = "the evaluator fails on the seed program" if by_evaluator else "the seed program cannot be scored"
        raise SeedError(
            f"{problem.name}: {what} ({evaluation.failure}): {evaluation.detail.rstrip()}",
            hint="nothing was written; mend it and start again",
        )
    child = ToldChild(files=problem.seed_files, fingerprint=fingerprint, parent_ids=(), evaluation=evaluation)
    told = Told(
        number=0,
        operator="seed",
        island=0,
        cost=0.0,
        seconds=time.monotonic() - started,
        n_duplicates=0,
        children=(child,),
    )
    record = parts.search.tell(told)
    row = record.candidates[0]
    if row.status != AddStatus.NEW:
        place = row.evaluation.detail or f"{dict(row.evaluation.descriptor)} is {row.status}"
        raise SeedError(
            f"the seed program of {problem.name} does not fit the archive: {place}",
            hint="make the axes in [archive] cover the seed program's descriptor",
        )
    parts.journal.commit([record], 0.0)
    parts.listener(Event(kind="seed", data=_seed_data(evaluation)))


def _seed_data(evaluation: Evaluation) -> dict[str, Any]:
    return {"id": 1, "score": evaluation.score, "metrics": dict(evaluation.metrics), "level": evaluation.level}
