"""The wire against independent readers: the standard library's JSON, struct and numpy's own byte order."""

import enum
import json
import math
import struct
from collections import OrderedDict
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sandbox.wire import (
    DTYPES,
    HEADER,
    MAX_AXES,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_NODES,
    PART_ALIGNMENT,
    TAG_JSON,
    TAG_PARTS,
    NotFiniteError,
    PlainDataError,
    decode,
    encode,
    has_only_finite_arrays,
)
from tests.extent import examples

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
ANY_ARRAYS = hnp.arrays(
    st.sampled_from(["?", "i2", ">i4", "u8", "<f2", ">f8", "f4"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


class Colour(enum.IntEnum):
    RED = 7


class Point(NamedTuple):
    x: float
    y: float


def body_of(message: bytes) -> bytes:
    return message[HEADER.size :]


def round_trip(value: Any) -> Any:
    message = encode(value)
    return decode(message[HEADER.size - 1], bytearray(body_of(message)))


def without_escapes(value: Any) -> Any:
    """The value that a reader who knows nothing of `$` would see, put right again."""
    if isinstance(value, list):
        return [without_escapes(item) for item in value]
    if isinstance(value, dict):
        return {key[1:] if key[:1] == "$" else key: without_escapes(item) for key, item in value.items()}
    return value


def with_escapes(value: Any) -> Any:
    if isinstance(value, list):
        return [with_escapes(item) for item in value]
    if isinstance(value, dict):
        return {"$" + key if key[:1] == "$" else key: with_escapes(item) for key, item in value.items()}
    return value


def read_by_hand(message: bytes) -> tuple[Any, list[npt.NDArray[Any]]]:
    """The JSON of a message with arrays and the arrays, read with nothing but struct, json and numpy."""
    body = body_of(message)
    (n_text,) = struct.unpack("<Q", body[:8])
    tree = json.loads(body[8 : 8 + n_text])
    at = 8 + n_text
    arrays: list[npt.NDArray[Any]] = []

    def visit(node: Any) -> None:
        nonlocal at
        if isinstance(node, dict) and list(node) == ["$"]:
            name, shape = node["$"]
            at += -at % 8
            count = 1
            for side in shape:
                count *= side
            n_bytes = count * np.dtype(name).itemsize
            arrays.append(np.frombuffer(body[at : at + n_bytes], dtype=name).reshape(shape))
            at += n_bytes
        elif isinstance(node, dict):
            for item in node.values():
                visit(item)
        elif isinstance(node, list):
            for item in node:
                visit(item)

    visit(tree)
    assert len(body) == at + -at % 8
    return tree, arrays


def nested_list(n_levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(n_levels - 1):
        value = [value]
    return value


def message_with_arrays(text: str, arrays: bytes) -> bytearray:
    raw = text.encode()
    return bytearray(struct.pack("<Q", len(raw)) + raw + bytes(-len(raw) % PART_ALIGNMENT) + arrays)


# against other readers and writers


@settings(max_examples=examples(60), deadline=None)
@given(JSON_VALUES)
def test_what_is_encoded_is_json_that_the_standard_library_reads_alike(value: Any) -> None:
    message = encode(value)

    read = without_escapes(json.loads(body_of(message)))

    assert message[HEADER.size - 1] == TAG_JSON
    assert repr(read) == repr(value)


@settings(max_examples=examples(60), deadline=None)
@given(JSON_VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_in_any_layout_is_decoded_as_the_standard_library_meant_it(
    value: Any, indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(with_escapes(value), indent=indent, ensure_ascii=ascii_only)

    assert repr(decode(TAG_JSON, text.encode())) == repr(value)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(ANY_ARRAYS | st.integers(), min_size=1, max_size=4).map(lambda items: [np.zeros(3), *items]))
def test_a_message_with_arrays_has_the_layout_that_its_description_says(values: list[Any]) -> None:
    message = encode({"values": values})

    tree, arrays = read_by_hand(message)

    expected = [value for value in values if isinstance(value, np.ndarray)]
    assert struct.unpack("<IB", message[:5]) == (len(message) - 4, TAG_PARTS)
    assert [item for item in tree["values"] if isinstance(item, int)] == [
        value for value in values if not isinstance(value, np.ndarray)
    ]
    for array, original in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, original)
        assert array.shape == original.shape


@settings(max_examples=examples(60), deadline=None)
@given(ANY_ARRAYS)
def test_an_array_keeps_every_bit_of_its_numbers_nan_included(array: npt.NDArray[Any]) -> None:
    answer = round_trip(array)

    little = array.astype(array.dtype.newbyteorder("<"))
    assert answer.dtype == little.dtype
    assert answer.tobytes() == little.tobytes()


@settings(max_examples=examples(60), deadline=None)
@given(JSON_VALUES)
def test_encoding_again_what_was_decoded_gives_the_same_bytes(value: Any) -> None:
    message = encode(value)

    assert encode(round_trip(value)) == message


@settings(max_examples=examples(60), deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_with_all_its_bits_and_the_sign_of_zero(number: float) -> None:
    answer = round_trip(number)

    assert type(answer) is float
    assert struct.pack("<d", answer) == struct.pack("<d", number)


# numbers at the edges


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(1, 330), st.integers(-20, 350), st.booleans(), st.booleans())
def test_a_number_is_read_as_the_nearest_float_or_refused_but_never_infinite(
    n_digits: int, exponent: int, has_plus: bool, is_negative: bool
) -> None:
    sign = "-" if is_negative else ""
    plus = "+" if has_plus and exponent >= 0 else ""
    text = f"{sign}{'9' * n_digits}e{plus}{exponent}"
    exact = Fraction(int(sign + "9" * n_digits)) * Fraction(10) ** exponent

    try:
        number = decode(TAG_JSON, text.encode())
    except NotFiniteError:
        assert abs(exact) >= Fraction(1.7976931348623157e308)
    else:
        assert math.isfinite(number)
        assert number == float(exact)


@pytest.mark.parametrize("text", ["9" * 299 + "e99", "1" * 250 + "E60", "-" + "4" * 230 + "E+80", "9" * 210 + "e99"])
def test_many_digits_with_a_short_exponent_cannot_smuggle_an_infinity(text: str) -> None:
    with pytest.raises(NotFiniteError):
        decode(TAG_JSON, f"[{text}]".encode())


@pytest.mark.parametrize(
    "text", ["1e-400", "0e999", "1" * 250 + "e-60", "0." + "0" * 400 + "1", "1.7976931348623157e308"]
)
def test_numbers_that_only_look_too_large_are_read(text: str) -> None:
    assert decode(TAG_JSON, text.encode()) == float(text)


@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_of_the_largest_length_passes_both_ways_and_one_digit_more_neither(sign: str) -> None:
    longest, too_long = sign + "9" * MAX_DIGITS, sign + "1" + "0" * MAX_DIGITS

    assert round_trip(int(longest)) == int(longest)
    assert decode(TAG_JSON, longest.encode()) == int(longest)
    with pytest.raises(PlainDataError, match="digits"):
        encode(int(too_long))
    with pytest.raises(PlainDataError, match="digits"):
        decode(TAG_JSON, too_long.encode())


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), np.float32("inf"), np.float16("nan")])
def test_a_lone_number_that_is_not_finite_is_not_encoded(number: float) -> None:
    with pytest.raises(NotFiniteError, match="must be finite"):
        encode(number)


# depth, size and shape limits


def test_the_deepest_list_passes_both_ways_and_one_level_more_neither() -> None:
    deepest = nested_list(MAX_DEPTH)

    assert round_trip(deepest) == deepest
    with pytest.raises(PlainDataError, match="nested deeper"):
        encode([deepest])
    with pytest.raises(PlainDataError, match="nested deeper"):
        decode(TAG_JSON, json.dumps([deepest]).encode())


def test_lists_and_dicts_count_alike_towards_the_depth() -> None:
    value: Any = 1
    for level in range(MAX_DEPTH):
        value = {"a": value} if level % 2 else [value]

    assert round_trip(value) == value
    with pytest.raises(PlainDataError, match="nested deeper"):
        encode({"b": value})


def test_a_value_that_holds_itself_is_refused() -> None:
    cycle: dict[str, Any] = {}
    cycle["again"] = [cycle]

    with pytest.raises(PlainDataError, match="nested deeper"):
        encode(cycle)


def test_the_most_values_pass_both_ways_and_one_more_neither() -> None:
    most = [0.5] * MAX_NODES

    assert round_trip(most) == most
    with pytest.raises(PlainDataError, match="use an array"):
        encode([*most, 0.5])
    with pytest.raises(PlainDataError, match="use an array"):
        decode(TAG_JSON, b"[" + b"0," * MAX_NODES + b"0]")


def test_an_array_of_more_numbers_than_a_list_may_hold_passes() -> None:
    many = np.zeros(MAX_NODES + 1, dtype="u1")

    assert round_trip(many).shape == (MAX_NODES + 1,)


def test_an_array_of_the_most_axes_passes() -> None:
    array = np.arange(4.0).reshape([2] + [1] * (MAX_AXES - 2) + [2])

    np.testing.assert_array_equal(round_trip(array), array)


def test_an_array_one_byte_too_short_is_refused_and_says_what_is_missing() -> None:
    with pytest.raises(PlainDataError, match="24 bytes is announced, 23 bytes are left"):
        decode(TAG_PARTS, message_with_arrays('{"$":["<f8",[3]]}', bytes(23)))


def test_the_padding_of_the_last_array_must_be_there() -> None:
    text = '{"$":["|u1",[3]]}'

    np.testing.assert_array_equal(decode(TAG_PARTS, message_with_arrays(text, b"abc" + bytes(5))), [97, 98, 99])
    with pytest.raises(PlainDataError, match="3 bytes are left"):
        decode(TAG_PARTS, message_with_arrays(text, b"abc"))


@pytest.mark.parametrize("n_bytes", range(8))
def test_a_body_too_short_for_its_own_length_is_refused(n_bytes: int) -> None:
    with pytest.raises(PlainDataError, match="ends before its JSON"):
        decode(TAG_PARTS, bytes(n_bytes))


def test_json_that_is_announced_longer_than_the_message_is_refused() -> None:
    with pytest.raises(PlainDataError, match="ends before its JSON"):
        decode(TAG_PARTS, struct.pack("<Q", 9) + b"[1]     ")


def test_an_array_in_a_message_without_parts_finds_no_bytes() -> None:
    with pytest.raises(PlainDataError, match="0 bytes are left"):
        decode(TAG_JSON, b'{"$":["<f8",[1]]}')


@pytest.mark.parametrize("tag", [0, 1, ord("j"), ord("p"), 255])
def test_another_tag_is_refused_by_its_number(tag: int) -> None:
    with pytest.raises(PlainDataError, match=f"tag {tag} is unknown"):
        decode(tag, b"1")


# what becomes of kinds of values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, (2.0, "x")), [1, [2.0, "x"]]),
        (Point(1.0, 2.0), [1.0, 2.0]),
        (Colour.RED, 7),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (np.int64(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.longdouble(0.5), 0.5),
        (np.bool_(False), False),
        (np.str_("word"), "word"),
        ([], []),
        ({}, {}),
        ("", ""),
        ({"": {"$": None}}, {"": {"$": None}}),
    ],
    ids=repr,
)
def test_relatives_of_plain_data_come_back_as_plain_data(value: Any, expected: Any) -> None:
    answer = round_trip(value)

    assert answer == expected
    assert type(answer) is type(expected)


