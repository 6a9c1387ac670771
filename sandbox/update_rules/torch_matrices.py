"""The matrix words of update rules over torch tensors [E, r, r]. Importing this module needs torch."""

import math

import torch
from torch import Tensor

from sandbox.symbolic.reals import SMALLEST_DIVISOR
from sandbox.update_rules.matrices import DAMPING, MAX_SIDE, NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS


def gram_of(a: Tensor) -> Tensor:
    """The matrices times themselves transposed; empty ones where a side is too long."""
    return a @ a.mT if a.shape[1] <= MAX_SIDE else a.new_zeros((len(a), 0, 0))


def orthogonal_of(a: Tensor) -> Tensor:
    """Newton-Schulz steps from an `a` with an rms of at most 1."""
    rows, columns = a.shape[1:]
    x = (a if rows <= columns else a.mT) / math.sqrt(rows * columns)
    first, second, third = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        polynomial = torch.baddbmm(gram, gram, gram, beta=second, alpha=third)
        x = torch.baddbmm(x, polynomial, x, beta=first)
    x = x if rows <= columns else x.mT
    return x * math.sqrt(max(rows, columns))


def bases(gram: list[Tensor], old: list[Tensor], t: float) -> list[Tensor]:
    """Eigenvectors by falling eigenvalue at the first step, later a step of orthogonal iteration from the old ones."""
    if t <= 1.0:
        return [_eigen(a)[1].flip(2) for a in gram]
    return [torch.linalg.qr(_finite(a @ q))[0] for a, q in zip(gram, old, strict=True)]


def inverse_roots(gram: list[Tensor], _: list[Tensor], __: float) -> list[Tensor]:
    """The inverse fourth root of every matrix."""
    return [_inverse_root(a) for a in gram]


def _inverse_root(a: Tensor) -> Tensor:
    if not a.shape[1]:
        return a
    values, vectors = _eigen(a)
    values = values.clamp(min=0.0)
    damped = (values + DAMPING * values.amax(1, keepdim=True)).clamp(min=SMALLEST_DIVISOR)
    return (vectors * damped.sqrt().sqrt().reciprocal()[:, None, :]) @ vectors.mT


def _finite(a: Tensor) -> Tensor:
    """A member that diverged must not stop the others: its numbers count as zero here, elsewhere they stay."""
    return torch.nan_to_num(a, nan=0.0, posinf=0.0, neginf=0.0)


def _eigen(a: Tensor) -> tuple[Tensor, Tensor]:
    if not a.shape[1]:
        return a.sum(2), a
    try:
        values, vectors = torch.linalg.eigh(_finite(a))
        return values, vectors
    except torch.linalg.LinAlgError:
        members = [_eigen_alone(member) for member in a]
        return torch.stack([values for values, _ in members]), torch.stack([vectors for _, vectors in members])


def _eigen_alone(a: Tensor) -> tuple[Tensor, Tensor]:
    """One member's; no numbers at all where the algorithm does not converge."""
    try:
        values, vectors = torch.linalg.eigh(_finite(a))
        return values, vectors
    except torch.linalg.LinAlgError:
        return torch.full_like(a[0], math.nan), torch.full_like(a, math.nan)
