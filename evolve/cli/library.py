"""The library of constructions as a page, made from its folders: `python -m evolve.cli.library`."""

import inspect
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import groupby

import click

from evolve.config.finds import Find, finds_in
from evolve.config.locate import shipped_problems
from evolve.config.parameters import known_values
from evolve.config.problem import Problem, load_problem
from sandbox.toolbox.base import MOVE, SOLVE, START
from sandbox.toolbox.catalog import MODULES, steps_named, toolbox_named

_HEAD = """# The library

Every problem with a verifier of [constructions](constructions.md), written from the folders by
`python -m evolve.cli.library` (`make docs` does it, and a test fails when the two differ). `evolve problems NAME` tells
of each what is sought, what is known and from whom.

Tiers say what two cores reach in half an hour without a language model: the best known value (A), a thousandth of it
(B), a hundredth (C), that only with structure (D), nothing of the kind (E). They are estimates. Best values are as
published or recomputed, each with its source in the folder; nothing that others constructed is shipped. AlphaEvolve's
values are those of its published constructions, recomputed exactly where there are some. The last column names the
toolbox of the problems that start from a [strategy](constructions.md#strategies).
"""
_FOUND = """## Found here

Constructions that our own runs found and that are worth what AlphaEvolve published, or more. Each lies in the folder
`found` of its problem, with its certificate, the command that found it and what that took.
[What counts](constructions.md#finds). What is compared has the same parameters: for `autocorrelation_1` and
`autocorrelation_2` AlphaEvolve has published better values with more steps.
"""
_TOOLBOXES = """
## Toolboxes

The steps that [strategies](constructions.md#strategies) compose. All toolboxes have `accept` (Metropolis), `better`,
`recall` and `inherit` as well.
"""
_TOOLBOX_COLUMNS = ("toolbox", "objects", "starts", "solvers", "moves")
_PROBLEM_COLUMNS = ("problem", "what is sought", "parameters", "tier", "best known", "AlphaEvolve", "toolbox")
_FIND_COLUMNS = ("problem", "found here", "AlphaEvolve", "", "found by", "evaluations", "CPU s")


def library() -> str:
    """The whole page."""
    problems = [load_problem(each) for each in shipped_problems().values() if each.parent.name != "problems"]
    problems.append(load_problem("circle_packing_26"))
    problems.sort(key=lambda problem: (problem.tables.problem.area or "", problem.name))
    lines = [_HEAD, _FOUND, *_table(_FIND_COLUMNS, _found(problems))]
    for area, group in groupby(problems, lambda problem: problem.tables.problem.area or ""):
        lines += [f"\n## {area.replace('_', ' ').capitalize()}\n", *_table(_PROBLEM_COLUMNS, map(_problem, group))]
    lines += [_TOOLBOXES, *_table(_TOOLBOX_COLUMNS, map(_toolbox, MODULES))]
    return "\n".join(lines) + "\n"


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield f"| {' | '.join(each.replace('|', chr(92) + '|') for each in row)} |"


def _found(problems: list[Problem]) -> Iterator[tuple[str, ...]]:
    for problem in problems:
        yield from map(_find, finds_in(problem.folder))


def _find(find: Find) -> tuple[str, ...]:
    ahead = abs(find.value - Fraction(find.alphaevolve))
    return (
        f"`{find.problem}` {_told(find.parameters.items())}".strip(),
        f"{float(find.value):.15g}",
        f"{find.alphaevolve:.12g}",
        f"beats by {float(ahead):.2g}" if find.standing == "beats" else "equals",
        find.found_by,
        f"{find.evaluations:,}",
        f"at most {find.seconds:.0f}" if find.cpu_seconds is None else f"{find.cpu_seconds:.0f}",
    )


def _problem(problem: Problem) -> tuple[str, ...]:
    tables = problem.tables
    known = tables.known
    rows = [] if known is None else known_values(known.model_dump(), problem.folder)
    own = {name: str(value) for name, value in tables.parameters.items()}
    more = sum(any(row[name] != value for name, value in own.items()) for row in rows)
    others = f" ({more} more)" if more else ""
    best = "-" if known is None else f"{known.direction} {known.value:.12g}"
    published = None if known is None else known.alphaevolve
    return (
        f"`{problem.name}`",
        problem.title,
        f"`{_told(tables.parameters.items())}`{others}" if own else "-",
        tables.problem.tier or "-",
        best,
        "-" if published is None else f"{published:.12g}",
        f"`{tables.search.toolbox}`" if tables.search.toolbox else "-",
    )


def _toolbox(name: str) -> tuple[str, ...]:
    steps = steps_named(name)
    kinds = [", ".join(f"`{step.name}`" for step in steps if step.kind == kind) for kind in (START, SOLVE, MOVE)]
    about = inspect.cleandoc(toolbox_named(name).__doc__ or "").split("\n\n")[0]
    return (f"`{name}`", " ".join(about.split()), *kinds)


def _told(parameters: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters)


if __name__ == "__main__":
    click.echo(library(), nl=False)
