"""What the process that speaks with Ray asks before work begins, of a Ray that is made up."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from evolve.errors import EvolveEnvironmentError
from evolve.executors.ray_driver import RayDriver
from evolve.executors.ray_worker import probe

OPENING = {"handler": "evolve.tasks:handle", "gpus": 0.0, "memory": 3 << 30}


class WorkerCrashedError(Exception):
    """As Ray calls it."""


class RayTaskError(Exception):
    """As Ray calls it."""


class MadeUpRay:
    """A cluster of one node, whose workers answer what this test wants."""

    def __init__(self, answer: bytes | Exception | None, *, cpus: int = 2, is_home_alive: bool = True) -> None:
        self._answer, self._has, self._is_home_alive = answer, {"CPU": cpus, "memory": 8e9}, is_home_alive
        self.asked: list[str] = []
        self.booked: list[int | None] = []
        self.cancelled: list[str] = []

    def remote(self, **options: Any) -> Any:
        assert options["max_retries"] == 0
        self.booked.append(options.get("memory"))
        return lambda function: SimpleNamespace(remote=lambda: self._ask(function.__name__))

    def _ask(self, name: str) -> str:
        self.asked.append(name)
        return "reference"

    def put(self, value: bytes) -> str:
        return f"{len(value)} bytes"

    def nodes(self) -> list[dict[str, Any]]:
        home = {"NodeID": "home", "Alive": self._is_home_alive, "Resources": {}}
        return [home, {"NodeID": "north", "Alive": True, "Resources": self._has, "NodeManagerAddress": "n"}]

    def get_runtime_context(self) -> Any:
        return SimpleNamespace(get_node_id=lambda: "home")

    def wait(self, references: list[str], *, timeout: float) -> tuple[list[str], list[str]]:
        return (references, []) if self._answer is not None else ([], references)

    def get(self, reference: str) -> bytes | None:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def cancel(self, reference: str, *, force: bool) -> None:
        assert force
        self.cancelled.append(reference)


class Said(list[Mapping[str, Any]]):
    """What the controller would hear."""

    def __call__(self, message: Mapping[str, Any], blob: bytes = b"") -> None:
        self.append(message)


def proven(ray: MadeUpRay) -> Said:
    said = Said()
    RayDriver(ray, OPENING, [], said).prove()
    return said


@pytest.mark.parametrize("answer", [probe(), WorkerCrashedError("an accident")], ids=["alike", "an accident"])
def test_a_cluster_that_can_work_is_told_with_its_nodes(answer: bytes | Exception) -> None:
    [look] = proven(MadeUpRay(answer))

    assert look["nodes"][1] == {"id": "north", "name": "n", "cpus": 2, "gpus": 0.0, "memory": 8_000_000_000}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"python": "2.7", "evolve": "0.0.1"}', 'have b\'{"python": "2.7"'),
        (RayTaskError("No module named evolve"), "a Ray worker cannot run Evolve: No module named evolve"),
    ],
    ids=["other versions", "not installed"],
)
def test_nodes_that_cannot_work_are_an_error(answer: bytes | Exception, words: str) -> None:
    with pytest.raises(EvolveEnvironmentError) as error:
        proven(MadeUpRay(answer))

    assert words in str(error.value)
    assert "every node needs the same versions" in error.value.hint


def test_a_cluster_that_is_busy_is_not_waited_for() -> None:
    ray = MadeUpRay(None)

    proven(ray)

    assert ray.cancelled == ["reference"]


def test_a_cluster_that_has_no_processor_yet_is_not_asked() -> None:
    ray = MadeUpRay(None, cpus=0)

    proven(ray)

    assert ray.asked == []


def test_work_books_memory_and_the_question_whether_there_can_be_work_does_not() -> None:
    ray = MadeUpRay(probe())

    proven(ray)

    assert ray.booked == [3 << 30, 3 << 30, None]


def test_when_this_machine_leaves_the_cluster_the_process_ends() -> None:
    with pytest.raises(SystemExit, match="this machine's node has left the cluster"):
        proven(MadeUpRay(probe(), is_home_alive=False))
