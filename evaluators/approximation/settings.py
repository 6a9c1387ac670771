"""From the options table of a problem to what is asked: a function, an interval, an error, a symmetry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.approximation.formula import FormulaError
from evaluators.approximation.functions import Target, end_of_interval, target_named, target_of_formula
from evaluators.approximation.own_function import is_own_function, own_function
from evaluators.approximation.sup_error import ErrorCurve
from evaluators.approximation.symmetry import Symmetry, symmetry_of
from evaluators.errors import EvaluatorError
from evaluators.options import checked_options

CHOICES = "expected 'relative' or 'absolute', or {weight = \"a formula over x\"}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is measured, and what structure programs may use."""

    curve: ErrorCurve
    symmetry: Symmetry | None


def settings_of(options: Mapping[str, Any], folder: str) -> Settings:
    """What the options ask; a file that they name lies in the problem's folder and is run here.

    Raises:
        EvaluatorError: they make no sense.
    """
    values = checked_options(
        options, required=("function", "interval"), optional={"error": "relative", "symmetry": None}
    )
    relative, weight = _error(values["error"])
    low, high = _interval(values["interval"])
    function = values["function"]
    target = own_function(function, folder, low, high) if is_own_function(function) else target_named(function)
    curve = ErrorCurve(target, low, high, relative=relative, weight=weight)
    curve.require_defined()
    return Settings(curve=curve, symmetry=symmetry_of(values["symmetry"], target, low, high))


def _interval(interval: object) -> tuple[float, float]:
    if not isinstance(interval, Sequence) or isinstance(interval, str) or len(interval) != 2:
        raise EvaluatorError(f"evaluator.options.interval is {interval!r}, expected two ends such as [0, 1]")
    low, high = end_of_interval(interval[0]), end_of_interval(interval[1])
    if not low < high:
        raise EvaluatorError(f"evaluator.options.interval is {interval!r}, expected its first end below its second")
    return low, high


def _error(option: object) -> tuple[bool, Target | None]:
    if option in ("relative", "absolute"):
        return option == "relative", None
    if isinstance(option, Mapping) and set(option) == {"weight"} and isinstance(option["weight"], str):
        try:
            return False, target_of_formula(option["weight"])
        except FormulaError as error:
            weight = option["weight"]
            told = f"evaluator.options.error.weight is {weight!r}, which is no formula over x: {error}"
            raise EvaluatorError(told) from None
    raise EvaluatorError(f"evaluator.options.error is {option!r}, {CHOICES}")
