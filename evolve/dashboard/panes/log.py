"""What happened, in order."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult

from evolve.dashboard.columns import Column, cell
from evolve.dashboard.lines import Label
from evolve.dashboard.listing import Listing, Row
from evolve.dashboard.palette import BOLD, DIM, GOOD, PLAIN, WARNING, Painter
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.view.log import NEWEST, LogLine, happenings
from evolve.view.run import RunView
from evolve.view.text import clean_line

_KINDS = {"improved": GOOD, "seed": GOOD, "warning": WARNING, "stopping": WARNING, "paused": WARNING}


class LogPane(Pane):
    """The newest happenings, the last one below; the cursor follows it until it is moved away."""

    title = "log"
    hints: ClassVar[tuple[Hint, ...]] = (("enter", "open candidate"), ("/", "search"), ("G", "newest"))

    def __init__(self, look: Painter, *, id: str) -> None:  # noqa: A002 the name that Textual has for it
        super().__init__(look, id=id)
        self._text = ""
        self._lines: list[LogLine] = []

    def compose(self) -> ComposeResult:
        """A heading and the table."""
        yield Label(id="log-heading")
        yield Listing(id="log-listing")

    def question(self) -> Question:
        """The newest of them."""
        text = self._text

        def ask(view: RunView) -> list[LogLine]:
            return happenings(view, newest=NEWEST, text=text)

        return ask

    def show(self, answer: object) -> None:
        """Fill the table."""
        assert isinstance(answer, list)
        listing = self.query_one(Listing)
        follows = not self._lines or listing.cursor >= len(self._lines) - 1
        self._lines = answer
        words = f"  the newest {len(answer):,}" + (f" with {clean_line(self._text)!r}" if self._text else "")
        heading = Text.assemble(("log", BOLD), (f"{words}, times in UTC", DIM), no_wrap=True)
        self.query_one("#log-heading", Label).put(heading)
        empty = f"nothing says {self._text}" if self._text else "nothing has happened yet"
        listing.put(*log_table(answer), empty=empty)
        if follows:
            listing.move_to_edge(-1)

    @property
    def candidate(self) -> int | None:
        """Whom the line under the cursor is about."""
        key = self.query_one(Listing).key
        return self._lines[key].candidate if isinstance(key, int) and key < len(self._lines) else None

    def on_listing_opened(self, message: Listing.Opened) -> None:
        """Open the candidate that the line is about."""
        message.stop()
        if self.candidate is not None:
            self.post_message(self.Open(self.candidate))
        else:
            self.say("this line is not about a candidate")

    def search(self, text: str) -> str:
        """Show only the lines that hold the text."""
        self._text = text
        self.stale()
        return f"lines that say {text}" if text else "search ended"

    def take_focus(self) -> None:
        """The table has the keys."""
        self.query_one(Listing).focus()


def log_table(lines: list[LogLine]) -> tuple[list[Column], list[Row]]:
    """One row a happening."""
    columns = [
        Column(title="time", align="left", rank=0),
        Column(title="what", align="left", rank=0),
        Column(title="", align="left", rank=0, is_wide=True),
    ]
    is_one_day = len({line.at[:10] for line in lines}) == 1
    rows = []
    for place, line in enumerate(lines):
        when = line.at[11:19] if is_one_day else line.at[5:19].replace("T", " ")
        cells = (cell(when, DIM), cell(line.kind, _KINDS.get(line.kind, PLAIN)), cell(line.text))
        rows.append(Row(key=place, cells=cells))
    return columns, rows
