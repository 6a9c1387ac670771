"""The filter's program, run by a small machine of our own over calls that never happen."""

import struct
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.seccomp import Profile, build_filter
from sandbox.seccomp.policy import ABSENT, ALLOW, KILL, OWN_PID, REFUSE, verdicts
from sandbox.seccomp.syscalls import AUDIT_ARCHITECTURES, NUMBERS
from tests.extent import examples

VARIANTS = tuple(product(Profile, (False, True), NUMBERS))
HIGH = 1 << 32
INTEL_32, ARM_32 = 0x4000_0003, 0x4000_0028
N_NUMBERS = 1024
KERNEL_LIMIT = 4096

NEVER = """
socket socketpair connect accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg
fork vfork execve execveat kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal pidfd_getfd
ptrace process_vm_readv process_vm_writev process_madvise bpf perf_event_open userfaultfd io_uring_setup io_setup
mount umount2 pivot_root chroot setns unshare move_mount open_tree fsopen open_by_handle_at name_to_handle_at
add_key request_key keyctl kexec_load init_module finit_module reboot swapon settimeofday clock_settime acct syslog
chmod fchmod fchmodat fchmodat2 chown fchown fchownat utimensat setxattr fsetxattr removexattr truncate creat
mknod mknodat link linkat symlink symlinkat renameat2 flock sync syncfs splice tee vmsplice sendfile copy_file_range
setrlimit setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr personality mincore mlockall
setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid setsid setpgid capset
shmget shmat msgget msgsnd semget semop mq_open mq_timedsend inotify_init1 fanotify_init memfd_secret
seccomp landlock_create_ruleset landlock_restrict_self iopl ioperm modify_ldt move_pages migrate_pages kcmp
clone3 openat2 cachestat get_robust_list remap_file_pages process_mrelease readahead
"""

ORDINARY = """
read write close fstat lseek pipe2 dup brk munmap mprotect madvise futex rt_sigaction rt_sigreturn getpid gettid
nanosleep getrandom exit exit_group sched_yield sched_getaffinity set_robust_list rseq epoll_create1
"""

PATHS = """
open openat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents64 chdir fchdir statfs
mkdir mkdirat unlink unlinkat rename renameat rmdir ftruncate fallocate
"""

WRITING = "mkdir mkdirat unlink unlinkat rename renameat rmdir ftruncate fallocate"


@cache
def read_program(program: bytes) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("<HBBI", program))


def decide(program: bytes, architecture: int, number: int, arguments: Sequence[int] = ()) -> int:
    """What the kernel would answer: the classic packet filter, the few instructions that ours may use."""
    seen = struct.pack("<IIQ6Q", number, architecture, 0, *(*arguments, *[0] * 6)[:6])
    instructions = read_program(program)
    at, register = 0, 0
    while True:
        code, if_true, if_false, constant = instructions[at]
        at += 1
        match code:
            case 0x20:
                assert constant % 4 == 0
                (register,) = struct.unpack_from("<I", seen, constant)
            case 0x54:
                register &= constant
            case 0x05:
                at += constant
            case 0x15:
                at += if_true if register == constant else if_false
            case 0x35:
                at += if_true if register >= constant else if_false
            case 0x06:
                return int(constant)
            case _:
                raise AssertionError(f"an instruction that the kernel may not know: {code:#x}")


def answers_to(name: str, *arguments: int, profile: Profile = Profile.CPU, may_write: bool = False) -> tuple[int, ...]:
    """The answer to a call on each machine that has it."""
    return tuple(
        decide(
            build_filter(profile, machine=machine, may_write=may_write),
            AUDIT_ARCHITECTURES[machine],
            numbers[name],
            arguments,
        )
        for machine, numbers in NUMBERS.items()
        if name in numbers
    )


def is_all(answers: tuple[int, ...], answer: int) -> bool:
    return bool(answers) and set(answers) == {answer}


# the program as a whole


@pytest.mark.parametrize(("profile", "may_write", "machine"), VARIANTS)
def test_the_kernel_can_take_the_program(profile: Profile, may_write: bool, machine: str) -> None:
    program = build_filter(profile, machine=machine, may_write=may_write)
    instructions = read_program(program)

    assert len(instructions) < KERNEL_LIMIT / 4
    assert instructions[-1][0] == 0x06
    for place, (code, if_true, if_false, constant) in enumerate(instructions):
        if code in (0x05, 0x15, 0x35):
            farthest = constant if code == 0x05 else max(if_true, if_false)
            assert place + 1 + farthest < len(instructions)


