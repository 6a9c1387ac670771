"""Plain data to bytes and back, never by pickle: strict JSON, with numpy arrays as raw parts behind it.

A message is `u32 length | tag | body`. Tag `J` is UTF-8 JSON. Tag `P` is `u64 length of the JSON | JSON | arrays`,
every part padded to eight bytes; an array stands in the JSON as `{"$": [dtype, shape]}`, the arrays follow in order.
One in shared memory is `{"$": [dtype, shape, offset, strides]}` and does not follow; one on a card is
`{"$": [dtype, shape, offset]}`. Only requests may hold such.
Keys of a caller's own dicts that begin with `$` get a second one, so nothing can pose as an array.
"""

import json
import math
import mmap
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.card_memory import CardArray
from sandbox.shared import SharedArray, placed

HEADER = struct.Struct("<IB")
TAG_JSON = ord("J")
TAG_PARTS = ord("P")
MAX_DEPTH = 32
MAX_NODES = 1_000_000
MAX_DIGITS = 1000
MAX_AXES = 16
PART_ALIGNMENT = 8
DTYPES = {np.dtype(code).str: np.dtype(code) for code in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")} | {
    np.dtype(code).str: np.dtype(code) for code in ("f2", "f4", "f8")
}
_JSON_LENGTH = struct.Struct("<Q")
_LARGEST_INTEGER = 10**MAX_DIGITS

Arrays = list[npt.NDArray[Any]]
Placing = Callable[[np.dtype[Any], list[int], int], Any]
"""Gives the array of a type and shape at an offset of a card's shared memory."""


class PlainDataError(ValueError):
    """A value is not plain finite data of the allowed size and depth."""

    path = ""

    def __str__(self) -> str:
        """What is wrong, after where it is."""
        return f"at {self.path}: {super().__str__()}" if self.path else super().__str__()

    def inside(self, step: str) -> "PlainDataError":
        """The same error, seen from the container around it."""
        self.path = step + self.path
        return self


class NotFiniteError(PlainDataError):
    """A number is NaN or infinite."""


def encode(value: Any) -> bytes:
    """The message for a value; tuples become lists, numpy scalars become numbers.

    Plain floats must be finite; arrays may hold any number (the reader decides).

    Raises:
        PlainDataError: the value holds something else; the text says where and what.
    """
    arrays: Arrays = []
    plain = _plain(value, arrays, 0)
    try:
        text = _ENCODER.encode(plain).encode()
    except ValueError as error:  # half of a surrogate pair
        raise PlainDataError(f"not text: {str(error)[:200]}") from error
    _check_count(text)
    if not arrays:
        return HEADER.pack(len(text) + 1, TAG_JSON) + text
    parts = [_JSON_LENGTH.pack(len(text)), text, _padding(len(text))]
    for array in arrays:
        parts += (array.tobytes(), _padding(array.nbytes))
    size = sum(map(len, parts)) + 1
    if size > 0xFFFFFFFF:
        raise PlainDataError(f"the value takes {size} bytes, one message holds 4 GiB")
    return b"".join((HEADER.pack(size, TAG_PARTS), *parts))


def decode(tag: int, body: bytes | bytearray, *, shared: mmap.mmap | None = None, card: Placing | None = None) -> Any:
    """The value of a message's body, checked as if an enemy wrote it; arrays are writable views into `body`.

    With `shared` memory, or with a `card`, the message may place arrays there; without it, it may not.

    Raises:
        PlainDataError: anything but exactly one well-formed finite value.
    """
    if tag == TAG_JSON:
        return _Reader(b"", shared, card).read(bytes(body))
    if tag != TAG_PARTS:
        raise PlainDataError(f"message tag {tag} is unknown")
    if len(body) < _JSON_LENGTH.size:
        raise PlainDataError("the message ends before its JSON")
    (n_bytes,) = _JSON_LENGTH.unpack_from(body)
    start = _JSON_LENGTH.size
    end = start + n_bytes
    if end + len(_padding(n_bytes)) > len(body):
        raise PlainDataError("the message ends before its JSON")
    reader = _Reader(memoryview(body)[end + len(_padding(n_bytes)) :], shared, card)
    value = reader.read(bytes(body[start:end]))
    if reader.n_unread:
        raise PlainDataError(f"{reader.n_unread} bytes follow the last array")
    return value


