"""A slot's values over all steps at once: linear recurrences are solved, others are walked through."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Factor = float | Array

_NEGLIGIBLE: Final = 1e-60


def shifted(values: Array) -> Array:
    """What a slot holds before each step: zero, then the value of the step before."""
    before = np.empty_like(values)
    before[0] = 0.0
    before[1:] = values[:-1]
    return before


class LinearRecurrence:
    """Solves x[t] = a[t] x[t-1] + b[t] from x = 0 before the first step."""

    def __init__(self, n_steps: int) -> None:
        self._n_steps = n_steps
        self._block = next(size for size in (16, 8, 4, 2, 1) if n_steps % size == 0)
        rows, columns = np.indices((self._block, self._block))
        self._lag = np.where(rows >= columns, rows - columns, self._block + 1)
        self._exponents = np.arange(self._block + 1, dtype=np.float64)

    def before(self, a: Factor, b: Factor, n_coordinates: int) -> Array:
        """The values before each step, [steps, coordinates]."""
        inputs = np.broadcast_to(np.asarray(b, dtype=np.float64), (self._n_steps, n_coordinates))
        if not isinstance(a, float):
            return self._walked(np.broadcast_to(a, inputs.shape), inputs)
        return shifted(inputs) if a == 0.0 else shifted(self._in_blocks(a, inputs))

    def _in_blocks(self, a: float, inputs: Array) -> Array:
        """Within a block a product with the powers of `a`; from block to block the last value."""
        powers = np.append(np.float64(a) ** self._exponents, 0.0)
        powers[np.abs(powers) < _NEGLIGIBLE] = 0.0  # numbers near the smallest make products a hundred times slower
        values: Array = powers[self._lag] @ inputs.reshape(-1, self._block, inputs.shape[1])
        carried = powers[1:-1, None]
        for k in range(1, len(values)):
            values[k] += carried * values[k - 1, -1]
        return values.reshape(inputs.shape)

    def _walked(self, a: Array, b: Array) -> Array:
        before = np.empty(b.shape)
        value = np.zeros(b.shape[1])
        for step in range(len(b)):
            before[step] = value
            value = a[step] * value + b[step]
        return before
