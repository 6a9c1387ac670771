"""`evolve new`: a complete, working problem folder from a template."""

import os
import re
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from evolve.config.locate import shipped_problems
from evolve.errors import EvolveEnvironmentError, UsageError

TEMPLATES = {
    "python": "a heuristic in Python: a rule that puts jobs in order",
    "symbolic": "a function of x, approximated by short programs with proven error bounds",
    "optimizer": "an update rule for training, against tuned Adam",
    "kernel": "a fast numpy kernel: correct on hidden inputs, then timed",
}
_HOME = Path(__file__).resolve().parent / "templates"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_MAX_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A new problem: its name in problem.toml, where it lies, its files, and what to type next."""

    name: str
    template: str
    folder: Path
    files: tuple[str, ...]
    next_commands: tuple[str, ...]


def create_problem(name: str, *, template: str, parent: Path) -> Created:
    """Write the folder `parent`/`name`, whole or not at all; nothing that exists is touched.

    Raises:
        UsageError: the name is not a name, means a shipped problem, or is taken; or there is no such template.
        EvolveEnvironmentError: the folder cannot be written.
    """
    if template not in TEMPLATES:
        raise UsageError(f"there is no template {template!r}", hint=f"choose among {', '.join(TEMPLATES)}")
    _require_name(name)
    folder = parent / name
    if os.path.lexists(folder):
        raise UsageError(f"{folder} exists already", hint="choose another name or another --dir: nothing was written")
    words = {"@name@": name.replace("-", "_"), "@folder@": name}
    try:
        files = _written(_HOME / template, folder, words)
    except OSError as failure:
        raise EvolveEnvironmentError(f"cannot write {folder}: {failure.strerror or failure}") from failure
    typed = shlex.quote(str(folder))
    return Created(
        name=words["@name@"],
        template=template,
        folder=folder,
        files=files,
        next_commands=(f"evolve check {typed}", f"evolve run {typed}", "evolve best last"),
    )


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        near = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:_MAX_NAME]
        hint = f'how about "{near}"?' if near else 'such as "my-problem"'
        raise UsageError(
            f"{name!r} is not a problem's name: expected up to {_MAX_NAME} lower-case letters, digits, - and _",
            hint=hint,
        )
    if name.replace("-", "_") in shipped_problems():
        raise UsageError(
            f"{name} is a shipped problem: `evolve run {name}` would mean now one, now the other",
            hint=f'choose another name, such as "my-{name}"',
        )


def _written(source: Path, folder: Path, words: dict[str, str]) -> tuple[str, ...]:
    """Fill a folder beside the new one and rename it, so that no half of a problem is ever seen."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        names = sorted(path.name for path in source.iterdir() if path.is_file())
        for name in names:
            text = (source / name).read_text(encoding="utf-8")
            for word, value in words.items():
                text = text.replace(word, value)
            (unfinished / name).write_text(text, encoding="utf-8")
        unfinished.chmod(0o777 & ~_umask())
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return tuple(names)


def _umask() -> int:
    """The umask: temporary folders are made for their owner alone, problems are ordinary folders."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
