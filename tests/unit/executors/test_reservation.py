"""What a Ray task books of a node's memory, and what is said of nodes that have too little."""

from typing import Any

import pytest

from evolve.errors import EvolveEnvironmentError
from evolve.executors.reservation import MEBIBYTE, notices_of, reserved_bytes, slots_of


def node(name: str, *, cpus: int, mebibytes: int) -> dict[str, Any]:
    return {"id": name, "name": name, "cpus": cpus, "gpus": 0.0, "memory": mebibytes * MEBIBYTE}


ROOMY = node("roomy", cpus=4, mebibytes=64_000)
TIGHT = node("tight", cpus=4, mebibytes=3_000)
SMALL = node("small", cpus=4, mebibytes=1_279)
CONTROLLER = node("controller", cpus=0, mebibytes=100)


@pytest.mark.parametrize(
    ("where", "candidate_mb", "n"),
    [(ROOMY, 1024, 4), (TIGHT, 1024, 2), (SMALL, 1024, 0), (SMALL, 1023, 1), (CONTROLLER, 0, 0)],
    ids=["processors bound", "memory bounds", "a byte too little", "just enough", "no processor"],
)
def test_a_node_has_as_many_slots_as_it_has_processors_and_memory_for(
    where: dict[str, Any], candidate_mb: int, n: int
) -> None:
    assert slots_of(where, reserved_bytes(candidate_mb)) == n


def test_where_nothing_is_booked_processors_alone_count() -> None:
    assert slots_of(SMALL, 0) == 4
    assert notices_of([SMALL], 0) == []


def test_nodes_that_get_no_work_are_named() -> None:
    [notice] = notices_of([CONTROLLER, ROOMY, SMALL], reserved_bytes(1024))

    assert "1,280 MiB" in notice
    assert "get no work: small 1,279 MiB" in notice
    assert "controller" not in notice


def test_a_cluster_in_which_no_node_has_memory_enough_is_refused_and_not_waited_for() -> None:
    with pytest.raises(EvolveEnvironmentError, match=r"no node of the Ray cluster announces that much") as caught:
        notices_of([CONTROLLER, *[SMALL] * 7], reserved_bytes(1024))

    assert "and 2 more" in caught.value.message
    assert "memory_mb" in caught.value.hint


def test_a_cluster_that_has_yet_to_grow_is_waited_for() -> None:
    assert notices_of([CONTROLLER], reserved_bytes(1024)) == []
