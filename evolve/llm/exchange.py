"""One request to one model: sent, listened to under two deadlines, and told as a `Completion` however it ends."""

import asyncio
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from evolve.llm.connection import Connection, encodable
from evolve.llm.contract import Completion, Outcome, Prompt
from evolve.llm.error_text import MAX_OWN_WORDS
from evolve.llm.hearing import Heard
from evolve.llm.outcomes import Fault, ProtocolError, fault_of_event, fault_of_exception

MOST_CHARACTERS_PER_TOKEN = 32
"""A server whose answer is longer than this for each allowed token does not honour the limit: we hang up."""

MAX_QUOTED = 4000
MAX_DETAIL = 400
MAX_NAME = 200
"""What is kept of a quoted text and of a name. It is cut after keys were hidden in it, lest a part of one stay."""

CONNECT_SECONDS = 15.0
"""Longest wait for a connection, however patient one is with the answer."""

_VALUE_TOO_LARGE = re.compile(r"too (large|many|high)|at most|maximum|exceed|greater|less than|must be")
_LOST_AFTER_THE_END = (Outcome.TRANSPORT, Outcome.TIMEOUT, Outcome.PROTOCOL)


class Wire(Protocol):
    """What differs between the formats of providers."""

    @property
    def path(self) -> str:
        """Where requests go, after the base URL."""

    @property
    def optional(self) -> Mapping[str, str]:
        """Parameters that a request can do without, and the pattern by which a complaint names each."""

    @property
    def end_mark(self) -> bytes:
        """What closes a stream even if no reason was given; empty if the format has no such thing."""

    def body(self, prompt: Prompt, *, without: Collection[str]) -> dict[str, Any]:
        """The request, without parameters that were rejected before."""

    def hear(self, event: Mapping[str, Any], heard: Heard) -> None:
        """Take in one event of a stream."""

    def hear_whole(self, reply: Mapping[str, Any], heard: Heard) -> None:
        """Take in an answer that came in one piece."""

    def spoken(self, text: str) -> str:
        """The part of a text that is meant for the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdk:
    """What we use of a provider's SDK: a client, its stream of plain JSON events, and the base of its errors."""

    client: Any
    stream_class: Any
    error: type[Exception]


