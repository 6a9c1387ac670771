"""Digits in two other ways: a variational autoencoder, and a network that mixes patches."""

from functools import partial
from typing import Any

import numpy as np

from evaluators.optimizers.data import digits
from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.weights import (
    RELU_GAIN,
    Part,
    cross_entropy,
    dense,
    drawn,
    layout_of,
    linear,
    scaled,
)

N_CODES = 6
N_HELD_OUT = 597
NOISE = 0.5
N_PATCHES = 16
SEED = 30


def variational(width: float) -> Model:
    """A variational autoencoder of digits (Kingma and Welling 2014, https://arxiv.org/abs/1312.6114), nats per pixel.

    The noise of the codes is part of the batch.
    """
    n = scaled(40, width)
    parts = [
        *dense(64, n),
        *dense(n, 2 * N_CODES, gain=0.5),
        *dense(N_CODES, n),
        *dense(n, 64, role="head"),
    ]
    pixels = digits().pixels
    n_train = len(pixels) - N_HELD_OUT
    noise = np.random.default_rng(SEED).standard_normal((N_HELD_OUT, N_CODES), dtype=np.float32)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        chosen = rng.integers(0, n_train, size=(n_steps, batch_size))
        return pixels[chosen], rng.standard_normal((n_steps, batch_size, N_CODES), dtype=np.float32)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        rest, (x, pollution) = iter(parameters), batch
        hidden = torch.tanh(linear(torch, x, next(rest), next(rest)))
        mean, spread = linear(torch, hidden, next(rest), next(rest)).chunk(2, dim=2)
        spread = spread.clamp(-6.0, 6.0)
        codes = mean + torch.exp(0.5 * spread) * pollution
        hidden = torch.tanh(linear(torch, codes, next(rest), next(rest)))
        error = (linear(torch, hidden, next(rest), next(rest)) - x).square().sum(2) / (2 * 0.3)
        divergence = 0.5 * (spread.exp() + mean.square() - 1 - spread).sum(2)
        return (error + divergence).mean(1) / 64

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(pixels[n_train:], noise),
        held_out_loss=loss,
    )


def mixer(width: float) -> Model:
    """Digits as sixteen patches, mixed over places, then over channels (Tolstikhin et al. 2021, MLP-Mixer)."""
    n = scaled(24, width)
    parts: list[Part] = [
        *dense(64 // N_PATCHES, n),
        *dense(N_PATCHES, 2 * N_PATCHES, gain=RELU_GAIN),
        *dense(2 * N_PATCHES, N_PATCHES, gain=0.5),
        *dense(n, 2 * n, gain=RELU_GAIN),
        *dense(2 * n, n, gain=0.5),
        *dense(n, 10, role="head"),
    ]
    data = digits()
    n_train = len(data.labels) - N_HELD_OUT
    patches = data.pixels.reshape(-1, 4, 2, 4, 2).swapaxes(2, 3).reshape(-1, N_PATCHES, 64 // N_PATCHES)
    noise = np.random.default_rng(SEED + 1).standard_normal(patches[n_train:].shape, dtype=np.float32)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        chosen = rng.integers(0, n_train, size=(n_steps, batch_size))
        fresh = rng.standard_normal((*chosen.shape, *patches.shape[1:]), dtype=np.float32)
        return patches[chosen] + np.float32(NOISE) * fresh, data.labels[chosen]

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        rest, (x, labels) = iter(parameters), batch
        members, rows = x.shape[:2]
        stream = linear(torch, x.flatten(1, 2), next(rest), next(rest)).view(members, rows, N_PATCHES, -1)
        places = _normed(torch, stream).transpose(2, 3)
        stream = stream + _perceptron(torch, places, rest).transpose(2, 3)
        stream = stream + _perceptron(torch, _normed(torch, stream), rest)
        pooled = _normed(torch, stream).mean(2)
        return cross_entropy(torch, linear(torch, pooled, next(rest), next(rest)), labels)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(patches[n_train:] + np.float32(NOISE) * noise, data.labels[n_train:]),
        held_out_loss=loss,
    )


def _normed(torch: Any, x: Any) -> Any:
    return torch.nn.functional.layer_norm(x, x.shape[-1:])


def _perceptron(torch: Any, x: Any, rest: Any) -> Any:
    """Two layers over the last axis of [E, B, ..., n]."""
    hidden = torch.relu(linear(torch, x.flatten(1, 2), next(rest), next(rest)))
    return linear(torch, hidden, next(rest), next(rest)).view(*x.shape)


VAE_DIGITS = Task(
    name="vae_digits",
    about="variational autoencoder of digits: noise inside the network",
    suite="validation",
    n_steps=250,
    batch_size=64,
    n_members=40,
    cost=1.5e-4,
    version=1,
    build=variational,
)

MIXER_DIGITS = Task(
    name="mixer_digits",
    about="network that mixes patches of noisy digits: normalised layers, weights shared over places",
    suite="validation",
    n_steps=200,
    batch_size=32,
    n_members=16,
    cost=9.7e-4,
    version=1,
    build=mixer,
)
