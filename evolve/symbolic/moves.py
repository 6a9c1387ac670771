# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 compiled: flat arguments, long branches, plain loops
"""Changes to a genome: insert, delete, re-wire, change, swap, square, and grafts from another genome."""

from typing import NamedTuple

import numpy as np

from evolve.symbolic.kernel import compiled
from evolve.symbolic.normal_form import CONSTANT, UNUSED, compact
from evolve.symbolic.randomness import RandomState, below, normal, uniform
from evolve.symbolic.tape import FloatArray, IntArray, is_unary
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_SUB

REDIRECT_ALL = 0.5  # how often an insertion serves every reader of the value, not one
RANDOM_STARTS = 0.35  # how often a fit starts from constants drawn anew,
REDRAWN_STARTS = 0.35  # and how often from the inherited ones with one of them drawn anew
N_MACROS = 8
NEUTRAL = 0.5  # how often an insertion leaves the value as it was, so that the fit starts from the parent's optimum
MACRO = 0.35  # how often an insertion is a macro, where the vocabulary has + and /


class Grammar(NamedTuple):
    """What a genome may hold: opcodes as (binary, unary) lists, and the size of a program."""

    binary: IntArray
    unary: IntArray
    n_inputs: int
    max_operations: int
    macros: int  # 1 when + * / are there


@compiled
def random_constant(rng: RandomState) -> float:
    """A new constant: log-uniform size from 1/16 to 16, either sign."""
    size = float(2.0 ** (8.0 * uniform(rng) - 4.0))
    return size if uniform(rng) < 0.5 else -size


@compiled
def shift(code: IntArray, constants: FloatArray, n: int, at: int, m: int, n_inputs: int) -> None:
    """Open a gap of `m` instructions before instruction `at`."""
    for i in range(n - 1, at - 1, -1):
        code[i + m, 0] = code[i, 0]
        for side in (1, 2):
            operand = code[i, side]
            code[i + m, side] = operand + m if operand >= n_inputs + at else operand
            constants[i + m, side - 1] = constants[i, side - 1]


@compiled
def _write(code: IntArray, constants: FloatArray, i: int, op: int, a: int, b: int, rng: RandomState) -> None:
    """Set instruction `i`; constant operands get fresh values."""
    code[i, 0], code[i, 1], code[i, 2] = op, a, b
    constants[i, 0], constants[i, 1] = random_constant(rng), random_constant(rng)


@compiled
def _random_operand(limit: int, rng: RandomState) -> int:
    """A constant (half of the time) or a register below `limit`."""
    return CONSTANT if uniform(rng) < 0.5 else below(rng, limit)


@compiled
def _write_random(
    code: IntArray, constants: FloatArray, i: int, operand: int, grammar: Grammar, rng: RandomState
) -> None:
    """Set instruction `i` to a random operation on `operand`."""
    n_unary, n_binary = len(grammar.unary), len(grammar.binary)
    if operand >= 0 and n_unary > 0 and below(rng, n_unary + 3 * n_binary) < n_unary:
        _write(code, constants, i, grammar.unary[below(rng, n_unary)], operand, UNUSED, rng)
        return
    limit = grammar.n_inputs + i
    other = _random_operand(limit, rng) if operand >= 0 else below(rng, limit)
    op = grammar.binary[below(rng, n_binary)]
    if uniform(rng) < 0.5:
        _write(code, constants, i, op, operand, other, rng)
    else:
        _write(code, constants, i, op, other, operand, rng)


@compiled
def _neutralise(code: IntArray, constants: FloatArray, i: int) -> None:
    """Let instruction `i` answer its other operand where its constant can do that."""
    op = code[i, 0]
    for side in (1, 2):
        if code[i, side] == CONSTANT:
            if op == OP_ADD or (op == OP_SUB and side == 2):
                constants[i, side - 1] = 0.0
            elif op == OP_MUL or (op == OP_DIV and side == 2):
                constants[i, side - 1] = 1.0


