"""Double roots of a sum of Laguerre polynomials: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.laguerre import double_roots, root_texts, root_vector
from toolbox.vectors import Vectors

WORK = 500  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of many random places or what the run has, adapted; then one root elsewhere."""
    x = t.random()
    for _ in range(100):
        y = t.random()
        x = t.better(x, y)
    x = t.inherit(x)
    x = t.adapt(x, rounds=60, size=0.005)
    for _ in range(4):
        y = t.redraw(x, count=2)
        y = t.adapt(y, rounds=30, size=0.005)
        x = t.accept(x, y, temperature=0.0)
    x = t.soften(x, sharpness=100.0, rounds=30)
    x = t.simplex(x, rounds=300, size=0.0003)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else root_vector(best)
    return root_texts(found_by(strategy, Vectors(double_roots(n), work=WORK, seed=seed, warm=warm)))
