"""Constants that the machine fits to a structure that a model wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Proposal, Proposing
from evolve.operators.symbolic import SymbolicBurst

FIT = "fit"
"""The kind of a burst that searches nothing: see `evolve.tasks.FIT`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """Fits the constants of one program; `burst` says to what."""

    burst: SymbolicBurst

    def children(self, files: Mapping[str, str], parent_ids: tuple[int, ...], rng: np.random.Generator) -> Proposing:
        """The program with fitted constants; as it is, where that finds none that are better."""
        start = Candidate(id=parent_ids[0], files=files, fingerprint="")
        fitted = yield from replace(self.burst, kind=FIT).propose([start], (), rng)
        return [replace(child, parent_ids=parent_ids) for child in fitted] or [
            Proposal(files=files, parent_ids=parent_ids)
        ]
