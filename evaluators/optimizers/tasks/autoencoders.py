"""Autoencoders: ill-conditioned, with little noise. Momentum and preconditioning win here."""

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from evaluators.optimizers.data import leaf_patches
from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.weights import Part, dense, drawn, layout_of, linear, mean_square, scaled

N_INPUTS = 48
N_CODES = 12
DECAY = 1.0
BASIS_SEED = 21
N_HELD_OUT = 256
PATCH = 10


def linear_autoencoder(width: float) -> Model:
    """A linear bottleneck over normal inputs whose variances fall as a power law, in a rotated basis.

    What is reported is the exact expected loss minus that of the best bottleneck (principal components), as a share of
    the inputs' variance: it has no floor.
    """
    n_codes = min(scaled(N_CODES, width), N_INPUTS - 1)
    variances = np.arange(1, N_INPUTS + 1) ** -DECAY
    basis = np.linalg.qr(np.random.default_rng(BASIS_SEED).standard_normal((N_INPUTS, N_INPUTS)))[0]
    root = basis * np.sqrt(variances)
    floor = float(variances[n_codes:].sum() / variances.sum())
    total = float(variances.sum())
    parts: list[Part] = [
        ((n_codes, N_INPUTS), "hidden", N_INPUTS**-0.5),
        ((N_INPUTS, n_codes), "hidden", n_codes**-0.5),
    ]

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        inputs = rng.standard_normal((n_steps, batch_size, N_INPUTS), dtype=np.float32)
        return (inputs @ root.T.astype(np.float32),)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (encoder, decoder), (x,) = parameters, batch
        return mean_square(torch.bmm(torch.bmm(x, encoder.mT), decoder.mT) - x) * (N_INPUTS / total)

    def slopes(torch: Any, parameters: Tensors, batch: Tensors) -> tuple[Any, Tensors]:
        (encoder, decoder), (x,) = parameters, batch
        codes = torch.bmm(x, encoder.mT)
        errors = torch.bmm(codes, decoder.mT) - x
        outer = errors * (2.0 / (total * x.shape[1]))
        inner = torch.bmm(outer, decoder)
        losses = mean_square(errors) * (N_INPUTS / total)
        return losses, [torch.bmm(inner.mT, x), torch.bmm(outer.mT, codes)]

    def excess(torch: Any, parameters: Tensors, _batch: Tensors) -> Any:
        encoder, decoder = (parameter.double() for parameter in parameters)
        spread = torch.as_tensor(root, dtype=encoder.dtype, device=encoder.device)
        return (decoder @ (encoder @ spread) - spread).square().sum((1, 2)) / total - floor

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(),
        held_out_loss=excess,
        slopes=slopes,
    )


def deep_autoencoder(width: float) -> Model:
    """A tanh autoencoder 100-48-24-8-24-48-100 over patches of a picture of overlapping discs.

    A classic of ill-conditioning (Hinton and Salakhutdinov 2006, https://doi.org/10.1126/science.1127647).
    """
    sizes = [PATCH**2, *(scaled(n, width) for n in (48, 24, 8, 24, 48)), PATCH**2]
    parts = [part for inputs, outputs in pairwise(sizes) for part in dense(inputs, outputs)]
    patches, kept = leaf_patches(PATCH, N_HELD_OUT)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        return (patches[rng.integers(0, len(patches), size=(n_steps, batch_size))],)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (x,) = batch
        hidden = x
        for number in range(0, len(parameters), 2):
            hidden = linear(torch, hidden, parameters[number], parameters[number + 1])
            hidden = torch.tanh(hidden) if number + 2 < len(parameters) else hidden
        return mean_square(hidden - x)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(kept,),
        held_out_loss=loss,
    )


LIN_AE = Task(
    name="lin_ae",
    about="linear autoencoder of a power-law spectrum, excess loss: ill-conditioning with little noise, momentum",
    suite="search",
    n_steps=100,
    batch_size=64,
    n_members=60,
    cost=4.9e-5,
    version=1,
    build=linear_autoencoder,
)

DEEP_AE = Task(
    name="deep_ae",
    about="deep tanh autoencoder of picture patches: classic ill-conditioning in depth",
    suite="search",
    n_steps=300,
    batch_size=64,
    n_members=40,
    cost=2.3e-4,
    version=1,
    build=deep_autoencoder,
)
