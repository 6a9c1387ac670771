"""Every kind of axis against an oracle in exact arithmetic, at edges, one float beside them and far outside."""

import math
from bisect import bisect_right
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import ArchiveError, CategoryAxis, EdgesAxis, GridArchive, LinearAxis, LogAxis, axis_from_mapping
from archive.axes import MAX_CELLS, REFUSED, Axis, OutOfRange
from archive.space import GridSpace
from evolve.testing.archive_conformance import candidate
from tests.extent import examples

FEW = settings(max_examples=examples(25), deadline=None)
LARGEST = 1.7976931348623157e308
policies = st.sampled_from(OutOfRange)
finite = st.floats(allow_nan=False, allow_infinity=False)


def exact_position(axis: Axis, value: float) -> int:
    """Where a value belongs, by exact fractions and the documented meaning of the three policies."""
    edges = [Fraction(edge) for edge in axis.edges]
    n_cells = len(edges) - 1
    exact = Fraction(value)
    if edges[0] <= exact < edges[-1]:
        return bisect_right(edges, exact) - 1
    if exact == edges[-1]:
        return n_cells - 1
    is_above = exact > edges[-1]
    if axis.out_of_range is OutOfRange.REJECT:
        return REFUSED
    if axis.out_of_range is OutOfRange.OVERFLOW:
        return n_cells if is_above else n_cells + 1
    return n_cells - 1 if is_above else 0


def probes(axis: Axis) -> list[float]:
    """Every edge with its two neighbours, and the largest floats of both signs."""
    values = [LARGEST, -LARGEST, 5e-324, -5e-324, 0.0, -0.0]
    for edge in axis.edges:
        values += [edge, math.nextafter(edge, math.inf), math.nextafter(edge, -math.inf)]
    return [value for value in values if math.isfinite(value)]


def check(axis: Axis, values: list[float]) -> None:
    """One by one and as a batch, all values lie where the oracle says."""
    space = GridSpace([axis])
    expected = [exact_position(axis, value) for value in values]

    singly = [space.place_of((value + 0.0,))[0] for value in values]
    together = space.cells_of(np.array(values)[:, None]).tolist()

    assert singly == expected
    assert together == expected


@FEW
@given(finite, st.integers(-1000, 1000), st.integers(1, 40), policies, st.lists(finite, max_size=5))
def test_a_linear_axis_of_any_size_places_values_as_exact_arithmetic_does(
    low: float, exponent: int, cells: int, policy: OutOfRange, extra: list[float]
) -> None:
    high = low + 2.0**exponent
    try:
        axis = LinearAxis("x", low, high, cells, out_of_range=policy)
    except ArchiveError:  # too narrow for so many cells at this size, or infinite
        return

    check(axis, probes(axis) + extra)


@FEW
@given(st.floats(1e-300, 1e300), st.floats(1.001, 1e6), st.integers(1, 40), policies)
def test_a_log_axis_places_values_as_exact_arithmetic_does(
    low: float, ratio: float, cells: int, policy: OutOfRange
) -> None:
    axis = LogAxis("x", low, low * ratio, cells, out_of_range=policy)

    check(axis, probes(axis))


@FEW
@given(st.lists(finite, min_size=2, max_size=9), policies, st.lists(finite, max_size=5))
def test_given_edges_place_values_as_exact_arithmetic_does(
    given_edges: list[float], policy: OutOfRange, extra: list[float]
) -> None:
    edges = sorted({edge + 0.0 for edge in given_edges})
    if len(edges) < 2 or not math.isfinite(edges[-1] - edges[0]):
        return
    axis = EdgesAxis("x", edges, out_of_range=policy)

    check(axis, probes(axis) + extra)


