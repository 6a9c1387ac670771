"""Every way in which a provider or the network fails ends in its typed outcome, after one request."""

from collections.abc import Callable
from typing import Any

import pytest

from evolve.llm.contract import Outcome
from evolve.llm.exchange import MOST_CHARACTERS_PER_TOKEN
from evolve.testing.llm_server import say
from evolve.testing.llm_server_actions import Action, Cut, Drop, Finish, Silence, Status
from evolve.testing.llm_server_faults import (
    bad_json,
    error_body,
    html,
    overloaded,
    quota_spent,
    rate_limited,
    rejects,
    short_body,
    status,
    too_long,
)
from tests.integration.llm.asking import CANARY, PROMPT
from tests.patience import at_some_pace

Ask = Callable[..., Any]
WORDS = "one two three four five six"
STATUSES: dict[str, tuple[Status, Outcome]] = {
    "429": (rate_limited(), Outcome.RATE_LIMITED),
    "429 without credit": (quota_spent(), Outcome.QUOTA),
    "500": (status(500), Outcome.OVERLOADED),
    "502 as a page": (html(502), Outcome.OVERLOADED),
    "503 without a body": (status(503, ""), Outcome.OVERLOADED),
    "529": (overloaded(), Outcome.OVERLOADED),
    "400": (rejects("n"), Outcome.BAD_REQUEST),
    "400 too long": (too_long(), Outcome.TOO_LONG),
    "401": (status(401), Outcome.AUTH),
    "402": (status(402), Outcome.QUOTA),
    "403": (status(403), Outcome.AUTH),
    "404": (status(404), Outcome.NOT_FOUND),
    "413": (status(413), Outcome.TOO_LONG),
    "redirect": (status(308, "", {"location": "http://127.0.0.1:1/v1"}), Outcome.NOT_FOUND),
    "broken JSON": (bad_json(), Outcome.PROTOCOL),
    "a page": (html(), Outcome.PROTOCOL),
    "a list": (status(200, "[]"), Outcome.PROTOCOL),
    "no type": (Status(200, "hello", {"content-type": "text/plain"}), Outcome.PROTOCOL),
    "short body": (short_body(), Outcome.TRANSPORT),
    "200 with an error": (status(200, error_body("no", kind="rate_limit_error")), Outcome.RATE_LIMITED),
}


@pytest.mark.parametrize("case", STATUSES)
def test_an_answer_that_is_none_has_its_outcome_and_costs_nothing(ask: Ask, route: str, case: str) -> None:
    action, expected = STATUSES[case]

    asked = ask(route, action)

    completion = asked.completion
    assert completion.outcome is expected
    assert completion.text == ""
    assert completion.detail
    assert completion.usage.input_tokens == completion.usage.output_tokens == 0
    assert len(asked.server.requests) == 1


def test_of_an_error_without_end_the_beginning_is_read(ask: Ask, route: str) -> None:
    endless = Status(429, "slow down " * 100_000, {"retry-after": "7"}, n_missing=10**12)

    completion = ask(route, endless).completion

    assert (completion.outcome, completion.retry_after_seconds) == (Outcome.RATE_LIMITED, 7.0)
    assert "slow down" in completion.detail


def test_nothing_packed_is_asked_for(ask: Ask, route: str) -> None:
    assert ask(route, say("well")).server.requests[0].headers["accept-encoding"] == "identity"


def test_a_connection_that_is_reset_before_a_word_is_a_transport_failure(ask: Ask, route: str) -> None:
    asked = ask(route, Drop())

    assert asked.completion.outcome is Outcome.TRANSPORT
    assert len(asked.server.requests) == 1


def test_a_server_that_is_not_there_is_a_transport_failure_that_costs_nothing(ask: Ask, route: str) -> None:
    asked = ask(route, say("unheard"), base_url="http://127.0.0.1:9")

    assert asked.completion.outcome is Outcome.TRANSPORT
    assert asked.completion.usage.input_tokens == 0
    assert asked.server.requests == []


