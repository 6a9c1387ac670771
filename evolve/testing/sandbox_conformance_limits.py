# ruff: noqa: D102 the name of a test is its docstring
"""What every sandbox must do: limits, and how meeting one is told."""

import pytest

from sandbox.contract import Sandbox
from sandbox.errors import (
    CandidateDiskLimit,
    CandidateError,
    CandidateFileLimit,
    CandidateForbidden,
    CandidateOutOfCpu,
    CandidateOutOfMemory,
    CandidateOutputLimit,
    CandidateProcessLimit,
    CandidateRaised,
    CandidateTimedOut,
)
from sandbox.limits import MEBIBYTE, Limits


class LimitsConformance:
    """The part of `SandboxConformance` about limits."""

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
            pytest.raises(CandidateTimedOut, match=r"0\.6 s"),  # a busy machine may need that to load it
            sandbox.start({"main.py": text}, limits=Limits(wall_seconds=0.6)) as session,
        ):
            session.call("f", timeout=60.0)

    def test_cpu_time_is_limited_over_all_calls_and_threads(self, sandbox: Sandbox) -> None:
        text = (
            "import signal, threading\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"
            "def burn():\n    while True:\n        pass\n"
            "def start():\n    threading.Thread(target=burn, daemon=True).start()\n"
        )
        with sandbox.start({"main.py": text}, limits=Limits(wall_seconds=300.0, cpu_seconds=1.0)) as session:
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
