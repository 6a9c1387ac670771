# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917, SIM109 compiled: flat arguments, long branches, plain loops
"""Levenberg-Marquardt on the constants of a linked program: reverse-mode derivatives, orthogonal factors.

Good constants lie at the end of long curved valleys, where plain steps crawl. Steps are therefore bent by half the
geodesic acceleration (Transtrum and Sethna 2012, https://arxiv.org/abs/1201.5885): starts for the constants of
a + b / (c / t + d + t), t = x + e / x that end at the best optimum for 2^x rose from 0.1 % to 4 %. For the rest see
More (1978), "The Levenberg-Marquardt algorithm: implementation and theory", https://doi.org/10.1007/BFb0067700
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from evolve.symbolic.kernel import compiled
from evolve.symbolic.lanes import dot, dot_vector, square_sum
from evolve.symbolic.tape import FloatArray, IntArray, backward, forward
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_SUB

FIRST_DAMPING = 1.0
LEAST_DAMPING = 1e-20
MOST_DAMPING = 1e12
LITTLE_GAIN = 1e-6
PROBE = 0.1
NOISE = 1e-4  # a step that raises the sum of squares by no more than this part may be rounding noise:
TOLERATED = 8  # so many of those are taken, since a valley's floor can be flatter than the noise
ACCELERATED_FROM = 3
LONGEST_LEAP = 0.5  # in parts of a constant in which the program is not linear


class Table(NamedTuple):
    """The points a fit sees, padded to a multiple of `lanes.LANES` with points of weight zero."""

    inputs: FloatArray  # (inputs, padded points)
    target: FloatArray
    weights: FloatArray


class Workspace(NamedTuple):
    """Arrays that fits write into; allocated once a burst."""

    tape: IntArray  # (operations, 3): opcode, left row, right row
    values: FloatArray  # (rows, points)
    adjoints: FloatArray
    residual: FloatArray  # (points,)
    held_residual: FloatArray
    factor: FloatArray  # (constants, points): orthonormal rows
    triangle: FloatArray  # (constants, constants)
    damped: FloatArray
    cosine: FloatArray  # (constants, constants): the rotations that damp
    sine: FloatArray
    projection: FloatArray  # (constants,): the residual in the orthonormal rows
    damped_projection: FloatArray
    diagonal: FloatArray
    scale: FloatArray
    step: FloatArray
    trial: FloatArray
    velocity: FloatArray
    curvature: FloatArray
    linear: IntArray  # (rows,)
    error: FloatArray  # [0]: the largest error after a fit
    ticks: IntArray  # [0] counts the work done, [1] the iterations of fits


def allocate(n_inputs: int, max_operations: int, n_points: int) -> Workspace:
    """Room for programs of `max_operations` operations; constants fill at most two operands of each."""
    n_constants = 2 * max_operations
    rows = n_inputs + max_operations + n_constants
    return Workspace(
        tape=np.zeros((max_operations, 3), np.int64),
        values=np.zeros((rows, n_points)),
        adjoints=np.zeros((rows, n_points)),
        residual=np.zeros(n_points),
        held_residual=np.zeros(n_points),
        factor=np.zeros((n_constants, n_points)),
        triangle=np.zeros((n_constants, n_constants)),
        damped=np.zeros((n_constants, n_constants)),
        cosine=np.zeros((n_constants, n_constants)),
        sine=np.zeros((n_constants, n_constants)),
        projection=np.zeros(n_constants),
        damped_projection=np.zeros(n_constants),
        diagonal=np.zeros(n_constants),
        scale=np.zeros(n_constants),
        step=np.zeros(n_constants),
        trial=np.zeros(n_constants),
        velocity=np.zeros(n_constants),
        curvature=np.zeros(n_constants),
        linear=np.zeros(rows, np.int64),
        error=np.zeros(1),
        ticks=np.zeros(2, np.int64),
    )


@compiled
def evaluate(work: Workspace, n: int, n_constants: int, constants: FloatArray, table: Table) -> float:
    """Residuals of the linked program into `work.residual`; returns their sum of squares (inf if not finite)."""
    n_inputs, n_points = table.inputs.shape
    first = n_inputs + n
    values = work.values
    for k in range(n_constants):
        c = constants[k]
        for p in range(n_points):
            values[first + k, p] = c
    forward(work.tape, n, n_inputs, values, n_points)
    residual, last = work.residual, n_inputs + n - 1
    for p in range(n_points):
        residual[p] = (values[last, p] - table.target[p]) * table.weights[p]
    total = square_sum(residual, n_points)
    return total if total < np.inf else np.inf


@compiled
def differentiate(work: Workspace, n: int, n_constants: int, table: Table) -> None:
    """Derivatives of the residuals by each constant, into the constants' rows of `work.adjoints`."""
    n_inputs, n_points = table.inputs.shape
    adjoints = work.adjoints
    last = n_inputs + n - 1
    for row in range(n_inputs + n + n_constants):
        for p in range(n_points):
            adjoints[row, p] = 0.0
    for p in range(n_points):
        adjoints[last, p] = table.weights[p]
    backward(work.tape, n, n_inputs, work.values, adjoints, n_points)


