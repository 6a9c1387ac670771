"""The search as a pure fold: plans come from its state, told iterations change it, no clock and no disk."""

import json
from collections.abc import Sequence

import numpy as np

from archive.candidate import Candidate
from archive.contract import AddStatus
from archive.errors import ArchiveError
from archive.islands import Islands
from evaluators.answers import CONSTRUCTION, clean
from evaluators.contract import Evaluation, Failure
from evolve.loop.briefings import Scouting
from evolve.loop.known import Known
from evolve.loop.manner import OPENERS_EVERY, PLAIN, Manner
from evolve.loop.memory import Memory
from evolve.loop.randomness import Purpose, stream
from evolve.loop.told import Plan, Told, ToldChild
from evolve.operators.contract import Operator
from evolve.selection.bandit import FLOOR, CostAwareBandit
from evolve.selection.parents import choose_island
from evolve.selection.reward import Gain, ImprovementReward
from evolve.store.records import CandidateRecord, IterationRecord

FAILED = "failed"
FLOOR_OF_ALL = 0.25
"""What all operators together keep at least when there are many: every language model brings several."""


class Search:
    """Archive islands, operator statistics and the programs seen so far.

    Iterations are told strictly in order: 0 is the seed program, offered to every island. A plan depends only on the
    options, its number and what was told before it, so the same window gives the same search with any number of
    workers, and a resumed run goes on exactly where the log ends.
    """

    def __init__(
        self,
        islands: Islands,
        operators: Sequence[Operator],
        *,
        rng_seed: int,
        migrate_every: int,
        n_migrants: int,
        manner: Manner = PLAIN,
    ) -> None:
        lessons = manner.lessons
        self.islands = islands
        floor = FLOOR if lessons is None else min(FLOOR, FLOOR_OF_ALL / len(operators))
        self.bandit = CostAwareBandit([operator.name for operator in operators], floor=floor)
        self.last_told = -1
        self.n_evaluations = 0
        self.n_failures = 0
        self.n_evaluator_failures = 0
        self.n_duplicates = 0
        self.best_score: float | None = None
        self.operators = tuple(operators)
        self.openers = manner.openers
        self.lessons = lessons
        self.known = Known(manner.signature_of)
        self._memory = Memory(islands)
        self._scouting = Scouting(islands, self._memory, lessons, manner.strategy)
        self._improvement = None if lessons is None else ImprovementReward()
        self._operators = {operator.name: operator for operator in operators}
        self._rng_seed = rng_seed
        self._migrate_every = migrate_every
        self._n_migrants = n_migrants
        self._generations: dict[int, int] = {}
        self._scores: dict[int, float] = {}

    @property
    def has_plain_operators(self) -> bool:
        """Whether some operators need no language model."""
        return self.lessons is None or any(not self.lessons.is_theirs(each.name) for each in self.operators)

    @property
    def best(self) -> CandidateRecord | None:
        """The first of the highest score."""
        return self._memory.best

    def plan(self, number: int) -> Plan:
        """Decide what iteration `number` does from what has been told so far."""
        rng = stream(self._rng_seed, Purpose.PLAN, number)
        turn, place = divmod(number - 1, OPENERS_EVERY)
        learner = self._learner(number)
        if place == 0 and turn < len(self.openers):
            operator, island = self.openers[turn], choose_island(turn, len(self.islands))
        else:
            operator = learner or self._operators[self.bandit.choose(rng, without=self._resting(number))]
            self.note_recorded_plan(operator.name)
            island = choose_island(number, len(self.islands))
        parents, inspirations, briefing = self._scouting.scout(operator, island, number, rng)
        return Plan(
            number=number,
            horizon=self.last_told,
            operator=operator,
            island=island,
            parents=tuple(parents),
            inspirations=tuple(inspirations),
            briefing=briefing,
            inherited=self._inherited(),
        )

    def _inherited(self) -> str:
        """The best construction so far with its score; empty where the evaluator keeps none."""
        best = self._memory.best
        construction = "" if best is None else best.evaluation.artifacts.get(CONSTRUCTION, "")
        return json.dumps([self.best_score, construction]) if construction else ""

    def _learner(self, number: int) -> Operator | None:
        """Who has a turn to learn, once there is an improvement to learn from."""
        if self.lessons is None or self._memory.newest_gain() is None:
            return None
        return self.lessons.turn(number)

    def _resting(self, number: int) -> frozenset[str]:
        """Operators that can do nothing now: their model is out of order, or there is nothing to repair."""
        if self.lessons is None:
            return frozenset()
        idle = frozenset() if self._memory.has_wounded() else self._scouting.repairs(self.operators)
        return self.lessons.paused(number) | idle

    def note_recorded_plan(self, operator: str) -> None:
        """Take the place of `plan` for an iteration whose outcome is already in the log."""
        if operator in self._operators:
            self.bandit.start(operator)
        if self.lessons is not None:
            self.lessons.start(operator)

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
        gains: list[Gain] = []
        n_duplicates = told.n_duplicates
        for child in told.children:
            if self.known.has(child.fingerprint):
                n_duplicates += 1
                continue
            if limit is not None and len(rows) >= limit:
                break
            self.known.note(child, told.number)
            rows.append(self._offer(child, told, gains))
        reward = self._finish(told, rows, gains)
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
            notes=told.notes,
        )

    def _offer(self, child: ToldChild, told: Told, gains: list[Gain]) -> CandidateRecord:
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
        record, over_cell = self._add(candidate, child.evaluation, told)
        self._remember(record, over_cell, gains)
        return record

    def _add(self, candidate: Candidate, evaluation: Evaluation, told: Told) -> tuple[CandidateRecord, float | None]:
        """Offer a candidate to its islands; returns its row, and by how much it beats what its cell held."""
        status, cell, over_cell = FAILED, None, None
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
                over_cell = results[0].delta if results[0].status is AddStatus.IMPROVED else None
        self.n_failures += evaluation.failure is not None
        self.n_evaluator_failures += evaluation.failure == Failure.EVALUATOR
        record = CandidateRecord(
            candidate=candidate, evaluation=evaluation, island=told.island, status=status, cell=cell
        )
        return record, over_cell

    def _remember(self, record: CandidateRecord, over_cell: float | None, gains: list[Gain]) -> None:
        score = record.evaluation.score
        if score is None:
            self._memory.note_failed(record)
            return
        # A twin that another island or cell keeps is no discovery; without models only what is kept counts.
        is_twin = self._improvement is not None and self.known.note_result(record.evaluation)
        self._scores[record.candidate.id] = score
        is_best = self.best_score is None or score > self.best_score
        if is_best:
            self._memory.best, self.best_score = record, score
        if self._memory.seed is None:
            self._memory.seed = record
        if record.status in (AddStatus.NEW, AddStatus.IMPROVED):
            gain = Gain(improvement=self._improvement_of(record, score, over_cell), is_best=is_best)
            if not is_twin:
                gains.append(gain)
            is_gain = gain.improvement is not None and gain.improvement > 0.0 and not is_twin
            self._memory.note_kept(record, is_gain=is_gain)

    def _improvement_of(self, record: CandidateRecord, score: float, over_cell: float | None) -> float | None:
        """By how much a kept child beats both its best parent and what its cell held; None without a scored parent."""
        known = [self._scores[parent] for parent in record.candidate.parent_ids if parent in self._scores]
        if not known:
            return None
        over_parent = score - max(known)
        return over_parent if over_cell is None else min(over_parent, over_cell)

    def _finish(self, told: Told, rows: Sequence[CandidateRecord], gains: Sequence[Gain]) -> float:
        """Reward the operator in [0, 1), let the lessons learn, and migrate when it is time.

        Without language models by how many children were kept, for then all work is of one kind.
        """
        n_kept = sum(row.status in (AddStatus.NEW, AddStatus.IMPROVED) for row in rows)
        reward = 1.0 - 0.5**n_kept if self._improvement is None else self._improvement.of(gains)
        if told.number > 0:
            if told.operator in self._operators:
                self.bandit.update(told.operator, reward, told.cost)
            if self.lessons is not None:
                self.lessons.tell(told.number, told.operator, told.notes, reward)
            if self.moves_elites(told.number):
                self.islands.migrate(self._n_migrants)
        return reward

    def moves_elites(self, number: int) -> bool:
        """Whether an iteration changes islands that its candidates were not made for: the seed's, and migrations."""
        return len(self.islands) > 1 and number % self._migrate_every == 0

    def operator_stream(self, number: int) -> np.random.Generator:
        """The random stream for the operator of one iteration."""
        return stream(self._rng_seed, Purpose.OPERATOR, number)
