"""Insertions per second of CPU time, beside pyribs 0.12, on the same stream in the same run.

    python benchmarks/archive.py [--repeats 5] [--rows 20000]

Both archives take one stream of random scores and descriptors over [0, 1]^2, from empty ("filling") and again through
the archive it filled ("full": nearly all rows are rejected, as late in a run). Solutions are objects on both sides.
Repeats alternate between the two, so that a busy machine slows both; medians are printed, and their ratio.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ribs import archives as ribs_archives

from archive import Candidate, CVTArchive, GridArchive, LinearAxis

BATCHES = (1, 100, 1000, 20000)
N_CENTROIDS = 1000


class Stream:
    """One random stream, in the form each side likes best."""

    def __init__(self, n_rows: int) -> None:
        rng = np.random.default_rng(1)
        self.scores = rng.random(n_rows)
        self.descriptors = rng.random((n_rows, 2))
        self.candidates = [Candidate(id=row, files={"a.py": "x"}, fingerprint=str(row)) for row in range(n_rows)]
        self.solutions = np.empty(n_rows, dtype=object)
        self.solutions[:] = self.candidates
        self.score_list: list[float] = self.scores.tolist()
        self.rows = [tuple(row) for row in self.descriptors.tolist()]


def ours(archive: GridArchive | CVTArchive, stream: Stream, batch: int) -> None:
    """Feed the stream to one of our archives."""
    if batch == 1:
        for candidate, score, row in zip(stream.candidates, stream.score_list, stream.rows, strict=True):
            archive.add(candidate, score=score, descriptor=row)
        return
    for start in range(0, len(stream.scores), batch):
        part = slice(start, start + batch)
        archive.add_many(stream.candidates[part], stream.scores[part], stream.descriptors[part])


def theirs(archive: Any, stream: Stream, batch: int) -> None:
    """Feed the stream to a pyribs archive."""
    if batch == 1:
        for candidate, score, row in zip(stream.solutions, stream.scores, stream.descriptors, strict=True):
            archive.add_single(candidate, score, row)
        return
    for start in range(0, len(stream.scores), batch):
        part = slice(start, start + batch)
        archive.add(stream.solutions[part], stream.scores[part], stream.descriptors[part])


def makers(name: str, centroids: NDArray[np.float64]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Makers of an empty archive of ours and of theirs."""
    axes = [LinearAxis("x", 0.0, 1.0, 100), LinearAxis("y", 0.0, 1.0, 100)]
    common: dict[str, Any] = {"solution_dim": (), "solution_dtype": object, "ranges": [(0.0, 1.0)] * 2}
    if name == "grid 100 x 100":
        return lambda: GridArchive(axes), lambda: ribs_archives.GridArchive(dims=[100, 100], **common)
    return (
        lambda: CVTArchive(axes, centroids=centroids),
        lambda: ribs_archives.CVTArchive(centroids=centroids, **common),
    )


def rates(make: Callable[[], Any], feed: Callable[[Any, Stream, int], None], stream: Stream, batch: int) -> list[float]:
    """Rows per CPU second: filling an empty archive, and through the full one."""
    archive = make()
    seconds = []
    for _ in range(2):
        start = time.process_time()
        feed(archive, stream, batch)
        seconds.append(time.process_time() - start)
    return [len(stream.scores) / second for second in seconds]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20000)
    arguments = parser.parse_args()
    stream = Stream(arguments.rows)
    start = time.process_time()
    centroids = CVTArchive(
        [LinearAxis("x", 0.0, 1.0), LinearAxis("y", 0.0, 1.0)], centroids=N_CENTROIDS, rng_seed=1
    ).centroids
    print(f"{N_CENTROIDS} centroids from a seed: {time.process_time() - start:.2f} CPU seconds")
    print(f"\nrows per CPU second, median of {arguments.repeats}, {arguments.rows} rows")
    print(f"{'archive':16}{'batch':>7}  {'state':8}{'ours':>12}{'pyribs':>12}{'ratio':>8}")
    for name in ("grid 100 x 100", f"CVT {N_CENTROIDS}"):
        make_ours, make_theirs = makers(name, centroids)
        for batch in BATCHES:
            pairs = [
                (rates(make_ours, ours, stream, batch), rates(make_theirs, theirs, stream, batch))
                for _ in range(arguments.repeats)
            ]
            for place, state in enumerate(("filling", "full")):
                mine = median(pair[0][place] for pair in pairs)
                other = median(pair[1][place] for pair in pairs)
                print(f"{name:16}{batch:>7}  {state:8}{mine:>12,.0f}{other:>12,.0f}{mine / other:>7.1f}x")


if __name__ == "__main__":
    main()