def has_only_finite_arrays(value: Any) -> bool:
    """Whether every array inside a decoded value is free of NaN and infinity (plain floats always are)."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind != "f" or bool(np.isfinite(value).all())
    if isinstance(value, list):
        return all(has_only_finite_arrays(item) for item in value if isinstance(item, list | dict | np.ndarray))
    if isinstance(value, dict):
        return all(has_only_finite_arrays(item) for item in value.values())
    return True


_LONG_NUMBER = re.compile(rb"[eE]\+?[0-9]{3}|(?<![0-9])[0-9]{200}")  # only these can overflow or take long to read
_ENCODER = json.JSONEncoder(allow_nan=False, check_circular=False, ensure_ascii=False, separators=(",", ":"))


def _check_count(text: bytes) -> None:
    """Hold the limit on values by what can separate them, before any is made; marks inside text count too."""
    if text.count(b",") + text.count(b"[") + text.count(b"{") > MAX_NODES:
        raise PlainDataError(f"more than {MAX_NODES} values in one message: use an array")


def _padding(n_bytes: int) -> bytes:
    return bytes(-n_bytes % PART_ALIGNMENT)


def _plain(value: Any, arrays: Arrays, depth: int) -> Any:
    """The JSON form of a value; arrays are moved to `arrays`."""
    if value is None or type(value) is str or type(value) is bool:
        return value
    if isinstance(value, str):  # a subclass, as numpy's
        return str.__str__(value)
    if isinstance(value, float | np.floating):
        return _finite(float(value))
    if isinstance(value, int | np.integer | np.bool_):
        return _integer(value)
    return _container(value, arrays, depth)


def _container(value: Any, arrays: Arrays, depth: int) -> Any:
    if depth >= MAX_DEPTH:
        raise PlainDataError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list | tuple):
        return _items(value, arrays, depth)
    if isinstance(value, dict):
        return dict(zip(map(_key, value), _items(list(value.values()), arrays, depth, list(value)), strict=True))
    if isinstance(value, np.ndarray):
        return _reference(value, arrays)
    if isinstance(value, SharedArray):
        array = value.values
        return {"$": [array.dtype.str, list(array.shape), value.offset, list(array.strides)]}
    if isinstance(value, CardArray):
        return {"$": [value.dtype.str, list(value.shape), value.offset]}
    raise PlainDataError(
        f"{type(value).__name__} is not plain data: allowed are None, bool, int, float, str, list, tuple, dict with "
        "string keys, and numpy arrays of booleans, integers and floats"
    )


def _items(values: Any, arrays: Arrays, depth: int, names: list[Any] | None = None) -> list[Any]:
    """The JSON forms of a container's items; an error says at which of them."""
    plain: list[Any] = []
    for item in values:
        if type(item) is float and math.isfinite(item):
            plain.append(item)
            continue
        try:
            plain.append(_plain(item, arrays, depth + 1))
        except PlainDataError as error:
            raise error.inside(f"[{names[len(plain)] if names else len(plain)!r}]"[:80]) from None
    return plain


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise NotFiniteError(f"{number} where numbers must be finite")
    return number


def _integer(value: Any) -> int | bool:
    if isinstance(value, np.bool_):
        return bool(value)
    number = int(value)
    if abs(number) >= _LARGEST_INTEGER:
        raise PlainDataError(f"an integer of more than {MAX_DIGITS} digits")
    return number


def _key(key: Any) -> str:
    if type(key) is not str:
        raise PlainDataError(f"the key {key!r:.60} is of type {type(key).__name__}: keys must be strings")
    return "$" + key if key.startswith("$") else key


def _reference(value: npt.NDArray[Any], arrays: Arrays) -> dict[str, Any]:
    array = np.asarray(value)
    if array.dtype.kind in "biuf":
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if array.dtype.str not in DTYPES:
        raise PlainDataError(f"an array of {array.dtype}: allowed are {', '.join(map(str, DTYPES.values()))}")
    arrays.append(array)
    return {"$": [array.dtype.str, list(array.shape)]}


