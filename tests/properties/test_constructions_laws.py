"""Laws of constructions: what changes nothing about them does not change their value, and no repair gains anything."""

from fractions import Fraction
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evaluators.constructions.registry import verify
from evaluators.constructions.verdict import Verdict
from tests.extent import examples

EXAMPLES = settings(max_examples=examples(60), deadline=None)

coordinates = st.integers(-50, 50)
planes = st.lists(st.tuples(coordinates, coordinates), min_size=5, max_size=5, unique=True)
spaces = st.lists(st.tuples(coordinates, coordinates, coordinates), min_size=5, max_size=5, unique=True)
heights = st.lists(st.integers(0, 1000), min_size=2, max_size=12).filter(any)
sets = st.lists(st.integers(0, 60), min_size=3, max_size=10, unique=True)
orders = st.randoms(use_true_random=False)


def value(name: str, data: Any, **parameters: Any) -> Fraction:
    verdict = verify(name, data, parameters)
    assert verdict.valid, verdict.reason
    assert verdict.value is not None
    return verdict.value


@EXAMPLES
@given(points=planes, order=orders, shift=coordinates, scale=st.integers(1, 9))
def test_the_ratio_of_distances_does_not_see_order_place_or_size(
    points: list[Any], order: Any, shift: int, scale: int
) -> None:
    moved = [[scale * x + shift, scale * y - shift] for x, y in points]
    order.shuffle(moved)

    before, after = (value("minmax_distance_ratio", each, n=5, d=2) for each in (points, moved))

    assert before == after
    assert before >= 1


@EXAMPLES
@given(points=spaces, order=orders, scales=st.lists(st.integers(1, 9), min_size=5, max_size=5))
def test_a_spherical_code_sees_directions_only(points: list[Any], order: Any, scales: list[int]) -> None:
    parameters = {"n": 5, "d": 3}
    before = verify("tammes", points, parameters)
    assume(before.valid)
    longer = [[scale * c for c in point] for scale, point in zip(scales, points, strict=True)]
    order.shuffle(longer)

    after = verify("tammes", longer, parameters)

    assert before.value is not None
    assert after.value is not None
    assert abs(before.value - after.value) < Fraction(1, 10**40)
    turned = [[y, -z, x] for x, y, z in points]
    assert verify("tammes", turned, parameters).value == before.value


@EXAMPLES
@given(points=planes, a=st.integers(-3, 3), b=st.integers(-3, 3), c=st.integers(-3, 3), d=st.integers(-3, 3))
def test_heilbronns_ratio_in_the_hull_is_the_same_under_affine_maps(
    points: list[Any], a: int, b: int, c: int, d: int
) -> None:
    assume(a * d != b * c)
    before = verify("heilbronn_convex", points, {"n": 5})
    assume(before.valid)

    mapped = [[a * x + b * y + 7, c * x + d * y - 3] for x, y in points]

    assert value("heilbronn_convex", mapped, n=5) == before.value
    assert 0 <= (before.value or 0) <= 1


@EXAMPLES
@given(steps=heights, factor=st.integers(1, 99))
def test_an_autocorrelation_does_not_see_size_or_direction_of_a_function(steps: list[int], factor: int) -> None:
    parameters = {"n": 99, "support": "half"}

    before = value("first_autocorrelation", steps, **parameters)

    assert value("first_autocorrelation", [factor * step for step in steps[::-1]], **parameters) == before
    # Finer steps of the same function
    assert value("first_autocorrelation", [step for step in steps for _ in range(3)], **parameters) == before
    assert before >= 1
    assert value("second_autocorrelation", steps, n=99) <= 1


@EXAMPLES
@given(steps=heights)
def test_an_overlap_is_the_same_backwards_and_upside_down(steps: list[int]) -> None:
    h = [str(Fraction(step, 1000)) for step in steps]
    repaired = verify("erdos_overlap", h, {"n": 99})
    assert repaired.valid
    upside_down = [str(1 - Fraction(each)) for each in repaired.construction]

    assert value("erdos_overlap", repaired.construction[::-1], n=99) == repaired.value
    assert value("erdos_overlap", upside_down, n=99) == repaired.value
    assert Fraction(356, 1000) < (repaired.value or 0) <= 1


@EXAMPLES
@given(numbers=sets)
def test_a_mirrored_set_has_as_many_sums_and_differences(numbers: list[int]) -> None:
    mirrored = [60 - number for number in numbers]

    assert value("more_sums_than_differences", numbers, n=61) == value("more_sums_than_differences", mirrored, n=61)


circles = st.lists(
    st.tuples(st.integers(1, 31), st.integers(1, 31), st.integers(1, 8)), min_size=3, max_size=6, unique=True
)


@EXAMPLES
@given(rows=circles, order=orders)
def test_the_repair_of_circles_never_gains_and_is_final(rows: list[Any], order: Any) -> None:
    raw = [[x / 32, y / 32, r / 64] for x, y, r in rows]
    first = verify("circles_in_square", raw, {"n": len(raw)})
    assume(first.valid)
    order.shuffle(raw)

    assert_value(verify("circles_in_square", raw, {"n": len(raw)}), first.value)
    assert_value(verify("circles_in_square", first.construction, {"n": len(raw)}), first.value)
    assert (first.value or 0) <= sum(Fraction(r) for _, _, r in raw)
    smaller = [[x, y, r / 2] for x, y, r in raw]
    assert verify("circles_in_square", smaller, {"n": len(raw)}).valid


def assert_value(verdict: Verdict, expected: Fraction | None) -> None:
    assert verdict.valid, verdict.reason
    assert verdict.value == expected
