"""The files of another engine's folder: what is copied into a candidate's process, and what is left out."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 32 << 20
MAX_FILES = 800
SKIPPED_FOLDERS = frozenset({"__pycache__", "runs", "openevolve_output", "results", "outputs", "node_modules", "venv"})
SKIPPED_ENDINGS = (".pyc", ".sqlite", ".db", ".log")
RUN_FILE = "run.db"


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """`paths` maps names to places, in order of name; `left_out` says what is not among them and why."""

    paths: dict[str, Path]
    left_out: tuple[str, ...]
    n_bytes: int


def files_of(folder: Path) -> FolderFiles:
    """Every file that an evaluator of this folder may read.

    Hidden files, folders of results and of runs are no part of the problem. A link counts as what it points at, if
    that lies inside the folder: whoever wrote the folder shall not choose what else of the machine is shown.

    Raises:
        ValueError: there is more than a process is given; the text says how much.
    """
    paths: dict[str, Path] = {}
    left_out: list[str] = []
    n_bytes = 0
    home = folder.resolve()
    for name, path in _walk(folder):
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            left_out.append(f"{name}: a link that leads out of the folder")
        elif not path.is_file():
            left_out.append(f"{name}: neither a file nor a folder")
        else:
            paths[name] = path
            n_bytes += path.stat().st_size
    if n_bytes > MAX_BYTES or len(paths) > MAX_FILES:
        raise ValueError(
            f"its {len(paths)} files have {n_bytes >> 20} MiB; every candidate gets a copy of all, "
            f"so at most {MAX_FILES} files and {MAX_BYTES >> 20} MiB are allowed"
        )
    return FolderFiles(paths, tuple(left_out), n_bytes)


def is_copied(folder: Path, name: str) -> bool:
    """Whether a file of this name is one that `files_of` finds, as far as the name says."""
    *above, own = name.split("/")
    places = [folder.joinpath(*above[: n + 1]) for n in range(len(above))]
    return all(map(_belongs, places)) and not own.startswith(".") and not own.endswith(SKIPPED_ENDINGS)


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _belongs(Path(root, name)))
        linked = [name for name in folders if Path(root, name).is_symlink()]
        for name in sorted([*files, *linked]):
            if not name.startswith(".") and not name.endswith(SKIPPED_ENDINGS):
                path = Path(root, name)
                yield path.relative_to(folder).as_posix(), path


def _belongs(folder: Path) -> bool:
    is_skipped = folder.name in SKIPPED_FOLDERS or folder.name.startswith(".")
    return not is_skipped and not (folder / RUN_FILE).is_file()
