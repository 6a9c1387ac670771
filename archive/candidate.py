"""A candidate: a program offered for evaluation, with its lineage."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A program and where it came from.

    `files` maps file names to text, the only genotype there is. `generation` is one more than the largest among its
    parents (0 for the seed program). `fingerprint` is equal for programs that are equal up to renaming, dead code and
    the order of commutative arguments. `id` numbers candidates in the order they were told, from 1.
    """

    id: int
    files: Mapping[str, str]
    fingerprint: str
    parent_ids: tuple[int, ...] = ()
    operator: str = "seed"
    generation: int = 0
    iteration: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
