# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 compiled: flat arguments, long branches
"""Every structure of a given number of operations over + - * /, each family of functions once or nearly once.

Structures grow step by step, each step with its value at two points modulo a prime. The constant of a step is a
function of the value it is applied to, so that structures which are equal as algebra have equal values however they are
written ((u * v) * w is u * (v * w)). Values are known up to sign only: u + c and c - u, a - b and b - a are one step,
and the signs are settled when the structure is done. Steps that do not depend on each other come in the order of
their keys, so that each graph is met once.
"""

from typing import NamedTuple

import numpy as np

from evolve.symbolic.enumerate_field import HALF, ZERO, WordArray, inverse, mixed, negated, plus, times
from evolve.symbolic.enumerate_forms import (
    DIFFERENCE,
    PRODUCT,
    QUOTIENT,
    RECIPROCAL,
    SCALE,
    SHIFT,
    SQUARE,
    SUM,
    count_readers,
    has_better_form,
)
from evolve.symbolic.enumerate_rank import Probe, is_redundant
from evolve.symbolic.enumerate_seen import is_new, rehashed
from evolve.symbolic.enumerate_signs import CodeArray, negation, write_code
from evolve.symbolic.kernel import compiled
from evolve.symbolic.tape import IntArray


class Growing(NamedTuple):
    """A structure under construction: one row a register, inputs first."""

    steps: IntArray  # (operations, 3): kind, a, b
    values: WordArray  # (registers, 2): at two points
    inverses: WordArray
    keys: WordArray  # what decides the order of independent steps
    uses: IntArray
    order: IntArray
    signs: IntArray


def allocate_growing(n: int, n_inputs: int) -> Growing:
    """Arrays for structures of `n` steps."""
    rows = n + n_inputs
    return Growing(
        np.zeros((n, 3), np.int64),
        np.zeros((rows, 2), np.uint64),
        np.zeros((rows, 2), np.uint64),
        np.zeros(rows, np.uint64),
        np.zeros(rows, np.int64),
        np.zeros(rows, np.int64),
        np.zeros(rows, np.int64),
    )


@compiled
def _odd(value: np.uint64) -> bool:
    """One of v and -v: what a function of the value that changes sign with it is built on."""
    return bool(value > HALF)


@compiled
def _constant(value: np.uint64, kind: int, occurrence: int) -> np.uint64:
    """The constant of a step on a value; that of a shift changes sign with the value."""
    c = mixed(times(value, value), 8 * occurrence + kind)
    return negated(c) if kind == SHIFT and _odd(value) else c


@compiled
def _occurrence(g: Growing, i: int, kind: int, a: int) -> int:
    """How many steps before `i` are of this kind on this register: each has a constant of its own."""
    found = 0
    for j in range(i):
        if g.steps[j, 0] == kind and g.steps[j, 1] == a:
            found += 1
    return found


@compiled
def _value(g: Growing, i: int, kind: int, a: int, b: int, point: int) -> np.uint64:
    """The value of step `i` at one of the points."""
    left = g.values[a, point]
    if kind <= RECIPROCAL:
        c = _constant(g.values[a, 0], kind, _occurrence(g, i, kind, a))
        if kind == SHIFT:
            return plus(left, c)
        return times(left if kind == SCALE else g.inverses[a, point], c)
    if kind == SUM:
        return plus(left, g.values[b, point])
    if kind == DIFFERENCE:
        return plus(left, negated(g.values[b, point]))
    return times(left, g.inverses[b, point] if kind == QUOTIENT else g.values[b, point])


@compiled
def _says_nothing_new(g: Growing, row: int, kind: int) -> bool:
    """Whether the value in `row` is constant, or one step with a constant, or none, away from an earlier one."""
    v, w = g.values[row, 0], g.values[row, 1]
    if v in (ZERO, w) or w == ZERO:
        return True
    for r in range(row):
        a, b = g.values[r, 0], g.values[r, 1]
        if v == a or v == negated(a):
            return True
        if kind <= RECIPROCAL:
            continue
        if times(v, b) == times(w, a) or times(v, a) == times(w, b):
            return True
        if plus(v, b) == plus(w, a) or plus(v, a) == plus(w, b):
            return True
    return False


@compiled
def _merges(g: Growing, n_inputs: int, kind: int, a: int) -> bool:
    """Whether a constant step on a constant step is one step."""
    if kind > RECIPROCAL or a < n_inputs:
        return False
    below = g.steps[a - n_inputs, 0]
    return (kind == SHIFT and below == SHIFT) or (kind != SHIFT and below in (SCALE, RECIPROCAL))


