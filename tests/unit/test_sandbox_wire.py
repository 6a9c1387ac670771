import contextlib
import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sandbox.wire import (
    HEADER,
    TAG_JSON,
    TAG_PARTS,
    NotFiniteError,
    PlainDataError,
    decode,
    encode,
    has_only_finite_arrays,
)
from tests.extent import examples

ARRAYS = hnp.arrays(
    st.sampled_from(["?", "i1", "i8", "u2", "f4", "f8"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements={"allow_nan": False},
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)
PLAIN = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")) | st.just("$"), inner)
    ),
    max_leaves=12,
)


def through_the_wire(value: Any) -> Any:
    message = encode(value)
    size, tag = HEADER.unpack_from(message)
    assert size == len(message) - HEADER.size + 1
    return decode(tag, bytearray(message[HEADER.size :]))


def are_equal(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and np.array_equal(left, right)
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(are_equal, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(map(are_equal, left.values(), right.values()))
    return bool(left == right)


def message_of(text: str, arrays: bytes) -> bytearray:
    raw = text.encode()
    return bytearray(struct.pack("<Q", len(raw)) + raw + bytes(-len(raw) % 8) + arrays)


@settings(max_examples=examples(300), deadline=None)
@given(PLAIN)
def test_what_is_decoded_is_what_was_encoded(value: Any) -> None:
    assert are_equal(through_the_wire(value), value)


@settings(max_examples=examples(500), deadline=None)
@given(PLAIN, st.data())
def test_a_damaged_message_is_another_value_or_an_error_and_nothing_else(value: Any, data: st.DataObject) -> None:
    message = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(HEADER.size - 1, len(message) - 1))
        message[at] = data.draw(st.integers(0, 255))
    del message[data.draw(st.integers(HEADER.size, len(message))) :]
    with contextlib.suppress(PlainDataError):
        decode(message[HEADER.size - 1], message[HEADER.size :])


@settings(max_examples=examples(500), deadline=None)
@given(st.binary(max_size=200), st.sampled_from([TAG_JSON, TAG_PARTS, 0]))
def test_noise_is_an_error(body: bytes, tag: int) -> None:
    try:
        decode(tag, bytearray(body))
    except PlainDataError:
        return
    assert tag != 0


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", "-Infinity", "1e999", "-1e400", "[1, 2E+0999]", "1" * 400 + ".0"]
)
def test_a_number_that_is_not_finite_is_refused(text: str) -> None:
    with pytest.raises(NotFiniteError):
        decode(TAG_JSON, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 40 + "]" * 40,
        '{"a":' * 40 + "1" + "}" * 40,
        "9" * 5000,
        "9" * 1002,
        "[" + "0," * 1_000_001 + "0]",
        '{"a": 1, "a": 2}',
        '{"$x": 1}',
        '{"$": 1, "b": 2}',
        '"\\ud800"',
        '{"\\udfff": 1}',
        "[1] [2]",
        "",
        "'single'",
    ],
    ids=lambda text: text[:20],
)
def test_hostile_json_is_refused(text: str) -> None:
    with pytest.raises(PlainDataError):
        decode(TAG_JSON, text.encode())


@pytest.mark.parametrize(
    "reference",
    [
        ["<f8", [1 << 60]],
        ["<f8", [-1]],
        ["<f8", [2.0]],
        ["<f8", [True]],
        ["<f8", 2],
        ["<f8", [0, 10**300, 10**300]],
        ["<f8", [1] * 17],
        ["|O", [1]],
        ["<c16", [1]],
        ["<U4", [1]],
        [["<f8", "<f8"], [1]],
        ["<f8"],
        "<f8",
        None,
    ],
    ids=repr,
)
def test_hostile_array_references_are_refused(reference: Any) -> None:
    text = json.dumps({"$": reference})
    with pytest.raises(PlainDataError):
        decode(TAG_PARTS, message_of(text, bytes(64)))


def test_bytes_after_the_last_array_are_refused() -> None:
    with pytest.raises(PlainDataError, match="8 bytes follow"):
        decode(TAG_PARTS, message_of('{"$": ["<f8", [1]]}', bytes(16)))


def test_booleans_are_zero_or_one() -> None:
    with pytest.raises(PlainDataError, match="booleans"):
        decode(TAG_PARTS, message_of('{"$": ["|b1", [1]]}', b"\2" + bytes(7)))


def test_a_key_cannot_pose_as_an_array() -> None:
    value = {"$": ["<f8", [1]], "$$": {"$": 1}, "a$": 2}
    assert through_the_wire(value) == value


def test_an_error_says_where_the_misfit_is() -> None:
    with pytest.raises(PlainDataError, match=r"at \['points'\]\[2\]: set is not plain data"):
        encode({"points": [1, 2, {3}]})
    with pytest.raises(NotFiniteError, match=r"at \[1\]: nan"):
        encode([1.0, float("nan")])


def test_arrays_with_nan_are_found_at_any_depth() -> None:
    assert has_only_finite_arrays({"a": [np.ones(2), 1.0, np.arange(3)]})
    assert not has_only_finite_arrays({"a": [[np.ones(2)], {"b": np.array([np.nan])}]})
