"""`noise`: how much of a score is luck, and whether one program is better than another."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolve.cli.figures import figure, plural
from evolve.cli.isolation import is_unsafe_allowed, unsafe_sandbox_option
from evolve.cli.output import Output, json_option
from evolve.cli.parameters import generalize_option, parameter_option, parameters_of
from evolve.errors import UsageError

if TYPE_CHECKING:
    from evolve.config.problem import Problem


@click.command("noise")
@click.argument("problem")
@click.option("--seeds", type=click.IntRange(min=2), default=8, show_default=True, help="How many random states.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Another program to compare with the seed program, on the same random states.",
)
@click.option("--save", is_flag=True, help="Keep the noise of the seed program in the problem's folder.")
@parameter_option
@generalize_option
@unsafe_sandbox_option
@json_option
def noise_command(problem: str, **given: Any) -> None:
    """Measure how much the score of the seed program depends on luck. PROBLEM is a folder or a shipped name.

    Judges it with several random states. With --against, also another program with the same random states: the
    difference of such pairs says which of the two is better sooner than their scores do.
    """
    from evolve.config.problem import load_problem
    from evolve.loop.isolation import require_isolation
    from evolve.scaffold.noise import measure_noise, save_noise

    loaded = load_problem(problem, parameters=parameters_of(given["parameter"]), generalize=given["generalize"])
    unsafe = is_unsafe_allowed(given["unsafe_sandbox"])
    require_isolation(loaded, unsafe=unsafe)
    programs = [loaded.seed_files, *([_program(loaded, given["against"])] if given["against"] else [])]
    found, compared = measure_noise(
        loaded,
        programs,
        n_seeds=given["seeds"],
        unsafe_sandbox=unsafe,
        listener=lambda stage: click.echo(f"trying: {stage} ...", err=True),
    )
    document: dict[str, Any] = {
        **found[0].to_json(),
        "against": found[1].to_json() if len(found) > 1 else None,
        "compared": None if compared is None else compared.to_json(),
        "saved_to": save_noise(loaded, found[0]) if given["save"] else None,
    }
    Output(as_json=given["as_json"]).answer("evolve.noise/1", document, lambda: _lines(document))


def _program(problem: "Problem", file: Path) -> Mapping[str, str]:
    """The seed program with another entry file."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}", hint="--against names a program") from error
    return {**problem.seed_files, problem.tables.seed.files[0]: text}


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"{document['problem']}, the seed program: {noise_text(document)}"
    if document["against"] is not None:
        yield f"{document['problem']}, the other program: {noise_text(document['against'])}"
    compared = document["compared"]
    if compared is not None:
        errors = f"standard error {figure(compared['standard_error'])}"
        unpaired = f"({figure(compared['unpaired_error'])} if the random states were others)"
        yield f"the other program is better by {figure(compared['mean'])}, {errors} {unpaired}"
        yield f"better {compared['better']} times, equal {compared['equal']} times, worse {compared['worse']} times"
    if document["saved_to"] is not None:
        yield f"kept in {document['saved_to']}"


def noise_text(noise: Mapping[str, Any]) -> str:
    """One line about measured noise."""
    told = f"mean {figure(noise['mean'])}, standard deviation {figure(noise['deviation'])}"
    told += f", best {figure(noise['best'])} of {plural(len(noise['scores']), 'score')}"
    failed = f", {noise['n_failed']} failed" if noise["n_failed"] else ""
    return f"{told}{failed}, {figure(noise['seconds'])} s each"
