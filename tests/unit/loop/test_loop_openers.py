"""Openers: operators with one turn each while a run begins, beside the bandit and outside its books."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from archive import GridArchive, LinearAxis
from archive.candidate import Candidate
from archive.islands import Islands
from evaluators.contract import Evaluation
from evolve.config.problem import Problem, load_problem
from evolve.loop.manner import Manner
from evolve.loop.search import Search
from evolve.loop.setup import build_search
from evolve.loop.told import Told, ToldChild
from evolve.operators.contract import Proposing
from evolve.operators.symbolic import SymbolicBurst


@dataclass(frozen=True, slots=True)
class Idle:
    """An operator whose outcomes are told: it never proposes anything."""

    name: str
    mark: int = 0
    n_parents: int = 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        yield from ()
        return []


OPENERS = tuple(Idle("enumerate", mark) for mark in range(3))


def a_search(*, n_islands: int = 1) -> Search:
    archives = [GridArchive(axes=(LinearAxis(name="place", low=0.0, high=1.0, cells=4),)) for _ in range(n_islands)]
    search = Search(
        Islands(archives),
        (Idle("edit"), Idle("cross")),
        rng_seed=3,
        migrate_every=50,
        n_migrants=1,
        manner=Manner(openers=OPENERS),
    )
    child = ToldChild(
        files={"seed.py": "0"},
        fingerprint="0",
        parent_ids=(),
        evaluation=Evaluation(score=1.0, descriptor={"place": 0.5}, metrics={}),
    )
    search.tell(replace(an_outcome(0, "seed"), children=(child,)))
    return search


def an_outcome(number: int, operator: str) -> Told:
    return Told(number=number, operator=operator, island=0, cost=1.0, seconds=0.0, n_duplicates=0, children=())


def test_openers_take_every_other_turn_in_their_order_until_all_had_one() -> None:
    search = a_search()

    planned = [search.plan(number).operator for number in range(1, 9)]

    assert [operator.mark for operator in planned[0:6:2] if isinstance(operator, Idle)] == [0, 1, 2]
    assert {operator.name for operator in (*planned[1:6:2], *planned[6:])} <= {"edit", "cross"}


def test_the_bandit_neither_counts_nor_learns_from_openers() -> None:
    search = a_search()
    before = search.bandit.to_mapping()

    plan = search.plan(1)
    search.tell(an_outcome(1, plan.operator.name))

    assert plan.operator.name == "enumerate"
    assert search.bandit.to_mapping() == before


def test_a_search_folded_from_the_log_goes_on_with_the_next_opener() -> None:
    lived, resumed = a_search(), a_search()
    for number in (1, 2):
        name = lived.plan(number).operator.name
        lived.tell(an_outcome(number, name))
        resumed.note_recorded_plan(name)
        resumed.tell(an_outcome(number, name))

    assert resumed.plan(3).operator == lived.plan(3).operator == OPENERS[1]
    assert resumed.plan(4).operator == lived.plan(4).operator


def test_openers_visit_all_islands() -> None:
    search = a_search(n_islands=2)

    assert {search.plan(number).island for number in (1, 3, 5)} == {0, 1}


def test_a_problem_with_a_fit_target_opens_with_all_shards_small_ones_first() -> None:
    openers = build_search(load_problem("exp2"), 0).openers

    parts = [(o.settings["size"], o.settings["shard"]) for o in openers if isinstance(o, SymbolicBurst)]
    assert parts == sorted(parts)
    assert {size for size, _ in parts} == {1, 2, 3, 4, 5, 6}
    for size in range(1, 7):
        shards = [o.settings for o in openers if isinstance(o, SymbolicBurst) and o.settings["size"] == size]
        assert [each["shard"] for each in shards] == list(range(shards[0]["n_shards"]))


def test_enumeration_can_be_limited_and_switched_off() -> None:
    problem = load_problem("exp2")

    assert build_search(with_enumerate(problem, 0), 0).openers == ()
    few = build_search(with_enumerate(problem, 3), 0).openers
    assert max(o.settings["size"] for o in few if isinstance(o, SymbolicBurst)) == 3


def test_a_problem_without_bursts_has_no_openers() -> None:
    assert build_search(load_problem("circle_packing_26"), 0).openers == ()


def with_enumerate(problem: Problem, largest: int) -> Problem:
    symbolic = problem.tables.symbolic.model_copy(update={"enumerate": largest})
    return replace(problem, tables=problem.tables.model_copy(update={"symbolic": symbolic}))
