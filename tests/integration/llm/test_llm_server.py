"""The server for tests speaks as real ones do: the SDKs' own strict models read it, and its log tells the truth."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from evolve.testing.llm_server import LLMServer, say, serving, threaded
from evolve.testing.llm_server_actions import Drop, Finish, Request, Say, Status
from evolve.testing.llm_server_faults import overloaded, status
from evolve.testing.llm_server_mixture import MISHAPS, mixture

ANSWERS = [
    say("an answer in pieces"),
    say("after some thought", thinking="hm hm"),
    say("part", finish=Finish.LENGTH),
    say("no", finish=Finish.REFUSAL),
    say(no_choices=True),
    say(content_null=True),
]
TALK: list[Any] = [{"role": "user", "content": "hello"}]


def served(plan: Any, use: Callable[[LLMServer], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        async with serving(plan) as server:
            return await use(server)

    return asyncio.run(whole())


def strict_openai(server: LLMServer) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="x", base_url=server.base_url, max_retries=0, _strict_response_validation=True)


def strict_anthropic(server: LLMServer) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        api_key="x", base_url=server.root_url, max_retries=0, _strict_response_validation=True
    )


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.finish}-{answer.text}")
def test_chat_completions_read_alike_in_pieces_and_whole(answer: Say) -> None:
    async def use(server: LLMServer) -> tuple[Any, Any]:
        async with strict_openai(server) as client:
            whole = await client.chat.completions.create(model="m", messages=TALK)
            stream = await client.chat.completions.create(model="m", messages=TALK, stream=True)
            return whole, [chunk async for chunk in stream]

    whole, chunks = served(answer, use)

    pieces = [choice.delta.content or choice.delta.refusal or "" for chunk in chunks for choice in chunk.choices]
    expected = [choice.message.content or choice.message.refusal or "" for choice in whole.choices]
    assert "".join(pieces) == "".join(expected)
    assert [chunk.usage for chunk in chunks if chunk.usage] == [whole.usage]
    last = [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1:]
    assert last == [choice.finish_reason for choice in whole.choices]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.finish}-{answer.text}")
def test_responses_read_alike_in_pieces_and_whole(answer: Say) -> None:
    async def use(server: LLMServer) -> tuple[Any, Any]:
        async with strict_openai(server) as client:
            whole = await client.responses.create(model="m", input="hello")
            stream = await client.responses.create(model="m", input="hello", stream=True)
            return whole, [event async for event in stream]

    whole, events = served(answer, use)

    pieces = [event.delta for event in events if event.type in ("response.output_text.delta", "response.refusal.delta")]
    contents = [part for item in whole.output if item.type == "message" for part in item.content]
    assert "".join(pieces) == "".join(getattr(part, "text", "") or getattr(part, "refusal", "") for part in contents)
    assert (events[-1].response.status, events[-1].response.usage) == (whole.status, whole.usage)
    assert [event.sequence_number for event in events] == list(range(len(events)))


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.finish}-{answer.text}")
def test_messages_read_alike_in_pieces_and_whole(answer: Say) -> None:
    async def use(server: LLMServer) -> tuple[Any, Any]:
        async with strict_anthropic(server) as client:
            whole = await client.messages.create(model="m", max_tokens=9, messages=TALK)
            async with client.messages.stream(model="m", max_tokens=9, messages=TALK) as stream:
                return whole, await stream.get_final_message()

    whole, streamed = served(answer, use)

    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert (streamed.stop_reason, streamed.stop_details) == (whole.stop_reason, whole.stop_details)
    assert streamed.usage.output_tokens == whole.usage.output_tokens


def test_models_are_listed() -> None:
    async def use(server: LLMServer) -> list[str]:
        async with strict_openai(server) as client:
            return [model.id async for model in client.models.list()]

    assert served(say(), use) == ["small", "large"]


def test_a_script_goes_before_the_plan_and_the_log_has_both_in_order() -> None:
    bodies = [{"messages": [{"role": "user", "content": [{"type": "text", "text": word}]}]} for word in "abc"]

    with (
        threaded(lambda request: say(f"plan for {request.number}")) as server,
        httpx2.Client(trust_env=False) as client,
    ):
        server.script("chat", overloaded(503), say("scripted"))
        codes = [client.post(f"{server.base_url}/chat/completions", json=body).status_code for body in bodies]
        elsewhere = client.get(f"{server.base_url}/elsewhere").status_code

    assert (codes, elsewhere) == ([503, 200, 200], 404)
    assert [request.text for request in server.requests] == ["a", "b", "c", ""]
    assert [request.route for request in server.requests] == ["chat", "chat", "chat", ""]
    assert [getattr(action, "text", None) for action in server.actions] == [None, "scripted", "plan for 3", None]


def test_a_script_for_a_route_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no route speech: expected one of chat, responses, messages, models"):
        LLMServer(say()).script("speech", say())


def test_an_error_without_a_body_of_ones_own_can_be_read_by_both_sdks() -> None:
    async def use(server: LLMServer) -> list[str]:
        messages = []
        async with strict_openai(server) as one, strict_anthropic(server) as other:
            for call in (
                one.chat.completions.create(model="m", messages=TALK),
                other.messages.create(model="m", max_tokens=9, messages=TALK),
            ):
                with pytest.raises((openai.NotFoundError, anthropic.NotFoundError)) as caught:
                    await call
                messages.append(str(caught.value))
        return messages

    assert all("this is error 404" in message for message in served(status(404), use))


def test_headers_of_an_error_are_the_callers() -> None:
    shown = Status(429, "{}", {"retry-after": "5", "x-request-id": "mine"})

    with threaded(shown) as server, httpx2.Client(trust_env=False) as client:
        response = client.post(f"{server.base_url}/responses", json={})

    assert (response.headers["retry-after"], response.headers["x-request-id"]) == ("5", "mine")


@pytest.mark.parametrize("name", MISHAPS)
def test_each_mishap_of_the_mixture_ends_in_the_outcome_that_it_names(
    ask: Callable[..., Any], route: str, name: str
) -> None:
    mishap = MISHAPS[name]
    total, idle = (0.1 if name == "drip" else 5.0), (0.03 if name in ("silence", "stall") else 5.0)

    asked = ask(route, mishap.with_reply(lambda _: "word " * 60), total=total, idle=idle)

    assert asked.completion.outcome is mishap.outcome


def test_a_mixture_spoils_every_so_manieth_answer_and_goes_through_all_mishaps() -> None:
    plan = mixture(lambda request: f"reply {request.number}", every=3)
    bodies = [
        Request(number, 0.0, "POST", "/v1/responses", "responses", {}, {}) for number in range(1, 3 * len(MISHAPS) + 1)
    ]

    actions = [plan(request) for request in bodies]

    assert sum(isinstance(action, Say) and action == Say(action.text) for action in actions) == 2 * len(MISHAPS)
    assert [action for action in actions[2::3] if isinstance(action, Drop)] == [Drop()]
