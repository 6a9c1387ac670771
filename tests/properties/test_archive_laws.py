import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from archive import EdgesAxis, Elite, GridArchive, LinearAxis, LogAxis, TopCell
from archive.axes import Axis, OutOfRange
from archive.centroids import BucketNearest, CentroidSpace, MatrixNearest, Nearest
from archive.space import GridSpace
from evolve.testing.archive_conformance import candidate
from tests.extent import examples

finite = st.floats(allow_nan=False, allow_infinity=False)
policies = st.sampled_from(OutOfRange)


@st.composite
def number_axes(draw: st.DrawFn) -> Axis:
    low = draw(st.floats(-1e6, 1e6))
    high = low + draw(st.floats(1e-3, 1e6))
    cells, policy = draw(st.integers(1, 200)), draw(policies)
    kind = draw(st.sampled_from(["linear", "log", "edges"]))
    if kind == "linear":
        return LinearAxis("x", low, high, cells, out_of_range=policy)
    if kind == "log":
        return LogAxis("x", 1e-9 + abs(low), 1.0 + abs(low) * 2 + abs(high), cells, out_of_range=policy)
    edges = sorted(set(draw(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9, unique=True))) | {2e3})
    return EdgesAxis("x", [edge + 0.0 for edge in edges], out_of_range=policy)


@settings(max_examples=examples(150), deadline=None)
@given(number_axes(), st.lists(finite, max_size=20), st.lists(st.integers(-2, 202), max_size=20))
def test_a_batch_lands_where_its_rows_land(axis: Axis, values: list[float], near_edges: list[int]) -> None:
    space = GridSpace([axis])
    for place in near_edges:
        edge = axis.edges[min(max(place, 0), len(axis.edges) - 1)]
        values += [edge, math.nextafter(edge, math.inf), math.nextafter(edge, -math.inf)]
    codes = np.array(values, dtype=np.float64)[:, None]

    assert space.cells_of(codes).tolist() == [space.place_of((value,))[0] for value in values]


@settings(max_examples=examples(100), deadline=None)
@given(number_axes(), finite)
def test_a_cell_holds_what_lies_between_its_edges(axis: Axis, value: float) -> None:
    cell, is_clipped = GridSpace([axis]).place_of((value,))
    is_inside = axis.edges[0] <= value <= axis.edges[-1]

    if is_inside:
        assert axis.edges[cell] <= value <= axis.edges[cell + 1]
        assert value < axis.edges[cell + 1] or value == axis.edges[-1]
    assert is_clipped == (not is_inside and axis.out_of_range is OutOfRange.CLIP)


def brute_force(point: NDArray[np.float64], centroids: NDArray[np.float64]) -> int:
    squares = np.zeros(len(centroids))
    for axis in range(centroids.shape[1]):
        squares += np.square(point[axis] - centroids[:, axis])
    return int(np.argmin(squares))


@settings(max_examples=examples(80), deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 60), st.sampled_from([0, 2, 4]))
def test_the_nearest_centroid_is_the_nearest(rng_seed: int, n_axes: int, n_centroids: int, lattice: int) -> None:
    rng = np.random.default_rng(rng_seed)
    centroids = rng.random((n_centroids, n_axes))
    points = np.vstack([rng.random((40, n_axes)), np.zeros((1, n_axes)), np.ones((1, n_axes)), centroids])
    if lattice:  # rounded to a few values, many distances are equal
        centroids, points = np.unique(np.round(centroids * lattice) / lattice, axis=0), np.round(points * 8) / 8
    expected = [brute_force(point, centroids) for point in points]
    finders: list[Nearest] = [MatrixNearest(centroids), *([BucketNearest(centroids)] if n_axes <= 3 else [])]

    for finder in finders:
        assert finder.many(points).tolist() == expected
        assert [finder.one(point) for point in points.tolist()] == expected


@settings(max_examples=examples(40), deadline=None)
@given(st.integers(0, 2**32 - 1), policies.filter(lambda policy: policy is not OutOfRange.OVERFLOW))
def test_a_batch_finds_the_centroids_its_rows_find(rng_seed: int, policy: OutOfRange) -> None:
    rng = np.random.default_rng(rng_seed)
    axes: list[Axis] = [LinearAxis("x", -3.0, 7.0, out_of_range=policy), LogAxis("y", 1e-6, 1e3)]
    space = CentroidSpace(axes, rng.random((30, 2)))
    codes = np.column_stack([rng.uniform(-5, 9, 60), 10.0 ** rng.uniform(-8, 5, 60)])
    codes[0] = (3.0, -1.0)

    assert space.cells_of(codes).tolist() == [space.place_of(tuple(row))[0] for row in codes.tolist()]


@settings(max_examples=examples(80), deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2), st.integers(0, 9)), max_size=50),
    st.integers(1, 4),
)
def test_a_top_cell_holds_the_best_of_distinct_programs(rows: list[tuple[int, int, int]], keep: int) -> None:
    archive = GridArchive([LinearAxis("x", 0.0, 3.0, 3)], cell=TopCell(keep=keep))
    for number, (score, cell, name) in enumerate(rows):
        archive.add(candidate(number, fingerprint=str(name)), score=float(score), descriptor=[cell + 0.5])

    for cell in range(3):
        best_of: dict[int, float] = {}
        for score, where, name in rows:
            if where == cell:
                best_of[name] = max(float(score), best_of.get(name, -math.inf))
        held = archive.elites_in(cell)
        assert [elite.score for elite in held] == sorted(best_of.values(), reverse=True)[:keep]
        assert len({elite.candidate.fingerprint for elite in held}) == len(held)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(finite, st.floats(0.0, 1.0)), max_size=40), st.randoms(use_true_random=False))
def test_without_ties_the_order_of_offers_does_not_matter(rows: list[tuple[float, float]], chance: object) -> None:
    distinct = {score + 0.0: place for score, place in rows}
    offers = [(candidate(number), *offer) for number, offer in enumerate(distinct.items())]
    shuffled = list(offers)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # a random.Random of Hypothesis
    archives = [GridArchive([LinearAxis("x", 0.0, 1.0, 5)]) for _ in range(2)]

    for archive, sequence in zip(archives, (offers, shuffled), strict=True):
        for program, score, place in sequence:
            archive.add(program, score=score, descriptor=[place])

    assert archives[0].hash() == archives[1].hash()


def test_scores_as_far_apart_as_floats_reach_are_taken() -> None:
    single, batched = (GridArchive([LinearAxis("x", 0.0, 1.0, 2)]) for _ in range(2))
    scores, places = [-1.7e308, 1.7e308, 1.7e308], [[0.1], [0.1], [0.9]]

    for number in range(3):
        single.add(candidate(number), score=scores[number], descriptor=places[number])
        batched.add_many([candidate(number)], scores[number : number + 1], places[number : number + 1])

    assert single.hash() == batched.hash()
    assert single.stats() == batched.stats()


def test_elites_know_their_candidate_and_place() -> None:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 5)])
    program = candidate(3)

    archive.add(program, score=1.5, descriptor=[0.5])

    assert archive.elites() == [Elite(program, 1.5, (0.5,), 2, 0)]
    with pytest.raises(ValueError, match="read-only"):
        archive.best_scores()[0] = 1.0
