"""Moving sofas: what passes a corner of a corridor of width 1, for a path of finitely many poses; no angle left out.

The frame is the sofa's. At the angle a the corridor's corner is at c, its outer walls are (p - c) . u = 1 and
(p - c) . v = 1 with u = (cos a, sin a) and v = (-sin a, cos a), and the open quadrant (p - c) . u < 0, (p - c) . v < 0
is behind its inner corner. From pose to pose, angle and corner move evenly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

from flint import fmpq

from evaluators.constructions import reading
from evaluators.constructions.pictures import float_of, polygons_picture
from evaluators.constructions.verdict import Choice, Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_sofas.py"
GRID = 1 << 40
FINE = 1 << 80
"""The area is rounded down to a multiple of 1 / FINE: exactly it has thousands of digits."""
FARTHEST = 4

Vector = tuple[fmpq, fmpq]
Line = tuple[fmpq, fmpq]  # slope and height at 0
Pieces = list[tuple[fmpq, Line]]  # where each piece begins, and its line


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is free: heights between `floor` and `roof` for places from `left` to `right`."""

    left: fmpq
    right: fmpq
    floor: Pieces
    roof: Pieces


def moving_sofa(data: Any, parameters: Parameters) -> Measured:
    """The area of a sofa that turns one corner, or a left and a right one, along a path of n + 1 corners."""
    n = int(parameters["n"])
    rows = reading.points(data, "the path", count=n + 1, dimension=2)
    corners = [_on_grid(row, index) for index, row in enumerate(rows)]
    turns = [rational_turn(k, n) for k in range(n + 1)]
    left, right = corners[n][0] - 1, corners[0][0] + 1
    if left >= right:
        raise RejectedError("nothing passes the corner along this path: it leads too far to the right")
    slack = [_bend(corners[k : k + 2], turns[k : k + 2], left, right, corners[0][1]) for k in range(n)]
    room = _room(corners, turns, slack, both=parameters["turns"] == "both")
    area, (left, right) = widest_part(room)
    if area <= 0:
        raise RejectedError("nothing passes the corner along this path, or its poses are too far from each other")
    return Measured(
        value=fmpq(int((area * FINE).floor()), FINE),
        is_exact=False,
        construction=[[str(value) for value in corner] for corner in corners],
        details={"length": float_of(right - left), "lost": float_of(max(slack))},
        picture=polygons_picture("the sofa", [_outline(room, left, right)]),
    )


def _on_grid(row: Sequence[fmpq], index: int) -> Vector:
    if max(abs(value) for value in row) > FARTHEST:
        raise RejectedError(f"corner {index + 1} is farther than {FARTHEST} from the origin")
    x, y = (fmpq(int((value * GRID).floor()), GRID) for value in row)
    return x, y


def rational_turn(k: int, n: int) -> Vector:
    """The cosine and sine of the angle whose half has the tangent k / n: from 0 to a right angle."""
    whole = k * k + n * n
    return fmpq(n * n - k * k, whole), fmpq(2 * k * n, whole)


def _bend(corners: Sequence[Vector], turns: Sequence[Vector], left: fmpq, right: fmpq, low: fmpq) -> fmpq:
    """How far beyond an outer wall a point can be between two poses where it is not: 1/8 of the second derivative."""
    (c, s), (d, t) = turns
    angle = (c * t - s * d) / (c * d + s * t)  # its tangent, which is larger
    step = _length(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])
    far = max(_length(x - cx, y - cy) for x in (left, right) for y in (low - 1, low + 2) for cx, cy in corners)
    return (2 * angle * step + angle * angle * far) / 8


def _length(x: fmpq, y: fmpq) -> fmpq:
    """At least the length of a vector."""
    square = int(((x * x + y * y) * GRID * GRID).ceil())
    return fmpq(isqrt(square) + 1, GRID)


def _room(corners: Sequence[Vector], turns: Sequence[Vector], slack: Sequence[fmpq], *, both: bool) -> Room:
    n = len(corners) - 1
    near = [max(slack[max(k - 1, 0)], slack[min(k, n - 1)]) for k in range(n + 1)]
    low = max(corners[0][1], corners[n][1])
    high = min(corners[0][1], corners[n][1]) + 1
    left, right = corners[n][0] - 1 + near[n], corners[0][0] + 1 - near[0]
    if not (left < right and low < high):
        raise RejectedError("nothing passes the corner along this path")
    roofs: list[Pieces] = [[(left, (fmpq(0), high))]]
    for (x, y), (c, s), lost in zip(corners, turns, near, strict=True):
        if s != 0:
            roofs.append([(left, (-c / s, y + (1 - lost + c * x) / s))])
        if c != 0:
            roofs.append([(left, (s / c, y + (1 - lost - s * x) / c))])
    floors: list[Pieces] = [[(left, (fmpq(0), low))]]
    for k in range(n):
        floors.append(_quadrants(corners[k : k + 2], turns[k : k + 2], slack[k], left, right))
    floor = _folded(floors, right, highest=True)
    roof = _folded(roofs, right, highest=False)
    if both:
        middle = low + high
        turned_floor, turned_roof = (
            [(start, (-slope, middle - height)) for start, (slope, height) in pieces] for pieces in (floor, roof)
        )
        floor = merged(floor, turned_roof, right, highest=True)
        roof = merged(roof, turned_floor, right, highest=False)
    return Room(left=left, right=right, floor=floor, roof=roof)


