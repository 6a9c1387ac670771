"""The server's children: those that wait for a candidate, those that run one, and how each is told from the other."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from evolve.testing.running import is_running, wait_until
from sandbox.errors import CandidateDiskLimit, CandidateError, SandboxError
from sandbox.layers import Level
from sandbox.limits import Limits
from sandbox.process import ProcessSandbox
from sandbox.session import ProcessSession
from tests.sandboxes import children_of, sandbox_at, temporary_folder_for_all

PID = {"main.py": "import os\ndef f():\n    return os.getpid()\n"}
OTHER = Limits(cpu_seconds=59.0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[ProcessSandbox]:
    """Without a process namespace, so that children have one number for all."""
    with sandbox_at(Level.STRONG) as sandbox:
        with sandbox.start(PID):
            pass
        yield sandbox


def waiting(sandbox: ProcessSandbox) -> list[int]:
    """The processes that wait for a candidate, when no session is open."""
    assert wait_until(lambda: len(children_of(sandbox.server_pid)) == 1)
    return children_of(sandbox.server_pid)


def pid_of(session: ProcessSession) -> int:
    pid: int = session.call("f")
    return pid


# waiting for a candidate


def test_a_candidate_gets_the_process_that_waits_and_another_takes_its_place(sandbox: ProcessSandbox) -> None:
    [parked] = waiting(sandbox)

    with sandbox.start(PID) as session:
        assert pid_of(session) == parked
        assert wait_until(lambda: len(children_of(sandbox.server_pid)) == 2)

    assert parked not in waiting(sandbox)


def test_limits_that_are_equal_are_the_same_limits(sandbox: ProcessSandbox) -> None:
    [parked] = waiting(sandbox)

    with sandbox.start(PID, limits=Limits()) as session:
        assert pid_of(session) == parked


def test_a_candidate_with_other_limits_gets_a_process_of_its_own_and_the_one_that_waits_goes_on_waiting(
    sandbox: ProcessSandbox,
) -> None:
    [parked] = waiting(sandbox)

    with sandbox.start(PID, limits=OTHER) as session:
        assert pid_of(session) != parked

    assert waiting(sandbox) == [parked]


def test_two_candidates_never_get_the_same_process(sandbox: ProcessSandbox) -> None:
    pids: list[int] = []
    all_open = threading.Barrier(4, timeout=60)

    def work() -> None:
        for _ in range(4):
            with sandbox.start(PID) as session:
                pids.append(pid_of(session))
                all_open.wait()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(pids) == 16
    for at_once in (pids[number : number + 4] for number in range(0, 16, 4)):
        assert len(set(at_once)) == 4


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_died_while_it_waited_is_replaced_and_nobody_is_blamed(
    sandbox: ProcessSandbox, number: signal.Signals
) -> None:
    [parked] = waiting(sandbox)
    os.kill(parked, number)
    assert wait_until(lambda: not is_running(parked))

    with sandbox.start(PID) as session:
        assert pid_of(session) != parked


def test_a_session_tells_nothing_of_the_one_before(sandbox: ProcessSandbox) -> None:
    text = {
        "main.py": "import math\ndef f(x):\n    math.kept = getattr(math, 'kept', []) + [x]\n    return math.kept\n"
    }
    for number in range(3):
        with sandbox.start(text) as session:
            assert session.call("f", number) == [number]


@pytest.mark.parametrize("n_parked", [0, 3])
def test_as_many_processes_wait_as_were_asked_for(n_parked: int) -> None:
    with sandbox_at(Level.STRONG, n_parked=n_parked, preload=()) as sandbox:
        with sandbox.start(PID) as session:
            pid_of(session)
            assert wait_until(lambda: len(children_of(sandbox.server_pid)) == 1 + n_parked)
        assert wait_until(lambda: len(children_of(sandbox.server_pid)) == n_parked)


def test_processes_that_waited_below_a_dead_server_are_not_used_and_not_left() -> None:
    with sandbox_at(Level.STRONG, preload=()) as sandbox:
        with sandbox.start(PID):
            pass
        [parked] = waiting(sandbox)
        server = sandbox.server_pid

        os.kill(server, signal.SIGKILL)
        assert wait_until(lambda: not is_running(server))
        with sandbox.start(PID) as session:
            assert pid_of(session) != parked

        assert sandbox.server_pid != server
        assert wait_until(lambda: not is_running(parked))


def test_processes_that_wait_end_with_the_sandbox() -> None:
    sandbox = sandbox_at(Level.STRONG, preload=())
    with sandbox.start(PID):
        pass
    [parked] = waiting(sandbox)
    sandbox.close()

    assert wait_until(lambda: not is_running(parked))
    with pytest.raises(SandboxError, match="closed"):
        sandbox.start(PID)


# running one


@pytest.mark.parametrize("limits", [Limits(), OTHER], ids=["waiting", "fresh"])
def test_a_process_is_buried_with_its_session_and_its_folder(sandbox: ProcessSandbox, limits: Limits) -> None:
    text = {"main.py": "import os\ndef f():\n    return [os.getpid(), os.getcwd()]\n"}
    with sandbox.start(text, limits=limits) as session:
        pid, folder = session.call("f")
        assert Path(folder).is_dir()

    assert wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert not Path(folder).exists()


def test_a_process_that_ends_by_itself_is_buried_before_anybody_asks(sandbox: ProcessSandbox) -> None:
    text = {
        "main.py": "import os, threading\ndef f():\n    threading.Timer(0.05, os._exit, (3,)).start()\n    return 1\n"
    }
    with sandbox.start(text, limits=OTHER) as session:
        pids = set(children_of(sandbox.server_pid))
        with suppress(CandidateError):  # it may be gone before its answer is read
            session.call("f")
        assert wait_until(lambda: len(pids & set(children_of(sandbox.server_pid))) < len(pids))
        with pytest.raises(CandidateError, match="status 3"):
            session.call("f")


def test_a_folder_too_deep_for_anyone_goes_with_its_session_and_keeps_no_server_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = {
        "main.py": "import os\ndef f(n):\n    for _ in range(n):\n        os.mkdir('deep')\n        os.chdir('deep')\n"
    }
    limits = Limits(scratch_bytes=64 << 20)
    with temporary_folder_for_all() as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        with sandbox_at(Level.STRONG, limits=limits, preload=()) as sandbox:
            with sandbox.start(text) as session, suppress(CandidateError):  # the watcher may see it in time
                session.call("f", 1200)
            assert len(list(folder.glob("evolve-sandbox-*"))) == 1
            with sandbox.start(text) as session:
                session.call("f", 1)

        assert list(folder.iterdir()) == []


def test_disk_that_is_taken_where_no_path_reaches_is_seen(sandbox: ProcessSandbox) -> None:
    text = {
        "main.py": "import os, time\ndef f():\n    for _ in range(30):\n        os.mkdir('d' * 200)\n"
        "        os.chdir('d' * 200)\n    open('file', 'w').write('x')\n    time.sleep(600)\n"
    }
    limits = Limits(scratch_bytes=4 << 20)
    with (
        sandbox.start(text, limits=limits) as session,
        pytest.raises(CandidateDiskLimit, match=r"wrote \d+ bytes"),
    ):
        session.call("f")
