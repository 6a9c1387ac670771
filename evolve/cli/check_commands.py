"""`verify` and `replay`: is it true?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from evolve.cli.construction import recheck_line, refuse_both, verify_file
from evolve.cli.figures import figure, plural
from evolve.cli.isolation import is_unsafe_allowed, unsafe_sandbox_option
from evolve.cli.output import Output, json_option
from evolve.cli.parameters import parameter_option, parameters_of
from evolve.cli.places import optional_run_argument, run_argument
from evolve.cli.records import candidate_argument, chosen, reading
from evolve.errors import EXIT_FINISHED, EXIT_INTERNAL


@click.command("verify")
@optional_run_argument
@candidate_argument("identifier", "[ID]")
@click.option("--problem", metavar="PROBLEM", help="Instead of RUN: the problem that a construction is for.")
@click.option(
    "--construction",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A JSON file with a construction, as the problem's program returns it.",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the construction's certificate here, and a stand-alone script that re-checks it beside it.",
)
@parameter_option
@unsafe_sandbox_option
@json_option
@click.pass_context
def verify_command(context: click.Context, /, identifier: int | str, **given: Any) -> None:
    """Check a candidate of RUN rigorously, or a construction from a file.

    Writes a certificate into the folder of the run. Without ID: the best candidate.

    The verdict is certified, refuted or unverified (the problem has no rigorous check, or it could not decide). A
    construction that is refuted ends with the exit code 1.
    """
    refuse_both(given)
    if given["run"] is None:
        parameters = parameters_of(given["parameter"])
        target = given["certificate"]
        code = verify_file(given["problem"], parameters, given["construction"], target, as_json=given["as_json"])
        context.exit(code)
    _verify_candidate(given["run"], identifier, unsafe_sandbox=given["unsafe_sandbox"], as_json=given["as_json"])


def _verify_candidate(run: Path, identifier: int | str, *, unsafe_sandbox: bool | None, as_json: bool) -> None:
    from evolve.loop import verify_candidate

    with reading(run) as reader:
        number = chosen(reader, identifier).candidate.id
    verification = verify_candidate(run, number, unsafe_sandbox=is_unsafe_allowed(unsafe_sandbox))
    document = {
        "run": str(run),
        "id": number,
        "verdict": verification.verdict,
        "value": verification.value,
        "score": verification.score,
        "detail": verification.detail,
        "certificate": verification.certificate,
    }

    def lines() -> Iterator[str]:
        yield f"candidate {number}: {verification.verdict}, value {_exact(verification.value)}"
        if verification.detail:
            yield verification.detail
        if verification.certificate is not None:
            yield f"certificate: {verification.certificate}"
            yield from recheck_line(verification.certificate)

    Output(as_json=as_json).answer("evolve.verify/1", document, lines)


def _exact(value: object) -> str:
    return repr(value) if isinstance(value, float) else figure(value)


@click.command("replay")
@run_argument
@json_option
@click.pass_context
def replay_command(context: click.Context, /, run: Path, *, as_json: bool) -> None:
    """Rebuild the archive of RUN from its log and compare.

    The exit code is 1 if the two differ.
    """
    from evolve.loop import replay_run

    result = replay_run(run)
    document = {
        "run": str(run),
        "archive_hash": result.archive_hash,
        "recorded_hash": result.recorded_hash,
        "equal": result.equal,
        "evaluations": result.evaluations,
        "elites": result.elites,
        "first_difference": result.first_difference,
    }

    def lines() -> Iterator[str]:
        yield f"{plural(result.evaluations, 'evaluation')}, {plural(result.elites, 'elite')}"
        yield f"archive  {result.archive_hash}"
        yield f"recorded {result.recorded_hash or 'nothing (the run did not end in order)'}"
        yield "equal" if result.equal else f"DIFFERENT: {result.first_difference}; keep the run as it is"

    Output(as_json=as_json).answer("evolve.replay/1", document, lines)
    context.exit(EXIT_FINISHED if result.equal else EXIT_INTERNAL)
