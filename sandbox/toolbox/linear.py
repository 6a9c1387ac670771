"""Linear programs, through HiGHS."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, vstack

FloatArray = npt.NDArray[np.float64]
TOLERANCE = 1e-10


def highest(
    gains: FloatArray, matrix: csr_array, limits: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray | None:
    """The point between `low` and `high` with `matrix @ point <= limits` and the largest `gains @ point`, or None.

    Feasible to 1e-10, the least that HiGHS offers: whoever needs it exact repairs the answer.
    """
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
    values: FloatArray, slopes: csr_array, walls: tuple[csr_array, FloatArray] | None, trust: float
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
    reach = trust * abs(slopes).sum(axis=1)
    matters = values - reach <= (values + reach).min()  # the others cannot become the least
    values, slopes = values[matters], slopes[np.flatnonzero(matters)]
    m, n = slopes.shape
    matrix = hstack([-slopes, csr_array(np.ones((m, 1)))])
    limits = values
    if walls is not None:
        matrix = vstack([matrix, hstack([walls[0], csr_array((walls[0].shape[0], 1))])])
        limits = np.concatenate([values, walls[1]])
    gains = np.zeros(n + 1)
    gains[n] = 1.0
    low, high = np.full(n + 1, -trust), np.full(n + 1, trust)
    low[n], high[n] = -np.inf, np.inf
    answer = highest(gains, csr_array(matrix), limits, low, high)
    return None if answer is None else (answer[:n], float(answer[n]))
