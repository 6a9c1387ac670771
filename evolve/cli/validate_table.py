"""What `evolve validate` found, as lines for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evolve.cli.figures import indented, plural, table
from evolve.cli.terminal import clean_line

Document = Mapping[str, Any]

LEAST_P = 1e-6
"""Smaller p-values say more about the test's assumptions than about the rules."""


def validation_lines(document: Document) -> Iterator[str]:
    """The chosen rule, how it was chosen, its contests, and how robust it is."""
    ladder = document["ladder"]
    yield f"chosen: {clean_line(document['chosen'])}, out of {plural(len(ladder[0]), 'finalist')}"
    yield ""
    yield indented("\n".join(map(clean_line, document["rule"].splitlines())))
    yield ""
    yield from _gap_lines(document)
    yield ""
    yield "against, on the test tasks (speed-up: how many times as many steps, or seconds, the other one needs)"
    yield from table(
        ("opponent", "steps", "time", "p over tasks", "won", "even", "lost"), _contest_rows(document["contests"])
    )
    yield ""
    yield "speed-up in steps by task; * won, - lost (paired seeds, p < 0.05 after Holm over the tasks)"
    yield "good rates: octaves of learning rates that lose at most 10 % more than the best"
    yield from _task_lines(document)
    yield ""
    yield from _elsewhere_lines("at four times the horizon", document["longer"])
    yield ""
    yield from _elsewhere_lines("with other widths and batch sizes", document["resized"])


def _gap_lines(document: Document) -> Iterator[str]:
    places = document["octaves_by_suite"]
    told = ", ".join(f"{suite} {_factor_of_octaves(octaves)}" for suite, octaves in places.items())
    low, high = document["octaves_clipped_to"]
    clipped = f"each task clipped to {low:g} .. {high:g} octaves"
    yield f"times as fast as tuned AdamW (AdamW*), by suite: {told}"
    yield f"(search: the default search suite, whatever this run's tasks; {clipped})"
    search, test = places.get("search"), places.get("test")
    if search is not None and test is not None and search > 0.0:
        lost = search - test
        yield f"generalization gap: {lost:+.2f} octaves between the search tasks and the test tasks"


def _contest_rows(contests: Sequence[Document]) -> list[list[Any]]:
    return [
        [
            clean_line(each["opponent"]),
            _times(each["speed_up"]),
            _times(each["speed_up_in_time"]),
            _p_value(each["p_value_over_tasks"]),
            each["won"],
            each["even"],
            each["lost"],
        ]
        for each in contests
    ]


def _task_lines(document: Document) -> list[str]:
    contests = document["contests"]
    mine, theirs = document["rules"][document["chosen"]], document["rules"]["AdamW*"]
    rows = []
    for place, task in enumerate(contests[0]["tasks"]):
        name = f"{task['task']},steps={task['steps']}"
        own = mine[name]
        rows.append(
            [
                task["task"],
                *(_marked(each["tasks"][place]) for each in contests),
                f"{own['learning_rate']:.2g}",
                f"{own['basin_octaves']:.1f}",
                f"{theirs[name]['basin_octaves']:.1f}",
                f"{100.0 * own['failure_rate']:.0f} %",
            ]
        )
    opponents = [clean_line(each["opponent"]) for each in contests]
    return table(("task", *opponents, "learning rate", "good rates", "AdamW*'s", "diverged"), rows)


def _elsewhere_lines(what: str, contest: Document) -> Iterator[str]:
    yield f"{what}, against AdamW*: loss {contest['won']} times better, {contest['lost']} times worse, the rest even"
    rows = [
        [
            _setting(each),
            each["steps"],
            f"{each['loss_ratio']:.3f}",
            _p_value(each["corrected_p_value"]),
            each["verdict"],
        ]
        for each in contest["tasks"]
    ]
    yield from table(("task", "steps", "loss / AdamW*'s", "p (Holm)", "verdict"), rows)


def _setting(duel: Document) -> str:
    added = f", width x{duel['width']:g}" if duel["width"] is not None else ""
    return f"{duel['task']}{added}" + (f", batch {duel['batch_size']}" if duel["batch_size"] is not None else "")


def _marked(duel: Document) -> str:
    mark = {"won": " *", "lost": " -", "even": "  "}[duel["verdict"]]
    if duel["speed_up"] is None:
        return f"loss x{duel['loss_ratio']:.3f}{mark}"
    return f"{_times(duel['speed_up'])}{mark}"


def _times(factor: float | None) -> str:
    return "-" if factor is None else f"x{factor:.2f}"


def _factor_of_octaves(octaves: float | None) -> str:
    return "-" if octaves is None else f"x{2.0**octaves:.2f}"


def _p_value(value: float | None) -> str:
    if value is None:
        return "-"
    if value < LEAST_P:
        return f"< {LEAST_P:.0e}"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.0e}"
