"""Who made what: operators, language models, and the failures they met."""

from evolve.report.gathered import Gathered
from evolve.report.html import Html, cut, tag, visible
from evolve.report.parts import Cell, program_link, section, table
from evolve.view.durations import format_duration
from evolve.view.figures import figure
from evolve.view.models import model_rows
from evolve.view.operators import operator_rows

BAR = 90.0
ROWS_MOST = 60
SIGNATURES_MOST = 25
EXAMPLE_MOST = 400


def bar(share: float, style: str = "bar") -> Html:
    """A share in [0, 1] as a bar with its per cent."""
    width = BAR * min(max(share, 0.0), 1.0)
    return tag(
        "svg",
        tag("rect", x=0, y=2, width=max(width, 1.0), height=10, class_=style),
        tag("text", f"{share:.0%}", x=width + 4, y=11),
        viewBox=f"0 0 {BAR + 40:.0f} 14",
        width=BAR + 40,
        height=14,
        role="img",
        class_="chart",
    )


def operators(gathered: Gathered) -> Html | None:
    """Operators with their shares of candidates and of elites."""
    found = operator_rows(gathered.view, gathered.tally)[:ROWS_MOST]
    if not found:
        return None
    evaluations = sum(row.evaluations for row in found) or 1
    kept = sum(row.kept for row in found) or 1
    rises: dict[str, int] = {}
    for step in gathered.turns[1:]:
        rises[step.operator] = rises.get(step.operator, 0) + 1
    rows: list[list[Cell]] = [
        [
            visible(cut(row.name, 60)),
            row.evaluations,
            bar(row.evaluations / evaluations),
            row.kept,
            bar(row.kept / kept, "bar2"),
            row.failures,
            rises.get(row.name, 0),
            format_duration(row.seconds),
            "-" if row.weight is None else f"{row.weight:.0%}",
        ]
        for row in found
    ]
    headings = (
        "operator",
        "candidates",
        "share",
        "kept",
        "share",
        "failed",
        "steps to the best",
        "time",
        "weight now",
    )
    note = "Kept: became an elite when it came. Weight: how often the search would choose the operator next."
    return section("operators", "Operators", table(headings, rows, left=(0, 2, 4)), tag("p", note, class_="note"))


def models(gathered: Gathered) -> Html | None:
    """Language models with what they took and what came of it."""
    found = model_rows(gathered.view)[:ROWS_MOST]
    if not found:
        return None
    requests = sum(row.requests for row in found) or 1
    rows: list[list[Cell]] = [
        [
            visible(cut(row.model, 80)),
            row.requests,
            bar(row.requests / requests),
            row.ok,
            row.input_tokens,
            row.output_tokens,
            f"{row.cost_usd:,.4f}" + (f" + {row.unpriced:,} unpriced" if row.unpriced else ""),
            row.evaluations,
            row.kept,
        ]
        for row in found
    ]
    headings = ("model", "requests", "share", "ok", "tokens read", "written", "USD", "candidates", "kept")
    endings: dict[str, int] = {}
    for row in found:
        for outcome, count in row.outcomes.items():
            endings[outcome] = endings.get(outcome, 0) + count
    ended = ", ".join(f"{cut(name, 40)} {figure(count)}" for name, count in sorted(endings.items()))
    return section(
        "models",
        "Language models",
        table(headings, rows, left=(0, 2)),
        tag("p", f"Requests ended: {ended}.", class_="note"),
    )


def failures(gathered: Gathered) -> Html | None:
    """Failures that say the same but for numbers, the most frequent first."""
    found = gathered.tally.signatures()
    if not found:
        return None
    rows: list[list[Cell]] = [
        [
            each.failure,
            each.count,
            visible(cut(each.text, EXAMPLE_MOST)) if each.text else "-",
            ", ".join(f"{cut(name, 40)} {count:,}" for name, count in sorted(each.operators.items())[:6]),
            program_link(each.latest, gathered.linked),
        ]
        for each in found[:SIGNATURES_MOST]
    ]
    total, shown = sum(each.count for each in found), sum(each.count for each in found[:SIGNATURES_MOST])
    rest = (
        f"{total - shown:,} more failures say {len(found) - SIGNATURES_MOST:,} other things." if total > shown else None
    )
    return section(
        "failures",
        "Failures",
        table(("kind", "count", "what was said (numbers are #)", "operators", "latest"), rows, left=(0, 2, 3)),
        rest and tag("p", rest, class_="note"),
    )
