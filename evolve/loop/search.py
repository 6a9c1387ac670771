"""The search as a pure fold: plans come from its state, told iterations change it, no clock and no disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.candidate import Candidate
from archive.contract import AddStatus
from archive.errors import ArchiveError
from archive.islands import Islands
from evaluators.answers import clean
from evaluators.contract import Evaluation, Failure
from evolve.loop.randomness import Purpose, stream
from evolve.operators.contract import EVERYONE, Operator
from evolve.selection.bandit import CostAwareBandit
from evolve.selection.parents import choose_inspirations, choose_island, choose_parents, everyone
from evolve.store.records import CandidateRecord, IterationRecord

N_INSPIRATIONS = 3
FAILED = "failed"
OPENERS_EVERY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What iteration `number` will do. `horizon` is the last iteration that was told when the plan was made."""

    number: int
    horizon: int
    operator: Operator
    island: int
    parents: tuple[Candidate, ...]
    inspirations: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChild:
    """A judged child on its way into the archive."""

    files: Mapping[str, str]
    fingerprint: str
    parent_ids: tuple[int, ...]
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An iteration's outcome: what the fold consumes, live or from the log."""

    number: int
    operator: str
    island: int
    cost: float
    seconds: float
    n_duplicates: int
    children: tuple[ToldChild, ...]

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
        )


