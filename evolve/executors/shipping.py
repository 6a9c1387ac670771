"""Problem folders for workers on other machines: packed once, named by the hash of what they hold."""

import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evolve.errors import EvolveEnvironmentError

MARK = "evolve-bundle:"
"""What stands in a payload instead of a folder: this, the bundle's hash, and the rest of the path."""
NAMES_FOLDERS = ("judge", "vocabulary")
"""The keys of a payload where folders are named; programs are left alone, whatever their text is."""
MAX_BUNDLE_BYTES = 64 << 20
PASSED_OVER = ("__pycache__", "runs")
FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # equal contents give equal bytes, whenever they were written


def packed(folder: Path) -> bytes:
    """The folder's files as one archive; equal files give equal bytes. Runs, caches and hidden files stay behind.

    Raises:
        EvolveEnvironmentError: they are too large to be sent around.
    """
    buffer, total = io.BytesIO(), 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(_files(folder)):
            total += path.stat().st_size
            if total > MAX_BUNDLE_BYTES:
                raise EvolveEnvironmentError(
                    f"{folder} holds more than {MAX_BUNDLE_BYTES >> 20} MiB, which is too much to send to every node",
                    hint="keep large data out of the problem's folder: at the same path on every node",
                )
            name = zipfile.ZipInfo(path.relative_to(folder).as_posix(), FIRST_DATE)
            name.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(name, path.read_bytes())
    return buffer.getvalue()


def hash_of(bundle: bytes) -> str:
    """The name of a bundle."""
    return hashlib.sha256(bundle).hexdigest()


def departed(payload: Mapping[str, Any], hashes: Mapping[str, str]) -> dict[str, Any]:
    """The payload with bundles' names in place of folders; `hashes` maps each folder's path to its bundle's hash."""

    def named(text: str) -> str:
        for folder, name in hashes.items():
            if text == folder or text.startswith(folder + os.sep):
                return MARK + name + text[len(folder) :]
        return text

    return _changed(payload, named)


def arrived(payload: Mapping[str, Any], folders: Mapping[str, str]) -> dict[str, Any]:
    """Undo `departed` on another machine: `folders` maps each bundle's hash to where it was unpacked there."""

    def found(text: str) -> str:
        name = text[len(MARK) : len(MARK) + 64]
        return folders[name] + text[len(MARK) + 64 :] if text.startswith(MARK) and name in folders else text

    return _changed(payload, found)


def unpacked(bundle: bytes) -> Path:
    """The folder with the bundle's files, in a private place for temporary files."""
    folder = place_of(hash_of(bundle))
    if not folder.exists():
        fresh = Path(tempfile.mkdtemp(dir=folder.parent))
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            archive.extractall(fresh)
        try:
            fresh.rename(folder)
        except OSError:  # another worker was faster
            shutil.rmtree(fresh)
    return folder


def place_of(name: str) -> Path:
    """Where the bundle of this hash belongs on this machine, whether it is there or not.

    Raises:
        EvolveEnvironmentError: somebody else may write there.
    """
    root = Path(tempfile.gettempdir()) / f"evolve-problems-{os.geteuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    held = root.stat()
    if root.is_symlink() or held.st_uid != os.geteuid() or held.st_mode & 0o077:
        raise EvolveEnvironmentError(f"{root} is open to others", hint="remove it, or make it yours alone (mode 0700)")
    return root / name


def _files(folder: Path) -> Iterable[Path]:
    for parent, folders, names in os.walk(folder):
        is_run = "run.db" in names
        folders[:] = [] if is_run else [each for each in folders if each not in PASSED_OVER and each[0] != "."]
        if not is_run:
            yield from (Path(parent, name) for name in names if name[0] != "." and Path(parent, name).is_file())


def _changed(payload: Mapping[str, Any], change: Any) -> dict[str, Any]:
    return {key: _walked(value, change) if key in NAMES_FOLDERS else value for key, value in payload.items()}


def _walked(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _walked(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(each, change) for each in value]
    return value
