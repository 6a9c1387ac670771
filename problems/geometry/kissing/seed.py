"""A kissing configuration from blocks of four coordinates: a strategy over steps of the toolbox `conflict_free`."""

from itertools import combinations, product

import numpy as np
from toolbox.base import found_by
from toolbox.conflicts import ConflictFree, blocks_in_conflict

WORK = 200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """As many blocks as possible of which no two share three places."""
    x = t.greedy()
    x = t.inherit(x)
    while True:
        y = t.force(x, count=4)
        y = t.swap(y, swaps=20000, memory=7, idle=500)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(d, best=None, seed=1):
    """All signs of 2 on blocks that the strategy finds, and 4 on single places; or the roots of D, if they are more."""
    roots = [vector(d, pair, signs, 1) for pair in combinations(range(d), 2) for signs in product((1, -1), repeat=2)]
    if d < 4:
        return roots
    conflicts, blocks = blocks_in_conflict(d)
    warm = None if best is None else chosen(best, blocks)
    found = found_by(strategy, ConflictFree(conflicts, work=WORK, seed=seed, warm=warm))
    vectors = [vector(d, (place,), (sign,), 4) for place in range(d) for sign in (1, -1)]
    for block in blocks[found == 1]:
        vectors += [vector(d, block, signs, 2) for signs in product((1, -1), repeat=4)]
    return max(vectors, roots, key=len)


def vector(d, places, signs, length):
    """A vector with such entries in these places."""
    entries = [0] * d
    for place, sign in zip(places, signs, strict=True):
        entries[place] = sign * length
    return entries


def chosen(vectors, blocks):
    """The toolbox's object: which blocks are there."""
    there = {tuple(np.flatnonzero(each).tolist()) for each in vectors}
    return np.array([tuple(block) in there for block in blocks.tolist()], np.int8)
