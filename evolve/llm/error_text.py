"""The body of an error in any of the shapes that servers use, and the words by which its kind is told."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_MESSAGE = 4000
"""More than is kept: what is cut off must not be a part of a key, so keys are hidden first."""

MAX_OWN_WORDS = 400
"""Behind these, servers quote what they were sent."""

_NO_MONEY = re.compile(r"quota|billing|spend_limit|insufficient_credit|insufficient_balance|payment")
_NO_MONEY_SAID = re.compile(
    r"credit balance is too low|reached your specified api usage limits|insufficient (credits|balance)"
)
_BLOCKED = re.compile(r"content_filter|policy|invalid_prompt|moderation")
_BLOCKED_SAID = re.compile(
    r"content (filtering|management) policy|violating our usage policy|(was|been) flagged|requires moderation"
)
_TOO_LONG = re.compile(r"context_length_exceeded|exceed_context_size|request_too_large|string_above_max_length")
_TOO_LONG_SAID = re.compile(
    r"maximum context|context (length|window|limit|size)|(prompt|input|request) (is )?too (long|large)"
    r"|too many (input )?tokens"
)
_TAG = re.compile(r"<[^<>]*>|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorText:
    """What an error says: a sentence, its codes and types, and the parameter that it names."""

    message: str
    code: str = ""
    names: tuple[str, ...] = ()
    parameter: str = ""

    @property
    def words(self) -> str:
        """The start of the sentence, in small letters."""
        return self.message[:MAX_OWN_WORDS].lower()

    @classmethod
    def of(cls, body: object) -> "ErrorText":
        """Read a body: `{"error": {...}}`, its inside, `{"error": "..."}`, `{"detail": [...]}`, or plain text."""
        inner = body
        while isinstance(inner, Mapping) and isinstance(inner.get("error"), (Mapping, str)):
            inner = inner["error"]
        if not isinstance(inner, Mapping):
            return cls(message=_short(inner))
        details = inner.get("details")
        names = [
            inner.get("code"),
            inner.get("type"),
            details.get("error_code") if isinstance(details, Mapping) else "",
        ]
        loc, complaint = _complaint(inner.get("detail"))
        message = inner.get("message") or complaint or inner
        return cls(
            message=_short(message),
            code=str(inner.get("code") or ""),
            names=tuple(str(name).lower() for name in names if name),
            parameter=str(inner.get("param") or loc),
        )


def says_no_money(said: ErrorText) -> bool:
    """Whether waiting will not help, as there is nothing left to pay with."""
    return _any(_NO_MONEY, said.names) or bool(_NO_MONEY_SAID.search(said.words))


def says_blocked(said: ErrorText) -> bool:
    """Whether a rule about contents stopped the request or the answer."""
    return _any(_BLOCKED, said.names) or bool(_BLOCKED_SAID.search(said.words))


def says_too_long(said: ErrorText) -> bool:
    """Whether prompt and answer do not fit into the model's window."""
    return _any(_TOO_LONG, said.names) or bool(_TOO_LONG_SAID.search(said.words))


def _any(pattern: re.Pattern[str], names: Sequence[str]) -> bool:
    return any(pattern.search(name) for name in names)


def _complaint(detail: Any) -> tuple[str, str]:
    """Place and text of a complaint in the form of FastAPI servers: a sentence, or a list of {loc, msg}."""
    if isinstance(detail, str):
        return "", detail
    first = next(_mappings(detail), {})
    steps = first.get("loc")
    place = ".".join(str(step) for step in steps if step != "body") if isinstance(steps, list) else ""
    return place, ": ".join(filter(None, (place, str(first.get("msg") or ""))))


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, Mapping))


def _short(value: object) -> str:
    """One line of at most `MAX_MESSAGE` characters, without tags: pages of proxies are long."""
    if value in (None, "", b"", {}):
        return "the server gave no reason"
    text = _TAG.sub(" ", str(value)[: 10 * MAX_MESSAGE]).strip()
    return re.sub(r"\s+", " ", text)[:MAX_MESSAGE] or "the server gave no reason"
