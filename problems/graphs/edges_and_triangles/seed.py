"""Graphs on Razborov's curve: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.loads import edge_densities, edges_and_triangles, multipartite_weights
from toolbox.vectors import Vectors

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of some starts or what the run has, then hops: some graphs elsewhere; a last polish."""
    x = t.random()
    for _ in range(3):
        y = t.random()
        y = t.ascend(y, rounds=15, trust=0.05, band=0.7)
        y = t.soften(y, sharpness=3000.0, rounds=200)
        x = t.better(x, y)
    x = t.inherit(x)
    for _ in range(12):
        y = t.redraw(x, count=4)
        y = t.soften(y, sharpness=3000.0, rounds=150)
        y = t.ascend(y, rounds=5, trust=0.003, band=0.3)
        x = t.accept(x, y, temperature=0.0)
    x = t.ascend(x, rounds=30, trust=0.001, band=0.3)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else edge_densities(best)
    found = found_by(strategy, Vectors(edges_and_triangles(n), work=WORK, seed=seed, warm=warm))
    return multipartite_weights(found)
