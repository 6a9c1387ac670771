"""The frontier of a function approximation: error against operations, beside classical methods."""

from collections.abc import Sequence
from math import isfinite

from evolve.errors import UsageError
from evolve.report.chart_lines import Line, LineChart, line_chart
from evolve.report.gathered import Gathered
from evolve.report.html import Html, tag
from evolve.report.parts import Cell, drawing, program_link, section, table
from evolve.view.frontier import FrontierRow, frontier_of, methods_of, read_baselines, tally

ELITES_MOST = 20_000


def frontier(gathered: Gathered) -> Html | None:
    """Table and chart, nothing for problems that are not about errors and operations."""
    view = gathered.view
    if not gathered.overview.best_metrics.get("operations") or gathered.overview.elites > ELITES_MOST:
        return None
    symbolic = view.tables.get("symbolic") or {}
    try:
        baselines = read_baselines(view.baselines, max_operations=symbolic.get("max_operations"))
        metric, rows = frontier_of(view.reader.elites(), baselines)
    except (UsageError, KeyError, TypeError, ValueError):
        return None  # elites without these metrics, or baselines of another form: there is no frontier to tell
    methods = methods_of(row.baselines for row in rows)
    return section(
        "frontier",
        "Frontier",
        drawing(_chart(metric, rows, methods), _caption(gathered, metric), legend=_legend(methods), scrolls=True),
        _table(gathered, metric, rows, methods),
        _tally_line(rows) if methods else None,
    )


def _chart(metric: str, rows: Sequence[FrontierRow], methods: Sequence[str]) -> Html:
    found = [(float(row.operations), row.error) for row in rows if row.error is not None and row.error > 0]
    lines = [
        Line(
            name=method,
            points=[
                (float(row.operations), row.baselines[method]) for row in rows if row.baselines.get(method, 0.0) > 0
            ],
            style=place,
        )
        for place, method in enumerate(methods, 1)
    ]
    chart = LineChart(
        title=f"{metric} by operations" + (", beside classical methods" if methods else ""),
        x_label="operations (at most)",
        y_label=metric.replace("_", " "),
        lines=[Line(name="discovered", points=found, has_marks=True, is_strong=True), *lines],
        log_y=True,
        x_ticks=[float(row.operations) for row in rows],
        width=720,
        height=360,
    )
    return line_chart(chart)


def _legend(methods: Sequence[str]) -> Html:
    """The lines by name, each beside a piece of it."""
    parts = []
    for place, name in enumerate(("discovered", *methods)):
        sample = tag(
            "svg",
            tag("path", d="M0 6H30", class_=f"line s{place % 7}"),
            viewBox="0 0 30 12",
            width=30,
            height=12,
            aria_hidden="true",
        )
        parts.append(tag("span", sample, " ", name.replace("_", " ")))
    return tag("p", parts, class_="key")


def _caption(gathered: Gathered, metric: str) -> str:
    about = str(gathered.view.baselines.get("about") or "")
    return f"Smallest {metric.replace('_', ' ')} with at most so many operations. {about}".strip()


def _table(gathered: Gathered, metric: str, rows: Sequence[FrontierRow], methods: Sequence[str]) -> Html:
    body: list[list[Cell]] = []
    for row in rows:
        link = None if row.record is None else program_link(row.record.candidate.id, gathered.linked)
        errors = [_error(row.baselines.get(method)) for method in methods]
        verdict = [_verdict(row)] if methods else []
        body.append([row.operations, tag("strong", _error(row.error)), link or "-", *errors, *verdict])
    headings = ["operations", metric.replace("_", " "), "candidate", *(name.replace("_", " ") for name in methods)]
    if not methods:
        return table(headings, body)
    return table([*headings, "beside polynomial and rational"], body, left=(len(headings),))


def _error(error: float | None) -> str:
    return "-" if error is None or not isfinite(error) else f"{error:.3e}"


def _verdict(row: FrontierRow) -> str:
    if row.beats_both:
        return "below both"
    return {True: "at or below", False: "above", None: ""}[row.is_at_most("polynomial")]


def _tally_line(rows: Sequence[FrontierRow]) -> Html:
    counts = tally(rows)
    texts = [
        f"at or below the polynomial at {_listed(counts['at_most_polynomial'])}",
        f"above it at {_listed(counts['above_polynomial'])}",
        f"below the better of polynomial and rational at {_listed(counts['below_polynomial_and_rational'])}",
    ]
    return tag("p", f"The discovered programs are {'; '.join(texts)}.")


def _listed(counts: Sequence[int]) -> str:
    return f"{', '.join(map(str, counts))} operations" if counts else "no operation count"