@pytest.mark.parametrize(("profile", "may_write", "machine"), VARIANTS)
def test_the_place_of_the_own_process_is_marked_once(profile: Profile, may_write: bool, machine: str) -> None:
    program = build_filter(profile, machine=machine, may_write=may_write)

    assert program.count(OWN_PID.to_bytes(4, "little")) == 1


@pytest.mark.parametrize(("profile", "may_write", "machine"), VARIANTS)
def test_no_call_outside_the_list_is_allowed(profile: Profile, may_write: bool, machine: str) -> None:
    program = build_filter(profile, machine=machine, may_write=may_write)
    decided = verdicts(profile, may_write=may_write)
    listed = {
        number for name, number in NUMBERS[machine].items() if decided.get(name, REFUSE) not in (REFUSE, ABSENT, KILL)
    }

    for number in range(N_NUMBERS):
        if number not in listed:
            assert decide(program, AUDIT_ARCHITECTURES[machine], number) != ALLOW
            assert decide(program, AUDIT_ARCHITECTURES[machine], number, [2**64 - 1] * 6) != ALLOW


@pytest.mark.parametrize(("profile", "may_write", "machine"), VARIANTS)
@settings(max_examples=examples(25))
@given(
    values=st.lists(
        st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 0x50), st.sampled_from((OWN_PID, 0x3D_0F00, HIGH))),
        min_size=6,
        max_size=6,
    )
)
def test_the_program_answers_what_the_policy_says(
    profile: Profile, may_write: bool, machine: str, values: list[int]
) -> None:
    program = build_filter(profile, machine=machine, may_write=may_write)
    decided = verdicts(profile, may_write=may_write)

    for name, number in NUMBERS[machine].items():
        verdict = decided.get(name, REFUSE)
        if isinstance(verdict, tuple):
            passes = all(values[check.argument] & check.mask in check.values for check in verdict)
            verdict = ALLOW if passes else REFUSE
        assert decide(program, AUDIT_ARCHITECTURES[machine], number, values) == verdict, name


@pytest.mark.parametrize(("profile", "may_write", "machine"), VARIANTS)
@settings(max_examples=examples(25))
@given(number=st.integers(0x4000_0000, 2**32 - 1))
def test_the_numbers_of_another_calling_convention_are_fatal(
    profile: Profile, may_write: bool, machine: str, number: int
) -> None:
    program = build_filter(profile, machine=machine, may_write=may_write)

    assert decide(program, AUDIT_ARCHITECTURES[machine], number) == KILL


@pytest.mark.parametrize(("profile", "may_write", "machine"), VARIANTS)
def test_every_call_of_another_machine_is_fatal(profile: Profile, may_write: bool, machine: str) -> None:
    program = build_filter(profile, machine=machine, may_write=may_write)
    foreign = {0, INTEL_32, ARM_32, *AUDIT_ARCHITECTURES.values()} - {AUDIT_ARCHITECTURES[machine]}

    assert {decide(program, other, number) for other in foreign for number in range(N_NUMBERS)} == {KILL}


def test_calls_newer_than_the_table_are_absent_so_that_libraries_fall_back() -> None:
    for machine, numbers in NUMBERS.items():
        program = build_filter(Profile.GPU, machine=machine, may_write=True)
        assert decide(program, AUDIT_ARCHITECTURES[machine], max(numbers.values()) + 1) == ABSENT


def test_an_unknown_machine_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'riscv64'.*x86_64"):
        build_filter(Profile.CPU, machine="riscv64")


# the policy


@pytest.mark.parametrize("may_write", [False, True])
@pytest.mark.parametrize("profile", Profile)
def test_no_name_in_the_policy_is_misspelt(profile: Profile, may_write: bool) -> None:
    known = {name for numbers in NUMBERS.values() for name in numbers}

    assert verdicts(profile, may_write=may_write).keys() <= known


@pytest.mark.parametrize("name", NEVER.split())
def test_what_reaches_outside_is_allowed_in_no_profile(name: str) -> None:
    for profile in Profile:
        assert ALLOW not in answers_to(name, 0, 0, 0, 0, 0, 0, profile=profile, may_write=True)


