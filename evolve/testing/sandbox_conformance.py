# ruff: noqa: D102 the name of a test is its docstring
"""What every sandbox for Python candidates must do: a test class to inherit; `make` builds the sandbox under test."""

import os
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from sandbox.contract import Sandbox
from sandbox.errors import (
    CandidateCrashed,
    CandidateDiskLimit,
    CandidateError,
    CandidateFileLimit,
    CandidateForbidden,
    CandidateNotFinite,
    CandidateOutOfCpu,
    CandidateOutOfMemory,
    CandidateOutputLimit,
    CandidateProcessLimit,
    CandidateRaised,
    CandidateResultInvalid,
    CandidateSyntaxError,
    CandidateTimedOut,
)
from sandbox.limits import MEBIBYTE, Limits
from sandbox.wire import PlainDataError

SECRET_NAME = "SANDBOX_CONFORMANCE_API_KEY"  # noqa: S105 a name
SECRET = "sk-conformance-0123456789"  # noqa: S105 made up
PATIENCE_SECONDS = 60.0

ECHO = "def echo(*values):\n    return values[0] if len(values) == 1 else values\n"
FORKING = """
import os, time
def family(n_children, leaves_group):
    pids = [os.getpid()]
    read, write = os.pipe()
    for _ in range(n_children):
        if os.fork() == 0:
            if leaves_group:
                os.setsid()
                child = os.fork()
                if child != 0:  # who has lost its parent may be killed before it can tell anything
                    os.write(write, b"%d " % child)
                    os._exit(0)
            else:
                os.write(write, b"%d " % os.getpid())
            time.sleep(600)
            os._exit(0)
    heard = b""
    while heard.count(b" ") < n_children:
        heard += os.read(read, 1000)
    return pids + [int(word) for word in heard.split()]
"""
LOOKING = """
import os, sys
def environment():
    at_start = "not to be seen"
    try:
        with open("/proc/self/environ", "rb") as file:
            at_start = file.read().decode()
    except OSError:
        pass
    return [" ".join(os.environ), " ".join(os.environ.values()), at_start]
def descriptors():
    found = []
    for number in range(3, 4096):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found
def folder():
    try:
        return os.listdir(".")
    except OSError:
        return []
def remember(value):
    sys.modules["math"].planted = value
def remembered():
    import math
    return getattr(math, "planted", None)
"""


def is_running(pid: int) -> bool:
    """Whether a process exists and is not just waiting to be reaped."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(holds: Callable[[], bool]) -> bool:
    """Poll a condition for at most a minute: machines are busy."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


