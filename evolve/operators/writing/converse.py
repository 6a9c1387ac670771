"""One question to a language model: more room for a reply that was cut, one repair of a reply that is unusable."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from evolve.llm.contract import Outcome, Prompt, Turn
from evolve.operators.contract import Ask, Note, Request
from evolve.operators.writing.prompt_templates import Templates
from evolve.operators.writing.prompt_text import shortened, visible
from evolve.operators.writing.reply_error import ReplyError

MOST_OUTPUT_TOKENS = 32_768
MAX_REASON = 500
MAX_PROBLEM = 8000
MAX_QUOTED = 40_000
MAX_QUOTED_CUT = 4000
"""Of a reply that was cut nothing can be mended, and what is quoted is paid for."""

_SAID = (Outcome.OK, Outcome.LENGTH)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Answered(Generic[Read]):
    """What was read from a reply, and the conversation that ended with it."""

    value: Read
    prompt: Prompt
    reply: str


Asking = Generator[Request, Mapping[str, Any], Answered[Read] | None]


@dataclass(frozen=True, slots=True)
class Question(Generic[Read]):
    """What is asked, of which model, what for, and how the reply is read; `read` raises `ReplyError`."""

    model: str
    prompt: Prompt
    purpose: str
    read: Callable[[str], Read]


def asked(question: Question[Read], templates: Templates) -> Asking[Read]:
    """Ask, in at most three requests that are answered.

    A reply that was cut at its limit is asked for once more with twice the room; one that cannot be read is answered
    once with what is wrong with it, in the same conversation. Returns None where the model could not answer or its
    last reply was unusable; a note says why.
    """
    prompt, purpose, repaired = question.prompt, question.purpose, False
    room = longer(prompt)
    while True:
        answer = yield Ask(model=question.model, prompt=prompt, purpose=purpose)
        outcome, reply = str(answer["outcome"]), str(answer["text"])
        if outcome == Outcome.LENGTH and prompt.max_output_tokens < room and not repaired:
            prompt = replace(prompt, max_output_tokens=room)
            continue
        if outcome not in _SAID or not reply.strip():
            yield Note(data={"gave_up": str(Outcome.EMPTY) if outcome in _SAID else outcome})
            return None
        try:
            value = _read_whole(question.read, reply, outcome)
        except ReplyError as error:
            problem = shortened(visible(str(error)), MAX_PROBLEM)
            if repaired:
                yield Note(data={"gave_up": problem[:MAX_REASON]})
                return None
            quoted = reply if outcome == Outcome.OK else shortened(reply, MAX_QUOTED_CUT)
            prompt = continued(prompt, quoted, templates.fill("retry", {"problem": problem}))
            purpose, repaired = "repair", True
        else:
            if repaired:
                yield Note(data={"repaired": True})
            return Answered(value, prompt, reply)


def longer(prompt: Prompt) -> int:
    """The output tokens of a second request after a reply that was cut."""
    return max(prompt.max_output_tokens, min(2 * prompt.max_output_tokens, MOST_OUTPUT_TOKENS))


def continued(prompt: Prompt, reply: str, text: str) -> Prompt:
    """The conversation after the model's reply and our next words."""
    turns = (Turn(role="assistant", text=visible(shortened(reply, MAX_QUOTED))), Turn(role="user", text=text))
    return replace(prompt, turns=(*prompt.turns, *turns))


def _read_whole(read: Callable[[str], Read], reply: str, outcome: str) -> Read:
    if outcome == Outcome.LENGTH:
        raise ReplyError(
            "it was cut off at the limit of output tokens: think less, and answer with a change that is short to write"
        )
    return read(reply)
