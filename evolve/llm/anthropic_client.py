"""Anthropic's models, and servers that speak the same format; always streaming."""

import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from evolve.llm.connection import Connection, missing_sdk, open_http
from evolve.llm.contract import LanguageModel, Outcome, Prompt, Usage
from evolve.llm.exchange import Sdk, WireModel
from evolve.llm.hearing import Heard, count_in, part_of, parts_of

OFFICIAL = "https://api.anthropic.com"
KEY_VARIABLE = "ANTHROPIC_API_KEY"
MOST_CACHE_MARKS = 4


def anthropic_model(connection: Connection, *, clock: Callable[[], float] = time.monotonic) -> LanguageModel:
    """A model of Anthropic, or of a server at `base_url` that speaks like it.

    Raises:
        UsageError: there is no key, or one that no header can hold.
        EvolveEnvironmentError: the SDK is not installed.
    """
    connection = connection.checked(key_variable=KEY_VARIABLE)
    try:
        import anthropic
    except ImportError as error:
        raise missing_sdk("anthropic") from error
    address = connection.base_url or os.environ.get("ANTHROPIC_BASE_URL") or OFFICIAL
    headers = dict(connection.headers)
    if not address.startswith(OFFICIAL):
        # The SDK sends the key as a bearer token; many servers that imitate the format read only this.
        headers = {"x-api-key": connection.api_key, **headers}
    client = anthropic.AsyncAnthropic(
        api_key=connection.api_key,
        base_url=address,
        max_retries=0,
        default_headers=headers,
        http_client=open_http(address),
    )
    sdk = Sdk(client=client, stream_class=anthropic.AsyncStream[Any], error=anthropic.AnthropicError)
    wire = MessagesWire(model=connection.model, effort=connection.effort)
    return WireModel(connection, sdk=sdk, wire=wire, clock=clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesWire:
    """The format of messages."""

    model: str
    effort: str = ""
    path = "/v1/messages"
    end_mark = b""
    optional: ClassVar[Mapping[str, str]] = {
        "output_config": r"\boutput_config\b|\beffort\b",
        "cache_control": r"\bcache_control\b",
    }

    def body(self, prompt: Prompt, *, without: Collection[str]) -> dict[str, Any]:
        """The request: each block of the system text ends a prefix to be cached."""
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": prompt.max_output_tokens,
            "messages": [{"role": turn.role, "content": turn.text} for turn in prompt.turns],
            "stream": True,
        }
        system = [{"type": "text", "text": block} for block in prompt.system if block.strip()]
        if system:
            n_unmarked = len(system) if "cache_control" in without else max(0, len(system) - MOST_CACHE_MARKS)
            marked = [{**block, "cache_control": {"type": "ephemeral"}} for block in system[n_unmarked:]]
            body["system"] = [*system[:n_unmarked], *marked]
        if self.effort and "output_config" not in without:
            body["output_config"] = {"effort": self.effort}
        return body

    def hear(self, event: Mapping[str, Any], heard: Heard) -> None:
        """Take in one event. Only text is kept, whatever blocks come before it."""
        kind = event.get("type")
        if kind == "message_start":
            heard.model = str(part_of(event, "message").get("model") or "")
            heard.usage = _usage_of(part_of(event, "message", "usage"), Usage())
        elif kind == "content_block_start":
            _hear_block(part_of(event, "content_block"), heard)
        elif kind == "content_block_delta":
            _hear_block(part_of(event, "delta"), heard)
        elif kind == "message_delta":
            _hear_end(part_of(event, "delta"), heard)
            self._hear_bill(part_of(event, "usage"), heard)
        elif kind == "message_stop":
            heard.ending = heard.ending or Outcome.OK

    def hear_whole(self, reply: Mapping[str, Any], heard: Heard) -> None:
        """Take in a message in one piece."""
        heard.model = str(reply.get("model") or "")
        for block in parts_of(reply, "content"):
            _hear_block(block, heard)
        _hear_end(reply, heard)
        self._hear_bill(part_of(reply, "usage"), heard)
        heard.ending = heard.ending or Outcome.OK

    def _hear_bill(self, usage: Mapping[str, Any], heard: Heard) -> None:
        if usage:
            heard.usage, heard.is_usage_final = _usage_of(usage, heard.usage or Usage()), True

    def spoken(self, text: str) -> str:
        """All of it: reasoning comes in blocks of its own."""
        return text


def _hear_block(block: Mapping[str, Any], heard: Heard) -> None:
    if block.get("type") in ("text", "text_delta"):
        heard.say(block.get("text"))
    elif block.get("type") in ("thinking", "thinking_delta"):
        heard.think(block.get("thinking"))


def _hear_end(said: Mapping[str, Any], heard: Heard) -> None:
    reason = said.get("stop_reason")
    if reason == "refusal":
        details = part_of(said, "stop_details")
        heard.refuse(": ".join(str(details[key]) for key in ("category", "explanation") if details.get(key)))
        heard.ending = Outcome.REFUSED
    elif reason in ("max_tokens", "model_context_window_exceeded"):
        heard.ending = Outcome.LENGTH
        heard.detail = "" if reason == "max_tokens" else "cut at the end of the model's context window"
    elif reason:
        heard.ending = Outcome.OK


def _usage_of(usage: Mapping[str, Any], before: Usage) -> Usage:
    """The counts of an event are cumulative; what it leaves out stays as it was."""
    cached = count_in(usage, "cache_read_input_tokens") or before.cached_tokens
    written = count_in(usage, "cache_creation_input_tokens") or before.cache_write_tokens
    fresh = count_in(usage, "input_tokens") or before.input_tokens - before.cached_tokens - before.cache_write_tokens
    return Usage(
        input_tokens=fresh + cached + written,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=count_in(usage, "output_tokens") or before.output_tokens,
        reasoning_tokens=count_in(usage, "output_tokens_details", "thinking_tokens"),
    )
