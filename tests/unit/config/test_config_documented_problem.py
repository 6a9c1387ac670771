"""The problem that the documents show is one that runs."""

import re
from pathlib import Path

import pytest

from evaluators.environment import KEPT_VARIABLES
from evaluators.judge import Judge, JudgeSpec
from evolve.config.problem import load_problem

HOME = Path(__file__).resolve().parents[3]
MARK = "# EVOLVE-BLOCK-START"


def blocks(document: str, language: str) -> list[str]:
    text = (HOME / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_problem_that_the_documents_show_can_be_judged(tmp_path: Path) -> None:
    (toml,) = blocks("docs/problems.md", "toml")
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


def test_the_documents_name_every_variable_that_an_evaluator_sees() -> None:
    text = (HOME / "docs/problems.md").read_text(encoding="utf-8")

    assert [name for name in KEPT_VARIABLES if f"`{name}`" not in text] == []
