"""A function that a problem brings as a Python file: `value(x)` on mpmath numbers, perhaps `enclosure(x)` on balls."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from flint import arb, ctx, fmpz

from evaluators.approximation.functions import Target
from evaluators.approximation.precision import working
from evaluators.errors import EvaluatorError
from evaluators.foreign import load_file, where

LOADING_BITS = 8192
EXTRA_BITS = 32
GUARD_BITS = 16
CHECK_BITS = (192, 320)
AGREEMENT = 2.0**-160
NUDGE_BITS = 100
CHECKED_PARTS = (0.137, 0.311, 0.502, 0.688, 0.863)
ENCLOSURE = "enclosure"
NOT_ENCLOSED = (
    "its values are not enclosed; to have bounds proved, give it a function enclosure(x) that works on python-flint's "
    "arb and arb_series"
)


def is_own_function(function: object) -> bool:
    """Whether the option names a file of the problem's folder."""
    return isinstance(function, str) and function.endswith(".py")


def own_function(name: str, folder: str, low: float, high: float) -> Target:
    """The function of a file of the problem's folder, tried on the interval.

    Raises:
        EvaluatorError: there is no such file, it cannot be loaded, or its function is not of high precision.
    """
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise EvaluatorError(f"evaluator.options.function is {name!r}, expected a file inside the problem's folder")
    path = Path(folder) / place
    with _many_bits(), working(bits=LOADING_BITS):
        module = load_file(path)
    details = {"function_file_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    enclosure = getattr(module, ENCLOSURE, None)
    if callable(enclosure):
        written = f"{ENCLOSURE}(x) of {name}"
        told = _told(enclosure, written)
        return Target(name=name, written=written, value=told, series=told, details=details)
    value = _mpmath_value(module, name)
    written = f"value(x) of {name}"
    _require_precision(value, written, [low + (high - low) * part for part in CHECKED_PARTS])
    return Target(
        name=name,
        written=written,
        value=value,
        series=None,
        unproved=NOT_ENCLOSED,
        is_enclosed=False,
        details=details,
    )


def _many_bits() -> AbstractContextManager[object]:
    """The precision of constants that the file computes when it is loaded."""
    try:
        import mpmath
    except ImportError:
        return nullcontext()
    context: AbstractContextManager[object] = mpmath.workprec(LOADING_BITS)
    return context


def _told(function: Callable[[Any], Any], written: str) -> Callable[[Any], Any]:
    """The same; what it raises is the problem's fault, but for power series that do not exist."""

    def called(x: Any) -> Any:
        try:
            result = function(x)
        except (ValueError, ZeroDivisionError):
            if isinstance(x, arb):
                return arb.nan()
            raise
        except Exception as error:
            raise EvaluatorError(f"{written} raised {where(error)}") from error
        if not isinstance(result, arb | type(x)):
            raise EvaluatorError(f"{written} returned a {type(result).__name__} for an {type(x).__name__}")
        return result

    return called


def _mpmath_value(module: ModuleType, name: str) -> Callable[[Any], Any]:
    function = getattr(module, "value", None)
    if not callable(function):
        raise EvaluatorError(f"{name} has no function value(x)")
    try:
        import mpmath
    except ImportError:
        raise EvaluatorError(f"{name} is called with mpmath numbers, but mpmath is not installed") from None

    def value(x: Any) -> Any:
        """A ball around what the file says, as wide as its rounding may be: no enclosure."""
        bits = ctx.prec
        with mpmath.workprec(bits + EXTRA_BITS):
            mantissa, exponent = x.mid().man_exp()
            try:
                result = function(mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent)))
            except (ValueError, ZeroDivisionError):
                return arb.nan()
            except Exception as error:
                raise EvaluatorError(f"value({x.str(10, radius=False)}) of {name} raised {where(error)}") from error
            if isinstance(result, mpmath.mpc) and result.imag == 0:
                result = result.real
            if isinstance(result, int) and not isinstance(result, bool):
                result = mpmath.mpf(result)
            if not isinstance(result, mpmath.mpf):
                got = type(result).__name__
                raise EvaluatorError(f"value(x) of {name} returned a {got}, expected a real mpmath number (mpf)")
            return _ball_of(result, bits, mpmath.isfinite(result))

    return value


def _ball_of(number: Any, bits: int, is_finite: bool) -> Any:
    if not is_finite:
        return arb.nan()
    mantissa, exponent = number.man_exp
    sign = -1 if number < 0 and mantissa > 0 else 1
    middle = arb(fmpz(sign * int(mantissa))) * arb(2) ** int(exponent)
    return arb(middle.mid(), abs(middle.mid()) * arb(2) ** (GUARD_BITS - bits))


def _require_precision(value: Callable[[Any], Any], written: str, points: list[float]) -> None:
    """Refuse functions that compute with float64 numbers somewhere."""
    stuck = 0
    for point in points:
        found = []
        for bits in CHECK_BITS:
            with working(bits=bits):
                found.append(value(arb(point)))
        with working(bits=CHECK_BITS[1]):
            if not all(each.is_finite() for each in found):
                continue
            difference = abs(found[0].mid() - found[1].mid())
            if difference > abs(found[1]) * arb(AGREEMENT):
                raise EvaluatorError(
                    f"{written} is not precise: at x = {point!r} it changes by {float(difference):.1e} when the "
                    "working precision rises; compute with mpmath functions and no floats"
                )
            nudged = value(arb(point) * (1 + arb(2) ** -NUDGE_BITS))
            stuck += bool(nudged.mid() == found[1].mid())
    if stuck == len(points):
        raise EvaluatorError(
            f"{written} is not precise: its accuracy is that of float64; compute with mpmath functions and no floats"
        )
