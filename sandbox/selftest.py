"""The server attacks its own jail before any candidate does: what must fail and does not is an error, not a log line.

A throw-away child enters the jail step by step and tries, after each step, what that layer has to refuse. It is judged
by what it reports over its pipe and by how it ends: its last act is a call that only an attack makes.
"""

import ctypes
import mmap
import os
import resource
import select
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from sandbox import gpu_trial
from sandbox.cgroup_tree import PREFIX
from sandbox.child import ANSWERS, FIRST_UNUSED, REQUESTS
from sandbox.children import Children, arrange
from sandbox.filetree import CANARY
from sandbox.jail import OPTIONAL_LIMITS, RULESET, Jail, close_files, confine, filter_calls, resource_limits
from sandbox.kernel import PR_GET_NO_NEW_PRIVS, effective_capabilities, parent_death_signal, prctl
from sandbox.layers import Layer, Level, level_of
from sandbox.limits import MEBIBYTE
from sandbox.namespaces import FILES, identities
from sandbox.place import Place
from sandbox.watch import SLACK_BYTES, Watch, outer_pid

ALLOWED_VARIABLES = frozenset(
    b"PATH LANG HOME PYTHONHASHSEED PYTHONMALLOC GLIBC_TUNABLES OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS"
    b" NUMBA_NUM_THREADS EVOLVE_SANDBOX LD_LIBRARY_PATH TMPDIR LC_CTYPE CUDA_VISIBLE_DEVICES".split()
)
OUTSIDE = "/dev/zero"  # on every machine, and in no private file tree
SECONDS = 20.0
_LIMITS = {
    "memory_bytes": 1024 * MEBIBYTE,
    "cpu_seconds": 10.0,
    "n_threads": 1,
    "n_processes": 32,
    "n_files": 64,
    "scratch_bytes": 0,
    "shared_bytes": 0,
}
_TAKEN_BYTES = 32 * MEBIBYTE
_MEASURE_ME, _DONE = "measure", "done"
_AF_VSOCK = 40

Finding = tuple[Layer, str]


class SelfTestError(Exception):
    """A layer that counts as active did not do its work; no candidate may run."""


def test_jail(children: Children, *, outside: Mapping[str, str]) -> None:
    """Try the jail on a child that runs no candidate.

    Args:
        children: with the jail and the place to be tested; unused afterwards.
        outside: the controller's own namespaces, as `namespaces.identities` tells them.

    Raises:
        SelfTestError: some layer failed; the text names it.
        OSError: no child could be made.
    """
    jail, place = children.jail, children.place
    if place.folder is not None:
        (place.folder / CANARY).write_text("readable by mode; another layer has to refuse it")
    home = place.make_home(0, uid=jail.uid_of(0), is_writable=False)
    reading, theirs = os.pipe()
    our_requests, requests = os.pipe()
    server_pid = os.getpid()
    pid = children.fork()
    if pid == 0:
        with suppress(BaseException):
            os.write(theirs, "".join(f"{layer}: {text}\n" for layer, text in _before(jail, place, outside)).encode())
            arrange(jail, [our_requests, theirs, theirs], home)
            _attack(jail, place, server_pid)
        os._exit(1)
    os.close(theirs)
    os.close(our_requests)
    try:
        children.enter_group(0, pid, _LIMITS)
        lines = list(_listen(children, pid, reading, requests))
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(reading)
        os.close(requests)
        place.remove_home(home)
    expected = -signal.SIGSYS if Layer.SECCOMP in jail.layers else 0
    if lines[-1:] == [_DONE] and status != expected:
        lines.insert(0, f"{Layer.SECCOMP}: a forbidden call ended with status {status}, expected {expected}")
    if lines != [_DONE]:
        said = "; ".join(line for line in lines if line != _DONE) or f"the test ended early with status {status}"
        raise SelfTestError(f"the sandbox's self-test failed, so nothing will run in it: {said}")


