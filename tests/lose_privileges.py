"""Loses privileges, then becomes another program: `python -m tests.lose_privileges JSON`; see `tests.ordinary_user`."""

import ctypes
import json
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.outer_filter import Refused, refuse_from_now_on

_NEW_MOUNTS = 0x0002_0000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x4_0000
_PR_CAPBSET_DROP = 24
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 0x1
_libc = ctypes.CDLL(None, use_errno=True)


def main(text: str) -> None:
    """Do what the JSON asks for, in the only order that works, and execute its command. Never returns."""
    wanted: dict[str, Any] = json.loads(text)
    if wanted["shown"] or wanted["read_only"]:
        _check(_libc.unshare(_NEW_MOUNTS), "unshare")
        _check(_libc.mount(None, b"/", None, _RECURSIVE | _PRIVATE, None), "make mounts private")
    for hidden, folders in wanted["shown"].items():
        _show(Path(hidden), [Path(folder) for folder in folders])
    for folder in wanted["read_only"]:
        attributes = struct.pack("4Q", _READ_ONLY, 0, 0, 0)
        with suppress(OSError):  # kernels before 5.12 cannot; the folder then stays as it is
            numbers = (_MOUNT_SETATTR, _AT_FDCWD, folder.encode(), _AT_RECURSIVE, attributes, len(attributes))
            _check(_libc.syscall(*numbers), "make read-only")
    if wanted["refused"]:
        refuse_from_now_on(Refused(word) for word in wanted["refused"])
    if wanted["capabilities"] is not None:
        _keep_capabilities(set(wanted["capabilities"]))
    if wanted["uid"] is not None:
        os.setgroups([])
        os.setresgid(*[wanted["uid"]] * 3)
        os.setresuid(*[wanted["uid"]] * 3)
    os.execve(wanted["command"][0], wanted["command"], wanted["environment"])


def _show(hidden: Path, folders: list[Path]) -> None:
    """Lay an empty readable folder over a closed one, with only these folders of it inside."""
    handles = [os.open(folder, os.O_PATH | os.O_DIRECTORY) for folder in folders]
    _check(_libc.mount(b"tmpfs", bytes(hidden), b"tmpfs", 0, b"mode=755"), f"tmpfs on {hidden}")
    for folder, handle in zip(folders, handles, strict=True):
        folder.mkdir(parents=True, exist_ok=True)
        source = f"/proc/self/fd/{handle}".encode()
        _check(_libc.mount(source, bytes(folder), None, _BIND | _RECURSIVE, None), f"bind {folder}")
        os.close(handle)


def _keep_capabilities(kept: set[int]) -> None:
    """Give up all others for good: at the next execution also root has no more than these."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for number in set(range(last + 1)) - kept:
        _check(_libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0), f"drop capability {number}")


def _check(outcome: int, what: str) -> None:
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1])
