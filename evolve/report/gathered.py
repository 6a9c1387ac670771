"""What a report tells, read from a run once. All of it is bounded, however long the run was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from evolve.export.tables_columns import Row
from evolve.export.tables_read import open_table
from evolve.report.certificates import Certificate, read_certificates
from evolve.store import CandidateRecord
from evolve.view.detail import Detail, detail
from evolve.view.history import thinned
from evolve.view.lineage import Step, ancestry, first_parents
from evolve.view.map import ArchiveMap, archive_map
from evolve.view.overview import Overview, overview
from evolve.view.run import RunView
from evolve.view.shape import archive_shape
from evolve.view.tally import Tally

TOP = 6
"""Programs that are shown with their metrics, changes and picture; of the other elites only the text is."""
OTHERS = 194
TURNS = 12
CURVE_POINTS = 1_000
ANCESTORS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """An improvement of the best score, and what it had taken until then; `cost_usd` is what is known of it."""

    evaluations: int
    seconds: float
    cost_usd: float
    score: float
    candidate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that the sections of a report draw from. Candidates in `linked` have a place on the page."""

    view: RunView
    name: str
    made: datetime
    overview: Overview
    certificates: Mapping[int, Certificate]
    curve: Sequence[CurvePoint]
    map: ArchiveMap | None
    top: Sequence[Detail]
    others: Sequence[CandidateRecord]
    ancestors: Sequence[Step]
    turns: Sequence[Step]
    tally: Tally
    linked: frozenset[int] = field(default_factory=frozenset)

    @property
    def best(self) -> Detail | None:
        """The candidate with the best score."""
        return next((each for each in self.top if each.record.candidate.id == self.overview.best_id), None)


def gather(view: RunView, *, now: datetime | None = None) -> Gathered:
    """Read a run for a report.

    Raises:
        EvolveEnvironmentError: the run's database is damaged or cannot be reached.
    """
    made = now or datetime.now(UTC)
    seen = overview(view, now=made)
    shape = archive_shape(view)
    shown = None if shape is None else archive_map(view, shape)
    ids = _elites(view, shown, seen.best_id)
    top = [detail(view, each) for each in ids[:TOP]]
    others = [view.reader.candidate(each) for each in ids[TOP : TOP + OTHERS]]
    line = [] if seen.best_id is None else first_parents(view, seen.best_id)
    turns = _turns(line)
    return Gathered(
        view=view,
        name=str(view.run_dir),
        made=made,
        overview=seen,
        certificates=read_certificates(view.run_dir),
        curve=_curve(view.run_dir),
        map=shown,
        top=top,
        others=others,
        ancestors=[] if seen.best_id is None else ancestry(view, [seen.best_id], limit=ANCESTORS),
        turns=turns,
        tally=_tally(view),
    )


def _elites(view: RunView, shown: ArchiveMap | None, best: int | None) -> list[int]:
    """The best candidate, then the best of each cell of the map, best first: no two are alike in what they do."""
    if shown is not None and shown.cells:
        cells = sorted(shown.cells.values(), key=lambda cell: (-cell.score, cell.candidate))
        found = [cell.candidate for cell in cells]
    else:
        rows = view.rows(
            "SELECT id FROM candidate WHERE id IN (SELECT candidate FROM elite) ORDER BY score DESC, id LIMIT ?",
            TOP + OTHERS,
        )
        found = [row["id"] for row in rows]
    return list(dict.fromkeys([best, *found] if best is not None else found))


def _turns(line: Sequence[Step]) -> list[Step]:
    """Those of a line of first parents (newest first) that were better than all before them: seed first, best last.

    Of many those stay that first passed one of evenly spaced heights, and of the others the largest gains.
    """
    risen: list[Step] = []
    gains: dict[int, float] = {}
    for step in reversed(line):
        if step.score is not None and (not risen or step.score > (risen[-1].score or 0.0)):
            gains[step.id] = step.score - (risen[-1].score or 0.0) if risen else 0.0
            risen.append(step)
    if len(risen) <= TURNS:
        return risen
    low, high = risen[0].score or 0.0, risen[-1].score or 0.0
    heights = [low + (high - low) * place / (TURNS - 1) for place in range(TURNS)]
    ids = {next((step.id for step in risen if (step.score or 0.0) >= height), risen[-1].id) for height in heights}
    rest = sorted((step.id for step in risen if step.id not in ids), key=lambda each: (-gains[each], each))
    ids |= set(rest[: TURNS - len(ids)])
    return [step for step in risen if step.id in ids]


def _curve(run_dir: Path) -> list[CurvePoint]:
    with open_table(run_dir, "curve") as table:
        names = [column.name for column in table.columns]
        rows: list[Row] = list(table.rows)
    return [CurvePoint(**dict(zip(names, row, strict=True))) for row in thinned(rows, CURVE_POINTS)]


def _tally(view: RunView) -> Tally:
    tally = Tally()
    while not tally.advance(view):
        pass
    return tally


def only_linked(gathered: Gathered, others: Sequence[CandidateRecord]) -> Gathered:
    """The same with only those other elites that the page has room for: nothing may lead to what is not there."""
    tops = (each.record.candidate.id for each in gathered.top)
    linked = {*tops, *(step.id for step in gathered.turns), *(each.candidate.id for each in others)}
    return replace(gathered, others=others, linked=frozenset(linked))
