"""Axes: fixed rules that turn one value of a descriptor into a position. They never move under stored elites."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from itertools import pairwise
from math import exp, inf, isfinite, log
from sys import float_info
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.errors import ArchiveError, ArchiveSpecError

REFUSED = -1
"""The position of a value that an axis refuses."""

MAX_CELLS = 1 << 22
"""How many cells an archive, and so an axis, has at most."""


class OutOfRange(StrEnum):
    """What happens to a value outside an axis."""

    CLIP = "clip"  # into the first or the last cell; counted
    REJECT = "reject"  # the offer is refused; counted
    OVERFLOW = "overflow"  # cells of their own: one above, one below; one for unknown categories


def _check(name: str, edges: Sequence[float]) -> tuple[float, ...]:
    if len(edges) < 2:
        raise ArchiveError(f"axis {name!r}: got {len(edges)} edges, expected at least 2")
    numbers = tuple(float(edge) + 0.0 for edge in edges)
    if not all(isfinite(edge) for edge in numbers) or not isfinite(numbers[-1] - numbers[0]):
        raise ArchiveError(f"axis {name!r}: its ends must be finite, got {numbers[0]!r} to {numbers[-1]!r}")
    if any(right <= left for left, right in pairwise(numbers)):
        raise ArchiveError(f"axis {name!r}: edges must increase, got {numbers[0]!r} to {numbers[-1]!r} in {len(edges)}")
    return numbers


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_cells(name: str, cells: int) -> None:
    if not _is_whole(cells) or cells < 1:
        raise ArchiveError(f"axis {name!r}: cells must be a positive whole number, got {cells!r}")
    if cells > MAX_CELLS:
        raise ArchiveError(f"axis {name!r}: got {cells:,} cells, at most {MAX_CELLS:,} work")


@dataclass(frozen=True, slots=True)
class _NumberAxis:
    """What the number axes share. Cell `i` holds `edges[i] <= value < edges[i + 1]`, the last one its end too."""

    name: str
    out_of_range: OutOfRange = field(default=OutOfRange.CLIP, kw_only=True)
    edges: tuple[float, ...] = field(init=False, repr=False, default=())
    _lowers: NDArray[np.float64] = field(init=False, repr=False, compare=False, default_factory=lambda: np.zeros(0))
    _uppers: NDArray[np.float64] = field(init=False, repr=False, compare=False, default_factory=lambda: np.zeros(0))

    def _fix(self, edges: Sequence[float]) -> None:
        object.__setattr__(self, "edges", _check(self.name, edges))
        object.__setattr__(self, "_lowers", np.array(self.edges[:-1]))
        object.__setattr__(self, "_uppers", np.array([*self.edges[1:-1], inf]))
        object.__setattr__(self, "out_of_range", OutOfRange(self.out_of_range))

    @property
    def n_positions(self) -> int:
        """Cells of this axis, with those for overflow."""
        return len(self.edges) - 1 + (2 if self.out_of_range is OutOfRange.OVERFLOW else 0)

    def code_of(self, value: float | str) -> float:
        """The value as a float.

        Raises:
            ArchiveError: it is text or not finite.
        """
        if not isinstance(value, str):
            try:
                code = float(value) + 0.0
            except (TypeError, ValueError, OverflowError):
                code = inf
            if isfinite(code):
                return code
        raise ArchiveError(f"axis {self.name!r}: expected a finite number, got {value!r}")

    def outside(self, code: float) -> int:
        """The position of a value that no cell between two edges holds, `REFUSED` if the axis rejects it."""
        n_cells = len(self.edges) - 1
        if code == self.edges[-1]:
            return n_cells - 1
        if self.out_of_range is OutOfRange.REJECT:
            return REFUSED
        is_below = code < self.edges[0]
        if self.out_of_range is OutOfRange.CLIP:
            return 0 if is_below else n_cells - 1
        return n_cells + 1 if is_below else n_cells

    def is_clipped(self, code: float) -> bool:
        """Whether the value is moved into an edge cell."""
        return self.out_of_range is OutOfRange.CLIP and not self.edges[0] <= code <= self.edges[-1]

    @property
    def clip_bounds(self) -> tuple[float, float]:
        """Values outside these are moved into an edge cell."""
        return (self.edges[0], self.edges[-1]) if self.out_of_range is OutOfRange.CLIP else (-inf, inf)

    def positions_of(self, codes: NDArray[np.float64]) -> NDArray[np.int64]:
        """The positions of a whole column, bit for bit those of one value after another."""
        low, high = self.edges[0], self.edges[-1]
        positions = self._inside(np.minimum(np.maximum(codes, low), high))
        if self.out_of_range is not OutOfRange.CLIP:
            n_cells = len(self.edges) - 1
            overflows = self.out_of_range is OutOfRange.OVERFLOW
            positions[codes > high] = n_cells if overflows else REFUSED
            positions[codes < low] = n_cells + 1 if overflows else REFUSED
        return positions

    def _inside(self, codes: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.searchsorted(self._uppers, codes, side="right")


@dataclass(frozen=True, slots=True)
class LinearAxis(_NumberAxis):
    """Equal cells from `low` to `high`."""

    low: float
    high: float
    cells: int = 10

    def __post_init__(self) -> None:
        """Work out the edges; the two ends are exact."""
        _check_cells(self.name, self.cells)
        step = (self.high - self.low) / self.cells
        self._fix([self.low, *(self.low + index * step for index in range(1, self.cells)), self.high])

    def _inside(self, codes: NDArray[np.float64]) -> NDArray[np.int64]:
        """Guess by division, then put right by the edges: rounding can miss by one cell, never by two."""
        low, high = self.edges[0], self.edges[-1]
        cells_a_unit = self.cells / (high - low)
        if cells_a_unit == inf:  # cells too narrow to divide by
            return _NumberAxis._inside(self, codes)
        guess: NDArray[np.int64] = ((codes - low) * cells_a_unit).astype(np.int64)
        np.minimum(guess, self.cells - 1, out=guess)
        guess -= codes < self._lowers[guess]
        guess += codes >= self._uppers[guess]
        return guess

    def units_of(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the values lie between the ends, clipped to [0, 1]."""
        within: NDArray[np.float64] = np.clip(codes, self.edges[0], self.edges[-1])
        return (within - self.edges[0]) / (self.edges[-1] - self.edges[0])

    def unit_of(self, code: float) -> float:
        """`units_of` for one value, bit for bit the same."""
        low, high = self.edges[0], self.edges[-1]
        return (min(max(code, low), high) - low) / (high - low)

    def to_mapping(self) -> dict[str, Any]:
        """The axis as JSON data; `axis_from_mapping` reads it back."""
        return {"kind": "linear", **_scale(self), "cells": self.cells, "out_of_range": str(self.out_of_range)}


