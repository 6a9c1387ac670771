"""The constants of a peer's program, fitted again in float64: least squares of relative residuals, then levelled.

Peers stop at least squares, some at float32 or without fitting constants at all. All their programs get this after
their seconds, so that the tables compare what was found and not how well its constants were finished.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from benchmarks.peers.task import FloatArray, Task, values_of
from evolve.symbolic.exchange import exchange, lawson
from sandbox.symbolic.program import Program

STEP = 1e-7


def refitted(program: Program, task: Task) -> Program:
    """The same instructions over constants whose largest relative error on the points is smaller, where possible."""
    if not program.constants or len(program.constants) > task.points.size:
        return program

    def residuals_of(constants: FloatArray) -> FloatArray:
        moved = replace(program, constants=tuple(map(float, constants)))
        return np.nan_to_num(values_of(moved, task.points) / task.values - 1.0, nan=1e30, posinf=1e30, neginf=-1e30)

    def derivatives_of(constants: FloatArray) -> FloatArray:
        steps = STEP * np.maximum(np.abs(constants), STEP)
        columns = []
        for k, step in enumerate(steps):
            up, down = constants.copy(), constants.copy()
            up[k], down[k] = up[k] + step, down[k] - step
            columns.append((residuals_of(up) - residuals_of(down)) / (2.0 * step))
        return np.column_stack(columns)

    def refit(constants: FloatArray, importance: FloatArray, iterations: int) -> None:
        root = np.sqrt(importance)
        fitted = least_squares(
            lambda c: residuals_of(c) * root,
            constants,
            jac=lambda c: derivatives_of(c) * root[:, None],
            method="lm",
            max_nfev=2 * iterations,
            xtol=1e-15, ftol=1e-15, gtol=1e-15,
        )  # fmt: skip
        constants[:] = fitted.x

    before = np.array(program.constants)
    with np.errstate(all="ignore"):
        after = lawson(before, task.points.size, residuals_of, refit)
        after = exchange(after, residuals_of, derivatives_of)
    better = np.abs(residuals_of(after)).max() < np.abs(residuals_of(before)).max()
    return replace(program, constants=tuple(map(float, after))) if better else program
