"""Rectangles that leave one cell free in every row and column: the free cells are a permutation.

For a permutation the fewest rectangles are known: every inner corner of what is covered needs a cut, and a cut between
two such corners saves one; cuts that save may not meet, and the most that do not meet are found by a matching
(Lipski 1983, https://doi.org/10.1002/net.3230130404).
"""

from typing import Annotated

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step

Permutation = npt.NDArray[np.int64]
Cells = npt.NDArray[np.bool_]
Cut = tuple[int, int, int]  # along line k from a to b
TILING_WORK = 0.1


class FreeCells(Toolbox[Permutation]):
    """Permutations of `n`: the free column of every row. The value is minus the number of rectangles."""

    def __init__(self, n: int, *, work: float, seed: int, warm: Permutation | None = None) -> None:
        super().__init__(self.fewest, work=work, seed=seed, warm=warm)
        self.n = n

    def fewest(self, thing: Permutation) -> float:
        """Minus the number of rectangles of `tiles`."""
        return -float(len(tiles(thing)))

    @step(START)
    def random(self) -> Permutation:
        """Any permutation."""
        self.spend(SMALL_WORK)
        return self.rng.permutation(self.n)

    @step(START)
    def multiples(self, *, factor: Annotated[int, Whole(1, 60, 4)] = 4) -> Permutation:
        """Row k leaves factor * k modulo n + 1 free, for the next factor that is prime to n + 1."""
        self.spend(TILING_WORK)
        while np.gcd(factor, self.n + 1) > 1:
            factor += 1
        found = np.arange(1, self.n + 1) * factor % (self.n + 1) - 1
        self.show(found)
        return found

    @step(MOVE)
    def exchange(self, free: Permutation, *, count: Annotated[int, Whole(1, 8, 1)] = 1) -> Permutation:
        """Two rows change places, so many times."""
        self.spend(SMALL_WORK)
        moved = free.copy()
        for _ in range(count):
            rows = self.rng.integers(0, self.n, 2)
            moved[rows] = moved[rows[::-1]]
        return moved

    @step(SOLVE)
    def anneal(
        self,
        free: Permutation,
        *,
        exchanges: Annotated[int, Whole(10, 2000, 100)] = 100,
        hot: Annotated[float, Real(0.1, 4.0, 1.0)] = 1.0,
    ) -> Permutation:
        """Simulated annealing on exchanges, from `hot` rectangles to a tenth of it."""
        now, worth = free, self.show(free)
        for count in range(exchanges):
            self.spend(TILING_WORK * self.n / 16)
            new = self.exchange(now)
            after = self.show(new)
            if after >= worth or self.rng.random() < np.exp((after - worth) / (hot * 0.1 ** (count / exchanges))):
                now, worth = new, after
        return now


def tiles(free: Permutation) -> list[list[int]]:
    """The fewest rectangles that cover all but the free cells, as rows top, left, bottom, right."""
    n = len(free)
    covered = np.ones((n, n), bool)
    covered[np.arange(n), free] = False
    corners = _inner_corners(covered)
    across, down = _cuts(covered, corners), _cuts(covered.T, corners.T)
    rows, columns = np.zeros((n + 1, n), bool), np.zeros((n, n + 1), bool)
    for k, a, b in _not_meeting(across, down, is_across=True):
        rows[k, a:b] = True
        corners[k, [a, b]] = False
    for k, a, b in _not_meeting(across, down, is_across=False):
        columns[a:b, k] = True
        corners[[a, b], k] = False
    for k, at in np.argwhere(corners):
        _extend(rows, columns, covered, int(k), int(at))
    return _pieces(covered, rows, columns)


def _inner_corners(covered: Cells) -> Cells:
    """The lattice points around which exactly three of four cells are covered."""
    padded = np.pad(covered, 1).astype(np.int64)
    around = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
    return np.asarray(around == 3)


def _cuts(covered: Cells, corners: Cells) -> list[Cut]:
    """Cuts along rows between neighbouring inner corners, through covered cells only."""
    found = []
    for k in range(1, len(covered)):
        places = np.flatnonzero(corners[k])
        for a, b in zip(places[:-1].tolist(), places[1:].tolist(), strict=True):
            if covered[k - 1 : k + 1, a:b].all():
                found.append((k, a, b))
    return found


def _not_meeting(across: list[Cut], down: list[Cut], *, is_across: bool) -> list[Cut]:
    """The cuts of one kind in a largest set of cuts of which no two meet (König: what no least cover holds)."""
    meets = np.array([[a <= k2 <= b and a2 <= k <= b2 for k2, a2, b2 in down] for k, a, b in across], bool)
    meets = meets.reshape(len(across), len(down))
    partner = np.full(len(across), -1)
    if meets.size:
        partner = maximum_bipartite_matching(csr_array(meets), perm_type="column")
    reached, other = partner < 0, np.zeros(len(down), bool)
    while True:
        fresh = meets[reached].any(0) & ~other
        if not fresh.any():
            break
        other |= fresh
        reached |= np.isin(partner, np.flatnonzero(other))
    if is_across:
        return [cut for cut, kept in zip(across, reached, strict=True) if kept]
    return [cut for cut, gone in zip(down, other, strict=True) if not gone]


def _extend(rows: Cells, columns: Cells, covered: Cells, k: int, at: int) -> None:
    """Cut along row line k from an inner corner until the border or another cut; it leaves the free cell behind."""
    n = len(covered)
    ahead = at < n and covered[k - 1, at] and covered[k, at]
    cell, move = (at, 1) if ahead else (at - 1, -1)
    while 0 <= cell < n and covered[k - 1, cell] and covered[k, cell] and not rows[k, cell]:
        rows[k, cell] = True
        line = cell + (move > 0)
        if 0 < line < n and columns[k - 1, line] and columns[k, line]:
            break
        cell += move


def _pieces(covered: Cells, rows: Cells, columns: Cells) -> list[list[int]]:
    """The rectangles between the cuts."""
    open_cells, found = covered.copy(), []
    n = len(covered)
    for top, left in np.argwhere(covered):
        if not open_cells[top, left]:
            continue
        right = left + 1
        while right < n and open_cells[top, right] and not columns[top, right]:
            right += 1
        bottom = top + 1
        while bottom < n and open_cells[bottom, left:right].all() and not rows[bottom, left:right].any():
            bottom += 1
        open_cells[top:bottom, left:right] = False
        found.append([int(top), int(left), int(bottom), int(right)])
    return found
