"""Descriptor spaces: where a descriptor lands. A grid of axes here; centroids in `archive.centroids`."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import isfinite, prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archive.axes import MAX_CELLS, REFUSED, Axis, CategoryAxis, OutOfRange, did_you_mean
from archive.contract import Descriptor, Values
from archive.errors import ArchiveError

Codes = tuple[float, ...]
"""A descriptor as floats: numbers as they are, a category as its place in the list."""


class Reader:
    """Reads descriptors against named axes, into codes and back."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.axes = tuple(axes)
        self.names = tuple(axis.name for axis in self.axes)
        if not self.axes:
            raise ArchiveError("an archive needs at least one axis")
        if len(set(self.names)) != len(self.names):
            raise ArchiveError(f"axes must have names of their own, got {', '.join(self.names)}")
        self._kinds = tuple((axis, not isinstance(axis, CategoryAxis)) for axis in self.axes)
        self._categories = {
            place: list(axis.categories) for place, axis in enumerate(self.axes) if isinstance(axis, CategoryAxis)
        }

    def codes_of(self, descriptor: Descriptor) -> Codes:
        """One descriptor's codes.

        Raises:
            ArchiveError: a wrong number of axes, a wrong name, or a value that its axis cannot read.
        """
        if type(descriptor) is not tuple and isinstance(descriptor, Mapping):
            descriptor = self._by_name(descriptor)
        elif len(descriptor) != len(self.axes) or isinstance(descriptor, str):
            raise ArchiveError(
                f"descriptor has {len(descriptor)} values, the archive has {len(self.axes)} axes "
                f"({', '.join(self.names)}): check [[archive.axes]] against what the evaluator returns"
            )
        codes = [
            value + 0.0 if type(value) is float and isfinite(value) and is_number else axis.code_of(value)
            for (axis, is_number), value in zip(self._kinds, descriptor, strict=True)
        ]
        for place, known in self._categories.items():
            if self.axes[place].out_of_range is OutOfRange.OVERFLOW:
                codes[place] = self._code_of_name(str(descriptor[place]), known)
        return tuple(codes)

    def _by_name(self, descriptor: Mapping[str, float | str]) -> Sequence[float | str]:
        try:
            values = [descriptor[name] for name in self.names]
        except KeyError:
            missing = [name for name in self.names if name not in descriptor]
            raise ArchiveError(
                f"descriptor lacks {', '.join(missing)}; it has {', '.join(descriptor) or 'nothing'}"
            ) from None
        if len(descriptor) != len(values):
            extra = next(name for name in descriptor if name not in self.names)
            raise ArchiveError(f"descriptor has an unknown axis {extra!r}: {did_you_mean(extra, self.names)}")
        return values

    def _code_of_name(self, name: str, known: list[str]) -> float:
        """Names beyond the axis get codes beyond its end, in the order they come, so that they can be read back."""
        if name not in known:
            known.append(name)
        return float(known.index(name))

    def values_of(self, codes: Sequence[float]) -> Values:
        """What the codes stand for: numbers, and categories by name."""
        if not self._categories:
            return tuple(codes)
        return tuple(
            self._categories[place][int(code)] if place in self._categories else code
            for place, code in enumerate(codes)
        )

    def codes_of_many(self, descriptors: Sequence[Descriptor] | NDArray[np.float64]) -> NDArray[np.float64]:
        """A batch, one row a descriptor. An array of numbers is the fast way; it cannot hold categories.

        Raises:
            ArchiveError: as `codes_of`, for any row.
        """
        if not isinstance(descriptors, np.ndarray) or descriptors.dtype == object:
            rows = [self.codes_of(descriptor) for descriptor in descriptors]
            return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.axes))
        if descriptors.ndim != 2 or descriptors.shape[1] != len(self.axes) or self._categories:
            raise ArchiveError(
                f"descriptors have shape {descriptors.shape}, expected rows of {len(self.axes)} numbers "
                f"({', '.join(self.names)}); categories go by name, as a list of rows"
            )
        codes: NDArray[np.float64] = descriptors + 0.0
        if codes.dtype != np.float64:
            codes = codes.astype(np.float64)
        if not np.isfinite(codes).all():
            row = int(np.flatnonzero(~np.isfinite(codes).all(axis=1))[0])
            raise ArchiveError(f"descriptor of row {row} is not finite: {codes[row].tolist()}")
        return codes


class Space(Protocol):
    """Says where points land. Batches carry cells alone; `n_clipped` counts afterwards."""

    reader: Reader
    axes: tuple[Axis, ...]
    n_cells: int

    def place_of(self, codes: Codes) -> tuple[int, bool]:
        """The cell of a point, `REFUSED` if an axis refuses it, and whether an axis clipped it."""

    def cells_of(self, codes: NDArray[np.float64]) -> NDArray[np.int64]:
        """The cells of a batch, bit for bit those of one point after another."""


def n_clipped(axes: Sequence[Axis], codes: NDArray[np.float64]) -> int:
    """How many rows, none of them refused, lie outside an axis that clips."""
    low, high = np.array([axis.clip_bounds for axis in axes]).T
    outside = (codes < low) | (codes > high)
    return int(np.count_nonzero(outside.any(axis=1))) if outside.any() else 0


class GridSpace:
    """Cells of a grid, numbered row by row (the last axis fastest)."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.reader = Reader(axes)
        self.axes = self.reader.axes
        sizes = [axis.n_positions for axis in self.axes]
        self.n_cells = prod(sizes)
        if self.n_cells > MAX_CELLS:
            raise ArchiveError(
                f"the grid has {self.n_cells:,} cells ({' x '.join(map(str, sizes))}), at most {MAX_CELLS:,} work: "
                'use fewer cells an axis, or kind = "cvt"'
            )
        self._strides = [prod(sizes[place + 1 :]) for place in range(len(sizes))]
        self._placed = tuple(
            (axis, axis.edges, len(axis.edges) - 1, stride)
            for axis, stride in zip(self.axes, self._strides, strict=True)
        )
        self._may_refuse = any(axis.out_of_range is OutOfRange.REJECT for axis in self.axes)

    def place_of(self, codes: Codes) -> tuple[int, bool]:
        """The cell of a point, `REFUSED` if an axis refuses it, and whether an axis clipped it."""
        cell, is_clipped = 0, False
        for (axis, edges, n_inside, stride), code in zip(self._placed, codes, strict=True):
            position = bisect_right(edges, code) - 1
            if not 0 <= position < n_inside:
                is_clipped = is_clipped or axis.is_clipped(code)
                position = axis.outside(code)
                if position < 0:
                    return REFUSED, False
            cell += position * stride
        return cell, is_clipped

    def cells_of(self, codes: NDArray[np.float64]) -> NDArray[np.int64]:
        """The cells of a batch, bit for bit those of one point after another."""
        columns = [axis.positions_of(column) for axis, column in zip(self.axes, codes.T, strict=True)]
        cells: NDArray[np.int64] = columns[0] * self._strides[0]
        for column, stride in zip(columns[1:], self._strides[1:], strict=True):
            cells += column * stride
        if self._may_refuse:
            for column in columns:
                cells[column < 0] = REFUSED
        return cells
