"""The archive seen along two of its axes: the best elite of every pair of positions."""

from collections.abc import Mapping
from dataclasses import dataclass
from json import JSONDecodeError, loads
from typing import Any

from evolve.view.run import RunView
from evolve.view.shape import ArchiveShape

_ELITES = (
    "SELECT elite.cell, elite.island, c.id, c.score, c.operator, c.iteration, c.generation{descriptor}"
    " FROM elite JOIN candidate AS c ON c.id = elite.candidate WHERE c.score IS NOT NULL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCell:
    """The best elite of all cells that share a column and a row, and how many elites there are."""

    candidate: int
    score: float
    operator: str
    iteration: int
    generation: int
    island: int
    n_elites: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMap:
    """A picture of the archive. `y` is None where there is one row only; `low` and `high` are None while it is empty.

    `n_unplaced` elites have no place on the axes (their descriptor is not recorded).
    """

    shape: ArchiveShape
    x: int
    y: int | None
    cells: Mapping[tuple[int, int], MapCell]
    low: float | None
    high: float | None
    n_elites: int
    n_unplaced: int

    @property
    def n_columns(self) -> int:
        """Positions along the horizontal axis."""
        return self.shape.axes[self.x].n_positions

    @property
    def n_rows(self) -> int:
        """Positions along the vertical axis, 1 without one."""
        return 1 if self.y is None else self.shape.axes[self.y].n_positions


def archive_map(view: RunView, shape: ArchiveShape, *, x: int = 0, y: int | None = 1) -> ArchiveMap:
    """The map along the axes number `x` and `y`; with `y` beyond the last axis (or equal to `x`) there is one row."""
    row_axis = y if y is not None and y < len(shape.axes) and y != x else None
    query = _ELITES.format(descriptor="" if shape.is_grid else ", c.descriptor")
    best: dict[tuple[int, int], Any] = {}
    counts: dict[tuple[int, int], int] = {}
    rows = view.rows(query)
    for row in rows:
        places = shape.positions_of(row["cell"]) if shape.is_grid else _places(shape, row["descriptor"])
        if places is None:
            continue
        key = (places[x], 0 if row_axis is None else places[row_axis])
        counts[key] = counts.get(key, 0) + 1
        held = best.get(key)
        if held is None or (row["score"], -row["id"]) > (held["score"], -held["id"]):
            best[key] = row
    cells = {key: _cell(row, counts[key]) for key, row in best.items()}
    scores = [cell.score for cell in cells.values()]
    return ArchiveMap(
        shape=shape,
        x=x,
        y=row_axis,
        cells=cells,
        low=min(scores, default=None),
        high=max(scores, default=None),
        n_elites=len(rows),
        n_unplaced=len(rows) - sum(counts.values()),
    )


def _places(shape: ArchiveShape, text: str) -> tuple[int, ...] | None:
    try:
        descriptor = loads(text)
    except JSONDecodeError:
        return None
    places = [axis.position_of(descriptor.get(axis.name)) for axis in shape.axes]
    found = tuple(place for place in places if place is not None)
    return found if len(found) == len(places) else None


def _cell(row: Any, n_elites: int) -> MapCell:
    return MapCell(
        candidate=row["id"],
        score=row["score"],
        operator=row["operator"],
        iteration=row["iteration"],
        generation=row["generation"],
        island=row["island"],
        n_elites=n_elites,
    )
