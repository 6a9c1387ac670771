"""The problem that the documents show is one that runs."""

import math
import re
from pathlib import Path

import pytest
from flint import arb

from evaluators.approximation.ball_functions import BALL_FUNCTIONS
from evaluators.approximation.own_function import own_function
from evaluators.approximation.precision import working
from evaluators.environment import KEPT_VARIABLES
from evaluators.judge import Judge, JudgeSpec
from evolve.config.problem import load_problem

HOME = Path(__file__).resolve().parents[3]
MARK = "# EVOLVE-BLOCK-START"


def blocks(document: str, language: str) -> list[str]:
    text = (HOME / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_problem_that_the_documents_show_can_be_judged(tmp_path: Path) -> None:
    toml, _ = blocks("docs/problems.md", "toml")
    (seed,) = (block for block in blocks("docs/problems.md", "python") if block.startswith(MARK))
    (evaluate,) = (block for block in blocks("README.md", "python") if "def evaluate" in block)
    for name, text in (("problem.toml", toml), ("seed.py", seed), ("evaluate.py", evaluate)):
        (tmp_path / name).write_text(text, encoding="utf-8")

    problem = load_problem(tmp_path)
    judge = Judge(JudgeSpec.from_mapping(problem.judge_spec_mapping()))
    try:
        evaluation = judge.evaluate(problem.seed_files)
    finally:
        judge.close()

    assert evaluation.score == pytest.approx(-4.0)
    assert evaluation.descriptor == {"size": 2.0}


def test_the_function_to_approximate_that_the_documents_show_is_ten_lines_and_can_be_judged(tmp_path: Path) -> None:
    _, toml = blocks("docs/problems.md", "toml")
    (tmp_path / "problem.toml").write_text(toml, encoding="utf-8")
    (tmp_path / "seed.py").write_text("def f(x): return x\n", encoding="utf-8")

    problem = load_problem(tmp_path)
    evaluation = Judge(JudgeSpec.from_mapping(problem.judge_spec_mapping())).evaluate(problem.seed_files)

    assert len(toml.splitlines()) == 10
    assert evaluation.descriptor == {"operations": 0.0}


def test_the_file_with_a_function_that_the_documents_show_is_precise(tmp_path: Path) -> None:
    (text,) = (block for block in blocks("docs/problems.md", "python") if "def value(x)" in block)
    (tmp_path / "target.py").write_text(text, encoding="utf-8")

    target = own_function("target.py", str(tmp_path), 0.0, 1.0)

    with working(bits=64):
        assert float(target.value(arb(0)).mid()) == pytest.approx(math.pi / 4)


def test_the_documents_name_every_function_of_formulas() -> None:
    text = (HOME / "docs/problems.md").read_text(encoding="utf-8")

    assert [name for name in BALL_FUNCTIONS if not re.search(rf"\b{name}\b", text)] == []


def test_the_documents_name_every_variable_that_an_evaluator_sees() -> None:
    text = (HOME / "docs/problems.md").read_text(encoding="utf-8")

    assert [name for name in KEPT_VARIABLES if f"`{name}`" not in text] == []
