"""Real processes behind the filter: what they try, and what the kernel answers."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox.seccomp import Profile, is_supported

pytestmark = [
    pytest.mark.skipif(not is_supported(), reason="the kernel takes no system-call filters here"),
    pytest.mark.xdist_group("seccomp-children"),  # each group of attempts runs once, for all of its tests
]

needs_intel = pytest.mark.skipif(os.uname().machine != "x86_64", reason="only x86-64 has these other doors")

# Runs each attempt in a fork of its own, so that one process imports once, as the fork server does.
RUNNER = r"""
import ctypes, errno, fcntl, json, mmap, os, resource, signal, socket, subprocess, sys, tempfile
import threading, time, traceback
sys.path.insert(0, sys.argv[1])
import numpy, numpy.fft, numpy.random  # the latter two load when first used, which needs files
from sandbox import seccomp
from sandbox.seccomp.syscalls import NUMBERS

libc = ctypes.CDLL(None, use_errno=True)
server = os.getpid()
numbers = NUMBERS[os.uname().machine]

def raw(name, *arguments):
    number = numbers[name] if isinstance(name, str) else name
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(value) for value in arguments))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

kept = []

def address_of(data):
    kept.append(ctypes.create_string_buffer(data))
    return ctypes.addressof(kept[-1])

def code(machine_code):
    page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(machine_code)
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

def outcome(source):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        libc.prctl(38, 1, 0, 0, 0)
        try:
            if not work["unfiltered"]:
                seccomp.install(program)
            exec(source, globals())
            said = "fine"
        except OSError as error:
            said = errno.errorcode[error.errno]
        except BaseException as error:
            said = "".join(traceback.format_exception(error))[-500:]
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    status = os.waitpid(child, 0)[1]
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else said

