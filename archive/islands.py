"""Islands: archives of one shape that breed alone and trade elites now and then."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from archive.candidate import Candidate
from archive.contract import AddResult, Archive, ArchiveStats, Descriptor, Elite
from archive.errors import ArchiveError


class Islands:
    """Several archives of the same shape, numbered from 0 as they are given."""

    def __init__(self, archives: Sequence[Archive]) -> None:
        self.archives = tuple(archives)
        if not self.archives:
            raise ArchiveError("islands need at least one archive")
        shape = self.archives[0].shape()
        for number, archive in enumerate(self.archives):
            if archive.shape() != shape:
                raise ArchiveError(f"island {number} has another shape than island 0: give all the same axes and cells")

    @classmethod
    def alike(cls, archive: Archive, n_islands: int) -> "Islands":
        """Islands of the same shape as an archive, all of them empty."""
        return cls([archive.fresh() for _ in range(n_islands)])

    def __len__(self) -> int:
        return len(self.archives)

    def __getitem__(self, island: int) -> Archive:
        if not 0 <= island < len(self.archives):
            raise ArchiveError(f"there is no island {island!r}, expected 0 to {len(self.archives) - 1}")
        return self.archives[island]

    def add(self, island: int, candidate: Candidate, *, score: float, descriptor: Descriptor) -> AddResult:
        """Offer a candidate to one island.

        Raises:
            ArchiveError: no such island, or as `Archive.add`. Nothing is changed.
        """
        return self[island].add(candidate, score=score, descriptor=descriptor)

    def migrate(self, n_migrants: int) -> list[tuple[int, Elite, AddResult]]:
        """Offer copies of every island's `n_migrants` best to the next island of a ring; nobody leaves home.

        All migrants are chosen before the first arrives, so nobody travels twice. Returns what became of each: the
        island it was offered to, the elite as it was at home, the result.
        """
        if len(self.archives) == 1:
            return []
        travelling = [(home, elite) for home, archive in enumerate(self.archives) for elite in archive.top(n_migrants)]
        arrivals = []
        for home, elite in travelling:
            island = (home + 1) % len(self.archives)
            result = self.add(island, elite.candidate, score=elite.score, descriptor=elite.descriptor)
            arrivals.append((island, elite, result))
        return arrivals

    @property
    def best(self) -> Elite | None:
        """The best by score over all islands; the older among equals, then the lower island."""
        top = self.top(1)
        return top[0] if top else None

    def top(self, n: int) -> list[Elite]:
        """The `n` best by score over all islands, each candidate once."""
        ranked = [elite for archive in self.archives for elite in archive.top(n)]
        ranked.sort(key=lambda elite: (-elite.score, elite.candidate.id, elite.cell))
        first: dict[tuple[int, str], Elite] = {}
        for elite in ranked:
            first.setdefault((elite.candidate.id, elite.candidate.fingerprint), elite)
        return list(first.values())[:n]

    def stats(self) -> ArchiveStats:
        """The islands laid over each other: a cell counts once, with its best on any island.

        `n_elites` and the counts of offers add up; a migrant counts wherever it is held.
        """
        each = [archive.stats() for archive in self.archives]
        bests = np.maximum.reduce([archive.best_scores() for archive in self.archives])
        bests = bests[bests > -np.inf]
        n_cells = self.archives[0].n_cells
        with np.errstate(over="ignore"):
            qd_score = float((bests - self.archives[0].qd_offset).sum())
        return ArchiveStats(
            n_elites=sum(stats.n_elites for stats in each),
            n_occupied=len(bests),
            n_cells=n_cells,
            coverage=len(bests) / n_cells,
            qd_score=qd_score,
            best_score=float(bests.max()) if len(bests) else None,
            n_clipped=sum(stats.n_clipped for stats in each),
            n_rejected_range=sum(stats.n_rejected_range for stats in each),
        )

    def hash(self) -> str:
        """SHA-256, in hex, over the islands' hashes in order."""
        return sha256("\n".join(archive.hash() for archive in self.archives).encode()).hexdigest()
