import dataclasses
import json
import math
from typing import Any

import pytest

from evaluators.errors import EvaluatorError
from evaluators.judge import Judge, JudgeSpec
from evaluators.spec import MAY_BE_ZERO, LimitsSpec, ProcessSpec, StageSpec, SymbolicSpec
from sandbox.limits import MEBIBYTE

FULL = JudgeSpec(
    name="toy",
    language="symbolic",
    folder="/nowhere",
    family="function_approximation",
    options={"function": "exp2", "interval": [0, 1]},
    repeats=3,
    stages=(StageSpec(name="quick", threshold=1.5), StageSpec(name="full")),
    axes=("operations", "depth"),
    symbolic=SymbolicSpec(inputs=("x",), max_operations=9),
    limits=LimitsSpec(memory_mb=64, n_processes=3, scratch_mb=7, gpu_memory_mb=5, shared_mb=6),
    process=ProcessSpec(wall_seconds=1.5, memory_mb=300),
    entry="seed.py",
    preload=("numpy", "scipy"),
    gpus=(0, 2),
    unsafe=True,
)


def test_a_spec_survives_the_way_through_json() -> None:
    assert JudgeSpec.from_mapping(json.loads(json.dumps(FULL.to_mapping()))) == FULL


def test_limits_are_in_the_sandboxs_units() -> None:
    assert LimitsSpec(memory_mb=3, output_kb=2).limits().memory_bytes == 3 * MEBIBYTE
    assert LimitsSpec(output_kb=2).limits().output_bytes == 2048
    assert LimitsSpec(gpu_memory_mb=2).limits().gpu_memory_bytes == 2 * MEBIBYTE


def test_contradictions_are_told_all_at_once() -> None:
    with pytest.raises(EvaluatorError, match=r"language is 'lisp'.*exactly one of family and file.*repeats is 0"):
        JudgeSpec(language="lisp", family="a", file="b", repeats=0)


def test_a_symbolic_problem_needs_its_language() -> None:
    with pytest.raises(EvaluatorError, match="needs the table symbolic"):
        JudgeSpec(language="symbolic", family="function_approximation")


@pytest.mark.parametrize("mapping", [{}, {"language": "python", "file": "e.py", "stage": []}])
def test_data_that_are_not_a_spec_are_refused(mapping: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="not a judge's data"):
        JudgeSpec.from_mapping(mapping)


def family(**changes: object) -> JudgeSpec:
    plain = {"stages": (), "options": {"function": "exp2", "interval": [0, 1]}}
    return JudgeSpec(
        **{**{name: getattr(FULL, name) for name in ("language", "family", "axes", "symbolic")}, **plain, **changes}
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"family": "function_aproximation"}, "expected one of function_approximation"),
        ({"axes": ("operations", "colour")}, r"axes \['colour'\] are unknown"),
        ({"stages": (StageSpec(name="quick"),)}, "has no stages"),
        ({"options": {"function": "exp_2", "interval": [0, 1]}}, "did you mean 'exp2'"),
        ({"options": {"functoin": "exp2"}}, "function is missing.*interval is missing.*did you mean 'function'"),
        ({"options": {"function": "exp2", "interval": [1, 0]}}, "first end below its second"),
        ({"options": {"function": "exp2", "interval": [0, "tau"]}}, "text like 'pi/2'"),
        ({"options": {"function": "exp2", "interval": 3}}, "expected two ends"),
        ({"options": {"function": "exp2", "interval": [0, 1], "error": "ulp"}}, "expected 'relative' or 'absolute'"),
        ({"options": {"function": "log", "interval": [0, 1]}}, "not defined on all of"),
        ({"options": {"function": "cos", "interval": [0.5, 2]}}, "is zero inside"),
        ({"symbolic": SymbolicSpec(vocabulary="elementary")}, "judges programs over"),
        ({"symbolic": SymbolicSpec(vocabulary="arithmetics")}, "symbolic.vocabulary"),
        ({"language": "python"}, "judges symbolic candidates only"),
    ],
)
def test_a_wrong_family_problem_is_told_when_the_judge_is_built(changes: dict[str, object], words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        Judge(family(**changes))


def test_an_interval_may_be_written_with_pi() -> None:
    judge = Judge(family(options={"function": "sin", "interval": [0, "pi/2"]}))
    fit = judge.fit_target()
    assert fit is not None
    assert 1.57 < fit[0].max() < 1.5708


LIMITS: list[tuple[type, str]] = [(LimitsSpec, each.name) for each in dataclasses.fields(LimitsSpec)]
PROCESS: list[tuple[type, str]] = [(ProcessSpec, each.name) for each in dataclasses.fields(ProcessSpec)]


@pytest.mark.parametrize(("kind", "name"), LIMITS + PROCESS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, -1, "1", None, True])
def test_a_limit_that_limits_nothing_is_refused(kind: type, name: str, value: Any) -> None:
    with pytest.raises(EvaluatorError, match=rf"\.{name} is "):
        kind(**{name: value})


@pytest.mark.parametrize(("kind", "name"), LIMITS + PROCESS)
def test_only_the_scratch_folder_and_the_limit_of_a_card_may_be_nothing(kind: type, name: str) -> None:
    if name in MAY_BE_ZERO:
        assert getattr(kind(**{name: 0}).limits(), name.replace("_mb", "_bytes")) == 0
        return
    with pytest.raises(EvaluatorError, match=f"{name} is 0, expected a finite number above 0"):
        kind(**{name: 0})


@pytest.mark.parametrize("table", [{"limits": {"cpu_seconds": math.inf}}, {"process": {"wall_seconds": math.inf}}])
def test_a_spec_with_an_endless_limit_cannot_travel(table: dict[str, Any]) -> None:
    with pytest.raises(EvaluatorError, match="expected a finite number"):
        JudgeSpec.from_mapping({"language": "python", "file": "evaluate.py", **table})
