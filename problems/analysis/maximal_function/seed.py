"""Masses with a long level set: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.intervals import mass_rows, mass_vector, maximal_function
from toolbox.vectors import Vectors

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts or what the run has, then hops: some gaps and masses drawn anew, all of them shaken."""
    x = t.random()
    for _ in range(5):
        y = t.random()
        y = t.ascend(y, rounds=60, trust=0.05, band=0.1)
        y = t.soften(y, sharpness=100.0, rounds=200)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(20):
        y = t.redraw(x, count=3)
        y = t.ascend(y, rounds=8, trust=0.02, band=0.1)
        y = t.soften(y, sharpness=100.0, rounds=100)
        x = t.accept(x, y, temperature=0.0)
        y = t.jitter(x, size=0.01)
        y = t.soften(y, sharpness=100.0, rounds=100)
        x = t.accept(x, y, temperature=0.0)
    x = t.ascend(x, rounds=40, trust=0.003, band=0.1)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else mass_vector(best)
    return mass_rows(found_by(strategy, Vectors(maximal_function(n), work=WORK, seed=seed, warm=warm)))