@pytest.mark.parametrize("name", ORDINARY.split())
def test_what_every_program_needs_is_allowed_in_every_profile(name: str) -> None:
    for profile in Profile:
        assert is_all(answers_to(name, 2**64 - 1, 2**64 - 1, 0, profile=profile), ALLOW)


@pytest.mark.parametrize("name", PATHS.split())
@pytest.mark.parametrize("may_write", [False, True])
def test_noopen_looks_at_no_path(name: str, may_write: bool) -> None:
    assert is_all(answers_to(name, 0, 0, 0, 0x1000, profile=Profile.NOOPEN, may_write=may_write), REFUSE)


@pytest.mark.parametrize("name", WRITING.split())
def test_files_are_changed_only_where_there_is_a_folder_for_it(name: str) -> None:
    assert is_all(answers_to(name, may_write=False), REFUSE)
    assert is_all(answers_to(name, may_write=True), ALLOW)


@pytest.mark.parametrize("name", ["ptrace", "keyctl", "io_uring_setup", "mount", "unshare", "bpf", "process_vm_readv"])
def test_what_only_an_attack_does_is_fatal(name: str) -> None:
    for profile in Profile:
        assert is_all(answers_to(name, profile=profile, may_write=True), KILL)


@pytest.mark.parametrize("name", ["clone3", "openat2"])
def test_calls_whose_flags_lie_in_memory_are_absent(name: str) -> None:
    for profile in Profile:
        assert is_all(answers_to(name, 1, 1, 1, profile=profile, may_write=True), ABSENT)


def opening(flags: int, **variant: bool) -> tuple[int, ...]:
    return (*answers_to("openat", 3, 0x1000, flags, 0, **variant), *answers_to("open", 0x1000, flags, 0, **variant))  # type: ignore[arg-type]


