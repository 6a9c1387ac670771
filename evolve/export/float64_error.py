"""What a program's error is in float64 arithmetic, where rounding counts: measured at many points, not proved."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

N_POINTS = 2000
BITS = 160


@dataclass(frozen=True, slots=True)
class Float64Error:
    """The largest error found and where, over how many points; and the points without a finite value."""

    largest: float
    point: float
    n_points: int
    not_finite: tuple[float, ...]


def measured_in_float64(
    program: Program, vocabulary: Vocabulary, options: Mapping[str, Any], folder: Path
) -> Float64Error | None:
    """The error of a function approximation as float64 code; None for a target that is code of the problem's own.

    Raises:
        EvaluatorError: the options make no sense.
    """
    # Exact arithmetic is slow to import, and other exports do without it.
    from flint import arb

    from evaluators.approximation.own_function import is_own_function
    from evaluators.approximation.precision import working
    from evaluators.approximation.settings import settings_of
    from evaluators.approximation.sup_error import ErrorCurve, chebyshev_points
    from sandbox.symbolic.interpreter import evaluate

    if is_own_function(options.get("function")):
        return None
    curve = settings_of(options, str(folder)).curve
    points = sorted({*chebyshev_points(curve.low, curve.high, N_POINTS), *np.linspace(curve.low, curve.high, N_POINTS)})
    values = np.broadcast_to(evaluate(program, vocabulary, [np.array(points)]), (len(points),))
    finite = [(float(x), float(value)) for x, value in zip(points, values, strict=True) if math.isfinite(value)]

    def error(curve: ErrorCurve, x: float, value: float) -> float:
        exact = curve.target.value(arb(x))
        difference = arb(value) - exact
        if curve.relative:
            if any(zero.point == x for zero in curve.zeros):
                return 0.0 if value == 0.0 else math.inf
            difference /= exact
        elif curve.weight is not None:
            difference *= curve.weight_at(x)
        return float(abs(difference).mid())

    with working(bits=BITS):
        errors = [(error(curve, x, value), x) for x, value in finite]
    largest, point = max(errors, default=(math.inf, curve.low))
    missing = tuple(float(x) for x, value in zip(points, values, strict=True) if not math.isfinite(value))
    return Float64Error(largest, point, len(points), missing)
