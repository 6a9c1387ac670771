"""A system-call filter as a container runtime puts around everything it starts: refuses calls, kills nothing.

It is written by hand and apart from `sandbox.seccomp`, which is what it helps to test.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06  # the four instructions of classic BPF used here
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # where they stand in what the kernel shows to a filter
_ALLOW, _REFUSE, _KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
_NEW_NAMESPACE = 0x7E02_0000  # the CLONE_NEW... flags of clone
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38
_FILTER_MODE = 2


class Refused(StrEnum):
    """What a filter takes away."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Refuse one call; with `bits` or `first` only if its first argument has one of the bits or is that number."""

    call: str
    error: int
    bits: int | None = None
    first: int | None = None


_MOUNTING = ("mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick")
_RULES = {
    Refused.NAMESPACES: (
        *(_Rule(call, errno.EPERM) for call in ("unshare", "setns", *_MOUNTING, "mount_setattr")),
        _Rule("clone3", errno.ENOSYS),
        _Rule("clone", errno.EPERM, bits=_NEW_NAMESPACE),
    ),
    Refused.LANDLOCK: tuple(
        _Rule(call, errno.ENOSYS) for call in ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
    ),
    Refused.SECCOMP: (_Rule("seccomp", errno.EPERM), _Rule("prctl", errno.EINVAL, first=_PR_SET_SECCOMP)),
}
_SAME_EVERYWHERE = {
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "clone3": 435,
    "mount_setattr": 442,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}
_MACHINES = {
    "x86_64": (
        0xC000_003E,
        {
            "clone": 56,
            "prctl": 157,
            "mount": 165,
            "umount2": 166,
            "pivot_root": 155,
            "unshare": 272,
            "setns": 308,
            "seccomp": 317,
        },
    ),
    "aarch64": (
        0xC000_00B7,
        {
            "clone": 220,
            "prctl": 167,
            "mount": 40,
            "umount2": 39,
            "pivot_root": 41,
            "unshare": 97,
            "setns": 268,
            "seccomp": 277,
        },
    ),
}


def refuse_from_now_on(refused: Iterable[Refused]) -> None:
    """Put this process and all that it starts under the filter, for good.

    Raises:
        OSError: the kernel takes no filter.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    program = b"".join(_program(rule for each in refused for rule in _RULES[each]))
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    no_more = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) if os.geteuid() != 0 else 0
    if no_more != 0 or libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, header, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot install the outer filter: {os.strerror(number)}")


def _program(rules: Iterable[_Rule]) -> Iterator[bytes]:
    machine, numbers = _MACHINES[platform.machine()]
    yield from (_step(_LOAD, _MACHINE), _step(_IF_EQUAL, machine, 1, 0), _step(_RETURN, _KILL))
    yield _step(_LOAD, _NUMBER)
    for rule in rules:
        number = (numbers | _SAME_EVERYWHERE)[rule.call]
        refuse = _step(_RETURN, _REFUSE | rule.error)
        if rule.bits is None and rule.first is None:
            yield from (_step(_IF_EQUAL, number, 0, 1), refuse)
            continue
        wanted = (_IF_EQUAL, rule.first) if rule.first is not None else (_IF_ANY_BIT, rule.bits or 0)
        yield from (_step(_IF_EQUAL, number, 0, 4), _step(_LOAD, _FIRST_ARGUMENT), _step(*wanted, 0, 1), refuse)
        yield _step(_RETURN, _ALLOW)  # what was loaded is no longer the call's number
    yield _step(_RETURN, _ALLOW)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
