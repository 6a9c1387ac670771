"""Products of two factors: an incomplete matrix, and which symbols stand near each other in text."""

from functools import partial
from typing import Any

import numpy as np

from evaluators.optimizers.data import ALPHABET
from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.tasks.text_models import windows
from evaluators.optimizers.weights import Part, cross_entropy, drawn, layout_of, look_up, scaled

SIDE = 64
RANK = 6
DECAY = 0.8
NOISE = 0.3
SEED = 29
NEAR = 4


def completion(width: float) -> Model:
    """Rows and columns of a matrix of low rank get factors from single noisy entries.

    Only the factors of an entry's row and column see a gradient. What is reported is the mean square error over all
    entries without noise, as a share of their variance.
    """
    n_factors = scaled(12, width)
    rng = np.random.default_rng(SEED)
    sizes = np.arange(1, RANK + 1) ** -DECAY
    truth = (rng.standard_normal((SIDE, RANK)) * sizes) @ rng.standard_normal((RANK, SIDE))
    truth = (truth / truth.std()).astype(np.float32)
    parts: list[Part] = [((SIDE, n_factors), "embedding", 0.3), ((SIDE, n_factors), "embedding", 0.3)]

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        rows, columns = rng.integers(0, SIDE, size=(2, n_steps, batch_size))
        noise = rng.standard_normal((n_steps, batch_size), dtype=np.float32)
        return rows, columns, truth[rows, columns] + np.float32(NOISE) * noise

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (left, right), (rows, columns, entries) = parameters, batch
        guesses = (look_up(torch, left, rows) * look_up(torch, right, columns)).sum(-1)
        return (guesses - entries).square().mean(1)

    def error(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (left, right), (whole,) = parameters, batch
        return (torch.bmm(left, right.mT) - whole).square().mean((1, 2))

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(truth,),
        held_out_loss=error,
    )


def neighbours(width: float) -> Model:
    """Which symbol stands at a distance of one to three from a symbol: one table per side, softmax over all.

    The skip-gram of Mikolov et al. (2013, https://arxiv.org/abs/1301.3781) on symbols: two factors of a table of
    counts with few large and many small entries.
    """
    n_embedding = scaled(16, width)
    n = len(ALPHABET)
    parts: list[Part] = [
        ((n, n_embedding), "embedding", 0.5),
        ((NEAR - 1, n_embedding), "embedding", 1.0),
        ((n, n_embedding), "head", n_embedding**-0.5),
    ]
    drawn_windows, held_out = windows(NEAR, 2048)

    def pairs(rng: np.random.Generator, symbols: Array) -> tuple[Array, ...]:
        distances = rng.integers(1, NEAR, size=symbols.shape[:-1])
        return symbols[..., 0], distances - 1, np.take_along_axis(symbols, distances[..., None], -1)[..., 0]

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        (symbols,) = drawn_windows(rng, n_steps, batch_size)
        return pairs(rng, symbols)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (table, gains, head), (symbols, distances, others) = parameters, batch
        seen = look_up(torch, table, symbols) * look_up(torch, gains, distances)
        return cross_entropy(torch, torch.bmm(seen, head.mT), others)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=pairs(np.random.default_rng(SEED), held_out),
        held_out_loss=loss,
    )


COMPLETION = Task(
    name="completion",
    about="factors of an incomplete matrix from single noisy entries: sparse gradients, saddle points",
    suite="validation",
    n_steps=300,
    batch_size=128,
    n_members=60,
    cost=3.4e-5,
    version=1,
    build=completion,
)

NEIGHBOURS = Task(
    name="neighbours",
    about="skip-gram tables of the symbols of text: sparse gradients, Zipf-distributed symbols",
    suite="validation",
    n_steps=200,
    batch_size=128,
    n_members=40,
    cost=1.0e-4,
    version=1,
    build=neighbours,
)
