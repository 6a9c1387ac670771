"""What every node of a Ray cluster says of itself, for `evolve doctor --ray`: asked, cleaned, told as a table."""

import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from evolve.cli.figures import figure, plural, table
from evolve.cli.node_facts import HANDLER, version
from evolve.cli.source_hash import source_hash
from evolve.cli.terminal import clean_line

GIBIBYTE = 1 << 30
LONGEST_WORD = 300
SAME = ("python", "ray", "evolve", "source")
"""What has to be the same on every node as here."""
NUMBERS = ("memory_bytes", "cores", "cards", "shared_memory_bytes", "disk_bytes")
WORDS = (*SAME, "user", "level", "sandbox_error", "bundle_error")
LEVELS = ("FULL", "STRONG", "NOOPEN", "WEAK")
HEADINGS = (
    "node", "address", "versions", "CPUs", "memory", "GPUs", "shared", "store", "disk", "sandbox", "clock", "verdict"
)  # fmt: skip


def check(address: str | None, *, n_workers: int | None, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Join the cluster (without an address: start one here, as a run would) and ask every node for its facts.

    Raises:
        EvolveEnvironmentError: Ray is missing, or there is no cluster that can be used.
    """
    from evolve.executors.ray_nodes import survey, word_for

    say("asking every node of the cluster, which takes some seconds")
    found = survey(address, n_workers=n_workers, handler=HANDLER, seconds=seconds)
    rows = [row_of(node, word=word_for(node["id"], found["word"])) for node in found["nodes"]]
    return {"address": address, "here": here(), "nodes": rows, "departed": found["departed"]}


def here() -> dict[str, str | None]:
    """What the controller is, to compare nodes with."""
    return {
        "python": platform.python_version(),
        "ray": version("ray"),
        "evolve": version("evolve-discovery"),
        "source": source_hash(),
    }


def row_of(node: Mapping[str, Any], *, word: str) -> dict[str, Any]:
    """One node's facts, each of the kind that we expect or None: whatever a node says is not to be trusted.

    See `evolve.executors.ray_nodes.survey` for the node, and for the `word` that it should have got.
    """
    said, resources = node["facts"]["answer"], node["resources"]
    words = {name: _word(said.get(name)) for name in WORDS}
    return {
        "id": _word(node["id"]),
        "address": _word(node["address"]),
        "host": _word(node["host"]),
        "error": _word(node["facts"]["error"]),
        "cpus": resources.get("CPU", 0.0),
        "gpus": resources.get("GPU", 0.0),
        "store_bytes": resources.get("object_store_memory"),
        **words,
        **{name: _number(said.get(name)) for name in NUMBERS},
        "level": words["level"] if words["level"] in LEVELS else None,
        "bundle": said.get("word") == word,
        "clock_seconds": clock_difference(node["clock"]),
    }


def clock_difference(reply: Mapping[str, Any]) -> float | None:
    """By how many seconds at least the node's clock is ahead (behind: negative) of ours; None if it did not say."""
    time = _number(reply["answer"].get("time"))
    if time is None:
        return None
    least, most = time - float(reply["received"]), time - float(reply["sent"])
    return round(max(least, 0.0) + min(most, 0.0), 3)


def lines(facts: Mapping[str, Any], wrong: Mapping[str, int]) -> Iterator[str]:
    """The facts as text; `wrong` says how many things are wrong with each node, by its id."""
    one, nodes = facts["here"], facts["nodes"]
    n_cpus = sum(row["cpus"] for row in nodes)
    yield f"cluster   {facts['address'] or 'started here'}, {plural(len(nodes), 'node')}, {figure(n_cpus)} CPUs"
    yield f"here      Evolve {one['evolve']} ({one['source']}), Ray {one['ray']}, Python {one['python']}"
    yield ""
    yield from table(HEADINGS, (_cells(row, one, wrong.get(row["id"], 0)) for row in nodes), left=(0, 1, 2, 9, 11))


def versions_of(row: Mapping[str, Any], one: Mapping[str, Any]) -> list[str]:
    """What of a node differs from what is here, each with what it is there."""
    return [f"{name} {row[name] or 'unknown'}" for name in SAME if row[name] != one[name]]


def _cells(row: Mapping[str, Any], one: Mapping[str, Any], n_wrong: int) -> list[object]:
    verdict = f"{n_wrong} wrong" if n_wrong else "ok"
    if row["error"]:
        unknown = [None] * 7
        return [row["host"], row["address"], None, row["cpus"], *unknown, "no answer"]
    return [
        row["host"],
        row["address"],
        ", ".join(versions_of(row, one)) or "same",
        row["cpus"],
        _size(row["memory_bytes"]),
        row["gpus"],
        _size(row["shared_memory_bytes"]),
        _size(row["store_bytes"]),
        _size(row["disk_bytes"]),
        row["level"],
        _apart(row["clock_seconds"]),
        verdict,
    ]


def _size(n_bytes: float | None) -> str | None:
    return None if n_bytes is None else f"{n_bytes / GIBIBYTE:,.1f} GiB"


def _apart(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:+.1f} s" if seconds else "same"


def _word(value: Any) -> str | None:
    return clean_line(value)[:LONGEST_WORD] if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18
    return value if is_number else None
