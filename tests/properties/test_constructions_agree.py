"""Two codes for one quantity: on random constructions the verifier and the stand-alone checker say the same.

Small whole numbers make what is rare elsewhere: lines that meet in one point, points in one plane, equal distances.
"""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.constructions.registry import verify
from tests.extent import examples
from tests.unit.constructions.checked import confirm, of_verdict

EXAMPLES = settings(max_examples=examples(60), deadline=None)

eighths = st.integers(-8, 8).map(lambda number: f"{number}/8")
small = st.integers(-6, 6)


def agree(name: str, data: Any, **parameters: Any) -> None:
    """Where the verifier accepts, the checker confirms its value, and for exact values no other."""
    verdict = verify(name, data, parameters)
    if not verdict.valid:
        return
    document = of_verdict(name, verdict, parameters)
    confirm(document)
    if verdict.is_exact:
        for sign in (-1, 1):
            with pytest.raises(ValueError, match=r"."):
                confirm({**document, "value": str(Fraction(document["value"]) + sign)})


@EXAMPLES
@given(offsets=st.lists(eighths, min_size=2, max_size=6), shape=st.sampled_from(["triangles", "parallelograms"]))
def test_needles(offsets: list[str], shape: str) -> None:
    agree("kakeya_needle", offsets, n=len(offsets), shape=shape)


@EXAMPLES
@given(points=st.lists(st.tuples(eighths, eighths, eighths), min_size=4, max_size=7, unique=True))
def test_polyhedra(points: list[Any]) -> None:
    agree("polyhedron_volume", points, n=len(points))


@EXAMPLES
@given(rows=st.lists(st.lists(small, min_size=3, max_size=3), min_size=3, max_size=3))
def test_lattices(rows: list[list[int]]) -> None:
    agree("lattice_packing", rows, d=3)


@EXAMPLES
@given(points=st.lists(st.tuples(small, small), min_size=3, max_size=7, unique=True), k=st.integers(4, 6))
def test_points_without_convex_polygons(points: list[Any], k: int) -> None:
    agree("happy_ending", points, k=k)


@EXAMPLES
@given(numbers=st.lists(st.integers(0, 40), min_size=2, max_size=9, unique=True))
def test_sets_of_numbers(numbers: list[int]) -> None:
    agree("more_sums_than_differences", numbers, n=41)
    agree("difference_basis", numbers, n=9)
    agree("sum_difference_one", numbers, n=9, span=40)
    far = [number * 10**9 + number**2 for number in numbers]
    agree("sum_difference_two", far, n=9, span=10**12)


@EXAMPLES
@given(rows=st.lists(st.tuples(small, st.integers(0, 6)), min_size=1, max_size=6))
def test_masses_on_a_line(rows: list[Any]) -> None:
    agree("maximal_function", rows, n=6)


@EXAMPLES
@given(rows=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), min_size=2, max_size=5, unique_by=lambda r: r[0]))
def test_masses_that_beat_the_average(rows: list[Any]) -> None:
    agree("beat_the_average", rows, n=5)


@EXAMPLES
@given(rows=st.lists(st.tuples(eighths, eighths, st.integers(1, 4), small, small), min_size=1, max_size=4))
def test_squares(rows: list[Any]) -> None:
    agree("squares_in_square", [[x, y, f"{side}/16", p, q] for x, y, side, p, q in rows], n=len(rows))


@EXAMPLES
@given(heights=st.lists(st.integers(-5, 9), min_size=1, max_size=9))
def test_step_functions(heights: list[int]) -> None:
    agree("third_autocorrelation", heights, n=9, peak="signed")
    agree("third_autocorrelation", heights, n=9, peak="absolute")
    agree("second_autocorrelation", [abs(height) for height in heights], n=9)
    agree("smallest_autocorrelation", [abs(height) for height in heights], n=9, m=2)
    agree("gagliardo_nirenberg", heights, n=9)


@EXAMPLES
@given(
    rows=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any), min_size=1, max_size=5),
    pairs=st.lists(st.integers(0, 8), min_size=5, max_size=5),
)
def test_weights_and_loads(rows: list[list[int]], pairs: list[int]) -> None:
    agree("edges_and_triangles", rows, n=5)
    loads = [[f"{u}/8", f"{8 - u}/8"] for u in pairs]
    for cuts in ("all", "inner"):
        agree("ring_loading", loads, m=5, cuts=cuts)
