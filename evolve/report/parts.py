"""Small parts that several sections are made of: tables, links to programs, figures with captions."""

from collections.abc import Collection, Iterable, Sequence

from evolve.report.html import Child, Html, tag
from evolve.view.figures import figure

Cell = Child | int | float


def table(headings: Sequence[str], rows: Iterable[Sequence[Cell]], *, left: Collection[int] = (0,)) -> Html:
    """A table; columns in `left` hold text, the others numbers."""
    head = tag("tr", [tag("th", name, class_=None if place in left else "r") for place, name in enumerate(headings)])
    body = [tag("tr", [_cell(value, is_text=place in left) for place, value in enumerate(row)]) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", body)), class_="wide")


def _cell(value: Cell, *, is_text: bool) -> Html:
    shown = figure(value) if value is None or isinstance(value, int | float) else value
    return tag("td", shown, class_="t" if is_text else "r")


def program_link(identifier: int, linked: Collection[int]) -> Html:
    """A candidate's number, a link where the page has a section for it."""
    text = str(identifier)
    return tag("a", text, href=f"#c{identifier}") if identifier in linked else tag("span", text)


def drawing(chart: Html, caption: Child, *, legend: Html | None = None, scrolls: bool = False) -> Html:
    """A chart with what there is to say about it."""
    return tag(
        "figure",
        tag("div", chart, class_="wide scroll" if scrolls else None),
        legend,
        tag("figcaption", caption),
    )


def folded(summary: Child, *content: Child, is_open: bool = False, **attributes: str | None) -> Html:
    """Content that a click on its summary shows: no script is needed."""
    return tag("details", tag("summary", summary), content, open=is_open, **attributes)


def section(name: str, title: str, *content: Child) -> Html:
    """A section that the page's list of contents names."""
    return tag("section", tag("h2", title), content, id=name)
