"""OpenAI's models through the Responses API, and any server that understands chat completions."""

import os
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from evolve.errors import UsageError
from evolve.llm.connection import Connection, missing_sdk, open_http
from evolve.llm.contract import LanguageModel, Outcome, Prompt, Usage
from evolve.llm.exchange import Sdk, WireModel
from evolve.llm.hearing import Heard, count_in, part_of, parts_of
from evolve.llm.outcomes import fault_of_event

OFFICIAL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"
LEAST_OUTPUT_TOKENS = 16
"""The Responses API takes no smaller limit."""

_STREAM = r"^stream$"
"""Only as the parameter of an error: some models stream for verified organisations alone. In prose it is any word."""


def responses_model(connection: Connection, *, clock: Callable[[], float] = time.monotonic) -> LanguageModel:
    """A model of OpenAI itself. Nothing is kept there: `store` is always false.

    Raises:
        UsageError: there is no key, or one that no header can hold.
        EvolveEnvironmentError: the SDK is not installed.
    """
    connection = connection.checked(key_variable=KEY_VARIABLE)
    address = connection.base_url or os.environ.get("OPENAI_BASE_URL") or OFFICIAL
    wire = ResponsesWire(model=connection.model, effort=connection.effort)
    return WireModel(connection, sdk=_open(connection, address), wire=wire, clock=clock)


