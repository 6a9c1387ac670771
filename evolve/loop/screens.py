"""Where the screens of a symbolic search run: settled before anything is written, and said when it is not as asked.

Screens choose the same programs on every device, so the device is no part of what decides a search.
"""

from typing import Final

from evaluators.spec import OPTIMIZER_FAMILY
from evolve.config.problem import Problem
from evolve.errors import EvolveEnvironmentError, UsageError
from evolve.loop.events import RunOptions
from evolve.operators.screening import screen_rows
from sandbox.symbolic.vocabulary import load_vocabulary
from sandbox.torch_device import DeviceError, open_device

PROCESSOR: Final = "cpu"
CARD: Final = "cuda"
IF_ANY: Final = "auto"


def rows_of(problem: Problem) -> int:
    """How many expressions each screen of a problem joins in pairs, 0 for no screens."""
    if problem.language != "symbolic":
        return 0
    vocabulary = load_vocabulary(problem.symbolic_mapping()["vocabulary"])
    if vocabulary.signature is not None:
        return 0  # update rules: nothing to fit them to
    opcodes = {function.opcode for function in vocabulary.functions}
    return screen_rows(problem.tables.symbolic.screen, opcodes)


def settled_device(problem: Problem, options: RunOptions) -> tuple[str, str]:
    """The device that workers are told, and what people have to know of it (empty: nothing).

    Raises:
        UsageError: a card is asked for where no screen would use it.
        EvolveEnvironmentError: a card is asked for and not there.
    """
    asked = options.device
    if asked == PROCESSOR:
        return PROCESSOR, ""
    if rows_of(problem) == 0:
        if asked == IF_ANY:
            return PROCESSOR, ""
        hint = "set [symbolic] screen = 600 in problem.toml to have some; leave the option out otherwise"
        if problem.tables.evaluator.family == OPTIMIZER_FAMILY:
            hint = f'to train networks on a card, set device = "{asked}" in [evaluator.options] of problem.toml'
        raise UsageError(
            f"--device {asked} is for the screens of a symbolic search, and {problem.name} has none", hint=hint
        )
    if options.executor == "ray":
        return _without_card(asked, "workers of a Ray cluster have cards for candidates only")
    try:
        opened = open_device(asked)
    except DeviceError as error:
        return _without_card(asked, str(error))
    return (CARD, "") if opened.is_card else _without_card(asked, opened.notice)


def _without_card(asked: str, why: str) -> tuple[str, str]:
    if asked != IF_ANY:
        raise EvolveEnvironmentError(
            f"--device {asked}: {why}", hint="with --device auto a run without a card goes on, on processors"
        )
    return PROCESSOR, f"NO GRAPHICS CARD: screens run on processors, as --device auto allows ({why})"
