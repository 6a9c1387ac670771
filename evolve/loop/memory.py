"""What a search remembers of the candidates that it may have to describe: a fold over told rows, of bounded size."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence

import numpy as np

from archive.candidate import Candidate
from archive.islands import Islands
from evaluators.contract import MACHINE_ARTIFACT, Failure
from evolve.operators.briefing import Judged
from evolve.store.records import CandidateRecord

FAILURES_OF_A_PARENT = 4
MOST_FAILED_PARENTS = 256
MOST_GAINS = 8
_LEAST_KEPT = 256


class Memory:
    """The records of those the islands hold and of where they came from, the newest failures, the newest gains.

    Everything is looked up by id, so that planning an iteration costs the same however many candidates there were.
    """

    def __init__(self, islands: Islands) -> None:
        self.seed: CandidateRecord | None = None
        self.best: CandidateRecord | None = None
        self._islands = islands
        self._kept: dict[int, CandidateRecord] = {}
        self._origins: dict[int, CandidateRecord] = {}
        self._failures: OrderedDict[int, deque[CandidateRecord]] = OrderedDict()
        self._gains: deque[CandidateRecord] = deque(maxlen=MOST_GAINS)
        self._limit = _LEAST_KEPT

    def note_kept(self, record: CandidateRecord, *, is_gain: bool) -> None:
        """A candidate got into an archive; `is_gain` says that it is better than what it was made from."""
        candidate = record.candidate
        self._kept[candidate.id] = record
        origin = self._kept.get(candidate.parent_ids[0]) if candidate.parent_ids else None
        if origin is not None:
            self._origins[candidate.id] = origin
            if is_gain:
                self._gains.append(record)
        if len(self._kept) > self._limit:
            self._forget()

    def note_failed(self, record: CandidateRecord) -> None:
        """A candidate could not be scored: its parents' next prompts will tell.

        Not if the evaluator failed: that is no fault of the program, and its words may show the judge's own source.
        """
        if record.evaluation.failure is Failure.EVALUATOR:
            return
        for parent in record.candidate.parent_ids:
            self._failures.setdefault(parent, deque(maxlen=FAILURES_OF_A_PARENT)).append(record)
            self._failures.move_to_end(parent)
        while len(self._failures) > MOST_FAILED_PARENTS:
            self._failures.popitem(last=False)

    def judged(self, candidate: Candidate) -> Judged:
        """A candidate with its evaluation; one that is not remembered comes without."""
        record = self._kept.get(candidate.id)
        return Judged(candidate=candidate, score=None) if record is None else judged(record)

    def origin_of(self, candidate: Candidate) -> Judged | None:
        """The first parent of a candidate that an archive holds, if that had a score."""
        record = self._origins.get(candidate.id)
        return None if record is None else judged(record)

    def failures_of(self, parents: Sequence[Candidate]) -> tuple[Judged, ...]:
        """The newest failed children of some candidates, newest first, at most `FAILURES_OF_A_PARENT`."""
        found = {row.candidate.id: row for parent in parents for row in self._failures.get(parent.id, ())}
        newest = sorted(found, reverse=True)[:FAILURES_OF_A_PARENT]
        return tuple(judged(found[identifier]) for identifier in newest)

    def wounded(self, rng: np.random.Generator) -> Candidate | None:
        """One of the last parents whose children failed, to be given to a repair; None if there is none."""
        last = [each for each in reversed(self._failures) if each in self._kept][:MOST_GAINS]
        return self._kept[last[int(rng.integers(len(last)))]].candidate if last else None

    def has_wounded(self) -> bool:
        """Whether `wounded` would find one."""
        return any(each in self._kept for each in reversed(self._failures))

    def newest_gain(self) -> Candidate | None:
        """The newest candidate that is better than the one it was made from."""
        return self._gains[-1].candidate if self._gains else None

    def _forget(self) -> None:
        """Drop who is held no more; the limit then doubles what is held, so that this is rare."""
        held = {elite.candidate.id for archive in self._islands.archives for elite in archive.elites()}
        held |= {record.candidate.id for record in self._gains}
        self._kept = {each: record for each, record in self._kept.items() if each in held}
        self._origins = {each: record for each, record in self._origins.items() if each in held}
        self._limit = max(_LEAST_KEPT, 2 * len(self._kept))


def judged(record: CandidateRecord) -> Judged:
    """A row as operators see it."""
    evaluation = record.evaluation
    return Judged(
        candidate=record.candidate,
        score=evaluation.score,
        descriptor=evaluation.descriptor,
        metrics=evaluation.metrics,
        artifacts={name: text for name, text in evaluation.artifacts.items() if name != MACHINE_ARTIFACT},
        failure="" if evaluation.failure is None else str(evaluation.failure),
        detail=evaluation.detail,
        stage=evaluation.stage,
    )


def all_judged(memory: Memory, candidates: Iterable[Candidate]) -> tuple[Judged, ...]:
    """Several candidates with their evaluations."""
    return tuple(memory.judged(candidate) for candidate in candidates)