def _listen(children: Children, pid: int, reading: int, requests: int) -> Iterator[str]:
    """The lines that the child says; measures its memory when it asks."""
    jail, place = children.jail, children.place
    limits = {**_LIMITS, "memory_bytes": _TAKEN_BYTES // 2 - SLACK_BYTES}
    watch = Watch(proc=place.proc, pid=pid, limits=limits, birth=children.birth)
    buffer = b""
    seconds = SECONDS if jail.gpu is None else SECONDS + gpu_trial.SECONDS
    while select.select([reading], [], [], seconds)[0] and (chunk := os.read(reading, 65536)):
        buffer += chunk
        *lines, buffer = buffer.split(b"\n")
        for line in map(bytes.decode, lines):
            if line != _MEASURE_ME:
                yield line
                continue
            if Layer.MEMORY_CGROUP in jail.layers and not _is_in_group(place, pid):
                yield f"{Layer.MEMORY_CGROUP}: the process is in no group of the server's"
            if Layer.MEMORY_WATCH in jail.layers and (Layer.MEMORY_WATCH in jail.skipped or watch.look()):
                yield f"{Layer.MEMORY_WATCH}: {_TAKEN_BYTES >> 20} MiB of shared memory were not noticed"
            os.write(requests, b"\n")
    watch.close()


def _attack(jail: Jail, place: Place, server_pid: int) -> None:
    """Enter the jail step by step and report what it lets through."""

    def report(findings: Iterator[Finding]) -> None:
        for layer, text in findings:
            if layer in jail.layers:
                os.write(ANSWERS, f"{layer}: {text}\n".encode())

    try:
        confine(jail, _LIMITS, slot=0, server_pid=server_pid)
        report(_confined(jail))
        _take_memory()
        close_files(jail, _LIMITS)
        report(_without_files(jail, place))
        filter_calls(jail, _LIMITS)
        report(_without_calls(jail))
        for text in gpu_trial.obstacles(jail.gpu) if jail.gpu is not None else ():
            os.write(ANSWERS, f"graphics card: {text}\n".encode())
    except OSError as error:
        os.write(ANSWERS, f"a layer could not be applied: {error}\n".encode())
        return
    os.write(ANSWERS, f"{_DONE}\n".encode())
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
    os._exit(0)


def _before(jail: Jail, place: Place, outside: Mapping[str, str]) -> Iterator[Finding]:
    inside = identities(place.proc)
    for layer in FILES:
        if layer in jail.layers and inside[layer] == outside[layer]:
            yield layer, "it is the controller's own"
    if Layer.PID_NAMESPACE in jail.layers and os.getpid() != 1:
        yield Layer.PID_NAMESPACE, f"the process has the number {os.getpid()}, expected 1"
    descriptor = os.open("self/environ", os.O_RDONLY, dir_fd=place.proc)
    names = {line.partition(b"=")[0] for line in os.read(descriptor, 1 << 20).split(b"\0") if line}
    os.close(descriptor)
    if Layer.CLEAN_ENVIRONMENT in jail.layers and (unknown := names - ALLOWED_VARIABLES):
        yield Layer.CLEAN_ENVIRONMENT, f"it holds {len(unknown)} variables of the controller"


def _confined(jail: Jail) -> Iterator[Finding]:
    spare = RULESET + 1 if jail.ruleset is not None else FIRST_UNUSED
    if left := [number for number in range(spare, 256) if _is_open(number)]:
        yield Layer.CLOSED_DESCRIPTORS, f"descriptors {left[:5]} are open"
    if os.getsid(0) != os.getpid():
        yield Layer.OWN_SESSION, "the process shares a session"
    if parent_death_signal() != signal.SIGKILL:
        yield Layer.PARENT_DEATH_SIGNAL, "the process would outlive the server"
    if prctl(PR_GET_NO_NEW_PRIVS, 0) != 1:
        yield Layer.NO_NEW_PRIVILEGES, "the switch is off"
    yield from _unlimited(jail)
    uid = jail.uid_of(0)
    if uid is not None and (set(os.getresuid()) != {uid} or _succeeds(lambda: os.setuid(0))):
        yield Layer.OWN_UID, f"the process has the uids {os.getresuid()}, expected {uid}"
    if not jail.reads_all_files and effective_capabilities():
        yield Layer.NO_NEW_PRIVILEGES, "the process has capabilities"
    if os.path.exists(OUTSIDE):
        yield Layer.MOUNT_NAMESPACE, "a file outside the private tree is there"


def _is_in_group(place: Place, pid: int) -> bool:
    descriptor = os.open(f"{outer_pid(place.proc, pid)}/cgroup", os.O_RDONLY, dir_fd=place.proc)
    try:
        return PREFIX.encode() in os.read(descriptor, 65536)
    finally:
        os.close(descriptor)


def _unlimited(jail: Jail) -> Iterator[Finding]:
    for number, value in resource_limits(jail, _LIMITS).items():
        if number not in OPTIONAL_LIMITS:
            present = resource.getrlimit(number)[1]
            if present == resource.RLIM_INFINITY or present > value:
                yield Layer.RESOURCE_LIMITS, f"limit {number} is {present}, expected {value}"


def _take_memory() -> None:
    with mmap.mmap(-1, _TAKEN_BYTES) as taken:
        for place in range(0, _TAKEN_BYTES, 4096):
            taken[place] = 1
        os.write(ANSWERS, f"{_MEASURE_ME}\n".encode())
        os.read(REQUESTS, 1)


def _without_files(jail: Jail, place: Place) -> Iterator[Finding]:
    path = Path("/" if place.folder is None else place.folder) / CANARY
    if _succeeds(path.read_text):
        yield Layer.LANDLOCK, "a file that is not on the list could be read"
    if _succeeds(lambda: os.listdir("/")):
        yield Layer.LANDLOCK, "the root folder could be listed"
    for node in jail.hidden:
        if _succeeds(partial(os.open, node, os.O_RDWR)):
            yield Layer.LANDLOCK, f"the graphics card {node} could be used"


def _without_calls(jail: Jail) -> Iterator[Finding]:
    attempts: dict[str, Callable[[], object]] = {
        "an internet socket could be made": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "a Unix socket could be made": lambda: socket.socket(socket.AF_UNIX),
        "a machine socket could be made": lambda: socket.socket(_AF_VSOCK, socket.SOCK_STREAM),
        "a process could be forked": _fork,
        "a signal could be sent": lambda: os.kill(os.getppid() or 1, 0),
        "modes could be changed": lambda: os.chmod(".", 0o500),
    }
    if jail.gpu is None:  # its driver needs these
        attempts["anonymous files could be made"] = lambda: os.memfd_create("x")
        attempts["shared memory could be taken"] = lambda: mmap.mmap(-1, 4096).close()
    if level_of(jail.layers) is Level.NOOPEN:
        attempts["a file could be opened"] = lambda: os.close(os.open(os.devnull, os.O_RDONLY))
    for text, attempt in attempts.items():
        if _succeeds(attempt):
            yield Layer.SECCOMP, text


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _is_open(descriptor: int) -> bool:
    return _succeeds(lambda: os.fstat(descriptor))
