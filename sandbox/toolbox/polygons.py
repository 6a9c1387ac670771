"""Regular polygons, rotated or not, in a regular polygon: how large all of them can be at once."""

import math

import numpy as np

from sandbox.toolbox.linear import FloatArray
from sandbox.toolbox.vectors import IntArray, Quantity

FAR = 1e6
SMALLEST_SIDE = 0.02


def hexagons_in_hexagon(n: int) -> Quantity:
    """The side of `n` equal hexagons in a hexagon of side 1; a vector holds all x, all y, all angles of a corner."""
    return _quantity(Packing(n, 6, 0.0), 1.0 / math.sqrt(3.0) * 2.0)


def squares_in_square(n: int) -> Quantity:
    """The sum of the sides of `n` squares in the square from -1 to 1, halved; all x, all y, all angles, all sides.

    Sides count by their ratios: all of them grow until two squares, or a square and a wall, touch.
    """
    return _quantity(Packing(n, 4, math.pi / 4.0, is_free=True), 2.0)


def _quantity(packing: "Packing", size: float) -> Quantity:
    n, k = packing.n, packing.k
    turn = 2.0 * math.pi / k
    low, high = [np.full(2 * n, -1.2), np.full(n, -turn)], [np.full(2 * n, 1.2), np.full(n, turn)]
    if packing.is_free:
        low.append(np.full(n, SMALLEST_SIDE))
        high.append(np.full(n, 1.0))

    def start(rng: np.random.Generator) -> FloatArray:
        sides = [rng.uniform(0.3, 1.0, n)] if packing.is_free else []
        return np.concatenate([rng.uniform(-0.8, 0.8, 2 * n), rng.uniform(-turn / 2, turn / 2, n), *sides])

    def inside(x: FloatArray) -> FloatArray:
        moved = x.copy()
        moved[2 * n : 3 * n] = (x[2 * n : 3 * n] + turn / 2) % turn - turn / 2
        return moved

    return Quantity(
        low=np.concatenate(low),
        high=np.concatenate(high),
        start=start,
        terms=lambda x: packing.terms(x) / size,
        slopes=lambda x, which: packing.slopes(x, which) / size,
        inside=inside,
        cost=0.06 * (n / 12.0) ** 2,
    )


