"""The page as a whole."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from evolve.export.tables_target import whole_file
from evolve.report.archive import archive
from evolve.report.frontier import frontier
from evolve.report.gathered import Gathered, gather, only_linked
from evolve.report.html import Html, tag
from evolve.report.lineage import lineage
from evolve.report.programs import other_elites, top_programs
from evolve.report.progress import progress
from evolve.report.repeat import repeat
from evolve.report.shares import failures, models, operators
from evolve.report.style import policy, style_sheet
from evolve.report.summary import head
from evolve.view.run import RunView

SECTIONS: tuple[tuple[str, str, Callable[[Gathered], Html | None]], ...] = (
    ("progress", "Progress", progress),
    ("frontier", "Frontier", frontier),
    ("archive", "Archive", archive),
    ("lineage", "Lineage", lineage),
    ("programs", "Best programs", top_programs),
    ("operators", "Operators", operators),
    ("models", "Language models", models),
    ("failures", "Failures", failures),
    ("repeat", "Environment and repetition", repeat),
)


def write_report(run_dir: Path, target: Path, *, now: datetime | None = None) -> int:
    """Write the report of a run, to a file that is there whole or not at all; returns its size in bytes.

    Raises:
        UsageError: there is no run in the folder.
        EvolveEnvironmentError: the run cannot be read, or the file not be written.
    """
    with RunView(run_dir) as view:
        page = page_of(gather(view, now=now))
    body = page.encode("utf-8")
    with whole_file(target) as handle:
        handle.write(body)
    return len(body)


def page_of(gathered: Gathered) -> str:
    """The report as one HTML document that asks for nothing and runs nothing."""
    style = style_sheet()
    others, shown = other_elites(gathered)
    gathered = only_linked(gathered, shown)
    parts = [(name, title, part) for name, title, make in SECTIONS if (part := make(gathered)) is not None]
    parts += [("elites", "Other elites", others)] if others is not None else []
    contents = tag("nav", [tag("a", title, href=f"#{name}") for name, title, _ in parts])
    body = tag("main", head(gathered), contents, [part for _, _, part in parts], _foot(gathered))
    document = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy(style)),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("title", f"{gathered.overview.problem_name}: report of a run"),
            tag("style", Html(style)),
        ),
        tag("body", body),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{document}\n"


def _foot(gathered: Gathered) -> Html:
    began = f"Run {gathered.name}, begun {gathered.overview.created}. " if gathered.overview.created else ""
    when = f"{gathered.made:%Y-%m-%d %H:%M} UTC"
    going = " The run was still going on." if gathered.overview.is_going else ""
    return tag(
        "footer", f"{began}Made by evolve report on {when}.{going} This page holds no script and asks for nothing."
    )
