"""The table `[export]` of problem.toml: what it may say, and that it decides nothing about a run."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from evolve.config.problem import load_problem
from evolve.config.validation import read_tables
from evolve.errors import ProblemError
from tests.conftest import PYTHON_EVALUATE, PYTHON_SEED, PYTHON_TOML, SYMBOLIC_EVALUATE, SYMBOLIC_TOML


def folder_of(place: Path, toml: str, evaluate: str, seed: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / "problem.toml").write_text(toml)
    (place / "evaluate.py").write_text(evaluate)
    (place / "seed.py").write_text(seed)
    return place


def mistakes_of(export: dict[str, Any]) -> list[str]:
    raw = tomllib.loads(PYTHON_TOML)
    _, mistakes = read_tables({**raw, "export": export})
    return [str(each) for each in mistakes]


@pytest.mark.parametrize(
    ("export", "told"),
    [
        ({"form": "optimizer"}, "export.form"),
        ({}, "export.form"),
        ({"form": "construction"}, "the name of the function that returns the construction"),
        ({"form": "update_rule", "function": "a b"}, "export.function"),
        ({"form": "update_rule", "functions": "update"}, "export.functions"),
    ],
)
def test_a_wrong_table_is_a_mistake_with_its_key(export: dict[str, Any], told: str) -> None:
    [mistake] = mistakes_of(export)

    assert told in mistake


@pytest.mark.parametrize(
    "export", [{"form": "update_rule"}, {"form": "construction", "function": "answer"}, {"form": "function"}]
)
def test_a_right_table_is_read(export: dict[str, Any]) -> None:
    assert mistakes_of(export) == []


def test_a_form_of_the_other_language_is_a_mistake(tmp_path: Path) -> None:
    python = folder_of(tmp_path / "a", PYTHON_TOML + '\n[export]\nform = "function"\n', PYTHON_EVALUATE, PYTHON_SEED)
    rule = '\n[export]\nform = "update_rule"\n'
    symbolic = folder_of(tmp_path / "b", SYMBOLIC_TOML + rule, SYMBOLIC_EVALUATE, "def f(x):\n    return x\n")

    for folder, language in ((python, "symbolic"), (symbolic, "python")):
        with pytest.raises(ProblemError, match=f'it only with problem.language = "{language}"'):
            load_problem(folder)


def test_what_is_done_with_a_program_afterwards_changes_no_content_hash(tmp_path: Path) -> None:
    rule = '\n[export]\nform = "update_rule"\n'

    without = load_problem(folder_of(tmp_path / "a", PYTHON_TOML, PYTHON_EVALUATE, PYTHON_SEED))
    declared = load_problem(folder_of(tmp_path / "b", PYTHON_TOML + rule, PYTHON_EVALUATE, PYTHON_SEED))

    assert declared.content_hash == without.content_hash
    assert declared.tables.export is not None