class _Reader:
    """Reads one message: JSON whose array references take the next bytes of `parts`."""

    def __init__(self, parts: bytes | memoryview, shared: mmap.mmap | None, card: Placing | None) -> None:
        self._parts = parts
        self._shared = shared
        self._card = card
        self._at = 0

    @property
    def n_unread(self) -> int:
        return len(self._parts) - self._at

    def read(self, text: bytes) -> Any:
        _check_count(text)
        has_long_numbers = _LONG_NUMBER.search(text) is not None
        decoder = json.JSONDecoder(
            parse_float=_read_float if has_long_numbers else None,
            parse_int=_read_integer if has_long_numbers else None,
            parse_constant=_refuse_constant,
            object_pairs_hook=self._read_object,
        )
        try:
            value = decoder.decode(text.decode("utf-8"))
        except (RecursionError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise PlainDataError(f"not JSON: {str(error)[:200]}") from error
        _check_shape_of(value, 0)
        return value

    def _read_object(self, pairs: list[tuple[str, Any]]) -> Any:
        if len(pairs) == 1 and pairs[0][0] == "$":
            return self._read_array(pairs[0][1])
        value: dict[str, Any] = {}
        for key, item in pairs:
            if key.startswith("$") and not key.startswith("$$"):
                raise PlainDataError(f"the key {key!r:.60} is reserved")
            name = key[1:] if key.startswith("$") else key
            if name in value:
                raise PlainDataError(f"the key {name!r:.60} comes twice")
            value[name] = item
        return value

    def _read_array(self, reference: Any) -> Any:
        if self._card is not None and type(reference) is list and len(reference) == 3:
            return self._card(*_check_reference(reference[:2]), reference[2])
        if self._shared is not None and type(reference) is list and len(reference) == 4:
            return _read_placed(self._shared, *reference)
        dtype, shape = _check_reference(reference)
        n_bytes = math.prod(shape) * dtype.itemsize
        n_padded = n_bytes + len(_padding(n_bytes))
        if n_padded > self.n_unread:
            raise PlainDataError(f"an array of {n_bytes} bytes is announced, {self.n_unread} bytes are left")
        raw = self._parts[self._at : self._at + n_bytes]
        self._at += n_padded
        if dtype.kind == "b" and raw and max(raw) > 1:
            raise PlainDataError("an array of booleans holds other bytes than 0 and 1")
        try:
            return np.frombuffer(raw, dtype=dtype).reshape(shape)
        except (ValueError, OverflowError) as error:  # an empty array of impossible sizes
            raise PlainDataError(f"an array of shape {str(shape)[:100]} cannot be") from error


def _read_placed(memory: mmap.mmap, dtype: Any, shape: Any, offset: Any, strides: Any) -> npt.NDArray[Any]:
    """An array in shared memory: who reads such messages is the candidate, and who wrote them its controller."""
    kind, sizes = _check_reference([dtype, shape])
    try:
        return placed(memory, kind, sizes, offset, strides)
    except (TypeError, ValueError) as error:
        raise PlainDataError(f"no array can lie there in shared memory: {error}") from error


def _check_reference(reference: Any) -> tuple[np.dtype[Any], list[int]]:
    if type(reference) is not list or len(reference) != 2:
        raise PlainDataError("an array reference is a pair of dtype and shape")
    name, shape = reference
    dtype = DTYPES.get(name) if type(name) is str else None
    if dtype is None:
        raise PlainDataError(f"an array of dtype {name!r:.60} is not allowed")
    if type(shape) is not list or len(shape) > MAX_AXES or any(type(n) is not int or n < 0 for n in shape):
        raise PlainDataError("the shape of an array is a short list of sizes")
    return dtype, shape


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotFiniteError(f"the number {text[:40]} is out of range")
    return number


def _read_integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise PlainDataError(f"an integer of more than {MAX_DIGITS} digits")
    return int(text)


def _refuse_constant(text: str) -> Any:
    raise NotFiniteError(f"{text}: numbers must be finite")


def _check_shape_of(value: Any, depth: int) -> None:
    """Hold the depth limit, and that all text can be written as UTF-8."""
    kind = type(value)
    if kind is str:
        _check_text(value)
    elif kind is list or kind is dict:
        if depth >= MAX_DEPTH:
            raise PlainDataError(f"nested deeper than {MAX_DEPTH} levels")
        for item in value.values() if kind is dict else value:
            if type(item) in _WALKED:
                _check_shape_of(item, depth + 1)
        if kind is dict:
            _check_text("".join(value))


_WALKED = frozenset((str, list, dict))


def _check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise PlainDataError("text holds half of a surrogate pair") from error
