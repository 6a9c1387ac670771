"""Parameters of small networks: their layout, how they are drawn, and the layers that use them, all for ensembles.

A weight has its outputs as rows. Every parameter and every input has one more axis in front: the ensemble's members.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from sandbox.update_rules.layout import Layout

Role = Literal["hidden", "embedding", "head", "vector"]
Part = tuple[tuple[int, ...], Role, float]
"""Shape, role, and the standard deviation at the start; a negative one stands for a constant of that size."""

RELU_GAIN: Final = 2.0**0.5


def layout_of(parts: Sequence[Part]) -> Layout:
    """The layout of parameters in this order."""
    return Layout(shapes=tuple(shape for shape, _, _ in parts), roles=tuple(role for _, role, _ in parts))


def drawn(parts: Sequence[Part], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Normal weights with each part's standard deviation, in one row."""
    rows = [
        np.full(shape, -deviation).ravel() if deviation < 0 else deviation * rng.standard_normal(int(np.prod(shape)))
        for shape, _, deviation in parts
    ]
    return np.concatenate(rows).astype(np.float32)


def dense(n_inputs: int, n_outputs: int, *, role: Role = "hidden", gain: float = 1.0) -> list[Part]:
    """A weight that keeps the variance of its inputs (LeCun et al. 1998; `gain` as in He et al. 2015), and a bias."""
    return [((n_outputs, n_inputs), role, gain / n_inputs**0.5), ((n_outputs,), "vector", 0.0)]


def scaled(n: int, width: float) -> int:
    """`n` hidden units at a width, at least two."""
    return max(2, round(n * width))


def linear(torch: Any, x: Any, weight: Any, bias: Any) -> Any:
    """`x` [E, B, inputs] through a layer of each member: [E, B, outputs]."""
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))


def look_up(torch: Any, table: Any, symbols: Any) -> Any:
    """Rows of each member's table [E, V, D] for symbols [E, ...]: [E, ..., D]."""
    flat = symbols.reshape(symbols.shape[0], -1, 1).expand(-1, -1, table.shape[2])
    return torch.gather(table, 1, flat).reshape(*symbols.shape, table.shape[2])


def cross_entropy(torch: Any, logits: Any, labels: Any) -> Any:
    """Mean cross-entropy of logits [E, ..., classes] and labels [E, ...], per member."""
    n_classes = logits.shape[-1]
    each = torch.nn.functional.cross_entropy(logits.reshape(-1, n_classes), labels.reshape(-1), reduction="none")
    return each.reshape(logits.shape[0], -1).mean(1)


def mean_square(errors: Any) -> Any:
    """Mean square of errors [E, ...] per member."""
    return errors.square().flatten(1).mean(1)
