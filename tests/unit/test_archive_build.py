import os
import subprocess
import sys

import numpy as np
import pytest

from archive import ArchiveError, ArchiveSpecError, Candidate, CVTArchive, GridArchive, LinearAxis, build_archive

X = {"name": "x", "kind": "linear", "low": 0, "high": 10, "cells": 5}
Y = {"name": "y", "kind": "log", "low": 1, "high": 100, "cells": 2}


def test_a_table_with_axes_alone_gives_a_grid_of_single_cells() -> None:
    archive = build_archive({"axes": [X, Y]})

    assert isinstance(archive, GridArchive)
    assert archive.n_cells == 10
    assert archive.shape()["cell"] == "best"


def test_a_table_can_ask_for_centroids_and_a_front() -> None:
    archive = build_archive(
        {"kind": "cvt", "centroids": 7, "rng_seed": 3, "cell": "pareto", "metrics": ["min:cost"], "axes": [X, Y]}
    )

    assert isinstance(archive, CVTArchive)
    assert archive.n_cells == 7
    assert archive.shape()["metrics"] == ["min:cost"]


def test_every_mistake_of_an_archive_is_told_with_its_key() -> None:
    spec = {"kind": "gird", "cell": "tops", "keep": 0, "qd_ofset": 1, "axes": [X, {"name": "y", "low": 0}, 5]}

    with pytest.raises(ArchiveSpecError) as caught:
        build_archive(spec)

    text = str(caught.value)
    for part in (
        "did you mean 'grid'",
        "did you mean 'top'",
        "keep: got 0",
        "did you mean 'qd_offset'",
        "axes[1].high",
    ):
        assert part in text
    assert "axes[2]: got 5" in text


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"axes": []},
        {"axes": [X, X]},
        {"kind": "cvt", "axes": [{"name": "s", "kind": "categories", "categories": ["a"]}]},
        {"kind": "cvt", "centroids": [[0.5]], "axes": [X, Y]},
        {"kind": "cvt", "centroids": [["a", "b"]], "axes": [X, Y]},
        {"kind": "cvt", "centroids": True, "axes": [X]},
        {"cell": "pareto", "axes": [X]},
        {"cell": "pareto", "metrics": ["cost"], "axes": [X]},
        {"metrics": ["min:cost"], "axes": [X]},
        {"axes": [{**X, "high": 0}]},
    ],
)
def test_a_table_that_cannot_work_is_refused(spec: dict[str, object]) -> None:
    with pytest.raises(ArchiveSpecError):
        build_archive(spec)


def test_centroids_from_one_seed_are_the_same_and_even() -> None:
    axes = [LinearAxis("x", 0.0, 1.0), LinearAxis("y", 0.0, 1.0)]

    first, second = (CVTArchive(axes, centroids=50, rng_seed=5) for _ in range(2))
    other = CVTArchive(axes, centroids=50, rng_seed=6)

    assert np.array_equal(first.centroids, second.centroids)
    assert not np.array_equal(first.centroids, other.centroids)
    points = np.random.default_rng(1).random((5000, 2))
    owners = np.bincount([first.cell_of(tuple(point)) for point in points.tolist()], minlength=50)
    assert owners.min() > 30
    assert owners.max() < 200


@pytest.mark.parametrize("centroids", [[[0.5, 1.5]], [[0.5, 0.5], [0.5, 0.5]], [[0.5]], []])
def test_centroids_that_cannot_work_are_refused(centroids: list[list[float]]) -> None:
    with pytest.raises(ArchiveError):
        CVTArchive([LinearAxis("x", 0.0, 1.0), LinearAxis("y", 0.0, 1.0)], centroids=centroids)


KNOWN_HASH = "481ff943bf4dd16ec7c56eb5ff8e5f0ead6ba9a24c1f9a5809acca24e8b69953"

HASH_SCRIPT = """
from archive import build_archive
from evolve.testing.archive_conformance import feed, stream
axis = {"low": 0, "high": 1, "cells": 6}
for spec in ({"cell": "top"}, {"kind": "cvt", "centroids": 20, "cell": "pareto", "metrics": ["min:cost"]}):
    archive = build_archive({**spec, "axes": [{"name": "x", **axis}, {"name": "y", **axis}]})
    feed(archive, stream(3))
    print(archive.hash())
"""


def test_the_hash_is_the_same_in_every_process() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", HASH_SCRIPT],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert outputs[0] == outputs[1]
    assert len(outputs[0].split()) == 2


def test_the_hash_of_a_known_archive_stays_what_it_is() -> None:
    archive = build_archive({"axes": [X, Y]})
    program = Candidate(id=1, files={"a.py": "x = 1\n"}, fingerprint="f")

    archive.add(program, score=0.5, descriptor=[2.5, 3.0])

    assert archive.hash() == KNOWN_HASH
