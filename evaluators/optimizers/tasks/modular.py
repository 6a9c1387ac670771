"""Addition modulo a prime, learned from symbols."""

from functools import partial
from typing import Any

import numpy as np

from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.weights import (
    RELU_GAIN,
    Part,
    cross_entropy,
    dense,
    drawn,
    layout_of,
    linear,
    look_up,
    scaled,
)

PRIME = 31
WRONG = 0.15
N_EMBEDDING = 24


def modular_addition(width: float) -> Model:
    """(a + b) mod 31 from embeddings of a and b; a share of the labels in every batch is random.

    The task of Power et al. (2022, https://arxiv.org/abs/2201.02177), with all pairs to train on: what is reported is
    the loss over all pairs with the right labels, a matter of optimisation alone.
    """
    n_hidden = scaled(64, width)
    parts: list[Part] = [
        ((PRIME, N_EMBEDDING), "embedding", 1.0),
        *dense(2 * N_EMBEDDING, n_hidden, gain=RELU_GAIN),
        *dense(n_hidden, PRIME, role="head"),
    ]
    pairs = np.stack(np.divmod(np.arange(PRIME**2), PRIME), axis=1)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        chosen = pairs[rng.integers(0, PRIME**2, size=(n_steps, batch_size))]
        is_wrong = rng.random((n_steps, batch_size)) < WRONG
        wrong = rng.integers(0, PRIME, size=(n_steps, batch_size))
        return chosen, np.where(is_wrong, wrong, chosen.sum(-1) % PRIME)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (table, weight, bias, head, head_bias), (chosen, labels) = parameters, batch
        seen = look_up(torch, table, chosen).flatten(2)
        hidden = torch.relu(linear(torch, seen, weight, bias))
        return cross_entropy(torch, linear(torch, hidden, head, head_bias), labels)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(pairs, pairs.sum(1) % PRIME),
        held_out_loss=loss,
    )


MOD_ADD = Task(
    name="mod_add",
    about="addition modulo 31 with wrong labels among the right ones: algorithmic, embeddings, sharp",
    suite="test",
    n_steps=300,
    batch_size=128,
    n_members=40,
    cost=2.2e-4,
    version=1,
    build=modular_addition,
)
