"""Unit hexagons in a hexagon: separating axes in ball arithmetic, centres moved apart where they overlap."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from flint import arb, fmpq

from evaluators.constructions import reading
from evaluators.constructions.balls import working
from evaluators.constructions.pictures import polygons_picture
from evaluators.constructions.rounding import upper
from evaluators.constructions.verdict import Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_hexagons.py"
BITS = 200
GRID = fmpq(2) ** 80  # a repair is rounded up to this grid, so that it stays feasible when it is checked again

Placement = tuple[arb, arb, arb]


def _angle(degrees: fmpq) -> arb:
    return arb(degrees) * arb.pi() / 180


def axes_of(angle: arb) -> list[arb]:
    """The directions of a hexagon's normals, one of each pair; its corners are at its angle plus 60 degrees each."""
    return [angle + (2 * k + 1) * arb.pi() / 6 for k in range(3)]


def reach(angle: arb, direction: arb) -> arb:
    """How far a unit hexagon reaches from its centre in a direction."""
    cosines = [(angle + k * arb.pi() / 3 - direction).cos() for k in range(6)]
    found = cosines[0]
    for cosine in cosines[1:]:
        found = found.max(cosine)
    return found


def needed_growth(one: Placement, other: Placement) -> arb:
    """By which factor the centres have to move apart so that an axis separates the two hexagons."""
    best: arb | None = None
    for direction in (*axes_of(one[2]), *axes_of(other[2])):
        apart = abs((one[0] - other[0]) * direction.cos() + (one[1] - other[1]) * direction.sin())
        if apart > 0:
            needed = (reach(one[2], direction) + reach(other[2], direction)) / apart
            best = needed if best is None else best.min(needed)
    if best is None:
        raise RejectedError("two hexagons have one centre")
    return best


def needed_side(hexagons: Sequence[Placement], outer: Placement) -> arb:
    """The side of the hexagon with this centre and angle that holds all hexagons."""
    found = arb(0)
    for direction in axes_of(outer[2]):
        for x, y, angle in hexagons:
            away = abs((x - outer[0]) * direction.cos() + (y - outer[1]) * direction.sin())
            found = found.max(away + reach(angle, direction))
    return found * 2 / arb(3).sqrt()


def hexagons_in_hexagon(data: Any, parameters: Parameters) -> Measured:
    """The side of a hexagon that holds n disjoint unit hexagons; rows are x, y and the angle of a corner in degrees."""
    rows = reading.points(reading.member(data, "inner"), "the inner hexagons", count=int(parameters["n"]), dimension=3)
    outer = reading.rationals(reading.member(data, "outer"), "the outer hexagon", count=3)
    with working(bits=BITS):
        placed = [(arb(x), arb(y), _angle(degrees)) for x, y, degrees in rows]
        growth = fmpq(1)
        for one, other in combinations(placed, 2):
            growth = max(growth, upper(needed_growth(one, other)))
        if growth > 1:
            growth = (growth * GRID).ceil() / GRID + 1 / GRID
        moved = [[growth * x, growth * y, degrees] for x, y, degrees in rows]
        frame = [growth * outer[0], growth * outer[1], outer[2]]
        centred = [(arb(x), arb(y), _angle(degrees)) for x, y, degrees in moved]
        side = upper(needed_side(centred, (arb(frame[0]), arb(frame[1]), _angle(frame[2]))))
    shapes = [_corners(row, 1.0) for row in moved] + [_corners(frame, float(arb(side).mid()))]
    angles = sorted(float(arb(degrees - 60 * (degrees / 60).floor()).mid()) for _, _, degrees in rows)
    return Measured(
        value=side,
        is_exact=False,
        construction={
            "inner": [[str(value) for value in row] for row in moved],
            "outer": [str(value) for value in frame],
        },
        details={"angle_spread": angles[-1] - angles[0], "growth": float(arb(growth - 1).mid())},
        picture=polygons_picture(f"{len(rows)} unit hexagons in a hexagon", shapes),
    )


def _corners(row: Sequence[fmpq], side: float) -> list[list[float]]:
    x, y = (float(arb(value).mid()) for value in row[:2])
    start = _angle(row[2])
    turns = [start + k * arb.pi() / 3 for k in range(6)]
    return [[x + side * float(turn.cos().mid()), y + side * float(turn.sin().mid())] for turn in turns]


VERIFIERS = (
    Verifier(
        name="hexagons_in_hexagon",
        quantity="side of the hexagon around the unit hexagons",
        direction="min",
        checker=CHECKER,
        measure=hexagons_in_hexagon,
        parameters=(Whole(name="n", low=1, high=60),),
    ),
)
