"""A network that is a picture: from coordinates to grey values."""

from functools import partial
from typing import Any

import numpy as np

from evaluators.optimizers.data import PICTURE_SEED, leaves
from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.weights import RELU_GAIN, dense, drawn, layout_of, linear, mean_square, scaled

SIDE = 48
N_FREQUENCIES = 16
FREQUENCY = 1.5
SEED = 28


def picture_network(width: float) -> Model:
    """Three layers over random Fourier features of a place tell how bright a picture is there.

    Tancik et al. (2020, https://arxiv.org/abs/2006.10739). What is reported is the loss on every second pixel of each
    row and column; batches hold any pixels.
    """
    n = scaled(48, width)
    parts = [
        *dense(2 * N_FREQUENCIES, n, gain=RELU_GAIN),
        *dense(n, n, gain=RELU_GAIN),
        *dense(n, 1, role="head"),
    ]
    picture = leaves(PICTURE_SEED + 2, SIDE).astype(np.float32)
    places = np.moveaxis(np.mgrid[0:SIDE, 0:SIDE], 0, -1) * (2.0 / SIDE) - 1.0
    angles = np.pi * places @ (FREQUENCY * np.random.default_rng(SEED).standard_normal((2, N_FREQUENCIES)))
    features = (np.sqrt(2.0) * np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)).astype(np.float32)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        rows, columns = rng.integers(0, SIDE, size=(2, n_steps, batch_size))
        return features[rows, columns], picture[rows, columns]

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (first, first_bias, second, second_bias, head, head_bias), (x, y) = parameters, batch
        hidden = torch.relu(linear(torch, x, first, first_bias))
        hidden = torch.relu(linear(torch, hidden, second, second_bias))
        return mean_square((hidden * head).sum(2) + head_bias - y)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(features[::2, ::2].reshape(-1, 2 * N_FREQUENCIES), picture[::2, ::2].reshape(-1)),
        held_out_loss=loss,
    )


PICTURE = Task(
    name="picture",
    about="network from places to the brightness of one picture: regression of sharp edges",
    suite="test",
    n_steps=300,
    batch_size=128,
    n_members=20,
    cost=1.6e-4,
    version=1,
    build=picture_network,
)
