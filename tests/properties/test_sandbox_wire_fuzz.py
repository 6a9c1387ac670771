"""The frame parser against bytes from an enemy: plain finite data or a `PlainDataError`, in bounded memory."""

import json
import math
import os
import random
import socket
import struct
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.channel import CHUNK_BYTES, Channel, ChannelError
from sandbox.wire import (
    DTYPES,
    HEADER,
    MAX_AXES,
    MAX_DEPTH,
    MAX_DIGITS,
    TAG_JSON,
    TAG_PARTS,
    PlainDataError,
    decode,
    encode,
)
from tests.extent import examples

N_FRAMES = 100_000
N_WEIGHED = 3_000
N_STREAMS = 10_000
BYTES_PER_BYTE = 64  # an empty list is three bytes on the wire and some sixty in memory, a short-lived pair more
SPARE_BYTES = 1 << 16  # the first use of a decoder, an exception's text
ANSWER_BYTES = 200
LONGEST_REFUSAL = 1000
PARTS = ("J", "P", "J", "P", "x", "\0")

TOKENS = (
    *('{"$":[', '{"$":["<f8",[2]]}', '{"$":["|b1",[3]]}', '{"$":["|O",[1]]}', '{"$":["<f8",[-1]]}'),
    *('{"$":["<f8",[0,99]]}', '{"$":["<f8",[10000000000,100]]}', '"$"', '"$$"', '"$a":', '"k":1,"k":2', '"a":1'),
    *("{", "}", "[", "]", ",", ":", '"', " ", "\n", "[" * 40, "]" * 40, "[" * 2000, '{"a":' * 40),
    *("\\u0000", "\\ud800", "\\udc00", '"\\ud83d\\ude00"', "\ufeff", "é", "\x00", "__proto__"),
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e308", "1E400", "0.1", "-0", "-", "00", "1.", "9" * 300, "9" * 1001),
    *("1" * 199 + "e99", "true", "false", "null", "nul", '["ok",', '["error","evaluator","x"]', '{"score":1e9}'),
)
VALUES: tuple[Any, ...] = (
    ["ok", 1.5],
    ["ok", {"a": [1, None, True, "text"], "$b": {"$": 2}}],
    ["error", "exception", "Traceback: é"],
    ["ok", np.arange(6.0).reshape(2, 3)],
    ["ok", [np.zeros((0, 4), "f4"), {"m": np.array([True, False])}, np.int64(7), np.array(3, "u2")]],
    list(range(50)),
    ["ok", "x" * 300],
    ["ok", [[[[[[[[0]]]]]]]]],
    ["ok", 10**300],
)
MESSAGES = tuple(encode(value) for value in VALUES)


class Enemy:
    """Makes frames: noise, soups of telling tokens, and good messages with something wrong in them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def frame(self) -> tuple[int, bytes]:
        """A tag and a body."""
        kind = self.rng.randrange(4)
        if kind == 0:
            return self._tag(), self.rng.randbytes(self.rng.randrange(80))
        if kind == 1:
            return TAG_JSON, self._soup().encode("utf-8", "surrogatepass")
        if kind == 2:
            return TAG_PARTS, self._parts()
        message = self.mutated(self.rng.choice(MESSAGES)[HEADER.size - 1 :])
        return (message[0], message[1:]) if message else (TAG_JSON, b"")

    def stream(self) -> bytes:
        """What a process may write into the answers' pipe."""
        message = self.rng.choice(MESSAGES)
        kind = self.rng.randrange(4)
        if kind == 0:
            return self.rng.randbytes(self.rng.randrange(40))
        if kind == 1:
            size = self.rng.choice((0, 1, 2, 5, ANSWER_BYTES, ANSWER_BYTES + 1, ANSWER_BYTES + 2, 0xFFFFFFFF))
            return struct.pack("<I", size) + message[4:]
        return self.mutated(message) if kind == 2 else message + self.mutated(message)[: self.rng.randrange(9)]

    def mutated(self, message: bytes) -> bytes:
        """The message with one to four wounds."""
        data = bytearray(message)
        for _ in range(self.rng.randint(1, 4)):
            self._wound(data)
        return bytes(data)

    def _wound(self, data: bytearray) -> None:
        at = self.rng.randrange(len(data) + 1)
        match self.rng.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << self.rng.randrange(8)
            case 1:
                del data[at:]
            case 2:
                data[at:at] = self.rng.randbytes(self.rng.randint(1, 9))
            case 3:
                data[at:at] = self.rng.choice(TOKENS).encode("utf-8", "surrogatepass")
            case 4:
                end = at + self.rng.randint(1, 8)
                data[at:at] = data[at:end]
            case _:
                data[at : at + 8] = self.rng.choice((b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7))

    def _tag(self) -> int:
        return ord(self.rng.choice(PARTS))

    def _soup(self) -> str:
        return "".join(self.rng.choices(TOKENS, k=self.rng.randint(1, 12)))

    def _parts(self) -> bytes:
        """JSON with references to arrays that fit, nearly fit or do not, and some bytes behind it."""
        shape = [self.rng.choice((0, 1, 2, 3, -1, 1 << 40, 1 << 63)) for _ in range(self.rng.randrange(MAX_AXES + 3))]
        name = self.rng.choice((*DTYPES, "|O", "|V8", "<U4", "<M8[s]", ">f8", "<c16", ""))
        text = json.dumps(["ok", {"$": [name, shape]}] if self.rng.random() < 0.8 else {"$": [shape, name]}).encode()
        announced = self.rng.choice((len(text), len(text), len(text), 0, len(text) + 1, 1 << 63, (1 << 64) - 1))
        padding = bytes(-len(text) % 8)
        return struct.pack("<Q", announced) + text + padding + bytes(self.rng.choice((0, 1, 8, 16, 24, 64)))