@compiled
def _next(step: IntArray, registers: int) -> bool:
    """Advance (kind, a, b) to the next step over so many registers; False after the last."""
    kind, a, b = step[0], step[1], step[2]
    if kind <= RECIPROCAL or kind == SQUARE:
        a += 1
        if a >= registers:
            kind, a, b = kind + 1, 0, 1
    else:
        b += 1
        if kind == QUOTIENT and b == a:
            b += 1
        if b >= registers:
            a += 1
            b = 0 if kind == QUOTIENT else a + 1
            if max(a, b) >= registers:
                kind, a, b = kind + 1, 0, 1
    if kind == QUOTIENT and registers < 2:
        kind += 1
    if SUM <= kind <= PRODUCT and registers < 2:
        kind, a, b = SQUARE, 0, 1
    step[0], step[1], step[2] = kind, a, b
    return bool(kind <= QUOTIENT)


@compiled
def _place(g: Growing, i: int, n: int, n_inputs: int) -> bool:
    """Compute step `i` of `n`; False if it cannot stand there or adds nothing."""
    kind, a, b = g.steps[i, 0], g.steps[i, 1], g.steps[i, 2]
    row, two = n_inputs + i, kind >= SUM and kind != SQUARE
    if kind == SQUARE:
        g.steps[i, 2] = b = a
    idle = 0
    for r in range(n_inputs, row):
        if g.uses[r] == 0 and r != a and not (two and r == b):
            idle += 1
    if idle > n - 1 - i or _merges(g, n_inputs, kind, a):
        return False
    for point in (0, 1):
        g.values[row, point] = _value(g, i, kind, a, b, point)
    v = g.values[row, 0]
    if kind <= RECIPROCAL:
        g.keys[row] = mixed(times(g.values[a, 0], g.values[a, 0]), kind)
    else:
        g.keys[row] = times(v, v)
    for r in range(max(a, b) + 1 if two else a + 1, row):
        if r >= n_inputs and g.keys[r] > g.keys[row]:
            return False
    return not _says_nothing_new(g, row, kind)


@compiled
def grow(
    g: Growing, probe: Probe, n: int, n_inputs: int, codes: CodeArray, seen: WordArray, n_seen: int, tally: IntArray
) -> tuple[CodeArray, int, WordArray, int]:
    """All structures of `n` steps whose families are not in the table `seen`, which is added to.

    Returns the structures as codes of genomes, their number, the table and the number in it. `tally` counts what was
    met, what a rule rewrites, what was seen, what other signs stand for, and what has a constant too many.
    """
    found, i = 0, 0
    for r in range(n_inputs):
        g.uses[r] = 0
        for point in (0, 1):
            g.values[r, point] = mixed(np.uint64(1000 + 2 * r + point), 77)
            g.inverses[r, point] = inverse(g.values[r, point])
    g.steps[0, 0], g.steps[0, 1], g.steps[0, 2] = SHIFT, -1, 1
    while i >= 0:
        if not _next(g.steps[i], n_inputs + i):
            i -= 1
            if i >= 0:
                g.uses[g.steps[i, 1]] -= 1
                if g.steps[i, 0] >= SUM and g.steps[i, 0] != SQUARE:
                    g.uses[g.steps[i, 2]] -= 1
            continue
        if not _place(g, i, n, n_inputs):
            continue
        if i < n - 1:
            row = n_inputs + i
            for point in (0, 1):
                g.inverses[row, point] = inverse(g.values[row, point])
            g.uses[row] = 0
            g.uses[g.steps[i, 1]] += 1
            if g.steps[i, 0] >= SUM and g.steps[i, 0] != SQUARE:
                g.uses[g.steps[i, 2]] += 1
            i += 1
            g.steps[i, 0], g.steps[i, 1], g.steps[i, 2] = SHIFT, -1, 1
            continue
        tally[0] += 1
        for r in range(n_inputs + n):
            g.order[r] = np.int64(times(g.values[r, 0], g.values[r, 0]))
        saved = g.uses.copy()
        count_readers(g.steps, n, n_inputs, g.uses)
        better = has_better_form(g.steps, n, n_inputs, g.uses, g.order)
        g.uses[:] = saved
        if better:
            tally[1] += 1
            continue
        v = g.values[n_inputs + n - 1, 0]
        negated_by = negation(g.steps, g.signs, n, n_inputs)
        if negated_by < 0:
            tally[3] += 1
            continue
        for sign in (1, -1):
            if sign < 0:
                if negated_by != 1:
                    continue
                key = negated(v)
            else:
                key = min(v, negated(v)) if negated_by == 2 else v
            if not is_new(seen, key):
                tally[2] += 1
                continue
            n_seen += 1
            if is_redundant(probe, g.steps, n, n_inputs):
                tally[4] += 1
                continue
            if 3 * n_seen > len(seen):
                seen = rehashed(seen)
            if found == len(codes):
                larger = np.zeros((2 * found, n, 3), np.int8)
                larger[:found] = codes
                codes = larger
            if sign > 0:
                saved_signs = g.signs.copy()
                g.signs[:] = 1
                write_code(g.steps, g.signs, n, n_inputs, codes[found])
                g.signs[:] = saved_signs
            else:
                write_code(g.steps, g.signs, n, n_inputs, codes[found])
            found += 1
    return codes, found, seen, n_seen
