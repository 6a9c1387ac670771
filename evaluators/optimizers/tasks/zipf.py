"""Softmax regression over classes of which few are frequent and most are rare."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.weights import cross_entropy, dense, drawn, layout_of, linear

N_CLASSES = 128
N_INPUTS = 32
APART = 0.45
"""Deviation of the classes' means in each direction; that of the inputs around them is 1."""
MEANS_SEED = 26
N_HELD_OUT = 1024


def zipf_regression(_width: float) -> Model:
    """Class k has frequency proportional to 1/k and normal inputs around a mean of its own; no hidden layer to widen.

    Kunstner et al. (2024, https://arxiv.org/abs/2402.19449): rare classes are why Adam is ahead of SGD on text.
    """
    parts = dense(N_INPUTS, N_CLASSES, role="head", gain=0.1)
    rng = np.random.default_rng(MEANS_SEED)
    means = (rng.standard_normal((N_CLASSES, N_INPUTS)) * APART).astype(np.float32)
    shares = 1.0 / np.arange(1, N_CLASSES + 1)
    borders = np.cumsum(shares / shares.sum())[:-1]

    def rows(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float32], Array]:
        labels = np.searchsorted(borders, rng.random(shape))
        noise = rng.standard_normal((*shape, N_INPUTS), dtype=np.float32)
        return means[labels] + noise, labels

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (weight, bias), (x, labels) = parameters, batch
        return cross_entropy(torch, linear(torch, x, weight, bias), labels)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=lambda rng, n_steps, batch_size: rows(rng, (n_steps, batch_size)),
        loss=loss,
        held_out=rows(np.random.default_rng(MEANS_SEED + 1), (N_HELD_OUT,)),
        held_out_loss=loss,
    )


ZIPF_LINEAR = Task(
    name="zipf_linear",
    about="softmax regression over 128 classes with frequencies 1/k: heavy-tailed classes",
    suite="test",
    n_steps=300,
    batch_size=64,
    n_members=20,
    cost=1.1e-4,
    version=1,
    build=zipf_regression,
)
