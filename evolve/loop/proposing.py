"""Driving an operator's generator: its compute goes to the executor, its questions to language models."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from evolve.errors import ProblemError, SeedError
from evolve.executors import ITERATION, Executor
from evolve.llm.calls import Answer, CallKey
from evolve.llm.contract import Outcome, Prompt
from evolve.loop.lessons import ASKED
from evolve.loop.told import Plan
from evolve.operators.briefing import Briefing, Judged
from evolve.operators.contract import Ask, Compute, Note, Proposal, Request

NOMINAL_INPUT_USD = 0.1e-6
NOMINAL_OUTPUT_USD = 0.5e-6
"""What a token of an unknown price is taken to cost the bandit (not the budget): a cheap model's price of 2026."""


class Asker(Protocol):
    """Answers questions to language models, see `evolve.llm.service.ModelService`."""

    @property
    def usd_per_second(self) -> float:
        """What a core-second is worth: how money and compute are compared."""

    async def ask(self, key: CallKey, model: str, prompt: Prompt, purpose: str) -> Answer:
        """The answer to one question."""


class BudgetSpentError(Exception):
    """A question was not asked, for its answer might cost more than is left: the run ends before this iteration."""


@dataclass(slots=True)
class Proposed:
    """What an operator brought: children, what they cost so far (about core-seconds), what it noted."""

    proposals: list[Proposal] = field(default_factory=list)
    cost: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)


async def propose(plan: Plan, rng: np.random.Generator, executor: Executor, models: Asker | None) -> Proposed:
    """Run the operator of a plan to its end.

    Raises:
        BudgetSpentError: a question could not be paid for.
        SeedError: the evaluator fails where the operator needs it.
        ProblemError: the operator asks a language model and the run has none.
    """
    proposing = plan.operator.propose(plan.parents, plan.inspirations, rng)
    proposed = Proposed()
    outcomes: list[str] = []
    try:
        request = next(proposing)
        while True:
            if isinstance(request, Ask):
                answer = await _asked(
                    request, CallKey(iteration=plan.number, ordinal=len(outcomes)), plan, models, proposed
                )
                outcomes.append(answer["outcome"])
            else:
                answer = await _given(request, plan, executor, proposed)
            request = proposing.send(answer)
    except StopIteration as stop:
        proposed.proposals = stop.value
    if outcomes:
        proposed.notes[ASKED] = outcomes
    proposed.notes = json.loads(json.dumps(proposed.notes))  # as the log will give it back
    return proposed


async def _asked(request: Ask, key: CallKey, plan: Plan, models: Asker | None, proposed: Proposed) -> Mapping[str, Any]:
    if models is None:
        raise ProblemError(
            f"the operator {plan.operator.name} asks the language model {request.model}, but this run has none",
            hint="start the run with --model, or leave the operator out",
        )
    answer = await models.ask(key, request.model, request.prompt, request.purpose)
    if answer.outcome is Outcome.NO_BUDGET:
        raise BudgetSpentError
    proposed.cost += cost_of(answer, models.usd_per_second)
    return {"outcome": str(answer.outcome), "text": answer.text}


async def _given(request: Request, plan: Plan, executor: Executor, proposed: Proposed) -> Mapping[str, Any]:
    if isinstance(request, Compute):
        answer = await executor.submit(request.task, {**request.payload, ITERATION: plan.number})
        require_answer(answer)
        proposed.cost += float(answer["cost"])
        return answer
    if isinstance(request, Note):
        proposed.notes.update(request.data)
        return {}
    return {"briefing": plan.briefing or _bare_briefing(plan)}


def cost_of(answer: Answer, usd_per_second: float) -> float:
    """What an answer cost, in core-seconds; from what is on record alone, so that a replay gives the same."""
    usd = answer.cost
    if usd is None:
        usd = NOMINAL_INPUT_USD * answer.usage.input_tokens + NOMINAL_OUTPUT_USD * answer.usage.output_tokens
    return usd / usd_per_second


def require_answer(answer: Mapping[str, Any]) -> None:
    """Raise what a worker says of an evaluator that search cannot work with.

    Raises:
        SeedError: the evaluator's fit target fails.
    """
    if "failed" in answer:
        raise SeedError(f"the problem's evaluator cannot be used: {answer['failed']}")


def _bare_briefing(plan: Plan) -> Briefing:
    """For an operator that reads the whole archive: who is there, without what was said of them."""
    parents = tuple(Judged(candidate=each, score=None) for each in plan.parents)
    return Briefing(parents=parents, iteration=plan.number)
