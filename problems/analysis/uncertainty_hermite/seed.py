"""Coefficients of Hermite polynomials: a strategy over steps of the toolbox `vector`."""

from toolbox.base import found_by
from toolbox.laguerre import double_roots, hermite_coefficients
from toolbox.vectors import Vectors

WORK = 300  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """The best of many random places of the double roots, then ever smaller steps."""
    x = t.random()
    for _ in range(60):
        y = t.random()
        x = t.better(x, y)
    x = t.adapt(x, rounds=30, size=0.005)
    x = t.simplex(x, rounds=100, size=0.001)
    x = t.simplex(x, rounds=100, size=1e-05)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    del best
    found = found_by(strategy, Vectors(double_roots(max((n - 1) // 2, 1)), work=WORK, seed=seed))
    return hermite_coefficients(found, n)
