"""What the loopback server does with one request: says something, refuses, or breaks down in a chosen way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Finish(StrEnum):
    """What the answer says about its own end."""

    STOP = "stop"
    LENGTH = "length"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"
    UNSAID = "unsaid"  # the stream ends as it should, only the reason is null


class Cut(StrEnum):
    """How a connection ends before its time."""

    CLEAN = "clean"  # a proper end of the HTTP body, too early
    UNCLEAN = "unclean"  # the connection is closed inside the body
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. `route` is one of `chat`, `responses`, `messages`, `models`, or empty.

    `at_seconds` is monotonic; header names are lower case; `number` counts all requests of the server from 1.
    """

    number: int
    at_seconds: float
    method: str
    path: str
    route: str
    headers: Mapping[str, str] = field(repr=False)
    body: Any

    @property
    def text(self) -> str:
        """Everything that the request says in words, system text first."""
        body = self.body if isinstance(self.body, dict) else {}
        spoken = [body.get("instructions"), body.get("system"), body.get("messages"), body.get("input")]
        return "\n".join(words for part in spoken for words in _words(part))


@dataclass(frozen=True, slots=True)
class Say:
    """An answer, and what is odd about it. Frames count from 0; `None` means never.

    `content_null` sends no text at all where text belongs, `no_choices` not even that place. `thinking` comes before
    the text, in each format's own way. `bytewise` sends every byte in a chunk of its own, so that frames and UTF-8
    characters are split; `lines_apart` splits each frame once.
    """

    text: str | Callable[[Request], str] = ""
    finish: Finish = Finish.STOP
    category: str = "frontier_llm"  # of a refusal
    thinking: str = ""
    content_null: bool = False
    no_choices: bool = False
    n_pieces: int = 3
    delay_seconds: float = 0.0  # before each frame: a drip
    stall_at: int | None = None
    cut_at: int | None = None
    cut: Cut = Cut.CLEAN
    error_at: int | None = None
    error_kind: str = "overloaded_error"
    junk_at: int | None = None
    has_usage: bool = True
    input_tokens: int | None = None  # counted at four characters a token when None
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    crlf: bool = False
    lines_apart: bool = False
    bytewise: bool = False
    pings: bool = False
    streams: bool = True  # False: answers in one piece although a stream was asked for
    content_type: str = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Status:
    """A response that is not a stream: an error, a page, a broken document."""

    code: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    n_missing: int = 0  # bytes that Content-Length promises and that never come


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is reset before a word is said."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is said until the other side goes away; with `seconds`, `then` follows after them."""

    seconds: float | None = None
    then: Say | Status = field(default_factory=Say)


Action = Say | Status | Drop | Silence
Plan = Callable[[Request], Action]


def _words(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    if isinstance(part, list):
        return [words for one in part for words in _words(one)]
    if isinstance(part, dict):
        return _words(part.get("text", part.get("content")))
    return []
