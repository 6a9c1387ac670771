"""The words of update rules over numpy arrays in float64: the reference, for probes and tests."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.reals import LARGEST_EXPONENT, SMALLEST_DIVISOR, divisor, power
from sandbox.update_rules.layout import Layout
from sandbox.update_rules.matrices import MAX_SIDE, refreshed
from sandbox.update_rules.numpy_matrices import bases, gram_of, inverse_roots, orthogonal_of

Array = npt.NDArray[np.float64]
Real = Any
"""A float, or one number per member as a column [E, 1]."""


class NumpyArrays:
    """Tensors are rows [E, P], one per ensemble member; matrices are lists of [E, r, r], one per parameter with rows.

    The methods are the words of the vocabulary `optimizer`. None changes its arguments.
    """

    writes_over: Final = False

    def __init__(self, layout: Layout) -> None:
        """Words over the parameters of `layout`."""
        self.layout: Final = layout
        self._offsets = np.array(layout.offsets)
        self._sizes = np.array(layout.sizes)
        self._hidden = np.repeat(np.isin(np.arange(len(layout.shapes)), layout.hidden), self._sizes)
        self._places = [(layout.slice_of(k), *layout.rows_and_columns(k)) for k in range(len(layout.shapes))]
        self._matrix_places = [self._places[k] for k in layout.matrices]

    def tensor(self, value: Any) -> Array:
        """Rows [E, P] from anything like them."""
        return np.asarray(value, dtype=np.float64)

    def real(self, value: Any) -> Real:
        """A number as it is; one number per member as a column."""
        return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=np.float64).reshape(-1, 1)

    def copy(self, tensor: Array) -> Array:
        """The same numbers in memory of their own."""
        return np.array(tensor)

    def zeros(self, n_members: int) -> Array:
        """A slot at the start."""
        return np.zeros((n_members, self.layout.n_parameters))

    def zero_matrices(self, n_members: int, *, left: bool) -> list[Array]:
        """A slot of matrices at the start."""
        sides = [rows if left else columns for _, rows, columns in self._matrix_places]
        return [np.zeros((n_members, side, side) if side <= MAX_SIDE else (n_members, 0, 0)) for side in sides]

    add = staticmethod(operator.add)
    sub = staticmethod(operator.sub)
    mul = staticmethod(operator.mul)
    neg = staticmethod(operator.neg)
    sign = staticmethod(np.sign)
    abs = staticmethod(np.abs)
    square = staticmethod(np.square)
    tanh = staticmethod(np.tanh)
    minimum = staticmethod(np.minimum)
    maximum = staticmethod(np.maximum)

    def div(self, a: Real, b: Real) -> Array:
        """The quotient a / b, where |b| is at least 1e-12."""
        return np.asarray(a / _divisor(b))

    def positive_div(self, a: Real, b: Real) -> Array:
        """The quotient a / b, where b is known not to be negative and is at least 1e-12."""
        return np.asarray(a / np.maximum(b, SMALLEST_DIVISOR))

    plain_div = staticmethod(operator.truediv)
    plain_sqrt = staticmethod(np.sqrt)

    def pow(self, a: Real, b: Real) -> Array:
        """|a| to the power b."""
        return np.asarray(_power(a, b))

    def sqrt(self, x: Array) -> Array:
        """The square root of |x|."""
        return np.sqrt(np.abs(x))

    def exp(self, x: Array) -> Array:
        """The exponential of x, which is clipped to [-50, 50]."""
        return np.exp(np.clip(x, -LARGEST_EXPONENT, LARGEST_EXPONENT))

    def log(self, x: Array) -> Array:
        """The logarithm of |x|, which counts as at least 1e-12."""
        return np.log(np.maximum(np.abs(x), SMALLEST_DIVISOR))

    def log1p(self, x: Array) -> Array:
        """The logarithm of 1 + |x|."""
        return np.log1p(np.abs(x))

    def sigmoid(self, x: Array) -> Array:
        """1 / (1 + exp(-x))."""
        return 0.5 + 0.5 * np.tanh(0.5 * x)

    def clip(self, x: Real, k: Real) -> Array:
        """`x` within [-|k|, |k|]."""
        return np.asarray(np.minimum(np.maximum(x, -np.abs(k)), np.abs(k)))

    def agree(self, a: Array, b: Real) -> Array:
        """1 where a and b have the same sign and none is zero, else 0."""
        return np.asarray(np.maximum(np.sign(a) * np.sign(b), 0.0))

    def ema(self, old: Array, new: Real, beta: Real) -> Array:
        """Beta of the old value and 1 - beta of the new one."""
        return np.asarray(beta * old + (1.0 - beta) * new)

    def debias(self, x: Array, beta: Real, t: Real) -> Array:
        """Divide x by 1 - beta**t: an average that began at zero, as if it had not (Kingma and Ba 2014)."""
        return np.asarray(x / _divisor(1.0 - _power(beta, t)))

    def _spread(self, per_parameter: Array) -> Array:
        return np.repeat(per_parameter, self._sizes, axis=1)

    def mean(self, x: Array) -> Array:
        """The mean over each parameter."""
        return self._spread(np.add.reduceat(x, self._offsets, axis=1) / self._sizes)

    def rms(self, x: Array) -> Array:
        """The root of the mean square over each parameter."""
        return np.sqrt(self.mean(x * x))

    def largest(self, x: Array) -> Array:
        """The largest |x| of each parameter."""
        return self._spread(np.maximum.reduceat(np.abs(x), self._offsets, axis=1))

    def dot(self, a: Array, b: Array) -> Array:
        """The sum of a * b over each parameter."""
        return self._spread(np.add.reduceat(a * b, self._offsets, axis=1))

    def total_rms(self, x: Array) -> Array:
        """The root of the mean square over all parameters."""
        return self._everywhere(np.sqrt(np.mean(x * x, axis=1, keepdims=True)))

    def total_dot(self, a: Array, b: Array) -> Array:
        """The sum of a * b over all parameters."""
        return self._everywhere(np.sum(a * b, axis=1, keepdims=True))

    def _everywhere(self, column: Array) -> Array:
        return np.broadcast_to(column, (len(column), self.layout.n_parameters))

    def row_mean(self, x: Array) -> Array:
        """The mean of each row of each parameter."""
        return self._by_parameter(x, self._places, lambda a: np.broadcast_to(a.mean(2, keepdims=True), a.shape))

    def col_mean(self, x: Array) -> Array:
        """The mean of each column of each parameter."""
        return self._by_parameter(x, self._places, lambda a: np.broadcast_to(a.mean(1, keepdims=True), a.shape))

    def by_shape(self, a: Array, b: Array) -> Array:
        """`a` for hidden parameters with rows and columns, `b` for all others."""
        return np.where(self._hidden, a, b)

    def _by_parameter(
        self, x: Array, places: Sequence[tuple[slice, int, int]], function: Callable[[Array], Array]
    ) -> Array:
        """Apply a function to every parameter as rows and columns."""
        result = np.array(np.broadcast_to(x, (len(x), self.layout.n_parameters)))
        for place, rows, columns in places:
            result[:, place] = function(result[:, place].reshape(-1, rows, columns)).reshape(len(x), -1)
        return result

    def orthogonal(self, x: Array) -> Array:
        """The nearest orthogonal matrix, scaled to an rms of about 1 (Newton-Schulz); x / rms(x) for vectors."""
        scaled = self.div(x, self.rms(x))
        return self._by_parameter(scaled, self._matrix_places, orthogonal_of)

    def _matrices(self, x: Array) -> list[Array]:
        x = np.broadcast_to(x, (len(x), self.layout.n_parameters))
        return [x[:, place].reshape(-1, rows, columns) for place, rows, columns in self._matrix_places]

    def left_gram(self, x: Array) -> list[Array]:
        """X X' of every parameter with rows and columns."""
        return [gram_of(a) for a in self._matrices(x)]

    def right_gram(self, x: Array) -> list[Array]:
        """X' X of every parameter with rows and columns."""
        return [gram_of(a.swapaxes(1, 2)) for a in self._matrices(x)]

    def left_product(self, left: list[Array], x: Array) -> Array:
        """Every parameter with rows and columns multiplied from the left; the others as they are."""
        return self._replaced(x, [a @ b if a.shape[1] else b for a, b in zip(left, self._matrices(x), strict=True)])

    def right_product(self, x: Array, right: list[Array]) -> Array:
        """Every parameter with rows and columns multiplied from the right; the others as they are."""
        return self._replaced(x, [a @ b if b.shape[1] else a for a, b in zip(self._matrices(x), right, strict=True)])

    def _replaced(self, x: Array, matrices: list[Array]) -> Array:
        result = np.array(np.broadcast_to(x, (len(x), self.layout.n_parameters)))
        for (place, _, _), matrix in zip(self._matrix_places, matrices, strict=True):
            result[:, place] = matrix.reshape(len(x), -1)
        return result

    def matrix_matmul(self, a: list[Array], b: list[Array]) -> list[Array]:
        """The products of two lists of matrices."""
        return [x @ y for x, y in zip(a, b, strict=True)]

    def matrix_transpose(self, a: list[Array]) -> list[Array]:
        """Every matrix transposed."""
        return [x.swapaxes(1, 2) for x in a]

    def matrix_add(self, a: list[Array], b: list[Array]) -> list[Array]:
        """The sums of two lists of matrices."""
        return [x + y for x, y in zip(a, b, strict=True)]

    def matrix_sub(self, a: list[Array], b: list[Array]) -> list[Array]:
        """The differences of two lists of matrices."""
        return [x - y for x, y in zip(a, b, strict=True)]

    def matrix_mul(self, a: Any, b: Any) -> list[Array]:
        """Every matrix times a number."""
        matrices, number = (a, b) if isinstance(a, list) else (b, a)
        return [x * _per_matrix(number) for x in matrices]

    def matrix_ema(self, old: list[Array], new: list[Array], beta: Real) -> list[Array]:
        """Beta of the old matrices and 1 - beta of the new ones."""
        beta = _per_matrix(beta)
        return [beta * x + (1.0 - beta) * y for x, y in zip(old, new, strict=True)]

    def matrix_debias(self, a: list[Array], beta: Real, t: Real) -> list[Array]:
        """Every matrix divided by 1 - beta**t."""
        return [x / _per_matrix(_divisor(1.0 - _power(beta, t))) for x in a]

    def matrix_basis(self, gram: list[Array], old: list[Array], t: Real) -> list[Array]:
        """Eigenvectors: computed at the first step, improved by one QR step every 10 steps (SOAP, Vyas et al. 2024)."""
        return refreshed(bases, gram, old, t, np.concatenate)

    def matrix_inverse_root(self, gram: list[Array], old: list[Array], t: Real) -> list[Array]:
        """Inverse fourth roots, computed anew every 10 steps (Shampoo, Gupta et al. 2018)."""
        return refreshed(inverse_roots, gram, old, t, np.concatenate)


def _divisor(x: Real) -> Real:
    if isinstance(x, float):
        return divisor(x)
    return np.copysign(np.maximum(np.abs(x), SMALLEST_DIVISOR), x + 0.0)


def _power(a: Real, b: Real) -> Real:
    return power(a, b) if isinstance(a, float) and isinstance(b, float) else np.abs(a) ** b


def _per_matrix(x: Real) -> Real:
    return x if isinstance(x, float) else x[:, :, None]
