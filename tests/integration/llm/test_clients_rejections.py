"""What a client learns from a rejection: one parameter less, at once and for good."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from evolve.llm.contract import Outcome, Prompt, Turn
from evolve.testing.llm_server import say, serving
from evolve.testing.llm_server_actions import Action, Plan, Request
from evolve.testing.llm_server_faults import error_body, rejects, status
from tests.integration.llm.asking import PROMPT, model_at

Ask = Callable[..., Any]


def refusing(parameter: str, message: str = "") -> Plan:
    """A server that rejects every request with a parameter, wherever it stands."""

    def plan(request: Request) -> Action:
        known = json.dumps(request.body)
        return rejects(parameter, message) if f'"{parameter}":' in known else say("done")

    return plan


@pytest.mark.parametrize(
    ("route", "parameter"),
    [
        ("chat", "stream_options"),
        ("chat", "reasoning_effort"),
        ("responses", "reasoning"),
        ("messages", "output_config"),
        ("messages", "cache_control"),
    ],
)
def test_a_rejected_parameter_is_dropped_at_once_and_for_good(ask: Ask, route: str, parameter: str) -> None:
    asked = ask(route, refusing(parameter), n=2, effort="low")

    first, second = asked.completions
    assert (first.outcome, first.text) == (Outcome.OK, "done")
    assert first.detail == f"asked 2 times: the server rejects {parameter}"
    assert (second.outcome, second.detail) == (Outcome.OK, "")
    assert [parameter in json.dumps(request.body) for request in asked.server.requests] == [True, False, False]


def test_a_limit_by_an_old_name_is_sent_by_its_new_one(ask: Ask) -> None:
    complaint = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."

    asked = ask("chat", refusing("max_tokens", complaint), n=2)

    assert [one.outcome for one in asked.completions] == [Outcome.OK, Outcome.OK]
    assert [request.body.get("max_completion_tokens") for request in asked.server.requests] == [None, 100, 100]
    assert [request.body.get("max_tokens") for request in asked.server.requests] == [100, None, None]


def test_a_limit_whose_value_is_too_large_is_told_and_never_left_out(ask: Ask) -> None:
    complaint = "max_tokens is too large: 100. This model supports at most 64 completion tokens."

    asked = ask("chat", refusing("max_tokens", complaint))

    assert (asked.completion.outcome, asked.completion.parameter) == (Outcome.BAD_REQUEST, "max_tokens")
    assert "at most 64" in asked.completion.detail
    assert len(asked.server.requests) == 1


def test_a_model_without_a_system_role_gets_its_rules_from_the_user(ask: Ask) -> None:
    def plan(request: Request) -> Action:
        has_role = request.body["messages"][0]["role"] == "system"
        return status(400, error_body("System role not supported", param="messages")) if has_role else say("done")

    turns = (Turn(role="user", text="one"), Turn(role="assistant", text="two"), Turn(role="user", text="three"))
    talk = Prompt(system=("rules", "words"), turns=turns)

    asked = ask("chat", plan, prompt=talk)

    assert asked.completion.text == "done"
    assert [turn["role"] for turn in asked.body()["messages"]] == ["user", "assistant", "user"]
    assert asked.body()["messages"][0]["content"].startswith("rules\n\n")
    assert asked.body()["messages"][0]["content"].endswith("\n\none")


@pytest.mark.parametrize("route", ["chat", "responses"])
def test_a_model_that_does_not_stream_answers_in_one_piece(ask: Ask, route: str) -> None:
    def plan(request: Request) -> Action:
        complaint = "Your organization must be verified to stream this model."
        return rejects("stream", complaint) if request.body["stream"] else say("whole")

    asked = ask(route, plan, n=2)

    assert [(one.outcome, one.text) for one in asked.completions] == [(Outcome.OK, "whole")] * 2
    assert [request.body["stream"] for request in asked.server.requests] == [True, False, False]
    assert "stream_options" not in asked.body()


def test_a_server_that_rejects_everything_is_asked_once_for_each_parameter(ask: Ask) -> None:
    def plan(request: Request) -> Action:
        for parameter in ("stream_options", "reasoning_effort", "max_tokens", "model"):
            if parameter in request.body:
                return rejects(parameter)
        return say("never")

    asked = ask("chat", plan, effort="low")

    assert (asked.completion.outcome, asked.completion.parameter) == (Outcome.BAD_REQUEST, "model")
    assert len(asked.server.requests) == 4
    assert "asked 4 times" in asked.completion.detail


def test_a_parameter_that_is_rejected_although_it_was_not_sent_ends_the_matter(ask: Ask, route: str) -> None:
    parameter = {"chat": "reasoning_effort", "responses": "reasoning", "messages": "output_config"}[route]

    asked = ask(route, rejects(parameter), n=2, effort="low")

    assert [one.outcome for one in asked.completions] == [Outcome.BAD_REQUEST, Outcome.BAD_REQUEST]
    assert len(asked.server.requests) == 3


def test_only_a_rejection_teaches_not_every_error_that_names_a_parameter(ask: Ask, route: str) -> None:
    overload = status(500, error_body("stream_options, reasoning, output_config: crashed", param="stream"))
    other = rejects("n", "n is not there for a stream")

    for action, expected in ((overload, Outcome.OVERLOADED), (other, Outcome.BAD_REQUEST)):
        asked = ask(route, action, effort="low")

        assert asked.completion.outcome is expected
        assert len(asked.server.requests) == 1


def test_two_requests_at_once_learn_the_same_and_both_get_their_answer(route: str) -> None:
    parameter = {"chat": "reasoning_effort", "responses": "reasoning", "messages": "output_config"}[route]

    async def both() -> list[Outcome]:
        async with serving(refusing(parameter)) as server:
            model = model_at(route, server, effort="low")
            asks = [model.complete(PROMPT, total_seconds=60.0, idle_seconds=60.0) for _ in range(2)]
            completions = await asyncio.gather(*asks)
            await model.close()
            return [one.outcome for one in completions]

    assert asyncio.run(both()) == [Outcome.OK, Outcome.OK]