class Search:
    """Archive islands, operator statistics and the fingerprints seen so far.

    Iterations are told strictly in order: 0 is the seed program, offered to every island. A plan depends only on the
    options, its number and what was told before it, so the same window gives the same search with any number of
    workers, and a resumed run goes on exactly where the log ends.

    `openers` are operators that have one turn each, in their order, in every `OPENERS_EVERY`-th iteration from the
    first on; the bandit neither chooses them nor learns from them. They may share a name, but not with `operators`.
    """

    def __init__(
        self,
        islands: Islands,
        operators: Sequence[Operator],
        *,
        rng_seed: int,
        migrate_every: int,
        n_migrants: int,
        openers: Sequence[Operator] = (),
    ) -> None:
        self.islands = islands
        self.bandit = CostAwareBandit([operator.name for operator in operators])
        self.last_told = -1
        self.n_evaluations = 0
        self.n_failures = 0
        self.n_evaluator_failures = 0
        self.n_duplicates = 0
        self.best: CandidateRecord | None = None
        self.best_score: float | None = None
        self.operators = tuple(operators)
        self.openers = tuple(openers)
        self._operators = {operator.name: operator for operator in operators}
        self._rng_seed = rng_seed
        self._migrate_every = migrate_every
        self._n_migrants = n_migrants
        self._generations: dict[int, int] = {}
        self._told_at: dict[str, int] = {}

    def plan(self, number: int) -> Plan:
        """Decide what iteration `number` does from what has been told so far."""
        rng = stream(self._rng_seed, Purpose.PLAN, number)
        turn, place = divmod(number - 1, OPENERS_EVERY)
        if place == 0 and turn < len(self.openers):
            operator, island = self.openers[turn], choose_island(turn, len(self.islands))
        else:
            operator = self._operators[self.bandit.choose(rng)]
            self.bandit.start(operator.name)
            island = choose_island(number, len(self.islands))
        archive = self.islands[island]
        if operator.n_parents == EVERYONE:
            parents, inspirations = everyone(archive), []
        else:
            parents = choose_parents(archive, operator.n_parents, rng)
            inspirations = choose_inspirations(archive, parents, N_INSPIRATIONS, rng)
        return Plan(
            number=number,
            horizon=self.last_told,
            operator=operator,
            island=island,
            parents=tuple(parents),
            inspirations=tuple(inspirations),
        )

    def note_recorded_plan(self, operator: str) -> None:
        """Take the place of `plan` for an iteration whose outcome is already in the log."""
        if operator in self._operators:
            self.bandit.start(operator)

    def was_known(self, fingerprint: str, horizon: int) -> bool:
        """Whether a program with this fingerprint had been told when iteration `horizon` was."""
        return self._told_at.get(fingerprint, horizon + 1) <= horizon

    def tell(self, told: Told, *, limit: int | None = None) -> IterationRecord:
        """Fold one outcome into the archive; returns the row for the log.

        Children beyond `limit` evaluations are dropped: a budget is never exceeded. (They are not made again: where
        an iteration has several children, a run that is given a larger budget later may differ from one that had it
        from the start.)

        Raises:
            ValueError: the iteration is not the next one.
        """
        if told.number != self.last_told + 1:
            raise ValueError(f"iteration {told.number} was told after {self.last_told}: outcomes are told in order")
        rows: list[CandidateRecord] = []
        n_duplicates = told.n_duplicates
        for child in told.children:
            if child.fingerprint in self._told_at:
                n_duplicates += 1
                continue
            if limit is not None and len(rows) >= limit:
                break
            self._told_at[child.fingerprint] = told.number
            rows.append(self._offer(child, told))
        reward = self._finish(told, rows)
        self.n_duplicates += n_duplicates
        self.last_told = told.number
        return IterationRecord(
            number=told.number,
            operator=told.operator,
            island=told.island,
            cost=told.cost,
            reward=reward,
            seconds=told.seconds,
            n_duplicates=n_duplicates,
            candidates=tuple(rows),
        )

    def _offer(self, child: ToldChild, told: Told) -> CandidateRecord:
        self.n_evaluations += 1
        identifier = self.n_evaluations
        parents = [self._generations[parent] for parent in child.parent_ids]
        candidate = Candidate(
            id=identifier,
            files=child.files,
            fingerprint=child.fingerprint,
            parent_ids=child.parent_ids,
            operator=told.operator,
            generation=1 + max(parents) if parents else 0,
            iteration=told.number,
            metrics=child.evaluation.metrics,
        )
        self._generations[identifier] = candidate.generation
        record = self._add(candidate, child.evaluation, told)
        self._remember_best(record)
        return record

    def _add(self, candidate: Candidate, evaluation: Evaluation, told: Told) -> CandidateRecord:
        status, cell = FAILED, None
        if evaluation.score is not None:
            targets = range(len(self.islands)) if told.number == 0 else [told.island]
            try:
                results = [
                    self.islands.add(island, candidate, score=evaluation.score, descriptor=evaluation.descriptor)
                    for island in targets
                ]
            except ArchiveError as error:
                detail, level = clean(str(error)), evaluation.level
                evaluation = Evaluation.failed(Failure.EVALUATOR, detail=detail, stage="archive", level=level)
            else:
                status, cell = results[0].status.value, results[0].cell
        self.n_failures += evaluation.failure is not None
        self.n_evaluator_failures += evaluation.failure == Failure.EVALUATOR
        return CandidateRecord(candidate=candidate, evaluation=evaluation, island=told.island, status=status, cell=cell)

    def _remember_best(self, record: CandidateRecord) -> None:
        score = record.evaluation.score
        if score is not None and (self.best_score is None or score > self.best_score):
            self.best, self.best_score = record, score

    def _finish(self, told: Told, rows: Sequence[CandidateRecord]) -> float:
        """Reward the operator in [0, 1] by how many children were kept, and migrate when it is time."""
        n_kept = sum(row.status in (AddStatus.NEW, AddStatus.IMPROVED) for row in rows)
        reward = 1.0 - 0.5**n_kept
        if told.number > 0:
            if told.operator in self._operators:
                self.bandit.update(told.operator, reward, told.cost)
            if len(self.islands) > 1 and told.number % self._migrate_every == 0:
                self.islands.migrate(self._n_migrants)
        return reward

    def operator_stream(self, number: int) -> np.random.Generator:
        """The random stream for the operator of one iteration."""
        return stream(self._rng_seed, Purpose.OPERATOR, number)
