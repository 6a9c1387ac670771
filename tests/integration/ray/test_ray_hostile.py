"""Candidates below Ray workers attack what they may: the sandbox, as everywhere, and Ray itself."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from evolve.executors.ray_executor import RayExecutor
from evolve.testing.hostile.attack import steps
from evolve.testing.hostile.below_ray import HANDLER
from evolve.testing.hostile.catalogue import all_attacks
from tests.extent import ALL_ATTACKS
from tests.integration.ray.cluster_process import ClusterProcess
from tests.marked_processes import marked

pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.xdist_group("ray")]

EVERY = 1 if ALL_ATTACKS else 20
NAMES = [attack.name for attack in all_attacks()][::EVERY]
"""By default every twentieth attack is tried here; without Ray all are, in tests/hostile."""

_ENVIRONMENTS = """
def settings(path):
    text = open(path, "rb").read().decode("utf-8", "replace")
    return [word for word in text.split("\\0") if word.startswith("RAY_")] or None
def of_others():
    found = []
    for name in os.listdir("/proc"):
        try:
            found += settings(f"/proc/{name}/environ") or []
        except OSError:
            continue
    return found or None
"""
_CONNECT = """
def connect(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.settimeout(1.0)
        server.connect(tuple(address) if family == socket.AF_INET else address)
        return "connected"
def any_of(addresses, family=socket.AF_INET):
    reached = []
    for address in addresses:
        try:
            reached.append(connect(address, family))
        except OSError:
            continue
    return reached or None
"""
_OBJECTS = """
def mapped():
    found = []
    for pid in os.listdir("/proc"):
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                link = os.readlink(f"/proc/{pid}/fd/{name}")
                if "plasma" in link:
                    with open(f"/proc/{pid}/fd/{name}", "rb") as file:
                        found.append(len(file.read(4096)))
        except OSError:
            continue
    return found or None
"""
_FILES = """
def below(top):
    return [os.path.join(place, name) for place, _, names in os.walk(top) for name in names] or None
"""
_SIGNALS = """
def reached(pids):
    found = []
    for pid in pids:
        try:
            os.kill(pid, 0)
            found.append(pid)
        except OSError:
            continue
    return found or None
"""
ATTACKS: Mapping[str, str] = {
    "Ray's settings in environments": steps("settings('/proc/self/environ')", "of_others()", definitions=_ENVIRONMENTS),
    "the token of the cluster": steps("read(world['token'])"),
    "the cluster's ports": steps("any_of(world['ports'])", definitions=_CONNECT),
    "the sockets of the raylet and of the object store": steps(
        "any_of(world['sockets'], socket.AF_UNIX)", definitions=_CONNECT
    ),
    "the memory of the object store": steps("mapped()", definitions=_OBJECTS),
    "Ray's logs and session files": steps("below(world['session'])", "read(world['log'])", definitions=_FILES),
    "signals to Ray's processes": steps("reached(world['pids'])", definitions=_SIGNALS),
}


def world_of(cluster: ClusterProcess) -> dict[str, Any]:
    """What attackers are told: everything about the cluster but its token."""
    session = (cluster.folder / "ray" / "session_latest").resolve()
    host, _, port = cluster.address.partition(":")
    return {
        "token": str(cluster.token),
        "ports": [[host, int(port)]],
        "sockets": [str(path) for path in sorted((session / "sockets").iterdir())],
        "session": str(session),
        "log": str(next((session / "logs").glob("*.log"))),
        "pids": sorted(marked(cluster.folder)),
    }


@pytest.fixture(scope="module")
def answers(shared_cluster: ClusterProcess) -> Iterator[Mapping[str, Any]]:
    """What a process below a worker of the cluster answers: the suite, and our attacks inside and outside a sandbox."""
    payloads: dict[str, dict[str, Any]] = {
        "suite": {"names": NAMES},
        "confined": {"texts": list(ATTACKS.values()), "world": world_of(shared_cluster)},
        "bare": {"texts": list(ATTACKS.values()), "world": world_of(shared_cluster)},
    }

    async def asked() -> dict[str, Any]:
        executor = RayExecutor(n_workers=1, handler=HANDLER, address=shared_cluster.address)
        await executor.start()
        try:
            return {task: await executor.submit(task, payload) for task, payload in payloads.items()}
        finally:
            await executor.close()

    with pytest.MonkeyPatch.context() as patch:
        for name, value in shared_cluster.environment().items():
            if name.startswith("RAY_"):
                patch.setenv(name, value)
        yield asyncio.run(asked())


def test_the_suite_passes_below_a_ray_worker(answers: Mapping[str, Any]) -> None:
    assert answers["suite"]["tried"] == len(NAMES)
    assert answers["suite"]["breaches"] == []


def test_a_candidate_reaches_nothing_of_ray(answers: Mapping[str, Any], shared_cluster: ClusterProcess) -> None:
    told = answers["confined"]["answers"]
    assert {name: answer["got"] for name, answer in zip(ATTACKS, told, strict=True)} == {name: [] for name in ATTACKS}
    assert shared_cluster.token.read_text() not in str(told)


def test_outside_of_the_sandbox_each_of_these_attacks_reaches_something(answers: Mapping[str, Any]) -> None:
    told = answers["bare"]["answers"]
    assert [name for name, answer in zip(ATTACKS, told, strict=True) if not answer["got"]] == []


def test_an_evaluator_has_nothing_of_ray_in_its_own_environment(answers: Mapping[str, Any]) -> None:
    of_itself, *_ = answers["bare"]["answers"][list(ATTACKS).index("Ray's settings in environments")]["failed"]
    assert of_itself == "nothing"
