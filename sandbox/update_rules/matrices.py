"""What the matrix words agree on, whatever arrays they work on."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

NEWTON_SCHULZ: Final = (3.4445, -4.7750, 2.0315)
"""Coefficients of x <- a x + b (x x') x + c (x x')^2 x, which sends all singular values near 1 (Jordan et al. 2024,
Muon, https://kellerjordan.github.io/posts/muon/)."""

NEWTON_SCHULZ_STEPS: Final = 5

REFRESH_PERIOD: Final = 10
"""`basis` and `inverse_root` are computed anew at steps 1, 11, 21, ..."""

DAMPING: Final = 1e-6
"""What `inverse_root` adds to every eigenvalue, as a part of the largest one."""

MAX_SIDE: Final = 2048
"""A parameter with more rows (columns) has no left (right) matrix: products leave it as it is."""


def is_refreshed(t: float) -> bool:
    """Whether step `t` computes the slow matrices anew; a `t` that is no number does not."""
    return math.isfinite(t) and (t <= 1.0 or math.floor(t - 1.0) % REFRESH_PERIOD == 0)


def refreshed(
    compute: Callable[[list[Any], list[Any], float], list[Any]],
    gram: list[Any],
    old: list[Any],
    t: Any,
    join: Callable[[Sequence[Any]], Any],
) -> list[Any]:
    """The slow matrices at the steps that compute them; with one step number per member each has its own.

    `join` puts the members of a matrix together again.
    """
    if isinstance(t, float):
        return compute(gram, old, t) if is_refreshed(t) else old
    members = []
    for k, step in enumerate(t.ravel().tolist()):
        mine = [[a[k : k + 1] for a in matrices] for matrices in (gram, old)]
        members.append(compute(mine[0], mine[1], step) if is_refreshed(step) else mine[1])
    return [join(parts) for parts in zip(*members, strict=True)]