work = json.load(sys.stdin)
program = seccomp.build_filter(seccomp.Profile(work["profile"]), may_write=work["may_write"])
os.chdir(work["folder"])
print(json.dumps({name: outcome(source) for name, source in work["attempts"].items()}))
"""

COMPUTES = {
    "linear algebra": "a = numpy.arange(9.0).reshape(3, 3); (a @ a).sum(); numpy.linalg.svd(a); numpy.fft.fft(a)",
    "random numbers": "numpy.random.default_rng().normal(size=9); os.urandom(8)",
    "a thread": "t = threading.Thread(target=time.sleep, args=(0,)); t.start(); t.join()",
    "large memory": "len(bytearray(1 << 26))",
    "private memory": "mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)",
    "clocks": "time.time(); time.monotonic(); time.process_time(); time.thread_time(); time.sleep(0.0001)",
    "a pipe": "r, w = os.pipe(); os.set_blocking(r, False); os.write(w, b'x'); assert os.read(r, 1) == b'x'",
    "a signal to itself": "signal.signal(signal.SIGUSR1, lambda *_: None); signal.raise_signal(signal.SIGUSR1)",
    "a timer": "signal.pthread_sigmask(0, [14]); signal.setitimer(signal.ITIMER_REAL, 0.001); signal.sigwait([14])",
    "its limits": "resource.getrlimit(resource.RLIMIT_AS); resource.getrusage(resource.RUSAGE_SELF)",
    "its processors": "os.sched_getaffinity(0); os.sched_setaffinity(0, os.sched_getaffinity(0)); os.cpu_count()",
    "its identity": "os.getpid(), os.getuid(), os.getpgrp(), os.getsid(0), os.uname(), os.getcwd()",
    "a terminal or not": "os.isatty(1)",
    "a stream on a descriptor": "r, w = os.pipe(); f = open(w, 'w'); f.write('x'); f.flush()",
}

READS = {
    "a file": f"open({sys.executable!r}, 'rb').read(10)",
    "a folder": "os.listdir('/usr'), os.stat('/usr'), os.path.exists('/usr/none'), os.access('/usr', os.R_OK)",
    "the null device": "open(os.devnull, 'w').write('x')",
    "a module": "import colorsys",
}

REFUSED = {
    "a socket": "socket.socket()",
    "a socket of the machine": "socket.socket(socket.AF_UNIX)",
    "a socket to the host": "socket.socket(40, socket.SOCK_STREAM)",
    "a pair of sockets": "socket.socketpair()",
    "a fork": "os.fork()",
    "a program": "os.execv('/bin/true', ['true'])",
    "a shell": "subprocess.run(['true'])",
    "a process in a new user namespace": "raw('clone', 0x10000011, 0, 0, 0, 0)",
    "a signal to its parent": "os.kill(server, 0)",
    "a signal to all": "os.kill(-1, 0)",
    "a signal to its group": "os.kill(0, 0)",
    "a signal to a thread of its parent": "raw('tgkill', server, server, 0)",
    "a signal to any thread": "raw('tkill', server, 0)",
    "a queued signal": "raw('rt_sigqueueinfo', server, 0, 0)",
    "a handle on its parent": "os.pidfd_open(server)",
    "its parent's limits": "resource.prlimit(server, resource.RLIMIT_AS)",
    "other limits for itself": "raw('prlimit64', 0, 4, address_of(bytes(16)), 0)",
    "its parent's processors": "os.sched_setaffinity(server, {0})",
    "its parent's rank": "os.setpriority(os.PRIO_PROCESS, server, 1)",
    "its parent's clock": "time.clock_gettime((~server << 3) | 2)",
    "shared memory": "mmap.mmap(-1, 4096)",
    "shared memory by key": "raw('shmget', 4711, 4096, 0)",
    "a message queue by key": "raw('msgget', 4711, 0)",
    "memory that grows": "raw('mmap', 0, 4096, 3, 0x122, -1, 0)",
    "another user": "os.setuid(os.getuid())",
    "another personality": "raw('personality', 0x40000)",
    "another filter": "raw('seccomp', 1, 0, 0)",
    "being dumpable": "raw('prctl', 4, 1, 0, 0, 0)",
    "outliving its parent": "raw('prctl', 1, 0, 0, 0, 0)",
    "a lock": "fcntl.flock(0, fcntl.LOCK_SH)",
    "a lock on a range": "fcntl.lockf(0, fcntl.LOCK_SH)",
    "typing into the terminal": "fcntl.ioctl(0, 0x5412, b'x')",
    "watching files": "raw('inotify_init1', 0)",
    "pages in the cache": "raw('mincore', 0, 0, 0)",
    "other permissions": "os.chmod('mine', 0o777)",
    "other times": "os.utime('mine')",
    "an attribute": "os.setxattr('mine', 'user.x', b'x')",
    "a hard link": "os.link('mine', 'other')",
    "a symbolic link": "os.symlink('mine', 'other')",
    "a named pipe": "os.mkfifo('other')",
    "cutting a file": "os.truncate('mine', 0)",
    "cutting a file opened to read": "os.open('mine', os.O_RDONLY | os.O_TRUNC)",
    "cutting a file opened for nothing": "os.open('mine', 3 | os.O_TRUNC)",
    "a file without a name": "os.open('.', os.O_TMPFILE | os.O_RDWR)",
}

CHANGES_FILES = {
    "a new folder": "os.mkdir('new'); os.rmdir('new')",
    "a new name": "os.rename('mine', 'mine')",
    "temporary files": "tempfile.TemporaryFile(dir='.').write(b'x'); tempfile.TemporaryDirectory(dir='.').cleanup()",
    "removal": "open('gone', 'w').close(); os.remove('gone')",
    "another size": "f = os.open('mine', os.O_RDWR); os.ftruncate(f, 0); os.posix_fallocate(f, 0, 10); os.fsync(f)",
}

ABSENT = {
    "a new way to make threads": "raw('clone3', 0, 0)",
    "a new way to open": "raw('openat2', 0, 0, 0, 0)",
    "a call of the future": "raw(1000)",
}

FATAL = {
    "tracing": "raw('ptrace', 0, 0, 0, 0)",
    "reading its parent": "raw('process_vm_readv', server, 0, 0, 0, 0, 0)",
    "writing to its parent": "raw('process_vm_writev', server, 0, 0, 0, 0, 0)",
    "a kernel program": "raw('bpf', 0, 0, 0)",
    "kernel counters": "raw('perf_event_open', 0, 0, -1, -1, 0)",
    "handling page faults": "raw('userfaultfd', 1)",
    "queues to the kernel": "raw('io_uring_setup', 1, 0)",
    "a mount": "raw('mount', 0, 0, 0, 0, 0)",
    "another root": "raw('pivot_root', 0, 0)",
    "leaving its namespaces": "raw('unshare', 0x10000000)",
    "entering another namespace": "raw('setns', -1, 0)",
    "the keyring": "raw('keyctl', 0, -3, 0, 0, 0)",
    "a key": "raw('add_key', 0, 0, 0, 0, 0)",
    "a kernel module": "raw('init_module', 0, 0, 0)",
    "a file by its handle": "raw('open_by_handle_at', -1, 0, 0)",
    "the clock": "raw('clock_settime', 0, 0)",
    "the kernel's log": "raw('syslog', 10, 0, 0)",
    "a thread's fatal call": "t = threading.Thread(target=raw, args=('unshare', 0)); t.start(); t.join()",
}

LEAVES_PATHS_ALONE = {
    "a file": f"open({sys.executable!r}, 'rb')",
    "the null device": "open(os.devnull, 'w')",
    "a file to write": "open('mine', 'w')",
    "a folder": "os.listdir('/')",
    "the size of a file": f"os.stat({sys.executable!r})",
    "the size of a file, another way": f"os.lstat({sys.executable!r})",
    "whether a file is there": "raw('faccessat', -100, address_of(b'/'), 0)",
    "where a link leads": "os.readlink('/proc/self')",
    "another folder": "os.chdir('/')",
    "a folder to make": "os.mkdir('new')",
    "a file to remove": "os.remove('mine')",
    "the empty path, which could be any": "raw('newfstatat', 0, address_of(b''), address_of(bytes(200)), 0x1000)",
}

ENDS = {"abort": "os.abort()"}

DRIVES = {
    "memory as a file": "os.memfd_create('x')",
    "shared memory": "mmap.mmap(-1, 4096)",
}


DOORS = {
    "the call table of 32-bit programs": r"code(b'\xb8\x14\x00\x00\x00\xcd\x80\xc3')",
    "the call table of 32-bit pointers": "raw(0x40000000 + 39)",
}

INSTALLS = {
    "asking leaves everything free": "assert seccomp.is_supported(); socket.socket()",
    "a second filter is refused like any other": "seccomp.install(program); seccomp.install(program)",
    "no program": "seccomp.install(b'')",
    "a program without an end": "seccomp.install(program[:8])",
    "a thread that was there before": """if True:
        gate, errors = threading.Event(), []
        def wait_and_try():
            gate.wait()
            try:
                socket.socket()
            except OSError as error:
                errors.append(error.errno)
        thread = threading.Thread(target=wait_and_try)
        thread.start()
        seccomp.install(program)
        gate.set()
        thread.join()
        assert errors == [errno.EPERM], errors
    """,
}

BEHIND_A_DRIVER = REFUSED.keys() - {"shared memory", "memory that grows", "typing into the terminal"}


class Trials:
    """Runs groups of attempts, each group once for each filter."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Any, dict[str, str]] = {}

    def outcome(
        self,
        attempts: Mapping[str, str],
        name: str,
        profile: Profile = Profile.CPU,
        *,
        may_write: bool = False,
        unfiltered: bool = False,
    ) -> str:
        """How one attempt ends: "fine", the name of an error or of a signal, or a traceback."""
        key = (id(attempts), profile, may_write, unfiltered)
        if key not in self._known:
            (self._folder / "mine").write_text("x")
            work = {"profile": profile, "may_write": may_write, "unfiltered": unfiltered, "attempts": attempts}
            said = subprocess.run(
                [sys.executable, "-c", RUNNER, str(Path(str(sandbox.__file__)).parents[1])],
                input=json.dumps({**work, "folder": str(self._folder)}),
                capture_output=True,
                text=True,
                timeout=300,
                check=True,
                env={"OPENBLAS_NUM_THREADS": "1"},
            )
            self._known[key] = json.loads(said.stdout)
        return self._known[key][name]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Trials:
    return Trials(tmp_path_factory.mktemp("scratch"))


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", COMPUTES)
def test_programs_compute_behind_every_filter(trials: Trials, profile: Profile, name: str) -> None:
    assert trials.outcome(COMPUTES, name, profile) == "fine"


