"""Every key of problem.toml, with a value it cannot have: the mistake names the key, what it got, what it expected."""

import copy
import math
from typing import Any

import pytest

from evolve.config.tables import ProblemFile
from evolve.config.validation import read_tables

MINIMAL: dict[str, Any] = {
    "problem": {"name": "small", "title": "Small", "statement": "Return a number.", "language": "python"},
    "evaluator": {"file": "evaluate.py"},
    "archive": {"axes": [{"name": "size", "low": 0.0, "high": 1.0, "cells": 4}]},
}
EDGES = {"name": "size", "kind": "edges", "edges": [0.0, 1.0]}
WORDS = {"name": "size", "kind": "categories", "categories": ["red", "blue"]}


def with_value(key: str, value: Any, start: dict[str, Any] = MINIMAL) -> dict[str, Any]:
    """A copy of the tables in which the key, written as in `archive.axes.0.low`, has the value."""
    tables = copy.deepcopy(start)
    place: Any = tables
    *path, last = key.split(".")
    for part in path:
        place = place[int(part)] if part.isdigit() else place.setdefault(part, {})
    place[last] = value
    return tables


def without(key: str, start: dict[str, Any]) -> dict[str, Any]:
    tables = copy.deepcopy(start)
    place: Any = tables
    *path, last = key.split(".")
    for part in path:
        place = place[int(part)] if part.isdigit() else place[part]
    del place[last]
    return tables


def lines_for(raw: dict[str, Any]) -> list[str]:
    tables, mistakes = read_tables(raw)
    assert (tables is None) == bool(mistakes)
    return [str(mistake) for mistake in mistakes]


def read(raw: dict[str, Any]) -> ProblemFile:
    tables, mistakes = read_tables(raw)
    assert tables is not None, mistakes
    return tables


def test_the_minimal_tables_are_right() -> None:
    assert lines_for(MINIMAL) == []


TEXT_KEYS = [
    "problem.title",
    "problem.statement",
    "symbolic.vocabulary",
    "evaluator.file",
    "archive.axes.0.name",
    "baselines.file",
]


@pytest.mark.parametrize("key", TEXT_KEYS)
def test_a_text_must_be_a_text_and_not_be_empty(key: str) -> None:
    place = key.replace(".0", "[0]")

    assert lines_for(with_value(key, 3)) == [f"{place}: got 3, expected text"]
    assert lines_for(with_value(key, ["a"])) == [f'{place}: got ["a"], expected text']
    assert lines_for(with_value(key, "")) == [f'{place}: got "", expected text that is not empty']


COUNT_KEYS = [
    "symbolic.max_operations",
    "evaluator.repeats",
    "limits.memory_mb",
    "limits.output_kb",
    "limits.result_mb",
    "limits.n_threads",
    "archive.axes.0.cells",
    "archive.keep",
    "islands.count",
    "islands.migrate_every",
    "islands.migrants",
    "search.window",
    "budget.evaluations",
]


@pytest.mark.parametrize("key", COUNT_KEYS)
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (0, "got 0, expected 1 or more"),
        (-7, "got -7, expected 1 or more"),
        (2.0, "got 2.0, expected a whole number"),
        (True, "got true, expected a whole number"),
        ("2", 'got "2", expected a whole number'),
    ],
)
def test_a_count_is_a_whole_number_from_one(key: str, value: Any, complaint: str) -> None:
    assert lines_for(with_value(key, value)) == [f"{key.replace('.0', '[0]')}: {complaint}"]


@pytest.mark.parametrize("key", COUNT_KEYS)
def test_the_smallest_count_is_one(key: str) -> None:
    assert lines_for(with_value(key, 1)) == []


@pytest.mark.parametrize("key", ["symbolic.max_constants", "archive.rng_seed"])
def test_a_number_that_may_be_zero_may_not_be_less(key: str) -> None:
    assert lines_for(with_value(key, 0)) == []
    assert lines_for(with_value(key, -1)) == [f"{key}: got -1, expected 0 or more"]
    assert lines_for(with_value(key, "0")) == [f'{key}: got "0", expected a whole number']


LIMITS_OF_TIME = ["limits.wall_seconds", "limits.cpu_seconds", "evaluator.wall_seconds", "evaluator.verify_seconds"]
POSITIVE_KEYS = [*LIMITS_OF_TIME, "search.burst_work", "budget.seconds"]


@pytest.mark.parametrize("key", POSITIVE_KEYS)
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (0, "got 0, expected more than 0.0"),
        (-0.5, "got -0.5, expected more than 0.0"),
        ("1", 'got "1", expected a number'),
        (True, "got true, expected a number"),
        (math.inf, "got Infinity, expected a finite number"),
        (math.nan, "got NaN, expected a finite number"),
    ],
)
def test_a_duration_is_a_finite_number_above_zero(key: str, value: Any, complaint: str) -> None:
    assert lines_for(with_value(key, value)) == [f"{key}: {complaint}"]