@pytest.mark.parametrize(
    "value",
    [b"bytes", bytearray(b"x"), 1j, {1, 2}, frozenset(), range(3), Fraction(1, 2), object, np.complex128(1), iter([])],
    ids=lambda value: type(value).__name__,
)
def test_other_kinds_are_refused_by_their_name(value: Any) -> None:
    with pytest.raises(PlainDataError, match=f"^{type(value).__name__} is not plain data"):
        encode(value)


@pytest.mark.parametrize("key", [1, None, 1.5, True, ("a",), b"a", np.str_("a")], ids=repr)
def test_keys_other_than_plain_text_are_refused_by_their_type(key: Any) -> None:
    with pytest.raises(PlainDataError, match=f"is of type {type(key).__name__}: keys must be strings"):
        encode({key: 1})


@pytest.mark.parametrize("dtype", ["c8", "c16", "O", "U3", "S3", "M8[s]", "m8[s]", "V4", "f4,i4", np.longdouble])
def test_arrays_of_other_numbers_are_refused(dtype: Any) -> None:
    with pytest.raises(PlainDataError, match="an array of"):
        encode([np.zeros(2, dtype=dtype)])


@pytest.mark.parametrize("name", sorted(DTYPES))
def test_every_allowed_dtype_has_one_byte_order_and_survives(name: str) -> None:
    array = np.array([[0, 1], [1, 0]], dtype=name)

    answer = round_trip(array)

    assert name[0] in "<|"
    assert answer.dtype.str == name
    np.testing.assert_array_equal(answer, array)