class WireModel:
    """A language model behind an SDK's client and a wire format."""

    def __init__(self, connection: Connection, *, sdk: Sdk, wire: Wire, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._sdk = sdk
        self._wire = wire
        self._clock = clock
        self._rejected: set[str] = set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    @property
    def name(self) -> str:
        """What the user called the model."""
        return self._connection.name

    async def close(self) -> None:
        """Give back connections."""
        await self._sdk.client.close()

    async def complete(self, prompt: Prompt, *, total_seconds: float, idle_seconds: float) -> Completion:
        """Send one request; the only repetition is at once and without a parameter that the model rejected."""
        started = self._clock()
        prompt = _encodable(prompt)
        heard, dropped = Heard(), list[str]()
        fault: Fault | None
        try:
            async with asyncio.timeout(total_seconds):
                fault = await self._ask(prompt, heard, dropped, idle_seconds)
        except TimeoutError:
            fault = Fault(outcome=Outcome.TIMEOUT, detail=f"no complete answer within {total_seconds:g} seconds")
        return self._completion(prompt, heard, fault, dropped=dropped, seconds=self._clock() - started)

    async def _ask(self, prompt: Prompt, heard: Heard, dropped: list[str], idle_seconds: float) -> Fault | None:
        while True:
            # Another request may learn of a rejection meanwhile: only what this one sent can be blamed.
            without = frozenset(self._rejected)
            fault = await self._listen(prompt, self._wire.body(prompt, without=without), heard, idle_seconds)
            parameter = _rejected(fault, {k: v for k, v in self._wire.optional.items() if k not in without})
            if not parameter:
                return fault
            self._rejected.add(parameter)
            dropped.append(parameter)

    async def _listen(self, prompt: Prompt, body: object, heard: Heard, idle_seconds: float) -> Fault | None:
        import anyio
        import httpx2

        known = (self._sdk.error, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, anyio.EndOfStream)
        try:
            stream = await self._sdk.client.post(
                self._wire.path,
                cast_to=object,
                body=body,
                # Between any two pieces, a ping included: a server that drips for ever meets the total deadline.
                options={"timeout": httpx2.Timeout(idle_seconds, connect=min(idle_seconds, CONNECT_SECONDS))},
                stream=True,
                stream_cls=self._sdk.stream_class,
            )
            try:
                await self._hear_out(stream, heard, limit=prompt.max_output_tokens * MOST_CHARACTERS_PER_TOKEN)
            finally:
                await stream.close()
        except (*known, ProtocolError, OSError, ValueError, RecursionError) as error:
            return fault_of_exception(error)
        return None

    async def _hear_out(self, stream: Any, heard: Heard, *, limit: int) -> None:
        from evolve.llm.tail import Tail

        response = stream.response
        heard.request_id = response.headers.get("x-request-id") or response.headers.get("request-id") or ""
        kind = response.headers.get("content-type", "")
        tail = response.stream
        assert isinstance(tail, Tail), "the client was made by open_http"
        if "json" in kind or "html" in kind:
            self._hear_document(await response.aread(), heard)
            _cut_at(limit, heard)
            return
        heard.is_accepted = "event-stream" in kind
        async for event in stream:
            if not isinstance(event, Mapping):
                raise ProtocolError(f"the stream holds no JSON objects but {str(event)[:MAX_QUOTED]!r}")
            heard.is_accepted = True
            self._wire.hear(event, heard)
            _cut_at(limit, heard)
            if heard.fault is not None or heard.n_said > limit:
                return
        if not heard.is_accepted:
            raise ProtocolError(f"the server sent {kind or 'no content type'}: expected text/event-stream or JSON")
        if heard.ending is None and self._wire.end_mark and self._wire.end_mark in tail.last:
            heard.ending = Outcome.OK

    def _hear_document(self, document: bytes, heard: Heard) -> None:
        try:
            reply = json.loads(document)
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, Mapping):
            start = document[:MAX_QUOTED].decode("utf-8", "replace")
            raise ProtocolError(f"expected a stream of events or a JSON object, but the server answered with {start!r}")
        if reply.get("error"):
            heard.fault = fault_of_event(reply)
        else:
            heard.is_accepted = True
            self._wire.hear_whole(reply, heard)

    def _completion(
        self, prompt: Prompt, heard: Heard, fault: Fault | None, *, dropped: list[str], seconds: float
    ) -> Completion:
        text = self._wire.spoken("".join(heard.pieces))
        if fault is None or (heard.ending is not None and fault.outcome in _LOST_AFTER_THE_END):
            # What came after the answer had said its end, at most its bill, is missing: the answer is whole.
            fault = heard.fault_in_answer(text)
        fault = fault or Fault(outcome=Outcome.OK, detail="")
        redact = self._connection.redact
        notes = [self._connection.redact_error(fault.detail)[:MAX_DETAIL]]
        if fault.outcome is Outcome.LENGTH and not fault.detail:
            notes = [f"cut at the limit of {prompt.max_output_tokens} output tokens"]
        if dropped:
            notes.append(f"asked {len(dropped) + 1} times: the server rejects {', '.join(dropped)}")
        return Completion(
            outcome=fault.outcome,
            text=redact(text),
            detail="; ".join(filter(None, notes)),
            usage=heard.usage_or_estimate(prompt, is_charged=fault.outcome is Outcome.TIMEOUT and fault.is_sent),
            model_reported=redact(heard.model)[:MAX_NAME],
            request_id=redact(heard.request_id or fault.request_id)[:MAX_NAME],
            seconds=seconds,
            retry_after_seconds=fault.retry_after_seconds,
            parameter=redact(fault.parameter)[:MAX_NAME],
        )


def _cut_at(limit: int, heard: Heard) -> None:
    """Take no more of an answer than its limit of tokens could have brought, in one piece or in many."""
    if heard.n_said > limit:
        heard.ending, heard.detail = Outcome.LENGTH, f"longer than {limit} characters: the server has no limit"
        heard.pieces = ["".join(heard.pieces)[:limit]]


def _rejected(fault: Fault | None, optional: Mapping[str, str]) -> str:
    """The parameter that a server does not know, among those that can be left out, or nothing."""
    if fault is None or fault.outcome is not Outcome.BAD_REQUEST:
        return ""
    words = fault.detail[:MAX_OWN_WORDS]
    for text in filter(None, (fault.parameter, words)):
        for name, pattern in optional.items():
            if re.search(pattern, text, re.IGNORECASE):
                is_value = name.startswith("max_") and _VALUE_TOO_LARGE.search(words.lower())
                return "" if is_value else name
    return ""


def _encodable(prompt: Prompt) -> Prompt:
    turns = tuple(replace(turn, text=encodable(turn.text)) for turn in prompt.turns)
    return replace(prompt, system=tuple(map(encodable, prompt.system)), turns=turns)
