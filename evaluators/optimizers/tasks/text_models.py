"""Models of text, symbol by symbol: a network on a window, and a small transformer."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluators.optimizers.data import ALPHABET, text, text_starts
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

N_SYMBOLS = len(ALPHABET)
WINDOW = 6
CONTEXT = 32
HEADS = 4
LAYERS = 2
HELD_OUT_SEED = 24


def windows(
    length: int, n_held_out: int
) -> tuple[Callable[[np.random.Generator, int, int], tuple[Array, ...]], npt.NDArray[np.int64]]:
    """What draws batches of windows of `length` symbols [steps, rows, length], and the held-out windows."""
    symbols, (train, held_out) = text(), text_starts(length)
    within = np.arange(length)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        starts = train[rng.integers(0, len(train), size=(n_steps, batch_size))]
        return (symbols[starts[..., None] + within],)

    kept = held_out[np.random.default_rng([HELD_OUT_SEED, length]).integers(0, len(held_out), size=n_held_out)]
    return batches, symbols[kept[:, None] + within]


def window_network(width: float) -> Model:
    """The next symbol from the last six: embeddings, one hidden layer, softmax (Bengio et al. 2003)."""
    n_embedding, n_hidden = 16, scaled(48, width)
    parts: list[Part] = [
        ((N_SYMBOLS, n_embedding), "embedding", 0.5),
        *dense(WINDOW * n_embedding, n_hidden, gain=2.0),
        *dense(n_hidden, N_SYMBOLS, role="head"),
    ]
    batches, held_out = windows(WINDOW + 1, 1024)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (table, weight, bias, head, head_bias), (symbols,) = parameters, batch
        seen = look_up(torch, table, symbols[..., :WINDOW]).flatten(2)
        hidden = torch.tanh(linear(torch, seen, weight, bias))
        return cross_entropy(torch, linear(torch, hidden, head, head_bias), symbols[..., WINDOW])

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(held_out,),
        held_out_loss=loss,
    )


def transformer(width: float) -> Model:
    """A pre-norm transformer of two layers over 32 symbols (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762)."""
    n = HEADS * scaled(8, width)
    parts: list[Part] = [
        ((N_SYMBOLS, n), "embedding", 0.5),
        ((CONTEXT, n), "embedding", 0.2),
        *(part for _ in range(LAYERS) for part in _layer(n)),
        ((n,), "vector", -1.0),
        *dense(n, N_SYMBOLS, role="head", gain=0.5),
    ]
    batches, held_out = windows(CONTEXT + 1, 96)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        rest, (symbols,) = iter(parameters), batch
        x = look_up(torch, next(rest), symbols[..., :-1]) + next(rest).unsqueeze(1)
        shape = x.shape
        flat = x.flatten(1, 2)
        for _ in range(LAYERS):
            flat = flat + _attention(torch, rest, flat, shape)
            flat = flat + _perceptron(torch, rest, flat)
        logits = linear(torch, _normed(torch, flat, next(rest)), next(rest), next(rest))
        return cross_entropy(torch, logits, symbols[..., 1:])

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(held_out,),
        held_out_loss=loss,
    )


def _layer(n: int) -> list[Part]:
    towards_stream = (2 * LAYERS) ** -0.5
    return [
        ((n,), "vector", -1.0),
        *(((n, n), "hidden", n**-0.5) for _ in range(3)),
        ((n, n), "hidden", towards_stream * n**-0.5),
        ((n,), "vector", -1.0),
        *dense(n, 4 * n, gain=RELU_GAIN),
        *dense(4 * n, n, gain=towards_stream),
    ]


def _normed(torch: Any, x: Any, gain: Any) -> Any:
    return torch.nn.functional.layer_norm(x, x.shape[-1:]) * gain.unsqueeze(1)


def _attention(torch: Any, rest: Iterator[Any], flat: Any, shape: Any) -> Any:
    """Causal attention with the next five parameters: gain, queries, keys, values, mixture."""
    members, rows, places, n = shape
    normed = _normed(torch, flat, next(rest))

    def heads() -> Any:
        return torch.bmm(normed, next(rest).mT).view(members, rows, places, HEADS, n // HEADS).transpose(2, 3)

    queries, keys, values = heads(), heads(), heads()
    later = torch.ones(places, places, dtype=torch.bool, device=flat.device).triu(1)
    scores = (queries @ keys.mT) * (n // HEADS) ** -0.5
    seen = torch.softmax(scores.masked_fill(later, float("-inf")), dim=-1) @ values
    return torch.bmm(seen.transpose(2, 3).reshape(members, rows * places, n), next(rest).mT)


def _perceptron(torch: Any, rest: Iterator[Any], flat: Any) -> Any:
    hidden = linear(torch, _normed(torch, flat, next(rest)), next(rest), next(rest))
    return linear(torch, torch.relu(hidden), next(rest), next(rest))


CHAR_MLP = Task(
    name="char_mlp",
    about="the next symbol of text from the last six: Zipf-distributed symbols, embeddings",
    suite="search",
    n_steps=250,
    batch_size=64,
    n_members=40,
    cost=1.9e-4,
    version=1,
    build=window_network,
)

TFM_CHAR = Task(
    name="tfm_char",
    about="transformer of two layers on text",
    suite="test",
    n_steps=250,
    batch_size=8,
    n_members=8,
    cost=2.9e-3,
    version=1,
    build=transformer,
)
