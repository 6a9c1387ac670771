"""The functions that programs can be asked to approximate, as ball arithmetic and as power series."""

import difflib
import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flint import arb, arb_series

from evaluators.errors import EvaluatorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A function to approximate. `value` and `series` enclose it in ball arithmetic.

    `written` is how a person writes it. `zero_at_0` says that it has a simple zero at x = 0; there a relative error
    means the limit.
    """

    name: str
    written: str
    value: Callable[[Any], Any]
    series: Callable[[Any], Any]
    zero_at_0: bool = False


def _both(name: str, written: str, compute: Callable[[Any], Any], *, zero_at_0: bool = False) -> Target:
    return Target(name=name, written=written, value=compute, series=compute, zero_at_0=zero_at_0)


def _log2(x: Any) -> Any:
    return x.log() / arb(2).log()


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        _both("exp2", "2^x", lambda x: (x * arb(2).log()).exp()),
        _both("exp", "e^x", lambda x: x.exp()),
        _both("expm1", "e^x - 1", lambda x: x.exp() - 1, zero_at_0=True),
        _both("log2", "log2(x)", _log2),
        _both("log", "log(x)", lambda x: x.log()),
        Target(
            name="log2_1p",
            written="log2(1 + x)",
            value=lambda x: x.log1p() / arb(2).log(),
            series=lambda x: _log2(1 + x),
            zero_at_0=True,
        ),
        Target(
            name="log1p",
            written="log(1 + x)",
            value=lambda x: x.log1p(),
            series=lambda x: (1 + x).log(),
            zero_at_0=True,
        ),
        _both("sqrt", "sqrt(x)", lambda x: x.sqrt()),
        _both("rsqrt", "1/sqrt(x)", lambda x: x.rsqrt()),
        _both("sin", "sin(x)", lambda x: x.sin(), zero_at_0=True),
        _both("cos", "cos(x)", lambda x: x.cos()),
        _both("tan", "tan(x)", lambda x: x.tan(), zero_at_0=True),
        _both("asin", "asin(x)", lambda x: x.asin(), zero_at_0=True),
        _both("atan", "atan(x)", lambda x: x.atan(), zero_at_0=True),
        _both("erf", "erf(x)", lambda x: x.erf(), zero_at_0=True),
        _both("erfc", "erfc(x)", lambda x: x.erfc()),
        _both("gamma", "gamma(x)", lambda x: x.gamma()),
        _both("lgamma", "log(gamma(x))", lambda x: x.lgamma()),
        _both("airy_ai", "Ai(x)", lambda x: x.airy_ai()),
    )
}


def target_named(name: object) -> Target:
    """The built-in function of that name.

    Raises:
        EvaluatorError: there is none; the message names the nearest.
    """
    if isinstance(name, str) and name in TARGETS:
        return TARGETS[name]
    near = difflib.get_close_matches(str(name), TARGETS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise EvaluatorError(f"evaluator.options.function is {name!r}, expected one of {', '.join(TARGETS)}{hint}")


_WITH_PI = re.compile(r"(?P<sign>-?)(?:(?P<times>\d+(?:\.\d+)?)\*)?pi(?:/(?P<by>\d+(?:\.\d+)?))?")


def end_of_interval(end: object) -> float:
    """One end as a float64: a number, or text such as `pi/2`, `-pi` or `3*pi/4` (rounded to the nearest float64).

    Raises:
        EvaluatorError: it is neither.
    """
    value = _number_of_end(end)
    if value is None or not math.isfinite(value):
        raise EvaluatorError(f"evaluator.options.interval has the end {end!r}, expected a number or text like 'pi/2'")
    return value


def _number_of_end(end: object) -> float | None:
    if isinstance(end, int | float) and not isinstance(end, bool):
        return float(end) if abs(end) <= sys.float_info.max else None
    match = _WITH_PI.fullmatch(end.replace(" ", "")) if isinstance(end, str) else None
    if match is None or float(match["by"] or 1) == 0.0:
        return None
    value = math.pi * float(match["times"] or 1) / float(match["by"] or 1)
    return -value if match["sign"] else value


def ball(low: float, high: float) -> Any:
    """The smallest ball around the interval."""
    return arb(low).union(arb(high))


def taylor(target: Target, centre: Any, length: int) -> list[Any]:
    """The first Taylor coefficients at `centre`; around a ball they enclose those of every point in it.

    The series length of the working precision must be at least `length`.
    """
    series = target.series(arb_series([centre, 1], prec=length))
    coefficients = list(series.coeffs())[:length]
    return coefficients + [arb(0)] * (length - len(coefficients))