def _quadrants(corners: Sequence[Vector], turns: Sequence[Vector], lost: fmpq, left: fmpq, right: fmpq) -> Pieces:
    """A roof over all quadrants between two poses; what is above it is free at every angle between them.

    A point is free where it stays on the outer side of the same wall of the corner, which it does if it keeps a small
    distance at both poses; or where it is outside of the way of the corner plus the cone of all directions.
    """
    pieces = _swept(corners, turns, left, right)
    walls = [
        [(s / c, y + (lost - s * x) / c) for (x, y), (c, s) in zip(corners, turns, strict=True) if c != 0],
        [(-c / s, y + (lost + c * x) / s) for (x, y), (c, s) in zip(corners, turns, strict=True) if s != 0],
    ]
    for lines in walls:
        if len(lines) == 2:
            wall = _folded([[(left, line)] for line in lines], right, highest=True)
            pieces = merged(pieces, wall, right, highest=False)
    return pieces


def _swept(corners: Sequence[Vector], turns: Sequence[Vector], left: fmpq, right: fmpq) -> Pieces:
    """The way of the corner from pose to pose plus the cone of all directions behind it, from above."""
    one, other = corners
    (c, s), (d, t) = turns
    rising, falling = s / c, -d / t
    sides = [
        _folded([[(left, (slope, y - slope * x))] for x, y in corners], right, highest=True)
        for slope in (rising, falling)
    ]
    pieces = merged(sides[0], sides[1], right, highest=False)
    if one[0] != other[0]:
        slope = (other[1] - one[1]) / (other[0] - one[0])
        if falling < slope < rising:
            pieces = merged(pieces, [(left, (slope, one[1] - slope * one[0]))], right, highest=False)
    return pieces


def _folded(functions: Sequence[Pieces], right: fmpq, *, highest: bool) -> Pieces:
    """The highest or the lowest of several functions, by halves."""
    if len(functions) == 1:
        return functions[0]
    middle = len(functions) // 2
    one, other = (_folded(part, right, highest=highest) for part in (functions[:middle], functions[middle:]))
    return merged(one, other, right, highest=highest)


def merged(one: Pieces, other: Pieces, right: fmpq, *, highest: bool) -> Pieces:
    """The higher or the lower of two functions that are linear in pieces, from their common start to `right`."""
    found: Pieces = []
    for low, high, first, second in _together(one, other, right):
        slope, height = first[0] - second[0], first[1] - second[1]
        at_low, at_high = slope * low + height, slope * high + height
        if at_low * at_high < 0:
            starts, ends = (first, second) if (at_low > 0) == highest else (second, first)
            _append(found, low, starts)
            _append(found, -height / slope, ends)
        else:
            _append(found, low, first if (at_low + at_high >= 0) == highest else second)
    return found


def _append(pieces: Pieces, start: fmpq, line: Line) -> None:
    if not pieces or pieces[-1][1] != line:
        pieces.append((start, line))


def _together(one: Pieces, other: Pieces, right: fmpq) -> list[tuple[fmpq, fmpq, Line, Line]]:
    """The pieces between all places where either function bends."""
    found = []
    i = j = 0
    low = one[0][0]
    while low < right:
        ends = [pieces[k + 1][0] for pieces, k in ((one, i), (other, j)) if k + 1 < len(pieces)]
        high = min([*ends, right])
        found.append((low, high, one[i][1], other[j][1]))
        i += i + 1 < len(one) and one[i + 1][0] == high
        j += j + 1 < len(other) and other[j + 1][0] == high
        low = high
    return found


def widest_part(room: Room) -> tuple[fmpq, tuple[fmpq, fmpq]]:
    """The largest area of a connected part where the roof is above the floor, and from where to where it reaches."""
    best, ends = fmpq(0), (room.left, room.right)
    area, start = fmpq(0), room.left
    for low, high, roof, floor in _together(room.roof, room.floor, room.right):
        slope, height = roof[0] - floor[0], roof[1] - floor[1]
        at_low, at_high = slope * low + height, slope * high + height
        if at_low <= 0:
            area, start = fmpq(0), low if at_high <= 0 else low - at_low * (high - low) / (at_high - at_low)
        end = high
        if at_high > 0:
            area += (high - start) * at_high / 2 if at_low <= 0 else (high - low) * (at_low + at_high) / 2
        elif at_low > 0:
            end = low + at_low * (high - low) / (at_low - at_high)
            area += (end - low) * at_low / 2
        if (at_low > 0 or at_high > 0) and area > best:
            best, ends = area, (start, end)
    return best, ends


def _outline(room: Room, left: fmpq, right: fmpq) -> list[list[fmpq]]:
    def rim(pieces: Pieces) -> list[list[fmpq]]:
        starts = [(max(start, left), line) for start, line in pieces]
        ends = [*(start for start, _ in starts[1:]), right]
        kept = [
            [x, line[0] * x + line[1]]
            for (start, line), end in zip(starts, ends, strict=True)
            if start < min(end, right)
            for x in (start, min(end, right))
        ]
        return kept[:: max(1, len(kept) // 150)]

    return [*rim(room.floor), *rim(room.roof)[::-1]]


VERIFIERS = (
    Verifier(
        name="moving_sofa",
        quantity="area of a sofa that passes",
        direction="max",
        checker=CHECKER,
        measure=moving_sofa,
        parameters=(Whole(name="n", low=4, high=800), Choice(name="turns", options=("one", "both"))),
    ),
)
