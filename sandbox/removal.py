"""Removes folders that a hostile program filled: deeper than any path or stack can reach, or closed to their owner."""

import os
import secrets
import stat
from contextlib import suppress
from itertools import count
from pathlib import Path

MAX_DEPTH = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(folder: str | Path) -> None:
    """Remove a folder and what is in it, as far as this process may; links are removed and not followed.

    Folders in folders are moved up until they lie on top, where they can be emptied: `shutil.rmtree` goes down instead
    and breaks where that is too far.
    """
    with suppress(OSError):
        if not _is_folder(str(folder)):
            return
        top = _open_folder(str(folder))
        try:
            _empty(top)
        finally:
            os.close(top)
        os.rmdir(folder)


def _empty(top: int) -> None:
    prefix, numbers = secrets.token_hex(8), count()
    for _ in range(MAX_DEPTH):
        names = os.listdir(top)
        n_removed = 0
        for name in names:
            with suppress(OSError):
                if _is_folder(name, top):
                    _lift(name, top, prefix, numbers)
                    os.rmdir(name, dir_fd=top)
                else:
                    os.unlink(name, dir_fd=top)
                n_removed += 1
        if not n_removed:
            return


def _lift(name: str, top: int, prefix: str, numbers: "count[int]") -> None:
    """Move the folders of a folder to the top and remove all else that is in it."""
    folder = _open_folder(name, top)
    try:
        for each in os.listdir(folder):
            if _is_folder(each, folder):
                os.close(_open_folder(each, folder))  # else its owner may not move it
                os.rename(each, f"{prefix}{next(numbers)}", src_dir_fd=folder, dst_dir_fd=top)
            else:
                os.unlink(each, dir_fd=folder)
    finally:
        os.close(folder)


def _open_folder(name: str, folder: int | None = None) -> int:
    """Open a folder and let its owner do everything in it; never what a link means.

    Raises:
        OSError: it is no folder, or not ours.
    """
    try:
        opened = os.open(name, _FOLDER, dir_fd=folder)
    except PermissionError:  # closed to its owner, who has no privilege that a link could abuse
        os.chmod(name, 0o700, dir_fd=folder)
        opened = os.open(name, _FOLDER, dir_fd=folder)
    try:
        os.fchmod(opened, 0o700)
    except OSError:
        os.close(opened)
        raise
    return opened


def _is_folder(name: str, folder: int | None = None) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
