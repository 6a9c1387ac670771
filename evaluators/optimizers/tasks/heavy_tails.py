"""Tasks whose gradients have heavy-tailed noise: here rules of short memory win, with signs or without.

Zhang et al. (2020, https://arxiv.org/abs/1912.03194) on heavy-tailed noise and clipping; Kunstner et al. (2023,
https://arxiv.org/abs/2304.13960) on what noise does not explain.
"""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.tasks.quadratics import quadratic
from evaluators.optimizers.weights import RELU_GAIN, dense, drawn, layout_of, linear, mean_square, scaled

FREEDOM = 1.2
N_INPUTS = 24
N_OUTPUTS = 4
TEACHER_SEED = 31
N_HELD_OUT = 512


def heavy_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Student's t with 1.2 degrees of freedom: the variance is infinite, single entries dwarf all others."""
    return rng.standard_t(FREEDOM, size=shape)


def outliers(width: float, *, inputs: float, labels: float) -> Model:
    """A network learns a random one from rows some of whose labels, or inputs, are far off.

    Rows are scaled by, and labels polluted with, heavy-tailed numbers; what is reported is the loss on clean rows.
    """
    n = scaled(32, width)
    parts = [*dense(N_INPUTS, n, gain=RELU_GAIN), *dense(n, N_OUTPUTS, role="head")]

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        x = rng.standard_normal((n_steps, batch_size, N_INPUTS), dtype=np.float32)
        scales = np.exp(inputs * rng.standard_normal((n_steps, batch_size, 1))).astype(np.float32)
        pollution = labels * heavy_noise(rng, (n_steps, batch_size, N_OUTPUTS))
        return x, _teacher(x) + pollution.astype(np.float32), scales

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        x, y, scales = batch
        return (scales * (_answers(torch, parameters, x) - y).square()).mean((1, 2))

    def clean(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        x, y = batch
        return mean_square(_answers(torch, parameters, x) - y)

    kept = np.random.default_rng(TEACHER_SEED + 1).standard_normal((N_HELD_OUT, N_INPUTS)).astype(np.float32)
    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(kept, _teacher(kept)),
        held_out_loss=clean,
    )


def _answers(torch: Any, parameters: Tensors, x: Any) -> Any:
    weight, bias, head, head_bias = parameters
    return linear(torch, torch.relu(linear(torch, x, weight, bias)), head, head_bias)


def _teacher(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(TEACHER_SEED)
    inner = rng.standard_normal((N_INPUTS, 16)) / N_INPUTS**0.5
    outer = rng.standard_normal((16, N_OUTPUTS)) / 2.0
    answers: npt.NDArray[np.float32] = np.tanh(x @ inner.astype(np.float32)) @ outer.astype(np.float32)
    return answers


HEAVY_QUAD = Task(
    name="heavy_quad",
    about="rotated quadratic with noise of infinite variance in single coordinates",
    suite="noise",
    n_steps=200,
    batch_size=16,
    n_members=60,
    cost=2.5e-5,
    version=1,
    build=partial(quadratic, noise=heavy_noise, deviation=1.0),
)

HEAVY_LABELS = Task(
    name="heavy_labels",
    about="network on labels with noise of infinite variance, squared loss",
    suite="noise",
    n_steps=200,
    batch_size=16,
    n_members=60,
    cost=2.5e-5,
    version=1,
    build=partial(outliers, inputs=0.0, labels=0.5),
)

HEAVY_ROWS = Task(
    name="heavy_rows",
    about="network on rows of very different weight: a few of a batch make its gradient",
    suite="noise",
    n_steps=200,
    batch_size=16,
    n_members=60,
    cost=2.5e-5,
    version=1,
    build=partial(outliers, inputs=2.0, labels=0.1),
)
