"""Questions on their way: what an operator is answered, what it costs, what stays as a note."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest

from archive.candidate import Candidate
from evolve.errors import ProblemError
from evolve.executors import Executor
from evolve.llm.calls import Answer, CallKey
from evolve.llm.contract import Outcome, Prompt, Turn, Usage
from evolve.loop.proposing import NOMINAL_INPUT_USD, BudgetSpentError, Proposed, cost_of, propose
from evolve.loop.told import Plan
from evolve.operators.briefing import Briefing, Judged
from evolve.operators.contract import Ask, Compute, Note, Proposal, Proposing, Recall

CANDIDATE = Candidate(id=7, files={"p.py": "x"}, fingerprint="x")
BRIEFING = Briefing(parents=(Judged(candidate=CANDIDATE, score=1.0),), iteration=5)


def a_prompt(text: str) -> Prompt:
    return Prompt(system=("rules",), turns=(Turn(role="user", text=text),))


@dataclass
class Oracle:
    """Answers from a list; remembers what it was asked."""

    answers: list[Answer]
    usd_per_second: float = 0.001
    asked: list[tuple[CallKey, str, str, str]] = field(default_factory=list)

    async def ask(self, key: CallKey, model: str, prompt: Prompt, purpose: str) -> Answer:
        self.asked.append((key, model, prompt.turns[-1].text, purpose))
        return self.answers[len(self.asked) - 1]


@dataclass
class Machine:
    """An executor whose work always costs a quarter."""

    done: list[str] = field(default_factory=list)

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.done.append(task)
        return {"cost": 0.25}


@dataclass(frozen=True)
class Scripted:
    """An operator that does what a test wrote."""

    script: Callable[[list[Mapping[str, Any]]], Proposing]
    heard: list[Mapping[str, Any]] = field(default_factory=list)
    name: str = "scripted"
    n_parents: int = 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        return self.script(self.heard)


def an_answer(outcome: Outcome = Outcome.OK, text: str = "", cost: float | None = 0.002, tokens: int = 0) -> Answer:
    return Answer(outcome=outcome, text=text, cost=cost, usage=Usage(input_tokens=tokens), model="m", n_requests=1)


def done(operator: Scripted, oracle: Oracle | None, *, briefing: Briefing | None = BRIEFING) -> Proposed:
    plan = Plan(
        number=5, horizon=4, operator=operator, island=0, parents=(CANDIDATE,), inspirations=(), briefing=briefing
    )
    machine = cast(Executor, Machine())
    return asyncio.run(propose(plan, np.random.default_rng(0), machine, oracle))


def a_conversation(heard: list[Mapping[str, Any]]) -> Proposing:
    heard.append((yield Recall()))
    heard.append((yield Note(data={"insight_ids": (1, 2)})))
    heard.append((yield Ask(model="m", prompt=a_prompt("first"))))
    heard.append((yield Compute(task="burst", payload={})))
    heard.append((yield Ask(model="m", prompt=a_prompt("second"), purpose="repair")))
    heard.append((yield Note(data={"repaired": True})))
    return [Proposal(files={"p.py": "y"}, parent_ids=(7,))]


def test_every_request_has_its_answer_and_all_of_it_its_price() -> None:
    oracle = Oracle([an_answer(Outcome.CUT, "half"), an_answer(text="whole", cost=0.003)])
    operator = Scripted(a_conversation)

    proposed = done(operator, oracle)

    assert operator.heard == [
        {"briefing": BRIEFING},
        {},
        {"outcome": "cut", "text": "half"},
        {"cost": 0.25},
        {"outcome": "ok", "text": "whole"},
        {},
    ]
    assert [(key.iteration, key.ordinal, text, purpose) for key, _, text, purpose in oracle.asked] == [
        (5, 0, "first", "code"),
        (5, 1, "second", "repair"),
    ]
    assert proposed.cost == pytest.approx(2.0 + 0.25 + 3.0)
    assert proposed.notes == {"insight_ids": [1, 2], "repaired": True, "asked": ["cut", "ok"]}
    assert [proposal.files["p.py"] for proposal in proposed.proposals] == ["y"]


def test_an_operator_without_children_keeps_its_costs_and_notes() -> None:
    def learns(heard: list[Mapping[str, Any]]) -> Proposing:
        yield Ask(model="m", prompt=a_prompt("why?"))
        yield Note(data={"instruction": "be bold"})
        return []

    proposed = done(Scripted(learns), Oracle([an_answer()]))

    assert proposed.proposals == []
    assert proposed.cost == pytest.approx(2.0)
    assert proposed.notes == {"instruction": "be bold", "asked": ["ok"]}


def test_an_iteration_without_questions_leaves_no_notes() -> None:
    def computes(heard: list[Mapping[str, Any]]) -> Proposing:
        yield Compute(task="burst", payload={})
        return []

    assert done(Scripted(computes), None).notes == {}


def test_a_question_that_cannot_be_paid_ends_the_iteration_untold() -> None:
    with pytest.raises(BudgetSpentError):
        done(Scripted(a_conversation), Oracle([an_answer(Outcome.NO_BUDGET, cost=0.0)]))


def test_a_question_in_a_run_without_models_says_how_to_get_one() -> None:
    with pytest.raises(ProblemError, match="asks the language model m, but this run has none") as caught:
        done(Scripted(a_conversation), None)

    assert "--model" in str(caught.value)


def test_who_reads_the_whole_archive_recalls_who_is_there() -> None:
    operator = Scripted(a_conversation)

    done(operator, Oracle([an_answer(), an_answer()]), briefing=None)

    assert operator.heard[0]["briefing"].parents == (Judged(candidate=CANDIDATE, score=None),)


@pytest.mark.parametrize(
    ("cost", "tokens", "expected"),
    [(0.002, 10**6, 2.0), (0.0, 10**6, 0.0), (None, 10**6, NOMINAL_INPUT_USD * 1e9), (None, 0, 0.0)],
)
def test_an_unknown_price_is_taken_for_a_cheap_models_and_a_known_one_as_it_is(
    cost: float | None, tokens: int, expected: float
) -> None:
    assert cost_of(an_answer(cost=cost, tokens=tokens), 0.001) == pytest.approx(expected)
