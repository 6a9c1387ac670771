"""Pictures of constructions as plain data of bounded size, in the forms that dashboard and report draw."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluators.answers import MAX_PICTURE

MAX_ITEMS = 400


def points_picture(title: str, rows: Iterable[Sequence[Any]], edges: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """Points of the plane (of a space: its first two coordinates), some joined by lines."""
    points = [[short(row[0]), short(row[1])] for row in rows][:MAX_ITEMS]
    joined = [list(edge) for edge in edges if max(edge) < len(points)][: 2 * MAX_ITEMS]
    if joined:
        return {"kind": "graph", "title": title, "points": points, "edges": joined}
    return {"kind": "points", "title": title, "points": points}


def polygons_picture(title: str, polygons: Iterable[Iterable[Sequence[Any]]]) -> dict[str, Any]:
    """Closed polygons of the plane."""
    shapes = [[[short(p[0]), short(p[1])] for p in polygon] for polygon in polygons]
    return {"kind": "polygons", "title": title, "polygons": shapes[:MAX_ITEMS]}


def steps_picture(title: str, heights: Sequence[Any]) -> dict[str, Any]:
    """A step function with equal steps; long ones are thinned out."""
    every = -(-len(heights) // MAX_ITEMS)
    return {"kind": "steps", "title": title, "heights": [short(each) for each in heights[::every]]}


def circles_picture(title: str, rows: Iterable[Sequence[Any]], width: Any, height: Any) -> dict[str, Any]:
    """Circles (x, y, radius) in a frame."""
    circles = [[short(value) for value in row] for row in rows][:MAX_ITEMS]
    return {"kind": "circles", "title": title, "circles": circles, "width": short(width), "height": short(height)}


def as_text(picture: Mapping[str, Any] | None) -> str | None:
    """The artifact, or nothing where there is no picture or it would be cut."""
    if picture is None:
        return None
    text = json.dumps(picture, separators=(",", ":"))
    return text if len(text) <= MAX_PICTURE else None


def short(value: Any) -> float:
    """About six digits of a number, for a drawing."""
    return float(f"{float_of(value):.6g}")


def float_of(value: Any) -> float:
    """The float near an exact number; what no float holds becomes the largest one."""
    if type(value) in (int, float):
        return max(-1e300, min(1e300, float(value))) if abs(value) < 10**300 else 1e300
    top, bottom = int(value.p), int(value.q)
    try:
        return top / bottom
    except OverflowError:
        return 1e300 if top > 0 else -1e300
