import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.axes import axis_from_mapping
from evolve.report.chart_lines import Level, Line, LineChart, line_chart, near_levels, path_of
from evolve.report.chart_map import MANY_CELLS, heat_map
from evolve.report.chart_tree import COLUMNS_MOST, lay_out, tree
from evolve.report.code import CHARACTERS_MOST, code, difference
from evolve.report.colours import LEVELS, level_of, luminance_of
from evolve.report.html import Html, joined, number, tag, visible
from evolve.report.pictures import circles
from evolve.report.progress import floor_of
from evolve.report.scales import linear_ticks, log_ticks, scale_over, tick_text
from evolve.report.style import policy, style_sheet
from evolve.view.lineage import Step
from evolve.view.map import ArchiveMap, MapCell
from evolve.view.pictures import Circles
from evolve.view.shape import ArchiveShape, ShownAxis

FINITE = st.floats(-1e12, 1e12)


@given(st.text(), st.text())
def test_any_text_and_any_attribute_come_back_as_they_were_shown(text: str, value: str) -> None:
    element = ElementTree.fromstring(tag("p", text, title=value))

    assert (element.text or "") == joined_text(text)
    assert element.tag == "p"
    assert set(element.attrib) == {"title"}
    assert len(element) == 0


def joined_text(text: str) -> str:
    return "".join(ElementTree.fromstring(f"<p>{joined(text)}</p>").itertext())


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_visible_text_has_nothing_that_could_be_obeyed(text: str) -> None:
    shown = visible(text)

    shown.encode("utf-8")
    assert not any(ord(each) < 32 and each not in "\n\t" for each in shown)
    assert shown.replace('<span class="odd">', "").replace("</span>", "").count("<") == 0


def test_what_hides_in_a_text_stands_out() -> None:
    assert visible("a\u202eb") == 'a<span class="odd">\\u202e</span>b'


def test_only_html_passes_as_it_is() -> None:
    assert tag("p", Html("<b>"), "<b>", None, ["&"]) == "<p><b>&lt;b&gt;&amp;</p>"


def test_attributes_can_be_bare_or_left_out() -> None:
    assert tag("details", open=True, id=None, class_="a", hidden=False) == '<details open class="a"></details>'


@pytest.mark.parametrize(("value", "text"), [(-0.001, "0"), (1.5, "1.5"), (100.0, "100"), (-2.345, "-2.35")])
def test_coordinates_are_short(value: float, text: str) -> None:
    assert number(value) == text


@given(FINITE, FINITE)
def test_ticks_lie_inside_and_are_evenly_spaced(low: float, high: float) -> None:
    low, high = min(low, high), max(low, high)
    ticks = linear_ticks(low, high, 5)

    room = (high - low) * 1e-6
    assert all(low - room <= value <= high + room for value in ticks)
    assert len(ticks) <= 12


@given(st.floats(1e-30, 1e20), st.floats(1.5, 1e40))
def test_logarithmic_ticks_are_few_and_inside(low: float, factor: float) -> None:
    ticks = log_ticks(low, low * factor, 5)

    assert all(low * 0.999 <= value <= low * factor * 1.001 for value in ticks)
    assert len(ticks) <= 12


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (40_000.0, "40k"), (2.5e6, "2.5M"), (1e-12, "1e-12"), (1e12, "1e12"), (0.0, "0"), (-3.0, "-3")],
)
def test_ticks_read_as_people_write(value: float, text: str) -> None:
    assert tick_text(value) == text


@given(st.lists(st.floats(), max_size=6), st.floats(-1e6, 1e6))
def test_every_value_has_a_place_on_the_paper(values: list[float], value: float) -> None:
    scale = scale_over(values, 0.0, 100.0, margin=0.1)

    assert 0.0 <= scale.place(value) <= 100.0


def test_a_scale_of_equal_values_has_room_around_them() -> None:
    assert scale_over([3.0, 3.0], 0.0, 10.0).place(3.0) == pytest.approx(5.0)


def test_colours_only_get_lighter() -> None:
    light = [luminance_of(level) for level in range(LEVELS)]

    assert light == sorted(set(light))
    assert [level_of(value, 0.0, 1.0) for value in (0.0, 1.0, 2.0)] == [0, LEVELS - 1, LEVELS - 1]


def test_a_step_keeps_its_height_until_the_next_point() -> None:
    assert path_of([(0, 5), (10, 5), (10, 1)], is_step=True) == "M0 5H10V5H10V1"
    assert path_of([(0, 5), (10, 1)]) == "M0 5L10 1"


def test_a_chart_is_well_formed_and_names_its_axes() -> None:
    line = Line(
        name="best", points=[(1, 1.0), (100, 2.0)], is_step=True, has_marks=True, titles=["<a>", "b"], links=["c1"]
    )
    chart = LineChart(title="t", x_label="x & y", y_label="score", lines=[line], levels=[Level(name="l", value=1.5)])

    drawn = ElementTree.fromstring(line_chart(chart))

    texts = [element.text for element in drawn.iter("text")]
    assert {"x & y", "score", "l 1.5"} <= set(texts)
    assert [element.get("href") for element in drawn.iter("a")] == ["#c1"]
    assert [element.findtext("title") for element in drawn.iter("circle")] == ["<a>", "b"]


def test_a_level_far_away_does_not_flatten_the_chart() -> None:
    near, far = Level(name="near", value=2.0), Level(name="far", value=1e6)

    assert near_levels([near, far], [0.0, 1.0]) == [near]


