"""Inner products with eight partial sums in the lanes of one vector: fast, and the same bits on every machine.

The compiler may not reorder additions without fast-math, so a plain loop adds one product at a time. Here the order is
written down: lane k adds the products k, k + 8, k + 16, ...; then the lanes are added in pairs. Lengths are multiples
of eight.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from evolve.symbolic.kernel import compiled
from evolve.symbolic.tape import FloatArray

LANES = 8
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INDEX = ir.IntType(32)


def _row(context: Any, builder: Any, array_type: Any, array: Any, row: Any) -> Any:
    """Pointer to the first number of a row of an array, or of a vector where there is no row."""
    made = context.make_array(array_type)(context, builder, array)
    if array_type.ndim == 1:
        return made.data
    stride = builder.extract_value(made.strides, 0)
    first = builder.add(builder.ptrtoint(made.data, stride.type), builder.mul(row, stride))
    return builder.inttoptr(first, ir.DoubleType().as_pointer())


def _vector(builder: Any, row: Any, position: Any) -> Any:
    pointer = builder.bitcast(builder.gep(row, [position]), _VECTOR.as_pointer())
    return builder.load(pointer, align=8)


def _sum_of_lanes(builder: Any, total: Any) -> Any:
    """((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))."""
    for half in (4, 2, 1):
        order = ir.Constant(ir.VectorType(_INDEX, LANES), [(k + half) % LANES for k in range(LANES)])
        total = builder.fadd(total, builder.shuffle_vector(total, total, order))
    return builder.extract_element(total, ir.Constant(_INDEX, 0))


def _inner_product_of(
    _typing: Any, a: Any, _i: Any, b: Any, _j: Any, _n: Any
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    """Types and code of the sum of a[i, p] * b[j, p] over p < n; the row number of a vector is ignored."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left = _row(context, builder, signature.args[0], arguments[0], arguments[1])
        right = _row(context, builder, signature.args[2], arguments[2], arguments[3])
        before, loop, after = builder.block, builder.append_basic_block("lanes"), builder.append_basic_block("sum")
        zero = ir.Constant(arguments[4].type, 0)
        none = ir.Constant(_VECTOR, [0.0] * LANES)
        builder.cbranch(builder.icmp_signed("<", zero, arguments[4]), loop, after)
        builder.position_at_end(loop)
        position, total = builder.phi(zero.type), builder.phi(_VECTOR)
        product = builder.fmul(_vector(builder, left, position), _vector(builder, right, position))
        following, sums = builder.add(position, ir.Constant(zero.type, LANES)), builder.fadd(total, product)
        builder.cbranch(builder.icmp_signed("<", following, arguments[4]), loop, after)
        for phi, first, later in ((position, zero, following), (total, none, sums)):
            phi.add_incoming(first, before)
            phi.add_incoming(later, loop)
        builder.position_at_end(after)
        result = builder.phi(_VECTOR)
        result.add_incoming(none, before)
        result.add_incoming(sums, loop)
        return _sum_of_lanes(builder, result)

    return types.float64(a, types.int64, b, types.int64, types.int64), generate


_inner_product: Any = intrinsic(_inner_product_of)


@compiled
def dot(a: FloatArray, i: int, b: FloatArray, j: int, n: int) -> float:
    """Inner product of two rows, the first `n` numbers (a multiple of eight)."""
    total: float = _inner_product(a, i, b, j, n)
    return total


@compiled
def dot_vector(a: FloatArray, i: int, b: FloatArray, n: int) -> float:
    """Inner product of a row and a vector."""
    total: float = _inner_product(a, i, b, 0, n)
    return total


@compiled
def square_sum(a: FloatArray, n: int) -> float:
    """Inner product of a vector with itself."""
    total: float = _inner_product(a, 0, a, 0, n)
    return total
