"""The functions that formulas may use: on balls, and on power series over balls.

Where python-flint has no power series of a function, its Taylor coefficients come from an identity that holds for every
point of a ball, so that they enclose the coefficients everywhere in it, and series are composed from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from flint import acb, arb, arb_series, ctx

from evaluators.approximation.precision import working

TaylorAt = Callable[..., list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BallFunction:
    """`value(*parameters, ball)` and `series(*parameters, series)`; parameters are exact balls. No series: None."""

    value: Callable[..., Any]
    series: Callable[..., Any] | None
    n_parameters: int = 0


def composed(taylor_at: TaylorAt) -> Callable[..., Any]:
    """The power series of a function from its Taylor coefficients `taylor_at(*parameters, centre, length)`."""

    def series(*arguments: Any) -> Any:
        *parameters, inner = arguments
        length = min(inner.prec, ctx.cap)
        coefficients = [*inner.coeffs(), arb(0)]
        outer = arb_series(taylor_at(*parameters, coefficients[0], length), prec=length)
        return outer(arb_series([arb(0), *coefficients[1:length]], prec=length))

    return series


def inverse_of(forward: Callable[[Any], Any], inverse: Callable[[Any], Any]) -> BallFunction:
    """The inverse of a function whose series is known; `inverse` gives its values.

    The series is the reversion of the forward function's (Brent and Kung, "Fast algorithms for manipulating formal
    power series", 1978).
    """

    def taylor_at(centre: Any, length: int) -> list[Any]:
        image = inverse(centre)
        coefficients = forward(arb_series([image, 1], prec=length)).coeffs()
        reverted = arb_series([arb(0), *coefficients[1:]], prec=length).reversion()
        return [image, *reverted.coeffs()[1:]]

    return BallFunction(value=inverse, series=composed(taylor_at))


def _bessel(method: str, *, alternating: bool = False, odd_sign: int = 1) -> BallFunction:
    """A Bessel function of a fixed order, by the k-fold recurrence of its derivatives (DLMF 10.6.7 and 10.29.5)."""

    def value(order: Any, x: Any) -> Any:
        return getattr(x, method)(order)

    def taylor_at(order: Any, centre: Any, length: int) -> list[Any]:
        at = {shift: value(order + shift, centre) for shift in range(1 - length, length)}
        coefficients, scale = [], arb(1)
        for k in range(length):
            total, binomial = arb(0), 1
            for j in range(k + 1):
                sign = -1 if alternating and j % 2 else 1
                total += sign * binomial * at[2 * j - k]
                binomial = binomial * (k - j) // (j + 1)
            coefficients.append(total * scale)
            scale *= arb(odd_sign) / (2 * (k + 1))
        return coefficients

    return BallFunction(value=value, series=composed(taylor_at), n_parameters=1)


def _digamma_at(centre: Any, length: int) -> list[Any]:
    with working(bits=ctx.prec, length=length + 1):
        return list(arb_series([centre, 1], prec=length + 1).lgamma().derivative().coeffs())


def _sinc_at(centre: Any, length: int) -> list[Any]:
    """Around 0 the k-th derivative, an integral of t^k times a sine or cosine over [0, 1], is at most 1/(k + 1)."""
    if not centre.contains(0):
        argument = arb_series([centre, 1], prec=length)
        return list((argument.sin() / argument).coeffs())
    if centre.is_zero():
        return [arb(0) if k % 2 else (-1) ** (k // 2) / arb(k + 1).gamma() / (k + 1) for k in range(length)]
    return [arb(0, 1) / (k + 1) / arb(k + 1).gamma() for k in range(length)]


def _abs_series(series: Any) -> Any:
    centre = [*series.coeffs(), arb(0)][0]
    if centre > 0:
        return series
    return -series if centre < 0 else arb_series([arb.nan()] * series.prec, prec=series.prec)


def _real(method: str) -> Callable[[Any], Any]:
    """The value of a function that python-flint has for complex balls only; no number where it is not real."""

    def value(x: Any) -> Any:
        result = getattr(acb(x), method)()
        return result.real if result.imag.contains(0) else arb.nan()

    return value


def _plain(name: str) -> BallFunction:
    return BallFunction(value=methodcaller(name), series=methodcaller(name))


def _both(compute: Callable[[Any], Any]) -> BallFunction:
    return BallFunction(value=compute, series=compute)


def _mixed(name: str, series: Callable[[Any], Any]) -> BallFunction:
    return BallFunction(value=methodcaller(name), series=series)


def _log_of(base: int) -> Callable[[Any], Any]:
    return lambda x: x.log() / arb(base).log()


_PLAIN = (
    "exp", "log", "sqrt", "rsqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sin_pi", "cos_pi", "erf", "erfc",
    "erfi", "gamma", "rgamma", "lgamma", "zeta", "airy_ai", "airy_bi", "lambertw", "ei", "li", "si", "ci", "shi", "chi",
    "fresnel_s", "fresnel_c",
)  # fmt: skip

_ERFINV = inverse_of(methodcaller("erf"), methodcaller("erfinv"))
_ERFCINV = inverse_of(methodcaller("erfc"), methodcaller("erfcinv"))


def _quantile(erfcinv: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda p: -arb(2).sqrt() * erfcinv(2 * p)


assert _ERFCINV.series is not None

BALL_FUNCTIONS: dict[str, BallFunction] = {
    **{name: _plain(name) for name in _PLAIN},
    "exp2": _both(lambda x: (x * arb(2).log()).exp()),
    "expm1": _mixed("expm1", lambda s: s.exp() - 1),
    "log2": _both(_log_of(2)),
    "log10": _both(_log_of(10)),
    "log1p": _mixed("log1p", lambda s: (1 + s).log()),
    "cbrt": BallFunction(value=lambda x: x.root(3), series=lambda s: (s.log() / 3).exp()),
    "abs": BallFunction(value=abs, series=_abs_series),
    "sinc": BallFunction(value=methodcaller("sinc"), series=composed(_sinc_at)),
    "cot": _mixed("cot", lambda s: s.cos() / s.sin()),
    "sec": _mixed("sec", lambda s: 1 / s.cos()),
    "csc": _mixed("csc", lambda s: 1 / s.sin()),
    "sinh": _mixed("sinh", lambda s: (s.exp() - (-s).exp()) / 2),
    "cosh": _mixed("cosh", lambda s: (s.exp() + (-s).exp()) / 2),
    "tanh": _mixed("tanh", lambda s: 1 - 2 / ((2 * s).exp() + 1)),
    "coth": _mixed("coth", lambda s: 1 + 2 / ((2 * s).exp() - 1)),
    "asinh": _mixed("asinh", lambda s: (s + (s * s + 1).sqrt()).log()),
    "acosh": _mixed("acosh", lambda s: (s + (s * s - 1).sqrt()).log()),
    "atanh": _mixed("atanh", lambda s: ((1 + s).log() - (1 - s).log()) / 2),
    "erfinv": _ERFINV,
    "erfcinv": _ERFCINV,
    "norm_cdf": _both(lambda x: (-x * (arb(1) / 2).sqrt()).erfc() / 2),
    "norm_ppf": BallFunction(value=_quantile(_ERFCINV.value), series=_quantile(_ERFCINV.series)),
    "digamma": BallFunction(value=methodcaller("digamma"), series=composed(_digamma_at)),
    "airy_ai_prime": BallFunction(value=lambda x: x.airy_ai(derivative=1), series=methodcaller("airy_ai_prime")),
    "airy_bi_prime": BallFunction(value=lambda x: x.airy_bi(derivative=1), series=methodcaller("airy_bi_prime")),
    "elliptic_k": BallFunction(value=_real("elliptic_k"), series=None),
    "elliptic_e": BallFunction(value=_real("elliptic_e"), series=None),
    "bessel_j": _bessel("bessel_j", alternating=True),
    "bessel_y": _bessel("bessel_y", alternating=True),
    "bessel_i": _bessel("bessel_i"),
    "bessel_k": _bessel("bessel_k", odd_sign=-1),
    "polylog": BallFunction(value=lambda order, x: x.polylog(order), series=None, n_parameters=1),
}
"""By the name that formulas use. `norm_ppf` is the quantile of the normal distribution, `norm_cdf` its inverse."""