def test_a_chart_without_points_is_drawn_too() -> None:
    chart = LineChart(title="t", x_label="x", y_label="y", lines=[Line(name="none", points=[])], log_x=True, log_y=True)

    assert ElementTree.fromstring(line_chart(chart)).tag == "svg"


def map_of(n: int) -> ArchiveMap:
    axes = tuple(
        ShownAxis(
            axis=axis_from_mapping({"kind": "linear", "name": name, "low": 0, "high": n, "cells": n}),
            labels=tuple(map(str, range(n))),
        )
        for name in ("a<b", "b")
    )
    shape = ArchiveShape(kind="grid", cell="best", axes=axes, n_cells=n * n, qd_offset=0.0, note="")
    cells = {
        (x, y): MapCell(
            candidate=x * n + y + 1, score=float(x + y), operator="<o>", iteration=0, generation=0, island=0, n_elites=1
        )
        for x in range(n)
        for y in range(n)
    }
    return ArchiveMap(shape=shape, x=0, y=1, cells=cells, low=0.0, high=2.0 * n, n_elites=n * n, n_unplaced=0)


def test_a_map_links_the_cells_whose_programs_are_on_the_page() -> None:
    drawn = ElementTree.fromstring(heat_map(map_of(3), {2, 5}))

    assert [element.get("href") for element in drawn.iter("a")] == ["#c2", "#c5"]
    assert sum("cell" in str(element.get("class")) for element in drawn.iter("rect")) == 9
    corner = next(element for element in drawn.iter("g") if (element.findtext("title") or "").startswith("a<b 0, b 0"))
    assert corner.findtext("title") == "a<b 0, b 0: score 0, candidate 1 by <o>"


def test_a_large_map_stays_small() -> None:
    drawn = heat_map(map_of(100), set(range(10_000)))

    assert MANY_CELLS < 100 * 100
    assert len(drawn) < 400_000
    ElementTree.fromstring(drawn)


def step(number: int, *parents: int, score: float | None = None) -> Step:
    return Step(
        id=number,
        generation=number,
        score=float(number) if score is None else score,
        failure=None,
        operator="<m>",
        iteration=number,
        status="new",
        parents=parents,
        metrics={},
    )


def test_the_line_of_first_parents_has_its_own_lane() -> None:
    nodes = lay_out([step(4, 3, 2), step(3, 1), step(2, 1), step(1)], 4)

    assert {node.step.id: node.lane for node in nodes} == {4: 0, 3: 0, 1: 0, 2: 1}


def test_side_branches_are_drawn_while_there_is_room() -> None:
    steps = [step(1)]
    for child in range(3, 90, 2):
        generation, before = child // 2, max(child - 2, 1)
        steps.append(replace(step(child - 1, 1), generation=generation - 1))
        steps.append(replace(step(child, before, child - 1), generation=generation))

    nodes = lay_out(steps[::-1], 89)

    assert len(nodes) == 89
    assert sum(node.lane == 0 for node in nodes) == 45


def test_of_a_long_line_the_steps_that_rose_are_drawn() -> None:
    line = [step(number, number - 1, score=float(number // 100)) for number in range(1000, 1, -1)] + [step(1)]

    nodes = lay_out(line, 1000)
    drawn = ElementTree.fromstring(tree(line, 1000, {1000}))

    assert {1, 1000} <= {node.step.id for node in nodes}
    assert len(nodes) <= COLUMNS_MOST
    assert any(element.get("class") == "edge gap" for element in drawn.iter("path"))
    assert [element.get("href") for element in drawn.iter("a")] == ["#c1000"]


def test_a_program_keeps_its_text_under_the_colours() -> None:
    text = "def f(x):\n    # a <b> comment\n    return 'a' + \"\\n\" + str(x * 1.5)"

    shown = ElementTree.fromstring(code(text))

    assert "".join(shown.itertext()) == text
    assert {element.get("class") for element in shown.iter("span")} >= {"k-word", "k-comment", "k-string", "k-number"}


@given(st.text(max_size=200))
def test_any_text_can_be_shown_as_a_program_or_a_change(text: str) -> None:
    for shown in (code(text), difference(text)):
        ElementTree.fromstring(shown)


def test_a_long_program_is_cut_and_says_so() -> None:
    shown = code("x = 1\n" * 100_000)

    assert len(shown) < 10 * CHARACTERS_MOST
    assert "only the beginning of 599,999 characters is shown" in shown


def test_a_change_marks_what_came_and_went() -> None:
    shown = ElementTree.fromstring(difference("--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same"))

    assert [element.get("class") for element in shown.iter("span")] == [
        "d-file",
        "d-file",
        "d-place",
        "d-old",
        "d-new",
        "d-same",
    ]


def test_circles_lie_in_their_frame_with_y_upwards() -> None:
    drawn = ElementTree.fromstring(circles(Circles(circles=((0.25, 1.0, 0.1),), width=1.0, height=2.0)))

    circle = next(drawn.iter("circle"))
    assert [float(circle.get(name) or math.nan) for name in ("cx", "cy", "r")] == pytest.approx([41.5, 154.0, 15.0])


def test_first_scores_far_below_the_rest_do_not_set_the_scale() -> None:
    assert floor_of([-1e9, 1.0, 2.0, 3.0, 4.0]) == pytest.approx(-2.0)
    assert floor_of([0.0, 1.0, 2.0, 3.0]) is None


def test_the_policy_allows_one_style_sheet_and_nothing_else() -> None:
    words = policy(style_sheet())

    assert words.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in words
    assert "http" not in style_sheet()
    assert "url(" not in style_sheet()
