"""Noisy quadratics: the curvature is known, rotated and ill-conditioned; the gradients' noise is part of the batch."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluators.optimizers.task import Array, Model, Task, Tensors
from sandbox.update_rules.layout import Layout

Noise = Callable[[np.random.Generator, tuple[int, ...]], npt.NDArray[np.float64]]

SIDE = 24
CONDITION = 1e3
ROTATION_SEED = 20


def normal_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Standard normal noise."""
    return rng.standard_normal(shape)


def quadratic(width: float, *, noise: Noise, deviation: float) -> Model:
    """Loss tr(D' A D B) / 2 for a square matrix W that is D = W - W* away from the best, with A and B symmetric.

    The Hessian is the Kronecker product of A and B: its condition number is `CONDITION`, its eigenvectors lie across
    the axes. The gradient's noise has covariance proportional to the Hessian, as near the optimum of a regression. The
    loss is 1 at the start on average.

    The way from the start to W* is drawn for each seed, independent of the start: no rule gets nearer by shrinking or
    growing its weights.
    """
    side = max(2, round(SIDE * width))
    rng = np.random.default_rng(ROTATION_SEED)
    eigenvalues = np.logspace(0.0, -0.5 * np.log10(CONDITION), side)
    scale = 2.0 / eigenvalues.sum() ** 2
    bases = [np.linalg.qr(rng.standard_normal((side, side)))[0] for _ in range(2)]
    left, right = (((base * eigenvalues) @ base.T).astype(np.float32) for base in bases)
    left_root, right_root = ((base * np.sqrt(eigenvalues)) @ base.T for base in bases)

    def batches(rng: np.random.Generator, n_steps: int, batch_size: int) -> tuple[Array, ...]:
        drawn = left_root @ noise(rng, (n_steps, side, side)) @ right_root
        return (((deviation * scale / batch_size**0.5) * drawn).astype(np.float32),)

    def loss(_torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        pull, best = batch
        return exact(_torch, parameters, (best,)) + (pull * parameters[0]).sum((1, 2))

    def exact(torch: Any, parameters: Tensors, batch: Tensors) -> Any:
        away = parameters[0] - batch[0]
        a, b = (torch.as_tensor(matrix, dtype=away.dtype, device=away.device) for matrix in (left, right))
        return 0.5 * scale * (away * (a @ away @ b)).sum((1, 2))

    def slopes(torch: Any, parameters: Tensors, batch: Tensors) -> tuple[Any, Tensors]:
        pull, best = batch
        away = parameters[0] - best
        a, b = (torch.as_tensor(matrix, dtype=away.dtype, device=away.device) for matrix in (left, right))
        steepest = a @ away @ b * scale
        return 0.5 * (away * steepest).sum((1, 2)) + (pull * parameters[0]).sum((1, 2)), [steepest + pull]

    return Model(
        layout=Layout(shapes=((side, side),), roles=("hidden",)),
        initial=lambda rng: rng.standard_normal(side * side).astype(np.float32),
        batches=batches,
        loss=loss,
        held_out=(),
        held_out_loss=exact,
        slopes=slopes,
        own=lambda rng, initial: (_best(rng, initial).reshape(side, side),),
    )


def _best(rng: np.random.Generator, initial: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Where the loss is least, for a seed."""
    return initial + rng.standard_normal(initial.shape, dtype=np.float32)


QUAD_ROT = Task(
    name="quad_rot",
    about="rotated quadratic of condition 1000 with noise like its curvature: averaging of noise, rotation",
    suite="search",
    n_steps=200,
    batch_size=16,
    n_members=60,
    cost=1.6e-5,
    version=1,
    build=partial(quadratic, noise=normal_noise, deviation=4.0),
)
