"""Reading the options table of an evaluator family: unknown and missing keys are told all at once."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from evaluators.errors import EvaluatorError


def checked_options(
    options: Mapping[str, Any], *, required: Sequence[str], optional: Mapping[str, Any]
) -> dict[str, Any]:
    """The options with defaults filled in.

    Raises:
        EvaluatorError: keys are missing or unknown; all are named.
    """
    known = [*required, *optional]
    wrong = [f"evaluator.options.{key} is missing" for key in required if key not in options]
    for key in options:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            wrong.append(f"evaluator.options.{key} is unknown, expected one of {', '.join(known)}{hint}")
    if wrong:
        raise EvaluatorError("; ".join(wrong))
    return {**optional, **options}
