"""Drives a language-model operator by hand: scripted replies in, questions, notes and children out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from archive.candidate import Candidate
from evolve.operators.briefing import Briefing, Judged
from evolve.operators.contract import Ask, Compute, Note, Operator, Proposal, Recall, Request

Reply = str | tuple[str, str]
"""The text of an `ok` reply, or an outcome and its text."""


@dataclass(slots=True)
class Driven:
    """What one call of an operator did."""

    children: list[Proposal] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    computes: list[Compute] = field(default_factory=list)
    notes: list[Mapping[str, Any]] = field(default_factory=list)
    n_recalls: int = 0

    def noted(self, key: str) -> Any:
        """The value of the only note that has the key; None without one."""
        found = [note[key] for note in self.notes if key in note]
        assert len(found) <= 1
        return found[0] if found else None

    def question(self, number: int = 0) -> str:
        """The last turn of a question: what is new in it."""
        return self.asks[number].prompt.turns[-1].text


def drive(
    operator: Operator,
    briefing: Briefing,
    replies: Sequence[Reply] = (),
    *,
    computed: Mapping[str, Any] | None = None,
    rng_seed: int = 0,
) -> Driven:
    """Run an operator on the briefing's parents; every reply must be used, and no more may be asked for."""
    driven, waiting = Driven(), list(replies)

    def answer(request: Request) -> Mapping[str, Any]:
        if isinstance(request, Recall):
            driven.n_recalls += 1
            return {"briefing": briefing}
        if isinstance(request, Note):
            driven.notes.append(request.data)
            return {}
        if isinstance(request, Compute):
            driven.computes.append(request)
            assert computed is not None
            return computed
        driven.asks.append(request)
        assert waiting, f"an unexpected question: {request.prompt.turns[-1].text}"
        reply = waiting.pop(0)
        outcome, text = ("ok", reply) if isinstance(reply, str) else reply
        return {"outcome": outcome, "text": text}

    proposing = operator.propose([each.candidate for each in briefing.parents], (), np.random.default_rng(rng_seed))
    try:
        request = next(proposing)
        while True:
            request = proposing.send(answer(request))
    except StopIteration as stop:
        driven.children = stop.value
    assert not waiting, f"{len(waiting)} replies were not asked for"
    return driven


def judged(number: int, text: str, *, score: float | None = 1.0, **more: Any) -> Judged:
    """A candidate of one file and what judging it gave; `parents` are the ids of its own."""
    parent_ids = tuple(more.pop("parents", ()))
    candidate = Candidate(id=number, files={"seed.py": text}, fingerprint=f"print {number}", parent_ids=parent_ids)
    return Judged(candidate=candidate, score=score, **more)
