"""Reading a problem's folder: the seed program's files, and the hashes of what judging may read."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from evolve.config.mistakes import Mistake, did_you_mean, shown

MAX_SEED_BYTES = 1 << 20
MAX_HASHED_BYTES = 64 << 20
IGNORED_FOLDERS = frozenset({"__pycache__", "runs"})
RUN_FILE = "run.db"


def read_seed(folder: Path, names: Sequence[str]) -> tuple[dict[str, str], list[Mistake]]:
    """The text of every seed file that can be read, byte for byte, and a mistake for every one that cannot."""
    texts: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for index, name in enumerate(names):
        text = _text_of(folder / name)
        if isinstance(text, str):
            texts[name] = text
        else:
            mistakes.append(missing_file(folder, f"seed.files[{index}]", name, reason=text))
    return texts, mistakes


def missing_file(folder: Path, key: str, name: str, *, reason: OSError | ValueError | None = None) -> Mistake:
    """The mistake of naming a file that is not there or cannot be read."""
    if isinstance(reason, ValueError):
        return Mistake(
            key=key, got=shown(name), expected=f"UTF-8 text of at most {MAX_SEED_BYTES} bytes", hint=str(reason)
        )
    present = sorted(path.name for path in folder.iterdir() if path.is_file())
    return Mistake(key=key, got=shown(name), expected=f"a file in {folder}", hint=did_you_mean(name, present))


def _text_of(path: Path) -> str | OSError | ValueError:
    try:
        data = path.read_bytes()
        if len(data) > MAX_SEED_BYTES:
            return ValueError(f"it has {len(data)} bytes")
        return data.decode("utf-8")
    except (OSError, ValueError) as error:
        return error


def file_hashes(folder: Path, *, except_for: frozenset[str]) -> dict[str, str]:
    """SHA-256 of every file below the folder, by relative name, in order.

    Hidden files, `__pycache__`, `runs` and every folder that holds a run are left out. A file over 64 MiB stands with
    its size instead of its hash.
    """
    hashes: dict[str, str] = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if _may_be_judging(Path(root, name))]
        for file in files:
            path = Path(root, file)
            name = path.relative_to(folder).as_posix()
            if name not in except_for and not file.startswith(".") and path.is_file():
                hashes[name] = _hash_of(path)
    return dict(sorted(hashes.items()))


def _may_be_judging(folder: Path) -> bool:
    is_hidden = folder.name in IGNORED_FOLDERS or folder.name.startswith(".")
    return not is_hidden and not (folder / RUN_FILE).is_file()


def _hash_of(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_HASHED_BYTES:
        return f"{size} bytes"
    return hashlib.sha256(path.read_bytes()).hexdigest()