def misfit(value: Any, depth: int = 0) -> str:
    """What keeps a decoded value from being plain finite data; empty for plain data."""
    if isinstance(value, np.ndarray):
        return "" if value.dtype.str in DTYPES and value.ndim <= MAX_AXES else f"an array of {value.dtype}"
    if type(value) is float:
        return "" if math.isfinite(value) else "not finite"
    if type(value) is int:
        return "" if abs(value) < 10**MAX_DIGITS else "too many digits"
    if type(value) is str:
        return "" if value.encode("utf-8", "replace").decode() == value else "half a surrogate pair"
    if type(value) is dict:
        value = [*value, *value.values()]
    if type(value) is list:
        inner = (misfit(item, depth + 1) for item in value)
        return "too deep" if depth >= MAX_DEPTH else next(filter(None, inner), "")
    return "" if value is None or type(value) is bool else f"a {type(value).__name__}"


def outcome(tag: int, body: bytes) -> str:
    """`value` or the name of the refusal; anything else fails the test here."""
    try:
        value = decode(tag, bytearray(body))
    except PlainDataError as error:
        return type(error).__name__ if len(str(error)) < LONGEST_REFUSAL else "a very long refusal"
    assert misfit(value) == ""
    return "value"


def test_a_hundred_thousand_forged_frames_are_plain_data_or_refused() -> None:
    enemy = Enemy(1)

    outcomes = Counter(outcome(*enemy.frame()) for _ in range(N_FRAMES))

    assert set(outcomes) == {"value", "PlainDataError", "NotFiniteError"}
    assert min(outcomes.values()) > N_FRAMES // 200  # the enemy reaches every branch often enough to mean something


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(0, 255), st.binary(max_size=400))
@example(TAG_PARTS, struct.pack("<Q", (1 << 64) - 1) + b"[]")
@example(TAG_JSON, b"9" * 5000)
@example(TAG_JSON, b'"\\ud800"')
def test_any_bytes_under_any_tag_are_plain_data_or_refused(tag: int, body: bytes) -> None:
    assert outcome(tag, body) in {"value", "PlainDataError", "NotFiniteError"}


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(MESSAGES), st.data())
def test_a_good_message_cut_and_spliced_anywhere_is_plain_data_or_refused(message: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(message)))
    end = data.draw(st.integers(start, len(message)))
    middle = data.draw(st.binary(max_size=20))
    spliced = message[:start] + middle + message[end:]

    assert len(spliced) <= HEADER.size or outcome(spliced[4], spliced[5:])


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=30).map("".join))
def test_any_row_of_tokens_is_plain_data_or_refused(text: str) -> None:
    assert outcome(TAG_JSON, text.encode("utf-8", "surrogatepass"))


