"""Points of a grid without forbidden figures: three in line, isosceles triangles, five on a sphere.

A set is an array of 0 and 1, int8, one entry for every cell of the n by n (by n) grid, row by row. Every set of points
that a figure could be completed from blocks the cells that would complete it; blocked cells are counted, so that
points can go again.
"""

from itertools import product
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.compiled import below, compiled, fresh_state

Membership = npt.NDArray[np.int8]
Whole64 = npt.NDArray[np.int64]
LINE, ISOSCELES, SPHERE = "three_in_line", "isosceles", "five_on_a_sphere"
_KINDS = {LINE: 0, ISOSCELES: 1, SPHERE: 2}
OPERATIONS_PER_WORK = 8_000_000


class GridPoints(Toolbox[Membership]):
    """Points of the grid with n cells a side without the figure; the value is how many there are."""

    def __init__(self, n: int, figure: str, *, work: float, seed: int, warm: Membership | None = None) -> None:
        super().__init__(self.kept, work=work, seed=seed, warm=warm)
        if figure not in _KINDS:
            raise ValueError(f"figure is {figure!r}, expected one of {', '.join(_KINDS)}")
        self.n, self._kind = n, _KINDS[figure]
        self.dimension = 3 if figure == SPHERE else 2
        self.cells = np.array(list(product(range(n), repeat=self.dimension)), np.int64)
        self._coordinates = np.zeros((len(self.cells), 3), np.int64)
        self._coordinates[:, : self.dimension] = self.cells

    def kept(self, thing: Membership) -> float:
        """How many points there are; minus infinity where some make the figure."""
        return float(thing.sum()) if _is_free(self._kind, self.n, self._coordinates, thing) else -np.inf

    def _cost(self, n_points: float) -> float:
        """The work of one point that comes or goes, among so many."""
        figures = n_points**3 / 6 * len(self.cells) * 0.1 if self._kind == 2 else n_points
        return (figures * (1, 2 * len(self.cells), 1)[self._kind] + len(self.cells)) / OPERATIONS_PER_WORK

    def _recreated(self, chosen: Membership, rounds: int, ruin: int, symmetry: int) -> Membership:
        expected = {0: 1.8 * self.n, 1: 1.7 * self.n, 2: 2.8 * self.n}[self._kind]
        self.spend(0.02 + self._cost(expected) * (2 * rounds * (ruin + 1) * (1 + symmetry) + 2 * expected))
        images = images_of(self.cells, self.n, symmetry)
        state = fresh_state(self.rng)
        kept = np.ascontiguousarray(chosen, np.int8)
        found: Membership = _search(self._kind, self.n, self._coordinates, images, kept, rounds, ruin, state)
        self.show(found)
        return found

    @step(START)
    def greedy(self, *, symmetry: Annotated[int, Whole(0, 4, 0)] = 0) -> Membership:
        """Cells in a random order, each taken, with its images, that completes no figure."""
        return self._recreated(np.zeros(len(self.cells), np.int8), 0, 1, symmetry)

    @step(MOVE)
    def drop(self, chosen: Membership, *, share: Annotated[float, Real(0.01, 0.6, 0.1)] = 0.1) -> Membership:
        """Without some of its points."""
        self.spend(SMALL_WORK)
        return np.where(self.rng.random(len(chosen)) < share, np.int8(0), chosen)

    @step(SOLVE)
    def recreate(
        self,
        chosen: Membership,
        *,
        rounds: Annotated[int, Whole(10, 20000, 300)] = 300,
        ruin: Annotated[int, Whole(1, 8, 2)] = 2,
        symmetry: Annotated[int, Whole(0, 4, 0)] = 0,
    ) -> Membership:
        """Some points go and others come, round after round; a round that loses points is undone.

        Ruin and recreate: Schrimpf et al. 2000 (https://doi.org/10.1006/jcph.1999.6413). `symmetry`: points come and go
        with their images, 0 none, 1 the centre, 2 two mirrors (half turns in space), 3 quarter turns (the cycle of the
        axes), 4 both diagonals (centre and cycle); points whose images are missing go first.
        """
        return self._recreated(chosen, rounds, ruin, symmetry)


