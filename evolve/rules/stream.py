"""The fixed synthetic stream of gradients on which update rules are compared without any training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHAPES: Final = ((6, 8), (16,))
"""One matrix and one vector: 64 coordinates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What a rule reads at every step; `values` maps input names to arrays [steps, coordinates] or [steps, 1]."""

    n_steps: int
    values: Mapping[str, Array]


def make_stream(rng_seed: int = 0, *, n_steps: int = 128) -> Stream:
    """Gradients with drifting means, noise and scales that differ between coordinates; some coordinates are sparse.

    The weights, the Hessian diagonal, the loss and the learning rate are streams of their own, which no rule
    influences: so a rule runs over all steps at once, and two rules differ only by what they compute.
    """
    rng = np.random.default_rng([rng_seed, 914])
    n = sum(int(np.prod(shape)) for shape in SHAPES)
    scale = 10.0 ** rng.uniform(-2.0, 1.0, n)
    noise = 10.0 ** rng.uniform(-1.0, 0.6, n)
    memory = 1.0 - 10.0 ** rng.uniform(-2.5, -0.7, n)
    mean = np.empty((n_steps, n))
    drift = rng.normal(size=n)
    for step in range(n_steps):
        drift = memory * drift + np.sqrt(1.0 - memory**2) * rng.normal(size=n)
        mean[step] = drift
    bursts = np.where(rng.random((n_steps, 1)) < 0.03, 4.0, 1.0)
    gradients = scale * bursts * (mean + noise * rng.normal(size=(n_steps, n)))
    gradients[:, ::9] *= rng.random(gradients[:, ::9].shape) < 0.4
    time = np.arange(1, n_steps + 1, dtype=np.float64)[:, None]
    weights = rng.normal(size=n) + 0.05 * np.cumsum(rng.normal(size=(n_steps, n)), axis=0)
    curvature = 10.0 ** rng.uniform(-2.0, 1.0, n) * (1.0 + 0.5 * rng.normal(size=(n_steps, n)))
    loss = 0.3 + 2.0 * np.exp(-time / 40.0) * (1.0 + 0.1 * rng.normal(size=(n_steps, 1)))
    warm = np.minimum(time / (0.1 * n_steps), 1.0) * (1.0 - (time - 1.0) / n_steps)
    values = {"w": weights, "g": gradients, "h": curvature, "f": loss, "t": time, "lr": 0.01 * warm}
    for array in values.values():
        array.flags.writeable = False
    return Stream(n_steps=n_steps, values=values)
