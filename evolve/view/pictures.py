"""Pictures of what a candidate found, from what its evaluator left (circles, points, lines, steps) or its program."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.answers import MAX_PICTURE
from evolve.store import CandidateRecord
from evolve.view.error_curve import error_curve
from evolve.view.run import RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class Circles:
    """Circles (x, y, radius) in a frame from (0, 0) to (width, height), y upwards."""

    circles: tuple[tuple[float, float, float], ...]
    width: float = 1.0
    height: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Points (x, y) with increasing x."""

    points: tuple[tuple[float, float], ...]
    x_name: str = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Points of the plane, and lines through points; both axes have one scale, y upwards."""

    points: tuple[tuple[float, float], ...] = ()
    lines: tuple[tuple[tuple[float, float], ...], ...] = ()

    def frame(self) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of all there is; a side is never much shorter than the other."""
        everything = [*self.points, *(point for line in self.lines for point in line)]
        xs, ys = [point[0] for point in everything], [point[1] for point in everything]
        width, height = max(xs) - min(xs), max(ys) - min(ys)
        least = max(width, height) / 8 or 1.0
        wide, high = max(width, least), max(height, least)
        return min(xs) - (wide - width) / 2, min(ys) - (high - height) / 2, wide, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Something to draw; `note` says what is to be known about it."""

    title: str
    shape: Circles | Curve | Drawing
    note: str = ""


def picture_of(view: RunView, record: CandidateRecord) -> Picture | None:
    """What can be drawn of a candidate without running it: an artifact `picture`, or an approximation's error."""
    text = record.evaluation.artifacts.get("picture")
    found = from_artifact(text) if isinstance(text, str) else None
    if found is not None:
        return found
    curve = error_curve(view, record)
    if curve is None:
        return None
    note = "computed from the program over the real numbers"
    return Picture(title=curve[0], shape=Curve(points=curve[1]), note=note)


def from_artifact(text: str) -> Picture | None:
    """The picture that an artifact describes; None if it makes no sense, for candidates may have written it."""
    if len(text) > MAX_PICTURE:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, Mapping):
        return None
    read = _READERS.get(str(data.get("kind")))
    shape = None if read is None else read(data)
    return None if shape is None else Picture(title=str(data.get("title") or data["kind"])[:200], shape=shape)


def _circles(data: Mapping[str, Any]) -> Circles | None:
    rows = _numbers(data.get("circles"), 3)
    width, height = _length(data.get("width", 1.0)), _length(data.get("height", 1.0))
    if not rows or width is None or height is None:
        return None
    return Circles(circles=tuple((row[0], row[1], row[2]) for row in rows), width=width, height=height)


def _curve(data: Mapping[str, Any]) -> Curve | None:
    points = sorted((row[0], row[1]) for row in _numbers(data.get("points"), 2))
    return Curve(points=tuple(points)) if points else None


def _steps(data: Mapping[str, Any]) -> Curve | None:
    """Heights of equal steps as a curve."""
    heights = data.get("heights")
    rows = _numbers([[height] for height in heights] if isinstance(heights, list) else None, 1)
    points = [point for place, (height,) in enumerate(rows) for point in ((place, height), (place + 0.999, height))]
    return Curve(points=tuple(points), x_name="step") if points else None


def _points(data: Mapping[str, Any]) -> Drawing | None:
    """Points, and the edges of a graph between them."""
    points = tuple((row[0], row[1]) for row in _numbers(data.get("points"), 2))
    edges = data.get("edges", [])
    if not points or not isinstance(edges, list):
        return None
    lines = []
    for edge in edges:
        ends = edge if isinstance(edge, list) else []
        if len(ends) != 2 or not all(type(end) is int and 0 <= end < len(points) for end in ends):
            return None
        lines.append((points[ends[0]], points[ends[1]]))
    return Drawing(points=points, lines=tuple(lines))


def _polygons(data: Mapping[str, Any]) -> Drawing | None:
    """Closed polygons."""
    polygons = data.get("polygons")
    shapes = [_numbers(polygon, 2) for polygon in polygons] if isinstance(polygons, list) else []
    if not shapes or not all(shapes):
        return None
    return Drawing(lines=tuple(tuple((row[0], row[1]) for row in (*shape, shape[0])) for shape in shapes))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Circles | Curve | Drawing | None]] = {
    "circles": _circles,
    "curve": _curve,
    "steps": _steps,
    "points": _points,
    "graph": _points,
    "polygons": _polygons,
}


def _length(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < 1e9 else None


def _numbers(value: Any, columns: int) -> Sequence[tuple[float, ...]]:
    """Rows of finite numbers; none at all if one of them is anything else."""
    if not isinstance(value, list):
        return []
    rows = []
    for row in value:
        if not isinstance(row, list) or len(row) != columns:
            return []
        if not all(isinstance(each, int | float) and not isinstance(each, bool) and abs(each) < 1e9 for each in row):
            return []
        rows.append(tuple(float(each) for each in row))
    return rows
