"""Parts of a prompt that tell of candidates: programs with their results, failed attempts, what changed."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evolve.operators.briefing import Briefing, Insight, Instruction, Judged
from evolve.operators.writing.prompt_text import exact_number, fenced, listed, one_line

MAX_DETAIL = 1500
MAX_ARTIFACT = 1500
PICTURE = "picture"
CONSTRUCTION = "construction"
MAX_ARTIFACTS = 6
MAX_DIFF = 3000
MAX_COMPARED = 4000
MAX_METRICS = 24
PRIVATE = "private."
"""Metrics of this name are for people: an evaluator may keep some of what it knows from who writes programs."""
MAX_LESSON = 1600

Shown = Callable[[str], str]
"""What is shown of one file of a program that only inspires: its evolve blocks, or all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Parts of one kind, best first, that go into a prompt as far as they fit, below one heading."""

    place: str
    heading: str
    items: tuple[str, ...]


def results(judged: Judged, *, best: Judged | None = None) -> str:
    """One line on a candidate and what judging it gave."""
    parts = [f"Program {judged.candidate.id} (generation {judged.candidate.generation})"]
    parts.append("no score" if judged.score is None else f"score {exact_number(judged.score)}")
    if judged.stage:
        parts.append(f"judged at stage {one_line(judged.stage)}")
    if best is not None and best.score is not None and best.candidate.id != judged.candidate.id:
        parts.append(f"best score of the search so far {exact_number(best.score)}")
    elif best is not None:
        parts.append("the best of the search so far")
    line = ", ".join(parts) + "."
    if judged.descriptor:
        line += f"\nWhat tells it apart: {listed(judged.descriptor)}."
    hidden = {name for name in judged.metrics if name.startswith(PRIVATE)}
    metrics = {name: value for name, value in judged.metrics.items() if name not in {*judged.descriptor, *hidden}}
    if metrics:
        line += f"\nMeasured: {listed(dict(list(metrics.items())[:MAX_METRICS]))}."
    return line


def files_of(files: Mapping[str, str], role: str) -> str:
    """All files of a program, whole."""
    return "\n\n".join(fenced(text, info=f"python file={name} {role}") for name, text in files.items())


def program(judged: Judged, role: str, *, best: Judged | None = None) -> str:
    """A program in full with its results."""
    return f"{results(judged, best=best)}\n\n{files_of(judged.candidate.files, role)}"


def inspirations(judged: Sequence[Judged], parents: Sequence[Judged], shown: Shown) -> Group:
    """Elites of other cells, without those that are parents."""
    known = {each.candidate.id for each in parents}
    items = [
        f"{results(each)}\n\n"
        + "\n\n".join(
            fenced(part, info=f"python file={name} elite")
            for name, text in each.candidate.files.items()
            if (part := shown(text)).strip()
        )
        for each in judged
        if each.candidate.id not in known and each.score is not None
    ]
    heading = "# Other good programs of the search, of other kinds"
    return Group(place="inspirations", heading=heading, items=tuple(items))


def failures(judged: Sequence[Judged], parents: Sequence[Judged]) -> Group:
    """Failed attempts to change a parent: why, and what had been changed."""
    heading = "# Attempts that failed: do not repeat them"
    items = []
    for each in judged:
        own = (parent for parent in parents if parent.candidate.id in each.candidate.parent_ids)
        items.append(failure(each, next(own, parents[0])))
    return Group(place="failures", heading=heading, items=tuple(items))


def failure(judged: Judged, parent: Judged) -> str:
    """One failed attempt."""
    return f"{failure_reason(judged)}\n\nWhat it had changed:\n\n{changes(parent, judged)}"


def failure_reason(judged: Judged) -> str:
    """Why a candidate has no score, with its own words as data."""
    where = f" at stage {one_line(judged.stage)}" if judged.stage else ""
    reason = f"Program {judged.candidate.id} failed: {one_line(judged.failure) or 'no score'}{where}."
    if judged.detail.strip():
        reason += f" What it said:\n\n{fenced(judged.detail, info='text message', limit=MAX_DETAIL)}"
    return reason


def changes(old: Judged, new: Judged) -> str:
    """The difference between two programs."""
    lines: list[str] = []
    for name, text in new.candidate.files.items():
        lines += _difference(name, old.candidate.files.get(name, "").splitlines(), text.splitlines())
    return fenced("\n".join(lines) or "(nothing)", info="diff", limit=MAX_DIFF)


def _difference(name: str, had: Sequence[str], has: Sequence[str]) -> list[str]:
    """What differs between the lines that two texts begin and end with; too many lines would take minutes to match."""
    least = min(len(had), len(has))
    head = next((i for i in range(least) if had[i] != has[i]), least)
    tail = next((i for i in range(least - head) if had[-1 - i] != has[-1 - i]), least - head)
    n_had, n_has = len(had) - head - tail, len(has) - head - tail
    if n_had and n_has and n_had + n_has > MAX_COMPARED:
        return [f"{name}: {n_had} lines became {n_has} others"]
    first, last = max(head - 1, 0), max(tail - 1, 0)  # a line on either side shows the place, as no numbers do
    old, new = had[first : len(had) - last], has[first : len(has) - last]
    found = difflib.unified_diff(old, new, f"{name} before", f"{name} after", n=1, lineterm="")
    return ["@@" if line.startswith("@@") else line for line in found]


def artifacts(judged: Judged) -> Group:
    """What judging a program left besides numbers; pictures are for people."""
    items = [
        f"Its {one_line(str(name))}:\n\n{fenced(str(value), info='text artifact', limit=MAX_ARTIFACT)}"
        for name, value in list(judged.artifacts.items())[:MAX_ARTIFACTS]
        if str(value).strip() and name not in (PICTURE, CONSTRUCTION)
    ]
    return Group(place="parent", heading="", items=tuple(items))


def lesson(insight: Insight) -> str:
    """An insight as data: a model wrote it after reading candidates."""
    text = f"When: {insight.condition}\nThen: {insight.explanation}"
    if insight.example.strip():
        text += f"\nExample: {insight.example}"
    return fenced(text, info="text lesson", limit=MAX_LESSON)


def instructions(judged: Sequence[Instruction]) -> str:
    """Pieces of advice with their worth, as data."""
    return "\n\n".join(
        f"Worth: {'not known yet' if each.worth is None else exact_number(each.worth)}\n\n"
        f"{fenced(each.text, info='text advice', limit=MAX_LESSON)}"
        for each in judged
    )


def scored_change(briefing: Briefing) -> str:
    """The verified change that an insight may be drawn from: a parent beside what it came from, or another elite.

    Empty if no two programs of different scores are known.
    """
    parent = briefing.parents[0]
    others = [each for each in (briefing.origin, *briefing.inspirations) if each is not None]
    scored = [each for each in others if each.score is not None and each.score != parent.score]
    if parent.score is None or not scored:
        return ""
    old, new = sorted((scored[0], parent), key=lambda each: (each.score or 0.0, each.candidate.id))
    return (
        f"# Two programs of the search, the second better\n\nThe first:\n\n{program(old, 'elite')}\n\n"
        f"The second:\n\n{results(new)}\n\nWhat the second has in place of the first:\n\n{changes(old, new)}"
    )


def failed_change(briefing: Briefing) -> str:
    """The newest failed change that an insight may be drawn from; empty if there is none."""
    if not briefing.failures:
        return ""
    parent = briefing.parents[0]
    return (
        f"# A program that works\n\n{program(parent, 'parent')}\n\n"
        f"# A change of it that failed\n\n{failure(briefing.failures[0], parent)}"
    )
