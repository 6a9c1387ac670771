"""One question to a language model, and one more try if the reply is unusable."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from evolve.llm.contract import Outcome, Prompt, Turn
from evolve.operators.contract import Ask, Note, Request
from evolve.operators.prompt_templates import Templates
from evolve.operators.prompt_text import shortened, visible
from evolve.operators.reply_error import ReplyError

MAX_REASON = 500
MAX_PROBLEM = 8000
MAX_QUOTED = 40_000
MAX_QUOTED_CUT = 4000
"""Of a reply that was cut nothing can be mended, and what is quoted is paid for."""

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
    """Ask; a reply that cannot be read is answered once with what is wrong with it, in the same conversation.

    Returns None where the model could not answer or both replies were unusable; a note says why.
    """
    prompt, purpose = question.prompt, question.purpose
    for is_last in (False, True):
        answer = yield Ask(model=question.model, prompt=prompt, purpose=purpose)
        reply = str(answer["text"])
        if answer["outcome"] not in (Outcome.OK, Outcome.LENGTH) or not reply.strip():
            silent = answer["outcome"] in (Outcome.OK, Outcome.LENGTH)
            yield Note(data={"gave_up": str(Outcome.EMPTY if silent else answer["outcome"])})
            return None
        try:
            value = _read_whole(question.read, reply, str(answer["outcome"]))
        except ReplyError as error:
            problem = shortened(visible(str(error)), MAX_PROBLEM)
            if is_last:
                yield Note(data={"gave_up": problem[:MAX_REASON]})
                return None
            quoted = reply if answer["outcome"] == Outcome.OK else shortened(reply, MAX_QUOTED_CUT)
            prompt, purpose = continued(prompt, quoted, templates.fill("retry", {"problem": problem})), "repair"
        else:
            if is_last:
                yield Note(data={"repaired": True})
            return Answered(value, prompt, reply)
    return None


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