@pytest.mark.parametrize("units", [10, 25, 29, 1000])
@pytest.mark.parametrize("policy", list(OutOfRange))
def test_an_axis_of_the_smallest_numbers_there_are_still_works(units: int, policy: OutOfRange) -> None:
    axis = LinearAxis("x", 0.0, units * 5e-324, 10, out_of_range=policy)

    check(axis, [*probes(axis), *(number * 5e-324 for number in range(units + 2))])


@FEW
@given(finite, st.integers(-40, 40), st.integers(1, 50))
def test_linear_edges_are_even_to_rounding_and_end_exactly(low: float, exponent: int, cells: int) -> None:
    high = low + 2.0**exponent
    if not math.isfinite(high) or high - low < cells * 1e-9 * max(abs(low), abs(high)):
        return
    axis = LinearAxis("x", low, high, cells)

    width = (Fraction(high) - Fraction(low)) / cells
    tolerance = Fraction(math.ulp(max(abs(low), abs(high)))) * 2
    assert (axis.edges[0], axis.edges[-1]) == (low, high)
    for place, edge in enumerate(axis.edges):
        assert abs(Fraction(edge) - (Fraction(low) + place * width)) <= tolerance + width * place * Fraction(1, 2**50)


@FEW
@given(st.floats(1e-30, 1e30), st.floats(1.5, 1e9), st.integers(1, 30))
def test_log_edges_have_one_ratio(low: float, ratio: float, cells: int) -> None:
    axis = LogAxis("x", low, low * ratio, cells)

    expected = math.exp(math.log(ratio) / cells)
    for left, right in zip(axis.edges, axis.edges[1:], strict=False):
        assert right / left == pytest.approx(expected, rel=1e-11)


@FEW
@given(st.lists(finite, min_size=1, max_size=20))
def test_clipping_is_the_same_as_offering_the_nearest_end(values: list[float]) -> None:
    clipping = GridSpace([LinearAxis("x", -2.0, 3.0, 7)])
    refusing = GridSpace([LinearAxis("x", -2.0, 3.0, 7, out_of_range=OutOfRange.REJECT)])

    for value in values:
        moved = min(max(value, -2.0), 3.0)
        cell, is_clipped = clipping.place_of((value,))
        assert cell == refusing.place_of((moved,))[0]
        assert is_clipped == (moved != value)


@FEW
@given(st.lists(st.text(max_size=4), min_size=1, max_size=6, unique=True), st.text(max_size=4))
def test_a_category_has_the_place_it_has_in_the_list(categories: list[str], name: str) -> None:
    refusing = GridArchive([CategoryAxis("kind", categories)])
    sharing = GridArchive([CategoryAxis("kind", categories, out_of_range=OutOfRange.OVERFLOW)])

    known = name in categories
    assert refusing.cell_of([name]) == (categories.index(name) if known else REFUSED)
    assert sharing.cell_of([name]) == (categories.index(name) if known else len(categories))
    assert (refusing.n_cells, sharing.n_cells) == (len(categories), len(categories) + 1)


@FEW
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
    st.tuples(policies, policies, policies),
    st.lists(st.tuples(*[st.floats(-0.5, 1.5)] * 3), min_size=1, max_size=8),
)
def test_a_grid_counts_its_cells_as_numpy_counts_a_block(
    sizes: tuple[int, int, int],
    out_of_range: tuple[OutOfRange, OutOfRange, OutOfRange],
    points: list[tuple[float, float, float]],
) -> None:
    axes = [
        LinearAxis(name, 0.0, 1.0, cells, out_of_range=policy)
        for name, cells, policy in zip("xyz", sizes, out_of_range, strict=True)
    ]
    space = GridSpace(axes)
    block = tuple(axis.n_positions for axis in axes)

    assert space.n_cells == math.prod(block)
    for point in points:
        positions = [exact_position(axis, value) for axis, value in zip(axes, point, strict=True)]
        refused = REFUSED in positions
        expected = REFUSED if refused else int(np.ravel_multi_index(tuple(positions), block))
        assert space.place_of(point)[0] == expected
        assert space.cells_of(np.array([point]))[0] == expected


