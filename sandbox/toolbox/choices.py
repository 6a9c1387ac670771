"""One block for every slot, the union as small as possible: Kakeya sets of lines, Nikodym sets of punctured lines.

A choice is an array of whole numbers, one for every slot: which of its blocks is taken.
"""

from itertools import product
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.compiled import below, chance, compiled, fresh_state

Whole64 = npt.NDArray[np.int64]
CHANGES_PER_WORK = 250_000
MOST_PLACES = 20_000_000


class SmallUnion(Toolbox[Whole64]):
    """Choices of one block for every slot; the value is minus the number of points that the blocks cover.

    Args:
        blocks: the points of all blocks, whole numbers from 0, shape (slots, blocks of a slot, points of a block).
        twist: for START `family`: the choice that a polynomial, drawn with the generator, makes.
    """

    def __init__(self, blocks: Whole64, *, work: float, seed: int, warm: Whole64 | None = None) -> None:
        super().__init__(self.uncovered, work=work, seed=seed, warm=warm)
        self.blocks = blocks
        self.n_points = int(blocks.max()) + 1

    def covered(self, choice: Whole64) -> Whole64:
        """The points of the union, in order."""
        return np.unique(self.blocks[np.arange(len(choice)), choice])

    def uncovered(self, thing: Whole64) -> float:
        """Minus the number of points that are covered."""
        return -float(len(self.covered(thing)))

    @step(START)
    def random(self) -> Whole64:
        """Every block with equal chance."""
        self.spend(SMALL_WORK)
        return self.rng.integers(0, self.blocks.shape[1], len(self.blocks))

    @step(START)
    def greedy(self) -> Whole64:
        """Slot after slot in a random order, the block that covers fewest new points."""
        self.spend(0.05 + self.blocks.size / CHANGES_PER_WORK)
        there = np.zeros(self.n_points, bool)
        choice = np.zeros(len(self.blocks), np.int64)
        for slot in self.rng.permutation(len(self.blocks)):
            new = (~there[self.blocks[slot]]).sum(1) + self.rng.random(self.blocks.shape[1])
            choice[slot] = int(new.argmin())
            there[self.blocks[slot, choice[slot]]] = True
        self.show(choice)
        return choice

    @step(MOVE)
    def redraw(self, choice: Whole64, *, share: Annotated[float, Real(0.01, 0.6, 0.1)] = 0.1) -> Whole64:
        """Some slots with another block."""
        self.spend(SMALL_WORK)
        return np.where(self.rng.random(len(choice)) < share, self.random(), choice)

    @step(SOLVE)
    def anneal(
        self,
        choice: Whole64,
        *,
        changes: Annotated[int, Whole(200, 1000000, 50000)] = 50000,
        hot: Annotated[float, Real(0.05, 5.0, 1.0)] = 1.0,
        cold: Annotated[float, Real(0.02, 2.0, 0.2)] = 0.2,
    ) -> Whole64:
        """Simulated annealing on single slots; temperatures are in points."""
        self.spend(0.05 + changes * self.blocks.shape[2] / 5.0 / CHANGES_PER_WORK)
        found: Whole64 = _annealed(self.blocks, self.n_points, choice, changes, hot, cold, fresh_state(self.rng))
        self.show(found)
        return found


def lines_by_direction(p: int, d: int) -> Whole64:
    """All lines of F_p^d: a slot for every direction, a block for every line in it."""
    _require_room(p ** (2 * d - 1) // max(p - 1, 1))
    points = np.array(list(product(range(p), repeat=d)), np.int64)
    places = p ** np.arange(d - 1, -1, -1)
    slots = []
    for step_ in directions(p, d):
        first = points[points[:, int(np.flatnonzero(step_)[0])] == 0]  # where a line meets a hyperplane
        slots.append([(first + t * step_) % p @ places for t in range(p)])
    return np.ascontiguousarray(np.array(slots).transpose(0, 2, 1), np.int64)


def punctured_lines(p: int, d: int) -> Whole64:
    """A slot for every point of F_p^d, a block for every line through it, without the point."""
    _require_room(p ** (2 * d))
    points = np.array(list(product(range(p), repeat=d)), np.int64)
    places = p ** np.arange(d - 1, -1, -1)
    blocks = [[(points + t * step_) % p @ places for t in range(1, p)] for step_ in directions(p, d)]
    return np.ascontiguousarray(np.array(blocks).transpose(2, 0, 1), np.int64)


def directions(p: int, d: int) -> list[Whole64]:
    """Every direction once: the first coordinate that is not 0 is 1."""
    return [np.array(v) for v in product(range(p), repeat=d) if any(v) and next(x for x in v if x) == 1]


def _require_room(size: int) -> None:
    if size > MOST_PLACES:
        raise ValueError(f"the space has lines with {size} places, at most {MOST_PLACES} are expected")


@compiled("int64[:](int64[:,:,::1], int64, int64[:], int64, float64, float64, uint64[:])")
def _annealed(  # noqa: PLR0913, PLR0917 - the arrays of one search
    blocks: Any, n_points: int, start: Any, changes: int, hot: float, cold: float, state: Any
) -> Any:
    choice, times = start.copy(), np.zeros(n_points, np.int64)
    now = 0
    for slot in range(len(choice)):
        for point in blocks[slot, choice[slot]]:
            times[point] += 1
            now += times[point] == 1
    best, least = choice.copy(), now
    for count in range(changes):
        temperature = hot * (cold / hot) ** (count / changes)
        slot, block = below(state, len(choice)), below(state, blocks.shape[1])
        after, old = now, choice[slot]
        for point in blocks[slot, old]:
            times[point] -= 1
            after -= times[point] == 0
        for point in blocks[slot, block]:
            after += times[point] == 0
            times[point] += 1
        if after <= now or chance(state) < np.exp((now - after) / temperature):
            choice[slot], now = block, after
            if now < least:
                best, least = choice.copy(), now
        else:
            for point in blocks[slot, block]:
                times[point] -= 1
            for point in blocks[slot, old]:
                times[point] += 1
    return best
