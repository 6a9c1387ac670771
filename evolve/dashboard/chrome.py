"""The lines around the screens: heading, names of the screens, keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from evolve.dashboard.palette import ACCENT, BAD, BOLD, DIM, GOOD, state_style
from evolve.dashboard.pane import Hint
from evolve.view.figures import figure
from evolve.view.run import RunView
from evolve.view.text import clean_line

ALWAYS: tuple[Hint, ...] = (("?", "help"), ("q", "quit"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the heading says of a run."""

    name: str
    problem: str
    state: str
    best: float | None
    evaluations: int


def read_head(view: RunView, state: str) -> Head:
    """Ask for what the heading says."""
    rows = view.rows("SELECT score FROM candidate WHERE score IS NOT NULL ORDER BY score DESC LIMIT 1")
    return Head(
        name=view.run_dir.resolve().name,
        problem=view.problem_name,
        state=state,
        best=rows[0]["score"] if rows else None,
        evaluations=view.last_candidate(),
    )


def head_line(head: Head | None, trouble: str, marked: Sequence[int], width: int) -> Text:
    """Problem, run, state, best score; what is wrong if something is."""
    if head is None:
        return Text(clean_line(trouble) or "reading the run …", style=BAD if trouble else DIM, no_wrap=True)
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f" {clean_line(head.problem)} ", BOLD).append(f" {clean_line(head.name)}  ", DIM)
    if trouble:
        return line.append(clean_line(trouble), BAD + BOLD)
    line.append(clean_line(head.state), state_style(head.state.split()[0]))
    line.append(f"  best {figure(head.best)}", GOOD).append(f"  {head.evaluations:,} evaluations", DIM)
    if marked:
        words = f"  marked {' and '.join(map(str, marked))}"
        if line.cell_len + len(words) <= width:
            line.append(words, ACCENT)
    return line


def tabs_line(names: Sequence[str], current: str, width: int) -> Text:
    """The names of the screens with their digits; the digits alone where there is no room."""
    gap, space = "  ", " "
    if sum(len(name) + 4 for name in names) > width:
        gap, space = " ", ""
    shortened = sum(len(name) + 2 for name in names) > width
    line = Text(no_wrap=True, overflow="crop")
    for place, name in enumerate(names, 1):
        is_current = name == current
        label = f"{place}{space}{name}" if is_current or not shortened else f"{place}{name[:3]}"
        line.append(label, "bold reverse" if is_current else "dim").append(gap)
    return line


def foot_line(hints: Sequence[Hint], said: str, width: int) -> Text:
    """What was said last, or the keys: as many as fit, help and quit always."""
    if said:
        return Text(f" {clean_line(said)}", style=BOLD, no_wrap=True, overflow="ellipsis")
    ends = Text(no_wrap=True)
    for keys, words in ALWAYS:
        ends.append("  ").append(keys, BOLD + ACCENT).append(f" {words}", DIM)
    line = Text(" ", no_wrap=True)
    for keys, words in hints:
        if line.cell_len + cell_len(keys) + len(words) + 3 + ends.cell_len > width:
            break
        line.append(keys, BOLD + ACCENT).append(f" {words}  ", DIM)
    line.pad_right(max(width - line.cell_len - ends.cell_len, 0))
    return line.append_text(ends)
