"""Exhaustive search: the shards of all small structures, each an operator's single turn at the start of a run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from evolve.operators.symbolic import SymbolicBurst

NAME = "enumerate"
SHARDS = {1: {1: 1, 2: 1, 3: 1, 4: 2, 5: 8, 6: 96}, 2: {1: 1, 2: 1, 3: 2, 4: 8}}
"""By the number of inputs and of operations: shards of about a second. Sizes that are not here are too many."""


def enumeration(burst: SymbolicBurst, *, largest: int) -> list[SymbolicBurst]:
    """The shards of all structures of up to `largest` operations, small ones first; `burst` lends the rest."""
    shards = SHARDS.get(len(burst.inputs), {})
    return [
        replace(burst, name=NAME, kind=NAME, settings={**burst.settings, **_part(size, shard, n_shards)})
        for size, n_shards in sorted(shards.items())
        if size <= min(largest, burst.settings["max_operations"])
        for shard in range(n_shards)
    ]


def _part(size: int, shard: int, n_shards: int) -> Mapping[str, Any]:
    return {"size": size, "shard": shard, "n_shards": n_shards}
