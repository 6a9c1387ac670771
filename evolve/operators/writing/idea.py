"""Idea first: a short proposal is written and reviewed before any code is paid for.

Scoring ideas before code is the peer review of Yu et al., AlphaResearch, 2025, arXiv 2511.08522; here the reviewer is a
second question to a language model that has not seen the first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.candidate import Candidate
from evolve.operators.briefing import Briefing
from evolve.operators.contract import Note, Proposing
from evolve.operators.writing.converse import Question, asked, continued
from evolve.operators.writing.operators import Craft, noted, recalled, refused
from evolve.operators.writing.prompt import PromptTooLongError, Written
from evolve.operators.writing.prompt_sections import program
from evolve.operators.writing.prompt_text import fenced, shortened, visible
from evolve.operators.writing.reply_error import ReplyError

SHORTEST_IDEA = 40
MAX_IDEA = 4000
LOWEST, HIGHEST = 1, 10

_SCORE = re.compile(
    r"^[ \t*_#>`-]*score[ \t*_]*[:=][ \t*_]*(\d{1,3})(?:\.0+)?(?:[ \t]*/[ \t]*10)?[ \t*_.`]*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaOperator:
    """Asks for an idea, has it reviewed, and asks for its code if the review scores at least `threshold` of 10."""

    model: str
    craft: Craft
    threshold: int
    kind: str = "idea"
    n_parents: int = 1

    @property
    def name(self) -> str:
        """Its kind and model."""
        return f"{self.kind}@{self.model}"

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Recall the briefing, ask for the idea, its review and, if it is good enough, its code."""
        del inspirations  # the briefing has them, with their results
        briefing = yield from recalled()
        templates = self.craft.writer.templates
        try:
            written = self._written("idea", briefing, {"direction": self.craft.direction(rng)})
            yield from noted(briefing, written)
            idea = yield from asked(Question(self.model, written.prompt, "idea", read_idea), templates)
            if idea is None:
                return []
            review = self._written("review", briefing, {"idea": fenced(idea.value, info="text proposal")})
        except PromptTooLongError as error:
            return (yield from refused(error))
        score = yield from asked(Question(self.model, review.prompt, "review", read_score), templates)
        if score is None:
            return []
        accepted = score.value >= self.threshold
        yield Note(data={"idea": {"text": idea.value, "score": score.value, "accepted": accepted}})
        if not accepted:
            return []
        files = briefing.parents[0].candidate.files
        build = templates.fill("build", {"answer": self.craft.answer(files, short=False)})
        prompt = continued(idea.prompt, idea.reply, build)
        code = yield from asked(
            Question(self.model, prompt, "code", lambda reply: self.craft.language.child(reply, files)), templates
        )
        if code is None:
            return []
        return (yield from self.craft.children(code.value, (parents[0].id,), rng))

    def _written(self, name: str, briefing: Briefing, values: Mapping[str, str]) -> Written:
        """The prompt for the idea, or for its review: a reviewer gets no advice on how to write programs."""
        parent = program(briefing.parents[0], "parent", best=briefing.best)
        groups = self.craft.groups(briefing)
        learned = name == "idea"
        return self.craft.writer.write(name, briefing, {"parent": parent, **values}, groups, learned=learned)


def read_idea(reply: str) -> str:
    """The proposal, cut to a size that can be reviewed.

    Raises:
        ReplyError: it says next to nothing.
    """
    text = visible(reply).strip()
    if len(text) < SHORTEST_IDEA:
        raise ReplyError(f"the proposal has {len(text)} characters: describe the idea, its reason and its risk")
    return shortened(text, MAX_IDEA)


def read_score(reply: str) -> int:
    """The last score of a review.

    Raises:
        ReplyError: there is none from 1 to 10 on a line of its own.
    """
    scores = _SCORE.findall(reply)
    if not scores or not LOWEST <= int(scores[-1]) <= HIGHEST:
        raise ReplyError(f"there is no line `Score: N` with a whole number N from {LOWEST} to {HIGHEST}: end with one")
    return int(scores[-1])
