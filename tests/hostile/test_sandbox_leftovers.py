"""Hundreds of evaluations leave no process, mount, descriptor, cgroup or file behind, whatever the candidates tried."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from operator import le
from pathlib import Path

import pytest

from evolve.testing.running import wait_until
from sandbox.errors import CandidateError
from sandbox.limits import MEBIBYTE, Limits
from sandbox.process import ProcessSandbox
from tests.extent import ALL_TESTS

N_EVALUATIONS = 1000 if ALL_TESTS else 150
N_WARMING_UP = 100
N_SAME = 10
PLACES = tuple(f"{folder}/litter-{os.getpid()}" for folder in ("/tmp", "/dev/shm", "/var/tmp"))
HONEST = "def f(x):\n    return x + 1\n"
LITTERING = (
    "import os, time\ndef f(x):\n    for _ in range(3):\n        if os.fork() == 0:\n            os.setsid()\n"
    "            if os.fork() == 0:\n                time.sleep(600)\n            os._exit(0)\n    return x\n",
    "import os\ndef f(x):\n    for n in range(9):\n        os.makedirs(f'a/{n}')\n"
    "        open(f'a/{n}/file', 'w').write('text')\n    os.chmod('a', 0)\n    return x\n",
    "def f(x):\n    for place in PLACES:\n        try:\n            open(place, 'w').close()\n"
    "        except OSError:\n            pass\n    return x\n".replace("PLACES", repr(PLACES)),
    "import threading, time\ndef f(x):\n    for _ in range(4):\n"
    "        threading.Thread(target=time.sleep, args=(600,)).start()\n    return x\n",
    "import os\ndef f(x):\n    kept = [os.dup(1) for _ in range(10)] + list(os.pipe())\n    return x\n",
    "import mmap\ndef f(x):\n    global kept\n    kept = mmap.mmap(-1, 1 << 20)\n    kept[0] = 1\n    return x\n",
    "import os\ndef f(x):\n    os.memfd_create('litter')\n    return x\n",
    "import os\ndef f(x):\n    os._exit(0)\n",
    "import os\ndef f(x):\n    os.abort()\n",
    "def f(x):\n    raise ValueError(x)\n",
)
LIMITS = Limits(wall_seconds=60.0, memory_bytes=64 * MEBIBYTE, scratch_bytes=MEBIBYTE)


@dataclass(frozen=True, slots=True)
class Belongings:
    """What this process and those below it hold; counts can be compared while the sandbox is open."""

    n_processes: int
    n_descriptors: int
    n_mounts: int
    files: frozenset[str]

    def are_within(self, others: "Belongings") -> bool:
        """Whether nothing was added; what another test left may have gone meanwhile."""
        counts = (self.n_processes, self.n_descriptors, self.n_mounts)
        others_counts = (others.n_processes, others.n_descriptors, others.n_mounts)
        return all(map(le, counts, others_counts)) and self.files <= others.files


def test_hundreds_of_evaluations_leave_nothing_behind(temporary: Path) -> None:
    before = settled_belongings(temporary)
    of_others = groups_below()
    with ProcessSandbox(limits=LIMITS) as sandbox:
        for number in range(N_WARMING_UP):
            evaluate(sandbox, number)
        warm = settled_belongings(temporary)
        for number in range(N_WARMING_UP, N_EVALUATIONS):
            evaluate(sandbox, number)

        assert wait_until(lambda: belongings(temporary).are_within(warm)), f"{warm}\n{belongings(temporary)}"
        groups = groups_below() - of_others

    assert wait_until(lambda: belongings(temporary).are_within(before)), f"{before}\n{belongings(temporary)}"
    assert wait_until(lambda: not any(stands(group) for group in groups)), groups
    assert not any(Path(place).exists() for place in PLACES)


def groups_below() -> set[str]:
    """The control groups of the processes below this one, but for its own; sandboxes of other tests have theirs."""
    return {group for pid in below(os.getpid()) for group in groups_of(pid)} - groups_of(os.getpid())


def stands(group: str) -> bool:
    return any(Path(folder).match(f"*{group}") for folder, _, _ in os.walk("/sys/fs/cgroup"))


def evaluate(sandbox: ProcessSandbox, number: int) -> None:
    """Mostly honest candidates; each tenth is one that leaves things lying about, in turn."""
    text = LITTERING[number // 10 % len(LITTERING)] if number % 10 == 0 else HONEST
    try:
        with sandbox.start({"main.py": text}) as session:
            answer = session.call("f", number)
    except CandidateError:
        return
    assert text != HONEST or answer == number + 1


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, where only this test's can be; what a candidate put elsewhere goes at the end."""
    tmp_path.chmod(0o711)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield tmp_path
    for place in PLACES:
        Path(place).unlink(missing_ok=True)


def belongings(temporary: Path) -> Belongings:
    processes = below(os.getpid())
    return Belongings(
        n_processes=len(processes),
        n_descriptors=sum(n_entries(f"/proc/{pid}/fd") for pid in processes),
        n_mounts=sum(n_lines(f"/proc/{pid}/mountinfo") for pid in processes),
        files=frozenset(str(path) for path in temporary.rglob("*")),
    )


def settled_belongings(temporary: Path) -> Belongings:
    """What is held when nothing changes any more: the server parks a new child a moment after one was taken."""
    seen = [belongings(temporary)]

    def is_steady() -> bool:
        seen.append(belongings(temporary))
        return len(seen) > N_SAME and len(set(seen[-N_SAME:])) == 1

    assert wait_until(is_steady)
    return seen[-1]


def below(pid: int) -> list[int]:
    """A process and everything that it, and what it started, started."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        children = " ".join(Path(f"/proc/{pid}/task/{thread}/children").read_text() for thread in threads).split()
    except OSError:  # it has just ended
        return []
    return [pid] + [each for child in children for each in below(int(child))]


def groups_of(pid: int) -> set[str]:
    """The control groups of a process, by their paths below the root of any hierarchy."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return set()
    return {line.split(":", 2)[2] for line in lines}


def n_entries(folder: str) -> int:
    try:
        return len(os.listdir(folder))
    except OSError:
        return 0


def n_lines(file: str) -> int:
    try:
        return len(Path(file).read_text().splitlines())
    except OSError:
        return 0
