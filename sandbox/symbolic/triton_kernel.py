# ruff: noqa: C901, N803, PLR0913, PLR0917, RUF005, SIM108, SIM109 compiled by Triton: it knows few forms of Python
# mypy: disable-error-code="no-untyped-def, assignment"
"""The GPU kernel that runs programs: one group of 32 threads takes one program, its registers never leave the chip.

Import this only where Triton is installed. Every operation rounds once, as the compiled interpreter's does: products
and sums must not be fused, so the kernel has to be launched with `LAUNCH`; quotients and roots of float32, for which
Triton has approximations, are asked for in their rounded form.
"""

from typing import Any, Final

import triton
import triton.language as tl

from sandbox.symbolic import kernel

BLOCK: Final = 128
"""Points that a group of threads works on at once: four a thread, so that the next one hides what a division waits."""

LAUNCH: Final[dict[str, Any]] = {"num_warps": 1, "enable_fp_fusion": False}
"""Options that every launch needs."""

_ADD = tl.constexpr(kernel.ADD)
_SUB = tl.constexpr(kernel.SUB)
_MUL = tl.constexpr(kernel.MUL)
_DIV = tl.constexpr(kernel.DIV)
_MIN = tl.constexpr(kernel.MIN)
_MAX = tl.constexpr(kernel.MAX)
_AFFINE = tl.constexpr(kernel.AFFINE)
_DIV_CONSTANT = tl.constexpr(kernel.DIV_CONSTANT)
_CONSTANT_DIV = tl.constexpr(kernel.CONSTANT_DIV)
_MIN_CONSTANT = tl.constexpr(kernel.MIN_CONSTANT)
_MAX_CONSTANT = tl.constexpr(kernel.MAX_CONSTANT)
_FILL = tl.constexpr(kernel.FILL)
_ABS = tl.constexpr(kernel.ABS)
_LAST_OF_TWO = tl.constexpr(kernel.LAST_OF_TWO)
_WITHOUT_SIGN = tl.constexpr(0x7FFFFFFFFFFFFFFF)


@triton.jit
def _held(registers, number, N: tl.constexpr):
    """The register of this number: registers have no addresses, so each is asked for its own."""
    value = registers[0]
    for k in tl.static_range(1, N):
        value = tl.where(number == k, registers[k], value)
    return value


@triton.jit
def _quotient(left, right):
    if left.dtype == tl.float32:
        result = tl.div_rn(left, right)
    else:
        result = left / right
    return result


@triton.jit
def _root(value):
    if value.dtype == tl.float32:
        result = tl.sqrt_rn(value)
    else:
        result = tl.sqrt(value)
    return result


@triton.jit
def _computed(operation, left, right):
    """One operation before its scale and shift; the sides of a constant were settled by the caller."""
    value = left
    if operation == _ADD:
        value = left + right
    elif operation == _SUB:
        value = left - right
    elif operation == _MUL:
        value = left * right
    elif operation == _DIV or operation == _DIV_CONSTANT:
        value = _quotient(left, right)
    elif operation == _CONSTANT_DIV:
        value = _quotient(right, left)
    elif operation == _MIN or operation == _MIN_CONSTANT:
        value = tl.where((left <= right) | (left != left), left, right)  # NaN wins
    elif operation == _MAX or operation == _MAX_CONSTANT:
        value = tl.where((left >= right) | (left != left), left, right)
    elif operation == _FILL:
        value = right
    elif operation == _ABS:
        value = tl.abs(left)
    elif operation > _ABS:
        value = _root(left)
    return value


@triton.jit
def largest_errors(
    code,
    constants,
    lengths,
    outputs,
    points,
    target,
    weights,
    errors,
    n_points,
    longest,
    span,
    N_INPUTS: tl.constexpr,
    N_REGISTERS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The largest error of program `program_id(0)` over `span` points from `program_id(1) * span` on.

    `code[program, row, 4]` and `constants[program, row, 3]` are those of a batch, `errors[program, span]` takes the
    bits of a float64 that is not negative: as integers they have the order of the numbers, with NaN on top.
    """
    program = tl.program_id(0).to(tl.int64)
    length = tl.load(lengths + program)
    output = tl.load(outputs + program)
    largest = tl.full((BLOCK,), 0, tl.int64)
    begin = tl.program_id(1) * span
    for start in range(begin, tl.minimum(begin + span, n_points), BLOCK):
        columns = start + tl.arange(0, BLOCK)
        is_point = columns < n_points
        first = tl.load(points + columns, mask=is_point, other=1.0)
        registers = (first,)
        for k in tl.static_range(1, N_REGISTERS):
            if k < N_INPUTS:
                registers = registers + (tl.load(points + k * n_points + columns, mask=is_point, other=1.0),)
            else:
                registers = registers + (first,)
        row = code + program * longest * 4
        three = constants + program * longest * 3
        for _ in range(length):
            operation = tl.load(row)
            left = _held(registers, tl.load(row + 2), N_REGISTERS)
            if operation <= _LAST_OF_TWO:
                right = _held(registers, tl.load(row + 3), N_REGISTERS)
            else:
                right = tl.broadcast_to(tl.load(three), (BLOCK,))
            value = _computed(operation, left, right)
            if operation <= _DIV or (operation >= _AFFINE and operation <= _CONSTANT_DIV):
                value = value * tl.load(three + 1)
                value = value + tl.load(three + 2)
            place = tl.load(row + 1)
            kept = ()
            for k in tl.static_range(N_REGISTERS):
                kept = kept + (tl.where(place == k, value, registers[k]),)
            registers = kept
            row += 4
            three += 3
        result = _held(registers, output, N_REGISTERS).to(tl.float64)
        wanted = tl.load(target + columns, mask=is_point, other=0.0)
        weight = tl.load(weights + columns, mask=is_point, other=0.0)
        bits = ((result - wanted) * weight).to(tl.int64, bitcast=True) & _WITHOUT_SIGN
        largest = tl.maximum(largest, tl.where(is_point, bits, 0))
    tl.store(errors + program * tl.num_programs(1) + tl.program_id(1), tl.max(largest, axis=0))
