"""How much of a node's memory a Ray task books, so that no node gets more of them than it has memory for."""

from collections.abc import Mapping, Sequence
from typing import Any

from evolve.errors import EvolveEnvironmentError

MEBIBYTE = 1 << 20
OWN_BYTES = 256 * MEBIBYTE
"""What a slot takes beside the candidate: Ray's worker, ours, the judge, the sandbox's server. Measured: 120 MiB."""
SEARCH_MB = 512
"""What symbolic search takes in a worker, which has no candidate's process: measured 600 MiB with all of the above
while it is compiled for the first time on a machine, 170 MiB later."""


def reserved_bytes(candidate_mb: int) -> int:
    """What one task books: what a candidate may take in all, and `OWN_BYTES`.

    The tasks of a parcel run one after the other, so a parcel books no more than one of them. What an evaluator itself
    may take is not in it: its limit is there for accidents, and far above what evaluators take.
    """
    return candidate_mb * MEBIBYTE + OWN_BYTES


def slots_of(node: Mapping[str, Any], reserved: int) -> int:
    """How many tasks run on a node at the same time: one for each processor, as far as they can book memory."""
    n_cpus = int(node["cpus"])
    return min(n_cpus, int(node["memory"]) // reserved) if reserved else n_cpus


def too_small(nodes: Sequence[Mapping[str, Any]], reserved: int) -> list[Mapping[str, Any]]:
    """The nodes that have processors, and too little memory for any task."""
    return [node for node in nodes if node["cpus"] >= 1 and not slots_of(node, reserved)]


def notices_of(nodes: Sequence[Mapping[str, Any]], reserved: int) -> list[str]:
    """What people have to know of these nodes before a run.

    Raises:
        EvolveEnvironmentError: none of those that have processors can do anything.
    """
    small = too_small(nodes, reserved)
    if not small:
        return []
    sizes = ", ".join(f"{node['name']} {node['memory'] // MEBIBYTE:,} MiB" for node in small[:5])
    more = f" and {len(small) - 5} more" if len(small) > 5 else ""
    needed = (
        f"one evaluation books {reserved // MEBIBYTE:,} MiB of a node's memory: what [limits] lets its candidate have, "
        f"and {OWN_BYTES // MEBIBYTE} MiB for its judge"
    )
    if len(small) == sum(node["cpus"] >= 1 for node in nodes):
        raise EvolveEnvironmentError(
            f"{needed}; no node of the Ray cluster announces that much ({sizes}{more})",
            hint="lower [limits] memory_mb, or start Ray on larger nodes, or with --memory=BYTES if they have more",
        )
    return [f"{needed}; these nodes announce less and get no work: {sizes}{more}"]
