"""When a search ends because it finds nothing new: sooner where replies cost money, not while its models are away."""

from dataclasses import dataclass

import pytest

from archive.candidate import Candidate
from evaluators.contract import Evaluation, Failure
from evolve.loop.exhaustion import MOST_ITERATIONS, MOST_REPLIED, Exhaustion
from evolve.loop.lessons import ASKED, Lessons
from evolve.store.records import CandidateRecord, IterationRecord
from tests.unit.loop.test_loop_learning import by_model

LESSONS = Lessons([by_model("diff")], [by_model("insight")])
REFUSED = CandidateRecord(
    candidate=Candidate(
        id=1, files={}, fingerprint="f", parent_ids=(), operator="diff@m", generation=0, iteration=1, metrics={}
    ),
    evaluation=Evaluation.failed(Failure.SYNTAX, detail="no program"),
    island=0,
    status="failed",
    cell=None,
)


@dataclass(slots=True)
class Away:
    """Models that can be away."""

    is_parked: bool = False
    n_told: int = 0

    def tell_pause(self) -> None:
        self.n_told += 1


def told(*outcomes: str, operator: str = "diff@m", rows: tuple[CandidateRecord, ...] = ()) -> IterationRecord:
    return IterationRecord(
        number=1,
        operator=operator,
        island=0,
        cost=0.0,
        reward=0.0,
        seconds=0.0,
        n_duplicates=0,
        candidates=rows,
        notes={ASKED: list(outcomes)} if outcomes else {},
    )


def noted(record: IterationRecord, times: int, exhaustion: Exhaustion) -> Exhaustion:
    for _ in range(times):
        exhaustion.note(record)
    return exhaustion


@pytest.mark.parametrize("outcomes", [("ok",), ("length", "length", "length"), ("overloaded", "ok")])
def test_replies_that_bring_nothing_new_end_a_search_soon(outcomes: tuple[str, ...]) -> None:
    exhaustion = noted(told(*outcomes), MOST_REPLIED - 1, Exhaustion(LESSONS, Away()))

    assert not exhaustion.is_reached()
    exhaustion.note(told(*outcomes))
    assert exhaustion.is_reached()


@pytest.mark.parametrize(
    "record", [told(operator="literal_edit"), told("unavailable"), told("rate_limited")], ids=["free", "stopped", "429"]
)
def test_what_cost_nothing_is_tried_for_long(record: IterationRecord) -> None:
    exhaustion = noted(record, MOST_ITERATIONS - 1, Exhaustion(LESSONS, Away()))

    assert not exhaustion.is_reached()
    exhaustion.note(record)
    assert exhaustion.is_reached()


def test_learning_is_not_meant_to_bring_a_candidate() -> None:
    assert not noted(told("ok", operator="insight@m"), MOST_ITERATIONS, Exhaustion(LESSONS, Away())).is_reached()


def test_any_new_candidate_begins_the_count_anew_though_it_failed() -> None:
    exhaustion = noted(told("ok"), MOST_REPLIED - 1, Exhaustion(LESSONS, None))
    exhaustion.note(told(operator="literal_edit", rows=(REFUSED,)))

    assert not noted(told("ok"), MOST_REPLIED - 1, exhaustion).is_reached()


def test_a_search_waits_for_models_that_are_away_and_tries_again_with_them() -> None:
    models = Away(is_parked=True)
    exhaustion = noted(told(), MOST_ITERATIONS, Exhaustion(LESSONS, models))

    assert [exhaustion.is_reached(), exhaustion.is_reached(), exhaustion.is_waiting] == [False, False, True]
    models.is_parked = False
    assert [exhaustion.is_reached(), exhaustion.is_waiting, models.n_told] == [False, False, 1]
    assert noted(told(), MOST_ITERATIONS, exhaustion).is_reached()
