"""The rungs of a burst, and what a program needs of a problem."""

from itertools import pairwise
from typing import Any

import pytest

from evaluators.optimizers.references import SHIPPED, References
from evaluators.optimizers.rungs import Rung
from evaluators.optimizers.settings import settings_of
from evaluators.optimizers.tasks import TASKS
from evolve.rules.ladder import is_part, ladder_of
from evolve.rules.language import language_of
from evolve.rules.rule_task import N_SEEDS, seed_blocks
from evolve.rules.shrink import LOOKS
from evolve.rules.varying import names_used
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import load_vocabulary
from sandbox.update_rules.zoo import ZOO

VOCABULARY = load_vocabulary("optimizer")
SEEDS = tuple(reversed(range(N_SEEDS)))


def ladder(**options: Any) -> tuple[Rung, ...]:
    return ladder_of(settings_of(options, TASKS), SEEDS)


def cost(rung: Rung) -> float:
    steps = sum(TASKS[run.task].cost * run.n_steps for run in rung.runs)
    return steps * len(rung.tuning_seeds) * rung.n_learning_rates


@pytest.mark.parametrize(
    "options",
    [{}, {"tasks": ["lin_ae"]}, {"tasks": ["heavy_quad", "heavy_rows"]}, {"horizon": 2.0}],
    ids=["search suite", "one task", "other tasks", "another horizon"],
)
def test_every_rung_is_dearer_than_the_one_below_and_starts_from_its_seeds(options: dict[str, Any]) -> None:
    # given / when
    rungs = ladder(**options)

    # then
    assert len(rungs) >= 2
    assert all(cost(above) > 2.0 * cost(below) for below, above in pairwise(rungs))
    assert all(set(below.tuning_seeds) <= set(above.tuning_seeds) for below, above in pairwise(rungs))
    assert not any(rung.confirmation_seeds for rung in rungs)


def test_a_glance_contains_what_a_peep_has_trained() -> None:
    # given
    peep, glance, look = ladder()

    # when / then
    assert is_part(peep, glance)
    assert not is_part(glance, look)


def test_the_ladder_of_the_search_suite_has_reference_losses_for_every_seed() -> None:
    # given
    shipped = References.load(SHIPPED)

    # when
    lacking = [
        (run.name, seed)
        for rung in ladder()
        for run in rung.runs
        for seed in range(N_SEEDS)
        if seed not in shipped.of(run, TASKS[run.task].content_hash).horizon.losses
    ]

    # then
    assert lacking == []


@pytest.mark.parametrize("wanted", [1, 2, 4, 40])
def test_simplification_has_seeds_of_its_own_for_every_block(wanted: int) -> None:
    # given / when
    blocks = seed_blocks(SEEDS, wanted)

    # then
    drawn = [seed for block in blocks for seed in block]
    assert len(blocks) == max(LOOKS)
    assert all(1 <= len(block) <= wanted for block in blocks)
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize(
    ("name", "used"),
    [("sgd", {"g"}), ("adam", {"g", "t", "m", "v"}), ("muon_everywhere", {"g", "m"}), ("lion", {"g", "m"})],
)
def test_a_program_uses_the_inputs_that_it_reads_and_the_slots_that_it_keeps(name: str, used: set[str]) -> None:
    # given
    text = ZOO[name].with_values(**{key: 0.0 for key in ZOO[name].defaults if key == "decay"})
    language = language_of(VOCABULARY)

    # when
    found = names_used(parse(text, VOCABULARY, inputs=language.inputs), language)

    # then
    assert found - {"w"} == used
