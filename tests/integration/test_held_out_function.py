"""A function that nobody prepared: a folder of ten lines and a seed gives a table of the best programs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from evolve.cli.app import cli

pytestmark = pytest.mark.xdist_group("first-compiled-search")  # it may compile what others there have compiled

TEN_LINES = """[problem]
name = "bump"
title = "A function of mine"
statement = "Approximate exp(-x) * cos(2 x) on [0, 1]."
language = "symbolic"
[evaluator]
family = "function_approximation"
options = { function = "exp(-x) * cos(2*x)", interval = [0, 1], error = { weight = "1 + x" } }
[archive]
axes = [{ name = "operations", low = -0.5, high = 8.5, cells = 9 }]
"""


def evolve(*words: str) -> str:
    result = CliRunner().invoke(cli, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("held_out")
    (folder / "problem.toml").write_text(TEN_LINES, encoding="utf-8")
    (folder / "seed.py").write_text("def f(x):\n    return x\n", encoding="utf-8")
    evolve("run", str(folder), "--evaluations", "30", "--workers", "1", "--seed", "1", "--run-dir", str(folder / "run"))
    return folder / "run"


def test_ten_lines_give_a_table_of_the_best_programs_by_operations(run_dir: Path) -> None:
    assert len(TEN_LINES.splitlines()) == 10
    rows = json.loads(evolve("frontier", str(run_dir), "--json"))["rows"]
    errors = [row["error"] for row in rows]
    assert len(rows) >= 4
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.02


def test_a_program_of_that_table_is_certified(run_dir: Path) -> None:
    best = json.loads(evolve("frontier", str(run_dir), "--json"))["rows"][-1]["elite"]["id"]
    assert "certified" in evolve("verify", str(run_dir), str(best)).lower()
