"""The options of the evaluator family `optimizer`, read and checked."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evaluators.errors import EvaluatorError
from evaluators.options import checked_options

DEFAULTS: Final[Mapping[str, Any]] = {
    "tasks": [],
    "tuning_seeds": 2,
    "confirmation_seeds": 6,
    "learning_rates": 5,
    "horizon": 1.0,
    "cap": 0.7,
    "threshold": -1.4,
    "device": "cpu",
}
MAX_SEEDS: Final = 64
MAX_LEARNING_RATES: Final = 33
MAX_HORIZON: Final = 16.0
HORIZON_TOLERANCE: Final = 0.01
"""How far a horizon may lie from a power of the square root of 2: AdamW's curves are measured at those only."""
MIN_CAP: Final = 0.1
MAX_CAP: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerSettings:
    """How a rule is judged; see `family.OptimizerFamily` for what each means."""

    tasks: tuple[str, ...]
    tuning_seeds: int
    confirmation_seeds: int
    learning_rates: int
    horizon: float
    cap: float
    threshold: float
    device: str


def settings_of(options: Mapping[str, Any], known_tasks: Collection[str]) -> OptimizerSettings:
    """The options with defaults filled in; no tasks means the search suite.

    Raises:
        EvaluatorError: options are unknown or wrong; all are named.
    """
    values = checked_options(options, required=(), optional=DEFAULTS)
    wrong = [
        *_unknown("tasks", values["tasks"], known_tasks),
        *_no_count("tuning_seeds", values["tuning_seeds"], 1, MAX_SEEDS),
        *_no_count("confirmation_seeds", values["confirmation_seeds"], 2, MAX_SEEDS),
        *_no_count("learning_rates", values["learning_rates"], 3, MAX_LEARNING_RATES),
        *_wrong_horizon(values["horizon"]),
        *_outside("cap", values["cap"], MIN_CAP, MAX_CAP),
        *_outside("threshold", values["threshold"], -100.0, 100.0),
    ]
    if not isinstance(values["device"], str):
        wrong.append(f"evaluator.options.device is {values['device']!r}, expected cpu, cuda, cuda:1 or auto")
    if wrong:
        raise EvaluatorError("; ".join(wrong))
    return OptimizerSettings(
        tasks=tuple(values["tasks"]),
        tuning_seeds=values["tuning_seeds"],
        confirmation_seeds=values["confirmation_seeds"],
        learning_rates=values["learning_rates"],
        horizon=float(values["horizon"]),
        cap=float(values["cap"]),
        threshold=float(values["threshold"]),
        device=values["device"],
    )


def _unknown(name: str, got: object, known: Collection[str]) -> list[str]:
    is_list = isinstance(got, Sequence) and not isinstance(got, str)
    if not is_list or any(not isinstance(each, str) or each not in known for each in got):  # type: ignore[attr-defined]
        return [f"evaluator.options.{name} is {got!r}, expected a list of names among {', '.join(known)}"]
    if len(set(got)) != len(got):  # type: ignore[call-overload, arg-type]
        return [f"evaluator.options.{name} is {got!r}, expected different names"]
    return []


def _no_count(name: str, got: object, low: int, high: int) -> list[str]:
    if type(got) is int and low <= got <= high:
        return []
    return [f"evaluator.options.{name} is {got!r}, expected a whole number from {low} to {high}"]


def _outside(name: str, got: object, low: float, high: float) -> list[str]:
    if type(got) in (int, float) and math.isfinite(got) and low <= got <= high:  # type: ignore[arg-type, operator]
        return []
    return [f"evaluator.options.{name} is {got!r}, expected a number from {low:g} to {high:g}"]


def _wrong_horizon(got: object) -> list[str]:
    """What is wrong with a horizon: it lies outside, or between the half octaves that runs are rounded to."""
    if outside := _outside("horizon", got, 1.0 / MAX_HORIZON, MAX_HORIZON):
        return outside
    horizon = float(got)  # type: ignore[arg-type]
    half_octaves = 2.0 * math.log2(horizon)
    low, high = (2.0 ** (whole / 2.0) for whole in (math.floor(half_octaves), math.ceil(half_octaves)))
    if min(abs(horizon / low - 1.0), abs(horizon / high - 1.0)) <= HORIZON_TOLERANCE:
        return []
    return [
        f"evaluator.options.horizon is {got!r}, expected a power of the square root of 2, as AdamW is measured at "
        f"those only: the nearest are {low:.4g} and {high:.4g}"
    ]
