"""The chosen candidate's line of first parents back to the seed program, and its children."""

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult

from evolve.dashboard.columns import Cell, Column, cell
from evolve.dashboard.lines import Label
from evolve.dashboard.listing import Listing, Row
from evolve.dashboard.palette import ACCENT, BAD, BOLD, DIM, GOOD, Painter
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.dashboard.plot import spark
from evolve.view.detail import best_candidate
from evolve.view.figures import figure, plural
from evolve.view.lineage import Step, children, first_parents, n_children
from evolve.view.run import RunView
from evolve.view.text import clean_line

N_CHILDREN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The line, newest first, and the children of its first."""

    line: list[Step]
    children: list[Step]
    n_children: int


class LineagePane(Pane):
    """Children on top, below them the candidate and its ancestors down to the seed program."""

    title = "lineage"
    hints: ClassVar[tuple[Hint, ...]] = (("enter", "open"), ("space", "mark"), ("c", "compare"), ("4", "program"))

    def __init__(self, look: Painter, *, id: str) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(look, id=id)
        self._wanted: int | None = None
        self._of: int | None = None

    def compose(self) -> ComposeResult:
        """A heading and the table."""
        yield Label(id="lineage-heading")
        yield Listing(id="lineage-listing")

    def choose(self, candidate: int | None) -> None:
        """Show the line of this candidate, or of the best one."""
        if candidate != self._wanted:
            self._wanted = candidate
            self.stale()

    @property
    def candidate(self) -> int | None:
        """The one under the cursor."""
        key = self.query_one(Listing).key
        return key if isinstance(key, int) else None

    def question(self) -> Question:
        """The line of the candidate chosen now."""
        wanted = self._wanted

        def ask(view: RunView) -> Family | None:
            identifier = best_candidate(view) if wanted is None else wanted
            if identifier is None:
                return None
            return Family(
                line=first_parents(view, identifier),
                children=children(view, identifier, limit=N_CHILDREN),
                n_children=n_children(view, identifier),
            )

        return ask

    def show(self, answer: object) -> None:
        """Fill the table; the cursor begins on the candidate itself."""
        listing, heading = self.query_one(Listing), self.query_one("#lineage-heading", Label)
        if not isinstance(answer, Family) or not answer.line:
            heading.put(Text("lineage", style=BOLD))
            listing.put((), (), empty="no candidate has a score yet: there is no line to show")
            return
        here = answer.line[0]
        scores = [step.score for step in reversed(answer.line)]
        offspring = "1 child" if answer.n_children == 1 else f"{answer.n_children:,} children"
        words = f"{plural(len(answer.line) - 1, 'step')} from the seed program, {offspring}"
        heading.put(
            Text.assemble(
                (f"lineage of candidate {here.id}  ", BOLD),
                (words, DIM),
                (f"  {spark(scores, 30, unicode=self.look.unicode)}", ACCENT),
                no_wrap=True,
                overflow="ellipsis",
            )
        )
        listing.put(*family_table(answer, self.look), empty="")
        if here.id != self._of:
            self._of = here.id
            listing.choose(here.id)

    def on_listing_opened(self, message: Listing.Opened) -> None:
        """Open the candidate."""
        message.stop()
        if isinstance(message.key, int):
            self.post_message(self.Open(message.key))

    def take_focus(self) -> None:
        """The table has the keys."""
        self.query_one(Listing).focus()


def family_table(family: Family, look: Painter) -> tuple[list[Column], list[Row]]:
    """Children first, the best of them nearest to their parent; then the line."""
    columns = [
        Column(title="", align="left", rank=0),
        Column(title="id", rank=0),
        Column(title="gen", rank=3),
        Column(title="score", rank=0),
        Column(title="change", rank=1),
        Column(title="operator", align="left", rank=1),
        Column(title="status", align="left", rank=4),
        Column(title="parents", align="left", rank=5),
        Column(title="metrics", align="left", rank=6, is_wide=True),
    ]
    up, here, down = ("├", "●", "│") if look.unicode else ("+", "*", "|")
    rows = [_row(step, up, family.line[0].score) for step in reversed(family.children)]
    for place, step in enumerate(family.line):
        before = family.line[place + 1].score if place + 1 < len(family.line) else None
        rows.append(_row(step, here if place == 0 else down, before))
    return columns, rows


def _row(step: Step, sign: str, before: float | None) -> Row:
    change = "" if step.score is None or before is None else f"{step.score - before:+.4g}"
    better = step.score is not None and before is not None and step.score > before
    parents = " ".join(map(str, step.parents[:4])) + (" …" if len(step.parents) > 4 else "")
    metrics = "  ".join(f"{name} {figure(value)}" for name, value in list(step.metrics.items())[:6])
    cells: tuple[Cell, ...] = (
        cell(sign, ACCENT),
        cell(step.id, ACCENT),
        cell(step.generation),
        cell(figure(step.score), BOLD) if step.score is not None else cell(step.failure or "failed", BAD),
        cell(change, GOOD if better else DIM),
        cell(step.operator),
        cell(step.status, DIM),
        cell(parents or "seed", DIM),
        cell(clean_line(metrics), DIM),
    )
    return Row(key=step.id, cells=cells)