# Far enough into the stream of each format that some text, not all, has come.
MIDDLE = {"chat": 3, "responses": 6, "messages": 4}
BROKEN: dict[str, tuple[str, dict[str, Any], Outcome]] = {
    "clean end": ("cut_at", {"cut": Cut.CLEAN}, Outcome.CUT),
    "connection closed": ("cut_at", {"cut": Cut.UNCLEAN}, Outcome.TRANSPORT),
    "connection reset": ("cut_at", {"cut": Cut.RESET}, Outcome.TRANSPORT),
    "junk": ("junk_at", {}, Outcome.PROTOCOL),
    "stall": ("stall_at", {}, Outcome.TIMEOUT),
    "overload told": ("error_at", {"error_kind": "overloaded_error"}, Outcome.OVERLOADED),
    "rate limit told": ("error_at", {"error_kind": "rate_limit_error"}, Outcome.RATE_LIMITED),
    "unknown error told": ("error_at", {"error_kind": "boom"}, Outcome.OVERLOADED),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_stream_that_breaks_keeps_its_part_and_is_charged(ask: Ask, route: str, case: str) -> None:
    where, how, expected = BROKEN[case]

    def check(pace: float) -> None:
        idle = 0.5 * pace if case == "stall" else 60.0
        asked = ask(route, say(WORDS, n_pieces=6, **{where: MIDDLE[route]}, **how), idle=idle)

        completion = asked.completion
        assert completion.outcome is expected
        assert WORDS.startswith(completion.text)
        assert 0 < len(completion.text) < len(WORDS)
        assert completion.usage.is_estimated
        assert completion.usage.input_tokens > 0
        assert completion.usage.output_tokens == -(-len(completion.text) // 4)
        assert len(asked.server.requests) == 1

    at_some_pace(check)


@pytest.mark.parametrize("streams", [True, False])
def test_a_server_that_honours_no_limit_is_cut_off(ask: Ask, route: str, streams: bool) -> None:
    most = PROMPT.max_output_tokens * MOST_CHARACTERS_PER_TOKEN

    completion = ask(route, say("x" * 20_000, n_pieces=5, streams=streams)).completion

    assert completion.outcome is Outcome.LENGTH
    assert completion.text == "x" * most


def test_a_server_that_never_answers_meets_the_idle_time_and_its_input_is_charged(ask: Ask, route: str) -> None:
    completion = ask(route, Silence(), idle=0.3).completion

    assert completion.outcome is Outcome.TIMEOUT
    assert completion.usage.is_estimated
    assert completion.usage.input_tokens > 0


def test_a_stream_that_drips_on_meets_the_total_deadline(ask: Ask, route: str) -> None:
    completion = ask(route, say("x" * 60, n_pieces=60, delay_seconds=0.01), total=0.1).completion

    assert completion.outcome is Outcome.TIMEOUT
    assert "0.1 seconds" in completion.detail
    assert set(completion.text) <= {"x"}


ODD_ENDS: dict[str, tuple[Action, Outcome]] = {
    "no text": (say(content_null=True), Outcome.EMPTY),
    "no place for text": (say(no_choices=True), Outcome.EMPTY),
    "only reasoning": (say(content_null=True, thinking="hm"), Outcome.EMPTY),
    "white space": (say(" \n "), Outcome.EMPTY),
    "token limit": (say(WORDS, finish=Finish.LENGTH), Outcome.LENGTH),
    "refusal": (say(WORDS, finish=Finish.REFUSAL), Outcome.REFUSED),
    "content filter": (say(WORDS, finish=Finish.CONTENT_FILTER), Outcome.REFUSED),
}


@pytest.mark.parametrize("case", ODD_ENDS)
@pytest.mark.parametrize("streams", [True, False])
def test_a_complete_answer_that_is_no_answer_says_which(ask: Ask, route: str, case: str, streams: bool) -> None:
    action, expected = ODD_ENDS[case]
    assert not isinstance(action, Status | Drop | Silence)
    fields = {key: getattr(action, key) for key in ("finish", "content_null", "no_choices", "thinking")}

    completion = ask(route, say(action.text, streams=streams, **fields)).completion

    assert completion.outcome is expected
    assert completion.detail
    assert not completion.usage.is_estimated


def test_a_refusal_names_its_category(ask: Ask) -> None:
    completion = ask("messages", say(finish=Finish.REFUSAL, category="frontier_llm")).completion

    assert completion.outcome is Outcome.REFUSED
    assert "frontier_llm" in completion.detail


def test_what_breaks_after_the_end_was_said_does_not_spoil_the_answer(ask: Ask) -> None:
    # given: text and reason are out, the bill is still to come
    n_frames_before_the_bill = 1 + 3 + 1

    completion = ask("chat", say("whole answer", cut_at=n_frames_before_the_bill, cut=Cut.RESET)).completion

    assert (completion.outcome, completion.text) == (Outcome.OK, "whole answer")
    assert completion.usage.is_estimated


def test_a_server_without_a_limit_is_hung_up_on(ask: Ask) -> None:
    completion = ask("chat", say("x" * 10_000, n_pieces=100)).completion

    assert completion.outcome is Outcome.LENGTH
    assert "no limit" in completion.detail
    assert len(completion.text) < 4000


def test_a_server_that_thinks_or_refuses_without_end_is_hung_up_on(ask: Ask) -> None:
    thinking = ask("chat", say("at last", thinking="t" * 100_000)).completion
    refusing = ask("chat", say("n" * 100_000, finish=Finish.REFUSAL)).completion

    assert (thinking.outcome, thinking.text) == (Outcome.LENGTH, "")
    assert refusing.outcome in (Outcome.LENGTH, Outcome.REFUSED)
    assert max(len(thinking.detail), len(refusing.detail)) < 1000


def test_a_key_is_not_told_in_part_either(ask: Ask, route: str) -> None:
    answers = [status(401, error_body("x" * (375 + n) + CANARY)) for n in range(0, 25, 6)]
    answers += [Status(200, "x" * (65 + n) + CANARY, {"content-type": "text/html"}) for n in range(0, 55, 12)]

    asked = ask(route, lambda request: answers[request.number - 1], n=len(answers))

    assert CANARY[:8] not in repr(asked.completions)


def test_what_goes_on_record_is_short_and_a_bill_beyond_belief_is_none(ask: Ask) -> None:
    message = {"message": {"content": "hi"}, "finish_reason": "stop"}
    reply = {"model": "m" * 10_000, "choices": [message], "usage": {"prompt_tokens": 10**300, "completion_tokens": 1}}

    completion = ask("chat", status(200, reply, {"content-type": "application/json"})).completion

    assert completion.text == "hi"
    assert len(completion.model_reported) <= 200
    assert completion.usage.is_estimated
    assert 0 < completion.usage.input_tokens < 1000


@pytest.mark.parametrize(
    ("header", "value", "seconds"), [("retry-after", "70", 70.0), ("retry-after-ms", "70250", 70.25)]
)
def test_the_wish_to_be_left_alone_is_handed_on_and_not_waited_for(
    ask: Ask, route: str, header: str, value: str, seconds: float
) -> None:
    completion = ask(route, rate_limited(value, header=header)).completion

    assert completion.outcome is Outcome.RATE_LIMITED
    assert completion.retry_after_seconds == seconds
