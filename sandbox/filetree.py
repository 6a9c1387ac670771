"""The files a candidate can see: the interpreter and its libraries, read-only, and nothing else of the machine."""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sandbox.kernel import (
    CLONE_NEWNS,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    copy_mount,
    make_root,
    mount,
    place_mount,
    unshare,
)

SCRATCH = "/scratch"
CANARY = "canary"
OUR_PACKAGES = ("archive", "evaluators", "evolve", "sandbox")
OURS = Path(__file__).parents[1]
DEVICES = ("/dev/null", "/dev/urandom")
N_SCRATCH_FILES = 1024
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV, _ATTR_NOEXEC = 1, 2, 4, 8  # of mount_setattr
_COVERED = ("/tmp", "/usr")  # noqa: S108 any folder will do to build on: it is covered for this process only
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo")


def library_paths() -> tuple[str, ...]:
    """The files and folders that imports and the dynamic linker read, without those inside another of them."""
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += [os.path.join(prefix, "lib") for prefix in {sys.prefix, sys.base_prefix}]
    paths += site.getsitepackages()
    paths += [folder for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder]
    found: list[str] = []
    for path in sorted({os.path.realpath(path) for path in (*paths, *_LIBRARIES) if os.path.exists(path)}):
        if path != "/" and not any(path.startswith(f"{outer}/") for outer in found):
            found.append(path)
    return tuple(found)


def stand_in_private_tree(
    paths: Iterable[str], devices: Iterable[str] = DEVICES, *, shows_processes: bool = False, ours: Path = OURS
) -> None:
    """Give this process, which has its own mount namespace, a file tree of these paths only; for good.

    `shows_processes` adds the machine's /proc: another layer has to hide what is nobody's business. Our own packages in
    the folder `ours` are covered where it belongs to the paths: shipped problems lie there with their evaluators.

    Raises:
        OSError: the kernel refused; the process must end, as its files may be gone.
    """
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    library = _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV
    copies = [(path, os.path.isdir(path), copy_mount(path, flags=library)) for path in paths]
    device = _ATTR_NOSUID | _ATTR_NOEXEC
    copies += [(path, False, copy_mount(path, flags=device)) for path in devices if os.path.exists(path)]
    if shows_processes:
        copies.append(("/proc", True, copy_mount("/proc", flags=device | _ATTR_NODEV)))
    links = _symlinks((*_LIBRARIES, sys.prefix, sys.base_prefix))
    os.umask(0o022)
    root = next(folder for folder in _COVERED if os.path.isdir(folder))
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=1m,mode=0755")
    for path, is_folder, tree in copies:
        place_mount(tree, _make_place(root + path, is_folder=is_folder))
    for path in (f"{root}{ours / name}" for name in OUR_PACKAGES):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0555")
    os.mkdir(root + SCRATCH)
    Path(root, CANARY).write_text("the file tree does not hide this file; another layer has to")
    for path, target in links:
        with suppress(FileExistsError):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            os.symlink(target, root + path)
    make_root(root)
    mount("none", "/", None, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=1m,mode=0755")


def mount_scratch(n_bytes: int, uid: int) -> None:
    """Cover the scratch folder with an empty file system of this process's own and go there.

    Raises:
        OSError: the kernel refused.
    """
    unshare(CLONE_NEWNS)
    options = f"size={n_bytes},nr_inodes={N_SCRATCH_FILES},mode=0700,uid={uid},gid={uid}"
    mount("tmpfs", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
    os.chdir(SCRATCH)


def _make_place(path: str, *, is_folder: bool) -> str:
    """Make something to mount on."""
    os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)
    if not is_folder:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    return path


def _symlinks(paths: Iterable[str]) -> list[tuple[str, str]]:
    """The symbolic links on the way to these paths, with their targets: `/lib` is one on most machines."""
    links = []
    for path in paths:
        steps = Path(path)
        links += [(str(each), os.readlink(each)) for each in (steps, *steps.parents) if each.is_symlink()]
    return links
