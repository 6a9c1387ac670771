"""From a fit target to the padded tables that compiled code reads."""

import numpy as np

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.lanes import LANES
from evolve.symbolic.least_squares import Table
from evolve.symbolic.tape import FloatArray

SEARCH_POINTS = 40
CHECK_POINTS = 1021


def search_table(target: FitTarget) -> Table:
    """About `SEARCH_POINTS` of the target's points, evenly chosen."""
    n = target.values.size
    if n <= SEARCH_POINTS + LANES:
        return full_table(target)
    chosen = np.round(np.linspace(0, n - 1, SEARCH_POINTS)).astype(np.int64)
    return _table(np.atleast_2d(target.points)[:, chosen], target.values[chosen], target.scale[chosen])


def full_table(target: FitTarget) -> Table:
    """All points of the target."""
    return _table(np.atleast_2d(target.points), target.values, target.scale)


def blank_like(table: Table) -> Table:
    """A table over the same points whose target and weights may be overwritten."""
    return Table(table.inputs, table.target.copy(), table.weights.copy())


def _table(points: FloatArray, values: FloatArray, weights: FloatArray) -> Table:
    extra = -values.size % LANES
    return Table(
        np.ascontiguousarray(np.pad(points.astype(np.float64), ((0, 0), (0, extra)), mode="edge")),
        np.pad(values.astype(np.float64), (0, extra), mode="edge"),
        np.pad(weights.astype(np.float64), (0, extra)),
    )


def check_band(target: FitTarget) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Points between the target's points, and the band in which a program without poles stays there.

    Empty for more than one input.
    """
    if target.points.ndim == 2 and target.points.shape[0] > 1:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    x = np.atleast_2d(target.points)[0]
    order = np.argsort(x)
    x, y = x[order], target.values[order]
    between = np.linspace(x[0], x[-1], CHECK_POINTS)
    cell = np.clip(np.searchsorted(x, between, side="right") - 1, 0, x.size - 2)
    low, high = np.minimum(y[cell], y[cell + 1]), np.maximum(y[cell], y[cell + 1])
    slack = 2.0 * (high - low) + 1e-3 * np.abs(y).max()
    return between, low - slack, high + slack
