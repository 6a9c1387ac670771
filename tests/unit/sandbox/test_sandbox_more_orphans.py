"""Runaways, the choice of a jail, and the link to a fork server: with real processes."""

import json
import os
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evolve.testing.running import is_running, wait_until
from sandbox.errors import SandboxError
from sandbox.jail import N_SMALL_RANGES, N_UIDS, N_UNUSED_RANGES, SMALL_UIDS, UNUSED_UIDS
from sandbox.layers import Layer, Level
from sandbox.limits import Limits
from sandbox.link import ServerLink
from sandbox.orphans import TOKEN_VARIABLE, kill_uid, own_children, sweep
from sandbox.place import FOLDER_PREFIX, make_folder
from sandbox.plan import measured_jail, own_sizes
from tests.sandboxes import away, temporary_folder_for_all

ROOT = Path(__file__).parents[3]
SLEEP = ["/bin/sh", "-c", "echo 1; read line"]  # one program to the end: the environment is not there while it changes
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
pytestmark = pytest.mark.filterwarnings("ignore:This process .* use of fork:DeprecationWarning")
OWN_UID = frozenset({Layer.OWN_UID})

REAPER = """
import json, os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from sandbox.kernel import PR_SET_CHILD_SUBREAPER, prctl
from sandbox.orphans import kill_orphans, own_children
prctl(PR_SET_CHILD_SUBREAPER, 1)
read, write = os.pipe()

def spawn(depth):
    pid = os.fork()
    if pid == 0:
        if depth:
            spawn(depth - 1)
        os.write(write, b"%d\\n" % os.getpid())
        time.sleep(600)
    return pid

def heard(n):
    data = b""
    while data.count(b"\\n") < n:
        data += os.read(read, 1000)
    return [int(line) for line in data.split()]
"""


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own, for this process and for servers that it starts."""
    with temporary_folder_for_all() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        monkeypatch.setenv("TMPDIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def link() -> Iterator[ServerLink]:
    link = ServerLink(())
    yield link
    link.close()


@pytest.fixture
def sleepers() -> Iterator[list[subprocess.Popen[str]]]:
    """Programs that a test starts; each is ended and waited for afterwards."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def sleeper(started: list[subprocess.Popen[str]], *, token: str = "", user: int | None = None) -> int:
    """Start a program that sleeps, and return its pid when it has come that far."""
    process = subprocess.Popen(
        SLEEP,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={TOKEN_VARIABLE: token},
        user=user,
        group=user,
        cwd="/",
    )
    started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    return process.pid


