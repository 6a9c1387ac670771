"""From a timed candidate to what `evaluate` returns."""

from collections.abc import Sequence
from typing import Any

from evaluators.contract import Failure
from evaluators.timing.paired import Comparison, PairedTimer
from evaluators.timing.ratios import mean_of
from evaluators.timing.tasks import TimedTask, TooNoisyError, WrongOutputError


def timed_evaluation(
    timer: PairedTimer, *, tasks: Sequence[TimedTask], checks: Sequence[TimedTask] = ()
) -> dict[str, Any]:
    """The score and all that goes with it, but for the descriptor, which is the problem's; or a failure.

    `checks` are only looked at, once each and first; `tasks` are timed. The score is log2 of the geometric mean of the
    speed-ups. Among the metrics are its `standard_error`, `worst` (the task with the smallest log2 speed-up) and one
    `log2_…` for each task.
    """
    if not tasks:
        raise ValueError("there are no tasks to time: give some, or use checked_evaluation, which times nothing")
    try:
        errors = [timer.check(task) for task in checks]
        compared = [timer.compare(task) for task in tasks]
    except WrongOutputError as error:
        return {"failure": str(error), "kind": str(Failure.INVALID)}
    except TooNoisyError as error:
        return {"failure": str(error), "kind": str(Failure.EVALUATOR)}
    mean = mean_of([each.speed_up for each in compared])
    metrics = {f"log2_{each.task.replace(' ', '_')}": each.speed_up.log2 for each in compared}
    busy = [each.busy_elsewhere for each in compared if each.busy_elsewhere is not None]
    metrics |= {"busy_elsewhere": max(busy)} if busy else {}
    return {
        "score": mean.log2,
        "metrics": metrics
        | {
            "standard_error": mean.standard_error,
            "speed_up": mean.factor,
            "worst": min(each.speed_up.log2 for each in compared),
            "largest_error": max([*errors, *(each.largest_error for each in compared)]),
            "n_pairs": float(mean.n_pairs),
        },
        "artifacts": {"times": "\n".join(_line(each) for each in compared)},
    }


def checked_evaluation(timer: PairedTimer, *, checks: Sequence[TimedTask]) -> dict[str, Any]:
    """The metric `largest_error`, or a failure, where outputs can be judged and times cannot: no score, no time."""
    try:
        errors = [timer.check(task) for task in checks]
    except WrongOutputError as error:
        return {"failure": str(error), "kind": str(Failure.INVALID)}
    return {"metrics": {"largest_error": max(errors)}}


def _line(each: Comparison) -> str:
    found = each.speed_up
    return (
        f"{each.task}: {1e3 * each.seconds:.3g} ms, reference {1e3 * each.reference_seconds:.3g} ms, speed-up "
        f"{found.factor:.3g} (log2 {found.log2:+.3f}, 95% {found.low:+.3f} to {found.high:+.3f}, {found.n_pairs} pairs)"
    )
