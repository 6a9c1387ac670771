import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from evolve.testing.sandbox_conformance import FORKING, is_running, wait_until
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
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox
from sandbox.session import ProcessSession

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
needs_own_uid = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give candidates another uid")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    with ProcessSandbox() as sandbox:
        yield sandbox


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
            session.call("f", timeout=5.0)
        with pytest.raises(CandidateResultInvalid):
            session.call("f")


def test_an_answer_given_in_advance_is_not_taken_for_the_next(sandbox: ProcessSandbox) -> None:
    text = (
        f"{FRAMES}\nimport threading, time\n"
        "def later():\n    time.sleep(0.05)\n    answer(frame('[\"ok\", 99]'))\n"
        "def f():\n    threading.Thread(target=later).start()\n    return 1\ndef wait():\n    time.sleep(600)\n"
    )
    with start(sandbox, text) as session:
        assert session.call("f") == 1
        threading.Event().wait(0.3)
        with pytest.raises(CandidateResultInvalid, match="no request"):
            session.call("f")


def test_an_announced_length_beyond_the_limit_is_a_flood_at_once(sandbox: ProcessSandbox) -> None:
    text = f"{FRAMES}\nimport time\ndef f():\n    answer(frame('x', size=0xffffffff))\n    time.sleep(600)\n"
    with start(sandbox, text) as session, pytest.raises(CandidateOutputLimit):
        session.call("f", timeout=5.0)


def test_half_an_answer_is_a_timeout(sandbox: ProcessSandbox) -> None:
    text = f"{FRAMES}\nimport time\ndef f():\n    answer(frame('[\"ok\", 1]')[:-2])\n    time.sleep(600)\n"
    with start(sandbox, text) as session, pytest.raises(CandidateTimedOut):
        session.call("f", timeout=0.2)


def test_an_answer_in_drips_is_a_timeout(sandbox: ProcessSandbox) -> None:
    text = f"{FRAMES}\nimport time\ndef f():\n    os.write(4, frame('x', size=1000))\n"
    text += "    while True:\n        os.write(4, b' ')\n        time.sleep(0.01)\n"
    with start(sandbox, text) as session, pytest.raises(CandidateTimedOut):
        session.call("f", timeout=0.3)


@pytest.mark.parametrize("descriptor", [3, 4])
def test_closing_its_own_pipes_is_a_crash(sandbox: ProcessSandbox, descriptor: int) -> None:
    text = f"import os, time\ndef f():\n    os.close({descriptor})\n    return 1\n"
    with start(sandbox, text) as session:
        with suppress(CandidateCrashed):  # the answers' pipe: this call's own answer is lost already
            session.call("f", timeout=5.0)
        with pytest.raises(CandidateCrashed):
            session.call("f", timeout=5.0)


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


def test_a_fork_bomb_is_stopped_by_the_wall(sandbox: ProcessSandbox) -> None:
    text = (
        "import os, time\ndef f():\n    for _ in range(40):\n        try:\n            os.fork()\n"
        "        except OSError:\n            pass\n        print(os.getpid(), flush=True)\n    time.sleep(600)\n"
    )
    if os.geteuid() != 0:
        text = text.replace("range(40)", "range(5)")
    with start(sandbox, text) as session:
        with pytest.raises((CandidateTimedOut, CandidateOutputLimit)):
            session.call("f", timeout=0.5)
        pids = {int(word) for word in session.output.split()[:-1]}
    assert len(pids) < 64
    assert wait_until(lambda: not any(map(is_running, pids)))


def test_processes_that_hop_away_by_forking_are_caught(sandbox: ProcessSandbox) -> None:
    text = (
        "import os, time\ndef f():\n    if os.fork() == 0:\n        os.setsid()\n"
        "        while True:\n            if os.fork() != 0:\n                os._exit(0)\n"
        "            os.setsid()\n            print(os.getpid(), flush=True)\n            time.sleep(0.01)\n"
        "    time.sleep(0.2)\n    return 1\n"
    )
    with start(sandbox, text) as session:
        session.call("f")
        output = session.output
    after = [int(word) for word in output.split()]
    assert after
    assert wait_until(lambda: not is_running(after[-1]))
    with start(sandbox, "import os\ndef f():\n    return os.getuid()\n") as session:
        uid = session.call("f")
    if uid != os.getuid():
        assert uids_running().isdisjoint({uid})


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
        session.call("f", timeout=5.0)


def test_memory_taken_behind_pythons_back_is_limited(sandbox: ProcessSandbox) -> None:
    text = (
        "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.malloc.restype = ctypes.c_void_p\n"
        "def f():\n    while True:\n        at = libc.malloc(ctypes.c_size_t(1 << 20))\n"
        "        ctypes.memset(at, 1, 1 << 20)\n"
    )
    limits = Limits(memory_bytes=64 * MEBIBYTE)
    with start(sandbox, text, limits) as session, pytest.raises(CandidateOutOfMemory):
        session.call("f")


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


