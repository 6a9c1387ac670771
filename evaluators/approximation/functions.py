"""The functions that programs can be asked to approximate, as ball arithmetic and as power series."""

import difflib
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flint import arb, arb_series, ctx

from evaluators.approximation.ball_formula import PARAMETERS_OF, compiled, read, without_series
from evaluators.approximation.formula import FormulaError
from evaluators.approximation.precision import working
from evaluators.errors import EvaluatorError

ROUNDING_BITS = 128
N_AT_A_LIMIT = 4  # so many coefficients cancel at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A function to approximate. `value` and `series` enclose it in ball arithmetic.

    `written` is how a person writes it. Where nothing can be proved about it, `unproved` says why: then its values are
    only close to the truth (`is_enclosed` is false), or it has no power series (None). `details` is what a certificate
    tells besides.
    """

    name: str
    written: str
    value: Callable[[Any], Any]
    series: Callable[[Any], Any] | None
    unproved: str = ""
    is_enclosed: bool = True
    details: Mapping[str, str] = field(default_factory=dict)


def target_of_formula(text: str, *, name: str = "", written: str = "") -> Target:
    """The function that a formula over x describes.

    Raises:
        FormulaError: the text is no formula over x.
    """
    formula = read(text)
    if not formula.depends_on_x:
        raise FormulaError("it does not depend on x")
    compute = compiled(formula)
    missing = without_series(formula)
    unproved = f"the function {missing} has no power series here" if missing else ""
    series = None if missing else compute

    def value(x: Any) -> Any:
        """The value; at a point where the formula says 0/0 and the series has a limit, the limit."""
        result = compute(x)
        if series is None or result.is_finite() or not x.is_exact():
            return result
        return coefficients_of(series, x, N_AT_A_LIMIT)[0]

    written = written or text.strip()
    return Target(name=name or written, written=written, value=value, series=series, unproved=unproved)


_FORMULAS: Mapping[str, tuple[str, str]] = {
    "exp2": ("exp2(x)", "2^x"),
    "exp": ("exp(x)", "e^x"),
    "expm1": ("expm1(x)", "e^x - 1"),
    "log2": ("log2(x)", "log2(x)"),
    "log": ("log(x)", "log(x)"),
    "log2_1p": ("log1p(x) / log(2)", "log2(1 + x)"),
    "log1p": ("log1p(x)", "log(1 + x)"),
    "rsqrt": ("rsqrt(x)", "1/sqrt(x)"),
    "lgamma": ("lgamma(x)", "log(gamma(x))"),
    "airy_ai": ("airy_ai(x)", "Ai(x)"),
    **{f"bessel_{kind}{n}": (f"bessel_{kind}({n}, x)", f"{kind.upper()}{n}(x)") for kind in "jyik" for n in (0, 1)},
}
_PLAIN = {name: (f"{name}(x)", f"{name}(x)") for name, count in PARAMETERS_OF.items() if count == 1}

TARGETS: dict[str, Target] = {
    name: target_of_formula(text, name=name, written=written)
    for name, (text, written) in {**_FORMULAS, **{n: both for n, both in _PLAIN.items() if n not in _FORMULAS}}.items()
}
"""Every function of one argument that formulas know, and a few more, by name."""


def target_named(name: object) -> Target:
    """The built-in function of that name, or that of a formula over x such as `exp(-x^2)`.

    Raises:
        EvaluatorError: there is none; the message names the nearest, or what is wrong with the formula.
    """
    if isinstance(name, str) and name in TARGETS:
        return TARGETS[name]
    if isinstance(name, str) and not name.strip().isidentifier() and name.strip():
        try:
            return target_of_formula(name)
        except FormulaError as error:
            raise EvaluatorError(
                f"evaluator.options.function is {name!r}, which is no formula over x: {error}"
            ) from None
    near = difflib.get_close_matches(str(name), TARGETS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise EvaluatorError(
        f"evaluator.options.function is {name!r}, expected one of {', '.join(TARGETS)}, a formula over x, "
        f"or a .py file of the problem's folder{hint}"
    )


def end_of_interval(end: object) -> float:
    """One end as a float64: a number, or text such as `pi/2`, `-e` or `log(2)` (rounded to the nearest float64).

    Raises:
        EvaluatorError: it is neither.
    """
    value = constant_of(end)
    if value is None:
        raise EvaluatorError(f"evaluator.options.interval has the end {end!r}, expected a number or text like 'pi/2'")
    return value


def constant_of(number: object) -> float | None:
    """A finite number, or the value of a formula without x, as a float64; None if it is neither."""
    if isinstance(number, int | float) and not isinstance(number, bool):
        return float(number) if abs(number) <= sys.float_info.max else None
    if not isinstance(number, str):
        return None
    try:
        formula = read(number)
        if formula.depends_on_x:
            return None
        with working(bits=ROUNDING_BITS):
            value = compiled(formula)(arb(0))
    except FormulaError:
        return None
    is_known = value.is_finite() and (value.is_zero() or value.rel_accuracy_bits() > sys.float_info.mant_dig)
    nearest = float(value.mid()) if is_known else math.nan
    return nearest if math.isfinite(nearest) else None


def ball(low: float, high: float) -> Any:
    """The smallest ball around the interval."""
    return arb(low).union(arb(high))


def taylor(target: Target, centre: Any, length: int) -> list[Any]:
    """The first Taylor coefficients at `centre`; around a ball they enclose those of every point in it.

    Coefficients that are not known are NaN. The series length of the working precision must be at least `length`.
    """
    if target.series is None:
        return [arb.nan()] * length
    return coefficients_of(target.series, centre, length)


def coefficients_of(series: Callable[[Any], Any], centre: Any, length: int) -> list[Any]:
    """The same for a function of power series. What divisions of series by their variable cost in length is made up."""
    found = _series_at(series, centre, length)
    if isinstance(found, arb_series) and found.prec < length:
        found = _series_at(series, centre, 2 * length - found.prec)
    if found is None:
        return [arb.nan()] * length
    if not isinstance(found, arb_series):
        return [found, *[arb(0)] * (length - 1)]
    known = min(found.prec, length)
    coefficients = list(found.coeffs())[:known]
    return coefficients + [arb(0)] * (known - len(coefficients)) + [arb.nan()] * (length - known)


def _series_at(series: Callable[[Any], Any], centre: Any, length: int) -> Any:
    with working(bits=ctx.prec, length=max(ctx.cap, length)):
        try:
            return series(arb_series([centre, 1], prec=length))
        except (ValueError, ZeroDivisionError):  # there is no power series at this place
            return None