@compiled
def _drop_singular(adjoints: FloatArray, row: int, n_points: int) -> float:
    """Zero the derivatives that are not finite and return the norm of the rest.

    A value may pass through infinity and come back, as 1 / (x + 1 / x) does at 0; its derivative there is 0 in the
    limit and NaN in arithmetic.
    """
    for p in range(n_points):
        if not abs(adjoints[row, p]) < np.inf:
            adjoints[row, p] = 0.0
    return sqrt(dot(adjoints, row, adjoints, row, n_points))


@compiled
def factorise(work: Workspace, first: int, n_constants: int, n_points: int) -> bool:
    """Modified Gram-Schmidt of the derivatives, the residual treated as one more column. False if not finite."""
    q, r, rhs, adjoints, residual = work.factor, work.triangle, work.projection, work.adjoints, work.residual
    for k in range(n_constants):
        norm = sqrt(dot(adjoints, first + k, adjoints, first + k, n_points))
        if not norm < np.inf:
            norm = _drop_singular(adjoints, first + k, n_points)
            if not norm < np.inf:
                return False
        scale = 1.0 / norm if norm > 0.0 else 0.0
        work.scale[k] = scale
        for p in range(n_points):
            q[k, p] = adjoints[first + k, p] * scale
    for k in range(n_constants):
        norm = sqrt(dot(q, k, q, k, n_points))
        r[k, k] = norm
        inverse = 1.0 / norm if norm > 1e-15 else 0.0
        for p in range(n_points):
            q[k, p] *= inverse
        for j in range(k + 1, n_constants):
            product = dot(q, k, q, j, n_points)
            r[k, j] = product
            for p in range(n_points):
                q[j, p] -= product * q[k, p]
        product = dot_vector(q, k, residual, n_points)
        rhs[k] = product
        for p in range(n_points):
            residual[p] -= product * q[k, p]
    return True


@compiled
def damp(work: Workspace, n_constants: int, damping: float) -> None:
    """Turn the triangle and a diagonal of sqrt(damping) into one triangle, and keep the rotations that do it."""
    u, row, root = work.damped, work.diagonal, sqrt(damping)
    for i in range(n_constants):
        for j in range(i, n_constants):
            u[i, j] = work.triangle[i, j]
    for k in range(n_constants):
        for j in range(k, n_constants):
            row[j] = 0.0
        row[k] = root
        for i in range(k, n_constants):
            c, s = 1.0, 0.0
            if row[i] != 0.0:
                length = sqrt(u[i, i] * u[i, i] + row[i] * row[i])
                c, s = u[i, i] / length, row[i] / length
                u[i, i] = length
                for j in range(i + 1, n_constants):
                    upper, lower = u[i, j], row[j]
                    u[i, j] = c * upper + s * lower
                    row[j] = c * lower - s * upper
            work.cosine[k, i], work.sine[k, i] = c, s


