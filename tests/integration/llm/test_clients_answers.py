"""Answers that are well: text whatever the framing, and the bill."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from evolve.llm.contract import Completion, Outcome, Usage
from evolve.testing.llm_server import say, serving, threaded
from evolve.testing.llm_server_actions import Finish, Silence
from tests.integration.llm.asking import CANARY, PROMPT, model_at

Ask = Callable[..., Any]
WORDS = "größer ✓ 漢字 \N{ROCKET}\n```python\nx = 1\n```\n"


@pytest.mark.parametrize(
    "framing",
    [
        {},
        {"crlf": True},
        {"bytewise": True},
        {"lines_apart": True},
        {"pings": True},
        {"n_pieces": 40},
        {"content_type": "text/plain"},
        {"streams": False},
    ],
    ids=str,
)
def test_the_text_is_the_same_however_it_is_framed(ask: Ask, route: str, framing: dict[str, Any]) -> None:
    completion = ask(route, say(WORDS, **framing)).completion

    assert (completion.outcome, completion.text, completion.detail) == (Outcome.OK, WORDS, "")
    assert (completion.model_reported, completion.request_id) == ("some-model", "request-1")


def test_headers_that_come_late_are_waited_for(ask: Ask, route: str) -> None:
    assert ask(route, Silence(0.01, say("late"))).completion.text == "late"


@pytest.mark.parametrize("streams", [True, False])
def test_reasoning_comes_first_and_is_left_out(ask: Ask, route: str, streams: bool) -> None:
    completion = ask(route, say("answer", thinking="hm " * 40, streams=streams)).completion

    assert (completion.outcome, completion.text) == (Outcome.OK, "answer")


def test_reasoning_in_the_text_of_a_small_server_is_left_out_and_paid_for(ask: Ask) -> None:
    completion = ask("chat", say("<think>\nhm hm\n</think>\n\nanswer", has_usage=False)).completion

    assert completion.text == "answer"
    assert completion.usage.output_tokens == 8


def test_a_stream_of_chat_chunks_that_ends_properly_needs_no_reason(ask: Ask) -> None:
    completion = ask("chat", say("answer", finish=Finish.UNSAID, has_usage=False)).completion

    assert (completion.outcome, completion.text) == (Outcome.OK, "answer")


@pytest.mark.parametrize("streams", [True, False])
def test_all_formats_give_the_same_bill(ask: Ask, route: str, streams: bool) -> None:
    action = say(
        "x" * 40, input_tokens=100, cached_tokens=60, cache_write_tokens=20, reasoning_tokens=5, streams=streams
    )

    usage = ask(route, action).completion.usage

    n_reasoning = 0 if route == "messages" and not streams else 5
    assert usage == Usage(
        input_tokens=100, cached_tokens=60, cache_write_tokens=20, output_tokens=15, reasoning_tokens=n_reasoning
    )


def test_a_bill_that_never_comes_is_estimated_at_four_characters_a_token(ask: Ask, route: str) -> None:
    usage = ask(route, say("x" * 41, has_usage=False)).completion.usage

    n_characters = sum(map(len, PROMPT.system)) + len(PROMPT.turns[0].text)
    assert usage == Usage(input_tokens=-(-n_characters // 4), output_tokens=11, is_estimated=True)


@pytest.mark.parametrize("streams", [True, False])
def test_a_connection_is_used_again(ask: Ask, route: str, streams: bool) -> None:
    asked = ask(route, say("x", streams=streams), n=3)

    assert asked.completion.outcome is Outcome.OK
    assert asked.server.n_connections == 1


def test_many_requests_at_once_keep_their_answers_apart(route: str) -> None:
    async def ask_all() -> list[Completion]:
        async with serving(lambda request: say(f"answer to {request.number}")) as server:
            model = model_at(route, server)
            asks = [model.complete(PROMPT, total_seconds=60.0, idle_seconds=60.0) for _ in range(12)]
            completions = await asyncio.gather(*asks)
            await model.close()
            return list(completions)

    completions = asyncio.run(ask_all())

    assert {one.text for one in completions} == {f"answer to {number}" for number in range(1, 13)}
    assert all(one.text.split()[-1] == one.request_id.split("-")[-1] for one in completions)


def test_a_run_that_is_stopped_stops_its_requests(route: str) -> None:
    async def stop() -> int:
        async with serving(Silence()) as server:
            model = model_at(route, server)
            asking = asyncio.create_task(model.complete(PROMPT, total_seconds=60.0, idle_seconds=60.0))
            while not server.requests:
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await model.close()
            return len(server.requests)

    assert asyncio.run(stop()) == 1


def test_seconds_come_from_the_clock_that_was_given() -> None:
    from evolve.llm.connection import Connection
    from evolve.llm.openai_client import chat_model

    times = iter([10.0, 12.5])

    async def once(url: str) -> Completion:
        model = chat_model(Connection(model="m", base_url=url), clock=lambda: next(times))
        completion = await model.complete(PROMPT, total_seconds=60.0, idle_seconds=60.0)
        await model.close()
        return completion

    with threaded(say("beside")) as server:
        completion = asyncio.run(once(server.base_url))

    assert (completion.text, completion.seconds) == ("beside", 2.5)


def test_a_client_shows_its_name_and_never_its_key(route: str) -> None:
    async def shown() -> str:
        async with serving(say("x")) as server:
            model = model_at(route, server, name="mine")
            text = f"{model!r} {model} {model.name}"
            await model.close()
            return text

    text = asyncio.run(shown())

    assert text.endswith("mine")
    assert CANARY not in text
