"""The error of a function approximation over its interval, computed from the program in exact arithmetic."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evolve.store import CandidateRecord
from evolve.view.run import RunView

if TYPE_CHECKING:
    from evaluators.approximation.sup_error import ErrorCurve

FAMILY = "function_approximation"
N_POINTS = 241
BITS = 320


def error_curve(view: RunView, record: CandidateRecord) -> tuple[str, tuple[tuple[float, float], ...]] | None:
    """A title and the points (x, signed error); None for what is no such program or cannot be drawn.

    The program is read and computed with, never run: its language knows arithmetic only.
    """
    evaluator = view.tables.get("evaluator")
    if not isinstance(evaluator, Mapping) or evaluator.get("family") != FAMILY or record.evaluation.score is None:
        return None
    from evaluators.errors import EvaluatorError
    from sandbox.errors import CandidateSyntaxError

    try:
        return _computed(view, record, evaluator.get("options") or {})
    except (EvaluatorError, CandidateSyntaxError, ArithmeticError, ValueError, OSError):
        return None  # made by another version, or by a vocabulary that is gone: there is no picture then


def _computed(
    view: RunView, record: CandidateRecord, options: Mapping[str, Any]
) -> tuple[str, tuple[tuple[float, float], ...]] | None:
    # Exact arithmetic is slow to import, and most looks do without it.
    from evaluators.approximation.own_function import is_own_function
    from evaluators.approximation.rational import NoExactFormError, quotient_of
    from evaluators.approximation.settings import settings_of
    from sandbox.symbolic.parse import parse
    from sandbox.symbolic.vocabulary import load_vocabulary

    symbolic = view.tables.get("symbolic") or {}
    name = str(symbolic.get("vocabulary") or "arithmetic")
    if is_own_function(options.get("function")) or name.endswith(".py"):
        return None  # a file of the problem's own would have to be run
    vocabulary = load_vocabulary(name)
    entry = next(iter(record.candidate.files.values()), "")
    try:
        quotient = quotient_of(parse(entry, vocabulary), vocabulary)
    except NoExactFormError:
        return None
    curve = settings_of(options, "").curve
    points = _points(curve, quotient)
    if not points:
        return None
    worst = max(points, key=lambda point: abs(point[1]))
    return f"{curve.kind} error on [{curve.low:g}, {curve.high:g}], largest near x = {worst[0]:.4g}", points


def _points(curve: "ErrorCurve", quotient: Any) -> tuple[tuple[float, float], ...]:
    from evaluators.approximation.precision import working

    step = (curve.high - curve.low) / (N_POINTS - 1)
    places = [curve.low + step * place for place in range(N_POINTS - 1)] + [curve.high]
    with working(bits=BITS):
        errors = curve.errors_at(quotient, places, curve.values_at(places))
        found = [(x, float(error.mid())) for x, error in zip(places, errors, strict=True) if error.is_finite()]
    return tuple((x, error) for x, error in found if abs(error) < 1e300)
