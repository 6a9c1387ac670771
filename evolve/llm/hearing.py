"""What was heard of an answer so far, whichever format it came in, and what it amounts to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evolve.llm.contract import Outcome, Prompt, Usage, estimated_tokens
from evolve.llm.outcomes import Fault

MOST_COUNTED = 1_000_000_000
"""A larger number of tokens is a server's mistake: believed, it would end any budget."""


@dataclass(slots=True)
class Heard:
    """The state of one answer while it arrives.

    `ending` is what the answer says of its own end, None until it does. `usage` may come early and grow; it is whole
    when `is_usage_final`. `n_said` counts all characters, `n_hidden` those of reasoning, which are not kept.
    """

    pieces: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    n_hidden: int = 0
    n_said: int = 0
    ending: Outcome | None = None
    detail: str = ""
    fault: Fault | None = None
    usage: Usage | None = None
    is_usage_final: bool = False
    model: str = ""
    request_id: str = ""
    is_accepted: bool = False  # the server began an answer: from here on it costs money

    def say(self, text: object) -> None:
        """A piece of the text."""
        if isinstance(text, str) and text:
            self.pieces.append(text)
            self.n_said += len(text)

    def think(self, text: object) -> None:
        """A piece of reasoning: counted, not kept."""
        if isinstance(text, str):
            self.n_hidden += len(text)
            self.n_said += len(text)

    def refuse(self, text: object) -> None:
        """A piece of a refusal; an empty one counts as well."""
        self.refusals.append(text if isinstance(text, str) else "")
        self.n_said += len(self.refusals[-1])

    def fault_in_answer(self, text: str) -> Fault | None:
        """What keeps `text`, the part that an operator would get, from being a complete answer."""
        if self.fault is not None:
            return self.fault
        if self.refusals:
            why = " ".join(filter(None, ["".join(self.refusals).strip(), self.detail]))
            return Fault(outcome=Outcome.REFUSED, detail=f"the model refused: {why or 'without a reason'}")
        if self.ending is None:
            return Fault(outcome=Outcome.CUT, detail=self.detail or "the answer stopped without saying why")
        if self.ending is not Outcome.OK:
            return Fault(outcome=self.ending, detail=self.detail)
        if not text.strip():
            return Fault(outcome=Outcome.EMPTY, detail=self.detail or "the model said nothing")
        return None

    def usage_or_estimate(self, prompt: Prompt, *, is_charged: bool) -> Usage:
        """What the server counted, or one token for four characters of what went and came."""
        seen = estimated_tokens(self.n_said)
        known = self.usage or Usage()
        if self.is_usage_final and known.input_tokens and (known.output_tokens or not seen):
            return known
        if not (is_charged or self.is_accepted):
            return known
        return Usage(
            input_tokens=known.input_tokens or prompt.estimated_tokens(),
            cached_tokens=known.cached_tokens,
            cache_write_tokens=known.cache_write_tokens,
            output_tokens=max(known.output_tokens, seen),
            reasoning_tokens=max(known.reasoning_tokens, min(estimated_tokens(self.n_hidden), seen)),
            is_estimated=True,
        )


def count_in(data: object, *path: str) -> int:
    """A count of tokens in a document, 0 where there is none or it is not a whole number that can be believed."""
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data if isinstance(data, int) and not isinstance(data, bool) and 0 <= data <= MOST_COUNTED else 0


def part_of(data: object, *path: str) -> Mapping[str, Any]:
    """An object in a document, empty where there is none."""
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def parts_of(data: object, key: str) -> list[Mapping[str, Any]]:
    """The objects of a list in a document, none where there is no list."""
    found = data.get(key) if isinstance(data, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
