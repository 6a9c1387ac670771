"""Two candidates beside each other."""

from collections.abc import Mapping

from rich.text import Text

from evolve.dashboard.codetext import diff_lines
from evolve.dashboard.columns import Column, Layout, cell
from evolve.dashboard.palette import BOLD, DIM, GOOD, PLAIN
from evolve.store import CandidateRecord
from evolve.view.detail import program_diff
from evolve.view.figures import figure, figures_apart
from evolve.view.run import RunView
from evolve.view.text import clean_line


def comparison(view: RunView, one: int, other: int, width: int) -> list[Text]:
    """Figures side by side, then the difference of the programs.

    Raises:
        UsageError: one of them does not exist.
    """
    first, second = view.reader.candidate(one), view.reader.candidate(other)
    columns = [
        Column(title="", align="left", rank=0),
        Column(title=f"candidate {one}", rank=0),
        Column(title=f"candidate {other}", rank=0),
        Column(title="difference", rank=1),
    ]
    rows = [_figures("score", first.evaluation.score, second.evaluation.score)]
    rows += _named(first.evaluation.descriptor, second.evaluation.descriptor)
    rows += _named(first.evaluation.metrics, second.evaluation.metrics)
    rows += [_words(label, *pair) for label, pair in _origins(first, second)]
    layout = Layout(columns, [[cell(text) for text in row] for row in rows], width)
    lines = [layout.header()]
    for row in rows:
        better = row[0] == "score" and row[3].startswith("+")
        lines.append(layout.row([cell(text, GOOD if better else PLAIN) for text in row]))
    files = first.candidate.files, second.candidate.files
    diff = program_diff(*files, f"candidate {one}", f"candidate {other}")
    lines += [Text(), Text("programs", style=BOLD)]
    return lines + (diff_lines(diff) if diff else [Text("the programs are equal", style=DIM)])


def _named(one: Mapping[str, object], other: Mapping[str, object]) -> list[tuple[str, str, str, str]]:
    names = dict.fromkeys((*one, *other))
    return [_figures(clean_line(str(name))[:30], one.get(name), other.get(name)) for name in names]


def _figures(label: str, one: object, other: object) -> tuple[str, str, str, str]:
    if isinstance(one, int | float) and isinstance(other, int | float):
        texts = figures_apart(float(one), float(other))
        return label, texts[0], texts[1], "" if one == other else f"{other - one:+.4g}"
    return _words(label, figure(one), figure(other))


def _words(label: str, one: str, other: str) -> tuple[str, str, str, str]:
    return label, one, other, ""


def _origins(one: CandidateRecord, other: CandidateRecord) -> list[tuple[str, tuple[str, str]]]:
    def of(record: CandidateRecord) -> tuple[str, ...]:
        candidate = record.candidate
        parents = " ".join(map(str, candidate.parent_ids[:6])) or "none"
        failure = record.evaluation.failure or "none"
        return candidate.operator, str(candidate.generation), record.status, str(failure), parents

    labels = "operator", "generation", "status", "failure", "parents"
    return list(zip(labels, zip(of(one), of(other), strict=True), strict=True))
