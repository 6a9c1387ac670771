# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917, SIM110 compiled: flat arguments, long branches, plain loops
"""Growing a program where its error asks for it.

A term c * g, with c = 0, added to any value of a fitted program changes nothing yet, but its derivative is one more
column for the linear fit of the error. What the column would gain beyond the derivatives that are there already is a
few inner products, so all small terms at all places can be compared at the price of one fit, and the structure that
promises most is fitted first. That is orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad 1993,
https://doi.org/10.1109/ACSSC.1993.342465) over the insertions of a program.
"""

import numpy as np

from evolve.symbolic.kernel import compiled
from evolve.symbolic.lanes import dot, dot_vector
from evolve.symbolic.least_squares import Table, Workspace, differentiate, evaluate, factorise
from evolve.symbolic.moves import Grammar, shift
from evolve.symbolic.normal_form import CONSTANT
from evolve.symbolic.randomness import RandomState, below, uniform
from evolve.symbolic.tape import FloatArray, IntArray
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL

TIMES, OVER, OVER_SUM = 0, 1, 2  # the terms c * u, c / u and c / (u + d) of another value u
TRIES = 5  # values of d that are tried for every place
ONE_PLACE = 0.5  # how often terms are compared at one place only
LOOKED_AT = 0.5  # the part of all terms that is looked at, so that the choice differs from time to time


@compiled
def _gain(work: Workspace, n_constants: int, n_points: int) -> float:
    """What the column in the row behind the factor would take from the square of the rest of the residual."""
    q = work.factor
    left = dot(q, n_constants, q, n_constants, n_points)
    if not left < np.inf or left == 0.0:
        return 0.0
    whole = left
    for k in range(n_constants):
        product = dot(q, k, q, n_constants, n_points)
        left -= product * product
    if left < 1e-9 * whole:  # nearly in the span of the others: its gain would be rounding
        return 0.0
    product = dot_vector(q, n_constants, work.residual, n_points)
    return product * product / left


@compiled
def _is_unread(code: IntArray, register: int, at: int) -> bool:
    """Whether no instruction before `at` reads the register."""
    for i in range(at):
        if code[i, 1] == register or code[i, 2] == register:
            return False
    return True


@compiled
def grow(
    code: IntArray,
    constants: FloatArray,
    n: int,
    n_constants: int,
    flat: FloatArray,
    work: Workspace,
    table: Table,
    grammar: Grammar,
    rng: RandomState,
) -> int:
    """Add the most promising of the terms looked at to the genome, which is linked too; its new length or -1."""
    n_inputs, n_points = table.inputs.shape
    room = grammar.max_operations - n
    if grammar.macros == 0 or room < 2 or n < 1:
        return -1
    if not evaluate(work, n, n_constants, flat, table) < np.inf:
        return -1
    differentiate(work, n, n_constants, table)
    for i in range(n):  # the reverse sweep leaves the derivative by a quotient divided by its divisor
        if work.tape[i, 0] == OP_DIV:
            for p in range(n_points):
                work.adjoints[n_inputs + i, p] *= work.values[work.tape[i, 2], p]
    if not factorise(work, n_inputs + n, n_constants, n_points):
        return -1
    work.ticks[0] += 40 * n + 6 * n_constants * n_constants
    column, values = work.factor[n_constants], work.values
    sums = room > 2 and uniform(rng) < 0.5  # or the shorter terms, which would win most comparisons
    most, chosen, place, other, shift_by = 0.0, -1, -1, -1, 0.0
    only = n_inputs + below(rng, n) if uniform(rng) < ONE_PLACE else -1
    for t in range(n_inputs, n_inputs + n):
        if only >= 0 and t != only:
            continue
        for u in range(n_inputs + n):
            at = max(t, u) - n_inputs + 1
            if u == n_inputs + n - 1 and t != u:
                continue
            if not _is_unread(code, t, at):
                continue
            low, high = np.inf, 0.0
            sign_change = False
            for p in range(n_points):
                low, high = min(low, abs(values[u, p])), max(high, abs(values[u, p]))
                sign_change = sign_change or values[u, p] * values[u, 0] <= 0.0
            if not high < np.inf or high == 0.0:
                continue
            for attempt in range(2, 2 + TRIES) if sums else range(2):
                if uniform(rng) > LOOKED_AT or (attempt == 1 and sign_change):
                    continue
                d = 0.0
                if attempt >= 2:
                    d = high * 2.0 ** (7.0 * uniform(rng) - 3.0)
                    if uniform(rng) < 0.5:
                        d = -d
                tame = True
                for p in range(n_points):
                    value = values[u, p]
                    if attempt >= 1:
                        shifted = value + d
                        tame = tame and shifted * (values[u, 0] + d) > 0.0
                        value = 1.0 / shifted
                    column[p] = work.adjoints[t, p] * value
                work.ticks[0] += n_constants + 3
                if not tame:
                    continue
                gain = _gain(work, n_constants, n_points)
                if gain > most:
                    most, chosen, place, other, shift_by = gain, min(attempt, OVER_SUM), t, u, d
    if chosen < 0:
        return -1
    return _insert_term(code, constants, n, n_inputs, chosen, place, other, shift_by)


@compiled
def _insert_term(
    code: IntArray, constants: FloatArray, n: int, n_inputs: int, term: int, place: int, other: int, d: float
) -> int:
    """Let the readers of `place` read place + c * g, c = 0, instead."""
    at = max(place, other) - n_inputs + 1
    m = 3 if term == OVER_SUM else 2
    shift(code, constants, n, at, m, n_inputs)
    k = at
    if term == OVER_SUM:
        code[k, 0], code[k, 1], code[k, 2], constants[k, 1] = OP_ADD, other, CONSTANT, d
        other = n_inputs + k
        k += 1
    code[k, 0], code[k, 1], code[k, 2] = OP_MUL if term == TIMES else OP_DIV, CONSTANT, other
    constants[k, 0] = 0.0
    code[k + 1, 0], code[k + 1, 1], code[k + 1, 2] = OP_ADD, place, n_inputs + k
    result = n_inputs + k + 1
    for i in range(at + m, n + m):
        for side in (1, 2):
            if code[i, side] == place:
                code[i, side] = result
    return n + m