def images_of(cells: Whole64, n: int, symmetry: int) -> Whole64:
    """For every cell the cells that a group of symmetries takes it to, itself first; repeated where it is fixed."""
    turned = n - 1 - cells
    flat = cells.shape[1] == 2
    if symmetry == 0:
        found = [cells]
    elif symmetry == 1:
        found = [cells, turned]
    elif symmetry == 2 and flat:
        found = [np.column_stack([a[:, 0], b[:, 1]]) for a in (cells, turned) for b in (cells, turned)]
    elif symmetry == 2:
        pairs = ((cells, cells, cells), (cells, turned, turned), (turned, cells, turned), (turned, turned, cells))
        found = [np.column_stack([a[:, 0], b[:, 1], c[:, 2]]) for a, b, c in pairs]
    elif flat:
        other = np.column_stack([turned[:, 1], cells[:, 0]]) if symmetry == 3 else cells[:, ::-1]
        found = [cells, turned, other, n - 1 - other]
    else:
        cycled = [np.roll(cells, k, axis=1) for k in range(3)]
        found = cycled if symmetry == 3 else cycled + [n - 1 - each for each in cycled]
    places = n ** np.arange(cells.shape[1] - 1, -1, -1)
    return np.ascontiguousarray(np.stack([each @ places for each in found], axis=1), np.int64)


@compiled("void(int64[:,:], int64, int64, int64, int64, float64[::1])")
def _block_line(cells: Any, n: int, p: Any, q: Any, change: Any, blocked: Any) -> None:
    dx, dy = cells[q, 0] - cells[p, 0], cells[q, 1] - cells[p, 1]
    a, b = abs(dx), abs(dy)
    while b:
        a, b = b, a % b
    dx, dy = dx // a, dy // a
    for sign in (-1, 1):
        x, y = cells[p, 0], cells[p, 1]
        if sign > 0:
            x, y = x + dx, y + dy
        while 0 <= x < n and 0 <= y < n:
            blocked[x * n + y] += change
            x, y = x + sign * dx, y + sign * dy


@compiled("void(int64[:,:], int64, int64, int64, float64[::1])")
def _block_isosceles(cells: Any, p: Any, q: Any, change: Any, blocked: Any) -> None:
    far = (cells[p, 0] - cells[q, 0]) ** 2 + (cells[p, 1] - cells[q, 1]) ** 2
    for cell in range(len(cells)):
        one = (cells[p, 0] - cells[cell, 0]) ** 2 + (cells[p, 1] - cells[cell, 1]) ** 2
        two = (cells[q, 0] - cells[cell, 0]) ** 2 + (cells[q, 1] - cells[cell, 1]) ** 2
        if one in (two, far) or two == far:
            blocked[cell] += change


@compiled("void(float64[:,::1], float64[::1], int64, float64[::1])")
def _block_dependent(lifted: Any, normal: Any, change: Any, blocked: Any) -> None:
    n0, n1, n2, n3, step = normal[0], normal[1], normal[2], normal[3], float(change)
    for cell in range(len(blocked)):
        total = n0 * lifted[0, cell] + n1 * lifted[1, cell] + n2 * lifted[2, cell] + n3 * lifted[3, cell]
        blocked[cell] += step if total == 0.0 else 0.0


@compiled("void(int64[:,:], int64[:], int64, int64, int64, float64[::1])")
def _block_spheres(cells: Any, chosen: Any, count: Any, p: Any, change: Any, blocked: Any) -> None:
    """Block the cells on spheres and planes through p and three others.

    The lifted points (x, y, z, x^2 + y^2 + z^2), moved by p, are dependent if they are on one sphere or plane with p.
    """
    lifted = np.zeros((4, len(cells)), np.float64)
    for cell in range(len(cells)):
        for axis in range(3):
            lifted[axis, cell] = cells[cell, axis] - cells[p, axis]
            lifted[3, cell] += lifted[axis, cell] ** 2
    near = np.zeros((count, 4), np.float64)
    for place in range(count):
        near[place] = lifted[:, chosen[place]]
    normal = np.zeros(4, np.float64)
    for i in range(count):
        for j in range(i):
            for k in range(j):
                a, b, c = near[i], near[j], near[k]
                for axis in range(4):
                    r, s, t = (axis + 1) % 4, (axis + 2) % 4, (axis + 3) % 4
                    minor = a[r] * (b[s] * c[t] - b[t] * c[s]) - a[s] * (b[r] * c[t] - b[t] * c[r])
                    minor += a[t] * (b[r] * c[s] - b[s] * c[r])
                    normal[axis] = -minor if axis % 2 else minor
                _block_dependent(lifted, normal, change, blocked)