GLIBC_THREAD, MUSL_THREAD = 0x3D_0F00, 0x7D_0F00
CASES: dict[str, tuple[Callable[[], tuple[int, ...]], int]] = {
    "a thread as glibc makes it": (lambda: answers_to("clone", GLIBC_THREAD), ALLOW),
    "a thread as musl makes it": (lambda: answers_to("clone", MUSL_THREAD), ALLOW),
    "a fork": (lambda: answers_to("clone", 0x0120_0011), REFUSE),
    "a fork that shares memory": (lambda: answers_to("clone", 0x4111), REFUSE),
    "a sibling": (lambda: answers_to("clone", GLIBC_THREAD | 0x8000), REFUSE),
    "a thread with open files of its own": (lambda: answers_to("clone", GLIBC_THREAD & ~0x400), REFUSE),
    "a thread with a folder of its own": (lambda: answers_to("clone", GLIBC_THREAD & ~0x200), REFUSE),
    "reading at a place": (lambda: answers_to("preadv2", 3, 0x1000, 1, 0, 0, 0), ALLOW),
    "asking which pages are in memory": (lambda: answers_to("preadv2", 3, 0x1000, 1, 0, 0, 8), REFUSE),
    "giving memory back": (lambda: answers_to("madvise", 0x1000, 4096, 4), ALLOW),
    "merging pages with others'": (lambda: answers_to("madvise", 0x1000, 4096, 12), REFUSE),
    "swapping pages out": (lambda: answers_to("madvise", 0x1000, 4096, 21), REFUSE),
    "sleeping by a clock of all": (lambda: answers_to("clock_nanosleep", 1, 0, 0x1000, 0), ALLOW),
    "a timer by another's clock": (lambda: answers_to("timer_create", 2**64 - 6, 0, 0x1000), REFUSE),
    "another's scheduling": (lambda: answers_to("sched_getscheduler", 7), REFUSE),
    "a traced thread": (lambda: answers_to("clone", GLIBC_THREAD | 0x2000), REFUSE),
    "a thread in a new user namespace": (lambda: answers_to("clone", GLIBC_THREAD | 0x1000_0000), REFUSE),
    "a thread in a new mount namespace": (lambda: answers_to("clone", GLIBC_THREAD | 0x2_0000), REFUSE),
    "a thread in a new time namespace": (lambda: answers_to("clone", GLIBC_THREAD | 0x80), REFUSE),
    "a thread with flags above the 32nd": (lambda: answers_to("clone", GLIBC_THREAD | HIGH << 1), REFUSE),
    "a thread flag in the upper half alone": (lambda: answers_to("clone", HIGH * 0x1_0000), REFUSE),
    "private memory": (lambda: answers_to("mmap", 0, 4096, 3, 0x22), ALLOW),
    "a thread's stack": (lambda: answers_to("mmap", 0, 4096, 0, 0x2_4022), ALLOW),
    "droppable memory, for random numbers": (lambda: answers_to("mmap", 0, 4096, 3, 0x28), ALLOW),
    "a file, private": (lambda: answers_to("mmap", 0, 4096, 1, 0x2, 3), ALLOW),
    "a file, shared": (lambda: answers_to("mmap", 0, 4096, 1, 0x1, 3), ALLOW),
    "shared memory": (lambda: answers_to("mmap", 0, 4096, 3, 0x21), REFUSE),
    "shared memory, validated": (lambda: answers_to("mmap", 0, 4096, 3, 0x23), REFUSE),
    "shared memory with odd flags above": (lambda: answers_to("mmap", 0, 4096, 3, HIGH | 0x21), REFUSE),
    "huge pages from the reserve": (lambda: answers_to("mmap", 0, 4096, 3, 0x4_0022), REFUSE),
    "memory that grows by itself": (lambda: answers_to("mmap", 0, 4096, 3, 0x122), REFUSE),
    "pinned memory": (lambda: answers_to("mmap", 0, 4096, 3, 0x2022), REFUSE),
    "reading its own limits": (lambda: answers_to("prlimit64", 0, 7, 0, 0x1000), ALLOW),
    "setting its own limits": (lambda: answers_to("prlimit64", 0, 7, 0x1000, 0), REFUSE),
    "setting limits, pointer in the upper half": (lambda: answers_to("prlimit64", 0, 7, HIGH, 0), REFUSE),
    "reading another's limits": (lambda: answers_to("prlimit64", 1, 7, 0, 0x1000), REFUSE),
    "reading another's limits, odd upper half": (lambda: answers_to("prlimit64", HIGH | 1, 7, 0, 0), REFUSE),
    "a signal to no process": (lambda: answers_to("tgkill", 0, 1, 9), REFUSE),
    "a signal to the first process": (lambda: answers_to("tgkill", 1, 1, 9), REFUSE),
    "a signal to all": (lambda: answers_to("tgkill", 2**64 - 1, 1, 9), REFUSE),
    "its own affinity": (lambda: answers_to("sched_setaffinity", 0, 8, 0x1000), ALLOW),
    "another's affinity": (lambda: answers_to("sched_setaffinity", 1, 8, 0x1000), REFUSE),
    "copying a descriptor": (lambda: answers_to("fcntl", 3, 1030, 0), ALLOW),
    "a lock": (lambda: answers_to("fcntl", 3, 6, 0x1000), REFUSE),
    "a lock of an open file": (lambda: answers_to("fcntl", 3, 37, 0x1000), REFUSE),
    "signals from a descriptor": (lambda: answers_to("fcntl", 3, 8, 1), REFUSE),
    "a larger pipe": (lambda: answers_to("fcntl", 3, 1031, 1 << 20), REFUSE),
    "a lease": (lambda: answers_to("fcntl", 3, 1024, 0), REFUSE),
    "is it a terminal": (lambda: answers_to("ioctl", 1, 0x5401, 0x1000), ALLOW),
    "typing into the terminal": (lambda: answers_to("ioctl", 0, 0x5412, 0x1000), REFUSE),
    "the same, odd upper half": (lambda: answers_to("ioctl", 0, HIGH | 0x5412, 0x1000), REFUSE),
    "pasting into the terminal": (lambda: answers_to("ioctl", 0, 0x541C, 0x1000), REFUSE),
    "naming the thread": (lambda: answers_to("prctl", 15, 0x1000), ALLOW),
    "being dumpable": (lambda: answers_to("prctl", 4, 1), REFUSE),
    "outliving the parent": (lambda: answers_to("prctl", 1, 0), REFUSE),
    "another filter": (lambda: answers_to("prctl", 22, 2, 0x1000), REFUSE),
    "ambient capabilities": (lambda: answers_to("prctl", 47, 2, 1), REFUSE),
    "letting others trace": (lambda: answers_to("prctl", 0x5961_6D61, 2**64 - 1), REFUSE),
    "moving its own memory's borders": (lambda: answers_to("prctl", 35, 1, 0), REFUSE),
    "the clock": (lambda: answers_to("clock_gettime", 1, 0x1000), ALLOW),
    "another process's clock": (lambda: answers_to("clock_gettime", 2**32 - 14, 0x1000), REFUSE),
    "another process's clock, sign-extended": (lambda: answers_to("clock_gettime", 2**64 - 14, 0x1000), REFUSE),
    "matrix registers": (lambda: answers_to("arch_prctl", 0x1023, 18), ALLOW),
    "faulting on cpuid": (lambda: answers_to("arch_prctl", 0x1012, 0), REFUSE),
    "opening to read": (lambda: opening(0o2000000), ALLOW),
    "opening to write, making it": (lambda: opening(0o2001101), ALLOW),
    "opening to append": (lambda: opening(0o2002101), ALLOW),
    "truncating a file opened to read": (lambda: opening(0o1000, may_write=True), REFUSE),
    "truncating a file opened for nothing": (lambda: opening(0o1003, may_write=True), REFUSE),
    "opening for nothing": (lambda: opening(0o3, may_write=True), REFUSE),
    "a file without a name": (lambda: opening(0o20200002, may_write=True), REFUSE),
    "a path without reading": (lambda: opening(0o10000000, may_write=True), REFUSE),
    "truncation hidden under odd upper bits": (lambda: opening(HIGH | 0o1000, may_write=True), REFUSE),
    "reserving space": (lambda: answers_to("fallocate", 3, 0, 0, 1 << 20, may_write=True), ALLOW),
    "reserving space behind the end": (lambda: answers_to("fallocate", 3, 1, 0, 1 << 40, may_write=True), REFUSE),
    "memory as a file": (lambda: answers_to("memfd_create", 0x1000, 0, may_write=True), REFUSE),
    "memory as a file, for a driver": (lambda: answers_to("memfd_create", 0x1000, 0, profile=Profile.GPU), ALLOW),
    "a driver's request": (lambda: answers_to("ioctl", 5, 0xC020_462A, 0x1000, profile=Profile.GPU), ALLOW),
    "a driver's shared memory": (lambda: answers_to("mmap", 0, 4096, 3, 0x21, profile=Profile.GPU), ALLOW),
    "a driver's offered socket": (lambda: answers_to("socket", 1, 0x8_0005, 0, profile=Profile.GPU), ALLOW),
    "a stream beside a driver": (lambda: answers_to("socket", 1, 0x8_0001, 0, profile=Profile.GPU), REFUSE),
    "datagrams beside a driver": (lambda: answers_to("socket", 1, 2, 0, profile=Profile.GPU), REFUSE),
    "the internet beside a driver": (lambda: answers_to("socket", 2, 5, 0, profile=Profile.GPU), REFUSE),
    "a name for a driver's socket": (lambda: answers_to("bind", 3, 0x1000, 20, profile=Profile.GPU), ALLOW),
    "a name for a socket": (lambda: answers_to("bind", 3, 0x1000, 20), REFUSE),
    "a listener": (lambda: answers_to("listen", 3, 16), REFUSE),
    "who calls a driver's socket": (lambda: answers_to("setsockopt", 3, 1, 16, profile=Profile.GPU), ALLOW),
    "another option of a driver's socket": (lambda: answers_to("setsockopt", 3, 1, 15, profile=Profile.GPU), REFUSE),
    "a fork beside a driver": (lambda: answers_to("clone", 0x0120_0011, profile=Profile.GPU), REFUSE),
}


@pytest.mark.parametrize("case", CASES)
def test_arguments_decide(case: str) -> None:
    answers, expected = CASES[case]

    assert is_all(answers(), expected)


def test_a_process_signals_only_the_one_whose_number_is_filled_in() -> None:
    program = build_filter(Profile.CPU, machine="x86_64").replace(
        OWN_PID.to_bytes(4, "little"), struct.pack("<I", 4711)
    )
    tgkill = NUMBERS["x86_64"]["tgkill"]
    intel = AUDIT_ARCHITECTURES["x86_64"]

    assert decide(program, intel, tgkill, (4711, 4712, 6)) == ALLOW
    assert decide(program, intel, tgkill, (4712, 4712, 6)) == REFUSE
    assert decide(program, intel, tgkill, (OWN_PID, 4712, 6)) == REFUSE
