# ruff: noqa: C901, PLR0912 compiled: flat arguments, long branches, plain loops
"""Genomes: programs as fixed-size arrays, brought to a form in which equal searches look equal.

A genome is `code` (operations, 3) of opcode and two operands, `constants` (operations, 2) bound to the operands, and
a length. An operand is a register (inputs first), `CONSTANT`, or `UNUSED`; the last instruction is the output.
"""

import numpy as np

from evolve.symbolic.kernel import compiled
from evolve.symbolic.tape import FloatArray, IntArray, apply_scalar, is_unary
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MAX, OP_MIN, OP_MUL, OP_SUB

CONSTANT = -1
UNUSED = -2


@compiled
def count_uses(code: IntArray, n: int, n_inputs: int, uses: IntArray) -> None:
    """How often each register is read; the output counts as one reading."""
    for i in range(n_inputs + n):
        uses[i] = 0
    for i in range(n):
        for side in (1, 2):
            if code[i, side] >= 0:
                uses[code[i, side]] += 1
    if n > 0:
        uses[n_inputs + n - 1] += 1


@compiled
def _orient(code: IntArray, constants: FloatArray, i: int) -> bool:
    """Write instruction `i` with its constant where the rules expect it; False if it computes nothing new."""
    op = code[i, 0]
    if op == OP_SUB and code[i, 2] == CONSTANT:
        code[i, 0], constants[i, 1] = OP_ADD, -constants[i, 1]
    elif op == OP_DIV and code[i, 2] == CONSTANT:
        code[i, 0], constants[i, 1] = OP_MUL, 1.0 / constants[i, 1]
    elif op in (OP_ADD, OP_MUL, OP_MIN, OP_MAX):
        if code[i, 1] == CONSTANT:
            code[i, 1], code[i, 2], constants[i, 1] = code[i, 2], CONSTANT, constants[i, 0]
        elif code[i, 2] >= 0 and code[i, 1] > code[i, 2]:
            code[i, 1], code[i, 2] = code[i, 2], code[i, 1]
    return not (op in (OP_SUB, OP_DIV, OP_MIN, OP_MAX, OP_ADD) and code[i, 1] == code[i, 2] and code[i, 1] >= 0)


@compiled
def _inner(code: IntArray, i: int, side: int, n_inputs: int) -> int:
    """The instruction that operand `side` of instruction `i` reads, or -1."""
    operand = code[i, side]
    return operand - n_inputs if operand >= n_inputs else -1


@compiled
def _merge(code: IntArray, constants: FloatArray, i: int, n_inputs: int) -> None:
    """Fold a constant into the instruction below: (u + c) + d is u + e, d / (u * c) is e / u, and their kin."""
    op = code[i, 0]
    if op in (OP_ADD, OP_MUL) and code[i, 2] == CONSTANT:
        j, c = _inner(code, i, 1, n_inputs), constants[i, 1]
        if j < 0:
            return
        inner = code[j, 0]
        if op == OP_ADD and inner == OP_ADD and code[j, 2] == CONSTANT:
            code[i, 1], constants[i, 1] = code[j, 1], c + constants[j, 1]
        elif op == OP_ADD and inner == OP_SUB and code[j, 1] == CONSTANT:
            code[i, 0], code[i, 1], code[i, 2], constants[i, 0] = OP_SUB, CONSTANT, code[j, 2], c + constants[j, 0]
        elif op == OP_MUL and inner == OP_MUL and code[j, 2] == CONSTANT:
            code[i, 1], constants[i, 1] = code[j, 1], c * constants[j, 1]
        elif op == OP_MUL and inner == OP_DIV and code[j, 1] == CONSTANT:
            code[i, 0], code[i, 1], code[i, 2], constants[i, 0] = OP_DIV, CONSTANT, code[j, 2], c * constants[j, 0]
    elif op in (OP_SUB, OP_DIV) and code[i, 1] == CONSTANT:
        j, c = _inner(code, i, 2, n_inputs), constants[i, 0]
        if j < 0:
            return
        inner = code[j, 0]
        if op == OP_SUB and inner == OP_ADD and code[j, 2] == CONSTANT:
            code[i, 2], constants[i, 0] = code[j, 1], c - constants[j, 1]
        elif op == OP_SUB and inner == OP_SUB and code[j, 1] == CONSTANT:
            code[i, 0], code[i, 1], code[i, 2], constants[i, 1] = OP_ADD, code[j, 2], CONSTANT, c - constants[j, 0]
        elif op == OP_DIV and inner == OP_MUL and code[j, 2] == CONSTANT:
            code[i, 2], constants[i, 0] = code[j, 1], c / constants[j, 1]
        elif op == OP_DIV and inner == OP_DIV and code[j, 1] == CONSTANT:
            code[i, 0], code[i, 1], code[i, 2], constants[i, 1] = OP_MUL, code[j, 2], CONSTANT, c / constants[j, 0]


