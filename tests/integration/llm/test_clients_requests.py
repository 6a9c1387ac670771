"""What goes over the wire: bodies, headers, keys."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from evolve.llm.contract import Outcome, Prompt, Turn
from evolve.testing.llm_server import say
from evolve.testing.llm_server_faults import error_body, status
from tests.integration.llm.asking import CANARY

Ask = Callable[..., Any]
TALK = Prompt(
    system=("rules", "vocabulary", " ", "elites"),
    turns=(Turn(role="user", text="one"), Turn(role="assistant", text="two"), Turn(role="user", text="three")),
    max_output_tokens=50,
)


def test_chat_completions_get_five_parameters_and_no_more(ask: Ask) -> None:
    body = ask("chat", say("x"), prompt=TALK).body()

    assert body == {
        "model": "some-model",
        "messages": [
            {"role": "system", "content": "rules\n\nvocabulary\n\n \n\nelites"},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ],
        "max_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_responses_are_streamed_and_never_stored(ask: Ask) -> None:
    body = ask("responses", say("x"), prompt=TALK, effort="low").body()

    assert body == {
        "model": "some-model",
        "instructions": "rules\n\nvocabulary\n\n \n\nelites",
        "input": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ],
        "max_output_tokens": 50,
        "store": False,
        "stream": True,
        "reasoning": {"effort": "low"},
    }


def test_messages_mark_the_end_of_each_system_block_for_the_cache(ask: Ask) -> None:
    body = ask("messages", say("x"), prompt=TALK, effort="high").body()

    mark = {"type": "ephemeral"}
    assert body == {
        "model": "some-model",
        "max_tokens": 50,
        "system": [
            {"type": "text", "text": "rules", "cache_control": mark},
            {"type": "text", "text": "vocabulary", "cache_control": mark},
            {"type": "text", "text": "elites", "cache_control": mark},
        ],
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ],
        "stream": True,
        "output_config": {"effort": "high"},
    }


def test_at_most_four_blocks_are_marked_and_they_are_the_last(ask: Ask) -> None:
    prompt = Prompt(system=tuple("abcdef"), turns=(Turn(role="user", text="go"),))

    system = ask("messages", say("x"), prompt=prompt).body()["system"]

    assert [block["text"] for block in system if "cache_control" in block] == ["c", "d", "e", "f"]


def test_a_prompt_without_system_text_sends_none(ask: Ask, route: str) -> None:
    body = ask(route, say("x"), prompt=Prompt(system=(), turns=(Turn(role="user", text="go"),))).body()

    assert "system" not in json.dumps(body)
    assert "instructions" not in body


def test_no_sampling_parameter_is_ever_sent(ask: Ask, route: str) -> None:
    sent = json.dumps(ask(route, say("x"), prompt=TALK, effort="low").body())

    assert not [word for word in ("temperature", "top_p", "top_k", "seed", "thinking") if word in sent]


def test_the_key_goes_into_headers_that_servers_read_and_extra_headers_with_it(ask: Ask, route: str) -> None:
    request = ask(route, say("x"), headers={"X-Title": "evolve"}).server.requests[0]

    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert request.headers["x-title"] == "evolve"
    assert request.headers.get("x-api-key", CANARY) == CANARY
    assert ("x-api-key" in request.headers) == (route == "messages")
    assert CANARY not in json.dumps(request.body)


def test_keys_and_names_of_the_environment_stay_away_from_other_servers(
    ask: Ask, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "ANTHROPIC_AUTH_TOKEN",
    ):
        monkeypatch.setenv(variable, f"secret of {variable}".replace(" ", "-"))

    request = ask(route, say("x"), api_key="").server.requests[0]

    assert request.headers["authorization"] == "Bearer none"
    assert "secret" not in json.dumps(dict(request.headers))


def test_a_proxy_of_the_environment_is_not_asked_for_a_server_on_this_machine(
    ask: Ask, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
        monkeypatch.setenv(variable.lower(), "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    assert ask(route, say("direct")).completion.text == "direct"


def test_the_key_is_hidden_wherever_a_server_repeats_it(ask: Ask, route: str) -> None:
    told = f"Incorrect API key provided: {CANARY}. Other: sk-another-secret-key-123"
    asked = ask(
        route, lambda request: say(f"key {CANARY}") if request.number == 1 else status(401, error_body(told)), n=2
    )

    echoed, refused = asked.completions
    assert echoed.text == "key [hidden]"
    assert refused.outcome is Outcome.AUTH
    assert "Incorrect API key provided: [hidden]" in refused.detail
    assert "sk-another" not in refused.detail
    assert CANARY not in repr(asked.completions)


def test_the_key_is_in_no_log_of_the_sdks_however_much_they_tell(
    ask: Ask, route: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    ask(route, lambda request: say("x") if request.number == 1 else status(401, error_body(f"no: {CANARY}")), n=2)

    assert "HTTP" in caplog.text
    assert CANARY not in caplog.text


def test_letters_that_utf8_cannot_hold_are_replaced_on_both_ways(ask: Ask, route: str) -> None:
    prompt = Prompt(system=("a \ud800",), turns=(Turn(role="user", text="b \udfff"),))

    asked = ask(route, say("c ?", streams=False), prompt=prompt)

    assert asked.completion.outcome is Outcome.OK
    assert asked.server.requests[0].text == "a ?\nb ?"
