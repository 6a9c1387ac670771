"""Reading hostile data: plain values of bounded size become exact numbers, everything else is refused with its place.

A float is the exact binary fraction that it is. Text is a whole number, a fraction "p/q" or a float in hexadecimal
form. Nothing is converted that is not of exactly these types, so overloaded operators have no part in it.
"""

import json
import math
import re
from collections.abc import Sequence
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
from flint import fmpq

from evaluators.constructions.verdict import RejectedError

MAX_BITS = 4096
MAX_DIGITS = 1233  # so many have at most MAX_BITS bits
MAX_FILE_BYTES = 64 << 20
SHARED_BITS = 1 << 14
BITS_EACH = 64
_FRACTION = re.compile(r"[+-]?[0-9]+(/[0-9]+)?")
_HEXADECIMAL = re.compile(r"[+-]?0x[0-9a-fA-F]{1,40}(\.[0-9a-fA-F]{0,40})?(p[+-]?[0-9]{1,5})?")


def rational(value: object, where: str) -> fmpq:
    """One exact number."""
    if type(value) is float:
        if not math.isfinite(value):
            raise RejectedError(f"{where} is {value}, expected a finite number")
        return fmpq(*value.as_integer_ratio())
    if type(value) is int:
        return fmpq(_bounded(value, where))
    if type(value) is str:
        return _from_text(value, where)
    raise RejectedError(f"{where} is {kind_of(value)}, expected a number")


def _from_text(text: str, where: str) -> fmpq:
    if len(text) <= 2 * MAX_DIGITS + 2 and _FRACTION.fullmatch(text):
        top, _, bottom = text.partition("/")
        if max(len(top), len(bottom)) <= MAX_DIGITS:
            if bottom and not int(bottom):
                raise RejectedError(f"{where} is a fraction with the denominator 0")
            return fmpq(int(top), int(bottom or 1))
    if _HEXADECIMAL.fullmatch(text):
        try:
            return rational(float.fromhex(text), where)
        except OverflowError:
            pass
    raise RejectedError(
        f"{where} is the text {_shown(text)}, expected a number, or text such as '-7/12' or '0x1.8p-3' "
        f"of at most {MAX_DIGITS} digits"
    )