@pytest.mark.parametrize("key", ["search.burst_work", "budget.seconds"])
@pytest.mark.parametrize("value", [1, 5e-324, 1.7e308])
def test_any_finite_number_above_zero_is_a_duration(key: str, value: float) -> None:
    assert lines_for(with_value(key, value)) == []


@pytest.mark.parametrize("key", LIMITS_OF_TIME)
def test_a_limit_of_time_is_at_most_thirty_years(key: str) -> None:
    assert lines_for(with_value(key, 1e9)) == []
    assert lines_for(with_value(key, 1.7e308)) == [f"{key}: got 1.7e+308, expected 1000000000.0 or less"]


RANGES = [
    ("limits.memory_mb", 1, 1 << 24),
    ("limits.output_kb", 1, 1 << 20),
    ("limits.result_mb", 1, 4095),
    ("limits.n_processes", 1, 1 << 15),
    ("limits.n_files", 16, 1 << 15),
    ("limits.scratch_mb", 0, 1 << 20),
    ("limits.gpu_memory_mb", 0, 1 << 24),
    ("limits.shared_mb", 0, 1 << 20),
    ("limits.gpu_shared_mb", 0, 1 << 20),
    ("evaluator.memory_mb", 256, 1 << 24),
]


@pytest.mark.parametrize(("key", "low", "high"), RANGES)
def test_a_limit_of_size_lies_where_a_machine_can_hold_it(key: str, low: int, high: int) -> None:
    assert [lines_for(with_value(key, value)) for value in (low, high)] == [[], []]
    assert lines_for(with_value(key, low - 1)) == [f"{key}: got {low - 1}, expected {low} or more"]
    assert lines_for(with_value(key, high + 1)) == [f"{key}: got {high + 1}, expected {high} or less"]


def test_every_thread_that_libraries_may_use_has_to_be_allowed() -> None:
    assert lines_for(with_value("limits.n_threads", 33)) == [
        "limits.n_processes: got 32, expected at least n_threads = 33: every thread counts"
    ]


@pytest.mark.parametrize("name", ["", "1torch", "os path", "scipy.", "a/b", "numpy;os"])
def test_a_preloaded_module_is_named_as_in_an_import(name: str) -> None:
    (line,) = lines_for(with_value("sandbox.preload", ["scipy.sparse", name]))

    assert line.startswith("sandbox.preload[1]: got ")


def test_a_module_is_preloaded_once() -> None:
    assert lines_for(with_value("sandbox.preload", [])) == []
    assert lines_for(with_value("sandbox.preload", ["numpy", "numpy"])) == [
        'sandbox.preload: got ["numpy", "numpy"], expected different modules'
    ]


def test_cards_are_different_numbers_from_zero() -> None:
    assert read(with_value("sandbox.gpus", [0, 3])).sandbox.gpus == (0, 3)
    assert lines_for(with_value("sandbox.gpus", [1, 1])) == ["sandbox.gpus: got [1, 1], expected different numbers"]
    assert lines_for(with_value("sandbox.gpus", [-1])) == ["sandbox.gpus[0]: got -1, expected 0 or more"]
    assert lines_for(with_value("sandbox.gpus", ["0"])) == ['sandbox.gpus[0]: got "0", expected a whole number']


@pytest.mark.parametrize("word", ["none", "auto", "needed"])
def test_whether_a_problem_uses_cards_can_be_a_word(word: str) -> None:
    assert read(with_value("sandbox.gpus", word)).sandbox.gpus == word
    assert lines_for(with_value("sandbox.gpus", word.upper())) == [
        f'sandbox.gpus: got "{word.upper()}", expected "none", "auto" or "needed"; did you mean "{word}"?'
    ]


def test_a_share_is_a_part_of_a_card_or_whole_cards() -> None:
    start = with_value("sandbox.gpus", "auto")

    for share in (0.25, 1.0, 1, 2):
        assert read(with_value("sandbox.gpu_share", share, start)).sandbox.gpu_share == share
    assert lines_for(with_value("sandbox.gpu_share", 1.5, start)) == [
        "sandbox.gpu_share: got 1.5, expected a part of a card, such as 0.25, or a whole number of cards"
    ]
    assert lines_for(with_value("sandbox.gpu_share", 0.0, start)) == [
        "sandbox.gpu_share: got 0.0, expected more than 0.0"
    ]


