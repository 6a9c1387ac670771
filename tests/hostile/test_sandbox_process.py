"""Candidates that forge, flood, grow, fork and hide; servers, launchers and controllers that are killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest

from evolve.testing.running import is_running, wait_until
from evolve.testing.sandbox_programs import FORKING
from sandbox.contract import PlainData
from sandbox.errors import (
    CandidateCrashed,
    CandidateError,
    CandidateOutOfMemory,
    CandidateOutputLimit,
    CandidateRaised,
    CandidateResultInvalid,
    CandidateSyntaxError,
    CandidateTimedOut,
    SandboxError,
)
from sandbox.layers import Layer, Level
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox
from sandbox.seccomp.syscalls import NUMBERS
from sandbox.session import ProcessSession
from tests.marked_processes import kill_all
from tests.sandboxes import AWAY, all_below, children_of, parent_of, sandbox_at

ROOT = Path(__file__).parents[2]
ECHO = {"main.py": "def echo(value):\n    return value\n"}
FRAMES = """
import json, os, struct
def frame(text, tag=b"J", size=None):
    body = text.encode() if isinstance(text, str) else text
    return struct.pack("<I", len(body) + 1 if size is None else size) + tag + body
def answer(fd_bytes):
    os.write(4, fd_bytes)
"""
PATIENT = Limits(wall_seconds=60.0)  # a busy machine may stand still for seconds
pytestmark = pytest.mark.xdist_group("hostile-process")  # a sandbox of each level for all tests
needs_own_uid = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give candidates another uid")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    with ProcessSandbox(limits=PATIENT) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def weak(sandboxes: "Sandboxes") -> ProcessSandbox:
    """Where candidates may fork, so that it is the server who has to find what they leave behind."""
    return sandboxes[Level.WEAK]


class Sandboxes(dict[Level, ProcessSandbox]):
    """A sandbox of each level, made when it is first asked for."""

    def __missing__(self, level: Level) -> ProcessSandbox:
        self[level] = sandbox_at(level)
        return self[level]


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    made = Sandboxes()
    yield made
    for sandbox in made.values():
        sandbox.close()


def start(sandbox: ProcessSandbox, text: str, limits: Limits | None = None) -> ProcessSession:
    return sandbox.start({"main.py": text}, limits=limits)


# forged answers: a score can only be what the called function's place on the pipe said, read strictly


@pytest.mark.parametrize(
    "forged",
    [
        "frame('1.0')",
        "frame('[\"ok\"]')",
        "frame('[\"ok\", 1, 2]')",
        "frame('[\"ready\"]')",
        'frame(\'["error", "nonsense", "text"]\')',
        'frame(\'["error", "exception", 1]\')',
        "frame('[\"ok\", 1]', tag=b'X')",
        "frame('not json')",
        "frame(b'\\xff\\xfe')",
        "frame('', size=0)",
        "frame('[\"ok\", 1]') * 2",
        "frame('[\"ok\", 1]') + b'x'",
        "frame('[' * 100000)",
        "frame(b'\\x00' * 8, tag=b'P')",
        "frame(b'\\xff' * 8, tag=b'P')",
    ],
)
def test_a_forged_answer_is_invalid_and_ends_the_session(sandbox: ProcessSandbox, forged: str) -> None:
    text = f"{FRAMES}\nimport time\ndef f():\n    answer({forged})\n    time.sleep(600)\n"
    with start(sandbox, text) as session:
        with pytest.raises(CandidateResultInvalid):
            session.call("f")
        with pytest.raises(CandidateResultInvalid):
            session.call("f")


def test_an_answer_given_in_advance_is_not_taken_for_the_next(sandbox: ProcessSandbox) -> None:
    text = (
        f"{FRAMES}\nimport threading, time\n"
        "def later():\n    time.sleep(0.2)\n    answer(frame('[\"ok\", 99]'))\n    print('sent', flush=True)\n"
        "def f():\n    threading.Thread(target=later).start()\n    return 1\ndef wait():\n    time.sleep(600)\n"
    )
    with start(sandbox, text) as session:
        assert session.call("f") == 1
        assert wait_until(lambda: "sent" in session.output)
        with pytest.raises(CandidateResultInvalid, match="no request"):
            session.call("f")


def test_an_announced_length_beyond_the_limit_is_a_flood_at_once(sandbox: ProcessSandbox) -> None:
    text = f"{FRAMES}\nimport time\ndef f():\n    answer(frame('x', size=0xffffffff))\n    time.sleep(600)\n"
    with start(sandbox, text) as session, pytest.raises(CandidateOutputLimit):
        session.call("f")


def test_half_an_answer_is_a_timeout(sandbox: ProcessSandbox) -> None:
    text = f"{FRAMES}\nimport time\ndef f():\n    answer(frame('[\"ok\", 1]')[:-2])\n    time.sleep(600)\n"
    with start(sandbox, text) as session, pytest.raises(CandidateTimedOut):
        session.call("f", timeout=0.2)


def test_an_answer_in_drips_is_a_timeout(sandbox: ProcessSandbox) -> None:
    text = f"{FRAMES}\nimport time\ndef f():\n    os.write(4, frame('x', size=1000000))\n"
    text += "    while True:\n        os.write(4, b' ')\n        time.sleep(0.01)\n"
    with start(sandbox, text) as session, pytest.raises(CandidateTimedOut):
        session.call("f", timeout=0.3)


@pytest.mark.parametrize("descriptor", [3, 4])
def test_closing_its_own_pipes_is_a_crash(sandbox: ProcessSandbox, descriptor: int) -> None:
    text = f"import os, time\ndef f():\n    os.close({descriptor})\n    return 1\n"
    with start(sandbox, text) as session:
        with suppress(CandidateCrashed):  # the answers' pipe: this call's own answer is lost already
            session.call("f")
        with pytest.raises(CandidateCrashed):
            session.call("f")


def test_numbers_that_lie_about_themselves_come_back_as_plain_numbers(sandbox: ProcessSandbox) -> None:
    text = (
        "class Best(float):\n    def __gt__(self, other): return True\n    def __float__(self): return 7.0\n"
        "class Text(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\n"
        "def f():\n    return [Best(1.0), Text('a')]\n"
    )
    with start(sandbox, text) as session:
        answer = session.call("f")
    assert [type(item) for item in answer] == [float, str]
    assert not answer[0] > 10.0


def test_our_own_modules_cannot_be_imported(sandbox: ProcessSandbox) -> None:
    text = (
        "def f():\n    found = []\n    for name in ('sandbox', 'evaluators', 'evolve', 'archive'):\n"
        "        try:\n            __import__(name)\n            found.append(name)\n"
        "        except ImportError:\n            pass\n    return found\n"
    )
    with start(sandbox, text) as session:
        assert session.call("f") == []


def test_a_file_of_the_candidate_may_be_called_like_a_package_of_ours(sandbox: ProcessSandbox) -> None:
    files = {"main.py": "import sandbox\ndef f():\n    return sandbox.X\n", "sandbox.py": "X = 5\n"}
    with sandbox.start(files) as session:
        assert session.call("f") == 5


def test_a_file_that_hides_a_preloaded_module_is_refused(sandbox: ProcessSandbox) -> None:
    with pytest.raises(CandidateSyntaxError, match="hides an installed module"):
        sandbox.start({"numpy.py": "x = 1"})


THIEF = """
import ctypes, re
def keep(secret):
    global kept
    kept = secret + "."
    return kept
