"""The system calls that Python 3.11 has no function for: namespaces, mounts, capabilities, process switches."""

import ctypes
import os
import platform
import struct

PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2

CAP_DAC_READ_SEARCH = 2

_CAPABILITY_VERSION = 0x20080522
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442  # the same on every architecture
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)
_libc.syscall.restype = ctypes.c_long
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


class KernelError(OSError):
    """The kernel refused a call; the text names it."""


def prctl(option: int, value: int) -> int:
    """Set or read one of the process's own switches.

    Raises:
        KernelError: the kernel refused.
    """
    return _checked(_libc.prctl(option, value, 0, 0, 0), f"prctl({option}, {value})")


def parent_death_signal() -> int:
    """The signal that this process gets when its parent dies; 0 for none."""
    number = ctypes.c_int()
    _checked(_libc.prctl(PR_GET_PDEATHSIG, ctypes.addressof(number), 0, 0, 0), "prctl(PR_GET_PDEATHSIG)")
    return number.value


def unshare(flags: int) -> None:
    """Put this process (its next child, for `CLONE_NEWPID`) into new namespaces.

    Raises:
        KernelError: the kernel refused.
    """
    _checked(_libc.unshare(flags), f"unshare({flags:#x})")


def setns(descriptor: int, kind: int) -> None:
    """Join the namespace behind a descriptor.

    Raises:
        KernelError: the kernel refused.
    """
    _checked(_libc.setns(descriptor, kind), f"setns({kind:#x})")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system, or change the flags of a mount.

    Raises:
        KernelError: the kernel refused.
    """
    type_name = None if kind is None else kind.encode()
    status = _libc.mount(source.encode(), os.fsencode(target), type_name, flags, options.encode())
    _checked(status, f"mount({source!r}, {target!r}, {kind})")


def copy_mount(path: str, *, flags: int) -> int:
    """A detached copy of the tree of mounts at a path, with more restrictive flags; returns its descriptor.

    Raises:
        KernelError: the kernel refused, or is older than Linux 5.12.
    """
    clone = _OPEN_TREE_CLONE | _AT_RECURSIVE | os.O_CLOEXEC
    tree = _checked(_libc.syscall(_OPEN_TREE, _AT_FDCWD, os.fsencode(path), clone), f"open_tree({path!r})")
    attributes = struct.pack("<QQQQ", flags, 0, 0, 0)
    how = _AT_EMPTY_PATH | _AT_RECURSIVE
    status = _libc.syscall(_MOUNT_SETATTR, tree, b"", how, attributes, len(attributes))
    try:
        _checked(status, f"mount_setattr({path!r})")
    except KernelError:
        os.close(tree)
        raise
    return tree


def place_mount(tree: int, target: str) -> None:
    """Put a detached tree of mounts at a path and close its descriptor.

    Raises:
        KernelError: the kernel refused.
    """
    try:
        status = _libc.syscall(
            _MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(target), ctypes.c_ulong(_MOVE_MOUNT_F_EMPTY_PATH)
        )
        _checked(status, f"move_mount({target!r})")
    finally:
        os.close(tree)


def make_root(folder: str) -> None:
    """Make a folder, which must be a mount, the root of everything; what was the root is gone from here.

    Raises:
        KernelError: the kernel refused.
    """
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise KernelError(0, f"pivot_root is not known on {platform.machine()}")
    os.chdir(folder)
    _checked(_libc.syscall(number, b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", MNT_DETACH), "umount2")
    os.chdir("/")


def keep_capabilities(mask: int) -> None:
    """Give up all capabilities but those of a bit mask, for good.

    Raises:
        KernelError: the kernel refused.
    """
    header = struct.pack("<Ii", _CAPABILITY_VERSION, 0)
    data = struct.pack("<IIIIII", mask, mask, 0, 0, 0, 0)
    _checked(_libc.capset(header, data), "capset")


def effective_capabilities() -> int:
    """The capabilities this process has, as a bit mask."""
    header = struct.pack("<Ii", _CAPABILITY_VERSION, 0)
    data = ctypes.create_string_buffer(24)
    _checked(_libc.capget(header, data), "capget")
    words = struct.unpack("<IIIIII", data.raw)
    return int(words[0]) | int(words[3]) << 32


def _checked(status: int, what: str) -> int:
    if status < 0:
        number = ctypes.get_errno()
        raise KernelError(number, f"{what}: {os.strerror(number)}")
    return status