def chat_model(connection: Connection, *, clock: Callable[[], float] = time.monotonic) -> LanguageModel:
    """A model of any server with chat completions; it needs a `base_url`.

    Raises:
        UsageError: there is no address, or a key that no header can hold.
        EvolveEnvironmentError: the SDK is not installed.
    """
    if not connection.base_url:
        raise UsageError(
            f"no address for {connection.name or connection.model}",
            hint="Give the base URL of its server, such as http://localhost:11434/v1.",
        )
    connection = connection.checked(key_variable="EVOLVE_API_KEY_<NAME>")
    wire = ChatWire(model=connection.model, effort=connection.effort)
    return WireModel(connection, sdk=_open(connection, connection.base_url), wire=wire, clock=clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsesWire:
    """The format of the Responses API."""

    model: str
    effort: str = ""
    path = "/responses"
    end_mark = b""
    optional: ClassVar[Mapping[str, str]] = {"reasoning": r"\breasoning\b|\beffort\b", "stream": _STREAM}

    def body(self, prompt: Prompt, *, without: Collection[str]) -> dict[str, Any]:
        """The request: fixed text first, as a cache of prefixes likes it."""
        body: dict[str, Any] = {
            "model": self.model,
            "input": [{"role": turn.role, "content": turn.text} for turn in prompt.turns],
            "max_output_tokens": max(prompt.max_output_tokens, LEAST_OUTPUT_TOKENS),
            "store": False,
            "stream": "stream" not in without,
        }
        if prompt.system:
            body["instructions"] = "\n\n".join(prompt.system)
        if self.effort and "reasoning" not in without:
            body["reasoning"] = {"effort": self.effort}
        return body

    def hear(self, event: Mapping[str, Any], heard: Heard) -> None:
        """Take in one event."""
        kind, delta = event.get("type"), event.get("delta")
        if kind == "response.output_text.delta":
            heard.say(delta)
        elif kind == "response.refusal.delta":
            heard.refuse(delta)
        elif kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            heard.think(delta)
        elif kind == "error":
            heard.fault = fault_of_event(event)
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            self.hear_whole(part_of(event, "response"), heard)
        elif kind == "response.created":
            heard.model = str(part_of(event, "response").get("model") or "")

    def hear_whole(self, reply: Mapping[str, Any], heard: Heard) -> None:
        """Take in the final state of a response; its text counts only if no stream brought it."""
        heard.model = str(reply.get("model") or heard.model)
        messages = [item for item in parts_of(reply, "output") if item.get("type") == "message"]
        contents = [part for item in messages for part in parts_of(item, "content")]
        if not heard.pieces:
            for part in contents:
                heard.say(part.get("text") if part.get("type") == "output_text" else None)
        if not heard.refusals:
            for part in contents:
                if part.get("type") == "refusal":
                    heard.refuse(part.get("refusal"))
        self._hear_end(reply, heard)
        if part_of(reply, "usage"):
            heard.usage, heard.is_usage_final = _usage_of(part_of(reply, "usage"), "input", "output"), True

    def _hear_end(self, reply: Mapping[str, Any], heard: Heard) -> None:
        status, reason = reply.get("status"), part_of(reply, "incomplete_details").get("reason")
        if status == "failed":
            heard.fault = fault_of_event(part_of(reply, "error"))
        elif status == "completed":
            heard.ending = Outcome.OK
        elif reason == "content_filter":
            heard.ending = Outcome.REFUSED
            heard.detail = "stopped by the content filter"
        elif reason == "max_output_tokens":
            heard.ending = Outcome.LENGTH
        else:
            heard.detail = f"the response ended as {status}: {reason}"

    def spoken(self, text: str) -> str:
        """All of it: reasoning comes apart."""
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatWire:
    """The format of chat completions, with no more parameters than every server knows."""

    model: str
    effort: str = ""
    path = "/chat/completions"
    end_mark = b"[DONE]"
    optional: ClassVar[Mapping[str, str]] = {
        "stream_options": r"\bstream_options\b|\binclude_usage\b",
        "reasoning_effort": r"\breasoning(_effort)?\b|\beffort\b",
        "max_tokens": r"\bmax_tokens\b",
        "stream": _STREAM,
        "system role": r"system (role|message|prompt)|not support '?\"?system\b",
    }

    def body(self, prompt: Prompt, *, without: Collection[str]) -> dict[str, Any]:
        """The request."""
        limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        body: dict[str, Any] = {
            "model": self.model,
            "messages": _messages(prompt, has_system="system role" not in without),
            limit: prompt.max_output_tokens,
            "stream": "stream" not in without,
        }
        if not {"stream", "stream_options"} & set(without):
            body["stream_options"] = {"include_usage": True}
        if self.effort and "reasoning_effort" not in without:
            body["reasoning_effort"] = self.effort
        return body

    def hear(self, event: Mapping[str, Any], heard: Heard) -> None:
        """Take in one chunk."""
        self._hear(event, "delta", heard)

    def hear_whole(self, reply: Mapping[str, Any], heard: Heard) -> None:
        """Take in a completion in one piece."""
        self._hear(reply, "message", heard)
        heard.ending = heard.ending or Outcome.OK

    def _hear(self, event: Mapping[str, Any], place: str, heard: Heard) -> None:
        heard.model = str(event.get("model") or heard.model)
        if part_of(event, "usage"):
            heard.usage, heard.is_usage_final = _usage_of(part_of(event, "usage"), "prompt", "completion"), True
        for choice in parts_of(event, "choices")[:1]:
            said = part_of(choice, place)
            for part in (said.get("content"), *(one.get("text") for one in parts_of(said, "content"))):
                heard.say(part)
            heard.think(said.get("reasoning_content") or said.get("reasoning"))
            if said.get("refusal"):
                heard.refuse(said["refusal"])
            self._hear_end(choice.get("finish_reason"), heard)

    def _hear_end(self, reason: object, heard: Heard) -> None:
        if reason in ("length", "max_tokens"):
            heard.ending = Outcome.LENGTH
        elif reason == "content_filter":
            heard.ending, heard.detail = Outcome.REFUSED, "stopped by the content filter"
        elif reason == "error":
            heard.fault = fault_of_event({"message": "the server ended the answer with an error"})
        elif reason:
            heard.ending = Outcome.OK

    def spoken(self, text: str) -> str:
        """The text without the reasoning that small servers leave in it."""
        return strip_thinking(text)


_THINKING = re.compile(r"\A\s*<(think|thinking|thought)>.*?(</\1>\s*|\Z)", re.DOTALL)
_THOUGHT_END = re.compile(r"</think>[ \t]*(?:\n\s*|\Z)")


def strip_thinking(text: str) -> str:
    """`text` without reasoning at its start: `<think>...</think>`, also unclosed, or opened by the server's template.

    A lone `</think>` counts only at the end of a line, so that a program that holds the word keeps its start.
    """
    if _THINKING.match(text):
        return _THINKING.sub("", text, count=1)
    end = _THOUGHT_END.search(text)
    return text[end.end() :] if end and "<think>" not in text[: end.start()] else text


def _messages(prompt: Prompt, *, has_system: bool) -> list[dict[str, str]]:
    turns = [{"role": str(turn.role), "content": turn.text} for turn in prompt.turns]
    system = "\n\n".join(prompt.system)
    if system and has_system:
        return [{"role": "system", "content": system}, *turns]
    if system and turns:
        turns[0] = {**turns[0], "content": f"{system}\n\n{turns[0]['content']}"}
    return turns


def _usage_of(usage: Mapping[str, Any], asked: str, answered: str) -> Usage:
    """Both APIs of OpenAI count what was cached as part of the input, and reasoning as part of the output."""
    details = f"{asked}_tokens_details"
    return Usage(
        input_tokens=count_in(usage, f"{asked}_tokens"),
        cached_tokens=count_in(usage, details, "cached_tokens") or count_in(usage, "prompt_cache_hit_tokens"),
        cache_write_tokens=count_in(usage, details, "cache_write_tokens"),
        output_tokens=count_in(usage, f"{answered}_tokens"),
        reasoning_tokens=count_in(usage, f"{answered}_tokens_details", "reasoning_tokens"),
    )


def _open(connection: Connection, address: str) -> Sdk:
    try:
        import openai
    except ImportError as error:
        raise missing_sdk("openai") from error
    # Empty, not None: the environment's organisation and project are not for other people's servers.
    ours = None if address.startswith(OFFICIAL) else ""
    client = openai.AsyncOpenAI(
        api_key=connection.api_key,
        organization=ours,
        project=ours,
        base_url=address,
        max_retries=0,
        default_headers=dict(connection.headers),
        http_client=open_http(address),
    )
    return Sdk(client=client, stream_class=openai.AsyncStream[Any], error=openai.OpenAIError)
