from collections.abc import Callable

import pytest

from archive import (
    Archive,
    BestCell,
    CVTArchive,
    GridArchive,
    LinearAxis,
    Objective,
    ParetoCell,
    TopCell,
    build_archive,
)
from archive.cells import CellRule
from archive.pareto import Direction
from evolve.testing.archive_conformance import ARCHIVE_CHECKS, Make, feed, stream

AXES = (LinearAxis("x", 0.0, 1.0, 5), LinearAxis("y", 0.0, 1.0, 4))
CENTROIDS = CVTArchive(AXES, centroids=12, rng_seed=3).centroids
RULES: dict[str, CellRule] = {
    "best": BestCell(),
    "top": TopCell(keep=3),
    "top, apart": TopCell(keep=3, apart=0.5),
    "pareto": ParetoCell(objectives=[Objective("cost", Direction.MIN)], keep=3),
}


def grid(rule: CellRule) -> Archive:
    return GridArchive(AXES, cell=rule, qd_offset=-4.0)


def cvt(rule: CellRule) -> Archive:
    return CVTArchive(AXES, centroids=CENTROIDS, cell=rule)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", [grid, cvt])
@pytest.mark.parametrize("check", ARCHIVE_CHECKS, ids=lambda check: str(check.__name__))
def test_every_archive_holds_the_contract(
    check: Callable[[Make], None], kind: Callable[[CellRule], Archive], rule: str
) -> None:
    check(lambda: kind(RULES[rule]))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", [grid, cvt])
def test_an_archive_built_from_its_shape_is_the_same(kind: Callable[[CellRule], Archive], rule: str) -> None:
    archive = kind(RULES[rule])

    rebuilt = build_archive(archive.shape())

    feed(archive, stream(1))
    feed(rebuilt, stream(1))
    assert rebuilt.shape() == archive.shape()
    assert rebuilt.hash() == archive.hash()
