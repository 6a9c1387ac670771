# ruff: noqa: C901, PLR0912, PLR0913, PLR0917 compiled: flat arguments, long branches, plain loops
"""Continuing a program as a continued fraction in one of its values.

Rational functions are the one family of programs whose constants a linear fit finds, whatever their number. With
two values u and t of a program, u * R(t) or u / R(t) is fitted to the target, R first as a quotient of polynomials by
least squares that are weighted anew by the last denominator (Sanathanan and Koerner 1963,
https://doi.org/10.1109/TAC.1963.1105517), and written by Euclid's algorithm as p(t) + b / (t + c + e / (t + d + ...)):
three operations for two constants. A fit of all constants then starts where no random start would be.
"""

import numpy as np

from evolve.symbolic.kernel import compiled
from evolve.symbolic.least_squares import Table, Workspace, damp, damped_step, evaluate, factorise
from evolve.symbolic.moves import Grammar
from evolve.symbolic.normal_form import CONSTANT
from evolve.symbolic.randomness import RandomState, below, uniform
from evolve.symbolic.tape import FloatArray, IntArray
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL

MOST_COEFFICIENTS = 12
MOST_DEGREE = 2
REWEIGHTINGS = 4
ALONE = 0.25  # how often R stands alone,
OVER = 0.4  # and how often another value is divided by it instead of multiplied
FULL = 0.5  # how often there are as many levels as there is room for


@compiled
def _needed(code: IntArray, n: int, n_inputs: int, one: int, other: int, marks: IntArray) -> int:
    """How many instructions two registers depend on."""
    needed = marks[0]
    for i in range(n):
        needed[i] = 1 if n_inputs + i in (one, other) else 0
    count = 0
    for i in range(n - 1, -1, -1):
        if needed[i] == 1:
            count += 1
            for side in (1, 2):
                if code[i, side] >= n_inputs:
                    needed[code[i, side] - n_inputs] = 1
    return count


@compiled
def _quotient(work: Workspace, table: Table, t: int, u: int, over: bool, m: int, k: int) -> tuple[float, float]:
    """Fit a quotient of degrees `m` and `k`, coefficients into `work.trial` and `work.velocity`.

    They belong to (t - middle) / half; returns both, or half = 0 where there is no fit without a pole.
    """
    n_points = table.inputs.shape[1]
    adjoints, values, residual = work.adjoints, work.values, work.residual
    rows = len(adjoints)
    unit, sought, weight, below_it = adjoints[rows - 1], adjoints[rows - 2], adjoints[rows - 3], adjoints[rows - 4]
    low, high = np.inf, -np.inf
    for p in range(n_points):
        low, high = min(low, values[t, p]), max(high, values[t, p])
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    if not 1e-6 * abs(middle) < half < np.inf:
        return 0.0, 0.0
    for p in range(n_points):
        unit[p] = (values[t, p] - middle) / half
        sought[p], weight[p], below_it[p] = 0.0, 0.0, 1.0
        if table.weights[p] == 0.0:
            continue
        y, g, w = table.target[p], table.weights[p], 1.0 if u < 0 else values[u, p]
        if w == 0.0 or (over and y == 0.0) or not abs(w) < np.inf:
            return 0.0, 0.0
        sought[p] = w / y if over else y / w
        weight[p] = g * y * y / abs(w) if over else g * abs(w)
    n_columns, one_sign = m + 1 + k, True
    for _ in range(REWEIGHTINGS):
        for p in range(n_points):
            scale = weight[p] / abs(below_it[p])
            power = scale
            for j in range(m + 1):
                adjoints[j, p] = power
                power *= unit[p]
            power = -scale * sought[p]
            for j in range(k):
                adjoints[m + 1 + j, p] = power
                power *= unit[p]
            residual[p] = power
        if not factorise(work, 0, n_columns, n_points):
            return 0.0, 0.0
        damp(work, n_columns, 0.0)
        damped_step(work, work.projection, n_columns)
        one_sign = True
        for p in range(n_points):
            total = 1.0
            for j in range(k - 1, -1, -1):
                total = total * unit[p] + work.step[m + 1 + j]
            below_it[p] = total
            one_sign = one_sign and total * below_it[0] > 0.0
            if total == 0.0 or not abs(total) < np.inf:
                return 0.0, 0.0
    if not one_sign:
        return 0.0, 0.0
    for j in range(m + 1):
        work.trial[j] = work.step[j]
    for j in range(k):
        work.velocity[j] = work.step[m + 1 + j]
    work.velocity[k] = 1.0
    return middle, half


@compiled
def _levels(above: FloatArray, below_it: FloatArray, k: int, numbers: FloatArray) -> bool:
    """Turn a quotient of degrees k - 1 and k into levels b / (t + c + next), written as pairs into `numbers`."""
    for level in range(k):
        degree = k - level
        lead = above[degree - 1]
        if abs(lead) < 1e-30:
            return False
        slope = below_it[degree] / lead
        offset = below_it[degree - 1] - slope * (above[degree - 2] if degree > 1 else 0.0)
        offset /= lead
        numbers[2 * level], numbers[2 * level + 1] = 1.0 / slope, offset / slope
        for j in range(degree):  # the rest goes below the next level, the present one above it
            rest = below_it[j] - offset * above[j] - (slope * above[j - 1] if j > 0 else 0.0)
            below_it[j] = rest / slope
        for j in range(degree):
            above[j], below_it[j] = below_it[j], above[j]
    return True


