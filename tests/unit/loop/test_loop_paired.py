"""Paired scores: every program of a run is judged with the same random states."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from evaluators.contract import Evaluation
from evolve.loop.iteration import Bench, judge_all
from evolve.tasks import evaluation_to_mapping

PROGRAMS = [{"seed.py": "a = 1\n"}, {"seed.py": "a = 2\n"}]


class Recorder:
    """An executor that gives every program the same score and remembers what it was asked."""

    def __init__(self) -> None:
        self.rng_seeds: list[int] = []

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        assert task == "evaluate"
        self.rng_seeds += [child["rng_seed"] for child in payload["children"]]
        return {"evaluations": [evaluation_to_mapping(Evaluation(score=1.0)) for _ in payload["children"]]}


def rng_seeds(*, paired: bool, rng_seed: int = 5) -> list[int]:
    """The random states of two programs in each of two iterations."""
    recorder = Recorder()
    judge = {"paired": paired}
    bench = Bench(
        executor=cast("Any", recorder), gate=cast("Any", None), judge=judge, rng_seed=rng_seed, longest_seconds=1.0
    )
    for iteration in (0, 1):
        asyncio.run(judge_all(PROGRAMS, iteration, bench))
    return recorder.rng_seeds


def test_paired_programs_have_one_random_state_in_all_iterations() -> None:
    found = rng_seeds(paired=True)

    assert len(found) == 4
    assert len(set(found)) == 1


def test_the_random_state_of_paired_programs_is_that_of_the_run() -> None:
    assert rng_seeds(paired=True) == rng_seeds(paired=True)
    assert rng_seeds(paired=True) != rng_seeds(paired=True, rng_seed=6)


def test_without_pairs_every_program_has_a_random_state_of_its_own() -> None:
    assert len(set(rng_seeds(paired=False))) == 4


@pytest.mark.parametrize("paired", [True, False])
def test_the_seed_program_keeps_its_random_state(*, paired: bool) -> None:
    assert rng_seeds(paired=paired)[0] == rng_seeds(paired=not paired)[0]
