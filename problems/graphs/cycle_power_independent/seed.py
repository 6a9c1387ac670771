"""Words that cannot be confused: a strategy over steps of the toolbox `conflict_free`."""

import numpy as np
from toolbox.base import found_by
from toolbox.conflicts import ConflictFree, winding_words, words_in_conflict

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Swaps, from words along a line that winds around a torus and from the best set so far."""
    x = t.spread()
    x = t.inherit(x)
    while True:
        for _ in range(5):
            y = t.spread()
            x = t.better(x, y)
        y = t.force(x, count=4)
        y = t.swap(y, swaps=20000, memory=7, idle=500)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, d, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    places = n ** np.arange(d - 1, -1, -1)
    words = ConflictFree(
        words_in_conflict(n, d),
        lambda rng: winding_words(n, d, rng),
        work=WORK,
        seed=seed,
        warm=None if best is None else np.bincount(np.array(best) @ places, minlength=n**d).astype(np.int8),
    )
    return (np.flatnonzero(found_by(strategy, words))[:, None] // places % n).tolist()