def test_a_share_is_of_cards_that_the_problem_uses() -> None:
    expected = 'sandbox.gpu_share: got 0.5, expected it only with graphics cards: gpus = "auto", "needed" or [0]'

    assert lines_for(with_value("sandbox.gpu_share", 0.5)) == [expected]
    assert lines_for(with_value("sandbox.gpu_share", 0.5, with_value("sandbox.gpus", "none"))) == [expected]


def test_only_an_evaluator_of_ones_own_measures_time() -> None:
    family = with_value("evaluator", {"family": "float32", "exclusive": True})

    assert read(with_value("evaluator.exclusive", True)).evaluator.exclusive
    assert read(with_value("evaluator.stages", [{"name": "timed", "exclusive": True}])).evaluator.stages[0].exclusive
    assert lines_for(family) == [
        "evaluator.exclusive: got true, expected it only with evaluator.file: built-in families measure no time"
    ]


@pytest.mark.parametrize("key", ["archive.qd_offset", "budget.target", "known.value"])
def test_a_score_is_any_finite_number(key: str) -> None:
    for value in (-3, 0.0, 1e300):
        assert lines_for(with_value(key, value)) == []
    assert lines_for(with_value(key, -math.inf)) == [f"{key}: got -Infinity, expected a finite number"]
    assert lines_for(with_value(key, "0")) == [f'{key}: got "0", expected a number']


WORD_KEYS = [
    ("problem.language", "pythn", '"symbolic" or "python"; did you mean "python"?'),
    ("symbolic.strategy", "tree", '"map_elites" or "tree_search"'),
    ("evaluator.combine", "means", '"median", "best" or "mean"; did you mean "mean"?'),
    ("archive.kind", "GRID", '"grid" or "cvt"; did you mean "grid"?'),
    ("archive.cell", "tops", '"best", "top" or "pareto"; did you mean "top"?'),
    ("archive.axes.0.out_of_range", "overflows", '"clip", "reject" or "overflow"; did you mean "overflow"?'),
]


@pytest.mark.parametrize(("key", "word", "answer"), WORD_KEYS)
def test_a_word_that_is_not_of_the_list_is_answered_with_the_list(key: str, word: str, answer: str) -> None:
    place = key.replace(".0", "[0]")

    assert lines_for(with_value(key, word)) == [f'{place}: got "{word}", expected {answer}']
    assert lines_for(with_value(key, 3)) == [f"{place}: got 3, expected {answer.split(';')[0]}"]


@pytest.mark.parametrize("name", ["Small", "_small", "a-b", "a b", "", "ä", "small\n"])
def test_a_problems_name_is_made_of_small_letters_digits_and_lines(name: str) -> None:
    (line,) = lines_for(with_value("problem.name", name))

    assert line.startswith("problem.name: got ")
    assert "expected lower case, digits and _" in line


@pytest.mark.parametrize("name", ["a", "7_circles", "exp2"])
def test_a_plain_name_is_a_name(name: str) -> None:
    assert read(with_value("problem.name", name)).problem.name == name


@pytest.mark.parametrize("key", ["symbolic.function"])
@pytest.mark.parametrize("name", ["2f", "f-g", "f.g", "ü", ""])
def test_a_functions_name_is_an_identifier(key: str, name: str) -> None:
    (line,) = lines_for(with_value(key, name))

    assert line.startswith(f'{key}: got "{name}", expected a name of letters, digits and _')


LIST_KEYS = ["problem.tags", "seed.files", "symbolic.inputs", "search.operators", "archive.metrics"]


@pytest.mark.parametrize("key", LIST_KEYS)
def test_a_list_of_texts_is_no_text_and_holds_nothing_else(key: str) -> None:
    assert lines_for(with_value(key, "word"))[0] == f'{key}: got "word", expected a list'
    assert lines_for(with_value(key, ["a", 3]))[0] == f"{key}[1]: got 3, expected text"


@pytest.mark.parametrize("key", ["seed.files", "symbolic.inputs"])
def test_a_list_that_needs_an_entry_may_not_be_empty(key: str) -> None:
    assert lines_for(with_value(key, [])) == [f"{key}: got [], expected at least 1"]


@pytest.mark.parametrize("key", ["problem.tags", "seed.files", "search.operators"])
def test_an_empty_entry_of_a_list_is_named_by_its_index(key: str) -> None:
    assert f'{key}[1]: got "", expected text that is not empty' in lines_for(with_value(key, ["a", ""]))


@pytest.mark.parametrize("table", sorted(set(ProblemFile.model_fields) - {"known", "baselines"}))
def test_a_value_in_the_place_of_a_table_is_a_mistake(table: str) -> None:
    assert lines_for({**MINIMAL, table: "word"}) == [f'{table}: got "word", expected a table']


@pytest.mark.parametrize("table", ["problem", "evaluator", "archive"])
def test_a_table_that_a_problem_needs_is_missed_by_its_name(table: str) -> None:
    assert lines_for(without(table, MINIMAL)) == [f"[{table}]: got nothing, expected this table"]