@pytest.mark.parametrize("profile", [Profile.CPU, Profile.GPU])
@pytest.mark.parametrize("name", READS)
def test_programs_read_what_other_layers_leave_open(trials: Trials, profile: Profile, name: str) -> None:
    assert trials.outcome(READS, name, profile) == "fine"


@pytest.mark.parametrize("profile", [Profile.CPU, Profile.NOOPEN])
@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_call_is_an_error_that_the_program_sees(trials: Trials, profile: Profile, name: str) -> None:
    assert trials.outcome(REFUSED, name, profile) == "EPERM"


@pytest.mark.parametrize("name", sorted(BEHIND_A_DRIVER))
def test_a_driver_changes_nothing_about_what_is_refused(trials: Trials, name: str) -> None:
    assert trials.outcome(REFUSED, name, Profile.GPU, may_write=True) == "EPERM"


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - {"a process in a new user namespace"}))
def test_it_is_the_filter_that_refuses(trials: Trials, name: str) -> None:
    assert trials.outcome(REFUSED, name, unfiltered=True) != "EPERM"


@pytest.mark.parametrize("name", CHANGES_FILES)
def test_files_change_only_where_there_is_a_folder_for_it(trials: Trials, name: str) -> None:
    assert trials.outcome(CHANGES_FILES, name, may_write=True) == "fine"
    assert trials.outcome(CHANGES_FILES, name, may_write=False) == "EPERM"


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", ABSENT)
def test_an_absent_call_is_one_that_libraries_do_without(trials: Trials, profile: Profile, name: str) -> None:
    assert trials.outcome(ABSENT, name, profile) == "ENOSYS"


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", FATAL)
def test_an_attack_ends_the_process(trials: Trials, profile: Profile, name: str) -> None:
    assert trials.outcome(FATAL, name, profile) == "SIGSYS"