@compiled
def _push_sign(code: IntArray, constants: FloatArray, i: int, n_inputs: int, uses: IntArray) -> None:
    """Move a minus sign into a free constant below: u - c/w is u + d/w, c - w*d is w*e + c."""
    op = code[i, 0]
    if op not in (OP_SUB, OP_ADD, OP_DIV, OP_MUL):
        return
    for side in (1, 2):
        j = _inner(code, i, side, n_inputs)
        if j < 0 or uses[code[i, side]] != 1:
            continue
        other_constant = code[i, 3 - side] == CONSTANT
        reflected = code[j, 0] == OP_SUB and code[j, 1] == CONSTANT
        scaled = (code[j, 0] == OP_MUL and code[j, 2] == CONSTANT) or (code[j, 0] == OP_DIV and code[j, 1] == CONSTANT)
        if op == OP_SUB and side == 2 and (scaled or reflected):
            _negate(code, constants, j)
            code[i, 0] = OP_ADD
            if code[i, 1] == CONSTANT:
                code[i, 1], code[i, 2], constants[i, 1] = code[i, 2], CONSTANT, constants[i, 0]
            op = OP_ADD
        elif op == OP_ADD and reflected:
            _negate(code, constants, j)
            rest = code[i, 3 - side]
            code[i, 0], code[i, 1], code[i, 2] = OP_SUB, rest, n_inputs + j
            if rest == CONSTANT:
                constants[i, 0] = constants[i, 2 - side]
            return
        elif op in (OP_MUL, OP_DIV) and reflected and other_constant:
            _negate(code, constants, j)
            constants[i, 2 - side] = -constants[i, 2 - side]


@compiled
def _negate(code: IntArray, constants: FloatArray, j: int) -> None:
    """Change instruction `j` to compute the negative of what it did: it is u*c, c/u or c-u."""
    if code[j, 0] == OP_SUB:
        code[j, 0], code[j, 1], code[j, 2], constants[j, 1] = OP_ADD, code[j, 2], CONSTANT, -constants[j, 0]
    elif code[j, 0] == OP_MUL:
        constants[j, 1] = -constants[j, 1]
    else:
        constants[j, 0] = -constants[j, 0]


@compiled
def _fold(code: IntArray, constants: FloatArray, n: int, n_inputs: int) -> int:
    """Replace reads of instructions without inputs by their value; returns 0, or -1 if the output is a constant."""
    for i in range(n):
        unary = is_unary(code[i, 0])
        if unary:
            code[i, 2] = UNUSED
        for side in (1, 2):
            j = _inner(code, i, side, n_inputs)
            if j >= 0 and code[j, 1] == CONSTANT and code[j, 2] in (CONSTANT, UNUSED):
                code[i, side], constants[i, side - 1] = CONSTANT, constants[j, 0]
        if code[i, 1] == CONSTANT and (unary or code[i, 2] == CONSTANT):
            constants[i, 0] = apply_scalar(code[i, 0], constants[i, 0], constants[i, 1])
            code[i, 2] = UNUSED
    return -1 if n > 0 and code[n - 1, 1] == CONSTANT and code[n - 1, 2] in (CONSTANT, UNUSED) else 0


