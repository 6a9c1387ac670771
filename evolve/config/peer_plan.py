"""A problem of another engine, as far as the engines differ; and the problem of ours that it becomes."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.axes import MAX_CELLS
from evaluators.answers import clean
from evaluators.peers.descriptor import COMPLEXITY, DIVERSITY
from evaluators.peers.folder import FolderFiles
from evaluators.peers.spec import TITLES, PeerSpec
from evaluators.spec import PEER_FAMILY

MEBIBYTE = 1 << 20
SCRATCH_MB = 64
MEMORY_MB = 4096
OUTPUT_KB = 2048
N_FILES = 256
N_PROCESSES = 64
STAGES = 3
MAX_BINS = 1000
MAX_STATEMENT = 200_000
LADDERS = ((1.0, 2.0, 5.0), (1.0,), ())
"""Steps in a decade outside of 0 to 1, finest first: coarser ones where an archive of many axes would be too large."""
DECADES = range(9)
FORGED = (
    "the score can be forged: by this contract the evaluator runs in the candidate's own process, where the candidate "
    "can change it; look at what wins before you believe it, or write an evaluate.py of ours, which is apart"
)
CONTAINED = (
    "both run in the sandbox: no network, no other process, no file but a copy of this folder, "
    "limits of time and memory"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerPlan:
    """What the reader of one engine's folder found out.

    `seeds` maps the names of the seed program's files to their text, entry first. `dimensions` name the archive's axes
    with their number of cells. `warnings` say what is not honoured.
    """

    folder: Path
    contract: str
    evaluator: str
    seeds: Mapping[str, str]
    statement: str
    title: str = ""
    timeout: float
    evaluations: int | None = None
    target: float | None = None
    dimensions: Mapping[str, int]
    memory_mb: int = MEMORY_MB
    islands: Mapping[str, int] | None = None
    preload: tuple[str, ...] = ("numpy",)
    search: tuple[str, ...] = (".",)
    cascade: bool = False
    thresholds: tuple[float, ...] = ()
    function: str = ""
    options: tuple[str, ...] = ()
    mount: str = ""
    rng_seed: int | None = None
    warnings: tuple[str, ...] = ()


DEFAULT_DIMENSIONS = {COMPLEXITY: 10, DIVERSITY: 10}
"""For engines whose archives have no axes: by length, and by distance from the seed program."""


def spec_of(plan: PeerPlan, files: FolderFiles) -> PeerSpec:
    """What the judge is told."""
    left_out = [f"not copied: {each}" for each in files.left_out]
    return PeerSpec(
        contract=plan.contract,
        evaluator=plan.evaluator,
        entry=next(iter(plan.seeds)),
        seed="\n".join(plan.seeds.values()),
        dimensions=tuple(name for name in plan.dimensions if name not in (COMPLEXITY, DIVERSITY)),
        search=plan.search,
        cascade=plan.cascade,
        thresholds=plan.thresholds,
        function=plan.function,
        options=plan.options,
        mount=plan.mount,
        rng_seed=plan.rng_seed,
        notices=tuple(map(_line, (FORGED, CONTAINED, *plan.warnings, *left_out))),
    )


def tables_of(plan: PeerPlan, files: FolderFiles) -> dict[str, Any]:
    """The tables of the `problem.toml` that this would be."""
    length = sum(map(len, plan.seeds.values()))
    budget = {"evaluations": plan.evaluations, "target": plan.target}
    tables = {
        "problem": {
            "name": slug(plan.folder),
            "title": _line(plan.title or f"{plan.folder.name}, a problem of {TITLES[plan.contract]}"),
            "statement": _text(plan.statement) or f"Improve this program: {plan.evaluator} scores it.",
            "language": "python",
            "tags": [plan.contract],
        },
        "seed": {"files": list(plan.seeds)},
        "evaluator": {"family": PEER_FAMILY, "options": spec_of(plan, files).to_options()},
        "limits": _limits(plan, files),
        "sandbox": {"preload": list(plan.preload)},
        "archive": {"axes": axes_of(plan.dimensions, length)},
        "budget": {key: value for key, value in budget.items() if value is not None},
    }
    return tables if plan.islands is None else {**tables, "islands": dict(plan.islands)}


def _text(text: str) -> str:
    """Text that others wrote, without what could move a terminal."""
    return clean(text, MAX_STATEMENT).strip()


def _line(text: str) -> str:
    return " ".join(_text(text).split())


def _limits(plan: PeerPlan, files: FolderFiles) -> dict[str, Any]:
    return {
        "wall_seconds": plan.timeout,
        "cpu_seconds": 2 * STAGES * plan.timeout,
        "memory_mb": plan.memory_mb,
        "scratch_mb": SCRATCH_MB + 2 * (files.n_bytes // MEBIBYTE),
        "output_kb": OUTPUT_KB,
        "n_files": N_FILES,
        "n_processes": N_PROCESSES,
    }


def axes_of(dimensions: Mapping[str, int], length: int) -> list[dict[str, Any]]:
    """The axes of an archive by these dimensions: metrics as fine as its size allows."""
    axes: list[dict[str, Any]] = []
    for ladder in LADDERS:
        axes = [_axis(name, cells, length, ladder) for name, cells in dimensions.items()]
        if math.prod(len(axis["edges"]) + 1 if "edges" in axis else axis["cells"] + 2 for axis in axes) <= MAX_CELLS:
            break
    return axes


def _axis(name: str, cells: int, length: int, ladder: Sequence[float]) -> dict[str, Any]:
    """A fixed axis: no order of arrival changes which cell a program belongs to."""
    if name == COMPLEXITY:
        return {"name": name, "kind": "log", "low": max(length, 40) / 4, "high": max(length, 40) * 4, "cells": cells}
    if name == DIVERSITY:
        return {"name": name, "kind": "linear", "low": 0.0, "high": 1.0, "cells": cells}
    return {"name": name, "kind": "edges", "edges": list(metric_edges(cells, ladder))}


def metric_edges(cells: int, ladder: Sequence[float] = LADDERS[0]) -> Sequence[float]:
    """Edges for a metric of unknown range: so many cells from 0 to 1, outside a ladder of steps a decade."""
    inner = [i / cells for i in range(cells + 1)]
    outer = [step * 10.0**decade for decade in DECADES for step in ladder][1:]
    return (*(-edge for edge in reversed([1.0, *outer])), *inner, *outer)


def slug(folder: Path) -> str:
    """A name for a problem from its folder's, with that of the folder above where it says nothing by itself."""
    names = [_plain(part) for part in folder.parts[-2:]]
    own = names[-1]
    if not own or own.isdigit():
        own = "_".join(name for name in names if name)
    return own or "problem"


def _plain(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", ascii_text).strip("_")
