"""An iteration before and after it was done: its plan, and the outcome that the search is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.candidate import Candidate
from evaluators.contract import Evaluation
from evolve.operators.briefing import Briefing
from evolve.operators.contract import Operator
from evolve.store.records import IterationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What iteration `number` will do. `horizon` is the last iteration that was told when the plan was made.

    `briefing` is what the run knew of the parents then; None for an operator that reads the whole archive.
    `inherited` is the best construction so far, as JSON, for evaluators that hand it on to programs.
    """

    number: int
    horizon: int
    operator: Operator
    island: int
    parents: tuple[Candidate, ...]
    inspirations: tuple[Candidate, ...]
    briefing: Briefing | None = None
    inherited: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChild:
    """A judged child on its way into the archive."""

    files: Mapping[str, str]
    fingerprint: str
    parent_ids: tuple[int, ...]
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An iteration's outcome: what the fold consumes, live or from the log.

    `notes` is JSON data: what the operator noted, and how its questions to language models ended.
    """

    number: int
    operator: str
    island: int
    cost: float
    seconds: float
    n_duplicates: int
    children: tuple[ToldChild, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_record(cls, record: IterationRecord) -> "Told":
        """The outcome that a row of the log recorded."""
        return cls(
            number=record.number,
            operator=record.operator,
            island=record.island,
            cost=record.cost,
            seconds=record.seconds,
            n_duplicates=record.n_duplicates,
            children=tuple(
                ToldChild(
                    files=row.candidate.files,
                    fingerprint=row.candidate.fingerprint,
                    parent_ids=row.candidate.parent_ids,
                    evaluation=row.evaluation,
                )
                for row in record.candidates
            ),
            notes=record.notes,
        )
