"""Pictures of sets of numbers, matrices of signs and functions: what stands where, and what is left out."""

import itertools
import json
from typing import Any

import pytest

from evaluators.constructions.pictures import as_text, curve_picture, numbers_picture, signs_picture
from evaluators.constructions.registry import verify
from evolve.view.pictures import Curve, Drawing, from_artifact


def drawn(picture: Any) -> Any:
    """The shape that the report draws."""
    text = as_text(picture)
    assert text is not None
    found = from_artifact(text)
    assert found is not None
    return found.shape


def test_few_numbers_are_places_on_a_line() -> None:
    shape = drawn(numbers_picture("3 numbers", [12, 10, 20]))

    assert isinstance(shape, Drawing)
    assert shape.points == ((0.0, 0.0), (0.2, 0.0), (1.0, 0.0))


def test_numbers_beyond_all_floats_are_placed_too() -> None:
    shape = drawn(numbers_picture("3 numbers", [0, 10**400 // 2, 10**400]))

    assert [x for x, _ in shape.points] == [0.0, 0.5, 1.0]


def test_of_many_numbers_it_is_shown_how_they_are_spread() -> None:
    picture = numbers_picture("1000 numbers", [*range(500), *range(10**6, 10**6 + 500)])

    assert isinstance(drawn(picture), Curve)
    heights = picture["heights"]
    assert (heights[0], heights[-1], sum(heights)) == (500.0, 500.0, 1000.0)


def test_a_matrix_of_signs_shows_the_rarer_sign_with_the_first_row_on_top() -> None:
    picture = signs_picture("a matrix", [[1, -1, -1], [1, 1, 1]])

    assert picture is not None
    assert picture["polygons"] == [[[1.0, 0.0], [3.0, 0.0], [3.0, -1.0], [1.0, -1.0]]]
    assert isinstance(drawn(picture), Drawing)


def test_a_matrix_with_too_many_boxes_is_not_drawn() -> None:
    assert signs_picture("a matrix", [[1, -1] * 30] * 30) is None


def test_a_function_is_a_curve() -> None:
    shape = drawn(curve_picture("f", [(0.0, 1.0), (0.5, -2.0)]))

    assert shape.points == ((0.0, 1.0), (0.5, -2.0))


@pytest.mark.parametrize(
    ("d", "places"), [(2, {(1.0, 0.0)}), (3, {(1.0, 0.0), (5.0, 0.0)}), (4, {(1.0, 0.0), (5.0, 0.0)})]
)
def test_further_coordinates_of_a_finite_field_shift_a_point(d: int, places: set[tuple[float, float]]) -> None:
    whole = [list(point) for point in itertools.product(range(3), repeat=d)]

    shape = drawn(verify("kakeya", whole, {"p": 3, "d": d}).picture)

    assert places <= set(shape.points)
    assert len(set(shape.points)) == 3**d


def test_the_curve_of_a_sign_uncertainty_function_begins_at_zero_and_ends_above() -> None:
    verdict = verify("uncertainty_hermite", [0.33, -0.01, -9e-05], {"n": 3})

    assert verdict.valid, verdict.reason
    points = drawn(verdict.picture).points
    assert points[0][1] == pytest.approx(0.0, abs=1e-9)
    assert min(y for _, y in points) < 0.0 <= points[-1][1]


def test_cubes_are_drawn_with_all_their_faces() -> None:
    rows = [[0.0, 0.0, 0.0, 1, 0, 0, 0], [1.5, 0.0, 0.0, 1, 0, 0, 0]]

    verdict = verify("cubes_in_cube", rows, {"n": 2})

    assert verdict.picture is not None
    assert len(verdict.picture["polygons"]) == 12
    xs = [x for face in verdict.picture["polygons"] for x, _ in face]
    assert (min(xs), max(xs)) == (-0.5, 2.0)
    json.dumps(dict(verdict.picture), allow_nan=False)
