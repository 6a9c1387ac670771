"""What is asked of a language model and what comes back; the same for every provider."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

CHARACTERS_PER_TOKEN = 4


class Outcome(StrEnum):
    """How one request to a model ended."""

    OK = "ok"
    LENGTH = "length"  # cut at the limit of output tokens
    CUT = "cut"  # the stream ended without saying why
    REFUSED = "refused"
    EMPTY = "empty"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    OVERLOADED = "overloaded"  # 5xx: the server cannot answer now
    AUTH = "auth"
    NOT_FOUND = "not_found"  # no such model or address
    BAD_REQUEST = "bad_request"
    TOO_LONG = "too_long"
    TIMEOUT = "timeout"
    TRANSPORT = "transport"
    PROTOCOL = "protocol"  # an answer that is no answer: HTML, junk, broken JSON
    NO_BUDGET = "no_budget"  # was never sent: money or tokens would not have sufficed
    UNAVAILABLE = "unavailable"  # was never sent: every model is stopped or parked


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A conversation that waits for an answer.

    `system` are blocks from what never changes in a run to what changes slowly; each ends a prefix worth caching.
    `turns` alternate and end with the user's.
    """

    system: tuple[str, ...]
    turns: tuple[Turn, ...]
    max_output_tokens: int = 8192

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that it says, in order."""
        return (*self.system, *(turn.text for turn in self.turns))

    def estimated_tokens(self) -> int:
        """About how many tokens it is."""
        return estimated_tokens(sum(map(len, self.texts)))

    def hash(self) -> str:
        """32 hex digits, equal for equal prompts."""
        text = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def estimated_tokens(n_characters: int) -> int:
    """About how many tokens a text is: one for four characters, rounded up."""
    return -(-n_characters // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one request. `input_tokens` counts all input, what was read from or written to a cache included."""

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0  # reasoning included
    reasoning_tokens: int = 0
    is_estimated: bool = False  # the server did not say: counted as one token for four characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What one request brought. A partial text of a cut stream is kept, and its tokens are charged.

    `retry_after_seconds` is what the server asked for; `parameter` the one that it rejected (`BAD_REQUEST`).
    """

    outcome: Outcome
    text: str = ""
    detail: str = ""
    usage: Usage = field(default_factory=Usage)
    model_reported: str = ""
    request_id: str = ""
    seconds: float = 0.0
    retry_after_seconds: float | None = None
    parameter: str = ""


class LanguageModel(Protocol):
    """One model behind one address."""

    @property
    def name(self) -> str:
        """What the user called it: `claude-sonnet-5-5`, `fake:`; unique in a run."""

    async def complete(self, prompt: Prompt, *, total_seconds: float, idle_seconds: float) -> Completion:
        """Send one request, no retries. Whatever a provider or network does is an outcome, never an exception.

        `total_seconds` bounds the whole answer, `idle_seconds` the wait for its next piece.
        """

    async def close(self) -> None:
        """Give back connections."""
