"""The matrix words of update rules over numpy arrays [E, r, r]."""

import math

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.reals import SMALLEST_DIVISOR
from sandbox.update_rules.matrices import DAMPING, MAX_SIDE, NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS

Array = npt.NDArray[np.float64]


def gram_of(a: Array) -> Array:
    """The matrices times themselves transposed; empty ones where a side is too long."""
    if a.shape[1] > MAX_SIDE:
        return np.zeros((len(a), 0, 0))
    return np.asarray(a @ a.swapaxes(1, 2))


def orthogonal_of(a: Array) -> Array:
    """Newton-Schulz steps from an `a` with an rms of at most 1."""
    rows, columns = a.shape[1:]
    x = a if rows <= columns else a.swapaxes(1, 2)
    x = x / math.sqrt(rows * columns)
    first, second, third = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.swapaxes(1, 2)
        x = first * x + (second * gram + third * gram @ gram) @ x
    x = x if rows <= columns else x.swapaxes(1, 2)
    return np.asarray(x * math.sqrt(max(rows, columns)))


def bases(gram: list[Array], old: list[Array], t: float) -> list[Array]:
    """Eigenvectors by falling eigenvalue at the first step, later a step of orthogonal iteration from the old ones."""
    if t <= 1.0:
        return [_eigen(a)[1][..., ::-1] for a in gram]
    return [np.linalg.qr(_finite(a @ q))[0] for a, q in zip(gram, old, strict=True)]


def inverse_roots(gram: list[Array], _: list[Array], __: float) -> list[Array]:
    """The inverse fourth root of every matrix."""
    return [_inverse_root(a) for a in gram]


def _inverse_root(a: Array) -> Array:
    values, vectors = _eigen(a)
    if not a.shape[1]:
        return a
    values = np.maximum(values, 0.0)
    damped = np.maximum(values + DAMPING * values.max(1, keepdims=True), SMALLEST_DIVISOR)
    return np.asarray((vectors * damped[:, None, :] ** -0.25) @ vectors.swapaxes(1, 2))


def _finite(a: Array) -> Array:
    """A member that diverged must not stop the others: its numbers count as zero here, elsewhere they stay."""
    return np.nan_to_num(a, nan=0.0, posinf=0.0, neginf=0.0)


def _eigen(a: Array) -> tuple[Array, Array]:
    if not a.shape[1]:
        return a.sum(2), a
    members = [_eigen_alone(member) for member in _finite(a)]
    return np.stack([values for values, _ in members]), np.stack([vectors for _, vectors in members])


def _eigen_alone(a: Array) -> tuple[Array, Array]:
    """One member's; no numbers at all where the algorithm does not converge."""
    try:
        values, vectors = np.linalg.eigh(a)
        return values, vectors
    except np.linalg.LinAlgError:
        return np.full(len(a), math.nan), np.full(a.shape, math.nan)