@compiled
def _append(code: IntArray, constants: FloatArray, i: int, op: int, a: int, b: int, c: float) -> int:
    """Write an instruction whose operand `CONSTANT`, if it has one, is `c`; returns the place of the next."""
    code[i, 0], code[i, 1], code[i, 2] = op, a, b
    constants[i, 0], constants[i, 1] = c, c
    return i + 1


@compiled
def _write_levels(code: IntArray, constants: FloatArray, n: int, end: int, t: int, k: int, numbers: FloatArray) -> int:
    """Append the levels, innermost first; returns the new length. `end` + length is the last register."""
    i, inner = n, -1
    for level in range(k - 1, -1, -1):
        i = _append(code, constants, i, OP_ADD, t, CONSTANT, numbers[2 * level + 1])
        if inner >= 0:
            i = _append(code, constants, i, OP_ADD, end + i, inner, 0.0)
        i = _append(code, constants, i, OP_DIV, CONSTANT, end + i, numbers[2 * level])
        inner = end + i
    return i


@compiled
def _write_polynomial(
    code: IntArray, constants: FloatArray, n: int, end: int, t: int, degree: int, coefficients: FloatArray
) -> int:
    """Append a polynomial in `t` that is added to the last value; returns the new length."""
    inner = end + n
    if degree <= 0:
        return _append(code, constants, n, OP_ADD, inner, CONSTANT, coefficients[0]) if degree == 0 else n
    i = _append(code, constants, n, OP_MUL, t, CONSTANT, coefficients[degree])
    for j in range(degree - 1, -1, -1):
        i = _append(code, constants, i, OP_ADD, end + i, CONSTANT, coefficients[j])
        if j > 0:
            i = _append(code, constants, i, OP_MUL, end + i, t, 0.0)
    return _append(code, constants, i, OP_ADD, end + i, inner, 0.0)


@compiled
def _unscale(numbers: FloatArray, k: int, whole: FloatArray, degree: int, middle: float, half: float) -> None:
    """Turn levels and polynomial in (t - middle) / half into those in t; the degree is at most 2."""
    for level in range(k):
        numbers[2 * level] *= half if level == 0 else half * half
        numbers[2 * level + 1] = numbers[2 * level + 1] * half - middle
    e, f = 1.0 / half, -middle / half
    if degree == 2:
        whole[0], whole[1], whole[2] = (
            (whole[2] * f + whole[1]) * f + whole[0],
            (2.0 * whole[2] * f + whole[1]) * e,
            whole[2] * e * e,
        )
    elif degree == 1:
        whole[0], whole[1] = whole[1] * f + whole[0], whole[1] * e


@compiled
def continue_as_fraction(
    code: IntArray,
    constants: FloatArray,
    n: int,
    n_constants: int,
    flat: FloatArray,
    work: Workspace,
    table: Table,
    grammar: Grammar,
    marks: IntArray,
    rng: RandomState,
) -> int:
    """Replace the output of the genome, which is linked too, by a fraction in its values; its new length or -1.

    Instructions that are no longer read stay: normalise the genome.
    """
    n_inputs = table.inputs.shape[0]
    t = below(rng, n_inputs + n)
    u = -1 if uniform(rng) < ALONE else below(rng, n_inputs + n)
    degree = below(rng, MOST_DEGREE + 2) - 1  # of the polynomial before the fraction; -1 for none
    over = u >= 0 and degree >= 0 and uniform(rng) < OVER
    room = grammar.max_operations - _needed(code, n, n_inputs, t, u, marks) - (1 if u >= 0 else 0)
    room -= 1 + 2 * degree if degree >= 0 else 0
    k = (room + 1) // 3
    if k > 1 and uniform(rng) > FULL:
        k = 1 + below(rng, k)
    m = k + degree
    if grammar.macros == 0 or k < 1 or m + 1 + k > MOST_COEFFICIENTS:
        return -1
    if not evaluate(work, n, n_constants, flat, table) < np.inf:
        return -1
    work.ticks[0] += 40 * n + REWEIGHTINGS * 6 * (m + k + 1) * (m + k + 1)
    middle, half = _quotient(work, table, t, u, over, m, k)
    above, below_it, whole, numbers = work.trial, work.velocity, work.curvature, work.diagonal
    for j in range(degree, -1, -1):
        whole[j] = above[k + j]
        for i in range(k + 1):
            above[i + j] -= whole[j] * below_it[i]
    if half == 0.0 or not _levels(above, below_it, k, numbers):
        return -1
    _unscale(numbers, k, whole, degree, middle, half)
    end = n_inputs - 1
    longer = _write_levels(code, constants, n, end, t, k, numbers)
    longer = _write_polynomial(code, constants, longer, end, t, degree, whole)
    if u >= 0:
        longer = _append(code, constants, longer, OP_DIV if over else OP_MUL, u, end + longer, 0.0)
    for i in range(n, longer):
        if not abs(constants[i, 0]) < np.inf:
            return -1
    return longer