@compiled
def insert(code: IntArray, constants: FloatArray, n: int, grammar: Grammar, rng: RandomState) -> int:
    """Put one or two instructions between a value and its reader (or all its readers); returns the new length or -1."""
    n_inputs = grammar.n_inputs
    slot = below(rng, 2 * n + 1)
    reader, side = slot // 2, slot % 2 + 1
    operand = n_inputs + n - 1 if slot == 2 * n else code[reader, side]
    if operand == UNUSED:
        return -1
    macro = -1
    if operand >= 0 and grammar.macros == 1 and uniform(rng) < MACRO:
        macro = below(rng, N_MACROS)
    m = 1 if macro in (-1, 0) else 3 if macro == 7 else 2
    neutral = uniform(rng) < NEUTRAL
    if n + m > grammar.max_operations:
        return -1
    everywhere = operand >= 0 and slot < 2 * n and uniform(rng) < REDIRECT_ALL
    at = reader
    if everywhere:
        at = max(operand - n_inputs + 1, 0)
    kept_constant = constants[reader, side - 1] if operand == CONSTANT else 0.0
    shift(code, constants, n, at, m, n_inputs)
    new = n_inputs + at
    if macro == -1:
        _write_random(code, constants, at, operand, grammar, rng)
        if neutral:
            _neutralise(code, constants, at)
        if operand == CONSTANT:
            constants[at, 0 if code[at, 1] == CONSTANT else 1] = kept_constant
    elif macro == 0:
        _write(code, constants, at, OP_MUL, operand, operand, rng)
    elif macro in (1, 2):
        _write(code, constants, at, OP_DIV, CONSTANT, operand, rng)
        _write(code, constants, at + 1, OP_ADD, new, operand if macro == 1 else CONSTANT, rng)
        if neutral and macro == 1:
            constants[at, 0] = 0.0
    elif macro >= 5:
        other = below(rng, new)
        if macro == 7:
            _write(code, constants, at, OP_ADD, other, CONSTANT, rng)
            other, new = new, new + 1
        k = new - n_inputs
        _write(code, constants, k, OP_MUL if macro == 5 else OP_DIV, CONSTANT, other, rng)
        _write(code, constants, k + 1, OP_ADD, new, operand, rng)
        if neutral:
            constants[k, 0] = 0.0
        new = n_inputs + at
    elif macro == 3:
        _write(code, constants, at, OP_ADD, operand, CONSTANT, rng)
        _write(code, constants, at + 1, OP_DIV, CONSTANT, new, rng)
    else:
        _write(code, constants, at, OP_ADD, operand, CONSTANT, rng)
        _write(code, constants, at + 1, OP_MUL, new, operand, rng)
    result = new + m - 1
    if everywhere:
        for i in range(at + m, n + m):
            for s in (1, 2):
                if code[i, s] == operand:
                    code[i, s] = result
    elif slot < 2 * n:
        code[reader + m, side] = result
    return n + m


@compiled
def delete(code: IntArray, n: int, n_inputs: int, rng: RandomState) -> int:
    """Let the readers of an instruction read one of its operands instead; returns the new length or -1."""
    if n == 0:
        return -1
    j = below(rng, n)
    side = 1 + below(rng, 2)
    if code[j, side] < 0:
        side = 3 - side
    operand = code[j, side]
    if operand < 0:
        return -1
    if j == n - 1:
        return max(int(operand) - n_inputs + 1, 0)
    for i in range(j + 1, n):
        for s in (1, 2):
            if code[i, s] == n_inputs + j:
                code[i, s] = operand
    return n


@compiled
def alter(code: IntArray, constants: FloatArray, n: int, grammar: Grammar, rng: RandomState) -> int:
    """Re-wire an operand, change an operation, or swap two operands."""
    if n == 0:
        return -1
    i, choice = below(rng, n), uniform(rng)
    unary = is_unary(code[i, 0])
    if choice < 0.5:
        side = 1 if unary else 1 + below(rng, 2)
        code[i, side] = _random_operand(grammar.n_inputs + i, rng)
        constants[i, side - 1] = random_constant(rng)
    elif choice < 0.75:
        if unary:
            code[i, 0] = grammar.unary[below(rng, len(grammar.unary))]
        else:
            code[i, 0] = grammar.binary[below(rng, len(grammar.binary))]
    elif not unary:
        code[i, 1], code[i, 2] = code[i, 2], code[i, 1]
        constants[i, 0], constants[i, 1] = constants[i, 1], constants[i, 0]
    return n


