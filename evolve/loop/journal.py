"""From told iterations to rows and events: what changed in the archive, and who must hear of it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from evaluators.contract import Failure
from evolve.loop.events import Event
from evolve.loop.search import Search
from evolve.store import CandidateRecord, IterationRecord, Pulse, RunWriter

MAX_WARNINGS = 20
Cells = dict[tuple[int, int], list[int]]


def elite_cells(search: Search) -> Cells:
    """Who holds what: (island, cell) to candidate ids in rank order."""
    cells: Cells = defaultdict(list)
    for island in range(len(search.islands)):
        for elite in search.islands[island].elites():
            cells[island, elite.cell].append(elite.candidate.id)
    return cells


class Journal:
    """Writes told iterations; remembers what the elite table holds so that only changed cells are written.

    `failures` counts the failed evaluations of the whole run by type.
    """

    def __init__(self, writer: RunWriter, search: Search) -> None:
        self._writer = writer
        self._search = search
        self._written: Cells = elite_cells(search)
        self._curve_score = search.best_score
        self._warned: set[str] = set()
        self.failures: Counter[str] = Counter(writer.failures_by_type())
        self._level = "" if search.best is None else search.best.evaluation.level

    def commit(self, records: Sequence[IterationRecord], seconds: float, pulse: Pulse | None = None) -> list[Event]:
        """Put iterations on disk, and the state of the run with them; return the events that may now be announced.

        Raises:
            ResumableError: the disk is full or gone; nothing was written.
        """
        events: list[Event] = []
        curve: list[tuple[int, float, float, int]] = []
        for row in (row for record in records for row in record.candidates):
            score = row.evaluation.score
            if row.evaluation.failure is not None:
                self.failures[row.evaluation.failure.value] += 1
            if row.evaluation.failure is Failure.EVALUATOR:
                events += self._warning(row)
            events += self._change_of_level(row)
            if score is not None and (self._curve_score is None or score > self._curve_score):
                events.append(_improved(row, self._curve_score, seconds))
                curve.append((row.candidate.id, seconds, score, row.candidate.id))
                self._curve_score = score
        changed = self._changed_cells(records)
        self._writer.append(
            records,
            elites=[(island, cell, ids) for (island, cell), ids in changed.items()],
            curve=curve,
            events=[(event.kind, event.data) for event in events],
            seconds=seconds,
            pulse=pulse,
        )
        self._written.update(changed)
        return events

    def _warning(self, row: CandidateRecord) -> list[Event]:
        """An evaluator that fails is news once for each kind of failure."""
        signature = row.evaluation.detail.strip().splitlines()[-1:] or [""]
        if signature[0] in self._warned or len(self._warned) >= MAX_WARNINGS:
            return []
        self._warned.add(signature[0])
        text = f"the evaluator failed on candidate {row.candidate.id}: {row.evaluation.detail[:500]}"
        return [Event(kind="warning", data={"text": text})]

    def _change_of_level(self, row: CandidateRecord) -> list[Event]:
        """A run whose candidates are not confined alike any more: the machine or a flag has changed."""
        before, level = self._level, row.evaluation.level
        self._level = level or before
        if not (level and before) or level == before:
            return []
        text = f"candidate {row.candidate.id} was judged at the sandbox's level {level}, those before it at {before}"
        return [Event(kind="warning", data={"text": text})]

    def _changed_cells(self, records: Sequence[IterationRecord]) -> Cells:
        """Who holds what in the cells that have changed: those of kept candidates, after a migration any."""
        islands = self._search.islands
        if any(self._search.moves_elites(record.number) for record in records):
            now = elite_cells(self._search)
        else:
            rows = [row for record in records for row in record.candidates if row.status in ("new", "improved")]
            touched = {(row.island, row.cell) for row in rows if row.cell is not None}
            now = {
                (island, cell): [elite.candidate.id for elite in islands[island].elites_in(cell)]
                for island, cell in sorted(touched)
            }
        return {key: ids for key, ids in now.items() if self._written.get(key) != ids}


def _improved(row: CandidateRecord, previous: float | None, seconds: float) -> Event:
    data: dict[str, Any] = {
        "id": row.candidate.id,
        "score": row.evaluation.score,
        "previous": previous,
        "operator": row.candidate.operator,
        "evaluations": row.candidate.id,
        "seconds": seconds,
        "metrics": dict(row.evaluation.metrics),
    }
    return Event(kind="improved", data=data)