@dataclass(frozen=True, slots=True)
class LogAxis(_NumberAxis):
    """Cells of equal ratio from `low` to `high`, both positive. Values at or below zero lie below the axis."""

    low: float
    high: float
    cells: int = 10

    def __post_init__(self) -> None:
        """Work out the edges; the two ends are exact."""
        _check_cells(self.name, self.cells)
        if not 0.0 < self.low < self.high < inf:
            raise ArchiveError(
                f"axis {self.name!r}: a log axis needs 0 < low < high, got low={self.low!r}, high={self.high!r}"
            )
        first, span = log(self.low), log(self.high) - log(self.low)
        inner = (exp(first + span * index / self.cells) for index in range(1, self.cells))
        self._fix([self.low, *inner, self.high])

    def unit_of(self, code: float) -> float:
        """Where the value lies between the ends by its logarithm, clipped to [0, 1]."""
        low, high = self.edges[0], self.edges[-1]
        return (log(min(max(code, low), high)) - log(low)) / (log(high) - log(low))

    def units_of(self, codes: NDArray[np.float64]) -> NDArray[np.float64]:
        """`unit_of` for a whole column, one by one: numpy's logarithm may differ in the last bit."""
        return np.array([self.unit_of(code) for code in codes.tolist()], dtype=np.float64)

    def to_mapping(self) -> dict[str, Any]:
        """The axis as JSON data; `axis_from_mapping` reads it back."""
        return {"kind": "log", **_scale(self), "cells": self.cells, "out_of_range": str(self.out_of_range)}


@dataclass(frozen=True, slots=True)
class EdgesAxis(_NumberAxis):
    """Cells between given edges, which must increase."""

    given: Sequence[float]

    def __post_init__(self) -> None:
        """Take the edges as they are."""
        object.__setattr__(self, "given", tuple(float(edge) for edge in self.given))
        self._fix(self.given)

    def to_mapping(self) -> dict[str, Any]:
        """The axis as JSON data; `axis_from_mapping` reads it back."""
        policy = str(self.out_of_range)
        return {"kind": "edges", "name": self.name, "edges": list(self.edges), "out_of_range": policy}