@needs_intel
@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", DOORS)
def test_the_other_doors_to_the_kernel_are_shut(trials: Trials, profile: Profile, name: str) -> None:
    assert trials.outcome(DOORS, name, profile) in ("SIGSYS", "SIGSEGV")  # the latter where the kernel has no such door


@pytest.mark.parametrize("name", LEAVES_PATHS_ALONE)
def test_noopen_neither_opens_nor_looks_at_a_path(trials: Trials, name: str) -> None:
    assert trials.outcome(LEAVES_PATHS_ALONE, name, Profile.NOOPEN, may_write=True) == "EPERM"


def test_noopen_makes_an_import_from_disk_an_ordinary_import_error(trials: Trials) -> None:
    assert "ModuleNotFoundError" in trials.outcome(READS, "a module", Profile.NOOPEN)


@pytest.mark.parametrize("name", DRIVES)
def test_drivers_get_memory_to_share(trials: Trials, name: str) -> None:
    assert trials.outcome(DRIVES, name, Profile.GPU) == "fine"


def test_abort_ends_the_process_as_ever(trials: Trials) -> None:
    assert trials.outcome(ENDS, "abort") == "SIGABRT"


def test_asking_whether_filters_work_changes_nothing(trials: Trials) -> None:
    assert trials.outcome(INSTALLS, "asking leaves everything free", unfiltered=True) == "fine"


def test_a_thread_from_before_the_filter_is_behind_it_too(trials: Trials) -> None:
    assert trials.outcome(INSTALLS, "a thread that was there before", unfiltered=True) == "fine"


def test_a_filter_cannot_be_followed_by_another(trials: Trials) -> None:
    assert trials.outcome(INSTALLS, "a second filter is refused like any other", unfiltered=True) == "EPERM"


@pytest.mark.parametrize("name", ["no program", "a program without an end"])
def test_a_program_that_the_kernel_refuses_is_an_error(trials: Trials, name: str) -> None:
    assert trials.outcome(INSTALLS, name, unfiltered=True) == "EINVAL"
