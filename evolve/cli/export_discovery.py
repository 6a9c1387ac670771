"""`evolve export --as`: one program of a run as code, as a formula or as data."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evolve.cli.isolation import is_unsafe_allowed
from evolve.cli.output import Output
from evolve.cli.program_commands import write_program
from evolve.cli.records import chosen, reading
from evolve.cli.terminal import clean
from evolve.errors import UsageError

if TYPE_CHECKING:
    from evolve.export.discovery import Discovery


def export_discovery(  # noqa: PLR0913 (they are the command's options)
    run: Path,
    identifier: int | str,
    *,
    wanted: str,
    target: Path | None,
    as_json: bool,
    verify: bool = False,
    with_test: bool = False,
    unsafe_sandbox: bool | None = None,
) -> None:
    """Write a program of the run in the form `wanted`, to `target` or else to standard output.

    Raises:
        UsageError: no such candidate, or it has no such form; the message names those that it has.
    """
    from evolve.export.forms import exported, needs_certificate

    if with_test and target is None:
        raise UsageError("--with-test writes a second file: name the first with -o")
    unsafe = is_unsafe_allowed(unsafe_sandbox)
    with reading(run) as reader:
        number = chosen(reader, identifier).candidate.id
    discovery = _discovery(run, number, verify=verify, unsafe=unsafe)
    if wanted == "json" and needs_certificate(discovery) and discovery.certificate is None and not verify:
        discovery = _discovery(run, number, verify=True, unsafe=unsafe)
    name = None if target is None or target.is_dir() else target.name
    files = exported(discovery, wanted, file_name=name, with_test=with_test, unsafe=unsafe)
    written = _written(files, target, beside=with_test)
    document = {
        "run": str(run),
        "id": number,
        "as": wanted,
        "problem": discovery.problem.name,
        "proved": discovery.certificate is not None and discovery.certificate.is_proof,
        "certificate": None if discovery.certificate is None else discovery.certificate.name,
        "written_to": written,
        "files": dict(files) if target is None else None,
    }

    def lines() -> Iterator[str]:
        if target is None:
            yield from _on_standard_output(files)
        for place, path in enumerate(written):
            what = "its test" if with_test and place else f"candidate {number} as {wanted}"
            yield f"wrote {what} to {path}"

    Output(as_json=as_json).answer("evolve.export/1", document, lines)


def _discovery(run: Path, number: int, *, verify: bool, unsafe: bool) -> "Discovery":
    from evolve.export.discovery import load_discovery

    verdict = ""
    if verify:
        from evolve.loop import verify_candidate

        load_discovery(run, number)  # a failed candidate is told before it costs time
        verification = verify_candidate(run, number, unsafe_sandbox=unsafe)
        verdict = f"{verification.verdict}: {verification.detail}".rstrip(": ")
    return load_discovery(run, number, verdict=verdict)


def _written(files: Mapping[str, str], target: Path | None, *, beside: bool) -> list[Path]:
    """Write the files to the target; several of them `beside` it, or else into a folder of that name."""
    if target is None:
        return []
    names = list(files)
    if beside and not target.is_dir():
        paths = [target, *(target.with_name(name) for name in names[1:])]
        for path, text in zip(paths, files.values(), strict=True):
            write_program({path.name: text}, path)
        return paths
    write_program(files, target)
    return [target / name for name in names] if len(names) > 1 or target.is_dir() else [target]


def _on_standard_output(files: Mapping[str, str]) -> Iterator[str]:
    if any(clean(text) != text for text in files.values()) and not sys.stdout.isatty():
        click.echo(
            "characters that a terminal could obey are written as escapes: -o FILE writes them exactly", err=True
        )
    for name, text in files.items():
        if len(files) > 1:
            yield f"# ---- {name}"
        yield text.removesuffix("\n")