@pytest.mark.parametrize(
    "view",
    [
        np.arange(24.0).reshape(4, 6)[::2, ::-3],
        np.asfortranarray(np.arange(6, dtype="i4").reshape(2, 3)),
        np.broadcast_to(np.float32(2.5), (3, 2)),
        np.arange(6, dtype=">u2").reshape(3, 2).T,
        np.array(5.0),
        np.zeros((0, 3)),
    ],
    ids=["strided", "fortran", "broadcast", "big-endian transposed", "no axis", "empty"],
)
def test_an_array_arrives_by_its_values_whatever_its_layout_was(view: npt.NDArray[Any]) -> None:
    answer = round_trip(view)

    np.testing.assert_array_equal(answer, view)
    assert answer.shape == view.shape
    assert answer.flags.c_contiguous


def test_arrays_of_one_message_can_be_written_to_without_touching_each_other() -> None:
    first, second = round_trip([np.zeros(3, dtype="u1"), np.ones(3, dtype="u1")])

    first[:] = 9

    assert second.tolist() == [1, 1, 1]


def test_encoding_leaves_the_callers_value_as_it_was() -> None:
    array = np.arange(3, dtype=">f8")
    value = {"$key": [array, (1, 2)]}

    encode(value)

    assert list(value) == ["$key"]
    assert value["$key"][0] is array
    assert array.dtype.str == ">f8"


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(st.text("$a", max_size=4), st.integers(), max_size=6))
def test_no_two_keys_of_dollars_fall_together(value: dict[str, int]) -> None:
    assert round_trip(value) == value


