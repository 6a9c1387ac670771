"""Which system calls a candidate may make: everything that is not listed here is refused.

Three answers besides yes: refused (the program sees a `PermissionError`), absent (as on an older kernel: libraries fall
back to an older call) and fatal, for calls that no ordinary library makes, so that an attack is told from a mistake.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

ALLOW = 0x7FFF_0000
REFUSE = 0x0005_0000 | 1  # EPERM
ABSENT = 0x0005_0000 | 38  # ENOSYS
KILL = 0x8000_0000  # the whole process, by SIGSYS

INT = 0xFFFF_FFFF  # the kernel reads half the register
LONG = 0xFFFF_FFFF_FFFF_FFFF
OWN_PID = 0x4F57_4E50  # stands for the process's own id, which is known only after the fork; no process has this one


class Profile(StrEnum):
    """What the filter leaves to a candidate.

    `CPU` is for programs that compute. `NOOPEN` looks at no path at all: for machines where nothing else would keep a
    program from the user's files. `GPU` adds what the drivers of graphics cards need.
    """

    CPU = "cpu"
    NOOPEN = "noopen"
    GPU = "gpu"


@dataclass(frozen=True, slots=True)
class Check:
    """A call passes if this argument, counted from 0 and cut to `mask`, is one of `values`."""

    argument: int
    values: tuple[int, ...]
    mask: int = INT


Verdict = int | tuple[Check, ...]
"""What to answer whatever the arguments are, or the checks that must all pass."""

_COMPUTING = """
read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range dup dup2 dup3 fstat
pipe pipe2 eventfd eventfd2 poll ppoll select pselect6
epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
brk munmap mremap mprotect pkey_alloc pkey_free pkey_mprotect membarrier
futex futex_waitv futex_wait futex_wake futex_requeue set_robust_list rseq set_tid_address restart_syscall
rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigreturn sigaltstack pause
alarm getitimer setitimer timer_settime timer_gettime timer_getoverrun timer_delete
nanosleep gettimeofday time times getrusage
getpid getppid gettid getpgrp getuid geteuid getgid getegid getresuid getresgid getgroups
uname sysinfo getcpu getcwd umask getrandom getrlimit
sched_yield sched_getaffinity sched_get_priority_max sched_get_priority_min wait4 waitid exit exit_group
"""

# Where files may be opened, Landlock or the file tree says which; looking at their names and sizes they leave free.
_PATHS = """
stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents64 chdir fchdir statfs fstatfs
"""

# Not rename with flags (white-outs are device files), not links (they would point out of the folder).
_WRITING = """
mkdir mkdirat rmdir unlink unlinkat rename renameat ftruncate fsync fdatasync msync
"""

_DRIVING = """
ioctl mmap memfd_create ftruncate mlock munlock mbind get_mempolicy set_mempolicy bind listen
"""

_ABSENT = "clone3 openat2"  # their flags lie in memory, where a filter cannot look

_FATAL = """
ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd bpf perf_event_open userfaultfd
io_uring_setup io_uring_enter io_uring_register
mount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick mount_setattr
setns unshare add_key request_key keyctl name_to_handle_at open_by_handle_at fanotify_init lookup_dcookie
kexec_load kexec_file_load create_module init_module finit_module delete_module nfsservctl uselib
reboot swapon swapoff acct quotactl quotactl_fd syslog vhangup sethostname setdomainname
settimeofday clock_settime clock_adjtime adjtimex iopl ioperm modify_ldt move_pages migrate_pages
"""

_ITSELF = (Check(0, (0,)),)  # process 0 is the caller
_THREAD_FLAGS = 0x10F00  # shares memory, folder, open files (they are counted), signal handlers and the process
_MAY_COME_ALONG = 0x7C_0000  # shares semaphores; where the thread's id and storage lie
_PRIVATE, _ANONYMOUS, _DROPPABLE = 0x02, 0x20, 0x08
_LOOSE = 0x4_2100  # huge pages from the machine's reserve, pinned, growing by itself: beyond the memory limits
_READ, _WRITE, _READ_WRITE, _TRUNCATE = 0o0, 0o1, 0o2, 0o1000
_PATH_ONLY, _NAMELESS = 0o1000_0000, 0o2000_0000

# Truncating is writing, but some kernels' Landlock lets it pass where reading is allowed. The access mode 3 reads and
# writes nothing and so passes as well.
_OPENING = (_READ, _WRITE, _READ_WRITE, _WRITE | _TRUNCATE, _READ_WRITE | _TRUNCATE)
_OPEN_MASK = 0o3 | _TRUNCATE | _PATH_ONLY | _NAMELESS

# Read: parent-death signal, dumpable, capabilities, timer slack, vector length of Arm processors. Set: the thread's
# name, no_new_privs (there is no unsetting it), names of mappings.
_PRCTL = (2, 3, 23, 30, 39, 51, 15, 16, 38, 0x5356_4D41)
_FCNTL = (0, 1, 2, 3, 4, 1030)  # copies of descriptors, their flags; no locks, no signals
_IOCTL = (0x5401, 0x802C_542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # is it a terminal, bytes ready, flags
_ARCH_PRCTL = (0x1003, 0x1004, 0x1021, 0x1022, 0x1023)  # segment bases (read), permission for matrix registers

_NO_FOREIGN_CLOCK = (Check(0, (0,), 0x8000_0000),)  # negative numbers are the clocks of other processes
_MADVICE = (0, 1, 2, 3, 4, 8, 14, 15, 16, 17, 22, 23)  # no merging with others' pages, no swapping out, no faults

_CHECKED: Mapping[str, tuple[Check, ...]] = {
    "clone": (Check(0, (_THREAD_FLAGS,), LONG ^ _MAY_COME_ALONG),),
    "mmap": (
        Check(
            3,
            (0x1, _PRIVATE, 0x3, _PRIVATE | _ANONYMOUS, _DROPPABLE | _ANONYMOUS),
            0xF | _ANONYMOUS | _LOOSE,
        ),
    ),
    "prlimit64": (*_ITSELF, Check(2, (0,), LONG)),  # reading only
    "sched_setaffinity": _ITSELF,
    "sched_getparam": _ITSELF,
    "sched_getscheduler": _ITSELF,
    "sched_rr_get_interval": _ITSELF,
    "preadv2": (Check(5, (0,)),),  # one of its flags tells which pages of a file others have read
    "pwritev2": (Check(5, (0,)),),
    "madvise": (Check(2, _MADVICE),),
    "getpgid": _ITSELF,
    "getsid": _ITSELF,
    "tgkill": (Check(0, (OWN_PID,)),),
    **dict.fromkeys(("clock_gettime", "clock_getres", "clock_nanosleep", "timer_create"), _NO_FOREIGN_CLOCK),
    "fcntl": (Check(1, _FCNTL),),
    "ioctl": (Check(1, _IOCTL),),
    "prctl": (Check(0, _PRCTL),),
    "arch_prctl": (Check(0, _ARCH_PRCTL),),
}

_CHECKED_PATHS: Mapping[str, tuple[Check, ...]] = {
    "open": (Check(1, _OPENING, _OPEN_MASK),),
    "openat": (Check(2, _OPENING, _OPEN_MASK),),
}

# CUDA does not start without a socket at which other processes could ask for a share of its memory. Nobody can: to
# connect and to accept stay refused, and this kind of socket is of no use before. Landlock refuses names of files.
_UNIX, _SEQUENCED_PACKETS, _SOCKET_LEVEL, _PASS_CREDENTIALS = 1, 5, 1, 16
_CHECKED_DRIVING: Mapping[str, tuple[Check, ...]] = {
    "socket": (Check(0, (_UNIX,)), Check(1, (_SEQUENCED_PACKETS,), 0xF)),
    "setsockopt": (Check(1, (_SOCKET_LEVEL,)), Check(2, (_PASS_CREDENTIALS,))),
}

# Other modes set blocks aside behind a file's end, where its size does not show them.
_CHECKED_WRITING: Mapping[str, tuple[Check, ...]] = {"fallocate": (Check(1, (0,)),)}


def verdicts(profile: Profile, *, may_write: bool) -> dict[str, Verdict]:
    """What to answer each call by its name; a call that is missing is refused."""
    decided: dict[str, Verdict] = {**_all(_COMPUTING, ALLOW), **_CHECKED}
    if profile is not Profile.NOOPEN:
        decided |= {**_all(_PATHS, ALLOW), **_CHECKED_PATHS}
        if may_write:
            decided |= {**_all(_WRITING, ALLOW), **_CHECKED_WRITING}
    if profile is Profile.GPU:
        decided |= {**_all(_DRIVING, ALLOW), **_CHECKED_DRIVING}
    return decided | _all(_ABSENT, ABSENT) | _all(_FATAL, KILL)


def _all(names: str, verdict: Verdict) -> dict[str, Verdict]:
    return dict.fromkeys(names.split(), verdict)
