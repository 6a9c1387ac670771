"""A distribution with small projections and large differences: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.entropies import arithmetic_kakeya, atoms, masses, side_for
from toolbox.vectors import Vectors

WORK = 500  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts or what the run has, then hops: some masses drawn anew, all of them shaken."""
    x = t.random()
    for _ in range(12):
        y = t.random()
        y = t.soften(y, sharpness=50.0, rounds=150)
        y = t.soften(y, sharpness=2000.0, rounds=150)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(15):
        y = t.redraw(x, count=4)
        y = t.soften(y, sharpness=300.0, rounds=100)
        y = t.soften(y, sharpness=3000.0, rounds=150)
        x = t.accept(x, y, temperature=0.0)
        y = t.jitter(x, size=0.03)
        y = t.soften(y, sharpness=300.0, rounds=100)
        y = t.soften(y, sharpness=3000.0, rounds=150)
        x = t.accept(x, y, temperature=0.0)
    x = t.ascend(x, rounds=20, trust=0.001, band=0.1)


# EVOLVE-BLOCK-END


def construct(n, slopes, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    side = min(side_for(n), 6)
    warm = None if best is None else masses(best, side)
    found = found_by(strategy, Vectors(arithmetic_kakeya(side, slopes), work=WORK, seed=seed, warm=warm))
    return atoms(found)