@dataclass(frozen=True, slots=True)
class CategoryAxis:
    """One cell a category, by name. Unknown names are refused, or share one more cell with `"overflow"`."""

    name: str
    categories: Sequence[str]
    out_of_range: OutOfRange = field(default=OutOfRange.REJECT, kw_only=True)

    def __post_init__(self) -> None:
        """Check that the categories are told apart."""
        object.__setattr__(self, "categories", tuple(self.categories))
        object.__setattr__(self, "out_of_range", OutOfRange(self.out_of_range))
        if not self.categories or len(set(self.categories)) != len(self.categories):
            raise ArchiveError(f"axis {self.name!r}: categories must be distinct and at least one: {self.categories!r}")
        if not all(isinstance(category, str) for category in self.categories):
            raise ArchiveError(f"axis {self.name!r}: categories must be names, got {self.categories!r}")
        if self.out_of_range is OutOfRange.CLIP:
            raise ArchiveError(f'axis {self.name!r}: categories cannot be clipped: use "reject" or "overflow"')

    @property
    def n_positions(self) -> int:
        """Cells of this axis, with the one for unknown names."""
        return len(self.categories) + (self.out_of_range is OutOfRange.OVERFLOW)

    @property
    def edges(self) -> tuple[float, ...]:
        """Codes of categories are their places in the list; these lie between them, as those of number axes do."""
        return tuple(float(place) for place in range(len(self.categories) + 1))

    def code_of(self, value: float | str) -> float:
        """The category's place in the list, one past its end if unknown.

        Raises:
            ArchiveError: it is not text.
        """
        if not isinstance(value, str):
            raise ArchiveError(f"axis {self.name!r}: expected the name of a category, got {value!r}")
        return float(self.categories.index(value)) if value in self.categories else float(len(self.categories))

    def outside(self, code: float) -> int:  # noqa: ARG002 all unknown names share one place
        """The position of an unknown name, `REFUSED` if the axis rejects it."""
        return len(self.categories) if self.out_of_range is OutOfRange.OVERFLOW else REFUSED

    def positions_of(self, codes: NDArray[np.float64]) -> NDArray[np.int64]:
        """The positions of a whole column."""
        n_cells = len(self.categories)
        return np.where(codes < n_cells, codes, self.outside(n_cells)).astype(np.int64)

    def is_clipped(self, code: float) -> bool:  # noqa: ARG002 there is nothing between categories to clip to
        """Never."""
        return False

    @property
    def clip_bounds(self) -> tuple[float, float]:
        """Nothing is clipped."""
        return (-inf, inf)

    def to_mapping(self) -> dict[str, Any]:
        """The axis as JSON data; `axis_from_mapping` reads it back."""
        policy = str(self.out_of_range)
        return {"kind": "categories", "name": self.name, "categories": list(self.categories), "out_of_range": policy}


Axis = LinearAxis | LogAxis | EdgesAxis | CategoryAxis


def _scale(axis: _NumberAxis) -> dict[str, Any]:
    """Name and ends as floats, however they were given: equal axes give equal data."""
    return {"name": axis.name, "low": axis.edges[0], "high": axis.edges[-1]}


_NUMBER, _WHOLE, _NUMBERS, _NAMES, _TEXT = "a number", "a whole number", "a list of numbers", "a list of names", "text"
_KEYS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "linear": ({"name": _TEXT, "low": _NUMBER, "high": _NUMBER}, {"cells": _WHOLE}),
    "log": ({"name": _TEXT, "low": _NUMBER, "high": _NUMBER}, {"cells": _WHOLE}),
    "edges": ({"name": _TEXT, "edges": _NUMBERS}, {}),
    "categories": ({"name": _TEXT, "categories": _NAMES}, {}),
}


def is_number(value: Any) -> bool:
    """Whether a value of a table is a number that a float can hold."""
    return isinstance(value, float) or (_is_whole(value) and abs(value) <= float_info.max)


_FITS: dict[str, Callable[[Any], bool]] = {
    _NUMBER: is_number,
    _WHOLE: _is_whole,
    _NUMBERS: lambda value: isinstance(value, list | tuple) and all(map(is_number, value)),
    _NAMES: lambda value: isinstance(value, list | tuple) and all(isinstance(name, str) for name in value),
    _TEXT: lambda value: isinstance(value, str) and value != "",
}


def did_you_mean(word: object, known: Sequence[str]) -> str:
    """The end of an error message about an unknown word: the nearest known one, or all of them."""
    close = get_close_matches(str(word), known, n=1)
    return f"did you mean {str(close[0])!r}?" if close else f"expected one of {', '.join(known)}"


def axis_from_mapping(mapping: Mapping[str, Any]) -> Axis:
    """The axis that a table describes: `kind` ("linear" if missing), `name` and what the kind needs.

    Raises:
        ArchiveSpecError: with every mistake of the table, each with its key.
    """
    kind = mapping.get("kind", "linear")
    if not isinstance(kind, str) or kind not in _KEYS:
        raise ArchiveSpecError([f"kind: got {kind!r}, {did_you_mean(kind, tuple(_KEYS))}"])
    required, optional = _KEYS[kind]
    expected = {**required, **optional}
    known = ("kind", *expected, "out_of_range")
    mistakes = [f"{key}: unknown key, {did_you_mean(key, known)}" for key in mapping if key not in known]
    mistakes += [f"{key}: missing, expected {required[key]}" for key in required if key not in mapping]
    mistakes += [
        f"{key}: got {mapping[key]!r}, expected {what}"
        for key, what in expected.items()
        if key in mapping and not _FITS[what](mapping[key])
    ]
    policies = tuple(OutOfRange)
    if (policy := mapping.get("out_of_range", policies[0])) not in policies:
        mistakes.append(f"out_of_range: got {policy!r}, {did_you_mean(policy, policies)}")
    if mistakes:
        raise ArchiveSpecError(mistakes)
    values = {key: value for key, value in mapping.items() if key != "kind"}
    try:
        return _built(kind, values)
    except ArchiveError as error:
        raise ArchiveSpecError([str(error)]) from error


def _built(kind: str, values: dict[str, Any]) -> Axis:
    if kind == "linear":
        return LinearAxis(**values)
    if kind == "log":
        return LogAxis(**values)
    if kind == "edges":
        return EdgesAxis(values.pop("name"), values.pop("edges"), **values)
    return CategoryAxis(**values)