# chaos


def test_sessions_of_a_killed_server_blame_the_sandbox_and_the_next_start_works() -> None:
    with ProcessSandbox() as sandbox:
        session = start(sandbox, FORKING)
        pids = session.call("family", 2, True)
        server_pid = sandbox.server_pid
        os.kill(server_pid, signal.SIGKILL)
        with pytest.raises(SandboxError):
            session.call("family", 1, True)
        session.close()
        with sandbox.start(ECHO) as after:
            assert after.call("echo", 1) == 1
        assert sandbox.server_pid != server_pid
        assert wait_until(lambda: not any(map(is_running, [server_pid, *pids])))


def test_a_server_killed_while_idle_is_replaced_without_a_word() -> None:
    with ProcessSandbox() as sandbox:
        with sandbox.start(ECHO) as session:
            session.call("echo", 1)
        server_pid = sandbox.server_pid
        os.kill(server_pid, signal.SIGKILL)
        assert wait_until(lambda: not is_running(server_pid))
        with sandbox.start(ECHO) as session:
            assert session.call("echo", 2) == 2


def test_a_stopped_server_does_not_hang_the_end() -> None:
    sandbox = ProcessSandbox()
    with sandbox.start(ECHO) as session:
        session.call("echo", 1)
    pid = sandbox.server_pid
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (pid, signal.SIGCONT)).start()
    sandbox.close()
    assert not is_running(pid)


CONTROLLER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from evolve.testing.sandbox_conformance import FORKING
from sandbox.process import ProcessSandbox
sandbox = ProcessSandbox()
session = sandbox.start({"main.py": FORKING + "def burn():\\n    while True:\\n        pass\\n"})
print(sandbox.server_pid, *session.call("family", 2, True), flush=True)
if sys.argv[2] == "busy":
    session.call("burn")
time.sleep(600)
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_killed_controller_leaves_no_process(state: str) -> None:
    command = [sys.executable, "-c", CONTROLLER, str(ROOT), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        pids = [int(word) for word in controller.stdout.readline().split()]
        assert len(pids) == 4
        assert all(map(is_running, pids))
        controller.kill()
    assert wait_until(lambda: not any(map(is_running, pids)))


def test_a_controller_that_forgets_to_close_leaves_no_process() -> None:
    text = CONTROLLER.replace("time.sleep(600)", "import os; os._exit(0)")
    command = [sys.executable, "-c", text, str(ROOT), "idle"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    pids = [int(word) for word in done.stdout.split()]
    assert wait_until(lambda: not any(map(is_running, pids)))


def test_two_hundred_sessions_leave_no_process_no_descriptor_and_no_folder() -> None:
    with ProcessSandbox() as sandbox:
        with sandbox.start(ECHO) as session:
            session.call("echo", 1)
        server = sandbox.server_pid
        before = [len(os.listdir(f"/proc/{pid}/fd")) for pid in (os.getpid(), server)]
        folders = set(Path("/tmp").glob("evolve-sandbox-*/*"))
        for number in range(200):
            text = "import os\ndef echo(v):\n    return [v, os.getpid()]\n" if number % 4 else "raise ValueError\n"
            try:
                with start(sandbox, text) as session:
                    session.call("echo", number)
            except CandidateRaised:
                continue
        assert [len(os.listdir(f"/proc/{pid}/fd")) for pid in (os.getpid(), server)] == before
        assert set(Path("/tmp").glob("evolve-sandbox-*/*")) <= folders
        assert Path(f"/proc/{server}/task/{server}/children").read_text() == ""


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


def test_what_confines_candidates_is_told(sandbox: ProcessSandbox) -> None:
    assert sandbox.level == "WEAK"
    assert {"rlimits", "own-session", "no-new-privileges"} <= set(sandbox.measures)


def test_the_standard_library_can_be_imported_late(sandbox: ProcessSandbox) -> None:
    text = "def f():\n    import fractions, statistics\n    return str(fractions.Fraction(1, 3))\n"
    with start(sandbox, text) as session:
        assert session.call("f") == "1/3"


def test_a_request_larger_than_the_pipe_reaches_a_busy_printer(sandbox: ProcessSandbox) -> None:
    text = "import numpy as np\ndef f(values):\n    print('x' * 50_000)\n    return values.sum()\n"
    with start(sandbox, text) as session:
        assert session.call("f", np.ones(1 << 18)) == 1 << 18
        assert len(session.output) == 50_001
