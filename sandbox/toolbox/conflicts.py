"""Sets of items of which no two are in conflict: words, residues, numbers, vectors of a shell.

A set is an array of 0 and 1, int8 of shape (size,). The conflicts are lists of neighbours, one after the other:
those of item k are `neighbours[starts[k]:starts[k + 1]]`. The solver swaps one item for another as Andrade, Resende and
Werneck 2012 (https://doi.org/10.1007/s10732-012-9196-4) do, with a tabu list.
"""

from collections.abc import Callable
from itertools import combinations, product
from math import isqrt
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.compiled import below, compiled, fresh_state

Membership = npt.NDArray[np.int8]
Whole64 = npt.NDArray[np.int64]
SWAPS_PER_WORK = 600_000
"""As many changes of an item's number of conflicts take ten milliseconds."""
MOST_CONFLICTS = 20_000_000


class ConflictFree(Toolbox[Membership]):
    """Sets of items without two in conflict; the value is how many there are.

    Args:
        graph: `starts` and `neighbours` of the conflicts.
        rows: what START `spread` makes of a whole number: the items of one of its constructions, in order.
    """

    def __init__(
        self,
        graph: tuple[Whole64, Whole64],
        rows: Callable[[np.random.Generator], Whole64] | None = None,
        *,
        work: float,
        seed: int,
        warm: Membership | None = None,
    ) -> None:
        super().__init__(self.kept, work=work, seed=seed, warm=warm)
        self.starts, self.neighbours = graph
        self.size = len(self.starts) - 1
        self._rows = rows
        self._degree = len(self.neighbours) / max(self.size, 1)

    def kept(self, thing: Membership) -> float:
        """How many items the set has; minus infinity where two are in conflict."""
        return float(thing.sum()) if _is_free(self.starts, self.neighbours, thing) else -np.inf

    def _grown(self, first: Whole64) -> Membership:
        """The items of the list that fit, then others in a random order."""
        order = np.concatenate([first, self.rng.permutation(self.size)])
        self.spend(0.05 + len(self.neighbours) / SWAPS_PER_WORK / 20)
        grown: Membership = _taken(self.starts, self.neighbours, order)
        self.show(grown)
        return grown

    @step(START)
    def greedy(self) -> Membership:
        """Items in a random order, each taken that is in no conflict."""
        return self._grown(np.zeros(0, np.int64))

    @step(START)
    def spread(self) -> Membership:
        """First the items of a construction that the problem knows, then others in a random order."""
        return self._grown(np.zeros(0, np.int64) if self._rows is None else self._rows(self.rng))

    @step(MOVE)
    def drop(self, chosen: Membership, *, share: Annotated[float, Real(0.01, 0.6, 0.1)] = 0.1) -> Membership:
        """Without some of its items."""
        self.spend(SMALL_WORK)
        return np.where(self.rng.random(self.size) < share, np.int8(0), chosen)

    @step(MOVE)
    def force(self, chosen: Membership, *, count: Annotated[int, Whole(1, 30, 2)] = 2) -> Membership:
        """Random items come in; what is in conflict with them goes."""
        self.spend(SMALL_WORK)
        moved = chosen.copy()
        for item in self.rng.integers(0, self.size, count):
            moved[self.neighbours[self.starts[item] : self.starts[item + 1]]] = 0
            moved[item] = 1
        return moved

    @step(SOLVE)
    def swap(
        self,
        chosen: Membership,
        *,
        swaps: Annotated[int, Whole(100, 500000, 20000)] = 20000,
        memory: Annotated[int, Whole(1, 100, 7)] = 7,
        idle: Annotated[int, Whole(20, 20000, 500)] = 500,
    ) -> Membership:
        """Free items come in; where there are none, one in conflict with a single item takes its place.

        After `idle` swaps without a gain a random item is forced in. `memory`: for how long what went stays out.
        """
        self.spend(0.05 + (swaps * self._degree * 2 + self.size) / SWAPS_PER_WORK)
        state = fresh_state(self.rng)
        found: Membership = _swapped(
            self.starts, self.neighbours, np.ascontiguousarray(chosen, np.int8), swaps, memory, idle, state
        )
        self.show(found)
        return found