class Packing:
    """`n` polygons of `k` sides in one whose sides are 1 away from the origin and whose corners start at an angle.

    A term is how long a unit side may become until one corner of a polygon meets a side of another, for the side that
    lets them grow most; or until a corner meets a wall. With free sides the others grow alike, and all are added up.
    """

    def __init__(self, n: int, k: int, outer: float, *, is_free: bool = False) -> None:
        self.n, self.k, self.is_free = n, k, is_free
        self._corner = 0.5 / math.sin(math.pi / k)
        self._near = 0.5 / math.tan(math.pi / k)
        self._steps = 2.0 * math.pi / k * np.arange(k)
        self._walls = outer + math.pi / k + self._steps
        first, second = np.triu_indices(n, 1)
        self._owner = np.stack([first, second])
        self._other = np.stack([second, first])

    def terms(self, x: FloatArray) -> FloatArray:
        """Pairs first (by pair, by corner), then walls (by polygon, wall and corner)."""
        x_, y_, angle, side = self._parts(x)
        pair, wall = self._pair_rooms(x_, y_, angle, side)[0], self._wall_rooms(x_, y_, angle, side)
        share = float(side.sum()) / (1.0 if self.is_free else self.n)
        return share * np.concatenate([pair.ravel(), wall.ravel()])

    def slopes(self, x: FloatArray, which: IntArray) -> FloatArray:
        """The derivatives of some terms."""
        x_, y_, angle, side = self._parts(x)
        rooms, choice, direction, gaps = self._pair_rooms(x_, y_, angle, side)
        n, k, n_pairs = self.n, self.k, len(self._owner[0])
        found = np.zeros((len(which), 4 * n))
        is_pair = which < n_pairs * k
        rows, pair, corner = np.flatnonzero(is_pair), which[is_pair] // k, which[is_pair] % k
        owner, other = self._owner[choice[pair], pair], self._other[choice[pair], pair]
        toward, gap, room = direction[pair], gaps[pair], rooms[pair, corner]
        at = angle[other] + self._steps[corner]
        reach = -self._corner * np.cos(at - toward)
        below = self._near * side[owner] + reach * side[other]
        counts = (gap > 0.0) & (below > 1.0 / FAR)
        below = np.where(counts, below, 1.0)
        cosine, sine = np.cos(toward), np.sin(toward)
        across = -(x_[other] - x_[owner]) * sine + (y_[other] - y_[owner]) * cosine
        turning = self._corner * np.sin(at - toward)
        for column, slope in (
            (other, cosine / below),
            (owner, -cosine / below),
            (n + other, sine / below),
            (n + owner, -sine / below),
            (2 * n + owner, (across + room * side[other] * turning) / below),
            (2 * n + other, -room * side[other] * turning / below),
            (3 * n + owner, -room * self._near / below),
            (3 * n + other, -room * reach / below),
        ):
            found[rows, column] += np.where(counts, slope, 0.0)
        rest = which[~is_pair] - n_pairs * k
        rows, body, wall, corner = np.flatnonzero(~is_pair), rest // (k * k), rest // k % k, rest % k
        facing = self._walls[wall]
        at = angle[body] + self._steps[corner]
        below = np.maximum(self._corner * side[body] * np.cos(at - facing), 1.0 / FAR)
        room = (1.0 - x_[body] * np.cos(facing) - y_[body] * np.sin(facing)) / below
        found[rows, body] = -np.cos(facing) / below
        found[rows, n + body] = -np.sin(facing) / below
        found[rows, 2 * n + body] = room * self._corner * side[body] * np.sin(at - facing) / below
        found[rows, 3 * n + body] = -room / side[body]
        if not self.is_free:
            return found[:, : 3 * n]
        found *= side.sum()
        found[:, 3 * n :] += np.concatenate([rooms.ravel(), self._wall_rooms(x_, y_, angle, side).ravel()])[which, None]
        return found

    def _parts(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        n = self.n
        return x[:n], x[n : 2 * n], x[2 * n : 3 * n], x[3 * n :] if self.is_free else np.ones(n)

    def _pair_rooms(
        self, x: FloatArray, y: FloatArray, angle: FloatArray, side: FloatArray
    ) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
        """For each pair: the room at each corner, whose side it is, that side's direction, how far the centres are."""
        owner, other = self._owner, self._other
        toward = angle[owner][..., None] + math.pi / self.k + self._steps  # (2, pairs, k)
        gap = (x[other] - x[owner])[..., None] * np.cos(toward) + (y[other] - y[owner])[..., None] * np.sin(toward)
        at = angle[other][..., None, None] + self._steps
        reach = -self._corner * np.cos(at - toward[..., None])  # (2, pairs, k, corners)
        below = self._near * side[owner][..., None, None] + side[other][..., None, None] * reach
        room = np.where(below > 1.0 / FAR, gap[..., None] / np.maximum(below, 1.0 / FAR), FAR)
        least = np.where(gap > 0.0, room.min(-1), -FAR)
        best = np.moveaxis(least, 0, 1).reshape(len(owner[0]), -1).argmax(1)
        choice, normal, pair = best // self.k, best % self.k, np.arange(len(owner[0]))
        return (
            np.maximum(room[choice, pair, normal], 0.0),
            choice,
            toward[choice, pair, normal],
            gap[choice, pair, normal],
        )

    def _wall_rooms(self, x: FloatArray, y: FloatArray, angle: FloatArray, side: FloatArray) -> FloatArray:
        away = 1.0 - x[:, None] * np.cos(self._walls) - y[:, None] * np.sin(self._walls)
        reach = self._corner * np.cos(angle[:, None, None] + self._steps - self._walls[:, None])  # (n, walls, corners)
        below = side[:, None, None] * reach
        return np.where(below > 1.0 / FAR, away[..., None] / np.maximum(below, 1.0 / FAR), FAR)


def hexagon_rows(x: FloatArray) -> dict[str, list[list[float]] | list[float]]:
    """Unit hexagons, their angles in degrees, in a hexagon around the origin."""
    n = len(x) // 3
    packing = Packing(n, 6, 0.0)
    scale = 1.0 / float(packing.terms(x).min())
    rows = np.column_stack([scale * x[:n], scale * x[n : 2 * n], np.degrees(x[2 * n :])])
    return {"inner": rows.tolist(), "outer": [0.0, 0.0, 0.0]}


def hexagon_vector(rows: dict[str, list[list[float]]]) -> FloatArray:
    """What `hexagon_rows` was made from, up to the scale of what lies too loose."""
    x, y, degrees = np.array(rows["inner"]).T
    walls = math.pi / 6.0 + math.pi / 3.0 * np.arange(6)
    corners = np.radians(degrees)[:, None] + math.pi / 3.0 * np.arange(6)
    across = x[:, None] + np.cos(corners), y[:, None] + np.sin(corners)
    scale = max(float((across[0] * math.cos(wall) + across[1] * math.sin(wall)).max()) for wall in walls)
    turn = math.pi / 3.0
    return np.concatenate([x / scale, y / scale, (np.radians(degrees) + turn / 2) % turn - turn / 2])


def square_rows(x: FloatArray) -> list[list[float]]:
    """Squares in the unit square: centres, sides, directions of half the angle."""
    n = len(x) // 4
    packing = Packing(n, 4, math.pi / 4.0, is_free=True)
    side = x[3 * n :] * (float(packing.terms(x).min()) / x[3 * n :].sum() / 2.0)
    half = 0.5 * (x[2 * n : 3 * n] - math.pi / 4.0)
    rows = np.column_stack([(x[:n] + 1.0) / 2, (x[n : 2 * n] + 1.0) / 2, side, np.cos(half), np.sin(half)])
    return [[float(value) for value in row] for row in rows]


def square_vector(rows: list[list[float]]) -> FloatArray:
    """What `square_rows` was made from."""
    x, y, side, cosine, sine = np.array(rows).T
    turn = math.pi / 2.0
    angle = (2.0 * np.arctan2(sine, cosine) + math.pi / 4.0 + turn / 2) % turn - turn / 2
    return np.concatenate([2.0 * x - 1.0, 2.0 * y - 1.0, angle, np.maximum(side / side.max(), SMALLEST_SIDE)])