def reap(text: str) -> Any:
    """Run a text in a child subreaper of its own and return the JSON it prints."""
    done = subprocess.run(
        [sys.executable, "-c", REAPER + text, str(ROOT)], stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


@needs_root
def test_a_child_that_must_not_be_killed_is_not_waited_for() -> None:
    text = """
from sandbox.kernel import keep_capabilities
gate, open_gate = os.pipe()
if os.fork() == 0:
    os.setresuid(65534, 65534, 65534)
    os.write(write, b"1\\n")
    os.close(open_gate)
    os.read(gate, 1)  # until there is no writer: this process has gone
    os._exit(0)
heard(1)
keep_capabilities(0)
print(kill_orphans(set()))
"""

    assert reap(text) == 1


class Started:
    """A process that was started over a link, with the controller's ends of its pipes."""

    def __init__(self, link: ServerLink) -> None:
        requests, self.requests = os.pipe()
        self.answers, answers = os.pipe()
        output = os.open(os.devnull, os.O_WRONLY)
        try:
            self.session: int = link.wait(link.start(Limits(), (requests, answers, output)))["session"]
        finally:
            for descriptor in (requests, answers, output):
                os.close(descriptor)

    def wait_until_ready(self) -> None:
        assert os.read(self.answers, 100).endswith(b'["ready"]')

    def hang_up(self) -> None:
        """Close the requests, and wait until the process has closed its answers."""
        os.close(self.requests)
        self.requests = -1
        assert os.read(self.answers, 100) == b""

    def close(self) -> None:
        os.close(self.answers)
        if self.requests >= 0:
            os.close(self.requests)


def stopped(link: ServerLink, session: int) -> dict[str, Any]:
    return link.wait(link.stop(session))


@pytest.fixture
def start(link: ServerLink) -> Iterator[Callable[[], Started]]:
    """Starts processes over the module's link and closes their pipes afterwards."""
    started: list[Started] = []

    def start_one() -> Started:
        started.append(Started(link))
        return started[-1]

    yield start_one
    for process in started:
        process.close()


# orphans


def test_a_processs_children_are_its_own_and_not_its_grandchildren(sleepers: list[subprocess.Popen[str]]) -> None:
    before = own_children()
    pid = sleeper(sleepers)

    assert own_children() - before == {pid}


def test_all_children_are_killed_but_the_leaders_and_the_leaders_own() -> None:
    answer = reap(
        """
leader, other = spawn(1), spawn(0)
pids = heard(3)
n_left = kill_orphans({leader})
alive = [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
print(json.dumps({"left": n_left, "alive": len(alive), "leader": leader in alive, "other": other in alive}))
os.kill(leader, signal.SIGKILL)
os.waitpid(leader, 0)
kill_orphans(set())
"""
    )

    assert answer == {"left": 0, "alive": 2, "leader": True, "other": False}


def test_a_family_that_falls_to_us_one_after_the_other_is_killed_to_the_last() -> None:
    answer = reap(
        """
spawn(5)
pids = heard(6)
n_left = kill_orphans(set())
print(json.dumps([n_left, [pid for pid in pids if os.path.exists(f"/proc/{pid}")], list(own_children())]))
"""
    )

    assert answer == [0, [], []]


def test_a_child_that_is_dead_already_is_buried() -> None:
    answer = reap(
        """
pid = os.fork()
if pid == 0:
    os._exit(3)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
seen = pid in own_children()
n_left = kill_orphans(set())
print(json.dumps([seen, n_left, len(own_children())]))
"""
    )

    assert answer == [True, 0, 0]


def test_without_children_there_is_nothing_to_do() -> None:
    assert reap("print(json.dumps([kill_orphans(set()), kill_orphans({1})]))") == [0, 0]


def test_a_sweep_kills_what_carries_the_token_and_nothing_else(sleepers: list[subprocess.Popen[str]]) -> None:
    token, other_token = secrets.token_hex(16), secrets.token_hex(16)
    marked = [sleeper(sleepers, token=token) for _ in range(2)]
    innocent = sleeper(sleepers, token=other_token)

    n_killed = sweep(token, range(0))

    assert n_killed == 2
    assert wait_until(lambda: not any(map(is_running, marked)))
    assert is_running(innocent)


def test_a_second_sweep_finds_nothing_though_the_dead_are_not_buried(sleepers: list[subprocess.Popen[str]]) -> None:
    token = secrets.token_hex(16)
    pid = sleeper(sleepers, token=token)

    assert sweep(token, range(0)) == 1
    assert Path(f"/proc/{pid}").exists()
    assert sweep(token, range(0)) == 0


@needs_root
def test_a_sweep_kills_by_uid_only_inside_its_range(sleepers: list[subprocess.Popen[str]]) -> None:
    first = UNUSED_UIDS + secrets.randbelow(N_UNUSED_RANGES) * N_UIDS
    inside, outside = sleeper(sleepers, user=first + N_UIDS - 1), sleeper(sleepers, user=first + N_UIDS)

    n_killed = sweep(secrets.token_hex(16), range(first, first + N_UIDS))

    assert n_killed == 1
    assert wait_until(lambda: not is_running(inside))
    assert is_running(outside)


@needs_root
def test_the_dead_of_a_uid_are_not_killed_again(sleepers: list[subprocess.Popen[str]]) -> None:
    first = UNUSED_UIDS + secrets.randbelow(N_UNUSED_RANGES) * N_UIDS
    pid = sleeper(sleepers, user=first)

    n_killed = [sweep(secrets.token_hex(16), range(first, first + N_UIDS)) for _ in range(2)]

    assert n_killed == [1, 0]
    assert Path(f"/proc/{pid}").exists()


@needs_root
def test_all_processes_of_a_uid_die_at_once_and_no_others(sleepers: list[subprocess.Popen[str]]) -> None:
    uid = UNUSED_UIDS + secrets.randbelow(N_UNUSED_RANGES) * N_UIDS
    theirs, neighbour = [sleeper(sleepers, user=uid) for _ in range(2)], sleeper(sleepers, user=uid + 1)

    kill_uid(uid)
    kill_uid(uid)  # nobody is left: harmless

    assert wait_until(lambda: not any(map(is_running, theirs)))
    assert is_running(neighbour)


# the choice of a jail


def test_the_sizes_are_those_of_this_process_and_grow_with_it() -> None:
    before = own_sizes()
    kept = bytearray(64 << 20)

    after = own_sizes()

    assert after["VmSize"] - before["VmSize"] >= len(kept) - (8 << 20)
    assert all(size % 1024 == 0 for size in after.values())


def test_a_jail_is_measured_from_this_process_and_its_token_alone() -> None:
    token = secrets.token_hex(16)

    first, second = (measured_jail(OWN_UID, skipped=frozenset(), token=token) for _ in range(2))

    assert first.first_uid == second.first_uid
    assert first.address_bytes > first.data_bytes > 1 << 20
    assert first.n_processes_now >= 1


@pytest.mark.parametrize("token", ["0", "1", "f" * 32, f"{N_UNUSED_RANGES:x}", f"{N_UNUSED_RANGES - 1:x}"])
def test_the_uids_of_every_token_lie_where_no_user_of_the_system_does(token: str) -> None:
    jail = measured_jail(OWN_UID, skipped=frozenset(), token=token)

    first = jail.first_uid
    assert first is not None
    start, n_ranges = (UNUSED_UIDS, N_UNUSED_RANGES) if first >= UNUSED_UIDS else (SMALL_UIDS, N_SMALL_RANGES)
    assert (first - start) % N_UIDS == 0
    assert (first - start) // N_UIDS == int(token, 16) % n_ranges
    assert first + N_UIDS <= 1 << 31


def test_without_the_layer_a_jail_shares_the_uid() -> None:
    jail = measured_jail(frozenset(), skipped=frozenset(), token="1")

    assert (jail.first_uid, jail.reads_all_files) == (None, False)
    assert jail.uid_of(0) is None


# the folder of a server


def test_two_servers_never_share_a_folder_and_neither_sweeps_the_others(folders: Path) -> None:
    made = [make_folder() for _ in range(3)]

    assert len(set(made)) == 3
    assert all(folder.is_dir() for folder in made)
    assert {folder.parent for folder in made} == {folders}


def test_a_folder_can_be_passed_through_but_not_listed_by_others(folders: Path) -> None:
    assert make_folder().stat().st_mode & 0o777 == 0o711


def test_a_file_with_the_name_of_a_folder_is_left_alone(folders: Path) -> None:
    file = folders / f"{FOLDER_PREFIX}file"
    file.write_text("kept")

    make_folder()

    assert file.read_text() == "kept"


# the link


def test_a_server_that_runs_tells_what_it_is(link: ServerLink) -> None:
    assert link.is_alive
    assert is_running(link.pid)
    assert {Layer.RESOURCE_LIMITS, Layer.OWN_SESSION, Layer.NO_NEW_PRIVILEGES} <= link.layers
    assert set(link.report) == set(Layer)


def test_sessions_are_numbered_in_the_order_of_their_start(start: Callable[[], Started]) -> None:
    first, second, third = start().session, start().session, start().session

    assert (second, third) == (first + 1, first + 2)


def test_a_stopped_session_tells_how_it_ended_once(link: ServerLink, start: Callable[[], Started]) -> None:
    process = start()
    process.wait_until_ready()

    ending = stopped(link, process.session)

    assert ending["status"] == -signal.SIGKILL
    assert ending["n_left"] == 0
    assert ending["reason"] == {}
    assert 0 <= ending["cpu_seconds"] < 5
    assert abs(ending["grown_bytes"]) < 64 << 20
    with pytest.raises(SandboxError, match=f"session {process.session} is unknown"):
        stopped(link, process.session)


def test_a_process_whose_requests_end_leaves_in_peace(link: ServerLink, start: Callable[[], Started]) -> None:
    process = start()
    process.wait_until_ready()
    process.hang_up()

    assert stopped(link, process.session)["status"] == 0


@pytest.mark.parametrize("session", [0, -1, 10**9])
def test_an_unknown_session_is_an_error_and_the_server_lives_on(
    link: ServerLink, start: Callable[[], Started], session: int
) -> None:
    with pytest.raises(SandboxError, match="is unknown"):
        stopped(link, session)

    assert stopped(link, start().session)["status"] == -signal.SIGKILL


def test_a_closed_link_answers_no_more_and_closing_again_is_harmless(folders: Path) -> None:
    link = ServerLink(())
    pid = link.pid
    link.close()
    link.close()

    assert not link.is_alive
    assert not is_running(pid)
    with pytest.raises(SandboxError, match="gone"):
        link.stop(1)


def test_a_server_leaves_no_folder_behind_neither_closed_nor_killed(folders: Path) -> None:
    away_from_namespaces = away(Level.STRONG)
    closed, killed = (ServerLink((), without=away_from_namespaces) for _ in range(2))
    assert len(list(folders.iterdir())) == 2

    closed.close()
    os.kill(killed.pid, signal.SIGKILL)
    with pytest.raises(SandboxError, match="died"):
        stopped(killed, 1)

    assert list(folders.iterdir()) == []
    assert not killed.is_alive
    killed.close()


def test_a_killed_server_hangs_up_its_lifeline(folders: Path) -> None:
    link = ServerLink(())
    poll = select.poll()
    poll.register(link.lifeline, 0)
    before = poll.poll(0)

    os.kill(link.pid, signal.SIGKILL)
    events = poll.poll(60_000)
    link.close()

    assert before == []
    assert [event & select.POLLHUP for _, event in events] == [select.POLLHUP]


def test_requests_from_many_threads_get_their_own_answers(link: ServerLink) -> None:
    endings: dict[int, int] = {}

    def work() -> None:
        for _ in range(5):
            process = Started(link)
            endings[process.session] = stopped(link, process.session)["status"]
            process.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(endings) == list(range(min(endings), min(endings) + 15))
    assert set(endings.values()) == {-signal.SIGKILL}


def test_another_process_may_not_use_the_link_that_it_inherited(link: ServerLink) -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            link.stop(1)
        except SandboxError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with os.fdopen(read) as said:
        assert "before a fork" in said.read()


@pytest.mark.parametrize("preload", [("no_such_module_anywhere",), ("json", "json.no_such_part")])
def test_a_server_that_cannot_import_says_which_and_leaves_nothing(folders: Path, preload: tuple[str, ...]) -> None:
    before = own_children()

    with pytest.raises(SandboxError, match=f"no module '{preload[-1]}' to preload"):
        ServerLink(preload)

    assert own_children() <= before
    assert list(folders.iterdir()) == []


def test_the_servers_environment_holds_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    other = ServerLink(())
    raw = Path(f"/proc/{other.pid}/environ").read_bytes().decode()
    other.close()

    values = dict(line.split("=", 1) for line in raw.split("\0") if line)
    assert values["CUDA_VISIBLE_DEVICES"] == ""
    assert set(values) <= {
        "PATH",
        "LANG",
        "HOME",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "PYTHONHASHSEED",
        "PYTHONMALLOC",
        "GLIBC_TUNABLES",
        "CUDA_VISIBLE_DEVICES",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        TOKEN_VARIABLE,
    }