@pytest.mark.parametrize(
    "key", ["problem.name", "problem.title", "problem.statement", "problem.language", "archive.axes"]
)
def test_a_key_that_a_table_needs_is_missed_by_its_name(key: str) -> None:
    assert lines_for(without(key, MINIMAL)) == [f"{key}: got nothing, expected this key"]


@pytest.mark.parametrize(
    ("axis", "keys"),
    [
        ({"kind": "linear"}, ["name", "low", "high", "cells"]),
        ({"kind": "log"}, ["name", "low", "high", "cells"]),
        ({"kind": "edges"}, ["name", "edges"]),
        ({"kind": "categories"}, ["name", "categories"]),
    ],
)
def test_every_kind_of_axis_misses_its_own_keys(axis: dict[str, Any], keys: list[str]) -> None:
    assert lines_for(with_value("archive.axes", [axis])) == [
        f"archive.axes[0].{key}: got nothing, expected this key" for key in keys
    ]


UNKNOWN_KEYS = [
    ("problem", "titel", 'did you mean "title"?'),
    ("seed", "file", 'did you mean "files"?'),
    ("symbolic", "max_operation", 'did you mean "max_operations"?'),
    ("evaluator", "repeat", 'did you mean "repeats"?'),
    ("limits", "memory_gb", 'did you mean "memory_mb"?'),
    ("archive", "axis", 'did you mean "axes"?'),
    ("islands", "migrant", 'did you mean "migrants"?'),
    ("search", "windows", 'did you mean "window"?'),
    ("search", "n_threads", "n_threads is a key of [limits]"),
    ("budget", "rng_seed", "rng_seed is a key of [archive]"),
    ("islands", "evaluations", "evaluations is a key of [budget]"),
]


@pytest.mark.parametrize(("table", "key", "hint"), UNKNOWN_KEYS)
def test_an_unknown_key_is_answered_with_the_nearest_or_with_its_home(table: str, key: str, hint: str) -> None:
    (line,) = lines_for(with_value(f"{table}.{key}", 1))

    assert line.startswith(f"{table}.{key}: got an unknown key, expected one of ")
    assert line.endswith(hint)


@pytest.mark.parametrize(
    ("axis", "known"),
    [
        (MINIMAL["archive"]["axes"][0], "name, kind, low, high, cells, out_of_range"),
        ({**MINIMAL["archive"]["axes"][0], "low": 0.5, "kind": "log"}, "name, kind, low, high, cells, out_of_range"),
        (EDGES, "name, kind, edges, out_of_range"),
        (WORDS, "name, kind, categories, out_of_range"),
    ],
)
def test_an_unknown_key_of_an_axis_is_answered_with_the_keys_of_its_kind(axis: dict[str, Any], known: str) -> None:
    raw = with_value("archive.axes", [{**axis, "zzzz": 1}])

    assert lines_for(raw) == [f"archive.axes[0].zzzz: got an unknown key, expected one of {known}"]


def test_a_key_of_no_table_at_all_has_no_hint() -> None:
    (line,) = lines_for({**MINIMAL, "zzzz": 1})

    assert line == f"zzzz: got an unknown key, expected one of {', '.join(ProblemFile.model_fields)}"


def test_a_stage_is_a_table_with_a_name_and_perhaps_a_threshold() -> None:
    stages = [{"name": "quick", "threshold": 0.5}, {"threshold": "low"}, {"name": "", "limit": 3}, "last"]

    assert lines_for(with_value("evaluator.stages", stages)) == [
        "evaluator.stages[1].name: got nothing, expected this key",
        'evaluator.stages[1].threshold: got "low", expected a number',
        'evaluator.stages[2].name: got "", expected text that is not empty',
        "evaluator.stages[2].limit: got an unknown key, expected one of name, threshold, exclusive",
        'evaluator.stages[3]: got "last", expected a table',
    ]


def test_a_value_of_thousands_of_digits_is_a_mistake_like_any_other() -> None:
    assert lines_for(with_value("problem.title", 16**9000)) == [
        "problem.title: got a number of thousands of digits, expected text"
    ]


def test_a_long_wrong_value_is_shown_in_part_on_one_line() -> None:
    (line,) = lines_for(with_value("limits.memory_mb", "many\nwords " * 50))

    assert "\n" not in line
    assert "…, expected a whole number" in line
    assert len(line) < 120


def test_a_module_to_preload_is_asked_for_by_an_example_and_no_pattern() -> None:
    (line,) = lines_for(with_value("sandbox.preload", ["sci py"]))

    assert line == 'sandbox.preload[0]: got "sci py", expected a module name such as scipy.optimize'
