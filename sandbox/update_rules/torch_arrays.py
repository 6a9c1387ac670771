"""The words of update rules over torch tensors, on any device: for training. Importing this module needs torch."""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from sandbox.symbolic.reals import LARGEST_EXPONENT, SMALLEST_DIVISOR, divisor, power, sign
from sandbox.update_rules.layout import Layout
from sandbox.update_rules.matrices import MAX_SIDE, refreshed
from sandbox.update_rules.torch_matrices import bases, gram_of, inverse_roots, orthogonal_of

Real = Any
"""A float, or one number per member as a column [E, 1]."""


class TorchArrays:
    """Tensors are rows [E, P], one per ensemble member; matrices are lists of [E, r, r], one per parameter with rows.

    The methods are the words of the vocabulary `optimizer`, the same as in `NumpyArrays`. None changes its arguments
    but `out`, which may be one of them; only matrix decompositions may wait for the device.

    On a processor a member's numbers are the same to the last bit whatever the number of members, if MKL_CBWR=AVX2 was
    in the environment before torch's first product (MKL rounds by where a matrix lies in memory without it). torch's
    own `sigmoid` and `pow` round by where a number lies: these words are computed in other ways.
    """

    writes_over: Final = True

    def __init__(self, layout: Layout, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        """Words over the parameters of `layout`, for tensors on `device`."""
        self.layout: Final = layout
        self.device: Final = torch.device(device)
        self.dtype: Final = dtype
        sizes = torch.tensor(layout.sizes, device=self.device)
        positions = torch.arange(len(layout.shapes), device=self.device)
        self._parameter_of = torch.repeat_interleave(positions, sizes)
        self._hidden = layout.hidden_places
        self._sizes = list(layout.sizes)
        self._float_sizes = sizes.to(dtype)
        self._places = [(layout.slice_of(k), *layout.rows_and_columns(k)) for k in range(len(layout.shapes))]
        self._matrix_places = [self._places[k] for k in layout.matrices]

    def tensor(self, value: Any) -> Tensor:
        """Rows [E, P] from anything like them."""
        return torch.as_tensor(value, dtype=self.dtype, device=self.device)

    def real(self, value: Any) -> Real:
        """A number as it is; one number per member as a column."""
        if isinstance(value, int | float):
            return float(value)
        return torch.as_tensor(value, dtype=self.dtype, device=self.device).reshape(-1, 1)

    def copy(self, tensor: Tensor) -> Tensor:
        """The same numbers in memory of their own."""
        return tensor.clone(memory_format=torch.contiguous_format)

    def zeros(self, n_members: int) -> Tensor:
        """A slot at the start."""
        return torch.zeros((n_members, self.layout.n_parameters), dtype=self.dtype, device=self.device)

    def zero_matrices(self, n_members: int, *, left: bool) -> list[Tensor]:
        """A slot of matrices at the start."""
        sides = [rows if left else columns for _, rows, columns in self._matrix_places]
        shapes = [(n_members, side, side) if side <= MAX_SIDE else (n_members, 0, 0) for side in sides]
        return [torch.zeros(shape, dtype=self.dtype, device=self.device) for shape in shapes]

    def add(self, a: Real, b: Real, out: Tensor | None = None) -> Tensor:
        """The sum a + b."""
        return torch.add(b, a, out=out) if isinstance(a, float) else torch.add(a, b, out=out)

    def sub(self, a: Real, b: Real, out: Tensor | None = None) -> Tensor:
        """The difference a - b."""
        return torch.rsub(b, a) if isinstance(a, float) else torch.sub(a, b, out=out)

    def mul(self, a: Real, b: Real, out: Tensor | None = None) -> Tensor:
        """The product a * b."""
        return torch.mul(b, a, out=out) if isinstance(a, float) else torch.mul(a, b, out=out)

    def plain_div(self, a: Real, b: Real, out: Tensor | None = None) -> Tensor:
        """The quotient a / b, where b is known to be at least 1e-12."""
        return a / b if isinstance(a, float) else torch.div(a, b, out=out)

    def positive_div(self, a: Real, b: Real, out: Tensor | None = None) -> Tensor:
        """The quotient a / b, where b is known not to be negative and is at least 1e-12."""
        divisors = divisor(b) if isinstance(b, float) else b.clamp(min=SMALLEST_DIVISOR)
        return self.plain_div(a, divisors, out=None if out is b else out)

    def div(self, a: Real, b: Real, out: Tensor | None = None) -> Tensor:
        """The quotient a / b, where |b| is at least 1e-12."""
        return self.plain_div(a, _divisor(b), out=None if out is b else out)

    def pow(self, a: Real, b: Real) -> Tensor:
        """|a| to the power b."""
        return _power(a, b)

    def neg(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """-x."""
        return torch.neg(x, out=out)

    def sign(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """-1, 0 or 1."""
        return torch.sign(x, out=out)

    def abs(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The size without the sign."""
        return torch.abs(x, out=out)

    def square(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The square x * x."""
        return torch.mul(x, x, out=out)

    def tanh(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The hyperbolic tangent."""
        return torch.tanh(x, out=out)

    def sigmoid(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """1 / (1 + exp(-x))."""
        return torch.neg(x, out=out).exp_().add_(1.0).reciprocal_()

    def plain_sqrt(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The square root of an x that is known not to be negative."""
        return torch.sqrt(x, out=out)

    def sqrt(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The square root of |x|."""
        return torch.abs(x, out=out).sqrt_()

    def exp(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The exponential of x, which is clipped to [-50, 50]."""
        return torch.clamp(x, -LARGEST_EXPONENT, LARGEST_EXPONENT, out=out).exp_()

    def log(self, x: Tensor) -> Tensor:
        """The logarithm of |x|, which counts as at least 1e-12."""
        return x.abs().clamp_(min=SMALLEST_DIVISOR).log_()

    def log1p(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The logarithm of 1 + |x|."""
        return torch.abs(x, out=out).log1p_()

    def minimum(self, a: Real, b: Real, out: Tensor | None = None) -> Tensor:
        """The smaller of the two."""
        if isinstance(b, float):
            return torch.clamp(a, max=b, out=out)
        return torch.clamp(b, max=a, out=out) if isinstance(a, float) else torch.minimum(a, b, out=out)

    def maximum(self, a: Real, b: Real, out: Tensor | None = None) -> Tensor:
        """The larger of the two."""
        if isinstance(b, float):
            return torch.clamp(a, min=b, out=out)
        return torch.clamp(b, min=a, out=out) if isinstance(a, float) else torch.maximum(a, b, out=out)

    def clip(self, x: Real, k: Real, out: Tensor | None = None) -> Tensor:
        """`x` within [-|k|, |k|]."""
        if isinstance(x, float):
            return self.minimum(self.maximum(x, -abs(k)), abs(k))
        return torch.clamp(x, -abs(k), abs(k), out=out)

    def agree(self, a: Real, b: Real) -> Tensor:
        """1 where a and b have the same sign and none is zero, else 0."""
        if isinstance(a, float):
            a, b = b, a
        signs = torch.sign(a)
        signs = signs * sign(b) if isinstance(b, float) else signs.mul_(torch.sign(b))
        return signs.clamp_(min=0.0)

    def ema(self, old: Tensor, new: Real, beta: Real, out: Tensor | None = None) -> Tensor:
        """Beta of the old value and 1 - beta of the new one."""
        if isinstance(new, float):
            return torch.mul(old, beta, out=out).add_((1.0 - beta) * new)
        return torch.lerp(old, new, 1.0 - beta, out=out)

    def debias(self, x: Tensor, beta: Real, t: Real, out: Tensor | None = None) -> Tensor:
        """Divide x by 1 - beta**t: an average that began at zero, as if it had not (Kingma and Ba 2014)."""
        return torch.div(x, _divisor(1.0 - _power(beta, t)), out=out)

    def _spread(self, per_parameter: Tensor) -> Tensor:
        return per_parameter.index_select(1, self._parameter_of)

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        return x.split(self._sizes, 1)  # type: ignore[no-any-return]

    def _sums(self, x: Tensor) -> Tensor:
        """The sum over each parameter, [E, n]."""
        return torch.stack([part.sum(1) for part in self._parts(x)], 1)

    def mean(self, x: Tensor) -> Tensor:
        """The mean over each parameter."""
        return self._spread(self._sums(self._whole(x)) / self._float_sizes)

    def rms(self, x: Tensor) -> Tensor:
        """The root of the mean square over each parameter."""
        return self._spread((self._sums(self._whole(x * x)) / self._float_sizes).sqrt_())

    def largest(self, x: Tensor) -> Tensor:
        """The largest |x| of each parameter."""
        return self._spread(torch.stack([part.abs().amax(1) for part in self._parts(self._whole(x))], 1))

    def dot(self, a: Tensor, b: Tensor) -> Tensor:
        """The sum of a * b over each parameter."""
        return self._spread(self._sums(self._whole(a * b)))

    def total_rms(self, x: Tensor) -> Tensor:
        """The root of the mean square over all parameters."""
        return self._whole((x * x).mean(1, keepdim=True).sqrt_())

    def total_dot(self, a: Tensor, b: Tensor) -> Tensor:
        """The sum of a * b over all parameters."""
        return self._whole((a * b).sum(1, keepdim=True))

    def _whole(self, x: Tensor) -> Tensor:
        return x.expand(-1, self.layout.n_parameters)

    def row_mean(self, x: Tensor) -> Tensor:
        """The mean of each row of each parameter; the rows of a vector are its numbers."""
        result = self.copy(self._whole(x))
        for place, rows, columns in self._matrix_places:
            part = result[:, place].view(-1, rows, columns)
            part.copy_(part.mean(2, keepdim=True))
        return result

    def col_mean(self, x: Tensor) -> Tensor:
        """The mean of each column of each parameter."""
        result = self.copy(self._whole(x))
        for place, rows, columns in self._places:
            part = result[:, place].view(-1, rows, columns)
            part.copy_(part.mean(1, keepdim=True))
        return result

    def by_shape(self, a: Tensor, b: Tensor) -> Tensor:
        """`a` for hidden parameters with rows and columns, `b` for all others."""
        result = self.copy(self._whole(b))
        for place in self._hidden:
            result[:, place].copy_(a[:, place])
        return result

    def orthogonal(self, x: Tensor) -> Tensor:
        """The nearest orthogonal matrix, scaled to an rms of about 1 (Newton-Schulz); x / rms(x) for vectors."""
        result = self.copy(self._whole(x))
        for k, (place, rows, columns) in enumerate(self._places):
            part = result[:, place]
            part.div_((part * part).mean(1, keepdim=True).sqrt_().clamp_(min=SMALLEST_DIVISOR))
            if k in self.layout.matrices:
                part.view(-1, rows, columns).copy_(orthogonal_of(part.view(-1, rows, columns)))
        return result

    def _matrices(self, x: Tensor) -> list[Tensor]:
        x = self._whole(x)
        return [x[:, place].reshape(-1, rows, columns) for place, rows, columns in self._matrix_places]

    def left_gram(self, x: Tensor) -> list[Tensor]:
        """X X' of every parameter with rows and columns."""
        return [gram_of(a) for a in self._matrices(x)]

    def right_gram(self, x: Tensor) -> list[Tensor]:
        """X' X of every parameter with rows and columns."""
        return [gram_of(a.mT) for a in self._matrices(x)]

    def left_product(self, left: list[Tensor], x: Tensor) -> Tensor:
        """Every parameter with rows and columns multiplied from the left; the others as they are."""
        return self._replaced(x, [a @ b if a.shape[1] else b for a, b in zip(left, self._matrices(x), strict=True)])

    def right_product(self, x: Tensor, right: list[Tensor]) -> Tensor:
        """Every parameter with rows and columns multiplied from the right; the others as they are."""
        return self._replaced(x, [a @ b if b.shape[1] else a for a, b in zip(self._matrices(x), right, strict=True)])

    def _replaced(self, x: Tensor, matrices: list[Tensor]) -> Tensor:
        result = self._whole(x).clone(memory_format=torch.contiguous_format)
        for (place, _, _), matrix in zip(self._matrix_places, matrices, strict=True):
            result[:, place] = matrix.reshape(len(x), -1)
        return result

    def matrix_matmul(self, a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        """The products of two lists of matrices."""
        return [x @ y for x, y in zip(a, b, strict=True)]

    def matrix_transpose(self, a: list[Tensor]) -> list[Tensor]:
        """Every matrix transposed."""
        return [x.mT for x in a]

    def matrix_add(self, a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        """The sums of two lists of matrices."""
        return [x + y for x, y in zip(a, b, strict=True)]

    def matrix_sub(self, a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        """The differences of two lists of matrices."""
        return [x - y for x, y in zip(a, b, strict=True)]

    def matrix_mul(self, a: Any, b: Any) -> list[Tensor]:
        """Every matrix times a number."""
        matrices, number = (a, b) if isinstance(a, list) else (b, a)
        return [x * _per_matrix(number) for x in matrices]

    def matrix_ema(self, old: list[Tensor], new: list[Tensor], beta: Real) -> list[Tensor]:
        """Beta of the old matrices and 1 - beta of the new ones."""
        beta = _per_matrix(beta)
        return [beta * x + (1.0 - beta) * y for x, y in zip(old, new, strict=True)]

    def matrix_debias(self, a: list[Tensor], beta: Real, t: Real) -> list[Tensor]:
        """Every matrix divided by 1 - beta**t."""
        number = _per_matrix(_divisor(1.0 - _power(beta, t)))
        return [x / number for x in a]

    def matrix_basis(self, gram: list[Tensor], old: list[Tensor], t: Real) -> list[Tensor]:
        """Eigenvectors: computed at the first step, improved by one QR step every 10 steps (SOAP, Vyas et al. 2024)."""
        return refreshed(bases, gram, old, t, torch.cat)

    def matrix_inverse_root(self, gram: list[Tensor], old: list[Tensor], t: Real) -> list[Tensor]:
        """Inverse fourth roots, computed anew every 10 steps (Shampoo, Gupta et al. 2018)."""
        return refreshed(inverse_roots, gram, old, t, torch.cat)


def _divisor(x: Real) -> Real:
    if isinstance(x, float):
        return divisor(x)
    return torch.copysign(x.abs().clamp_(min=SMALLEST_DIVISOR), x + 0.0)


def _power(a: Real, b: Real) -> Real:
    """|a| to the power b of numbers or columns; in double precision, see `TorchArrays`."""
    if isinstance(a, float) and isinstance(b, float):
        return power(a, b)
    exact = [x.double() if isinstance(x, Tensor) else x for x in (abs(a), b)]
    dtype = a.dtype if isinstance(a, Tensor) else b.dtype
    return (exact[0] ** exact[1]).to(dtype)


def _per_matrix(x: Real) -> Real:
    return x if isinstance(x, float) else x[:, :, None]
