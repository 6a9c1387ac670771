"""Operators that learn and make no children: insights for an experience library, and advice that evolves.

An insight has parts that the library entries of Kong et al., AlphaOPT, 2025, arXiv 2510.18428 have (condition,
explanation, example); here it is drawn from a change to a program whose result is known.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.candidate import Candidate
from evolve.operators.briefing import Briefing, Instruction
from evolve.operators.contract import Note, Proposing
from evolve.operators.writing.converse import Question, asked
from evolve.operators.writing.operators import Craft, recalled, refused
from evolve.operators.writing.prompt import PromptTooLongError
from evolve.operators.writing.prompt_sections import failed_change, instructions, program, scored_change
from evolve.operators.writing.prompt_text import one_line, shortened, visible
from evolve.operators.writing.reply import fenced_blocks
from evolve.operators.writing.reply_error import ReplyError

PARTS = ("condition", "explanation", "example")
MAX_PART = {"condition": 400, "explanation": 800, "example": 800}
SHORTEST_PART = 10
N_INSTRUCTIONS = 5
SHORTEST_ADVICE = 40
MAX_ADVICE = 2500

_PART = re.compile(r"^[ \t*_#>-]*(condition|explanation|example)[ \t*_]*:[ \t*_]*", re.IGNORECASE | re.MULTILINE)
_FENCE_LINES = re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*\n?", re.MULTILINE)
_NONE = re.compile(r"[\s*_`]*none[\s*_.`]*", re.IGNORECASE)

Lesson = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightOperator:
    """Asks what a verified improvement or a failed change teaches; the lesson is a note, there is never a child."""

    model: str
    craft: Craft
    kind: str = "insight"
    n_parents: int = 1

    @property
    def name(self) -> str:
        """Its kind and model."""
        return f"{self.kind}@{self.model}"

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Recall the briefing and ask about a change in it; where it has none, do nothing at no cost."""
        del parents, inspirations  # the briefing has them, with their results
        briefing = yield from recalled()
        changes = [each for each in (scored_change(briefing), failed_change(briefing)) if each]
        if not changes:
            return []
        change = changes[int(rng.integers(len(changes)))]
        try:
            written = self.craft.writer.write("insight", briefing, {"change": change}, learned=False)
        except PromptTooLongError as error:
            return (yield from refused(error))
        question = Question(self.model, written.prompt, "insight", read_lesson)
        answered = yield from asked(question, self.craft.writer.templates)
        if answered is not None and answered.value:
            ids = _ids_of(briefing, failed=change == failed_change(briefing))
            yield Note(data={"insight": {**answered.value, "candidate_ids": ids}})
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceOperator:
    """Asks for a better instruction than those there are; it is a note, there is never a child."""

    model: str
    craft: Craft
    kind: str = "advice"
    n_parents: int = 1

    @property
    def name(self) -> str:
        """Its kind and model."""
        return f"{self.kind}@{self.model}"

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Recall the briefing and ask for an instruction."""
        del parents, inspirations, rng
        briefing = yield from recalled()
        writer = self.craft.writer
        shipped = writer.templates.fill("instruction", {})
        given = [
            Instruction(id=each.id, text=each.text.strip() or shipped, worth=each.worth)
            for each in (briefing.instructions or (briefing.instruction,))
        ][:N_INSTRUCTIONS]
        values = {
            "instructions": instructions(given),
            "parent": f"# A program of the search, for orientation\n\n{program(briefing.parents[0], 'parent')}",
        }
        try:
            written = writer.write("advice", briefing, values, self.craft.groups(briefing)[:1], learned=False)
        except PromptTooLongError as error:
            return (yield from refused(error))
        answered = yield from asked(Question(self.model, written.prompt, "advice", read_advice), writer.templates)
        if answered is not None and answered.value not in [each.text for each in given]:
            yield Note(data={"instruction": answered.value})
        return []


def _ids_of(briefing: Briefing, *, failed: bool) -> list[int]:
    """The candidates that a lesson was drawn from."""
    shown = [briefing.parents[0], *(briefing.failures[:1] if failed else ())]
    return [each.candidate.id for each in shown]


def read_lesson(reply: str) -> Lesson:
    """Condition, explanation and example of an insight; nothing if the model says that there is none.

    Raises:
        ReplyError: a part is missing.
    """
    if _NONE.fullmatch(reply):
        return {}
    pieces = _PART.split(visible(reply))
    found = {
        name.lower(): shortened(text.strip(), MAX_PART[name.lower()])
        for name, text in zip(pieces[1::2], pieces[2::2], strict=True)
    }
    missing = [part for part in PARTS[:2] if len(found.get(part, "")) < SHORTEST_PART]
    if missing:
        raise ReplyError(
            f"there is no line that starts with {' or '.join(f'{part.capitalize()}:' for part in missing)} and says "
            "something: answer with the parts Condition, Explanation and Example, or with NONE alone"
        )
    return {part: found.get(part, "") for part in PARTS}


def read_advice(reply: str) -> str:
    """A new instruction: the last fenced block, or the whole reply if it has none.

    Raises:
        ReplyError: it is too short to say anything, or too long for every prompt to carry it.
    """
    blocks = fenced_blocks(reply, ())
    written = visible(blocks[-1].text if blocks else reply)
    text = _FENCE_LINES.sub("", written).strip()  # an open fence would swallow what comes behind it in a prompt
    if len(text) < SHORTEST_ADVICE:
        raise ReplyError(f"the advice {one_line(text)!r} says too little: write sentences")
    if len(text) > MAX_ADVICE:
        raise ReplyError(f"the advice has {len(text)} characters, at most {MAX_ADVICE} are read: shorten it")
    return text