def whole(value: object, where: str, *, low: int | None = None, high: int | None = None) -> int:
    """One whole number, given as such or as a float without a fraction."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is str and len(value) <= MAX_DIGITS and re.fullmatch(r"[+-]?[0-9]+", value):
        value = int(value)
    if type(value) is not int:
        raise RejectedError(f"{where} is {kind_of(value)}, expected a whole number")
    number = _bounded(value, where)
    if (low is not None and number < low) or (high is not None and number > high):
        raise RejectedError(f"{where} is {_shown(number)}, expected {_range(low, high)}")
    return number


def rows(value: object, where: str, *, count: int | None = None, most: int | None = None) -> list[Any]:
    """A list with so many entries, not looked into."""
    if type(value) is np.ndarray:
        if value.dtype.kind not in "iuf":
            raise RejectedError(f"{where} is an array of {value.dtype}, expected numbers")
        value = value.tolist()
    if type(value) is tuple:
        value = list(value)
    if type(value) is not list:
        raise RejectedError(f"{where} is {kind_of(value)}, expected a list")
    if count is not None and len(value) != count:
        raise RejectedError(f"{where} has {len(value)} entries, expected {count}")
    if most is not None and len(value) > most:
        raise RejectedError(f"{where} has {len(value)} entries, at most {most} are taken")
    return value


def rationals(value: object, where: str, *, count: int | None = None, most: int | None = None) -> list[fmpq]:
    """A list of exact numbers."""
    found = rows(value, where, count=count, most=most)
    return comparable([rational(each, f"entry {index + 1} of {where}") for index, each in enumerate(found)], where)


def points(value: object, where: str, *, count: int | None = None, most: int | None = None, dimension: int) -> Any:
    """A list of rows of `dimension` exact numbers each."""
    found = rows(value, where, count=count, most=most)
    read = [rationals(row, f"row {index + 1} of {where}", count=dimension) for index, row in enumerate(found)]
    comparable([number for row in read for number in row], where)
    return read


def comparable(numbers: list[fmpq], where: str) -> list[fmpq]:
    """Refuse numbers whose common denominator is so long that sums and comparisons would take minutes."""
    most = SHARED_BITS + BITS_EACH * len(numbers)
    common = 1
    for number in numbers:
        common = lcm(common, int(number.q))
        if common.bit_length() > most:
            raise RejectedError(
                f"the denominators of {where} have a least common multiple of more than {most} bits, expected floats, "
                "or fractions with a common denominator"
            )
    return numbers


def wholes(
    value: object,
    where: str,
    *,
    count: int | None = None,
    most: int | None = None,
    low: int | None = None,
    high: int | None = None,
) -> list[int]:
    """A list of whole numbers."""
    found = rows(value, where, count=count, most=most)
    return [whole(each, f"entry {i + 1} of {where}", low=low, high=high) for i, each in enumerate(found)]


def whole_points(  # noqa: PLR0913
    value: object,
    where: str,
    *,
    dimension: int,
    count: int | None = None,
    most: int | None = None,
    low: int | None = None,
    high: int | None = None,
) -> list[tuple[int, ...]]:
    """A list of rows of `dimension` whole numbers each."""
    found = rows(value, where, count=count, most=most)
    bounds = {"count": dimension, "low": low, "high": high}
    return [tuple(wholes(row, f"row {index + 1} of {where}", **bounds)) for index, row in enumerate(found)]


def distinct(values: Sequence[Any], where: str) -> None:
    """Refuse a list that has an entry twice."""
    first: dict[Any, int] = {}
    for index, value in enumerate(values):
        if value in first:
            raise RejectedError(f"entries {first[value] + 1} and {index + 1} of {where} are equal")
        first[value] = index


def member(value: object, name: str, where: str = "the construction") -> Any:
    """What a mapping has under a name."""
    if type(value) is not dict:
        raise RejectedError(f"{where} is {kind_of(value)}, expected an object with {name!r}")
    if name not in value:
        raise RejectedError(f"{where} has no {name!r}")
    return value[name]


def kind_of(value: object) -> str:
    """What a value is, in a few words that a hostile value cannot choose."""
    names = {type(None): "nothing", bool: "a truth value", int: "a whole number", float: "a number", str: "text"}
    return names.get(type(value), f"a {type(value).__name__[:40]}")


def _bounded(number: int, where: str) -> int:
    if number.bit_length() > MAX_BITS:
        raise RejectedError(f"{where} has {number.bit_length()} bits, at most {MAX_BITS} are taken")
    return number


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _range(low: int | None, high: int | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def parse_json(text: str | bytes) -> Any:
    """JSON data without the traps: no NaN, no key twice, no endless number, no endless nesting."""
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_short_whole, object_pairs_hook=_no_key_twice)
    except RecursionError:
        raise RejectedError("the file is nested too deeply") from None
    except UnicodeDecodeError:
        raise RejectedError("the file is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise RejectedError(f"the file is not JSON: {error}") from None


def read_json(path: Path) -> Any:
    """The JSON data of a file of bounded size."""
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)  # what is no regular file does not tell its size
    if len(content) > MAX_FILE_BYTES:
        raise RejectedError(f"the file has more bytes: at most {MAX_FILE_BYTES} are read")
    return parse_json(content)


def _no_constant(name: str) -> Any:
    raise RejectedError(f"the file has the number {name}, expected finite numbers")


def _short_whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS + 1:
        raise RejectedError(f"the file has a whole number of {len(digits)} digits, at most {MAX_DIGITS} are read")
    return int(digits)


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RejectedError("the file has an object with a key twice")
    return found
