"""Taylor models: a polynomial and a rigorous bound of what it leaves out, on a small interval.

A model encloses every function g with |g(c + h) - p(h)| <= remainder * |h|**n for |h| <= radius, where the polynomial
p has n coefficients (Makino and Berz, "Taylor models and other validated functional inclusion methods", 2003). All
arithmetic is in balls, so rounding is enclosed too.
"""

from dataclasses import dataclass
from typing import Any

from flint import arb, arb_poly, arb_series

from evaluators.approximation.functions import Target, taylor


class NoModelError(Exception):
    """The interval is too wide for a model: split it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The interval |x - centre| <= radius (both exact), and the number of coefficients its models have."""

    centre: Any
    radius: Any
    order: int


@dataclass(frozen=True, slots=True)
class TaylorModel:
    """The enclosure of a function on a piece; see the module."""

    polynomial: Any
    remainder: Any
    piece: Piece

    def __mul__(self, other: "TaylorModel") -> "TaylorModel":
        """The model of the product."""
        radius, order = self.piece.radius, self.piece.order
        product = _truncated(self.polynomial * other.polynomial, self.piece)
        remainder = (
            product.remainder
            + self.bound_of_polynomial() * other.remainder
            + other.bound_of_polynomial() * self.remainder
            + self.remainder * other.remainder * radius**order
        )
        return TaylorModel(product.polynomial, _upper(remainder), self.piece)

    def minus(self, number: int) -> "TaylorModel":
        """The model of the function less a number."""
        return TaylorModel(self.polynomial - number, self.remainder, self.piece)

    def minus_model(self, other: "TaylorModel") -> "TaylorModel":
        """The model of the difference."""
        return TaylorModel(self.polynomial - other.polynomial, _upper(self.remainder + other.remainder), self.piece)

    def reciprocal(self) -> "TaylorModel":
        """The model of 1 / g.

        With u the truncated power series of 1 / p, the product g * u is 1 + d with |d| <= D |h|**n, exactly: its lower
        coefficients vanish. So 1 / g differs from u by u * d / (1 + d).

        Raises:
            NoModelError: g may be zero on the piece.
        """
        radius, order = self.piece.radius, self.piece.order
        coefficients = _coefficients(self.polynomial, order)
        if not coefficients[0].is_finite() or coefficients[0].contains(0):
            raise NoModelError
        inverse = arb_poly((1 / arb_series(coefficients, prec=order)).coeffs())
        tail = _truncated(self.polynomial * inverse, self.piece).remainder
        size = _bound(inverse, radius)
        d = _upper(tail + size * self.remainder)
        room = 1 - d * radius**order
        if not room > 0:
            raise NoModelError
        return TaylorModel(inverse, _upper(size * d / room), self.piece)

    def power(self, exponent: int) -> "TaylorModel":
        """The model of g ** exponent, exponent at least 1."""
        result: TaylorModel | None = None
        square = self
        while True:
            if exponent & 1:
                result = square if result is None else result * square
            exponent >>= 1
            if not exponent:
                assert result is not None
                return result
            square = square * square

    def bound_of_polynomial(self) -> Any:
        """An upper bound of |p| on the piece."""
        return _bound(self.polynomial, self.piece.radius)

    def bound(self) -> Any:
        """An upper bound of |g| on the piece."""
        return _upper(self.bound_of_polynomial() + self.remainder * self.piece.radius**self.piece.order)


def model_of_polynomial(polynomial: Any, piece: Piece) -> TaylorModel:
    """The model of an exact polynomial."""
    return _truncated(arb_poly(polynomial)(arb_poly([piece.centre, 1])), piece)


def model_of_target(target: Target, piece: Piece, *, order_of_zero: int = 0) -> TaylorModel:
    """The model of the target, by Lagrange's remainder; of target(x) / (x - centre)^k where it has a zero of order k.

    The series length of the working precision must be more than the piece's order + k.

    Raises:
        NoModelError: there is no finite remainder, or no such zero.
    """
    around = arb(piece.centre).union(piece.centre - piece.radius).union(piece.centre + piece.radius)
    length = piece.order + order_of_zero
    coefficients = taylor(target, piece.centre, length)
    remainder = taylor(target, around, length + 1)[-1]
    if not remainder.is_finite() or not all(each.is_zero() for each in coefficients[:order_of_zero]):
        raise NoModelError
    return TaylorModel(arb_poly(coefficients[order_of_zero:]), _upper(abs(remainder)), piece)


def _coefficients(polynomial: Any, count: int) -> list[Any]:
    coefficients = list(polynomial.coeffs())[:count]
    return coefficients + [arb(0)] * (count - len(coefficients))


def _truncated(polynomial: Any, piece: Piece) -> TaylorModel:
    coefficients = polynomial.coeffs()
    tail, power = arb(0), arb(1)
    for coefficient in coefficients[piece.order :]:
        tail += abs(coefficient) * power
        power *= piece.radius
    return TaylorModel(arb_poly(coefficients[: piece.order]), _upper(tail), piece)


def _bound(polynomial: Any, radius: Any) -> Any:
    total, power = arb(0), arb(1)
    for coefficient in polynomial.coeffs():
        total += abs(coefficient) * power
        power *= radius
    return _upper(total)


def _upper(ball: Any) -> Any:
    """The exact upper end of a ball."""
    return ball.upper() if ball.is_finite() else arb.pos_inf()
