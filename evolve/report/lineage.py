"""How the best program came about: its ancestors as a tree, and the steps at which its line rose."""

from evolve.report.chart_tree import is_shortened, tree
from evolve.report.code import code, difference
from evolve.report.gathered import Gathered
from evolve.report.html import Html, cut
from evolve.report.parts import Cell, drawing, folded, program_link, section, table
from evolve.view.detail import program_diff
from evolve.view.lineage import Step

NAME_MOST = 80


def lineage(gathered: Gathered) -> Html | None:
    """Tree, table of steps, and the change at each step."""
    best = gathered.overview.best_id
    if best is None or len(gathered.ancestors) < 2:
        return None
    count = len(gathered.ancestors)
    caption = (
        "Generations from left to right; the thick line leads over first parents, thin ones come from other parents. "
        "Lighter is better."
    )
    if any(step.score is None for step in gathered.ancestors):
        caption += " A dashed circle failed."
    if is_shortened(gathered.ancestors):
        caption += f" Of {count:,} ancestors those on the line are drawn where it rose; dotted parts leave steps out."
    return section(
        "lineage",
        "How the best program came about",
        drawing(tree(gathered.ancestors, best, gathered.linked), caption, scrolls=True),
        table(("candidate", "generation", "score", "gain", "by", "parents"), _rows(gathered), left=(4, 5)),
        _changes(gathered),
    )


def _rows(gathered: Gathered) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    before: float | None = None
    for step in gathered.turns:
        gain = None if before is None or step.score is None else step.score - before
        parents = [[program_link(each, gathered.linked), " "] for each in step.parents] or "none"
        link = program_link(step.id, gathered.linked)
        rows.append([link, step.generation, step.score, gain, step.operator, parents])
        before = step.score
    return rows


def _changes(gathered: Gathered) -> list[Html]:
    """The change from each step that is listed to the next."""
    others = {each.record.candidate.id for each in gathered.top} | {each.candidate.id for each in gathered.others}
    parts = []
    previous: Step | None = None
    for step in gathered.turns:
        parts.append(_change(gathered, previous, step, is_target=step.id not in others))
        previous = step
    return parts


def _change(gathered: Gathered, before: Step | None, step: Step, *, is_target: bool) -> Html:
    reader = gathered.view.reader
    target = f"c{step.id}" if is_target else None
    new = reader.candidate(step.id).candidate.files
    if before is None:
        return folded(f"candidate {step.id}, the first", [code(text) for text in new.values()], id=target)
    old = reader.candidate(before.id).candidate.files
    text = program_diff(old, new, f"candidate {before.id}", f"candidate {step.id}") or "the programs are equal"
    how = "by" if before.id in step.parents else "over several steps, the last by"
    words = f"from candidate {before.id} to {step.id}, {how} {cut(step.operator, NAME_MOST)}"
    return folded(words, difference(text), id=target)
