"""An allow list of files that a process can never widen again: the kernel's Landlock.

A ruleset handles every right that the kernel knows: what no rule grants is refused. Nothing here grants the network,
signals or abstract sockets outside, execution, links, or nodes other than plain files and folders.

What Landlock leaves to the other layers, whatever its version: the attributes of a file (stat, chmod, utime, xattr,
flock), descriptors that are open already, and all sockets but the kinds below. See landlock(7).
"""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# System calls, with one number on all architectures that have a seccomp table here.
_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446

_ASK_VERSION = 1
_BENEATH_PATH = 1
_NO_AUDIT_LOG = 1  # since version 7, meant for programs that run unknown code without execve

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_FOLDER = 1 << 3
_REMOVE_FOLDER = 1 << 4
_REMOVE_FILE = 1 << 5
_MAKE_FOLDER = 1 << 7
_MAKE_FILE = 1 << 8
_ALL_OF_VERSION_1 = (1 << 13) - 1  # also: make devices, sockets, pipes, symbolic links
_LINK_ELSEWHERE = 1 << 13
_TRUNCATE = 1 << 14
_DEVICE_IOCTL = 1 << 15
_RESOLVE_UNIX = 1 << 16

_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_IOCTL
_READ = _READ_FILE | _READ_FOLDER
_WRITE = _READ | _WRITE_FILE | _TRUNCATE | _MAKE_FILE | _MAKE_FOLDER | _REMOVE_FILE | _REMOVE_FOLDER
_USE_DEVICE = _READ_FILE | _WRITE_FILE | _DEVICE_IOCTL

_ADDED = (  # version, rights on files, on the network, scopes
    (1, _ALL_OF_VERSION_1, 0, 0),
    (2, _LINK_ELSEWHERE, 0, 0),
    (3, _TRUNCATE, 0, 0),
    (4, 0, 0b0011, 0),  # bind and connect TCP
    (5, _DEVICE_IOCTL, 0, 0),
    (6, 0, 0, 0b11),  # abstract Unix sockets and signals that leave the sandbox
    (9, _RESOLVE_UNIX, 0, 0),
    (10, 0, 0b1100, 0),  # bind UDP, connect and send
)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


@cache
def abi() -> int:
    """The version of the kernel's Landlock; 0 when there is none or it is switched off."""
    try:
        return _syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:
        return 0


def make_ruleset(
    *,
    read: Iterable[str | Path],
    write: Iterable[str | Path] = (),
    devices: Iterable[str | Path] = (),
    missing_ok: bool = False,
    cap_abi: int | None = None,
) -> int:
    """Open a ruleset; any number of processes that inherit it can be restricted by it.

    A rule holds for the file or folder that the path means now (a symbolic link is followed) and for all beneath it,
    under whatever name it is reached later. A folder that something is mounted on does not count for what is mounted,
    but the folder above it does.

    Args:
        read: files and folders to read and list; nothing may be executed.
        write: folders in which plain files and folders may also be written, made and removed.
        devices: device nodes to read, write and control.
        missing_ok: skip paths that do not exist.
        cap_abi: behave as on an older kernel. Below version 3 a file that can be read can also be truncated by a
            process whose uid may write it: the system-call filter has to refuse that.

    Returns:
        A descriptor, closed on exec; the caller owns it.

    Raises:
        OSError: the kernel has no Landlock, or a path cannot be opened.
    """
    version = abi() if cap_abi is None else min(abi(), cap_abi)
    if version < 1:
        raise OSError(errno.EOPNOTSUPP, "the kernel has no Landlock, or it is switched off")
    added = [row for row in _ADDED if row[0] <= version]
    files, network, scopes = (sum(row[column] for row in added) for column in (1, 2, 3))
    ruleset = _syscall(_CREATE_RULESET, struct.pack("=QQQ", files, network, scopes), 24, 0)
    try:
        for paths, rights in ((read, _READ), (write, _WRITE), (devices, _USE_DEVICE)):
            for path in paths:
                _allow(ruleset, path, rights & files, missing_ok=missing_ok)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def restrict(ruleset: int) -> None:
    """Confine the calling thread and all that it starts, for good. The process must have set no_new_privs.

    Raises:
        OSError: the kernel refused; nothing has changed.
    """
    _syscall(_RESTRICT_SELF, ruleset, _NO_AUDIT_LOG if abi() >= 7 else 0)


def _allow(ruleset: int, path: str | Path, rights: int, *, missing_ok: bool) -> None:
    try:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        if missing_ok:
            return
        raise
    try:
        if not stat.S_ISDIR(os.fstat(target).st_mode):
            rights &= _OF_FILES  # the kernel refuses a rule that gives a file the rights of a folder
        _syscall(_ADD_RULE, ruleset, _BENEATH_PATH, struct.pack("=Qi", rights, target), 0)
    except OSError as error:
        raise OSError(error.errno, f"Landlock rule: {os.strerror(error.errno or 0)}", str(path)) from None
    finally:
        os.close(target)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    plain = (ctypes.c_long(value) if isinstance(value, int) else value for value in arguments)
    result: int = _libc.syscall(ctypes.c_long(number), *plain)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result
