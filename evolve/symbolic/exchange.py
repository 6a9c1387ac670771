"""Levelling: from least squares to the smallest largest error.

First the points' weights follow their errors (Lawson 1961), which is robust and slow; the last few percent are Newton
steps of a Remez exchange on the error's alternating extremes, bent by half their geodesic acceleration.
"""

from collections.abc import Callable

import numpy as np

from evolve.symbolic.tape import FloatArray

FIRST_ITERATIONS = 40
ITERATIONS_PER_ROUND = 3
LAWSON_ROUNDS = 12
EXCHANGE_STEPS = 10
SMALLEST_GAIN = 1e-4
PROBE = 0.1
SMALLEST_ERROR = float(np.finfo(np.float64).tiny)  # below it quotients of errors lose their bits: as good as zero

ResidualsOf = Callable[[FloatArray], FloatArray]
DerivativesOf = Callable[[FloatArray], FloatArray]
Refit = Callable[[FloatArray, FloatArray, int], None]


def lawson(constants: FloatArray, n_points: int, residuals_of: ResidualsOf, refit: Refit) -> FloatArray:
    """The best constants met while weights follow errors.

    `refit` improves constants in place, by least squares with the given weights and number of iterations.
    """
    importance = np.ones(n_points)
    constants = constants.copy()
    refit(constants, importance, FIRST_ITERATIONS)
    best, least = constants.copy(), np.inf
    for _ in range(LAWSON_ROUNDS):
        sizes = np.abs(residuals_of(constants))
        worst = float(sizes.max())
        if worst < least:
            best, least = constants.copy(), worst
        if not np.isfinite(worst) or worst < SMALLEST_ERROR:
            break
        importance = importance * sizes / worst
        importance = np.maximum(importance / importance.mean(), 1e-12)
        refit(constants, importance, ITERATIONS_PER_ROUND)
    return best


def exchange(constants: FloatArray, residuals_of: ResidualsOf, derivatives_of: DerivativesOf) -> FloatArray:
    """Constants with a smaller largest error, found from `constants` by exchange steps; never worse.

    `residuals_of` answers signed errors in the order of the points, `derivatives_of` one column for each constant.
    """
    residuals = residuals_of(constants)
    worst = float(np.abs(residuals).max())
    for _ in range(EXCHANGE_STEPS):
        derivatives = derivatives_of(constants)
        if not (np.isfinite(worst) and worst >= SMALLEST_ERROR and np.isfinite(derivatives).all()):
            break
        solve = _levelling(residuals, derivatives)
        velocity = solve(residuals)
        probe = residuals_of(constants + PROBE * velocity)
        acceleration = solve(2.0 / PROBE * ((probe - residuals) / PROBE - derivatives @ velocity))
        if not np.isfinite(acceleration).all():
            acceleration = np.zeros_like(velocity)
        for part in (1.0, 0.5, 0.2):
            moved = constants + part * velocity + 0.5 * part * part * acceleration
            moved_residuals = residuals_of(moved)
            moved_worst = float(np.abs(moved_residuals).max())
            if moved_worst < worst * (1.0 - SMALLEST_GAIN):
                constants, residuals, worst = moved, moved_residuals, moved_worst
                break
        else:
            break
    return constants


def _levelling(residuals: FloatArray, derivatives: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Solves for the step that makes given errors, changing to first order, equal in size at the extremes."""
    chosen = _alternating_extremes(residuals, most=derivatives.shape[1] + 1)
    scale = np.linalg.norm(derivatives, axis=0)
    scale[scale == 0.0] = 1.0
    level = np.abs(residuals).max()
    system = np.column_stack([derivatives[chosen] / scale / level, -np.sign(residuals[chosen])])

    def solve(errors: FloatArray) -> FloatArray:
        if not np.isfinite(errors[chosen]).all():
            return np.full(scale.size, np.nan)
        solution: FloatArray = np.linalg.lstsq(system, -errors[chosen] / level, rcond=1e-13)[0]
        step: FloatArray = solution[:-1] / scale
        return step

    return solve


def _alternating_extremes(residuals: FloatArray, *, most: int) -> list[int]:
    """The largest error of each run of one sign; of too many, the neighbours whose smallest is largest."""
    runs = np.split(np.arange(residuals.size), np.flatnonzero(np.diff(np.sign(residuals)) != 0) + 1)
    extremes = [int(run[np.argmax(np.abs(residuals[run]))]) for run in runs]
    if len(extremes) <= most:
        return extremes
    sizes = np.abs(residuals[extremes])
    windows = range(len(extremes) - most + 1)
    first = max(windows, key=lambda start: float(sizes[start : start + most].min()))
    return extremes[first : first + most]
