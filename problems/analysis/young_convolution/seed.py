"""Step functions with a large convolution: a strategy over steps of the toolbox `profile`."""

from toolbox.base import found_by
from toolbox.profiles import Profiles, profile_vector, young_convolution, young_pair

WORK = 200  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Bumps on few steps, then all of the steps; what the run has, drawn out."""
    x = t.bump(steps=40, width=0.2, power=1.5)
    x = t.soften(x, sharpness=100.0, rounds=200)
    x = t.resample(x, steps=200)
    x = t.soften(x, sharpness=100.0, rounds=300)
    x = t.inherit(x)
    for _ in range(10):
        y = t.rescale(x, factor=1.05)
        y = t.soften(y, sharpness=100.0, rounds=300)
        x = t.accept(x, y, temperature=0.0)
        y = t.rescale(x, factor=0.97)
        y = t.soften(y, sharpness=100.0, rounds=300)
        x = t.accept(x, y, temperature=0.0)
    x = t.symmetrise(x)
    x = t.soften(x, sharpness=100.0, rounds=300)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    warm = None if best is None else profile_vector(best)
    found = found_by(strategy, Profiles(n, young_convolution(n), n_parts=2, work=WORK, seed=seed, warm=warm))
    return young_pair(found)
