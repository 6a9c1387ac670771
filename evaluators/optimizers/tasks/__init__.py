"""The proxy tasks, by name and by suite."""

from collections.abc import Mapping
from typing import Final

from evaluators.optimizers.task import Suite, Task, named
from evaluators.optimizers.tasks.autoencoders import DEEP_AE, LIN_AE
from evaluators.optimizers.tasks.convolutions import CONV_DENOISE, CONV_DIGITS, CONV_TEXT
from evaluators.optimizers.tasks.digit_models import MIXER_DIGITS, VAE_DIGITS
from evaluators.optimizers.tasks.digits import DIGITS_AUG
from evaluators.optimizers.tasks.factors import COMPLETION, NEIGHBOURS
from evaluators.optimizers.tasks.heavy_tails import HEAVY_LABELS, HEAVY_QUAD, HEAVY_ROWS
from evaluators.optimizers.tasks.modular import MOD_ADD
from evaluators.optimizers.tasks.pictures import PICTURE
from evaluators.optimizers.tasks.quadratics import QUAD_ROT
from evaluators.optimizers.tasks.recurrent import GRU_CHAR, RNN_CHAR
from evaluators.optimizers.tasks.residual import RESMLP
from evaluators.optimizers.tasks.text_models import CHAR_MLP, TFM_CHAR
from evaluators.optimizers.tasks.zipf import ZIPF_LINEAR

__all__ = ["TASKS", "tasks_of"]

_SEARCH: Final = (QUAD_ROT, LIN_AE, DIGITS_AUG, DEEP_AE, CHAR_MLP, RESMLP)
_VALIDATION: Final = (COMPLETION, NEIGHBOURS, VAE_DIGITS, MIXER_DIGITS, CONV_TEXT)
_TEST: Final = (TFM_CHAR, RNN_CHAR, GRU_CHAR, CONV_DIGITS, CONV_DENOISE, MOD_ADD, ZIPF_LINEAR, PICTURE)
_NOISE: Final = (HEAVY_QUAD, HEAVY_LABELS, HEAVY_ROWS)

TASKS: Final[Mapping[str, Task]] = named((*_SEARCH, *_VALIDATION, *_TEST, *_NOISE))
"""All tasks by name, read-only."""


def tasks_of(suite: Suite) -> tuple[Task, ...]:
    """The tasks of a suite, in their order."""
    return tuple(task for task in TASKS.values() if task.suite == suite)
