"""A search with language models: what it remembers, whose turn it is, and that a resume knows all of it again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from archive import GridArchive, LinearAxis
from archive.candidate import Candidate
from archive.islands import Islands
from evaluators.contract import Evaluation, Failure
from evolve.loop.lessons import FIRST_PAUSE, LEARN_EVERY, LONGEST_PAUSE, Lessons
from evolve.loop.manner import Manner
from evolve.loop.memory import FAILURES_OF_A_PARENT, MOST_FAILED_PARENTS, Memory
from evolve.loop.search import Search
from evolve.loop.told import Plan, Told, ToldChild
from evolve.operators.contract import EVERYONE, Proposing
from evolve.store import CandidateRecord, IterationRecord


@dataclass(frozen=True)
class Idle:
    """An operator that is only planned."""

    name: str
    kind: str = ""
    model: str = ""
    n_parents: int = 1

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        yield from ()
        return []


def by_model(kind: str, model: str = "m") -> Idle:
    return Idle(f"{kind}@{model}", kind=kind, model=model)


WRITERS = [by_model("diff"), by_model("repair"), by_model("diff", "other")]
LEARNERS = [by_model("insight"), by_model("advice")]


def a_search(*, plain: bool = True, strategy: str = "map_elites", n_islands: int = 2) -> Search:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 6)])
    operators = [*([Idle("edit"), Idle("burst", n_parents=EVERYONE)] if plain else []), *WRITERS]
    manner = Manner(lessons=Lessons(WRITERS, LEARNERS), strategy=strategy)
    search = Search(
        Islands.alike(archive, n_islands), operators, rng_seed=4, migrate_every=7, n_migrants=1, manner=manner
    )
    search.tell(outcome(0, [a_child("seed", 0.0, 0.5)], operator="seed"))
    return search


def a_child(name: str, score: float | None, place: float = 0.5, parents: tuple[int, ...] = ()) -> ToldChild:
    if score is None:
        evaluation = Evaluation.failed(Failure.EXCEPTION, detail=f"{name} is wrong")
    else:
        evaluation = Evaluation(score=score, descriptor={"x": place}, artifacts={"log": name})
    return ToldChild(files={"p.py": f"name_{name}"}, fingerprint=name, parent_ids=parents, evaluation=evaluation)


def outcome(
    number: int, children: Sequence[ToldChild] = (), *, operator: str = "edit", island: int = 0, **notes: Any
) -> Told:
    return Told(
        number=number,
        operator=operator,
        island=island,
        cost=0.5,
        seconds=0.0,
        n_duplicates=0,
        children=tuple(children),
        notes=notes,
    )


def lived(search: Search, n: int, *, window: int = 1, rng_seed: int = 0) -> list[IterationRecord]:
    """Plan and tell `n` iterations with made-up children and notes, as a run with this window does."""
    rng = np.random.default_rng(rng_seed)
    plans: dict[int, Plan] = {}
    records = []
    for number in range(1, n + 1):
        for ahead in range(len(plans) + 1, number + window):
            plans[ahead] = search.plan(ahead)
        plan = plans[number]
        parents = tuple(dict.fromkeys(parent.id for parent in plan.parents[:1]))
        score = None if rng.random() < 0.3 else float(rng.normal() + 0.02 * number)
        children = [a_child(f"n{number}", score, float(rng.random()), parents)] if plan.operator not in LEARNERS else []
        records.append(search.tell(outcome_of(plan, children, rng)))
    return records


def outcome_of(plan: Plan, children: Sequence[ToldChild], rng: np.random.Generator) -> Told:
    notes: dict[str, Any] = {}
    if "@" in plan.operator.name:
        assert plan.briefing is not None
        notes["asked"] = ["ok" if rng.random() < 0.9 else "unavailable"]
        notes["instruction_id"] = plan.briefing.instruction.id
        notes["insight_ids"] = [each.id for each in plan.briefing.insights]
    if plan.operator.name == "insight@m":
        notes["insight"] = {"condition": f"when{plan.number} so{plan.number}", "explanation": "x", "candidate_ids": [1]}
    if plan.operator.name == "advice@m":
        notes["instruction"] = f"do {plan.number}"
    return outcome(plan.number, children, operator=plan.operator.name, island=plan.island, **notes)


@pytest.mark.parametrize("strategy", ["map_elites", "iid", "sequential"])
@pytest.mark.parametrize("window", [1, 5])
def test_a_search_folded_from_its_log_goes_on_with_the_same_plans_and_briefings(strategy: str, window: int) -> None:
    search, again = a_search(strategy=strategy), a_search(strategy=strategy)
    n = 90

    records = lived(search, n, window=window)

    refolded = []
    planned = 0
    for record in records:
        while planned < record.number + window - 1:
            planned += 1
            if planned <= n:
                again.note_recorded_plan(records[planned - 1].operator)
            else:
                again.plan(planned)  # was in flight when the log ended
        refolded.append(again.tell(Told.from_record(record)))
    assert refolded == records
    assert again.plan(n + window) == search.plan(n + window)
    assert again.bandit.to_mapping() == search.bandit.to_mapping()


def test_learners_take_turns_that_are_rare_and_only_after_an_improvement() -> None:
    search = a_search(plain=False)
    records = lived(search, 12 * LEARN_EVERY, window=2)

    turns = [record.number for record in records if record.operator in ("insight@m", "advice@m")]
    first_gain = next(
        record.number for record in records for row in record.candidates if (row.evaluation.score or 0.0) > 0.0
    )
    assert len(turns) > 4
    assert turns[0] > max(first_gain, LEARN_EVERY)
    assert all(later - earlier >= LEARN_EVERY for earlier, later in pairwise(turns))
    assert [records[number - 1].operator for number in turns[:4]] == ["insight@m", "advice@m"] * 2


def test_a_briefing_tells_parents_failures_origin_best_and_lessons_as_they_were() -> None:
    search = a_search(plain=False, n_islands=1)
    search.tell(outcome(1, [a_child("better", 1.0, 0.5, (1,))], operator="diff@m", asked=["ok"]))
    search.tell(outcome(2, [a_child(f"bad{n}", None, parents=(2,)) for n in range(6)], operator="diff@m", asked=["ok"]))
    search.tell(outcome(3, operator="insight@m", insight={"condition": "when it is so"}))
    search.tell(outcome(4, operator="advice@m", instruction="be bold"))

    plans = [search.plan(number) for number in range(5, 25)]
    briefing = next(plan.briefing for plan in plans if plan.briefing is not None and plan.briefing.insights)

    assert [(each.candidate.id, each.score, each.artifacts) for each in briefing.parents] == [
        (2, 1.0, {"log": "better"})
    ]
    assert [each.detail for each in briefing.failures] == [f"bad{n} is wrong" for n in (5, 4, 3, 2)]
    assert {each.failure for each in briefing.failures} == {"exception"}
    assert briefing.origin is not None
    assert briefing.origin.candidate.id == 1
    assert briefing.best is not None
    assert briefing.best.candidate.id == 2
    assert briefing.insights[0].condition == "when it is so"
    assert {each.text for each in briefing.instructions} == {"", "be bold"}
    search.tell(outcome(5, [a_child("much better", 5.0, 0.5, (2,))], operator="diff@m", asked=["ok"]))
    assert briefing.best.candidate.id == 2  # a plan keeps what was known when it was made


def test_a_repair_is_given_a_parent_whose_children_failed_and_rests_while_there_is_none() -> None:
    search = a_search(plain=False)
    early = {search.plan(number).operator.name for number in range(1, 30)}
    search.tell(outcome(1, [a_child("good", 1.0, 0.9, (1,))], operator="diff@m", island=0))
    search.tell(outcome(2, [a_child("bad", None, parents=(2,))], operator="diff@m", island=0))

    repairs = [plan for plan in (search.plan(number) for number in range(3, 60)) if plan.operator.name == "repair@m"]

    assert "repair@m" not in early
    assert repairs
    assert {plan.parents[0].id for plan in repairs} == {2}


def test_the_reward_of_a_run_with_models_is_the_improvement_and_not_the_number_of_children() -> None:
    search = a_search()
    many = search.tell(outcome(1, [a_child(f"n{n}", -9.0, n / 8, (1,)) for n in range(3)]))
    best = search.tell(outcome(2, [a_child("best", 3.0, 0.5, (1,))], operator="diff@m"))

    assert 0.0 < many.reward < best.reward < 1.0


def test_what_is_no_better_than_its_cell_or_parent_is_no_improvement() -> None:
    search = a_search(n_islands=1)
    search.tell(outcome(1, [a_child("high", 9.0, 0.9, (1,))]))

    over_parent = search.tell(outcome(2, [a_child("lower", 1.0, 0.1, (2,))]))

    assert over_parent.reward == pytest.approx(0.1)  # a new kind, worse than the program it was made from


@pytest.mark.parametrize("word", ["unavailable", "auth", "quota", "not_found"])
def test_a_model_that_is_out_of_order_rests_longer_each_time_and_the_others_do_not(word: str) -> None:
    lessons = Lessons(WRITERS, LEARNERS)
    number, pauses = 1, []
    for _ in range(9):
        lessons.tell(number, "diff@m", {"asked": [word]}, 0.0)
        lessons.tell(number + 1, "repair@m", {"asked": [word]}, 0.0)  # was in flight
        end = next(each for each in range(number, number + 2 * LONGEST_PAUSE) if not lessons.paused(each))
        pauses.append(end - 1 - number)
        assert lessons.paused(number + 1) == {"diff@m", "repair@m"}
        number = end

    assert pauses == [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(9)]
    lessons.tell(number, "diff@m", {"asked": [word, "ok"]}, 0.0)
    assert lessons.paused(number + 1) == frozenset()


def test_what_the_evaluator_says_of_its_own_failure_reaches_no_prompt() -> None:
    search = a_search(plain=False, n_islands=1)
    child = a_child("unlucky", None, parents=(1,))
    broken = Evaluation.failed(Failure.EVALUATOR, detail="secret = 7")

    search.tell(outcome(1, [replace(child, evaluation=broken)], operator="diff@m"))

    plans = [search.plan(number) for number in range(2, 12)]
    assert all(plan.briefing is not None and plan.briefing.failures == () for plan in plans)
    assert "repair@m" not in {plan.operator.name for plan in plans}


def test_memory_has_an_end() -> None:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 5)])
    islands = Islands([archive])
    memory = Memory(islands)
    for number in range(1, 2000):
        candidate = Candidate(
            id=number, files={}, fingerprint=str(number), parent_ids=(number - 1,) if number > 1 else ()
        )
        evaluation = Evaluation(score=float(number), descriptor={"x": number % 5 / 5})
        record = CandidateRecord(candidate=candidate, evaluation=evaluation, island=0, status="new", cell=0)
        islands.add(0, candidate, score=float(number), descriptor={"x": number % 5 / 5})
        memory.note_kept(record, is_gain=True)
        failed = Evaluation.failed(Failure.CRASH, detail="")
        for _ in range(6):
            memory.note_failed(replace(record, candidate=replace(candidate, parent_ids=(number,)), evaluation=failed))

    held = [elite.candidate for elite in archive.elites()]
    assert all(memory.judged(each).score == float(each.id) for each in held)
    assert all((origin := memory.origin_of(each)) and origin.candidate.id == each.id - 1 for each in held)
    assert memory.judged(Candidate(id=3, files={}, fingerprint="3")).score is None
    assert len(memory.failures_of([held[-1]])) <= FAILURES_OF_A_PARENT
    assert memory.failures_of([Candidate(id=2000 - MOST_FAILED_PARENTS - 5, files={}, fingerprint="")]) == ()
    assert sum(len(each) for each in (memory._kept, memory._origins, memory._failures)) < 1200


def test_the_bandit_moves_its_budget_to_a_model_that_answers_well_from_its_twentieth_call_on() -> None:
    kinds = [Idle("edit"), by_model("diff", "slow starter"), by_model("diff", "never")]
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 6)])
    manner = Manner(lessons=Lessons(kinds[1:], ()))
    search = Search(Islands([archive]), kinds, rng_seed=1, migrate_every=9, n_migrants=1, manner=manner)
    search.tell(outcome(0, [a_child("seed", 0.0)], operator="seed"))
    chosen: list[str] = []
    calls = 0
    for number in range(1, 301):
        name = search.plan(number).operator.name
        calls += name == "diff@slow starter"
        is_good = name == "diff@slow starter" and calls >= 20
        children = [a_child(f"n{number}", float(number), 0.5, (1,))] if is_good else []
        search.tell(outcome(number, children, operator=name, asked=["ok"]))
        chosen.append(name)

    twentieth = [place for place, name in enumerate(chosen) if name == "diff@slow starter"][19]
    before, after = chosen[:twentieth], chosen[twentieth + 20 :]
    assert before.count("diff@slow starter") < 0.6 * len(before)
    assert after.count("diff@slow starter") > 0.8 * len(after)
    assert after.count("diff@never") > 0  # nobody is given up for good