@compiled
def damped_step(work: Workspace, projection: FloatArray, n_constants: int) -> None:
    """The step that minimises |R s + z|^2 + damping |s|^2 in scaled constants, into `work.step` (unscaled).

    The damping is the one that `damp` was last called with.
    """
    u, z = work.damped, work.damped_projection
    for i in range(n_constants):
        z[i] = projection[i]
    for k in range(n_constants):
        zk = 0.0
        for i in range(k, n_constants):
            c, s, upper = work.cosine[k, i], work.sine[k, i], z[i]
            z[i] = c * upper + s * zk
            zk = c * zk - s * upper
    for i in range(n_constants - 1, -1, -1):
        total = -z[i]
        for j in range(i + 1, n_constants):
            total -= u[i, j] * work.step[j]
        work.step[i] = total / u[i, i] if u[i, i] > 0.0 else 0.0
    for i in range(n_constants):
        work.step[i] *= work.scale[i]


@compiled
def _second_derivative(work: Workspace, first: int, n_constants: int, n_points: int) -> None:
    """Second derivative of the residuals along `work.velocity`, from a probe, projected like a residual."""
    residual = work.residual
    for p in range(n_points):
        residual[p] = (residual[p] - work.held_residual[p]) / PROBE
    for k in range(n_constants):
        velocity = work.velocity[k]
        for p in range(n_points):
            residual[p] -= velocity * work.adjoints[first + k, p]
    for p in range(n_points):
        residual[p] *= 2.0 / PROBE
    for k in range(n_constants):
        product = dot_vector(work.factor, k, residual, n_points)
        work.curvature[k] = product
        for p in range(n_points):
            residual[p] -= product * work.factor[k, p]


@compiled
def _bend(work: Workspace, n_constants: int) -> None:
    """Add half the acceleration (in `work.step`) to the velocity, unless it is too large to be trusted."""
    speed, bend = 0.0, 0.0
    for k in range(n_constants):
        speed += (work.velocity[k] / work.scale[k]) ** 2 if work.scale[k] > 0.0 else 0.0
        bend += (work.step[k] / work.scale[k]) ** 2 if work.scale[k] > 0.0 else 0.0
    share = 0.5 if bend <= 0.5625 * speed else 0.0
    for k in range(n_constants):
        work.step[k] = work.velocity[k] + (share * work.step[k] if share > 0.0 else 0.0)


@compiled
def mark_linear(tape: IntArray, n: int, first: int, n_constants: int, rows: IntArray) -> bool:
    """Whether there are constants in which the output is jointly affine; `rows` is 1 at the rows of those constants."""
    for row in range(first + n + n_constants):
        rows[row] = 0  # 0: not reached from the output, 1: reached through affine steps only, 2: reached otherwise
    rows[first + n - 1] = 1
    for i in range(n - 1, -1, -1):
        code, a, b, mark = tape[i, 0], tape[i, 1], tape[i, 2], rows[first + i]
        left, right = 2, 2
        if mark == 1 and (code == OP_ADD or code == OP_SUB):
            left, right = 1, 1
        elif mark == 1 and code == OP_MUL and b >= first + n:
            right = 1
        elif mark == 1 and code == OP_DIV:
            left = 1
        rows[a] = max(rows[a], left)
        rows[b] = max(rows[b], right)
    found = False
    for row in range(first + n, first + n + n_constants):
        found = found or rows[row] == 1
    return found


