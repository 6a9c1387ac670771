"""Elites, or all candidates, as a table that is sorted, filtered and turned over page by page by the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from archive.contract import AddStatus
from evaluators.contract import Failure
from evolve.dashboard.columns import Cell, Column, cell
from evolve.dashboard.dialogs import Choice, ChoiceScreen
from evolve.dashboard.lines import Label
from evolve.dashboard.listing import Listing, Row
from evolve.dashboard.palette import ACCENT, BAD, BOLD, DIM, GOOD, PLAIN, Painter
from evolve.dashboard.pane import Hint, Pane, Question
from evolve.view.figures import figure
from evolve.view.pages import Page, PageRow, Query, count, operators_in, page
from evolve.view.run import RunView
from evolve.view.text import clean_line

PAGE = 200
MAX_METRICS = 8
_FILTERS = ("operator", "status", "failure")
STATUSES = ("failed", *(str(status) for status in AddStatus))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page, and how many rows there are in all (None while that is not counted)."""

    query: Query
    page: Page
    total: int | None
    operators: Sequence[str] = ()


class ElitesPane(Pane):
    """A page of rows; the cursor goes on to the next page at its end."""

    title = "elites"
    hints: ClassVar[tuple[Hint, ...]] = (
        ("enter", "open"),
        ("/", "search"),
        ("s", "sort"),
        ("f", "filter"),
        ("a", "all/elites"),
        ("r", "reverse"),
        ("[ ]", "page"),
        ("space", "mark"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", show=False),
        Binding("f", "filter", show=False),
        Binding("a", "scope", show=False),
        Binding("r", "reverse", show=False),
        Binding("left_square_bracket", "turn(-1)", show=False),
        Binding("right_square_bracket", "turn(1)", show=False),
        Binding("left_curly_bracket", "first", show=False),
        Binding("right_curly_bracket", "last", show=False),
    ]

    def compose(self) -> ComposeResult:
        """What is shown, and the table."""
        yield Label(id="elites-status")
        yield Listing(id="elites-listing")

    def on_mount(self) -> None:
        """Begin with the elites, best first."""
        self._query = Query(limit=PAGE)
        self._shown: Shown | None = None
        self._counted: dict[Query, int] = {}
        self._edge = 0
        self.marked: frozenset[int] = frozenset()

    @property
    def candidate(self) -> int | None:
        """The one under the cursor."""
        key = self.query_one(Listing).key
        return key if isinstance(key, int) else None

    def question(self) -> Question:
        """The page wanted now."""
        query = self._query
        known = self._counted.get(replace(query, offset=0))

        def ask(view: RunView) -> Shown:
            found = page(view, query)
            total = found.total if found.total is not None else known
            total = count(view, query) if total is None else total
            return Shown(query=query, page=found, total=total, operators=operators_in(view))

        return ask

    def show(self, answer: object) -> None:
        """Fill the table, unless something else is wanted by now."""
        if not isinstance(answer, Shown) or answer.query != self._query:
            return
        self._shown = answer
        if answer.page.total is None and answer.total is not None:
            self._counted = {replace(answer.query, offset=0): answer.total}
        self._fill()

    def _fill(self) -> None:
        if self._shown is None:
            return
        shown = self._shown
        columns, rows = table(shown, self.marked)
        listing = self.query_one(Listing)
        listing.put(columns, rows, empty=_why_empty(shown.query), descending=shown.query.descending)
        if self._edge:
            listing.move_to_edge(self._edge)
            self._edge = 0
        self.query_one("#elites-status", Label).put(status(shown, self.look))

    def mark(self, marked: frozenset[int]) -> None:
        """Show which candidates are marked."""
        self.marked = marked
        self._fill()

    def _want(self, **changes: object) -> None:
        self._query = replace(self._query, **({"offset": 0} | changes))  # type: ignore[arg-type]  # fields of Query
        self.stale()

    def filter_for(self, **values: str) -> None:
        """Show the candidates with these values only."""
        self._edge = 1
        self._want(scope="candidates", sort="id", descending=True, text="", **dict.fromkeys(_FILTERS) | values)

    def action_scope(self) -> None:
        """Change between elites and all candidates."""
        if self._query.scope == "elites":
            self._want(scope="candidates", sort="id", descending=True)
        else:
            self._want(scope="elites", sort="score", descending=True)

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._want(descending=not self._query.descending)

    def action_turn(self, step: int) -> None:
        """Go to the next or the last page."""
        if self._shown is None:
            return
        offset = self._query.offset + step * PAGE
        if offset < 0 or (step > 0 and not self._shown.page.has_more):
            self.say("this is the first page" if step < 0 else "this is the last page")
            return
        self._edge = step
        self._want(offset=offset)

    def action_first(self) -> None:
        """Go to the first page."""
        self._edge = 1
        self._want()

    def action_last(self) -> None:
        """Go to the last page."""
        if self._shown is not None and self._shown.total:
            self._edge = -1
            self._want(offset=(self._shown.total - 1) // PAGE * PAGE)

    def on_listing_edge(self, message: Listing.Edge) -> None:
        """Turn the page when the cursor leaves it."""
        message.stop()
        if self._shown is not None and (self._shown.page.has_more if message.direction > 0 else self._query.offset):
            self.action_turn(message.direction)

    def on_listing_opened(self, message: Listing.Opened) -> None:
        """Open the candidate."""
        message.stop()
        if isinstance(message.key, int):
            self.post_message(self.Open(message.key))

    def action_sort(self) -> None:
        """Choose what to sort by."""
        names = ["score", "id", "generation", "seconds", "operator", "status"]
        if self._query.scope == "elites" and self._shown is not None and self._shown.page.rows:
            first = self._shown.page.rows[0]
            names += [f"axis:{name}" for name in first.descriptor] + [f"metric:{name}" for name in first.metrics]
        else:
            names += ["failure", "island"]

        def sort(name: str | None) -> None:
            if name is not None:
                self._want(sort=name, descending=name in ("score", "id", "generation", "seconds"))

        self.app.push_screen(ChoiceScreen("sort by", [Choice(name, name) for name in names]), sort)

    def action_filter(self) -> None:
        """Choose what to filter for."""
        choices = [Choice("", "everything (no filter)")]
        operators = () if self._shown is None else self._shown.operators
        known = {"operator": operators, "status": STATUSES, "failure": [str(failure) for failure in Failure]}
        choices += [Choice(f"{kind}:{name}", f"{kind} {name}") for kind in _FILTERS for name in known[kind]]

        def narrow(value: str | None) -> None:
            if value is not None:
                kind, _, name = value.partition(":")
                wanted = {**dict.fromkeys(_FILTERS), **({kind: name} if kind else {})}
                self._want(**wanted, **({} if kind else {"text": ""}))

        self.app.push_screen(ChoiceScreen("show only", choices), narrow)

    def search(self, text: str) -> str:
        """Show only what holds a text, or the candidate of a number."""
        self._want(text=text)
        return f"searching for {clean_line(text)}" if text else "search ended"

    def take_focus(self) -> None:
        """The table has the keys."""
        self.query_one(Listing).focus()


def _why_empty(query: Query) -> str:
    if query.text or query.operator or query.status or query.failure:
        return f"no {query.scope} fit: press f for another filter, / for another search"
    return "no candidate was kept yet" if query.scope == "elites" else "no candidate was judged yet"


def status(shown: Shown, look: Painter) -> Text:
    """What the table shows, in one line."""
    query, rows = shown.query, shown.page.rows
    first, last = query.offset + 1, query.offset + len(rows)
    dash = "–" if look.unicode else "-"  # noqa: RUF001 the dash between numbers
    parts = [f"{first:,}{dash}{last:,} of {'?' if shown.total is None else f'{shown.total:,}'}"] if rows else ["none"]
    parts.append(f"by {query.sort}, {'largest' if query.descending else 'smallest'} first")
    parts += [f"{name} {getattr(query, name)}" for name in _FILTERS if getattr(query, name)]
    if query.text:
        parts.append(f"with {query.text!r}")
    if query.scope == "candidates" and query.sort == "score":
        parts.append("failed ones left out")
    title = "elites" if query.scope == "elites" else "all candidates"
    return Text.assemble((f"{title}  ", BOLD), (clean_line(", ".join(parts)), DIM), no_wrap=True, overflow="ellipsis")


def table(shown: Shown, marked: frozenset[int]) -> tuple[list[Column], list[Row]]:
    """Columns and rows of a page."""
    rows = shown.page.rows
    axes = list(dict.fromkeys(name for row in rows[:20] for name in row.descriptor))
    metrics = [name for name in dict.fromkeys(name for row in rows[:20] for name in row.metrics) if name not in axes]
    is_elites = shown.query.scope == "elites"
    sort = shown.query.sort

    def column(key: str, title: str, rank: int, **more: object) -> Column:
        return Column(title=clean_line(title)[:20], rank=rank, is_sorted=key == sort, **more)  # type: ignore[arg-type]

    columns = [column("id", "id", 0), column("score", "score", 0)]
    columns += [column("status", "status", 1 if not is_elites else 9, align="left")]
    columns += [column("operator", "operator", 2, align="left")]
    columns += [column("generation", "gen", 4)]
    if not is_elites:
        columns.append(column("failure", "failure", 1, align="left"))
    columns += [column(f"axis:{name}", name, 3) for name in axes]
    columns += [column(f"metric:{name}", name, 5 + place) for place, name in enumerate(metrics[:MAX_METRICS])]
    columns += [column("seconds", "seconds", 8)]
    if not is_elites:
        columns.append(column("detail", "detail", 2, align="left", is_wide=True))
    listed = [
        Row(key=row.id, cells=_cells(row, axes, metrics[:MAX_METRICS], is_elites=is_elites), note=_note(row, marked))
        for row in rows
    ]
    return columns, listed


def _note(row: PageRow, marked: frozenset[int]) -> str:
    return "*" if row.id in marked else " "


def _cells(row: PageRow, axes: Sequence[str], metrics: Sequence[str], *, is_elites: bool) -> tuple[Cell, ...]:
    cells = [cell(row.id, ACCENT), cell(figure(row.score), PLAIN if row.score is None else BOLD)]
    cells.append(cell(row.status, GOOD if row.status in ("new", "improved") else DIM))
    cells += [cell(row.operator), cell(row.generation)]
    if not is_elites:
        cells.append(cell(row.failure or "", BAD))
    cells += [cell(figure(row.descriptor.get(name))) for name in axes]
    cells += [cell(figure(row.metrics.get(name)), DIM) for name in metrics]
    cells.append(cell(f"{row.seconds:.3g}", DIM))
    if not is_elites:
        cells.append(cell(row.detail.strip().splitlines()[-1] if row.detail.strip() else "", DIM))
    return tuple(cells)
