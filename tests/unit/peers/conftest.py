"""Folders of other engines, written for one test; and one warm sandbox that judges them all."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluators.contract import Evaluation
from evaluators.judge import Judge
from evaluators.spec import JudgeSpec, LimitsSpec
from evolve.config.problem import Problem, load_problem
from sandbox.process import ProcessSandbox

Judged = Callable[..., Evaluation]
Write = Callable[[Mapping[str, str]], Path]

PROGRAM = "# EVOLVE-BLOCK-START\ndef value():\n    return 2.0\n\n\n# EVOLVE-BLOCK-END\n"
LOAD = """
import importlib.util


def load(program_path):
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program
"""
EVALUATOR = f"""{LOAD}

def evaluate(program_path):
    return {{"combined_score": load(program_path).value()}}
"""
CONFIG = "max_iterations: 5\nevaluator: {timeout: 5, cascade_evaluation: false}\n"
OPENEVOLVE = {"initial_program.py": PROGRAM, "evaluator.py": EVALUATOR, "config.yaml": CONFIG}
SHINKA_MAIN = """
import argparse

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program_path")
    parser.add_argument("--results_dir")
    given = parser.parse_args()
    main(given.program_path, given.results_dir)
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a folder of these files."""

    def write_files(files: Mapping[str, str]) -> Path:
        home = tmp_path / "peer"
        for name, text in files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text, encoding="utf-8")
        return home

    return write_files


@pytest.fixture(scope="session")
def warm() -> Iterator[ProcessSandbox]:
    """A sandbox for all tests of this folder."""
    with ProcessSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def judged(warm: ProcessSandbox, write: Write) -> Judged:
    """Judges a program by the evaluator of a folder: the seed program unless another is given."""

    def judge(files: Mapping[str, str], program: str | None = None, **limits: Any) -> Evaluation:
        problem = load_problem(write(files))
        spec = spec_of(problem, **limits)
        candidate = dict(problem.seed_files)
        if program is not None:
            candidate = {next(iter(candidate)): program}
        return Judge(spec, warm).evaluate(candidate)

    return judge


def spec_of(problem: Problem, **limits: Any) -> JudgeSpec:
    """What the judge of a problem is told, with other limits."""
    mapping = problem.judge_spec_mapping()
    mapping["limits"] = {**mapping["limits"], "scratch_mb": 8, "wall_seconds": 60.0, **limits}
    LimitsSpec(**mapping["limits"])
    return JudgeSpec.from_mapping(mapping)