@compiled
def fit(
    work: Workspace,
    n: int,
    n_constants: int,
    constants: FloatArray,
    table: Table,
    max_iterations: int,
    projecting: bool,
) -> float:
    """Improve `constants` in place for the program linked in `work.tape`; returns the sum of squares reached.

    `work.error[0]` is then the largest error. With `projecting` the first step sets the constants in which the
    program is linear to their best values, the others held.
    """
    n_inputs, n_points = table.inputs.shape
    first = n_inputs + n
    trial, linear = work.trial, work.linear
    projecting = projecting and mark_linear(work.tape, n, n_inputs, n_constants, linear)
    for k in range(n_constants):
        trial[k] = constants[k]
    cost, damping, growth, iteration = np.inf, FIRST_DAMPING, 4.0, 0
    probing, tolerated = False, 0
    while True:
        new_cost = evaluate(work, n, n_constants, trial, table)
        work.ticks[0] += 20 + 6 * n
        projected = projecting and iteration == 1
        if probing:
            _second_derivative(work, first, n_constants, n_points)
        elif new_cost < cost or (new_cost < cost * (1.0 + NOISE) and tolerated < TOLERATED):
            tolerated += 0 if new_cost < cost else 1
            little = cost < np.inf and cost - new_cost < LITTLE_GAIN * cost
            finished = little and damping <= LEAST_DAMPING
            if cost < np.inf and not projected:
                damping, growth = max(damping * (1e-3 if little else 0.15), LEAST_DAMPING), 4.0
            cost = new_cost
            worst = 0.0
            for p in range(n_points):
                worst = max(worst, abs(work.residual[p]))
                work.held_residual[p] = work.residual[p]
            work.error[0] = worst
            for k in range(n_constants):
                constants[k] = trial[k]
            if finished or iteration >= max_iterations or n_constants == 0:
                return cost
            work.ticks[0] += 20 * n + 6 * n_constants * n_constants
            differentiate(work, n, n_constants, table)
            if projecting and iteration == 0:
                for k in range(n_constants):
                    if linear[first + k] != 1:
                        for p in range(n_points):
                            work.adjoints[first + k, p] = 0.0
            if not factorise(work, first, n_constants, n_points):
                return cost
        elif cost == np.inf or iteration >= max_iterations or damping > MOST_DAMPING:
            return cost
        elif projected:  # no gain from the linear constants: start again without that step
            projecting, cost = False, np.inf
            for k in range(n_constants):
                trial[k] = constants[k]
            continue
        else:
            damping *= growth
            growth *= 2.0
        if not probing:
            damp(work, n_constants, LEAST_DAMPING if projecting and iteration == 0 else damping)
        damped_step(work, work.curvature if probing else work.projection, n_constants)
        if not probing and iteration >= ACCELERATED_FROM:
            for k in range(n_constants):
                work.velocity[k] = work.step[k]
                trial[k] = constants[k] + PROBE * work.step[k]
            probing = True
            continue
        if probing:
            _bend(work, n_constants)
            probing = False
        moved = False
        for k in range(n_constants):
            trial[k] = constants[k] + work.step[k]
            moved = moved or trial[k] != constants[k]
        if not moved:
            return cost
        iteration += 1
        work.ticks[1] += 1


@compiled
def leap(work: Workspace, n: int, n_constants: int, constants: FloatArray, table: Table, steps: int) -> float:
    """Improve `constants` in place by undamped Gauss-Newton steps; returns the sum of squares of the best point met.

    Errors may rise on the way. A good fit lies in a valley so narrow and curved that every step which does not leave it
    is tiny; leaving it, and falling back into it further on, takes a handful of steps where a method that only goes
    down takes thousands (Grippo, Lampariello and Lucidi 1986, https://doi.org/10.1137/0723046).
    """
    n_inputs, n_points = table.inputs.shape
    trial, linear, best, last = work.trial, work.linear, np.inf, np.inf
    mark_linear(work.tape, n, n_inputs, n_constants, linear)
    for k in range(n_constants):
        trial[k] = constants[k]
    for step in range(steps + 1):
        cost = evaluate(work, n, n_constants, trial, table)
        work.ticks[0] += 20 + 6 * n
        if not cost < np.inf:
            break
        if cost < best:
            best, worst = cost, 0.0
            for p in range(n_points):
                worst = max(worst, abs(work.residual[p]))
            work.error[0] = worst
            for k in range(n_constants):
                constants[k] = trial[k]
        if step == steps or abs(cost - last) < LITTLE_GAIN * cost:
            break
        last = cost
        work.ticks[1] += 1
        work.ticks[0] += 20 * n + 4 * n_constants * n_constants
        differentiate(work, n, n_constants, table)
        if not factorise(work, n_inputs + n, n_constants, n_points):
            break
        damp(work, n_constants, LEAST_DAMPING)
        damped_step(work, work.projection, n_constants)
        longest = 1.0
        for k in range(n_constants):
            if trial[k] != 0.0 and linear[n_inputs + n + k] != 1:
                longest = max(longest, abs(work.step[k] / trial[k]) / LONGEST_LEAP)
        for k in range(n_constants):
            trial[k] += work.step[k] / longest
    return best
