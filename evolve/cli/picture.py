"""`evolve show --picture`: what a candidate made, as an SVG file."""

from pathlib import Path
from typing import TYPE_CHECKING

from evolve.errors import EvolveEnvironmentError, UsageError

if TYPE_CHECKING:
    from evolve.store import CandidateRecord


def draw(run: Path, record: "CandidateRecord", target: Path) -> None:
    """Write the drawing of a candidate.

    Raises:
        UsageError: there is nothing to draw.
        EvolveEnvironmentError: it cannot be written.
    """
    from evolve.report.pictures import svg_file
    from evolve.view.run import RunView

    with RunView(run) as view:
        text = svg_file(view, record)
    if text is None:
        number = record.candidate.id
        raise UsageError(f"candidate {number} left no picture", hint="constructions, packings and approximations do")
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EvolveEnvironmentError(f"cannot write {target}: {error.strerror}") from error
