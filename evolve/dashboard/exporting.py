"""Writes a candidate to files, as it is or in one of the forms that discoveries are exported in."""

import re
from pathlib import Path

from evolve.errors import EvolveError
from evolve.store import RunReader

AS_IT_IS = "as it is"
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_NAME = 60


def forms_for(run_dir: Path, identifier: int) -> list[str]:
    """The forms that a candidate can be written in; every one can be written as it is."""
    from evolve.export.discovery import load_discovery
    from evolve.export.forms import forms_of

    try:
        return [AS_IT_IS, *forms_of(load_discovery(run_dir, identifier))]
    except EvolveError:  # it failed, or its problem was written by another version
        return [AS_IT_IS]


def export_candidate(run_dir: Path, identifier: int, form: str, folder: Path) -> list[Path]:
    """Write the candidate into a folder and return the files, the main one first. Files of these names are replaced.

    Raises:
        UsageError: the candidate cannot be written in this form.
        EvolveEnvironmentError: a file cannot be written.
    """
    from evolve.export.tables_target import whole_file

    written = []
    for name, text in _files(run_dir, identifier, form).items():
        path = folder / name
        with whole_file(path) as handle:
            handle.write(text.encode("utf-8", "surrogatepass"))
        written.append(path)
    return written


def _files(run_dir: Path, identifier: int, form: str) -> dict[str, str]:
    if form == AS_IT_IS:
        reader = RunReader(run_dir)
        try:
            files = reader.candidate(identifier).candidate.files
        finally:
            reader.close()
        return {f"candidate-{identifier}-{_plain(name)}": text for name, text in files.items()}
    from evolve.export.discovery import load_discovery
    from evolve.export.forms import ENDINGS, exported

    discovery = load_discovery(run_dir, identifier)
    name = f"{_plain(discovery.problem.name)}-{identifier}-{form}.{ENDINGS[form]}"
    return {_plain(file): text for file, text in exported(discovery, form, file_name=name).items()}


def _plain(name: str) -> str:
    """A file's name without folders and without anything that a shell or a terminal could take for something else."""
    return _STRANGE.sub("_", name.replace("\\", "/").rpartition("/")[2]).lstrip(".-")[-_MAX_NAME:] or "program"
