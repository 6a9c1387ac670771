"""The archive: its map, and what the map cannot show."""

from evolve.report.chart_map import MANY_CELLS, colour_legend, heat_map
from evolve.report.gathered import Gathered
from evolve.report.html import Html, tag
from evolve.report.parts import drawing, section
from evolve.view.figures import figure


def archive(gathered: Gathered) -> Html | None:
    """The archive along its first two axes."""
    shown, seen = gathered.map, gathered.overview
    if shown is None or not shown.cells or shown.low is None or shown.high is None:
        return None
    words = ["Best score in each cell; a cell leads to its program."]
    if len(shown.cells) > MANY_CELLS:
        words = ["Best score in each cell."]
    others = [axis.name for place, axis in enumerate(shown.shape.axes) if place not in (shown.x, shown.y)]
    if others:
        words.append(f"Of the other axes ({', '.join(others)}) the best elite is shown.")
    if shown.shape.note:
        words.append(f"{shown.shape.note}.")
    if shown.n_unplaced:
        words.append(f"{shown.n_unplaced:,} elites have no place on these axes.")
    filled = f"{figure(seen.elites)} elites"
    if seen.coverage is not None and seen.n_cells:
        filled += f", {seen.coverage:.1%} of {seen.n_cells:,} cells filled"
    if seen.qd_score is not None:
        filled += f", QD score {figure(seen.qd_score)}"
    return section(
        "archive",
        "Archive",
        tag("p", filled),
        drawing(heat_map(shown, gathered.linked), " ".join(words), legend=colour_legend(shown.low, shown.high)),
    )
