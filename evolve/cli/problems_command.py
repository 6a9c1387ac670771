"""`problems`: what there is to search for, and what the world knows of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from evolve.cli.figures import figure, indented, table
from evolve.cli.noise_command import noise_text
from evolve.cli.output import Output, json_option
from evolve.cli.parameters import generalize_option, parameter_option, parameters_of
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
@generalize_option
@json_option
def problems_command(
    name: str | None,
    *,
    area: str | None,
    tier: Sequence[str],
    parameter: Sequence[str],
    generalize: bool,
    as_json: bool,
) -> None:
    """List the shipped problems, or describe one.

    NAME is a shipped problem or the folder of your own, or one of another engine.
    """
    from evolve.config.locate import shipped_problems
    from evolve.config.problem import load_problem
    from evolve.scaffold.noise import stored_noise

    output = Output(as_json=as_json)
    if name is not None:
        loaded = load_problem(name, parameters=parameters_of(parameter), generalize=generalize)
        problem = {**_described(loaded), "found": _found(loaded), "noise": stored_noise(loaded)}
        output.answer("evolve.problem/1", problem, lambda: _problem_lines(problem))
        return
    if parameter or generalize:
        option = "--parameter" if parameter else "--generalize"
        raise click.UsageError(f"{option} is for one problem: give its NAME")
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
        "family": _family(tables.family, tables.parameters),
    }


def _family(family: Any, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sizes of a family, and what each is compared with where programs are judged on them."""
    from evolve.config.family import judged_family

    if family is None:
        return None
    told = family.model_dump(mode="json", include={"parameter", "sizes", "held_out", "baseline", "threshold"})
    is_on = family.generalize
    references = judged_family(family, parameters)["references"] if is_on else None
    return {**told, "generalize": is_on, "references": references}


def _found(problem: Any) -> list[dict[str, Any]]:
    """What our own runs found of this problem and of its relatives with other parameters."""
    from evaluators.spec import CONSTRUCTION_FAMILY
    from evolve.config.finds import FOLDER, finds_in

    if problem.tables.evaluator.family != CONSTRUCTION_FAMILY:
        return []
    return [
        {
            "parameters": dict(find.parameters),
            "value": float(find.value),
            "alphaevolve": find.alphaevolve,
            "standing": find.standing,
            "found_by": find.found_by,
            "command": find.command,
            "file": str(problem.folder / FOLDER / find.file_name),
        }
        for find in finds_in(problem.folder)
    ]


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
    yield from _family_lines(problem["family"])
    yield from _known_lines(problem)
    yield from _noise_lines(problem["noise"])
    yield from _found_lines(problem)
    budget = {key: value for key, value in problem["budget"].items() if value is not None}
    if budget:
        yield "budget: " + ", ".join(f"{key} {figure(value)}" for key, value in budget.items())
    yield f"folder: {problem['folder']}"
    yield from (f"note: {clean_line(notice)}" for notice in problem["notices"])


def _family_lines(family: dict[str, Any] | None) -> Iterator[str]:
    if family is None:
        return
    sizes, held_out = (", ".join(map(str, family[key])) or "none" for key in ("sizes", "held_out"))
    how = "" if family["generalize"] else " (with --generalize)"
    yield f"sizes: {family['parameter']} = {sizes}; held out: {held_out}{how}"
    if family["references"] is not None:
        told = ", ".join(f"{size}: {value:.12g}" for size, value in family["references"].items())
        yield f"compared with {family['baseline'] or 'the best known values'}: {told}"


def _noise_lines(noise: dict[str, Any] | None) -> Iterator[str]:
    if noise is not None:
        when = clean_line(str(noise.get("measured")))
        of_what = "" if noise["is_current"] else " of an earlier seed program"
        yield f"seed noise{of_what}: {noise_text(noise)} ({when})"


def _known_lines(problem: dict[str, Any]) -> Iterator[str]:
    known = problem["known"]
    if not known:
        return
    best = f"{known['value']:.15g}"
    yield f"known: {known['kind']} {best} {clean_line(known['source'])} {known['year'] or ''}".rstrip()
    if known["alphaevolve"] is not None:
        yield f"AlphaEvolve: {known['alphaevolve']:.15g}"


def _found_lines(problem: dict[str, Any]) -> Iterator[str]:
    for find in problem["found"]:
        told = ",".join(f"{name}={value}" for name, value in find["parameters"].items())
        standing = f"{find['standing']} AlphaEvolve's {find['alphaevolve']:.12g}"
        value = f"{find['value']:.15g}{f' for {told}' if told else ''}"
        yield f"found here: {value}, {standing}: {clean_line(find['file'])}"
