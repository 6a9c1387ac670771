"""Pictures of constructions as plain data of bounded size, in the forms that dashboard and report draw."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from evaluators.answers import MAX_PICTURE

MAX_ITEMS = 400
BINS = 200


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


def curve_picture(title: str, points: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """The graph of a function, by points of it."""
    return {"kind": "curve", "title": title, "points": [[short(x), short(y)] for x, y in points][:MAX_ITEMS]}


def numbers_picture(title: str, numbers: Sequence[int]) -> dict[str, Any]:
    """Whole numbers as places on a line from the least to the greatest; of many, how they are spread."""
    least, span = min(numbers), max(max(numbers) - min(numbers), 1)
    told = f"{title}, from {least} to {max(numbers)}"
    if len(numbers) <= MAX_ITEMS:
        return points_picture(told, [[(number - least) / span, 0.0] for number in sorted(numbers)])
    counts = [0] * BINS
    for number in numbers:
        counts[min(BINS * (number - least) // span, BINS - 1)] += 1
    return steps_picture(f"{told}: how many of them in {BINS} equal parts", counts)


def signs_picture(title: str, rows: Sequence[Sequence[int]]) -> dict[str, Any] | None:
    """A matrix of signs, the first row on top: a box around each run of the sign that is rarer; None if many."""
    rarer = -1 if sum(map(sum, rows)) > 0 else 1
    boxes = []
    for line, row in enumerate(rows):
        place = 0
        for sign, run in groupby(row):
            start, place = place, place + len(list(run))
            if sign == rarer:
                top, bottom = -line, -line - 1
                boxes.append([[start, top], [place, top], [place, bottom], [start, bottom]])
    return polygons_picture(f"{title}, where it is {rarer:+d}", boxes) if len(boxes) <= MAX_ITEMS else None


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
