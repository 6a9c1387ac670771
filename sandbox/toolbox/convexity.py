"""Points of the plane without a convex polygon of k corners.

A set is an array of whole numbers of shape (points, 2); no three points are on a line.
"""

from typing import Annotated

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Toolbox, Whole, step

Points = npt.NDArray[np.int64]
REACH = 1000
TRIAL_WORK = 0.3


class NoConvex(Toolbox[Points]):
    """Points of which no `k` are the corners of a convex polygon; the value is how many there are."""

    def __init__(self, k: int, *, work: float, seed: int, warm: Points | None = None) -> None:
        super().__init__(self.kept, work=work, seed=seed, warm=warm)
        self.k = k

    def kept(self, thing: Points) -> float:
        """How many points there are; minus infinity where k are convex or three on a line."""
        return float(len(thing)) if largest_convex(thing) < self.k else -np.inf

    @step(START)
    def scatter(self, *, tries: Annotated[int, Whole(3, 60, 20)] = 20) -> Points:
        """Random points, each kept unless it completes a convex polygon."""
        return self._with_more(np.zeros((0, 2), np.int64), tries)

    @step(START)
    def towers(self) -> Points:
        """2^(k - 2) points: clusters without long cups or caps, along a steep chain.

        Erdős and Szekeres 1961 (Annales Universitatis Scientiarum Budapestinensis 3-4, 53-62).
        """
        self.spend(TRIAL_WORK)
        found = erdos_szekeres(self.k)
        self.show(found)
        return found

    @step(MOVE)
    def drop(self, points: Points, *, count: Annotated[int, Whole(1, 8, 2)] = 2) -> Points:
        """Without some of its points."""
        self.spend(SMALL_WORK)
        return self.rng.permutation(points)[: max(len(points) - count, 1)]

    @step(SOLVE)
    def add(self, points: Points, *, tries: Annotated[int, Whole(3, 200, 30)] = 30) -> Points:
        """Random points come in that complete no convex polygon."""
        return self._with_more(points, tries)

    def _with_more(self, points: Points, tries: int) -> Points:
        for _ in range(tries):
            self.spend(TRIAL_WORK * (1 + len(points)) ** 2 / 64)
            trial = np.concatenate([points, self.rng.integers(-REACH, REACH + 1, (1, 2))])
            points = trial if largest_convex(trial) < self.k else points
        self.show(points)
        return points


def erdos_szekeres(k: int) -> Points:
    """2^(k - 2) points without a convex polygon of k corners."""
    parts = [_flat(_without(k - i, i + 2)) for i in range(k - 1)]
    width = max(int(np.ptp(part[:, 0])) + 1 for part in parts)
    # Neighbours of the chain are joined by lines of slope -2 and steeper: steeper than any line inside a part.
    places = np.array([[4 * width * i, -8 * width * (i + 1) ** 2] for i in range(k - 1)])
    return np.concatenate([part + place for part, place in zip(parts, places, strict=True)])


def _without(cup: int, cap: int) -> Points:
    """Points, from left to right, without a cup of so many points and without a cap of so many."""
    if cup <= 2 or cap <= 2:
        return np.zeros((1, 2), np.int64)
    left, right = _without(cup - 1, cap), _without(cup, cap - 1)
    heights = int(np.ptp(left[:, 1]) + np.ptp(right[:, 1]))
    across = int(left[:, 0].max() + 1 - right[:, 0].min())
    # From every point on the left to every one on the right it goes up more steeply than inside a half.
    total = across + int(right[:, 0].max())
    up = int(left[:, 1].max() - right[:, 1].min()) + (heights + 1) * (total + 1)
    return np.concatenate([left, right + np.array([across, up])])


def _flat(points: Points) -> Points:
    """As wide as high, or wider: cups stay cups and caps stay caps."""
    return points * np.array([int(np.ptp(points[:, 1])) + 1, 1], np.int64)


def largest_convex(points: Points) -> int:
    """The most points that are the corners of a convex polygon; as many as there are where three are on a line."""
    best = min(len(points), 2)
    rows = [(int(x), int(y)) for x, y in points]
    for x, y in rows:
        above = [(u - x, v - y) for u, v in rows if (v, u) > (y, x)]
        above.sort(key=lambda each: float(np.arctan2(each[1], each[0])))
        n = len(above)
        turn = [[a[0] * b[1] - a[1] * b[0] for b in above] for a in above]
        chain = [[3] * n for _ in range(n)]
        for j in range(n):
            for i in range(j):
                if turn[i][j] <= 0:
                    return len(rows)
                for h in range(i):
                    # the path h, i, j turns left
                    if turn[h][i] + turn[i][j] - turn[h][j] > 0:
                        chain[i][j] = max(chain[i][j], chain[h][i] + 1)
                best = max(best, chain[i][j])
    return best
