"""Operators for float32 programs: constants polished against compiled errors, other cores, mirrored differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Compute, Proposal, Proposing

SEED_WORDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Float32Climb:
    """Improves one float32 program in a worker.

    `kind` is `polish`: a climb on the bits of the constants; or `cores`: a smooth part, such as the polynomial after a
    range reduction, is replaced by other operations that fit as well, and the constants are polished; or `mirror`: a
    difference is taken the other way round, which may save an instruction. Errors are those of compiled C, so children
    know how they round. A pure function of the parent and the random stream.
    """

    kind: str
    n_parents: int = 1
    judge: Mapping[str, Any]
    inputs: tuple[str, ...]
    entry: str
    max_operations: int

    @property
    def name(self) -> str:
        """Its kind."""
        return self.kind

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Yield one climb, return its children."""
        del inspirations
        payload = {
            "judge": dict(self.judge),
            "parent": parents[0].files[self.entry],
            "inputs": list(self.inputs),
            "kind": self.kind,
            "max_operations": self.max_operations,
            "rng_seed": [int(word) for word in rng.integers(0, 2**31, SEED_WORDS)],
        }
        answer = yield Compute(task="float32", payload=payload)
        return [Proposal(files={self.entry: text}, parent_ids=(parents[0].id,)) for text in answer["children"]]