@FEW
@given(st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5)), max_size=20), policies, policies)
def test_single_and_batched_offers_count_the_same_as_clipped_and_refused(
    points: list[tuple[float, float]], first: OutOfRange, second: OutOfRange
) -> None:
    axes = [LinearAxis("x", 0.0, 1.0, 3, out_of_range=first), LinearAxis("y", 0.0, 1.0, 3, out_of_range=second)]
    single, batched = GridArchive(axes), GridArchive(axes)
    programs = [candidate(number) for number in range(len(points))]

    for program, point in zip(programs, points, strict=True):
        single.add(program, score=1.0, descriptor=point)
    batched.add_many(programs, [1.0] * len(points), points)

    assert single.stats() == batched.stats()
    refused = sum(any(exact_position(a, v) == REFUSED for a, v in zip(axes, point, strict=True)) for point in points)
    assert single.stats().n_rejected_range == refused


AXIS_KINDS: list[Axis] = [
    LinearAxis("x", -1e-3, 7.1, 13, out_of_range=OutOfRange.REJECT),
    LogAxis("x", 1e-12, 3.0, 11, out_of_range=OutOfRange.OVERFLOW),
    EdgesAxis("x", [-1.5, 0.1, 0.3], out_of_range=OutOfRange.CLIP),
]


@pytest.mark.parametrize("axis", AXIS_KINDS, ids=lambda axis: type(axis).__name__)
def test_an_axis_read_back_from_its_table_has_the_same_edges_to_the_bit(axis: Axis) -> None:
    again = axis_from_mapping(axis.to_mapping())

    assert again == axis
    assert [edge.hex() for edge in again.edges] == [edge.hex() for edge in axis.edges]


@pytest.mark.parametrize("axis", AXIS_KINDS, ids=lambda axis: type(axis).__name__)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, "0.5", None, [0.5], object()])
def test_a_number_axis_reads_finite_numbers_only(axis: Axis, value: float) -> None:
    with pytest.raises(ArchiveError, match="expected a finite number"):
        axis.code_of(value)


@pytest.mark.parametrize("value", [0, 1.0, None, ["a"]])
def test_a_category_axis_reads_names_only(value: str) -> None:
    with pytest.raises(ArchiveError, match="expected the name of a category"):
        CategoryAxis("kind", ["a", "b"]).code_of(value)


def test_minus_zero_is_zero_in_descriptors_edges_and_scores() -> None:
    plus, minus = (GridArchive([EdgesAxis("x", [zero, 1.0])]) for zero in (0.0, -0.0))
    plus.add(candidate(1), score=0.0, descriptor=[0.0])
    minus.add(candidate(1), score=-0.0, descriptor=[-0.0])

    assert plus.hash() == minus.hash()
    assert math.copysign(1.0, minus.elites()[0].score) == 1.0


def test_an_axis_has_no_more_cells_than_an_archive() -> None:
    with pytest.raises(ArchiveError, match="at most 4,194,304 work"):
        LinearAxis("x", 0.0, 1.0, 10**12)
    with pytest.raises(ArchiveError, match="at most 4,194,304 work"):
        LogAxis("x", 1.0, 2.0, MAX_CELLS + 1)


@FEW
@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.lists(finite, min_size=1, max_size=10))
def test_units_run_from_zero_to_one_and_never_fall(low: float, span: float, values: list[float]) -> None:
    axis = LinearAxis("x", low, low + span + abs(low) * 1e-6, 3)
    ordered = np.sort(np.array([*values, axis.edges[0], axis.edges[-1]]))

    units = axis.units_of(ordered)

    assert units.tolist() == [axis.unit_of(value) for value in ordered.tolist()]
    assert (np.diff(units) >= 0.0).all()
    assert (axis.unit_of(axis.edges[0]), axis.unit_of(axis.edges[-1])) == (0.0, 1.0)