@pytest.mark.parametrize("text", ['{"$$a":1,"$$a":2}', '{"":1,"":2}', '{"x":{"b":1,"a":0,"b":1}}'])
def test_a_key_that_comes_twice_is_refused_at_any_depth(text: str) -> None:
    with pytest.raises(PlainDataError, match="comes twice"):
        decode(TAG_JSON, text.encode())


@pytest.mark.parametrize("value", ["\ud800", ["ok", "a\udfff"], {"\udc80": 1}], ids=ascii)
def test_half_a_surrogate_pair_is_not_text(value: Any) -> None:
    with pytest.raises(PlainDataError, match="not text"):
        encode(value)


@pytest.mark.parametrize("text", ['["a","\\ud800"]', '{"a":{"\\udc00":1}}', '{"a":["\\udbff\\udbff"]}'])
def test_half_a_surrogate_pair_is_refused_at_any_depth_of_an_answer(text: str) -> None:
    with pytest.raises(PlainDataError, match="surrogate"):
        decode(TAG_JSON, text.encode())


# where an error is


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": {"b": [0, {1}]}}, r"at \['a'\]\['b'\]\[1\]: "),
        ([[1.0, [float("inf")]]], r"at \[0\]\[1\]\[0\]: "),
        ([1, {"x": {2: 1}}], r"at \[1\]\['x'\]: the key 2 "),
        (({"k": 10**MAX_DIGITS},), r"at \[0\]\['k'\]: an integer "),
        ({1, 2}, "^set is not plain data"),
    ],
    ids=["set", "infinity", "key", "integer", "at the top"],
)
def test_an_error_gives_the_path_to_the_misfit(value: Any, where: str) -> None:
    with pytest.raises(PlainDataError, match=where):
        encode(value)


def test_a_very_long_key_does_not_make_a_very_long_error() -> None:
    with pytest.raises(PlainDataError) as caught:
        encode({"k" * 10_000: {1}})

    assert len(str(caught.value)) < 400


def test_a_hostile_dtype_name_does_not_make_a_very_long_error() -> None:
    with pytest.raises(PlainDataError) as caught:
        decode(TAG_JSON, json.dumps({"$": ["x" * 100_000, [1]]}).encode())

    assert len(str(caught.value)) < 200


# finite or not


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(hnp.arrays(st.sampled_from(["f2", "f4", "f8"]), (3,)), max_size=3), st.integers(0, 3))
def test_a_value_has_only_finite_arrays_exactly_when_every_single_number_is(
    arrays: list[npt.NDArray[Any]], depth: int
) -> None:
    value: Any = {"arrays": arrays, "text": "nan"}
    for _ in range(depth):
        value = [value, np.array([1, 2])]

    numbers = [float(number) for array in arrays for number in array]

    assert has_only_finite_arrays(value) == all(map(math.isfinite, numbers))


@pytest.mark.parametrize(
    "value", [None, 1, 0.5, "inf", [], {}, np.zeros((0,)), np.array(True), np.array([2**63], "u8")]
)
def test_what_holds_no_float_array_is_finite(value: Any) -> None:
    assert has_only_finite_arrays(value)
