"""Networks that read handwritten digits, with fresh noise at every step."""

from functools import partial
from typing import Any

import numpy as np

from evaluators.optimizers.data import digits
from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.weights import RELU_GAIN, cross_entropy, dense, drawn, layout_of, linear, scaled

NOISE = 0.9
N_HELD_OUT = 597
EVALUATION_SEED = 22


def digits_network(width: float) -> Model:
    """A network 64-32-10 on 8x8 digits whose pixels get fresh noise in every batch.

    The noise does not keep it from learning the training digits by heart: after 100 steps of AdamW* the mean log of the
    loss is -1.66 on them and -0.81 on the held-out ones. So what keeps weights small, such as decay, pays here.
    """
    data = digits()
    n_hidden = scaled(32, width)
    parts = [*dense(64, n_hidden, gain=RELU_GAIN), *dense(n_hidden, 10, role="head")]
    n_train = len(data.labels) - N_HELD_OUT
    noise = np.random.default_rng(EVALUATION_SEED).standard_normal((N_HELD_OUT, 64), dtype=np.float32)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        chosen = rng.integers(0, n_train, size=(n_steps, batch_size))
        fresh = rng.standard_normal((n_steps, batch_size, 64), dtype=np.float32)
        return data.pixels[chosen] + np.float32(NOISE) * fresh, data.labels[chosen]

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (weight, bias, head, head_bias), (x, labels) = parameters, batch
        hidden = torch.relu(linear(torch, x, weight, bias))
        return cross_entropy(torch, linear(torch, hidden, head, head_bias), labels)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(data.pixels[n_train:] + np.float32(NOISE) * noise, data.labels[n_train:]),
        held_out_loss=loss,
    )


DIGITS_AUG = Task(
    name="digits_aug",
    about="network on digits with fresh pixel noise: noisy classification",
    suite="search",
    n_steps=200,
    batch_size=64,
    n_members=60,
    cost=7.7e-5,
    version=1,
    build=digits_network,
)
