"""A candidate in words: its heading and the aspects under which it can be looked at."""

from collections.abc import Iterable, Mapping

from rich.text import Text

from evolve.dashboard.codetext import diff_lines, program_lines, wrapped
from evolve.dashboard.drawing import picture_lines
from evolve.dashboard.palette import BAD, BOLD, DIM, GOOD, Painter
from evolve.view.detail import Detail, Exchange
from evolve.view.figures import figure, plural
from evolve.view.pictures import Picture
from evolve.view.text import clean_line

ASPECTS = ("code", "diff", "facts", "output", "models", "picture")
MAX_IDS = 12
LABEL = 14


def heading(found: Detail, width: int) -> Text:
    """Two lines: who it is and how good, where it came from."""
    record = found.record
    candidate, evaluation = record.candidate, record.evaluation
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"candidate {candidate.id}  ", BOLD)
    if evaluation.score is None:
        line.append(f"failed ({clean_line(str(evaluation.failure))})", BAD + BOLD)
    else:
        line.append(f"score {figure(evaluation.score)}", GOOD + BOLD)
        if found.parent is not None and found.parent.evaluation.score is not None:
            line.append(f"  parent {figure(found.parent.evaluation.score)}", DIM)
    line.append(f"  by {clean_line(candidate.operator)}, generation {candidate.generation}")
    line.append(f", {clean_line(record.status)}", DIM)
    del width
    return line


def aspect_lines(
    aspect: str, found: Detail, picture: Picture | None, size: tuple[int, int], look: Painter
) -> list[Text]:
    """The lines of one aspect; where there is nothing to show, a line says why."""
    width, height = size
    texts = {
        "code": lambda: program_lines(found.record.candidate.files),
        "diff": lambda: _diff(found),
        "facts": lambda: list(_facts(found, width)),
        "output": lambda: _output(found, width),
        "models": lambda: _models(found, width),
    }
    if aspect in texts:
        return texts[aspect]()
    if picture is None:
        return [
            Text(
                "nothing to draw: no picture of the evaluator that makes sense, and the program is no curve", style=DIM
            )
        ]
    return picture_lines(picture, width, height, look)


def _diff(found: Detail) -> list[Text]:
    if found.parent is None:
        return [Text("the seed program has no parent", style=DIM)]
    if not found.diff:
        return [Text(f"equal to its parent, candidate {found.parent.candidate.id}", style=DIM)]
    return diff_lines(found.diff)


def _facts(found: Detail, width: int) -> Iterable[Text]:
    record = found.record
    candidate, evaluation = record.candidate, record.evaluation
    yield _row("score", figure(evaluation.score) if evaluation.failure is None else f"none: {evaluation.failure}")
    yield from _pairs("descriptor", evaluation.descriptor)
    yield from _pairs("metrics", evaluation.metrics)
    yield _row("judged", f"in {figure(evaluation.seconds)} s, sandbox {evaluation.level or 'not used'}")
    yield _row("stage", evaluation.stage or "the only one, or all of them")
    places = "; ".join(f"island {island}, cell {cell}, rank {rank}" for island, cell, rank in found.places)
    yield _row("archive", f"{record.status}; {f'elite now at {places}' if places else 'no elite now'}")
    yield _row("parents", _ids(candidate.parent_ids, len(candidate.parent_ids)))
    yield _row("children", _ids(found.children, found.n_children))
    if found.iteration is not None:
        made = found.iteration
        brought = f"{plural(made.n_candidates, 'candidate')}, {made.n_duplicates} known before"
        yield _row("iteration", f"{made.number:,} by {made.operator}: {brought}")
        yield _row("its cost", f"{figure(made.cost)} units, reward {figure(made.reward)}, {figure(made.seconds)} s")
    money = "no question to a model" if not found.exchanges else "not known"
    yield _row("money", money if found.cost_usd is None else f"{found.cost_usd:,.6f} USD")
    yield _row("fingerprint", candidate.fingerprint)
    if evaluation.detail:
        yield Text()
        yield Text("detail", style=BOLD)
        yield from wrapped(evaluation.detail, width)


def _row(label: str, value: object) -> Text:
    return Text.assemble((f"{label:<{LABEL}}", DIM), clean_line(str(value)))


def _pairs(label: str, values: Mapping[str, object]) -> Iterable[Text]:
    for place, (name, value) in enumerate(values.items()):
        text = f"{clean_line(str(name)):<24} {figure(value)}"
        yield Text.assemble((f"{label if place == 0 else '':<{LABEL}}", DIM), text)


def _ids(identifiers: Iterable[int], total: int) -> str:
    listed = list(identifiers)
    shown = " ".join(str(identifier) for identifier in listed[:MAX_IDS])
    return (shown + (f" and {total - MAX_IDS:,} more" if total > MAX_IDS else "")) or "none"


def _output(found: Detail, width: int) -> list[Text]:
    evaluation = found.record.evaluation
    lines: list[Text] = []
    if evaluation.detail:
        lines += [Text("detail of the evaluation", style=BOLD), *wrapped(evaluation.detail, width), Text()]
    for name, text in evaluation.artifacts.items():
        lines += [Text(f"artifact {clean_line(name)}", style=BOLD), *wrapped(str(text), width), Text()]
    return lines or [Text("the evaluation left no detail and no artifacts", style=DIM)]


def _models(found: Detail, width: int) -> list[Text]:
    if not found.exchanges:
        operator = clean_line(found.record.candidate.operator)
        return [Text(f"no language model was asked: {operator} works without one", style=DIM)]
    lines: list[Text] = []
    for exchange in found.exchanges:
        lines += [_exchange_heading(exchange)]
        if exchange.detail:
            lines += wrapped(exchange.detail, width, BAD)
        lines += [Text("reply", style=BOLD), *_or_nothing(exchange.reply, width, "(empty)"), Text()]
        lines += [Text("prompt", style=BOLD), *_or_nothing(exchange.prompt, width, "(not kept)"), Text()]
    return lines


def _or_nothing(text: str, width: int, nothing: str) -> list[Text]:
    return wrapped(text, width) if text else [Text(nothing, style=DIM)]


def _exchange_heading(exchange: Exchange) -> Text:
    money = "price unknown" if exchange.cost_usd is None else f"{exchange.cost_usd:,.6f} USD"
    tokens = f"{exchange.input_tokens:,} tokens read, {exchange.output_tokens:,} written"
    attempts = f", {exchange.attempts} attempts" if exchange.attempts > 1 else ""
    words = f"{exchange.purpose} by {exchange.model}, {exchange.outcome}, {tokens}, {money}, {exchange.seconds:.1f} s"
    return Text(clean_line(words) + attempts, style=BOLD if exchange.outcome == "ok" else BOLD + BAD)
