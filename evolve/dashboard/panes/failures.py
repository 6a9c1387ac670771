"""Failures grouped by what they say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from evolve.dashboard.codetext import wrapped
from evolve.dashboard.columns import Column, cell
from evolve.dashboard.lines import Label, Lines
from evolve.dashboard.listing import Listing, Row
from evolve.dashboard.palette import ACCENT, BAD, BOLD, DIM, Painter
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.view.figures import plural
from evolve.view.run import RunView
from evolve.view.tally import Signature, Tally

CHUNK = 100_000
N_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The groups, the detail of an example of the chosen one, and how much of the log has been read."""

    signatures: Sequence[Signature]
    total: int
    read: int
    last: int
    example: tuple[int, str] | None = field(default=None)


class FailuresPane(Pane):
    """A table of groups; below it the whole detail of the latest of the chosen group."""

    title = "failures"
    hints: ClassVar[tuple[Hint, ...]] = (("enter", "open the latest"), ("o", "all of this kind"), ("/", "find"))
    DEFAULT_CSS = "FailuresPane #failures-listing { height: 60%; } FailuresPane Lines { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("o", "all", show=False)]

    def __init__(self, look: Painter, tally: Tally, *, id: str) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(look, id=id)
        self._tally = tally
        self._pending = False
        self._text = ""
        self._shown: Failed | None = None

    def compose(self) -> ComposeResult:
        """A heading, the table, an example."""
        yield Label(id="failures-heading")
        yield Listing(id="failures-listing")
        yield Label(id="failures-example")
        yield Lines(id="failures-detail")

    def question(self) -> Question:
        """Read on in the log; the detail of the group under the cursor."""
        tally, text, key = self._tally, self._text.lower(), self.query_one(Listing).key

        def ask(view: RunView) -> Failed:
            tally.advance(view, max_rows=CHUNK)
            found = [each for each in tally.signatures() if text in f"{each.failure} {each.text}".lower()][:N_ROWS]
            chosen = next((each.latest for each in found if each.latest == key), found[0].latest if found else None)
            example = None
            if chosen is not None:
                rows = view.rows("SELECT detail FROM candidate WHERE id = ?", chosen)
                example = (chosen, str(rows[0]["detail"])) if rows else None
            return Failed(
                signatures=found, total=sum(tally.failures.values()), read=tally.read, last=tally.last, example=example
            )

        return ask

    def is_pending(self) -> bool:
        """Whether the log has not been read to its end."""
        return self._pending

    @property
    def candidate(self) -> int | None:
        """The latest of the group under the cursor."""
        key = self.query_one(Listing).key
        return key if isinstance(key, int) else None

    def show(self, answer: object) -> None:
        """Fill the table and the example."""
        assert isinstance(answer, Failed)
        self._shown = answer
        self._pending = answer.read < answer.last
        share = f" of {answer.read:,} candidates ({answer.total / answer.read:.1%})" if answer.read else ""
        heading = Text.assemble(("failures", BOLD), (f"  {answer.total:,}{share}", DIM), no_wrap=True)
        heading.append(f", {plural(len(answer.signatures), 'kind')} by what they say", DIM)
        if self._pending:
            heading.append(f"; {answer.last - answer.read:,} still to be read", DIM)
        self.query_one("#failures-heading", Label).put(heading)
        empty = f"no failure says {self._text}" if self._text else "nothing has failed"
        self.query_one(Listing).put(*failure_table(answer.signatures, answer.total), empty=empty)
        self._show_example(answer)

    def _show_example(self, answer: Failed) -> None:
        label, lines = self.query_one("#failures-example", Label), self.query_one(Lines)
        if answer.example is None:
            label.put(Text())
            lines.put([Text()])
            return
        identifier, detail = answer.example
        label.put(Text.assemble(("the latest of them  ", BOLD), (f"candidate {identifier}", DIM)))
        lines.put(wrapped(detail.rstrip() or "(it says nothing)", max(self.size.width - 1, 20)), keep_place=True)

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Fetch the example of another group."""
        message.stop()
        self.stale()

    def on_listing_opened(self, message: Listing.Opened) -> None:
        """Open the latest candidate of the group."""
        message.stop()
        if isinstance(message.key, int):
            self.post_message(self.Open(message.key))

    def action_all(self) -> None:
        """Show all candidates that failed like this one."""
        key = self.candidate
        for each in self._shown.signatures if self._shown is not None else ():
            if each.latest == key:
                self.post_message(self.Narrow("failure", each.failure))

    def search(self, text: str) -> str:
        """Show only the groups that hold the text."""
        self._text = text
        self.stale()
        return f"failures that say {text}" if text else "search ended"

    def take_focus(self) -> None:
        """The table has the keys."""
        self.query_one(Listing).focus()


def failure_table(signatures: Sequence[Signature], total: int) -> tuple[list[Column], list[Row]]:
    """One row a group; its key is its latest candidate."""
    columns = [
        Column(title="count", rank=0),
        Column(title="share", rank=2),
        Column(title="failure", align="left", rank=0),
        Column(title="latest", rank=3),
        Column(title="mostly by", align="left", rank=4),
        Column(title="what they say", align="left", rank=1, is_wide=True),
    ]
    rows = []
    for each in signatures:
        mostly = max(each.operators, key=lambda name: (each.operators[name], name), default="")
        cells = (
            cell(f"{each.count:,}", BOLD),
            cell(f"{each.count / max(total, 1):.1%}", DIM),
            cell(each.failure, BAD),
            cell(each.latest, ACCENT),
            cell(mostly, DIM),
            cell(each.text or "(nothing)"),
        )
        rows.append(Row(key=each.latest, cells=cells))
    return columns, rows
