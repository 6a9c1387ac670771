"""Small convolutional networks: one that reads digits, one that takes noise out of pictures, one on text."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluators.optimizers.data import ALPHABET, digits, leaf_patches
from evaluators.optimizers.task import Array, Model, Task, Tensors
from evaluators.optimizers.tasks.text_models import windows
from evaluators.optimizers.weights import (
    RELU_GAIN,
    Part,
    Role,
    cross_entropy,
    dense,
    drawn,
    layout_of,
    linear,
    look_up,
    mean_square,
    scaled,
)

KERNEL = 9
SHIFTS = 3
DIGIT_NOISE = 0.5
N_DIGITS_HELD_OUT = 597
PATCH = 12
PATCH_NOISE = 0.7
N_PATCHES_HELD_OUT = 128
PLACES = 24
REACH = (1, 2, 4)
SEED = 27


def digits_convolution(width: float) -> Model:
    """Two convolutions and two poolings on digits that are shifted and get fresh noise in every batch."""
    n_first, n_second = scaled(8, width), scaled(16, width)
    parts = [
        *_kernel(1, n_first),
        *_kernel(n_first, n_second),
        *dense(4 * n_second, 10, role="head"),
    ]
    data = digits()
    n_train = len(data.labels) - N_DIGITS_HELD_OUT
    pictures = data.pixels.reshape(-1, 8, 8)
    kept = _shifted(np.random.default_rng(SEED), pictures[n_train:])

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        chosen = rng.integers(0, n_train, size=n_steps * batch_size)
        x = _shifted(rng, pictures[chosen]).reshape(n_steps, batch_size, 8, 8)
        return x, data.labels[chosen].reshape(n_steps, batch_size)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (first, first_bias, second, second_bias, head, head_bias), (x, labels) = parameters, batch
        hidden = _pooled(torch, torch.relu(_convolved(torch, x.unsqueeze(2), first, first_bias)))
        hidden = _pooled(torch, torch.relu(_convolved(torch, hidden, second, second_bias)))
        return cross_entropy(torch, linear(torch, hidden.flatten(2), head, head_bias), labels)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(kept, data.labels[n_train:]),
        held_out_loss=loss,
    )


def denoiser(width: float) -> Model:
    """Three convolutions that tell the noise in a patch of a picture; the loss is the share of noise that is left."""
    n_first, n_second = scaled(8, width), scaled(16, width)
    parts = [*_kernel(1, n_first), *_kernel(n_first, n_second), *_kernel(n_second, 1, role="head", gain=0.5)]
    patches, kept = (found.reshape(-1, PATCH, PATCH) for found in leaf_patches(PATCH, N_PATCHES_HELD_OUT))
    noise = np.random.default_rng(SEED).standard_normal(kept.shape, dtype=np.float32)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        chosen = patches[rng.integers(0, len(patches), size=(n_steps, batch_size))]
        return chosen, rng.standard_normal(chosen.shape, dtype=np.float32)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        picture, pollution = batch
        hidden = (picture + PATCH_NOISE * pollution).unsqueeze(2)
        for number in (0, 2):
            hidden = torch.relu(_convolved(torch, hidden, parameters[number], parameters[number + 1]))
        return mean_square(_convolved(torch, hidden, parameters[4], parameters[5]).squeeze(2) - pollution)

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(kept, noise),
        held_out_loss=loss,
    )


def text_convolution(width: float) -> Model:
    """Causal convolutions over text, each reaching twice as far (van den Oord et al. 2016, WaveNet)."""
    n = scaled(32, width)
    n_embedding = 16
    parts: list[Part] = [
        ((len(ALPHABET), n_embedding), "embedding", 0.5),
        *dense(2 * n_embedding, n, gain=2.0),
        *(part for _ in REACH[1:] for part in dense(2 * n, n, gain=RELU_GAIN)),
        *dense(n, len(ALPHABET), role="head"),
    ]
    batches, held_out = windows(PLACES + 1, 192)

    def loss(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        (table, *rest), (symbols,) = parameters, batch
        hidden = look_up(torch, table, symbols[..., :-1])
        for number, reach in enumerate(REACH):
            earlier = torch.nn.functional.pad(hidden, (0, 0, reach, 0))[..., :-reach, :]
            both = torch.cat([hidden, earlier], -1)
            fresh = linear(torch, both.flatten(1, 2), rest[2 * number], rest[2 * number + 1])
            fresh = torch.relu(fresh).view(*both.shape[:3], -1)
            hidden = fresh if number == 0 else hidden + fresh
        return cross_entropy(torch, linear(torch, hidden.flatten(1, 2), rest[-2], rest[-1]), symbols[..., 1:])

    return Model(
        layout=layout_of(parts),
        initial=partial(drawn, parts),
        batches=batches,
        loss=loss,
        held_out=(held_out,),
        held_out_loss=loss,
    )


def _kernel(n_inputs: int, n_outputs: int, *, role: Role = "hidden", gain: float = RELU_GAIN) -> list[Part]:
    return dense(KERNEL * n_inputs, n_outputs, role=role, gain=gain)


def _convolved(torch: Any, x: Any, kernel: Any, bias: Any) -> Any:
    """Pictures [E, B, channels, rows, columns] under each member's 3x3 kernels.

    On a card one convolution in E groups. On a processor one after the other: groups cost a tenth less there, but the
    last bits of a member would depend on how many others there are.
    """
    members, batch, channels, rows, columns = x.shape
    convolved, kernels = torch.nn.functional.conv2d, kernel.unflatten(2, (channels, 3, 3))
    if not x.is_cuda:
        return torch.stack([convolved(*one, padding=1) for one in zip(x, kernels, bias, strict=True)])
    beside = x.transpose(0, 1).reshape(batch, members * channels, rows, columns)
    together = convolved(beside, kernels.flatten(0, 1), bias.flatten(), padding=1, groups=members)
    return together.view(batch, members, -1, rows, columns).transpose(0, 1)


def _pooled(torch: Any, x: Any) -> Any:
    """Means of 2x2 pixels."""
    return torch.nn.functional.avg_pool2d(x.flatten(0, 1), 2).unflatten(0, x.shape[:2])


def _shifted(rng: np.random.Generator, pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each picture moved by up to a pixel in both directions, round the edge, and with fresh noise."""
    n = len(pictures)
    rows, columns = (rng.integers(-1, 2, size=n)[:, None] + np.arange(8) for _ in range(2))
    moved = pictures[np.arange(n)[:, None, None], rows[:, :, None] % 8, columns[:, None, :] % 8]
    noisy: npt.NDArray[np.float32] = moved + np.float32(DIGIT_NOISE) * rng.standard_normal((n, 8, 8), dtype=np.float32)
    return noisy


CONV_DIGITS = Task(
    name="conv_digits",
    about="convolutional network on shifted, noisy digits",
    suite="test",
    n_steps=200,
    batch_size=32,
    n_members=20,
    cost=1.0e-3,
    version=1,
    build=digits_convolution,
)

CONV_DENOISE = Task(
    name="conv_denoise",
    about="convolutional network that takes noise out of pictures: regression on images",
    suite="test",
    n_steps=200,
    batch_size=8,
    n_members=20,
    cost=1.3e-3,
    version=1,
    build=denoiser,
)

CONV_TEXT = Task(
    name="conv_text",
    about="causal convolutions over text",
    suite="validation",
    n_steps=200,
    batch_size=16,
    n_members=16,
    cost=1.0e-3,
    version=1,
    build=text_convolution,
)