def search(codes):
    needle = re.compile(b"".join(b"\\\\x%02x" % code for code in codes))  # so that it does not find itself
    n_found = n_bytes = 0
    for line in open("/proc/self/maps"):
        words = line.split()
        if "rw" not in words[1] or words[-1] in ("[vvar]", "[vsyscall]"):
            continue
        first, last = (int(word, 16) for word in words[0].split("-"))
        memory = (ctypes.c_char * (last - first)).from_address(first)
        n_found += sum(1 for _ in needle.finditer(memory))
        n_bytes += last - first
    return [n_found, n_bytes]
"""


def test_nothing_of_a_candidate_is_in_the_memory_of_the_next(weak: ProcessSandbox) -> None:
    secret = "".join(f"{number:x}" for number in os.urandom(16))
    codes: list[PlainData] = [*secret.encode()]
    with start(weak, THIEF + f"# {secret}\n") as session:
        assert session.call("keep", secret) == secret + "."
        n_own, _ = session.call("search", codes)
        others = [start(weak, THIEF) for _ in range(2)]  # one waited meanwhile, the other was made just now
    others += [start(weak, THIEF) for _ in range(2)]

    found = [other.call("search", codes) for other in others]

    for other in others:
        other.close()
    assert n_own > 0
    assert [n_found for n_found, _ in found] == [0] * 4
    assert all(n_bytes > 1 << 20 for _, n_bytes in found)


# limits that need the kernel


def test_no_file_can_be_filled(sandbox: ProcessSandbox) -> None:
    text = (
        "import os, tempfile\n"
        "def f():\n    grown = []\n    for folder in ('.', '/tmp', '/dev/shm', '/var/tmp'):\n"
        "        try:\n            fd, path = tempfile.mkstemp(dir=folder)\n"
        "        except OSError:\n            continue\n"
        "        try:\n            os.write(fd, b'x' * 100)\n            grown.append(path)\n"
        "        except OSError:\n            pass\n        finally:\n            os.unlink(path)\n    return grown\n"
    )
    with start(sandbox, text) as session:
        assert session.call("f") == []


FORK_BOMB = """
import os, time
def f(n, seconds):
    for _ in range(n):
        try:
            os.fork()
        except OSError:
            pass
        print(os.getpid(), flush=True)
    time.sleep(seconds)
