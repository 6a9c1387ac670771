"""Hand a program to the kernel. From then on it decides about every call of this process, and cannot be taken back."""

import ctypes
import errno
import os
import sys

from sandbox.seccomp.policy import OWN_PID
from sandbox.seccomp.syscalls import NUMBERS

_SET_FILTER = 1
_ALL_THREADS = 1  # a driver may have started some
_INSTRUCTION_BYTES = 8
_MARK = OWN_PID.to_bytes(4, "little")

# Everything that can be is made here: memory first touched after a fork costs a page fault.
_SECCOMP = NUMBERS[os.uname().machine]["seccomp"] if os.uname().machine in NUMBERS else None
_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.argtypes = (ctypes.c_long, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_void_p)
_syscall.restype = ctypes.c_long


class _Program(ctypes.Structure):
    _fields_ = (("n_instructions", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def is_supported() -> bool:
    """Whether filters can be installed here: offers the kernel a program at no address, which changes nothing."""
    if sys.platform != "linux" or _SECCOMP is None:
        return False
    if sys.byteorder != "little" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    return _syscall(_SECCOMP, _SET_FILTER, _ALL_THREADS, None) == -1 and ctypes.get_errno() == errno.EFAULT


def install(program: bytes) -> None:
    """Confine all threads of this process, and all it will ever start, with a program of `build_filter`.

    The process must have given up new privileges (no_new_privs), and must be the one to be confined, not its parent:
    the process's own number goes into the program, because it may signal only itself.

    Raises:
        OSError: the kernel refused; nothing is confined.
    """
    own = program.replace(_MARK, os.getpid().to_bytes(4, "little"))
    header = _Program(len(own) // _INSTRUCTION_BYTES, own)
    result = _syscall(_SECCOMP, _SET_FILTER, _ALL_THREADS, ctypes.addressof(header))
    if result != 0:  # above 0 it is a thread that has other filters and cannot get this one
        number = ctypes.get_errno() if result < 0 else errno.ESRCH
        raise OSError(number, f"the system-call filter was not installed: {os.strerror(number)}")
