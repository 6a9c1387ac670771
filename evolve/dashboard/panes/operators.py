"""Operators and language models: what each tried, how often it succeeded, what it took, its weight now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult

from evolve.dashboard.columns import Cell, Column, cell
from evolve.dashboard.lines import Label
from evolve.dashboard.listing import Listing, Row
from evolve.dashboard.palette import ACCENT, BAD, BOLD, DIM, GOOD, PLAIN, Painter
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.view.durations import format_duration
from evolve.view.figures import figure
from evolve.view.models import ModelRow, model_rows
from evolve.view.operators import OperatorRow, operator_rows
from evolve.view.run import RunView
from evolve.view.tally import Tally

CHUNK = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Makers:
    """Operators and models, and how much of the log has been read."""

    operators: Sequence[OperatorRow]
    models: Sequence[ModelRow]
    read: int
    last: int


class OperatorsPane(Pane):
    """Two tables. Counting a long run takes several looks; the tables fill meanwhile."""

    title = "operators"
    hints: ClassVar[tuple[Hint, ...]] = (("enter", "its candidates"),)
    DEFAULT_CSS = "OperatorsPane #models-listing { height: auto; max-height: 50%; }"

    def __init__(self, look: Painter, tally: Tally, *, id: str) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(look, id=id)
        self._tally = tally
        self._pending = False

    def compose(self) -> ComposeResult:
        """A table for each, with a heading."""
        yield Label(id="operators-heading")
        yield Listing(id="operators-listing")
        yield Label(Text("language models", style=BOLD), id="models-heading")
        yield Listing(id="models-listing")

    def question(self) -> Question:
        """Read on in the log, then the sums."""
        tally = self._tally

        def ask(view: RunView) -> Makers:
            tally.advance(view, max_rows=CHUNK)
            return Makers(
                operators=operator_rows(view, tally), models=model_rows(view), read=tally.read, last=tally.last
            )

        return ask

    def is_pending(self) -> bool:
        """Whether the log has not been read to its end."""
        return self._pending

    def show(self, answer: object) -> None:
        """Fill both tables."""
        assert isinstance(answer, Makers)
        self._pending = answer.read < answer.last
        heading = Text.assemble(("operators", BOLD), no_wrap=True, overflow="ellipsis")
        if self._pending:
            heading.append(f"  counted {answer.read:,} of {answer.last:,} candidates so far", DIM)
        elif all(row.weight is None for row in answer.operators):
            heading.append("  weights were not recorded by this run", DIM)
        self.query_one("#operators-heading", Label).put(heading)
        self.query_one("#operators-listing", Listing).put(
            *operator_table(answer.operators, self.look), empty="no operator has made anything yet"
        )
        models = self.query_one("#models-listing", Listing)
        models.put(*model_table(answer.models), empty="no language model was asked in this run")
        models.styles.height = min(max(len(answer.models), 1) + 1, max(self.size.height // 2, 3))

    def on_listing_opened(self, message: Listing.Opened) -> None:
        """Show the candidates of the operator."""
        message.stop()
        if message.listing.id == "operators-listing":
            self.post_message(self.Narrow("operator", str(message.key)))

    def take_focus(self) -> None:
        """The first table has the keys."""
        self.query_one("#operators-listing", Listing).focus()


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _weight(value: float | None, look: Painter) -> Cell:
    if value is None:
        return cell("-", DIM)
    mark = "█" if look.unicode else "#"
    return cell(f"{mark * max(round(value * 10), 0):<10} {value:.0%}", ACCENT)


def operator_table(rows: Sequence[OperatorRow], look: Painter) -> tuple[list[Column], list[Row]]:
    """One row an operator."""
    columns = [
        Column(title="operator", align="left", rank=0),
        Column(title="tries", rank=0),
        Column(title="candidates", rank=1),
        Column(title="kept", rank=1),
        Column(title="success", rank=0),
        Column(title="failed", rank=2),
        Column(title="known", rank=5),
        Column(title="cost", rank=3),
        Column(title="reward", rank=3),
        Column(title="time", rank=4),
        Column(title="weight now", align="left", rank=2 if any(row.weight is not None for row in rows) else 9),
    ]
    return columns, [Row(key=row.name, cells=_operator_cells(row, look)) for row in rows]


def _operator_cells(row: OperatorRow, look: Painter) -> tuple[Cell, ...]:
    failed = row.failures / row.evaluations if row.evaluations else 0.0
    return (
        cell(row.name, BOLD),
        cell(f"{row.iterations:,}"),
        cell(f"{row.evaluations:,}"),
        cell(f"{row.kept:,}", GOOD if row.kept else DIM),
        cell(_share(row.success)),
        cell(_share(failed), BAD if failed > 0.5 else PLAIN),
        cell(f"{row.duplicates:,}", DIM),
        cell(figure(round(row.cost, 2))),
        cell(figure(round(row.reward, 2))),
        cell(format_duration(row.seconds), DIM),
        _weight(row.weight, look),
    )


def model_table(rows: Sequence[ModelRow]) -> tuple[list[Column], list[Row]]:
    """One row a model."""
    columns = [
        Column(title="model", align="left", rank=0),
        Column(title="requests", rank=0),
        Column(title="ok", rank=1),
        Column(title="read", rank=2),
        Column(title="written", rank=2),
        Column(title="USD", rank=0),
        Column(title="candidates", rank=3),
        Column(title="kept", rank=1),
        Column(title="USD a kept one", rank=3),
        Column(title="mean time", rank=4),
        Column(title="endings", align="left", rank=5, is_wide=True),
    ]
    return columns, [Row(key=row.model, cells=_model_cells(row)) for row in rows]


def _model_cells(row: ModelRow) -> tuple[Cell, ...]:
    money = f"{row.cost_usd:,.4f}" + (f" +{row.unpriced}?" if row.unpriced else "")
    each = f"{row.cost_usd / row.kept:.4f}" if row.kept and not row.unpriced else "-"
    bad: Style = BAD if row.requests and row.ok < row.requests / 2 else PLAIN
    endings = ", ".join(f"{name} {count:,}" for name, count in row.outcomes.items())
    return (
        cell(row.model, BOLD),
        cell(f"{row.requests:,}"),
        cell(f"{row.ok:,}", bad),
        cell(f"{row.input_tokens:,}"),
        cell(f"{row.output_tokens:,}"),
        cell(money),
        cell("-" if row.evaluations is None else f"{row.evaluations:,}"),
        cell("-" if row.kept is None else f"{row.kept:,}", GOOD if row.kept else DIM),
        cell(each),
        cell(format_duration(row.seconds / row.requests) if row.requests else "-", DIM),
        cell(endings, DIM),
    )