@compiled
def compact(code: IntArray, constants: FloatArray, n: int, n_inputs: int, scratch: IntArray) -> int:
    """Drop instructions that the output does not depend on; returns the new length."""
    for i in range(n):
        scratch[i] = 0
    if n > 0:
        scratch[n - 1] = 1
    for i in range(n - 1, -1, -1):
        if scratch[i]:
            for side in (1, 2):
                j = _inner(code, i, side, n_inputs)
                if j >= 0:
                    scratch[j] = 1
    kept = 0
    for i in range(n):
        if scratch[i]:
            scratch[i] = kept
            for side in (1, 2):
                operand = code[i, side]
                code[kept, side] = n_inputs + scratch[operand - n_inputs] if operand >= n_inputs else operand
                constants[kept, side - 1] = constants[i, side - 1]
            code[kept, 0] = code[i, 0]
            kept += 1
    return kept


@compiled
def normalise(code: IntArray, constants: FloatArray, n: int, n_inputs: int, uses: IntArray, rewrite: bool) -> int:
    """Bring a genome to normal form in place; returns its length, or -1 if it is not worth a fit.

    `rewrite` applies the sign and constant rules, which need a vocabulary with + - * /.
    """
    if _fold(code, constants, n, n_inputs) < 0:
        return -1
    n = compact(code, constants, n, n_inputs, uses)
    for _ in range(3):
        for i in range(n):
            if rewrite and not _orient(code, constants, i):
                return -1
            if rewrite:
                _merge(code, constants, i, n_inputs)
        n = compact(code, constants, n, n_inputs, uses)
        if rewrite:
            count_uses(code, n, n_inputs, uses)
            for i in range(n):
                _push_sign(code, constants, i, n_inputs, uses)
    for i in range(n):
        if rewrite and not _orient(code, constants, i):
            return -1
        for side in (1, 2):
            if code[i, side] == CONSTANT and not abs(constants[i, side - 1]) < np.inf:
                return -1
    return compact(code, constants, n, n_inputs, uses)


@compiled
def structure_hash(code: IntArray, n: int, n_inputs: int, hashes: IntArray) -> int:
    """A number equal for structures that differ in constants, order of instructions or of commutative operands."""
    for i in range(n_inputs):
        hashes[i] = 0x5851F42D4C957F2D * (i + 1)
    for i in range(n):
        op = code[i, 0]
        left = hashes[code[i, 1]] if code[i, 1] >= 0 else 77 + code[i, 1]
        right = hashes[code[i, 2]] if code[i, 2] >= 0 else 77 + code[i, 2]
        if op in (OP_ADD, OP_MUL, OP_MIN, OP_MAX) and left > right:
            left, right = right, left
        value = (left * 0x2545F4914F6CDD1D) ^ (right * 0x369DEA0F31A53F85 + (op + 1) * 0x1B873593CC9E2D51)
        value ^= value >> 29
        value *= 0x3C79AC492BA7B653
        value ^= value >> 32
        for j in range(n_inputs + i):
            if hashes[j] == value:  # an equal node with constants of its own is another node
                value = value * 0x1C69B3F74AC4AE35 + 1
        hashes[n_inputs + i] = value
    return int(hashes[n_inputs + n - 1])


@compiled
def depth_of(code: IntArray, n: int, n_inputs: int, depths: IntArray) -> int:
    """The longest chain of instructions from an input to the output."""
    for i in range(n_inputs):
        depths[i] = 0
    for i in range(n):
        deepest = 0
        for side in (1, 2):
            if code[i, side] >= 0:
                deepest = max(deepest, depths[code[i, side]])
        depths[n_inputs + i] = deepest + 1
    return int(depths[n_inputs + n - 1])


@compiled
def link(code: IntArray, constants: FloatArray, n: int, n_inputs: int, tape: IntArray, flat: FloatArray) -> int:
    """Write the genome as a tape and its constants in operand order; returns their number."""
    k = 0
    for i in range(n):
        tape[i, 0] = code[i, 0]
        for side in (1, 2):
            operand = code[i, side]
            if operand == CONSTANT:
                tape[i, side] = n_inputs + n + k
                flat[k] = constants[i, side - 1]
                k += 1
            else:
                tape[i, side] = operand if operand >= 0 else tape[i, 1]
    return k


@compiled
def unlink(code: IntArray, constants: FloatArray, n: int, flat: FloatArray) -> None:
    """Bring fitted constants back into the genome."""
    k = 0
    for i in range(n):
        for side in (1, 2):
            if code[i, side] == CONSTANT:
                constants[i, side - 1] = flat[k]
                k += 1
