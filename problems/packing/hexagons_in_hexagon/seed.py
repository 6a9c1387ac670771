"""Unit hexagons in a hexagon: a part of the honeycomb."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """The cells of a honeycomb that are nearest to a point."""
    i, j = np.meshgrid(np.arange(-5, 6), np.arange(-5, 6))
    x = 1.5 * i.ravel()
    y = 3.0**0.5 * (j + i / 2).ravel()
    order = np.argsort((x - 0.3) ** 2 + (y - 0.2) ** 2, kind="stable")[:n]
    inner = np.column_stack([x[order], y[order], np.zeros(n)])
    return {"inner": inner, "outer": [float(x[order].mean()), float(y[order].mean()), 30.0]}


# EVOLVE-BLOCK-END