def test_a_decoded_forgery_can_be_sent_on_and_stays_what_it_is() -> None:
    enemy = Enemy(2)
    n_read = 0
    for _ in range(N_FRAMES // 10):
        tag, body = enemy.frame()
        try:
            value = decode(tag, bytearray(body))
        except PlainDataError:
            continue
        again = encode(value)
        assert repr(decode(again[HEADER.size - 1], again[HEADER.size :])) == repr(value)
        n_read += 1
    assert n_read > N_FRAMES // 1000


# memory


def peak_of(tag: int, body: bytearray) -> int:
    """How many bytes decoding took at most, the body itself not counted."""
    tracemalloc.start()
    try:
        decode(tag, body)
    except PlainDataError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


def test_a_forged_frame_takes_memory_in_proportion_to_its_own_length() -> None:
    enemy = Enemy(3)
    for _ in range(N_WEIGHED):
        tag, body = enemy.frame()
        assert peak_of(tag, bytearray(body)) < BYTES_PER_BYTE * len(body) + SPARE_BYTES


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"[]," * 100_000 + b"0]",
        b"[" + b"{}," * 100_000 + b"0]",
        b"[" + b'{"a":{}},' * 40_000 + b"0]",
        b"[" + b'"",' * 100_000 + b"0]",
        b"[" + b"0.5," * 100_000 + b"0]",
        b"[" + b'{"$":["|b1",[0]]},' * 20_000 + b"0]",
        b"{" + b",".join(b'"%x":0' % n for n in range(50_000)) + b"}",
        b"[" * 400_000,
        b'{"a":' * 100_000,
        b"9" * 400_000,
        b'"' + b"\\u00e9" * 60_000 + b'"',
        b"-" * 100_000,
    ],
    ids=lambda text: text[:20].decode(),
)
def test_text_that_grows_most_in_memory_stays_in_proportion(text: bytes) -> None:
    assert peak_of(TAG_JSON, bytearray(text)) < BYTES_PER_BYTE * len(text)


@pytest.mark.parametrize("shape", ["10000000000", "1000000,1000000", "0,9223372036854775807", "99999999999999999999"])
def test_an_array_that_is_only_announced_takes_no_memory(shape: str) -> None:
    text = f'["ok",{{"$":["<f8",[{shape}]]}}]'.encode()
    body = bytearray(struct.pack("<Q", len(text)) + text + bytes(-len(text) % 8 + 64))

    assert peak_of(TAG_PARTS, body) < SPARE_BYTES


def test_arrays_are_views_and_not_copies() -> None:
    message = encode(["ok", np.zeros(1_000_000)])
    body = bytearray(message[HEADER.size :])

    assert peak_of(TAG_PARTS, body) < SPARE_BYTES


# the stream around the frames


@pytest.fixture
def lifeline() -> Iterator[int]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours.fileno()


def heard(stream: bytes, lifeline: int) -> tuple[int, bytearray] | str:
    """The frame that the controller takes from an answers' pipe with these bytes in it, or how it refuses."""
    channel = Channel(output_bytes=10, answer_bytes=ANSWER_BYTES, lifeline=lifeline)
    try:
        os.write(channel.theirs[1], stream)
        channel.close_theirs()
        return channel.exchange(b"", seconds=60.0)
    except ChannelError as error:
        return type(error).__name__
    finally:
        channel.close()


def test_ten_thousand_forged_streams_are_one_whole_frame_or_refused(lifeline: int) -> None:
    enemy = Enemy(4)
    outcomes: Counter[str] = Counter()
    for _ in range(N_STREAMS):
        stream = enemy.stream()
        answer = heard(stream, lifeline)
        if isinstance(answer, str):
            outcomes[answer] += 1
            continue
        tag, body = answer
        assert stream == HEADER.pack(len(body) + 1, tag) + body
        assert len(body) <= ANSWER_BYTES
        outcomes[outcome(tag, bytes(body))] += 1

    assert {"ClosedError", "FloodError", "UnaskedError", "value", "PlainDataError"} <= set(outcomes)


def test_an_answer_longer_than_allowed_is_refused_before_it_is_kept(lifeline: int) -> None:
    channel = Channel(output_bytes=10, answer_bytes=ANSWER_BYTES, lifeline=lifeline)
    os.write(channel.theirs[1], HEADER.pack(0xFFFFFFFF, TAG_JSON) + bytes(50_000))
    tracemalloc.start()
    try:
        with pytest.raises(ChannelError):
            channel.exchange(b"", seconds=60.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        channel.close()
    assert peak < CHUNK_BYTES + 50_000 + SPARE_BYTES