@compiled
def square(code: IntArray, constants: FloatArray, n: int, grammar: Grammar) -> int:
    """Append output * output."""
    if n == 0 or n + 1 > grammar.max_operations or grammar.macros == 0:
        return -1
    code[n, 0], code[n, 1], code[n, 2] = OP_MUL, grammar.n_inputs + n - 1, grammar.n_inputs + n - 1
    constants[n, 0], constants[n, 1] = 0.0, 0.0
    return n + 1


@compiled
def trailing_squares(code: IntArray, n: int, n_inputs: int) -> int:
    """How many of the last instructions square the one before."""
    k = 0
    while k < n - 1:
        i, below_it = n - 1 - k, n_inputs + n - 2 - k
        if code[i, 0] != OP_MUL or code[i, 1] != below_it or code[i, 2] != below_it:
            break
        k += 1
    return k


@compiled
def graft(
    code: IntArray,
    constants: FloatArray,
    n: int,
    donor: IntArray,
    donor_constants: FloatArray,
    n_donor: int,
    grammar: Grammar,
    rng: RandomState,
    scratch: IntArray,
) -> int:
    """Let a reader, or all readers of an input, read a part of another genome; returns the new length or -1.

    `donor` is spoilt. Half of the time the donated part reads, in place of the input, the value it replaces.
    """
    n_inputs = grammar.n_inputs
    if n_donor == 0:
        return -1
    n_donor = compact(donor, donor_constants, 1 + below(rng, n_donor), n_inputs, scratch)
    slot = below(rng, 2 * n + 1)
    reader, side = slot // 2, slot % 2 + 1
    replaced = n_inputs + n - 1 if slot == 2 * n else code[reader, side]
    if replaced == UNUSED or n + n_donor > 2 * grammar.max_operations:
        return -1
    everywhere = 0 <= replaced < n_inputs and uniform(rng) < REDIRECT_ALL
    at = 0 if everywhere else reader
    composed = replaced >= 0 and uniform(rng) < 0.5
    shift(code, constants, n, at, n_donor, n_inputs)
    for i in range(n_donor):
        code[at + i, 0] = donor[i, 0]
        for s in (1, 2):
            operand = donor[i, s]
            if operand >= n_inputs:
                operand += at
            elif operand >= 0 and composed:
                operand = replaced
            code[at + i, s] = operand
            constants[at + i, s - 1] = donor_constants[i, s - 1]
    result = n_inputs + at + n_donor - 1
    if everywhere:
        for i in range(at + n_donor, n + n_donor):
            for s in (1, 2):
                if code[i, s] == replaced:
                    code[i, s] = result
    elif slot < 2 * n:
        code[reader + n_donor, side] = result
    return n + n_donor


@compiled
def mutate_genome(code: IntArray, constants: FloatArray, n: int, grammar: Grammar, rng: RandomState) -> int:
    """Apply a geometric number of changes; returns the new length, or -1 if a change was not possible."""
    changes = 1
    while uniform(rng) < 0.4 and changes < 5:
        changes += 1
    for _ in range(changes):
        choice = uniform(rng)
        if choice < 0.45 or n == 0:
            n = insert(code, constants, n, grammar, rng)
        elif choice < 0.65:
            n = delete(code, n, grammar.n_inputs, rng)
        else:
            n = alter(code, constants, n, grammar, rng)
        if n < 0:
            return -1
    return n


@compiled
def random_start(flat: FloatArray, n_constants: int, inherited: FloatArray, rng: RandomState) -> None:
    """Constants to start a fit from: drawn anew, at a distance of the inherited ones, or those with one drawn anew."""
    choice = uniform(rng)
    if choice < RANDOM_STARTS:
        for k in range(n_constants):
            size = 2.0 ** (14.0 * uniform(rng) - 6.0)
            flat[k] = size if uniform(rng) < 0.5 else -size
        return
    if choice < RANDOM_STARTS + REDRAWN_STARTS:
        for k in range(n_constants):
            flat[k] = inherited[k]
        size = 2.0 ** (14.0 * uniform(rng) - 6.0)
        flat[below(rng, n_constants)] = size if uniform(rng) < 0.5 else -size
        return
    spread = 2.0 ** (4.5 * uniform(rng) - 3.0)
    for k in range(n_constants):
        value = inherited[k] * np.exp(spread * normal(rng))
        flat[k] = -value if uniform(rng) < 0.08 else value
