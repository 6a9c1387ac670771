"""What this machine offers to attackers; an attack that needs what is not there cannot be shown to succeed."""

import functools
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from evolve.testing.hostile import prelude
from evolve.testing.hostile.attack import Need

SECONDS = 20.0
_PROBES = {
    Need.IO_URING: "syscall('io_uring_setup', 1, ctypes.create_string_buffer(120))",
    Need.VSOCK: "socket.socket(40, socket.SOCK_STREAM)",
    Need.KEYRING: "syscall('keyctl', 0, -3, 1)",
    Need.KERNEL_LOG: "assert syscall('syslog', 3, ctypes.create_string_buffer(4096), 4096) > 0",
    Need.USER_NAMESPACES: "syscall('unshare', 0x10000000)",
    Need.SYSV: "syscall('shmctl', syscall('shmget', 0, 4096, 0o600), 0, 0)",
    Need.MESSAGE_QUEUES: """
name = b'hostile%d' % os.getpid()
syscall('mq_open', name, 0o102, 0o600, 0)
syscall('mq_unlink', name)
""",
    Need.ATTRIBUTES: """
import tempfile
with tempfile.TemporaryFile() as file:
    os.setxattr(file.fileno(), 'user.hostile', b'1')
""",
    Need.FILE_FLAGS: """
import tempfile
with tempfile.TemporaryFile() as file:
    fcntl.ioctl(file.fileno(), 0x40086602, struct.pack('l', 0x40))
""",
    Need.RAW_DISKS: """
major, minor, _, name = read('/proc/partitions').split()[4:8]
os.close(os.open('/dev/' + name, os.O_RDONLY))
""",
    Need.KERNEL_MEMORY: """
assert tries(lambda: os.open('/proc/kcore', os.O_RDONLY), lambda: os.open('/dev/mem', os.O_RDONLY))['got']
""",
    Need.KERNEL_SETTINGS: "os.close(os.open('/proc/sys/vm/overcommit_memory', os.O_WRONLY))",
    Need.CGROUPS: """
places = [place for place, _, names in os.walk('/sys/fs/cgroup') if 'cgroup.procs' in names]
os.close(os.open(places[0] + '/cgroup.procs', os.O_WRONLY))
""",
    Need.MPTCP: "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
    Need.KERNEL_CRYPTO: "socket.socket(38, socket.SOCK_SEQPACKET)",
    Need.SYSRQ: "os.close(os.open('/proc/sysrq-trigger', os.O_WRONLY))",
    Need.BPF: "syscall('bpf', 0, struct.pack('16I', 2, 4, 8, 1, *[0] * 12), 64)",
    Need.PERF: "syscall('perf_event_open', struct.pack('IIQ', 1, 64, 0) + bytes(48), 0, -1, -1, 0)",
    Need.PAGE_FAULTS: "syscall('userfaultfd', 1)",
    Need.SECRET_MEMORY: "syscall('memfd_secret', 0)",
    Need.LANDLOCK: "syscall('landlock_create_ruleset', 0, 0, 1)",
    Need.INT80: """
code = mmap.mmap(-1, 4096, prot=7)
code.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
assert IS_X86 and call() == os.getpid()
""",
    Need.FILE_HANDLES: """
import tempfile
folder = tempfile.gettempdir().encode()
handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128), 136)
syscall('name_to_handle_at', AT_FDCWD, folder, handle, ctypes.byref(ctypes.c_int()), 0)
""",
}
_IS_MISSING: dict[Need, Callable[[], bool]] = {
    Need.ROOT: lambda: os.geteuid() != 0,
    Need.X86_64: lambda: platform.machine() != "x86_64",
    Need.TWO_CPUS: lambda: len(os.sched_getaffinity(0)) < 2,
    Need.TRACING: lambda: os.geteuid() != 0 and _setting("kernel/yama/ptrace_scope") not in ("", "0"),
    Need.HARD_LINKS: lambda: os.geteuid() != 0 and _setting("fs/protected_hardlinks") != "0",
}


@functools.cache
def missing(need: Need) -> str:
    """Why a need is not met here; empty when it is."""
    if need in _IS_MISSING:
        return f"this machine has not: {need}" if _IS_MISSING[need]() else ""
    return _probe(_PROBES[need])


def _setting(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


def _probe(text: str) -> str:
    command = [sys.executable, "-c", prelude.TEXT + text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return (done.stderr.strip().splitlines() or ["ended by a signal"])[-1] if done.returncode else ""
