"""Operators that ask a language model for a child: a diff, a rewrite, a crossover, a repair, an idea first."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archive.candidate import Candidate
from evolve.operators.briefing import Briefing, Judged
from evolve.operators.contract import Note, Proposal, Proposing, Recall, Request
from evolve.operators.writing.converse import Question, asked
from evolve.operators.writing.language import Language
from evolve.operators.writing.prompt import PromptTooLongError, Writer, Written
from evolve.operators.writing.prompt_sections import (
    Group,
    artifacts,
    failure_reason,
    failures,
    files_of,
    inspirations,
    program,
    results,
)
from evolve.operators.writing.refit import Refit

NOT_REPAIRABLE = frozenset({"", "evaluator", "threshold"})
"""Failures that say nothing of a fault in the program: the judge's own, and a low score in an early stage."""

Recalling = Generator[Request, Mapping[str, Any], Briefing]


def recalled() -> Recalling:
    """Ask the run for the briefing of this iteration."""
    answer = yield Recall()
    briefing: Briefing = answer["briefing"]
    return briefing


def noted(briefing: Briefing, written: Written) -> Generator[Request, Mapping[str, Any], None]:
    """Say what advice and which insights were in a prompt, so that they can be credited."""
    yield Note(data={"instruction_id": briefing.instruction.id, "insight_ids": list(written.insight_ids)})


def refused(error: PromptTooLongError) -> Proposing:
    """Give up before anything was asked."""
    yield Note(data={"refused": str(error)})
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Craft:
    """What all language-model operators of a run work with."""

    writer: Writer
    language: Language
    refit: Refit | None = None

    def groups(self, briefing: Briefing) -> list[Group]:
        """What may be in a prompt beside the parents, in the order in which room is given."""
        elites = inspirations(briefing.inspirations, briefing.parents, self.language.shown)
        return [failures(briefing.failures, briefing.parents), elites, artifacts(briefing.parents[0])]

    def direction(self, rng: np.random.Generator) -> str:
        """One of the language's wishes: models take no temperature, so prompts must differ for answers to differ."""
        wishes = self.language.directions(self.writer.templates)
        return wishes[int(rng.integers(len(wishes)))] if wishes else ""

    def answer(self, files: Mapping[str, str], *, short: bool) -> str:
        """The form of the answer."""
        return self.language.answer(self.writer.templates, files, short=short)

    def children(self, files: Mapping[str, str], parent_ids: tuple[int, ...], rng: np.random.Generator) -> Proposing:
        """The program that a model wrote; where constants can be fitted, also some with fitted constants."""
        if self.refit is None:
            return [Proposal(files=files, parent_ids=parent_ids)]
        return (yield from self.refit.children(files, parent_ids, rng))


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModelOperator:
    """Changes a parent by one question. `kind` is the template: diff, rewrite, crossover (two parents) or repair.

    A repair mends a failed child of its parent, a new one before older ones, and gives nothing, at no cost, where there
    is none.
    """

    kind: str
    model: str
    craft: Craft

    @property
    def name(self) -> str:
        """Its kind and model."""
        return f"{self.kind}@{self.model}"

    @property
    def n_parents(self) -> int:
        """Two for a crossover."""
        return 2 if self.kind == "crossover" else 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Recall the briefing, ask, have a bad reply repaired once."""
        del inspirations  # the briefing has them, with their results
        if len(parents) < self.n_parents:
            return []
        briefing = yield from recalled()
        base = self._base(briefing, rng)
        if base is None:
            return []
        try:
            written = self._written(briefing, base, rng)
        except PromptTooLongError as error:
            return (yield from refused(error))
        yield from noted(briefing, written)
        files = base.candidate.files
        question = Question(self.model, written.prompt, "code", lambda reply: self.craft.language.child(reply, files))
        answered = yield from asked(question, self.craft.writer.templates)
        if answered is None:
            return []
        parent_ids = tuple(parent.id for parent in parents[: self.n_parents])
        return (yield from self.craft.children(answered.value, parent_ids, rng))

    def _base(self, briefing: Briefing, rng: np.random.Generator) -> Judged | None:
        """The program that the reply changes. A newer failure is mended more often, but not one again and again."""
        parent = briefing.parents[0]
        if self.kind == "crossover":
            return parent if parent.candidate.files != briefing.parents[1].candidate.files else None
        if self.kind != "repair":
            return parent
        broken = [
            each
            for each in briefing.failures
            if each.failure not in NOT_REPAIRABLE
            and self.craft.language.is_legal_base(each.candidate.files, parent.candidate.files)
        ]
        return broken[min(int(rng.geometric(0.5)), len(broken)) - 1] if broken else None

    def _written(self, briefing: Briefing, base: Judged, rng: np.random.Generator) -> Written:
        groups = self.craft.groups(briefing)
        values = {
            "direction": self.craft.direction(rng),
            "answer": self.craft.answer(base.candidate.files, short=self.kind == "diff"),
        }
        parent = briefing.parents[0]
        if self.kind == "repair":
            # The program to be changed is the one marked as parent, for whoever reads prompts by their marks.
            values["failed"] = f"{failure_reason(base)}\n\n{files_of(base.candidate.files, 'parent')}"
            heading = f"# The parent it was made from, which works\n\n{results(parent)}"
            shown = Group(place="parent", heading=heading, items=(files_of(parent.candidate.files, "elite"),))
            return self.craft.writer.write(self.kind, briefing, values, [shown, groups[1]])
        values["parent"] = program(parent, "parent", best=briefing.best)
        if self.kind == "crossover":
            values["parent"] += f"\n\nThe second parent:\n\n{program(briefing.parents[1], 'elite')}"
        return self.craft.writer.write(self.kind, briefing, values, groups)
