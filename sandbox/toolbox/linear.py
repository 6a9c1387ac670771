"""Linear programs: our compiled simplex method for small ones whose variables have bounds, HiGHS for the others."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_array

from sandbox.toolbox.simplex import OPTIMAL, solve

FloatArray = npt.NDArray[np.float64]
TOLERANCE = 1e-10
SMALL = 2_000_000
"""Entries of a matrix up to which the compiled method is the faster one."""


def highest(
    gains: FloatArray, matrix: FloatArray | csr_array, limits: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray | None:
    """The point between `low` and `high` with `matrix @ point <= limits` and the largest `gains @ point`, or None.

    Feasible to about 1e-10: whoever needs it exact repairs the answer.
    """
    if matrix.shape[0] * matrix.shape[1] <= SMALL and np.isfinite(low).all() and np.isfinite(high).all():
        dense = np.ascontiguousarray(matrix if isinstance(matrix, np.ndarray) else matrix.toarray(), np.float64)
        answer, limits = np.empty(len(gains)), np.ascontiguousarray(limits, np.float64)
        status = solve(np.asarray(gains, np.float64), dense, limits, np.vstack([low, high]), answer)
        if status == OPTIMAL and (dense @ answer - limits).max(initial=0.0) <= TOLERANCE * (
            1.0 + np.abs(limits).max(initial=0.0)
        ):
            return answer
    return _highest_by_highs(gains, matrix, limits, low, high)


def _highest_by_highs(
    gains: FloatArray, matrix: FloatArray | csr_array, limits: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray | None:
    answer = linprog(
        -gains,
        A_ub=matrix,
        b_ub=limits,
        bounds=np.column_stack([low, high]),
        method="highs-ds",
        options={"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE},
    )
    return None if answer.status != 0 else np.asarray(answer.x, np.float64)


def least_raised(
    values: FloatArray, slopes: FloatArray, walls: tuple[FloatArray, FloatArray] | None, trust: float
) -> tuple[FloatArray, float] | None:
    """The move of at most `trust` in each coordinate that raises the least of `values + slopes @ move` most.

    Args:
        values: shape (m,).
        slopes: shape (m, n), their derivatives.
        walls: a matrix and limits: `matrix @ move <= limits`.
        trust: the largest move of a coordinate.

    Returns:
        the move, shape (n,), and the least value that the linear model promises; None if there is none.
    """
    reach = trust * np.abs(slopes).sum(axis=1)
    ceiling = (values + reach).min()
    matters = values - reach <= ceiling  # the others cannot become the least
    values, slopes, least = values[matters], slopes[matters], values.min()
    (m, n), n_walls = slopes.shape, 0 if walls is None else len(walls[0])
    scale = max(trust * float(np.abs(slopes).max()), 1e-300)
    # In units of the trust region, so that small moves are found as exactly as large ones.
    matrix, limits = np.zeros((m + n_walls, n + 1)), np.empty(m + n_walls)
    np.multiply(slopes, -trust / scale, out=matrix[:m, :n])
    matrix[:m, n] = 1.0
    limits[:m] = (values - least) / scale
    if walls is not None:
        matrix[m:, :n] = walls[0]
        limits[m:] = walls[1] / trust
    gains, low, high = np.zeros(n + 1), np.full(n + 1, -1.0), np.ones(n + 1)
    gains[n] = 1.0
    high[n] = max((ceiling - least) / scale, 1.0)
    answer = highest(gains, matrix, limits, low, high)
    return None if answer is None else (trust * answer[:n], float(least) + scale * float(answer[n]))