@compiled("int64(int64, int64, int64[:,:], int64[:], int64, int64, int64, float64[::1])")
def _turn(  # noqa: PLR0913, PLR0917 - the arrays of one search
    kind: int, n: int, cells: Any, chosen: Any, count: Any, p: Any, change: Any, blocked: Any
) -> Any:
    """Take a point in (1) or out (-1); returns how many there are. Chosen points are blocked by a million."""
    if change < 0:
        for place in range(count):
            if chosen[place] == p:
                chosen[place] = chosen[count - 1]
                count -= 1
                break
    if kind == 2:
        _block_spheres(cells, chosen, count, p, change, blocked)
    else:
        for place in range(count):
            if kind == 0:
                _block_line(cells, n, p, chosen[place], change, blocked)
            else:
                _block_isosceles(cells, p, chosen[place], change, blocked)
    blocked[p] += change * 1000000
    if change > 0:
        chosen[count] = p
        count += 1
    return count


@compiled("boolean(int64, int64, int64[:,:], int8[:])")
def _is_free(kind: int, n: int, cells: Any, start: Any) -> Any:
    chosen, blocked, count = np.zeros(len(start) + 1, np.int64), np.zeros(len(start), np.float64), 0
    for cell in range(len(start)):
        if start[cell]:
            if blocked[cell]:
                return False
            count = _turn(kind, n, cells, chosen, count, cell, 1, blocked)
    return True


@compiled("int64(int64, int64, int64[:,:], int64[:,:], int64[:], int64, int64, float64[::1])")
def _with_images(  # noqa: PLR0913, PLR0917 - the arrays of one search
    kind: int, n: int, cells: Any, images: Any, chosen: Any, count: Any, cell: Any, blocked: Any
) -> Any:
    """Take in a cell and its images if all are free; returns how many points there are."""
    before = count
    for image in images[cell]:
        if blocked[image] >= 1000000:
            continue
        if blocked[image]:
            while count > before:
                count = _turn(kind, n, cells, chosen, count, chosen[count - 1], -1, blocked)
            return before
        count = _turn(kind, n, cells, chosen, count, image, 1, blocked)
    return count


@compiled("int64(int64, int64, int64[:,:], int64[:,:], int64[:], int64, float64[::1], uint64[:])")
def _filled(  # noqa: PLR0913, PLR0917 - the arrays of one search
    kind: int, n: int, cells: Any, images: Any, chosen: Any, count: Any, blocked: Any, state: Any
) -> Any:
    """Take in free cells in a random order; returns how many points there are."""
    order = np.flatnonzero(blocked == 0)
    for place in range(len(order)):
        other = place + below(state, len(order) - place)
        order[place], order[other] = order[other], order[place]
        if blocked[order[place]] == 0:
            count = _with_images(kind, n, cells, images, chosen, count, order[place], blocked)
    return count


@compiled("int8[:](int64, int64, int64[:,:], int64[:,:], int8[:], int64, int64, uint64[:])")
def _search(  # noqa: PLR0913, PLR0917 - the arrays of one search
    kind: int, n: int, cells: Any, images: Any, start: Any, rounds: int, ruin: int, state: Any
) -> Any:
    chosen, blocked, count = np.zeros(len(start) + 1, np.int64), np.zeros(len(start), np.float64), 0
    for cell in range(len(start)):
        if start[cell] and blocked[cell] == 0 and start[images[cell]].all():
            count = _with_images(kind, n, cells, images, chosen, count, cell, blocked)
    count = _filled(kind, n, cells, images, chosen, count, blocked, state)
    for _ in range(rounds):
        before, blocked_before, n_before = chosen.copy(), blocked.copy(), count
        for _ in range(ruin):
            if count:
                for image in images[chosen[below(state, count)]]:
                    if blocked[image] >= 1000000:
                        count = _turn(kind, n, cells, chosen, count, image, -1, blocked)
        count = _filled(kind, n, cells, images, chosen, count, blocked, state)
        if count < n_before:
            chosen, blocked, count = before, blocked_before, n_before
    found = np.zeros(len(start), np.int8)
    found[chosen[:count]] = 1
    return found
