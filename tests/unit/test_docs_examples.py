"""The code that the guides show is code that works."""

import re
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evaluators.judge import Judge
from evaluators.spec import JudgeSpec
from evolve.config.problem import load_problem

HOME = Path(__file__).resolve().parents[2]


def blocks(document: str, language: str) -> list[str]:
    text = (HOME / "docs" / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def executed(document: str, namespace: dict[str, Any]) -> int:
    """Execute all Python blocks of a guide one after the other, as a reader would; how many there were."""
    found = blocks(document, "python")
    for number, block in zip(count(1), found, strict=False):
        exec(compile(block, f"{document}, block {number}", "exec"), namespace)
    return len(found)


@pytest.mark.parametrize(("document", "n_blocks"), [("archives.md", 2), ("operators.md", 5)])
def test_the_blocks_of_a_guide_run_and_what_they_assert_is_true(document: str, n_blocks: int) -> None:
    namespace: dict[str, Any] = {"__name__": "guide"}

    assert executed(document, namespace) == n_blocks


def test_the_operator_of_the_guide_passes_the_conformance_suite_that_it_inherits() -> None:
    namespace: dict[str, Any] = {"__name__": "guide"}
    executed("operators.md", namespace)
    suite = namespace["TestSwapLines"]
    laws = [name for name in dir(suite) if name.startswith("test_")]

    for law in laws:
        getattr(suite(), law)()

    assert len(laws) > 5


def test_the_tables_of_archives_that_the_guide_shows_are_read() -> None:
    import tomllib

    from archive import build_archive

    for block in blocks("archives.md", "toml"):
        table = tomllib.loads(block)["archive"]
        axes = table.get("axes") or [{"name": "size", "kind": "linear", "low": 0.0, "high": 1.0, "cells": 2}]
        built = build_archive({**table, "axes": [{"kind": "linear", **axis} for axis in axes]})

        assert built.n_cells == {2: 45, 1: 2}[len(axes)]


@pytest.fixture
def packing(tmp_path: Path) -> Path:
    """The folder that the guide to evaluators writes down."""
    (toml,) = blocks("evaluators.md", "toml")
    smallest, seed, evaluate, _ = blocks("evaluators.md", "python")
    assert "numbers[0] - 3.0" in smallest
    for name, text in (("problem.toml", toml), ("seed.py", seed), ("evaluate.py", evaluate)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


WORST_FIT = "return [room for room in rooms]"


def test_the_evaluator_of_the_guide_tells_good_bad_and_cheating_programs_apart(packing: Path) -> None:
    problem = load_problem(packing)
    seed = problem.seed_files["seed.py"]
    judge = Judge(JudgeSpec.from_mapping(problem.judge_spec_mapping()))

    def judged(answer: str) -> Any:
        return judge.evaluate({"seed.py": seed.replace(WORST_FIT, answer)}, rng_seed=3)

    try:
        worst, best = judged(WORST_FIT), judged("return [-room for room in rooms]")
        failures = [judged(answer) for answer in ("return []", "return [float('nan')] * len(rooms)", "return 1 / 0")]
        verdict = judge.verify({"seed.py": seed.replace(WORST_FIT, "return [-room for room in rooms]")})
    finally:
        judge.close()

    assert best.score > worst.score
    assert best.descriptor["fullness"] > worst.descriptor["fullness"]
    assert worst.descriptor["lines"] == 2.0
    assert [evaluation.failure for evaluation in failures] == ["invalid", "not_finite", "exception"]
    assert verdict.verdict == "certified"
    assert verdict.score is not None
    assert -0.3 < verdict.score <= 0.0


def test_the_smallest_evaluator_is_the_one_of_the_readme() -> None:
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    body = blocks("evaluators.md", "python")[0]

    assert body in readme


def test_the_batched_evaluator_of_the_guide_judges_a_step_rule_on_the_processor() -> None:
    torch = pytest.importorskip("torch", reason="torch, an extra, is not installed")
    namespace: dict[str, Any] = {}
    is_strict = torch.are_deterministic_algorithms_enabled()

    def judged(scale: float) -> Any:
        candidate = SimpleNamespace(gpus=(), rng_seed=3, call=lambda name, step: scale)
        return namespace["evaluate"](candidate)

    try:
        with torch.random.fork_rng(devices=[]):
            exec(blocks("evaluators.md", "python")[3], namespace)
            still, moving = judged(0.0), judged(1.0)
            again = judged(1.0)
    finally:
        torch.use_deterministic_algorithms(is_strict)

    assert moving["score"] > still["score"]
    assert moving == again
    assert moving["descriptor"]["best_rate"] == 0.3
