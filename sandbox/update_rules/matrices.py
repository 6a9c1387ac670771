"""What the matrix words agree on, whatever arrays they work on."""

import math
from typing import Final

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
