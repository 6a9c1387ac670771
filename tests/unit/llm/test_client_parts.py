"""Connections, keys and the reading of answers, without a server."""

import asyncio
import gzip
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.llm.anthropic_client import MessagesWire, anthropic_model
from evolve.llm.connection import NO_KEY, Connection, is_loopback, open_http
from evolve.llm.contract import Outcome, Prompt, Turn, Usage
from evolve.llm.exchange import Wire
from evolve.llm.hearing import Heard, count_in
from evolve.llm.openai_client import ChatWire, ResponsesWire, chat_model, responses_model, strip_thinking
from evolve.llm.outcomes import ProtocolError
from evolve.llm.tail import MOST_ERROR_BYTES, Tail

CANARY = "sk-canary-0123456789"
WIRES: list[Wire] = [ChatWire(model="m"), ResponsesWire(model="m"), MessagesWire(model="m")]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_a_connection_shows_neither_key_nor_headers() -> None:
    shown = repr(Connection(model="m", api_key=CANARY, headers={"x-secret": "hidden-header"}))

    assert CANARY not in shown
    assert "hidden-header" not in shown


@pytest.mark.parametrize("key", ["sk-with space", "sk-\ncanary", "sk-caf\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_told(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        Connection(model="m", api_key=key).checked(key_variable="K")

    assert key not in str(caught.value)
    assert "copy the key again" in str(caught.value)


def test_white_space_around_a_key_is_taken_off() -> None:
    assert Connection(model="m", api_key=f" {CANARY}\n").checked(key_variable="K").api_key == CANARY


@pytest.mark.parametrize(
    ("make", "variable"), [(responses_model, "OPENAI_API_KEY"), (anthropic_model, "ANTHROPIC_API_KEY")]
)
def test_the_providers_own_address_wants_a_key(make: Any, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A key in the environment is not taken behind the user's back: who makes the connection decides.
    monkeypatch.setenv(variable, CANARY)

    with pytest.raises(UsageError, match=variable):
        make(Connection(model="m"))


def test_a_server_of_ones_own_needs_no_key() -> None:
    assert Connection(model="m", base_url="http://localhost:1/v1").checked(key_variable="K").api_key == NO_KEY


@pytest.mark.parametrize(("make", "package"), [(responses_model, "openai"), (anthropic_model, "anthropic")])
def test_a_missing_sdk_is_told_with_the_command_that_brings_it(
    make: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(EvolveEnvironmentError, match=rf"(?s){package} is not installed.*evolve-discovery\[llm\]"):
        make(Connection(model="m", api_key=CANARY))


def test_the_sdks_are_loaded_only_when_a_model_is_made() -> None:
    code = "import sys, evolve, evolve.llm.openai_client, evolve.llm.anthropic_client as a; print(sorted(sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "evolve.llm.exchange" in loaded
    assert not {"'openai'", "'anthropic'", "'httpx2'"} & set(loaded.strip("[]\n").split(", "))


def test_chat_completions_need_an_address() -> None:
    with pytest.raises(UsageError, match="no address for m"):
        chat_model(Connection(model="m", api_key=CANARY))


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://user:word@host/v1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="base URL") as caught:
        Connection(model="m", base_url=url).checked(key_variable="K")

    assert "word@" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v1", "http://127.8.8.8", "http://[::1]:1", "http://LOCALHOST:1", "http://a.localhost"]
)
def test_addresses_of_this_machine_are_known(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "http://10.0.0.1", "http://127.0.0.1.example.com", ""])
def test_addresses_of_other_machines_are_known(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize("proxy", ["socks5://user:canary@127.0.0.1:9", "ftp://user:canary@127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(EvolveEnvironmentError, match="proxy") as caught:
        responses_model(Connection(model="m", api_key=CANARY))

    assert "canary" not in str(caught.value)


def test_only_the_world_outside_is_reached_through_proxies_and_nothing_follows_redirects() -> None:
    near, far = open_http("http://localhost:1"), open_http("https://example.com")

    assert (near.trust_env, far.trust_env) == (False, True)
    assert (near.follow_redirects, far.follow_redirects) == (False, False)


def test_secrets_are_hidden_and_ordinary_header_values_are_not() -> None:
    connection = Connection(
        model="m", api_key=CANARY, headers={"X-Api-Token": "token-of-a-gateway", "X-Title": "application"}
    )

    assert connection.redact(f"{CANARY} token-of-a-gateway application") == "[hidden] [hidden] application"
    assert connection.redact_error("Bearer abcdefghij, pk-abcdefghij") == "Bearer [hidden], [hidden]"


def test_a_key_too_short_to_be_one_hides_nothing() -> None:
    assert Connection(model="m", api_key="none").redact("none of it") == "none of it"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("plain", "plain"),
        ("<think>a</think>b", "b"),
        ("\n<think>\na\n</think>\n\nb\n", "b\n"),
        ("<thinking>a</thinking>b", "b"),
        ("<think>never closed", ""),
        ("opened by the template\n</think>\n\nb", "b"),
        ("on one line</think>\nb", "b"),
        ("all of it</think>", ""),
        ('x = "</think>"', 'x = "</think>"'),
        ("code first <think>a</think>\nb", "code first <think>a</think>\nb"),
        ("<think>a</think>b <think>c</think>\nd", "b <think>c</think>\nd"),
        ("<think>a</thinking>b</think>c", "c"),
    ],
)
def test_reasoning_at_the_start_of_a_text_is_left_out(text: str, spoken: str) -> None:
    assert strip_thinking(text) == spoken


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.path)
@given(event=st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_no_event_however_odd_breaks_the_reading(wire: Wire, event: dict[str, Any]) -> None:
    heard = Heard()

    wire.hear(event, heard)
    wire.hear_whole(event, heard)

    assert heard.pieces == []


ODD: list[object] = [None, 3, "text", [], [None, 3], {}, {"type": 3}, [{}], [{"type": None}], True]
PLACES: list[tuple[Wire, dict[str, Any], str]] = [
    (WIRES[0], {}, "choices"),
    (WIRES[0], {}, "usage"),
    (WIRES[0], {}, "model"),
    (WIRES[1], {"type": "response.completed"}, "response"),
    (WIRES[1], {"type": "response.output_text.delta"}, "delta"),
    (WIRES[2], {"type": "message_start"}, "message"),
    (WIRES[2], {"type": "content_block_start"}, "content_block"),
    (WIRES[2], {"type": "content_block_delta"}, "delta"),
    (WIRES[2], {"type": "message_delta"}, "delta"),
    (WIRES[2], {"type": "message_delta", "delta": {"stop_reason": "refusal"}}, "usage"),
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_nothing_odd_in_the_place_of_something_known_breaks_the_reading(odd: object) -> None:
    for wire, event, place in PLACES:
        wire.hear({**event, place: odd}, Heard())


def test_a_text_in_parts_is_put_together() -> None:
    heard = Heard()

    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    WIRES[0].hear({"choices": [{"delta": {"content": parts}, "finish_reason": "stop"}]}, heard)

    assert ("".join(heard.pieces), heard.ending) == ("ab", Outcome.OK)


def test_the_responses_api_is_never_asked_for_fewer_tokens_than_it_takes() -> None:
    prompt = Prompt(system=(), turns=(Turn(role="user", text="x"),), max_output_tokens=1)

    assert WIRES[1].body(prompt, without=())["max_output_tokens"] == 16


@pytest.mark.parametrize(
    ("value", "count"), [(3, 3), (0, 0), (-1, 0), (True, 0), (2.5, 0), ("7", 0), (None, 0), ({"a": 1}, 0)]
)
def test_a_count_that_is_none_is_zero(value: object, count: int) -> None:
    assert count_in({"usage": {"n": value}}, "usage", "n") == count


def test_a_bill_of_nothing_for_some_text_is_not_believed() -> None:
    heard = Heard(usage=Usage(input_tokens=7), is_usage_final=True, is_accepted=True)
    heard.say("x" * 9)

    usage = heard.usage_or_estimate(Prompt(system=(), turns=()), is_charged=False)

    assert usage == Usage(input_tokens=7, output_tokens=3, is_estimated=True)


def test_counts_of_a_stream_grow_and_what_is_left_out_stays() -> None:
    heard = Heard()
    start = {"input_tokens": 10, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 5, "output_tokens": 1}

    WIRES[2].hear({"type": "message_start", "message": {"usage": start}}, heard)
    WIRES[2].hear({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 30}}, heard)

    assert heard.usage == Usage(input_tokens=65, cached_tokens=50, cache_write_tokens=5, output_tokens=30)


def test_input_is_estimated_at_four_characters_a_token_rounded_up() -> None:
    assert Prompt(system=("abc",), turns=(Turn(role="user", text="de"),)).estimated_tokens() == 2


async def endless(piece: bytes) -> AsyncIterator[bytes]:
    while True:
        yield piece


def read_all(response: httpx2.Response, **limits: int) -> list[bytes]:
    async def read() -> list[bytes]:
        try:
            async for piece in Tail(response, **limits):
                received.append(piece)
        except ProtocolError as error:
            received.append(str(error).encode())
        return received

    received: list[bytes] = []
    return asyncio.run(read())


def test_an_answer_without_end_is_not_kept_in_memory() -> None:
    received = read_all(httpx2.Response(200, content=endless(b"x" * 100)), most_bytes=1000)

    assert received == [b"x" * 100] * 10 + [b"the answer is longer than any that a model could give"]


def test_an_error_without_end_ends_after_its_beginning() -> None:
    received = read_all(httpx2.Response(500, content=endless(b"x" * 1000)))

    assert received == [b"x" * 1000] * (MOST_ERROR_BYTES // 1000)


@pytest.mark.parametrize("code", [200, 500])
def test_packed_bytes_count_as_what_they_unpack_to(code: int) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    response = httpx2.Response(code, headers={"content-encoding": "gzip"}, content=endless(bomb))

    received = read_all(response, most_bytes=MOST_ERROR_BYTES)

    assert sum(map(len, received)) <= MOST_ERROR_BYTES + 100
    assert max(map(len, received)) <= 1 << 16


@pytest.mark.parametrize(
    ("encoding", "body", "said"),
    [
        ("gzip", gzip.compress(b"well", mtime=0), b"well"),
        ("DEFLATE", zlib.compress(b"well"), b"well"),
        ("identity", b"well", b"well"),
        ("gzip", b"well", b"the answer cannot be unpacked: Error -3 while decompressing data: incorrect header check"),
        ("br", b"well", b"the answer is packed with 'br', which was not asked for"),
    ],
)
def test_what_was_packed_unasked_is_unpacked_where_that_is_safe(encoding: str, body: bytes, said: bytes) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield body

    assert b"".join(read_all(httpx2.Response(200, headers={"content-encoding": encoding}, content=once()))) == said
