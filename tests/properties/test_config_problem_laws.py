"""Laws of problems: stored and read again they are equal, the hash follows the content, a wrong key is one line."""

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.build import build_archive
from evaluators.spec import JudgeSpec
from evolve.config.problem import Problem
from evolve.config.tables import ProblemFile
from evolve.config.validation import read_tables
from sandbox.limits import MEBIBYTE
from tests.extent import examples

WORDS = st.text(min_size=1, max_size=8).filter(lambda text: "\x7f" not in text)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_]{0,9}", fullmatch=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ABOVE_ZERO = st.floats(min_value=1e-6, max_value=1e6)
COUNTS = st.integers(1, 1000)


@st.composite
def range_axes(draw: st.DrawFn, name: str, *, may_overflow: bool = True) -> dict[str, Any]:
    kind = draw(st.sampled_from(["linear", "log"]))
    low = draw(st.floats(min_value=1e-3 if kind == "log" else -1e3, max_value=1e3))
    ways = ["clip", "reject", "overflow"] if may_overflow else ["clip", "reject"]
    return {
        "name": name,
        "kind": kind,
        "low": low,
        "high": low + draw(st.floats(min_value=0.5, max_value=1e3)),
        "cells": draw(st.integers(1, 20)),
        "out_of_range": draw(st.sampled_from(ways)),
    }


@st.composite
def edges_axes(draw: st.DrawFn, name: str) -> dict[str, Any]:
    edges = draw(st.lists(st.integers(-50, 50), min_size=2, max_size=6, unique=True))
    return {"name": name, "kind": "edges", "edges": [edge / 4.0 for edge in sorted(edges)]}


@st.composite
def category_axes(draw: st.DrawFn, name: str) -> dict[str, Any]:
    words = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    return {"name": name, "kind": "categories", "categories": words}


@st.composite
def archives(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    table: dict[str, Any] = {"kind": draw(st.sampled_from(["grid", "cvt"]))}
    if table["kind"] == "cvt":
        table["centroids"] = draw(st.integers(2, 9))
        table["axes"] = [draw(range_axes(name, may_overflow=False)) for name in names]
    else:
        table["axes"] = [draw(st.one_of(range_axes(name), edges_axes(name), category_axes(name))) for name in names]
    table["cell"] = draw(st.sampled_from(["best", "top", "pareto"]))
    if table["cell"] == "pareto":
        table["metrics"] = draw(st.lists(st.sampled_from(["min:size", "max:speed"]), min_size=1, unique=True))
    return table


LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "wall_seconds": ABOVE_ZERO.filter(lambda seconds: seconds <= 1e9),
        "memory_mb": COUNTS,
        "output_kb": COUNTS,
        "n_threads": st.integers(1, 32),
        "n_processes": st.integers(32, 99),
        "scratch_mb": st.integers(0, 99),
    },
)
BUDGETS = st.fixed_dictionaries({}, optional={"evaluations": COUNTS, "seconds": ABOVE_ZERO, "target": FINITE})
TABLES = st.fixed_dictionaries(
    {
        "problem": st.fixed_dictionaries(
            {"name": NAMES, "title": WORDS, "statement": WORDS, "language": st.sampled_from(["symbolic", "python"])},
            optional={"tags": st.lists(WORDS, max_size=2)},
        ),
        "evaluator": st.one_of(st.just({"file": "evaluate.py"}), st.just({"family": "function_approximation"})),
        "archive": archives(),
    },
    optional={
        "limits": LIMITS,
        "budget": BUDGETS,
        "search": st.fixed_dictionaries({}, optional={"window": COUNTS, "burst_work": ABOVE_ZERO}),
        "islands": st.fixed_dictionaries({}, optional={"count": COUNTS, "migrants": COUNTS}),
        "known": st.fixed_dictionaries({"value": FINITE}, optional={"year": st.integers(-500, 2100), "source": WORDS}),
    },
)


def problem_of(raw: dict[str, Any], *, folder: str = "/somewhere", seed: str = "x = 1\n") -> Problem:
    tables, mistakes = read_tables(raw)
    assert tables is not None, mistakes
    return Problem(
        folder=Path(folder),
        tables=tables,
        seed_files={"seed.py": seed},
        judge_hashes={"evaluate.py": "00"},
        baselines={"old": {"score": 1.5}},
    )


@given(raw=TABLES)
@settings(max_examples=examples(40), deadline=None)
def test_a_problem_that_is_stored_and_read_again_is_equal(raw: dict[str, Any]) -> None:
    problem = problem_of(raw)

    again = Problem.from_json(json.loads(json.dumps(problem.to_json())))

    assert again == problem
    assert again.content_hash == problem.content_hash
    assert again.to_json() == problem.to_json()


