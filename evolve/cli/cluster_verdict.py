"""What is wrong with a cluster, by what its nodes said, and what to do about it."""

from collections.abc import Iterator, Mapping
from typing import Any

from evolve.cli.cluster_check import LEVELS, versions_of

LITTLE_DISK_BYTES = 1 << 30
LITTLE_SHARED_BYTES = 64 << 20
CLOCK_SECONDS = 2.0
"""Clocks may be so far apart before it is worth a word: no result depends on the clock of a node."""
MISSING = "No module named"
NOT_INSTALLED = ": install Evolve there, for the Python that Ray runs with"
LOOK = " (`ray status` and the logs of Ray on that node may say why)"
NO_CPU = "the cluster has no CPU for work: give nodes some (`ray start --num-cpus`), or wait until they have joined"


def complaints(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """What must be mended before a run, by the node's id; what is wrong with the whole cluster is under ""."""
    found = {row["id"]: list(_complaints_of(row, facts["here"])) for row in facts["nodes"]}
    if not sum(row["cpus"] for row in facts["nodes"]):
        found[""] = [NO_CPU]
    return {name: words for name, words in found.items() if words}


def notices(facts: Mapping[str, Any]) -> list[str]:
    """What is worth knowing; runs work nevertheless."""
    found = [f"{_name(row)}: {text}" for row in facts["nodes"] if not row["error"] for text in _notices_of(row)]
    levels = sorted({row["level"] for row in facts["nodes"] if row["level"]}, key=LEVELS.index)
    if len(levels) > 1:
        found.append(f"candidates will not be confined alike: nodes reach {' and '.join(levels)}")
    if facts["departed"]:
        found.append(f"{facts['departed']} of the nodes that the cluster had are gone")
    return found


def told(facts: Mapping[str, Any], wrong: Mapping[str, list[str]]) -> list[str]:
    """The complaints, each with the name of its node."""
    names = {row["id"]: f"{_name(row)}: " for row in facts["nodes"]}
    return [f"{names.get(each, '')}{text}" for each, words in wrong.items() for text in words]


def _name(row: Mapping[str, Any]) -> str:
    return f"node {row['host'] or '?'} ({row['address'] or '?'})"


def _complaints_of(row: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    if row["error"]:
        yield f"{row['error']}{NOT_INSTALLED if MISSING in row['error'] else LOOK}"
        return
    if differing := versions_of(row, here):
        yield (
            f"has {', '.join(differing)}, and here is {_same_names(differing, here)}: install the same everywhere"
            " (what differs under `source` is a file of Evolve's own)"
        )
    if row["sandbox_error"] or row["level"] is None:
        yield f"the sandbox does not start: {row['sandbox_error'] or 'it did not say why'}"
    elif row["level"] == "WEAK":
        yield "the sandbox reaches only WEAK: Python candidates are refused there (docs/security.md, docs/cluster.md)"
    if not row["bundle"]:
        yield f"a problem's folder cannot be unpacked there: {row['bundle_error'] or 'it arrived changed'}"
    if row["disk_bytes"] is not None and row["disk_bytes"] < LITTLE_DISK_BYTES:
        yield "less than 1 GiB is free for temporary files: make room, or set TMPDIR before `ray start`"


def _same_names(differing: list[str], here: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {here[name]}" for name in (text.split(" ")[0] for text in differing))


def _notices_of(row: Mapping[str, Any]) -> Iterator[str]:
    if row["clock_seconds"] is not None and abs(row["clock_seconds"]) > CLOCK_SECONDS:
        yield f"its clock is {row['clock_seconds']:+.1f} s off: its logs cannot be read beside others (use NTP)"
    if row["shared_memory_bytes"] is not None and row["shared_memory_bytes"] < LITTLE_SHARED_BYTES:
        yield "little of /dev/shm is free: Ray then keeps its objects on disk (in a container: --shm-size=1g)"
    if row["cards"] and not row["gpus"]:
        yield "has graphics cards that Ray does not offer: `ray start --num-gpus`"
    if row["gpus"] and row["cards"] is None:
        yield "offers GPUs, and nvidia-smi does not answer there: GPU tasks will fail"