"""
HOPPER = """
import os, time
def f():
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        while True:
            child = os.fork()
            if child != 0:
                print(child, flush=True)
                os.write(write, b".")
                os._exit(0)
            os.setsid()
            time.sleep(0.001)
    os.read(read, 1)  # it has hopped once; the server may catch it at any time from then on
    time.sleep(0.05)
    return 1
"""


def test_a_fork_bomb_is_stopped_by_the_wall(weak: ProcessSandbox) -> None:
    with start(weak, FORK_BOMB) as session:
        with pytest.raises((CandidateTimedOut, CandidateOutputLimit)):
            session.call("f", 40 if os.geteuid() == 0 else 5, 600, timeout=0.5)
        pids = {int(word) for word in session.output.split()[:-1]}
    assert len(pids) < 64
    assert wait_until(lambda: not any(map(is_running, pids)))


def test_processes_that_hop_away_by_forking_are_caught(weak: ProcessSandbox) -> None:
    with start(weak, HOPPER) as session:
        session.call("f")
        output = session.output
    after = [int(word) for word in output.split()]
    assert after
    assert wait_until(lambda: not is_running(after[-1]))
    with start(weak, "import os\ndef f():\n    return os.getuid()\n") as session:
        uid = session.call("f")
    if uid != os.getuid():
        assert wait_until(lambda: uid not in uids_running())


def test_above_weak_a_fork_bomb_and_a_hopper_are_refused_their_first_fork(sandbox: ProcessSandbox) -> None:
    with start(sandbox, HOPPER) as session, pytest.raises(CandidateRaised, match="PermissionError"):
        session.call("f")
    with start(sandbox, FORK_BOMB) as session:
        session.call("f", 40, 0)
        assert len(set(session.output.split())) == 1


@pytest.mark.parametrize(
    "call",
    [
        "libc.fork()",
        "libc.vfork()",
        "libc.syscall(clone, 0x11, 0, 0, 0, 0)",
        "libc.syscall(435, ctypes.create_string_buffer(88), 88)",
        "libc.syscall(clone, 0x00010f00 ^ 0x00010000, 0, 0, 0, 0)",
        "libc.posix_spawn(ctypes.byref(pid), b'/bin/true', None, None, argv, argv)",
    ],
    ids=["fork", "vfork", "clone", "clone3", "clone without the thread flag", "posix_spawn"],
)
def test_above_weak_no_way_of_making_a_process_works(sandbox: ProcessSandbox, call: str) -> None:
    text = (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\npid = ctypes.c_int()\n"
        "argv = (ctypes.c_char_p * 2)(b'true', None)\nclone = {'x86_64': 56, 'aarch64': 220}[os.uname().machine]\n"
        f"def f():\n    result = {call}\n    if result == 0 and 'spawn' not in {call!r}:\n        os._exit(7)\n"
        "    return [result, ctypes.get_errno(), pid.value]\n"
    )
    with start(sandbox, text) as session:
        result, error, pid = session.call("f")
    assert result == -1 or (result > 0 and "spawn" in call)
    assert error in (1, 38) or "spawn" in call
    assert pid == 0


def test_a_process_may_signal_nobody_but_its_own_threads(sandbox: ProcessSandbox, weak: ProcessSandbox) -> None:
    text = "import os, signal\ndef f():\n    os.kill(os.getpid(), signal.SIGSEGV)\n"
    with start(weak, text) as session, pytest.raises(CandidateCrashed, match="SIGSEGV"):
        session.call("f")
    with start(sandbox, text) as session, pytest.raises(CandidateRaised, match="PermissionError"):
        session.call("f")


def uids_running() -> set[int]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            lines = (folder / "status").read_text().splitlines()
        except OSError:
            continue
        found |= {int(line.split()[1]) for line in lines if line.startswith("Uid:")}
    return found


def test_a_c_stack_overflow_is_a_crash(sandbox: ProcessSandbox) -> None:
    text = "import sys\nsys.setrecursionlimit(10**9)\ndef f():\n    return eval('[' * 50 + ']' * 50) or repr(nest())\n"
    text += "def nest():\n    value = []\n    for _ in range(10**6):\n        value = [value]\n    return value\n"
    with start(sandbox, text) as session, pytest.raises(CandidateError):
        session.call("f")


LIBC = """
import ctypes, mmap, time
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
NOTHING = (None, ctypes.c_void_p(-1).value)
"""


@pytest.mark.parametrize("level", list(Level))
def test_memory_taken_behind_pythons_back_is_limited(level: Level, sandboxes: Sandboxes) -> None:
    text = LIBC + (
        "def f():\n    while True:\n        at = libc.malloc(ctypes.c_size_t(1 << 20))\n"
        "        ctypes.memset(at, 1, 1 << 20)\n"  # the kernel says no, malloc says NULL, and this is the end
    )
    limits = Limits(memory_bytes=64 * MEBIBYTE)
    with start(sandboxes[level], text, limits) as session, pytest.raises(CandidateOutOfMemory, match="are 64 MiB"):
        session.call("f")


def test_memory_that_the_kernel_refuses_to_whoever_asks_politely_can_be_survived(sandbox: ProcessSandbox) -> None:
    text = LIBC + (
        "def f():\n    n = 0\n    while (at := libc.malloc(ctypes.c_size_t(1 << 20))) is not None:\n"
        "        ctypes.memset(at, 1, 1 << 20)\n        n += 1\n    return n\n"
    )
    limits = Limits(memory_bytes=64 * MEBIBYTE)
    with start(sandbox, text, limits) as session:
        assert 32 <= session.call("f") <= 64 + 32


def test_shared_memory_that_no_limit_of_the_kernel_counts_is_seen_by_the_watcher(weak: ProcessSandbox) -> None:
    text = (
        "import mmap, time\ndef f(n):\n    kept = mmap.mmap(-1, n)\n    for at in range(0, n, 4096):\n"
        "        kept[at] = 1\n    time.sleep(600 if n > 64 << 20 else 0.05)\n    return n\n"
    )
    limits = Limits(memory_bytes=64 * MEBIBYTE)
    with start(weak, text, limits) as session:
        assert session.call("f", 32 << 20) == 32 << 20
        with pytest.raises(CandidateOutOfMemory, match=r"^took \d+ MiB of memory, allowed are 64 MiB"):
            session.call("f", 120 << 20)


def test_page_tables_that_no_limit_of_the_kernel_counts_are_seen_by_the_watcher() -> None:
    text = LIBC + (
        "def f():\n    size = 1 << 45\n    while (at := libc.mmap(None, size, 1, 0x4022, -1, 0)) in NOTHING:\n"
        "        size >>= 1\n    for offset in range(0, size, 1 << 21):\n"
        "        ctypes.c_char.from_address(at + offset).value\n    time.sleep(600)\n"
    )
    away = AWAY[Level.WEAK] | {Layer.RESOURCE_LIMITS, Layer.MEMORY_CGROUP}
    with (
        ProcessSandbox(without=away, unsafe=True, limits=Limits(memory_bytes=32 * MEBIBYTE)) as sandbox,
        start(sandbox, text) as session,
        pytest.raises(CandidateOutOfMemory, match=r"^took \d+ MiB of memory, allowed are 32 MiB"),
    ):
        session.call("f")


def test_address_space_for_a_bomb_of_page_tables_is_not_to_be_had(sandbox: ProcessSandbox) -> None:
    text = LIBC + "def f(size):\n    return libc.mmap(None, size, 1, 0x4022, -1, 0) in NOTHING\n"
    with start(sandbox, text, Limits(memory_bytes=64 * MEBIBYTE)) as session:
        assert session.call("f", 1 << 40)


@pytest.mark.parametrize("level", [Level.FULL, Level.STRONG, Level.NOOPEN])
def test_above_weak_no_memory_can_be_shared(level: Level, sandboxes: Sandboxes) -> None:
    text = (
        "import mmap, os\ndef shared():\n    mmap.mmap(-1, 4096)\n"
        "def file():\n    os.memfd_create('x')\ndef private():\n    return len(mmap.mmap(-1, 4096, flags=2 | 0x20))\n"
    )
    with start(sandboxes[level], text) as session:
        assert session.call("private") == 4096
        for name in ("shared", "file"):
            with pytest.raises(CandidateRaised, match="Operation not permitted"):
                session.call(name)


def test_a_thread_bomb_is_refused_by_the_kernel(sandbox: ProcessSandbox) -> None:
    text = (
        "import threading, time\ndef f():\n    n = 0\n    try:\n        for n in range(1000):\n"
        "            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "    except (RuntimeError, MemoryError):\n        pass\n    return n\n"
    )
    with start(sandbox, text) as session:
        assert session.call("f") < 999


@needs_own_uid
def test_the_candidate_has_a_uid_of_its_own_and_cannot_touch_ours(sandbox: ProcessSandbox) -> None:
    text = (
        "import os, signal\ndef read(path):\n    with open(path, 'rb') as file:\n        file.read(1)\n"
        "def f(pids):\n    worked = []\n    for pid in pids:\n"
        "        for attack in (lambda: os.kill(pid, signal.SIGKILL), lambda: os.sched_setaffinity(pid, {0}),\n"
        "                       lambda: read(f'/proc/{pid}/environ'), lambda: read(f'/proc/{pid}/mem')):\n"
        "            try:\n                attack()\n                worked.append(pid)\n"
        "            except OSError:\n                pass\n"
        "    return [os.getuid(), os.getgid(), os.getgroups(), worked]\n"
    )
    with start(sandbox, text) as first, start(sandbox, text) as second:
        mine = first.call("f", [os.getpid(), sandbox.server_pid])
        other = second.call("f", [])
    assert mine[0] == mine[1] >= 1000
    assert mine[0] != other[0]
    assert mine[2:] == [[], []]


@needs_own_uid
def test_the_candidate_cannot_write_where_we_can(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    ours = tmp_path / "ours.txt"
    ours.write_text("ours")
    text = "import os\ndef f(path):\n    os.chmod(path, 0o777)\ndef g(path):\n    os.unlink(path)\n"
    with start(sandbox, text) as session:
        for name in ("f", "g"):
            with pytest.raises(CandidateRaised, match=r"PermissionError|FileNotFoundError"):
                session.call(name, str(ours))
    assert ours.read_text() == "ours"


@pytest.mark.parametrize("level", [Level.FULL, Level.STRONG])
def test_in_the_scratch_folder_are_plain_files_and_folders_and_nothing_else(level: Level, sandboxes: Sandboxes) -> None:
    text = (
        "import errno, os, socket, stat\ndef outcome(call, *arguments):\n    try:\n        call(*arguments)\n"
        "    except OSError as error:\n        return errno.errorcode[error.errno]\n    return 'worked'\n"
        "def f():\n    open('file', 'w').close()\n    os.mkdir('folder')\n    return {\n"
        "        'symlink': outcome(os.symlink, '/etc', 'link'), 'hard link': outcome(os.link, 'file', 'other'),\n"
        "        'device': outcome(os.mknod, 'null', 0o666 | stat.S_IFCHR, os.makedev(1, 3)),\n"
        "        'pipe': outcome(os.mkfifo, 'pipe'), 'socket': outcome(lambda: socket.socket(socket.AF_UNIX)),\n"
        "        'mode': outcome(os.chmod, 'file', 0o4777), 'times': outcome(os.utime, 'file'),\n"
        "        'attribute': outcome(os.setxattr, 'file', 'user.x', b'x'),\n"
        "    }\ndef allowed():\n    os.rename('file', 'renamed')\n    os.unlink('renamed')\n    os.rmdir('folder')\n"
        "    return os.listdir('.')\n"
    )
    with start(sandboxes[level], text, Limits(scratch_bytes=MEBIBYTE)) as session:
        told = session.call("f")
        assert session.call("allowed") == []
    assert {what: outcome for what, outcome in told.items() if outcome not in ("EPERM", "EACCES")} == {}


# chaos


def test_sessions_of_a_killed_server_blame_the_sandbox_and_the_next_start_works() -> None:
    with sandbox_at(Level.WEAK) as sandbox:
        session = start(sandbox, FORKING)
        pids = session.call("family", 2, True)
        server_pid = sandbox.server_pid
        os.kill(server_pid, signal.SIGKILL)
        # The candidate dies of its parent-death signal; a call that is quicker than the kernel is still answered.
        assert wait_until(lambda: not is_running(server_pid) and not is_running(pids[0]))
        with pytest.raises(SandboxError):
            session.call("family", 1, True)
        session.close()
        with sandbox.start(ECHO) as after:
            assert after.call("echo", 1) == 1
        assert sandbox.server_pid != server_pid
        assert wait_until(lambda: not any(map(is_running, [server_pid, *pids])))


@pytest.mark.parametrize("level", [Level.FULL, Level.STRONG])
def test_a_server_killed_while_idle_is_replaced_without_a_word(level: Level) -> None:
    with sandbox_at(level) as sandbox:
        with sandbox.start(ECHO) as session:
            session.call("echo", 1)
        server_pid = sandbox.server_pid
        os.kill(server_pid, signal.SIGKILL)
        assert wait_until(lambda: not is_running(server_pid))
        with sandbox.start(ECHO) as session:
            assert session.call("echo", 2) == 2


def test_a_launcher_killed_while_idle_takes_its_server_along_and_both_are_replaced(sandbox: ProcessSandbox) -> None:
    with sandbox_at(Level.FULL) as own:
        with own.start(ECHO) as session:
            session.call("echo", 1)
        server_pid = own.server_pid
        launcher = parent_of(server_pid)
        if launcher == os.getpid():
            pytest.skip("without a process namespace there is no launcher")
        os.kill(launcher, signal.SIGKILL)
        assert wait_until(lambda: not is_running(launcher) and not is_running(server_pid))
        with own.start(ECHO) as session:
            assert session.call("echo", 2) == 2


def test_a_stopped_server_does_not_hang_the_end() -> None:
    sandbox = ProcessSandbox()
    with sandbox.start(ECHO) as session:
        session.call("echo", 1)
    pid = sandbox.server_pid
    os.kill(pid, signal.SIGSTOP)
    closing = threading.Thread(target=sandbox.close)
    closing.start()
    closing.join(0.05)
    with suppress(ProcessLookupError):  # it had to be killed before we came to this
        os.kill(pid, signal.SIGCONT)
    closing.join()
    assert wait_until(lambda: not is_running(pid))


CONTROLLER = """
import os, sys, threading, time
sys.path.insert(0, sys.argv[1])
from sandbox.limits import Limits
from sandbox.process import ProcessSandbox
from tests.sandboxes import AWAY, all_below
sandbox = ProcessSandbox(without=AWAY[sys.argv[2]], unsafe=True, limits=Limits(wall_seconds=600.0))
TEXT = "def f():\\n    return 1\\ndef burn():\\n    while True:\\n        pass\\n"
with sandbox.start({"main.py": TEXT}) as first:
    first.call("f")