@given(raw=TABLES)
@settings(max_examples=examples(30), deadline=None)
def test_writing_the_defaults_out_changes_nothing(raw: dict[str, Any]) -> None:
    problem = problem_of(raw)

    written = problem_of(problem.tables.model_dump(mode="json", exclude_none=True))

    assert written.tables == problem.tables
    assert written.content_hash == problem.content_hash


@given(raw=TABLES, seed=st.text(max_size=20).filter(lambda text: text != "x = 1\n"))
@settings(max_examples=examples(30), deadline=None)
def test_the_hash_follows_the_seed_and_not_the_place(raw: dict[str, Any], seed: str) -> None:
    hashes = [problem_of(raw).content_hash, problem_of(raw, folder="/elsewhere").content_hash]

    assert len(set(hashes)) == 1
    assert problem_of(raw, seed=seed).content_hash not in hashes


@given(raw=TABLES)
@settings(max_examples=examples(30), deadline=None)
def test_the_parts_of_every_right_problem_can_be_built(raw: dict[str, Any]) -> None:
    problem = problem_of(raw)

    archive = build_archive(problem.archive_mapping())
    spec = JudgeSpec.from_mapping(json.loads(json.dumps(problem.judge_spec_mapping())))

    assert len(archive.axes) == len(raw["archive"]["axes"])
    assert spec.name == problem.name


@given(raw=TABLES)
@settings(max_examples=examples(30), deadline=None)
def test_the_settings_of_a_problem_are_the_keys_it_names(raw: dict[str, Any]) -> None:
    named = {**raw.get("budget", {}), **{k: v for k, v in raw.get("search", {}).items() if k == "window"}}

    assert problem_of(raw).settings_mapping() == named


@given(limits=LIMITS)
@settings(max_examples=examples(30), deadline=None)
def test_the_limits_of_the_file_are_those_of_the_sandbox_in_bytes(limits: dict[str, Any]) -> None:
    base = {"title": "a", "statement": "a", "language": "python", "name": "a"}
    axes = [{"name": "a", "low": 0.0, "high": 1.0, "cells": 1}]

    problem = problem_of({"problem": base, "evaluator": {"file": "e.py"}, "archive": {"axes": axes}, "limits": limits})
    found = JudgeSpec.from_mapping(problem.judge_spec_mapping()).limits.limits()

    assert found.memory_bytes == limits.get("memory_mb", 1024) * MEBIBYTE
    assert found.output_bytes == limits.get("output_kb", 64) * 1024
    assert (found.wall_seconds, found.n_threads) == (limits.get("wall_seconds", 10.0), limits.get("n_threads", 1))


CLOSED_TABLES = sorted(set(ProblemFile.model_fields) - {"parameters"})  # whose names are a problem's own


@given(raw=TABLES, table=st.sampled_from(CLOSED_TABLES), key=st.text("qxz", min_size=6, max_size=9))
@settings(max_examples=examples(30), deadline=None)
def test_one_unknown_key_is_one_mistake_that_names_it(raw: dict[str, Any], table: str, key: str) -> None:
    wrong = copy.deepcopy(raw)
    needed: dict[str, dict[str, Any]] = {
        "known": {"value": 1.0},
        "baselines": {"file": "b.json"},
        "export": {"form": "function"},
    }
    wrong.setdefault(table, needed.get(table, {}))[key] = 1

    (mistake,) = read_tables(wrong)[1]

    assert mistake.key == f"{table}.{key}"
    assert mistake.got == "an unknown key"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(raw=st.dictionaries(st.sampled_from(sorted(ProblemFile.model_fields)) | st.text(max_size=4), JSON_VALUES))
@settings(max_examples=examples(40), deadline=None)
def test_whatever_is_in_the_file_every_mistake_is_one_line(raw: dict[str, Any]) -> None:
    tables, mistakes = read_tables(raw)

    assert tables is None
    for table in {"problem", "evaluator", "archive"} - raw.keys():
        assert any(mistake.key == f"[{table}]" for mistake in mistakes)
    assert all(len(str(mistake).splitlines()) == 1 for mistake in mistakes if mistake.key.isprintable())


@pytest.mark.parametrize("number", ["1_000", "0x3e8", "1000"])
def test_a_number_is_what_toml_says_it_is(number: str) -> None:
    raw = tomllib.loads(
        '[problem]\nname = "a"\ntitle = "a"\nstatement = "a"\nlanguage = "python"\n[evaluator]\nfile = "e.py"\n'
        f'[[archive.axes]]\nname = "a"\nlow = 0\nhigh = {number}\ncells = {number}\n'
    )

    assert problem_of(raw).archive_mapping()["axes"][0]["cells"] == 1000
