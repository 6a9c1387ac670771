"""The axes of an archive as something to draw: how many positions each has, and what to write beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from archive.axes import Axis, CategoryAxis, LogAxis, OutOfRange, axis_from_mapping
from archive.errors import ArchiveError
from evolve.view.run import RunView

DISPLAY_BINS = 20
DEFAULT_CENTROIDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAxis:
    """One axis. `labels` and `n_positions` count the cells for overflow too."""

    axis: Axis
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        """The axis's name."""
        return self.axis.name

    @property
    def n_positions(self) -> int:
        """How many columns or rows it takes."""
        return len(self.labels)

    def position_of(self, value: object) -> int | None:
        """Where a value of a descriptor lies; None where the axis has no place for it."""
        try:
            code = self.axis.code_of(value)  # type: ignore[arg-type]  # whatever a run recorded; refused below
        except ArchiveError:
            return None
        edges = self.axis.edges
        inside = sum(code >= edge for edge in edges) - 1
        position = inside if 0 <= inside < len(edges) - 1 else self.axis.outside(code)
        return position if 0 <= position < self.n_positions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveShape:
    """The archive's form. `note` says what a picture of it cannot show, empty for nothing."""

    kind: str
    cell: str
    axes: tuple[ShownAxis, ...]
    n_cells: int
    qd_offset: float
    note: str

    @property
    def is_grid(self) -> bool:
        """Whether a cell's number says where it lies."""
        return self.kind == "grid"

    def positions_of(self, cell: int) -> tuple[int, ...]:
        """Where a cell of a grid lies on each axis."""
        places = []
        for axis in reversed(self.axes):
            cell, place = divmod(cell, axis.n_positions)
            places.append(place)
        return tuple(reversed(places))


def archive_shape(view: RunView) -> ArchiveShape | None:
    """The shape of a run's archive; None where the run does not tell it."""
    spec = view.tables.get("archive")
    if not isinstance(spec, Mapping):
        return None
    kind = str(spec.get("kind") or "grid")
    try:
        given = [axis_from_mapping(_known_keys(each)) for each in spec.get("axes") or ()]
    except ArchiveError:
        return None
    if not given:
        return None
    axes = tuple(_shown(axis if kind == "grid" else _for_display(axis)) for axis in given)
    centroids = spec.get("centroids") or DEFAULT_CENTROIDS
    n_centroids = centroids if isinstance(centroids, int) else len(centroids)
    return ArchiveShape(
        kind=kind,
        cell=str(spec.get("cell") or "best"),
        axes=axes,
        n_cells=prod(axis.n_positions for axis in axes) if kind == "grid" else n_centroids,
        qd_offset=float(spec.get("qd_offset") or 0.0),
        note="" if kind == "grid" else _centroid_note(n_centroids),
    )


def _known_keys(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _centroid_note(n_centroids: int) -> str:
    return (
        f"{n_centroids:,} cells around centroids, drawn as a grid of {DISPLAY_BINS} bins an axis: "
        "a bin may hold several cells or none"
    )


def _for_display(axis: Axis) -> Axis:
    """The same range in bins that fit a picture; the cells around centroids are not cut along axes."""
    if isinstance(axis, CategoryAxis):
        return axis
    table = {"kind": "log" if isinstance(axis, LogAxis) else "linear", "name": axis.name, "cells": DISPLAY_BINS}
    return axis_from_mapping({**table, "low": axis.edges[0], "high": axis.edges[-1]})


def _shown(axis: Axis) -> ShownAxis:
    if isinstance(axis, CategoryAxis):
        more = ("other",) if axis.out_of_range is OutOfRange.OVERFLOW else ()
        return ShownAxis(axis=axis, labels=(*axis.categories, *more))
    labels = _number_labels(axis.edges)
    beyond = (f">{axis.edges[-1]:.3g}", f"<{axis.edges[0]:.3g}") if axis.out_of_range is OutOfRange.OVERFLOW else ()
    return ShownAxis(axis=axis, labels=(*labels, *beyond))


def _number_labels(edges: Sequence[float]) -> list[str]:
    """A whole number where a cell is made for one (-0.5 to 0.5), the lower edge elsewhere."""
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    are_whole = all(high - low <= 1.0 for low, high in pairwise(edges)) and all(
        abs(middle - round(middle)) < 1e-9 for middle in middles
    )
    return [f"{round(middle)}" if are_whole else f"{low:.3g}" for middle, low in zip(middles, edges, strict=False)]