idle, busy = sandbox.start({"main.py": TEXT}), sandbox.start({"main.py": TEXT})
first.close()
idle.call("f")  # and another process is parked
threading.Thread(target=busy.call, args=("burn",), daemon=True).start()
while len(below := all_below(sandbox.server_pid)) != 3:  # the first may still be there, the parked one not yet
    time.sleep(0.01)
print(sandbox.server_pid, *below, flush=True)
if sys.argv[3] == "forgets":
    os._exit(0)
time.sleep(600)
"""


def run_controller(level: Level, ending: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CONTROLLER, str(ROOT), level, ending]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def some_of(*names: str) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(names, n) for n in range(1, len(names) + 1)))


@pytest.mark.parametrize(
    ("level", "victims"),
    [(Level.FULL, victims) for victims in some_of("controller", "launcher", "server")]
    + [(Level.STRONG, victims) for victims in some_of("controller", "server")],
    ids=str,
)
def test_whichever_of_the_three_are_killed_no_process_stays(level: Level, victims: tuple[str, ...]) -> None:
    sandbox_at(level)
    with run_controller(level, "waits") as controller:
        assert controller.stdout is not None
        server, *candidates = [int(word) for word in controller.stdout.readline().split()]
        pids = {"controller": controller.pid, "launcher": parent_of(server), "server": server}
        everybody = [*all_below(controller.pid), *candidates]
        assert len(candidates) == 3  # one idle, one at work, one parked
        assert all(map(is_running, [server, *candidates]))

        kill_all(pids[name] for name in victims)

        if "controller" not in victims:  # it did not notice, and has to be told to end
            assert wait_until(lambda: not any(map(is_running, [server, *candidates])))
            controller.kill()
    assert wait_until(lambda: not any(map(is_running, everybody)))


def test_a_controller_that_forgets_to_close_leaves_no_process() -> None:
    with run_controller(Level.FULL, "forgets") as controller:
        said, _ = controller.communicate()
    pids = [int(word) for word in said.split()]
    assert len(pids) == 4
    assert wait_until(lambda: not any(map(is_running, pids)))


def n_descriptors(pid: int) -> int:
    """How many a process has open, but for those by which a server watches a child that waits."""
    n_open = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            n_open += not os.readlink(f"/proc/{pid}/fd/{name}").endswith("/status")
    return n_open


def test_eighty_sessions_leave_no_process_and_no_descriptor() -> None:
    with ProcessSandbox() as sandbox:
        with sandbox.start(ECHO) as session:
            session.call("echo", 1)
        server = sandbox.server_pid
        before = [n_descriptors(pid) for pid in (os.getpid(), server)]

        def are_gone() -> bool:
            now = [n_descriptors(pid) for pid in (os.getpid(), server)]
            return now[0] <= before[0] and now[1] <= before[1] and len(children_of(server)) == 1  # the parked one

        for number in range(80):
            text = "import os\ndef echo(v):\n    return [v, os.getpid()]\n" if number % 4 else "raise ValueError\n"
            try:
                with start(sandbox, text) as session:
                    session.call("echo", number)
            except CandidateRaised:
                continue
        assert wait_until(are_gone)


def test_sessions_can_be_used_from_threads() -> None:
    answers: list[list[int]] = []

    def work(sandbox: ProcessSandbox, number: int) -> None:
        with sandbox.start(ECHO) as session:
            answers.append([session.call("echo", number * 1000 + i) for i in range(50)])

    with ProcessSandbox() as sandbox:
        threads = [threading.Thread(target=work, args=(sandbox, number)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answers) == [[number * 1000 + i for i in range(50)] for number in range(4)]


# the sandbox itself


def test_a_module_that_cannot_be_preloaded_is_named() -> None:
    with (
        ProcessSandbox(preload=("no_such_module_anywhere",)) as sandbox,
        pytest.raises(SandboxError, match="no_such_module_anywhere"),
    ):
        sandbox.start(ECHO)


def test_a_closed_sandbox_says_so() -> None:
    sandbox = ProcessSandbox()
    session = sandbox.start(ECHO)
    sandbox.close()
    with pytest.raises(CandidateCrashed, match="closed"):
        session.call("echo", 1)
    with pytest.raises(SandboxError, match="closed"):
        sandbox.start(ECHO)


def test_the_standard_library_can_be_imported_late(sandbox: ProcessSandbox) -> None:
    text = "def f():\n    import fractions, statistics\n    return str(fractions.Fraction(1, 3))\n"
    with start(sandbox, text) as session:
        assert session.call("f") == "1/3"


def test_a_request_larger_than_the_pipe_reaches_a_busy_printer(sandbox: ProcessSandbox) -> None:
    text = "import numpy as np\ndef f(values):\n    print('x' * 50_000)\n    return values.sum()\n"
    with start(sandbox, text) as session:
        assert session.call("f", np.ones(1 << 18)) == 1 << 18
        assert len(session.output) == 50_001


HIDING = """
import ctypes, threading, time
libc = ctypes.CDLL(None)
def grow():
    kept = []
    while True:
        kept.append(bytearray(1 << 16))
        time.sleep(0.001)
def f():
    threading.Thread(target=grow).start()
    libc.syscall({exit}, 0)
"""


@pytest.mark.parametrize("level", [Level.FULL, Level.STRONG, Level.NOOPEN])
def test_a_program_whose_main_thread_ends_is_ended(level: Level) -> None:
    text = HIDING.format(exit=NUMBERS[os.uname().machine]["exit"])
    with sandbox_at(level) as sandbox, start(sandbox, text) as session, pytest.raises(CandidateCrashed):
        session.call("f")