class SandboxConformance:
    """Inherit, implement `make`, and pytest runs the suite."""

    @classmethod
    @abstractmethod
    def make(cls) -> Sandbox:
        """A sandbox that the suite may use and then closes."""

    @pytest.fixture(scope="class")
    @classmethod
    def sandbox(cls) -> Iterator[Sandbox]:
        """One sandbox for the whole suite: what one candidate does must not harm the next."""
        os.environ[SECRET_NAME] = SECRET
        sandbox = cls.make()
        try:
            yield sandbox
        finally:
            sandbox.close()
            del os.environ[SECRET_NAME]

    # what comes back

    @pytest.mark.parametrize(
        "value",
        [None, True, 0, -(10**30), 0.1, -0.0, 5e-324, "", 'ünïcode \u2028 \\ "', [], {}, [[1, 2.0], {"$a": {"$": 1}}]],
        ids=repr,
    )
    def test_plain_data_comes_back_equal_and_of_the_same_type(self, sandbox: Sandbox, value: Any) -> None:
        with sandbox.start({"main.py": ECHO}) as session:
            answer = session.call("echo", value)
        assert answer == value
        assert type(answer) is type(value)

    @pytest.mark.parametrize("dtype", ["?", "i1", "i8", "u1", "u8", "f2", "f4", "f8", ">f8"])
    @pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)], ids=str)
    def test_arrays_come_back_equal_with_shape_and_type(
        self, sandbox: Sandbox, dtype: str, shape: tuple[int, ...]
    ) -> None:
        value = np.arange(int(np.prod(shape)), dtype="f8").reshape(shape).astype(dtype)
        with sandbox.start({"main.py": ECHO}) as session:
            answer = session.call("echo", {"nested": [value, 1, value.T]})
        np.testing.assert_array_equal(answer["nested"][0], value)
        np.testing.assert_array_equal(answer["nested"][2], value.T)
        assert answer["nested"][0].dtype == value.dtype.newbyteorder("<")
        assert answer["nested"][0].shape == shape

    def test_a_large_array_makes_the_round_trip(self, sandbox: Sandbox) -> None:
        value = np.arange(1 << 20, dtype=np.float64)
        with sandbox.start({"main.py": ECHO}) as session:
            answer = session.call("echo", value)
            assert answer.flags.writeable
            np.testing.assert_array_equal(session.call("echo", answer), value)

    def test_tuples_become_lists_and_numpy_scalars_numbers(self, sandbox: Sandbox) -> None:
        text = "import numpy as np\ndef f():\n    return (np.float32(0.5), np.int8(3), np.bool_(True), np.str_('x'))\n"
        with sandbox.start({"main.py": text}) as session:
            answer = session.call("f")
        assert answer == [0.5, 3, True, "x"]
        assert [type(item) for item in answer] == [float, int, bool, str]

    def test_files_import_each_other(self, sandbox: Sandbox) -> None:
        files = {
            "solver.py": "from parts.tools import twice\nimport numbers_of_mine\n"
            "def solve(x):\n    return twice(x) + numbers_of_mine.ONE\n",
            "parts/tools.py": "def twice(x):\n    return 2 * x\n",
            "numbers_of_mine.py": "ONE = 1\n",
        }
        with sandbox.start(files) as session:
            assert session.call("solve", 20) == 41
        with sandbox.start(files, entry="parts/tools.py") as session:
            assert session.call("twice", 4) == 8

    def test_a_session_remembers_and_its_neighbour_does_not_know(self, sandbox: Sandbox) -> None:
        with sandbox.start({"main.py": LOOKING}) as first, sandbox.start({"main.py": LOOKING}) as second:
            first.call("remember", "secret")
            assert first.call("remembered") == "secret"
            assert second.call("remembered") is None
        with sandbox.start({"main.py": LOOKING}) as third:
            assert third.call("remembered") is None

    def test_every_session_starts_from_the_same_random_state(self, sandbox: Sandbox) -> None:
        text = (
            "import random\nimport numpy as np\n"
            "def draw():\n    return [random.random(), np.random.rand(), str({'a', 'b', 'c', 'd'})]\n"
        )
        draws = []
        for _ in range(2):
            with sandbox.start({"main.py": text}) as session:
                draws.append(session.call("draw"))
        assert draws[0] == draws[1]

    def test_what_is_printed_can_be_read(self, sandbox: Sandbox) -> None:
        text = (
            "import sys\nprint('loading')\n"
            "def f():\n    print('\\033[31mout\\x00')\n    print('err', file=sys.stderr)\n"
        )
        with sandbox.start({"main.py": text}) as session:
            session.call("f")
            assert session.output == "loading\n[31mout\nerr\n"

    # what is raised

    def test_an_exception_comes_with_its_traceback_and_the_session_goes_on(self, sandbox: Sandbox) -> None:
        text = "def f(x):\n    return 1 / x\n"
        with sandbox.start({"main.py": text}) as session:
            with pytest.raises(CandidateRaised) as caught:
                session.call("f", 0)
            assert session.call("f", 2) == 0.5
        assert 'File "main.py", line 2, in f\n    return 1 / x' in caught.value.detail
        assert caught.value.detail.endswith("ZeroDivisionError: division by zero\n")
        assert "sandbox" not in caught.value.detail

    def test_an_exception_while_loading_is_raised_by_start(self, sandbox: Sandbox) -> None:
        with pytest.raises(CandidateRaised, match="KeyError: 'x'"):
            sandbox.start({"main.py": "y = {}['x']\n"})

    def test_an_exception_that_cannot_be_shown_is_still_an_exception(self, sandbox: Sandbox) -> None:
        text = "class E(Exception):\n    def __str__(self):\n        raise SystemExit(self)\ndef f():\n    raise E\n"
        with sandbox.start({"main.py": text}) as session, pytest.raises(CandidateRaised):
            session.call("f")

    @pytest.mark.parametrize(
        ("files", "says"),
        [
            ({"main.py": "def f(:\n"}, 'File "main.py", line 1'),
            ({"main.py": "x = 1\n", "other.py": "\nif\n"}, 'File "other.py", line 2'),
            ({"main.py": "x = 1\0"}, "null bytes"),
            ({"main.py": "x = '\udc80'"}, "not text"),
            ({"main.py": "(" * 5000 + ")" * 5000}, "nested"),
            ({"random.py": "x = 1"}, "hides the standard module 'random'"),
            ({"../main.py": "x = 1"}, "is not a module's"),
            ({"notes.txt": "x = 1"}, "is not a module's"),
            ({"a.py": "x = 1", "a/__init__.py": "x = 1"}, "one module"),
            ({}, "entry file"),
        ],
    )
    def test_text_that_cannot_be_a_program_is_a_syntax_error(
        self, sandbox: Sandbox, files: dict[str, str], says: str
    ) -> None:
        with pytest.raises(CandidateSyntaxError) as caught:
            sandbox.start(files)
        assert says in caught.value.detail

    def test_a_missing_function_is_named_with_what_there_is(self, sandbox: Sandbox) -> None:
        with sandbox.start({"main.py": ECHO}) as session, pytest.raises(CandidateRaised, match="did you mean 'echo'"):
            session.call("ecko")

    @pytest.mark.parametrize(
        "number", ["float('nan')", "[1.0, float('inf')]", "np.array([0.0, np.nan])", "np.float32('inf')"]
    )
    def test_an_answer_that_is_not_finite_is_refused(self, sandbox: Sandbox, number: str) -> None:
        text = f"import numpy as np\ndef f():\n    return {number}\n"
        with sandbox.start({"main.py": text}) as session, pytest.raises(CandidateNotFinite):
            session.call("f")

    @pytest.mark.parametrize(
        "value",
        [
            "{1, 2}",
            "object()",
            "len",
            "{1: 2}",
            "1j",
            "b'bytes'",
            "np.array([object()])",
            "np.array([1j])",
            "np.array(['text'])",
            "np.zeros(2, dtype='f4,i4')",
            "np.datetime64('2020-01-01')",
            "10 ** 2000",
            "'\\ud800'",
            "deep(500)",
            "cycle()",
        ],
    )
    def test_an_answer_that_is_not_plain_data_is_refused(self, sandbox: Sandbox, value: str) -> None:
        text = (
            "import numpy as np\n"
            "def deep(n):\n    value = []\n    for _ in range(n):\n        value = [value]\n    return value\n"
            "def cycle():\n    value = []\n    value.append(value)\n    return value\n"
            f"def f():\n    return {value}\n"
        )
        with sandbox.start({"main.py": text}) as session, pytest.raises(CandidateResultInvalid):
            session.call("f")

    @pytest.mark.parametrize(
        "value",
        [{1, 2}, float("nan"), nested(40), {3: 4}, np.array([object()])],
        ids=["set", "nan", "deep", "number keys", "objects"],
    )
    def test_arguments_that_are_not_plain_data_are_the_callers_mistake(self, sandbox: Sandbox, value: Any) -> None:
        with sandbox.start({"main.py": ECHO}) as session:
            with pytest.raises(PlainDataError):
                session.call("echo", value)
            assert session.call("echo", 1) == 1

    @pytest.mark.parametrize(
        ("statement", "says"),
        [
            ("raise SystemExit(3)", "status 3"),
            ("import os; os._exit(0)", "status 0"),
            ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
            ("import os; os.abort()", "SIGABRT|SIGSEGV"),  # the first process of a namespace gets no SIGABRT
        ],
    )
    def test_a_process_that_ends_without_an_answer_has_crashed(
        self, sandbox: Sandbox, statement: str, says: str
    ) -> None:
        with sandbox.start({"main.py": f"def f():\n    print('last words')\n    {statement}\n"}) as session:
            with pytest.raises(CandidateCrashed, match=says) as caught:
                session.call("f")
            assert "last words" in caught.value.detail
            with pytest.raises(CandidateCrashed, match=says):
                session.call("f")

    # limits

    @pytest.mark.parametrize(
        "statement", ["while True: pass", "import time; time.sleep(600)", "import signal; signal.pause()"]
    )
    def test_a_call_that_takes_too_long_ends_the_session(self, sandbox: Sandbox, statement: str) -> None:
        with sandbox.start({"main.py": f"def f():\n    {statement}\n"}) as session:
            with pytest.raises(CandidateTimedOut, match=r"0\.2 s"):
                session.call("f", timeout=0.2)
            with pytest.raises(CandidateTimedOut):
                session.call("f")

    def test_loading_has_a_wall_limit_too(self, sandbox: Sandbox) -> None:
        with pytest.raises(CandidateTimedOut):
            sandbox.start({"main.py": "while True:\n    pass\n"}, limits=Limits(wall_seconds=0.2))

    def test_a_timeout_longer_than_the_wall_limit_does_not_lift_it(self, sandbox: Sandbox) -> None:
        text = "import time\ndef f():\n    time.sleep(600)\n"
        with (
            sandbox.start({"main.py": text}, limits=Limits(wall_seconds=0.6)) as session,
            pytest.raises(CandidateTimedOut, match=r"0\.6 s"),
        ):
            session.call("f", timeout=60.0)

    def test_cpu_time_is_limited_over_all_calls_and_threads(self, sandbox: Sandbox) -> None:
        text = (
            "import signal, threading\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"
            "def burn():\n    while True:\n        pass\n"
            "def start():\n    threading.Thread(target=burn, daemon=True).start()\n"
        )
        with sandbox.start({"main.py": text}, limits=Limits(wall_seconds=30.0, cpu_seconds=1.0)) as session:
            session.call("start")
            with pytest.raises(CandidateOutOfCpu, match="1 s of CPU"):
                session.call("burn")

    @pytest.mark.parametrize(
        "statement",
        [
            "bytearray(400 << 20)",
            "np.ones(50 << 20)",
            "[bytes(1 << 20) for _ in range(400)]",
            "mmap.mmap(-1, 1 << 30)",
            "mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE)",
        ],
    )
    def test_memory_is_limited(self, sandbox: Sandbox, statement: str) -> None:
        text = f"import mmap\nimport numpy as np\ndef f():\n    kept = {statement}\n    return len(kept)\n"
        with (
            sandbox.start({"main.py": text}, limits=Limits(memory_bytes=128 * MEBIBYTE)) as session,
            pytest.raises((CandidateOutOfMemory, CandidateRaised)) as caught,
        ):
            session.call("f")
        if isinstance(caught.value, CandidateOutOfMemory):
            assert "128 MiB allowed" in caught.value.detail
        else:
            assert "mmap" in statement  # shared memory may be refused altogether
            assert "Operation not permitted" in caught.value.detail

    def test_memory_within_the_limit_is_granted(self, sandbox: Sandbox) -> None:
        text = "import numpy as np\ndef f():\n    return float(np.ones(12 << 20).sum())\n"
        with sandbox.start({"main.py": text}, limits=Limits(memory_bytes=128 * MEBIBYTE)) as session:
            assert session.call("f") == 12 << 20

    @pytest.mark.parametrize("write", ["print('x' * 1000)", "os.write(2, b'x' * 100000)"])
    def test_a_flood_of_output_ends_the_session(self, sandbox: Sandbox, write: str) -> None:
        text = f"import os\ndef f():\n    while True:\n        {write}\n"
        with sandbox.start({"main.py": text}, limits=Limits(output_bytes=10_000)) as session:
            with pytest.raises(CandidateOutputLimit):
                session.call("f")
            assert len(session.output) <= 10_000

    @pytest.mark.parametrize("answer", ["'x' * 100_000", "np.zeros(100_000)", "[0] * 100_000"])
    def test_an_answer_that_is_too_long_is_refused(self, sandbox: Sandbox, answer: str) -> None:
        text = f"import numpy as np\ndef f():\n    return {answer}\n"
        with (
            sandbox.start({"main.py": text}, limits=Limits(result_bytes=50_000)) as session,
            pytest.raises(CandidateOutputLimit),
        ):
            session.call("f")

    def test_more_threads_than_allowed_are_refused_with_the_limit_and_its_value(self, sandbox: Sandbox) -> None:
        text = (
            "import threading, time\n"
            "def f(n):\n    for _ in range(n):\n"
            "        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n    return n\n"
            "def hold():\n    f(10)\n    time.sleep(600)\n"
        )
        limits = Limits(n_processes=8)
        with sandbox.start({"main.py": text}, limits=limits) as session:
            assert session.call("f", 4) == 4
        with (
            sandbox.start({"main.py": text}, limits=limits) as session,
            pytest.raises(CandidateProcessLimit, match=r"\b8\b"),
        ):
            session.call("hold")

    def test_more_open_files_than_allowed_are_refused_with_the_limit_and_its_value(self, sandbox: Sandbox) -> None:
        text = "import os\nkept = []\ndef f(n):\n    for _ in range(n):\n        kept.append(os.dup(1))\n    return n\n"
        with sandbox.start({"main.py": text}, limits=Limits(n_files=20)) as session:
            assert session.call("f", 15) == 15
            with pytest.raises(CandidateFileLimit, match="than the 20 allowed"):
                session.call("f", 15)

    def test_the_scratch_folder_holds_what_it_may_and_no_more(self, sandbox: Sandbox) -> None:
        text = (
            "import os, time\ndef f(n):\n    for number in range(n):\n"
            "        with open(f'file{number}', 'wb') as file:\n            file.write(bytes(65536))\n"
            "        time.sleep(0.002)\n    return sorted(os.listdir('.'))\n"
            "def hold(n):\n    f(n)\n    time.sleep(600)\n"
        )
        if sandbox.level == "NOOPEN":
            pytest.skip("where no file can be opened there is no scratch folder")
        limits = Limits(scratch_bytes=1 << 20)
        with sandbox.start({"main.py": text}, limits=limits) as session:
            assert session.call("f", 2) == ["file0", "file1"]
        with (
            sandbox.start({"main.py": text}, limits=limits) as session,
            pytest.raises(CandidateDiskLimit, match="1048576"),
        ):
            session.call("hold", 40)
        with sandbox.start({"main.py": text}, limits=limits) as session:
            assert session.call("f", 1) == ["file0"]

    def test_one_file_beyond_the_scratch_folder_is_a_disk_limit(self, sandbox: Sandbox) -> None:
        text = "def f():\n    with open('file', 'wb') as file:\n        file.write(bytes(2 << 20))\n"
        if sandbox.level == "NOOPEN":
            pytest.skip("where no file can be opened there is no scratch folder")
        with (
            sandbox.start({"main.py": text}, limits=Limits(scratch_bytes=1 << 20)) as session,
            pytest.raises(CandidateDiskLimit, match="1048576"),
        ):
            session.call("f")

    def test_without_a_scratch_folder_nothing_can_be_written(self, sandbox: Sandbox) -> None:
        text = "def f():\n    with open('file', 'wb') as file:\n        file.write(b'x' * 100)\n"
        with sandbox.start({"main.py": text}) as session, pytest.raises(CandidateError):
            session.call("f")

    def test_a_call_that_only_an_attack_makes_ends_the_process(self, sandbox: Sandbox) -> None:
        text = "import ctypes\ndef f():\n    return ctypes.CDLL(None).ptrace(0, 0, 0, 0)\n"
        if sandbox.level == "WEAK":
            pytest.skip("WEAK lets every call pass")
        with sandbox.start({"main.py": text}) as session, pytest.raises(CandidateForbidden):
            session.call("f")

    def test_no_process_can_be_started(self, sandbox: Sandbox) -> None:
        text = (
            "import os\ndef fork():\n    return os.fork()\n"
            "def execute():\n    os.execv('/bin/true', ['true'])\n"
            "def run():\n    import subprocess\n    subprocess.run(['/bin/true'])\n"
        )
        if sandbox.level == "WEAK":
            pytest.skip("WEAK lets every call pass")
        with sandbox.start({"main.py": text}) as session:
            for name in ("fork", "execute", "run"):
                with pytest.raises(CandidateRaised, match=r"PermissionError|FileNotFoundError|ModuleNotFoundError"):
                    session.call(name)

    # what a candidate sees

    def test_no_secret_is_in_the_environment(self, sandbox: Sandbox) -> None:
        with sandbox.start({"main.py": LOOKING}) as session:
            seen = " ".join(session.call("environment"))
        assert SECRET not in seen
        assert SECRET_NAME not in seen

    def test_no_descriptors_are_open_but_its_own_pipes(self, sandbox: Sandbox) -> None:
        with open(os.devnull, "rb") as ours:
            os.set_inheritable(ours.fileno(), True)
            with sandbox.start({"main.py": LOOKING}), sandbox.start({"main.py": LOOKING}) as session:
                assert len(session.call("descriptors")) <= 2

    def test_the_working_folder_is_empty(self, sandbox: Sandbox) -> None:
        with sandbox.start({"main.py": LOOKING}) as session:
            assert session.call("folder") == []

    # what is left behind

    @pytest.mark.parametrize("leaves_group", [False, True])
    def test_nothing_that_a_candidate_started_outlives_its_session(self, sandbox: Sandbox, leaves_group: bool) -> None:
        with sandbox.start({"main.py": FORKING}) as session:
            try:
                pids = session.call("family", 3, leaves_group)
            except CandidateRaised:
                return  # it may not start processes at all
        assert wait_until(lambda: not any(map(is_running, pids)))

    def test_children_of_a_candidate_that_exits_die_with_it(self, sandbox: Sandbox) -> None:
        text = FORKING + "def leave():\n    print(*family(2, False))\n    os._exit(0)\n"
        with sandbox.start({"main.py": text}) as session:
            with pytest.raises((CandidateCrashed, CandidateRaised)):
                session.call("leave")
            pids = [int(word) for word in session.output.split() if word.isdecimal()]
        assert wait_until(lambda: not any(map(is_running, pids)))

    def test_a_session_that_was_closed_cannot_be_called(self, sandbox: Sandbox) -> None:
        session = sandbox.start({"main.py": ECHO})
        session.close()
        session.close()
        with pytest.raises(CandidateCrashed, match="closed"):
            session.call("echo", 1)

    def test_many_sessions_can_be_open_at_once(self, sandbox: Sandbox) -> None:
        sessions = [sandbox.start({"main.py": ECHO}) for _ in range(5)]
        try:
            assert [session.call("echo", i) for i, session in enumerate(sessions)] == [0, 1, 2, 3, 4]
        finally:
            for session in sessions:
                session.close()

    def test_the_level_is_a_word(self, sandbox: Sandbox) -> None:
        assert sandbox.level in {"WEAK", "NOOPEN", "STRONG", "FULL"}