def conflicts_of(table: npt.NDArray[np.bool_]) -> tuple[Whole64, Whole64]:
    """Lists of neighbours from a symmetric table of conflicts without a diagonal."""
    starts = np.concatenate([[0], np.cumsum(table.sum(1))]).astype(np.int64)
    return starts, np.nonzero(table)[1].astype(np.int64)


def words_in_conflict(n: int, d: int) -> tuple[Whole64, Whole64]:
    """Words of length d over the letters modulo n; in conflict if no place differs by more than 1."""
    if (3 * n) ** d > MOST_CONFLICTS:
        raise ValueError(f"{n}^{d} words have {3**d - 1} conflicts each, at most {MOST_CONFLICTS} are expected")
    letters = np.array(list(product(range(n), repeat=d)))
    steps = np.array([each for each in product((-1, 0, 1), repeat=d) if any(each)])
    places = n ** np.arange(d - 1, -1, -1)
    neighbours = np.concatenate([((letters + each) % n @ places)[:, None] for each in steps], axis=1)
    return np.arange(n**d + 1) * len(steps), np.ascontiguousarray(neighbours.ravel(), np.int64)


def winding_words(n: int, d: int, rng: np.random.Generator) -> Whole64:
    """Words near the line t (1, a, a^2, ...) around a torus of M steps: t a^i modulo M, rounded to n letters.

    Polak and Schrijver 2019 (https://doi.org/10.1016/j.ipl.2018.11.001) start from such sets. M is near the bound
    (n / 2)^d, a and M by chance.
    """
    bound = (n // 2 * n // 2) * (n / 2) ** max(d - 2, 0) if d > 1 else n // 2
    modulus = int(rng.integers(max(int(0.6 * bound), 2), int(1.05 * bound) + 3))
    factor = int(rng.integers(1, modulus))
    steps = np.array([pow(factor, i, modulus) for i in range(d)])
    turned = np.arange(modulus)[:, None] * steps % modulus
    return np.asarray((turned * n // modulus) @ n ** np.arange(d - 1, -1, -1), np.int64)


def blocks_in_conflict(d: int) -> tuple[tuple[Whole64, Whole64], Whole64]:
    """Sets of four of d places; in conflict if they share three. The second part is the places of each."""
    blocks = np.array(list(combinations(range(d), 4)), np.int64).reshape(-1, 4)
    there = np.zeros((len(blocks), d), np.int64)
    np.put_along_axis(there, blocks, 1, axis=1)
    return conflicts_of(there @ there.T == 3), blocks


def products_in_conflict(n: int) -> tuple[tuple[Whole64, Whole64], Whole64]:
    """Numbers up to n whose square plus 1 has a square factor; in conflict if a b + 1 is squarefree."""
    free = np.ones(n * n + 2, bool)
    for d in range(2, isqrt(n * n + 1) + 1):
        free[:: d * d] = False
    numbers = np.array([a for a in range(1, n + 1) if not free[a * a + 1]], np.int64)
    table = free[np.multiply.outer(numbers, numbers) + 1]
    np.fill_diagonal(table, val=False)
    return conflicts_of(table), numbers


@compiled("boolean(int64[:], int64[:], int8[:])")
def _is_free(starts: Any, neighbours: Any, chosen: Any) -> Any:
    for item in range(len(chosen)):
        if chosen[item]:
            for k in range(starts[item], starts[item + 1]):
                if chosen[neighbours[k]]:
                    return False
    return True


@compiled("int8[:](int64[:], int64[:], int64[:])")
def _taken(starts: Any, neighbours: Any, order: Any) -> Any:
    blocked = np.zeros(len(starts) - 1, np.int8)
    chosen = np.zeros(len(starts) - 1, np.int8)
    for item in order:
        if not blocked[item] and not chosen[item]:
            chosen[item] = 1
            for k in range(starts[item], starts[item + 1]):
                blocked[neighbours[k]] = 1
    return chosen


@compiled("void(int64[:,:], int64[:,:], int64[:], int64, int64, int64)")
def _file(lists: Any, places: Any, lengths: Any, item: Any, tightness: Any, change: Any) -> None:
    """Put an item on (1) or take it off (-1) the list of those with so many conflicts, 0 or 1."""
    if tightness > 1:
        return
    if change > 0:
        places[tightness, item] = lengths[tightness]
        lists[tightness, lengths[tightness]] = item
        lengths[tightness] += 1
    else:
        lengths[tightness] -= 1
        last = lists[tightness, lengths[tightness]]
        lists[tightness, places[tightness, item]] = last
        places[tightness, last] = places[tightness, item]


@compiled("int64(int64[:], int64, int64[:], int64, uint64[:])")
def _pick(items: Any, length: Any, until: Any, now: Any, state: Any) -> Any:
    """One of the list that is not forbidden now, of some that are looked at; -1 where all of them are."""
    for _ in range(min(length, 12)):
        item = items[below(state, length)]
        if until[item] <= now:
            return item
    return -1


@compiled("int64(int64[:], int64[:], int8[:], int64[:], int64[:,:], int64[:,:], int64[:], int64, int64)")
def _turn(  # noqa: PLR0913, PLR0917 - the arrays of one search
    starts: Any, neighbours: Any, chosen: Any, tight: Any, lists: Any, places: Any, lengths: Any, item: Any, change: Any
) -> Any:
    """Take an item in (1) or out (-1) and keep the lists of what is outside."""
    _file(lists, places, lengths, item, tight[item], -change)
    chosen[item] += change
    for k in range(starts[item], starts[item + 1]):
        other = neighbours[k]
        if not chosen[other]:
            _file(lists, places, lengths, other, tight[other], -1)
        tight[other] += change
        if not chosen[other]:
            _file(lists, places, lengths, other, tight[other], 1)
    return change


@compiled("int8[:](int64[:], int64[:], int8[:], int64, int64, int64, uint64[:])")
def _swapped(  # noqa: PLR0913, PLR0917 - the arrays of one search
    starts: Any, neighbours: Any, start: Any, swaps: int, memory: int, idle: int, state: Any
) -> Any:
    size = len(start)
    chosen, tight, until = np.zeros(size, np.int8), np.zeros(size, np.int64), np.zeros(size, np.int64)
    lists, places, lengths = np.zeros((2, size), np.int64), np.zeros((2, size), np.int64), np.zeros(2, np.int64)
    for item in range(size):
        _file(lists, places, lengths, item, 0, 1)
    count = 0
    for given in np.flatnonzero(start):
        if tight[given] == 0:
            count += _turn(starts, neighbours, chosen, tight, lists, places, lengths, given, 1)
    best, most, since = chosen.copy(), count, 0
    for now in range(swaps):
        since += 1
        item = _pick(lists[0], lengths[0], until, now, state)
        item = item if item >= 0 else _pick(lists[1], lengths[1], until, now, state)
        if item < 0 or since > idle:
            item, since = below(state, size), 0
        if chosen[item]:
            continue
        for k in range(starts[item], starts[item + 1]):
            if chosen[neighbours[k]]:
                until[neighbours[k]] = now + memory + below(state, memory + 1)
                count += _turn(starts, neighbours, chosen, tight, lists, places, lengths, neighbours[k], -1)
        count += _turn(starts, neighbours, chosen, tight, lists, places, lengths, item, 1)
        if count > most:
            best, most, since = chosen.copy(), count, 0
    return best
