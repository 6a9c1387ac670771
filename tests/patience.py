"""Second chances for checks of tight time limits: a machine may stand still for longer than any of them."""

from collections.abc import Callable

from evaluators.errors import EvaluatorError

SLOWER = 10.0


def at_some_pace(check: Callable[[float], None]) -> None:
    """Check with all limits and naps as they are (a factor of 1), and if that fails once more with ten times as long.

    For what has to meet a limit, or come close to it: it costs that time. Give everything else wide limits instead.
    """
    try:
        check(1.0)
    except (AssertionError, EvaluatorError):
        check(SLOWER)
