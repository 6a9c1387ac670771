"""A residual network that learns another network's function."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.weights import RELU_GAIN, Part, dense, drawn, layout_of, linear, mean_square, scaled

N_INPUTS = 8
N_OUTPUTS = 4
N_BLOCKS = 2
N_TEACHER = 24
TEACHER_SEED = 25
N_HELD_OUT = 512


def residual_network(width: float) -> Model:
    """Pre-norm residual blocks (He et al. 2016, https://arxiv.org/abs/1603.05027) fit a random network's outputs.

    Outputs have variance 1, so the loss is the share of variance left; inputs are fresh at every step.
    """
    n = scaled(48, width)
    parts: list[Part] = [
        *dense(N_INPUTS, n),
        *(part for _ in range(N_BLOCKS) for part in (*dense(n, n, gain=RELU_GAIN), *dense(n, n, gain=0.5))),
        *dense(n, N_OUTPUTS, role="head", gain=0.5),
    ]

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        x = rng.standard_normal((n_steps, batch_size, N_INPUTS), dtype=np.float32)
        return x, _teacher(x)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        rest, (x, y) = iter(parameters), batch
        stream = linear(torch, x, next(rest), next(rest))
        for _ in range(N_BLOCKS):
            normed = torch.nn.functional.layer_norm(stream, stream.shape[-1:])
            hidden = torch.relu(linear(torch, normed, next(rest), next(rest)))
            stream = stream + linear(torch, hidden, next(rest), next(rest))
        normed = torch.nn.functional.layer_norm(stream, stream.shape[-1:])
        return mean_square(linear(torch, normed, next(rest), next(rest)) - y)

    kept = np.random.default_rng(TEACHER_SEED + 1).standard_normal((N_HELD_OUT, N_INPUTS)).astype(np.float32)
    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(kept, _teacher(kept)),
        held_out_loss=loss,
    )


def _teacher(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A random network with one hidden layer; each of its outputs has about mean 0 and variance 1."""
    rng = np.random.default_rng(TEACHER_SEED)
    inner = rng.standard_normal((N_INPUTS, N_TEACHER)) * (1.5 / N_INPUTS**0.5)
    outer = rng.standard_normal((N_TEACHER, N_OUTPUTS)) / N_TEACHER**0.5
    hidden = np.tanh(x @ inner.astype(np.float32))
    deviation = float(np.tanh(1.5 * np.random.default_rng(TEACHER_SEED + 2).standard_normal(4096)).std())
    answers: npt.NDArray[np.float32] = (hidden @ outer.astype(np.float32)) / np.float32(deviation)
    return answers


RESMLP = Task(
    name="resmlp",
    about="pre-norm residual network that learns a random network: normalised layers, little noise",
    suite="search",
    n_steps=300,
    batch_size=64,
    n_members=40,
    cost=2.0e-4,
    version=1,
    build=residual_network,
)
