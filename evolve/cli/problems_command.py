"""`problems`: what there is to search for, and what the world knows of it."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from evolve.cli.figures import figure, indented, table
from evolve.cli.output import Output, json_option
from evolve.cli.parameters import parameter_option, parameters_of
from evolve.cli.terminal import clean_line

_TIERS = ("A", "B", "C", "D", "E")
_SOURCE_WIDTH = 32


@click.command("problems")
@click.argument("name", required=False)
@click.option("--area", metavar="AREA", help="Only problems of this area: geometry, packing, number_theory, ...")
@click.option(
    "--tier",
    type=click.Choice(_TIERS, case_sensitive=False),
    multiple=True,
    help="Only problems of this tier: A is matched in minutes on two cores, E by no such machine. May be repeated.",
)
@parameter_option
@json_option
def problems_command(
    name: str | None, *, area: str | None, tier: Sequence[str], parameter: Sequence[str], as_json: bool
) -> None:
    """List the shipped problems, or describe one.

    NAME is a shipped problem or the folder of your own, or one of another engine.
    """
    from evolve.config.locate import shipped_problems
    from evolve.config.problem import load_problem

    output = Output(as_json=as_json)
    if name is not None:
        problem = _described(load_problem(name, parameters=parameters_of(parameter)))
        output.answer("evolve.problem/1", problem, lambda: _problem_lines(problem))
        return
    if parameter:
        raise click.UsageError("--parameter is for one problem: give its NAME")
    found = [_described(load_problem(folder)) for folder in shipped_problems().values()]
    areas = sorted({problem["area"] for problem in found if problem["area"]})
    if area is not None and area not in areas:
        raise click.UsageError(f"no area {area!r}: there are {', '.join(areas)}")
    problems = [
        problem
        for problem in found
        if (area is None or problem["area"] == area) and (not tier or problem["tier"] in tier)
    ]
    output.answer("evolve.problems/1", {"problems": problems}, lambda: _listed(problems))


def _described(problem: Any) -> dict[str, Any]:
    tables = problem.tables
    return {
        "name": problem.name,
        "title": problem.title,
        "language": problem.language,
        "statement": tables.problem.statement,
        "score": tables.problem.score,
        "tags": list(tables.problem.tags),
        "axes": [axis.name for axis in tables.archive.axes],
        "budget": tables.budget.model_dump(mode="json"),
        "known": None if tables.known is None else tables.known.model_dump(mode="json"),
        "folder": str(problem.folder),
        "notices": list(problem.notices),
        "area": tables.problem.area,
        "tier": tables.problem.tier,
        "parameters": dict(tables.parameters),
    }


def _listed(problems: Sequence[dict[str, Any]]) -> Iterator[str]:
    columns = ("name", "area", "tier", "best known", "source", "title")
    rows = [
        [problem["name"], problem["area"] or "-", problem["tier"] or "-", *_best_known(problem), problem["title"]]
        for problem in problems
    ]
    yield from table(columns, rows, left=(0, 1, 2, 4, 5))


def _best_known(problem: dict[str, Any]) -> tuple[str, str]:
    """The value, and the beginning of its source: all of it stands at `evolve problems NAME`."""
    known = problem["known"]
    if known is None:
        return "-", "-"
    source = clean_line(known["source"])
    shown = source if len(source) <= _SOURCE_WIDTH else f"{source[: _SOURCE_WIDTH - 3].rstrip()}..."
    return f"{known['value']:.12g}", shown or "-"


def _problem_lines(problem: dict[str, Any]) -> Iterator[str]:
    yield f"{problem['name']}: {problem['title']} ({problem['language']})"
    yield ""
    yield indented(problem["statement"].strip())
    yield ""
    yield f"score: {problem['score']}"
    yield f"told apart by: {', '.join(problem['axes'])}"
    if problem["area"]:
        yield f"area: {problem['area']}, tier {problem['tier'] or '-'}"
    if problem["parameters"]:
        told = ",".join(f"{name}={value}" for name, value in problem["parameters"].items())
        yield f"parameters: {told} (others with --parameter)"
    yield from _known_lines(problem)
    budget = {key: value for key, value in problem["budget"].items() if value is not None}
    if budget:
        yield "budget: " + ", ".join(f"{key} {figure(value)}" for key, value in budget.items())
    yield f"folder: {problem['folder']}"
    yield from (f"note: {clean_line(notice)}" for notice in problem["notices"])


def _known_lines(problem: dict[str, Any]) -> Iterator[str]:
    known = problem["known"]
    if not known:
        return
    best = f"{known['value']:.15g}"
    yield f"known: {known['kind']} {best} {clean_line(known['source'])} {known['year'] or ''}".rstrip()
    if known["alphaevolve"] is not None:
        yield f"AlphaEvolve: {known['alphaevolve']:.15g}"
