"""The rungs of a burst: what is trained of a rule before the judge trains it."""

from collections.abc import Sequence
from dataclasses import replace

from evaluators.optimizers.rungs import Rung, judge_rung, quick_rung, run_of
from evaluators.optimizers.settings import OptimizerSettings

FEW_RATES = 3
GLANCED = (("deep_ae", 0.35),)
LOOKED = (("deep_ae", 0.7), ("char_mlp", 0.5), ("resmlp", 0.35))
"""Dear tasks of the search suite that join at the second and third rung, with parts of their horizons."""


def ladder_of(options: OptimizerSettings, seeds: Sequence[int]) -> tuple[Rung, ...]:
    """The rungs of a burst below the judge's, on the first of these tuning seeds.

    The first is on the judge's cheapest tasks with few learning rates: enough to see that a rule is no good. It has two
    seeds all the same, for taking the steps of one run costs about as much as taking those of six. On the search suite
    dearer tasks join at a part of their horizons.
    """
    tasks, horizon = options.tasks or None, options.horizon
    peep = replace(quick_rung(tasks, horizon=horizon), tuning_seeds=(0, 1), n_learning_rates=FEW_RATES)
    if tasks is None and horizon == 1.0:
        more = [run_of(task, horizon=part) for task, part in GLANCED]
        most = [run_of(task, horizon=part) for task, part in LOOKED]
        rungs: tuple[Rung, ...] = (
            peep,
            replace(peep, name="glance", runs=(*peep.runs, *more)),
            replace(peep, name="look", runs=(*peep.runs, *most), n_learning_rates=5),
        )
    else:
        rungs = (peep, judge_rung(tasks, n_tuning_seeds=4, n_confirmation_seeds=0, horizon=horizon, name="look"))
    return tuple(replace(rung, cap=options.cap, tuning_seeds=tuple(seeds[: len(rung.tuning_seeds)])) for rung in rungs)


def is_part(smaller: Rung, larger: Rung) -> bool:
    """Whether whoever measured the larger rung has measured the smaller one too."""
    return set(smaller.runs) <= set(larger.runs) and set(smaller.tuning_seeds) <= set(larger.tuning_seeds)
