"""A pattern without tetrahedra: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.patterns import pattern_of, pattern_vector, turan_tetrahedron
from toolbox.vectors import Vectors

WORK = 100  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts or what the run has, then hops: ranks and weights drawn anew."""
    x = t.random()
    for _ in range(20):
        y = t.random()
        y = t.soften(y, sharpness=100.0, rounds=60)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(20):
        y = t.redraw(x, count=4)
        y = t.soften(y, sharpness=100.0, rounds=60)
        x = t.accept(x, y, temperature=0.01)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    parts = min(n, 4)
    warm = None if best is None else pattern_vector(best, parts)
    found = found_by(strategy, Vectors(turan_tetrahedron(parts), work=WORK, seed=seed, warm=warm))
    return pattern_of(found, parts)
