"""Removes what hostile programs left: folders of any depth, closed ones, links that lead elsewhere."""

import contextlib
import os
from pathlib import Path


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all in it; what cannot be removed stays.

    No recursion, and no path that grows: the folders inside a folder are moved up one level until none is left.
    """
    with contextlib.suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return
        path.chmod(0o700)
        n_moved = 0
        while inner := [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]:
            for folder in inner:
                n_moved = _empty(folder, path, n_moved)
        for entry in os.scandir(path):
            os.unlink(entry.path)
        path.rmdir()


def _empty(folder: str, top: Path, n_moved: int) -> int:
    """Delete the files of a folder, move its folders to the top, remove it; returns how many were moved in all."""
    os.chmod(folder, 0o700)
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            os.chmod(entry.path, 0o700)
            n_moved += 1
            os.rename(entry.path, top / f"moved-{n_moved}-{os.urandom(4).hex()}")
        else:
            os.unlink(entry.path)
    os.rmdir(folder)
    return n_moved
