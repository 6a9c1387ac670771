"""Tables of archives: what is refused and how it is told, and that a shape builds the archive it came from."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import (
    ArchiveError,
    ArchiveSpecError,
    CVTArchive,
    GridArchive,
    LinearAxis,
    axis_from_mapping,
    build_archive,
)
from evolve.testing.archive_conformance import feed, stream
from tests.extent import examples

X = {"name": "x", "low": 0.0, "high": 1.0, "cells": 4}
Y = {"name": "y", "kind": "linear", "low": -0.5, "high": 1.5, "cells": 3}
TOO_BIG = 10**400

AXIS_TABLES: list[tuple[dict[str, Any], str]] = [
    ({}, "name: missing, expected text"),
    ({**X, "name": ""}, "name: got '', expected text"),
    ({**X, "name": 3}, "name: got 3, expected text"),
    ({**X, "low": True}, "low: got True, expected a number"),
    ({**X, "high": None}, "high: got None, expected a number"),
    ({**X, "high": [1]}, "high: got [1], expected a number"),
    ({**X, "cells": True}, "cells: got True, expected a whole number"),
    ({**X, "cells": "4"}, "cells: got '4', expected a whole number"),
    ({**X, "cells": 0}, "cells must be a positive whole number, got 0"),
    ({**X, "cells": -3}, "cells must be a positive whole number, got -3"),
    ({**X, "out_of_range": "Clip"}, "out_of_range: got 'Clip', did you mean 'clip'?"),
    ({**X, "out_of_range": None}, "out_of_range: got None, expected one of clip, reject, overflow"),
    ({**X, "lows": 1}, "lows: unknown key, did you mean 'low'?"),
    ({**X, "kind": "LOG"}, "kind: got 'LOG', expected one of linear, log, edges, categories"),
    ({**X, "kind": ["log"]}, "kind: got ['log'], did you mean 'log'?"),
    ({**X, "kind": {}}, "kind: got {}, expected one of"),
    ({**X, "kind": None}, "kind: got None, expected one of"),
    ({**X, "low": math.nan}, "its ends must be finite, got nan to 1.0"),
    ({**X, "high": math.inf}, "its ends must be finite"),
    ({**X, "kind": "log"}, "a log axis needs 0 < low < high"),
    ({**X, "kind": "log", "low": 2.0}, "a log axis needs 0 < low < high"),
    ({"kind": "edges", "name": "x"}, "edges: missing, expected a list of numbers"),
    ({"kind": "edges", "name": "x", "edges": 3}, "edges: got 3, expected a list of numbers"),
    ({"kind": "edges", "name": "x", "edges": [0, "1"]}, "expected a list of numbers"),
    ({"kind": "edges", "name": "x", "edges": [0]}, "got 1 edges, expected at least 2"),
    ({"kind": "edges", "name": "x", "edges": [0, 0]}, "edges must increase"),
    ({"kind": "edges", "name": "x", "edges": [0, 1], "cells": 2}, "cells: unknown key"),
    ({"kind": "categories", "name": "x", "categories": "ab"}, "expected a list of names"),
    ({"kind": "categories", "name": "x", "categories": ["a", 1]}, "expected a list of names"),
    ({"kind": "categories", "name": "x", "categories": []}, "at least one"),
    ({"kind": "categories", "name": "x", "categories": ["a"], "out_of_range": "clip"}, "cannot be clipped"),
]


@pytest.mark.parametrize(("table", "message"), AXIS_TABLES)
def test_a_wrong_axis_says_what_is_wrong_and_what_was_expected(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ArchiveSpecError) as caught:
        axis_from_mapping(table)

    assert message in str(caught.value)


@pytest.mark.parametrize("key", ["low", "high", "cells"])
def test_a_whole_number_that_no_float_holds_is_a_mistake_not_a_crash(key: str) -> None:
    with pytest.raises(ArchiveSpecError):
        axis_from_mapping({**X, key: TOO_BIG})


ARCHIVE_TABLES: list[tuple[dict[str, Any], str]] = [
    ({"axes": {}}, "axes: expected at least one table"),
    ({"axes": "x"}, "axes: expected at least one table"),
    ({"axes": [None]}, "axes[0]: got None, expected a table"),
    ({"axes": [X, X]}, "axes must have names of their own"),
    ({"kind": 3}, "kind: got 3, expected one of grid, cvt"),
    ({"cell": ["best"]}, "cell: got ['best']"),
    ({"keep": True}, "keep: got True, expected a whole number of at least 1"),
    ({"keep": 2.0}, "keep: got 2.0"),
    ({"cell": "top", "keep": -1}, "keep: got -1"),
    ({"cell": "top", "apart": -0.5}, "apart: scores must be a finite distance apart"),
    ({"cell": "top", "apart": math.nan}, "apart: scores must be"),
    ({"cell": "top", "apart": math.inf}, "apart: scores must be"),
    ({"cell": "top", "apart": "1"}, "apart: got '1', expected a number"),
    ({"cell": "top", "apart": TOO_BIG}, "apart: got 1000"),
    ({"cell": "top", "metrics": ["min:cost"]}, 'metrics: only cell = "pareto" reads it'),
    ({"cell": "pareto"}, 'metrics: cell = "pareto" needs a list'),
    ({"cell": "pareto", "metrics": "min:cost"}, 'metrics: cell = "pareto" needs a list'),
    ({"cell": "pareto", "metrics": ["min:cost", "depth"]}, "metrics[1]: expected"),
    ({"cell": "pareto", "metrics": [None]}, "metrics[0]: expected"),
    ({"qd_offset": True}, "qd_offset: got True, expected a number"),
    ({"qd_offset": math.inf}, "qd_offset must be finite"),
    ({"qd_offset": -TOO_BIG}, "qd_offset: got -1000"),
    ({"kind": "cvt", "centroids": 0}, "centroids: got 0, expected a whole number of at least 1"),
    ({"kind": "cvt", "centroids": 10**9}, "got 1,000,000,000 centroids, expected 1 to 4,194,304"),
    ({"kind": "cvt", "centroids": "many"}, "centroids: got 'many'"),
    ({"kind": "cvt", "centroids": [[0.1], [0.2, 0.3]]}, "centroids: expected how many, or rows of numbers"),
    ({"kind": "cvt", "centroids": [[TOO_BIG]]}, "centroids: expected how many, or rows of numbers"),
    ({"kind": "cvt", "centroids": [[math.nan]]}, "centroids lie outside [0, 1]"),
    ({"kind": "cvt", "centroids": [[0.5], [0.5]]}, "two centroids are equal"),
    ({"kind": "cvt", "centroids": [[0.0], [-0.0]]}, "two centroids are equal"),
    ({"kind": "cvt", "centroids": []}, "centroids have shape (0,)"),
    ({"kind": "cvt", "rng_seed": -1}, "rng_seed: got -1"),
    ({"kind": "cvt", "axes": [{**X, "out_of_range": "overflow"}]}, "a CVT archive needs kind"),
    ({"kind": "cvt", "axes": [{"name": "x", "kind": "edges", "edges": [0, 1]}]}, "a CVT archive needs kind"),
    ({"axes": [{**X, "cells": 4000}, {**Y, "cells": 4000}]}, "the grid has 16,000,000 cells (4000 x 4000)"),
]


@pytest.mark.parametrize(("table", "message"), ARCHIVE_TABLES)
def test_a_wrong_archive_says_what_is_wrong_and_what_was_expected(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ArchiveSpecError) as caught:
        build_archive({"axes": [X], **table})

    assert message in str(caught.value)


def test_mistakes_of_several_axes_come_together_and_in_order() -> None:
    axes = [{"name": "a", "low": "0", "high": 1}, X, {"kind": "lgo"}, {"name": "c", "high": 1, "hihg": 2}]

    with pytest.raises(ArchiveSpecError) as caught:
        build_archive({"axes": axes, "keep": "three", "celll": "top"})

    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == [
        "celll",
        "keep",
        "axes[0].low",
        "axes[2].kind",
        "axes[3].hihg",
        "axes[3].low",
    ]
    assert isinstance(caught.value, ArchiveError)
    assert str(caught.value).splitlines() == list(caught.value.mistakes)


LOG = {"name": "size", "kind": "log", "low": 0.01, "high": 2.0, "cells": 5, "out_of_range": "clip"}
EDGES = {"name": "error", "kind": "edges", "edges": [0.0, 0.1, 0.7], "out_of_range": "overflow"}
SHAPES: list[dict[str, Any]] = [
    {"axes": [X, Y]},
    {"axes": [LOG, EDGES], "qd_offset": -2.5},
    {"axes": [X, Y], "cell": "top"},
    {"axes": [X, Y], "cell": "top", "keep": 2, "apart": 0.25},
    {"axes": [X, EDGES], "cell": "pareto", "metrics": ["min:cost"], "keep": 3},
    {"axes": [X, Y], "cell": "pareto", "metrics": ["max:cost", "min:cost"]},
    {"axes": [X, LOG], "kind": "cvt", "centroids": 9, "rng_seed": 5},
    {"axes": [X, Y], "kind": "cvt", "centroids": [[0.1, 0.2], [0.9, 0.4]], "cell": "top", "keep": 2},
]


@pytest.mark.parametrize("table", SHAPES)
def test_a_shape_that_went_through_json_builds_an_archive_that_behaves_the_same(table: dict[str, Any]) -> None:
    first = build_archive(table)

    second = build_archive(json.loads(json.dumps(first.shape())))

    assert second.shape() == first.shape()
    assert type(second) is type(first)
    assert feed(second, stream(11, 150)) == feed(first, stream(11, 150))
    assert second.hash() == first.hash()


@pytest.mark.parametrize("table", SHAPES)
def test_a_fresh_archive_is_empty_and_forgets_what_was_counted(table: dict[str, Any]) -> None:
    used = build_archive(table)
    empty_hash = used.hash()
    feed(used, stream(12, 80))

    fresh = used.fresh()

    assert fresh.hash() == empty_hash
    assert fresh.stats().n_elites == fresh.stats().n_clipped == fresh.stats().n_rejected_range == 0
    assert used.stats().n_elites > 0


def test_a_shape_cannot_be_changed_from_outside() -> None:
    archive = build_archive({"axes": [X], "kind": "cvt", "centroids": [[0.25], [0.75]]})
    before = archive.hash()

    archive.shape()["axes"].clear()

    assert archive.hash() == before
    assert isinstance(archive, CVTArchive)
    with pytest.raises(ValueError, match="read-only"):
        archive.centroids[0, 0] = 0.5


def test_defaults_are_those_that_the_documentation_names() -> None:
    grid = build_archive({"axes": [X]})
    top = build_archive({"axes": [X], "cell": "top"})
    pareto = build_archive({"axes": [X], "cell": "pareto", "metrics": ["min:cost"]})

    assert (grid.shape()["kind"], grid.shape()["cell"], grid.qd_offset) == ("grid", "best", 0.0)
    assert top.shape()["keep"] == 4
    assert pareto.shape()["keep"] == 8
    assert grid.axes[0].out_of_range == "clip"


@pytest.mark.parametrize("qd_offset", [math.nan, math.inf, -math.inf])
def test_an_archive_counts_from_a_finite_offset(qd_offset: float) -> None:
    with pytest.raises(ArchiveError, match="qd_offset must be finite"):
        GridArchive([LinearAxis("x", 0.0, 1.0)], qd_offset=qd_offset)


def built_or_refused(table: dict[str, Any]) -> tuple[GridArchive | CVTArchive | None, tuple[str, ...]]:
    """The archive, or the mistakes of its table; any other exception is a failure of the test."""
    try:
        return build_archive(table), ()
    except ArchiveSpecError as error:
        return None, error.mistakes


@settings(max_examples=examples(40), deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["kind", "cell", "keep", "apart", "metrics", "rng_seed", "qd_offset", "axes"]),
)
def test_whatever_a_table_holds_it_builds_or_names_its_mistakes(value: Any, key: str) -> None:
    archive, mistakes = built_or_refused({"axes": [X], key: value})

    assert (archive is None) == bool(mistakes)
    assert all(mistakes)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from(["linear", "log", "edges", "categories", "linera"]),
    st.dictionaries(
        st.sampled_from(["name", "low", "high", "cells", "edges", "categories", "out_of_range", "more"]),
        st.none()
        | st.integers(-5, 50)
        | st.floats()
        | st.text(max_size=3)
        | st.lists(st.floats() | st.text(max_size=2), max_size=3),
    ),
)
def test_whatever_an_axis_table_holds_it_builds_or_names_its_mistakes(kind: str, table: dict[str, Any]) -> None:
    archive, mistakes = built_or_refused({"axes": [{"kind": kind, **table}]})

    assert (archive is None) == bool(mistakes)
    if archive is not None:
        (axis,) = archive.axes
        assert axis_from_mapping(axis.to_mapping()) == axis


def test_centroids_given_as_an_array_or_as_rows_are_the_same() -> None:
    rows = [[0.125, 0.5], [0.75, 0.25]]

    as_rows, as_array = (build_archive({"kind": "cvt", "centroids": c, "axes": [X, Y]}) for c in (rows, np.array(rows)))

    assert as_rows.hash() == as_array.hash()
