"""The judges of the kernel problems: what they take for right and for wrong, and that seed and reference are right.

The programs run here, in the test's process, on what the judge draws; timing has its own tests.
"""

import importlib.util
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evaluators.cards import settled
from evaluators.contract import Failure
from evaluators.foreign import load_file
from evaluators.judge import Judge, open_sandbox
from evaluators.spec import JudgeSpec
from evaluators.timing.tasks import Array, TimedTask
from evolve.config.problem import load_problem
from tests.extent import ALL_TESTS

FOLDER = Path(__file__).parents[3] / "problems"
FUNCTIONS = {"row_softmax": "softmax", "attention": "attention"}
NAMES = sorted(FUNCTIONS)
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="there is no torch")
everything = pytest.mark.skipif(not ALL_TESTS, reason="it starts torch, and takes times: only with EVOLVE_ALL_TESTS=1")


def judge_of(name: str) -> ModuleType:
    return load_file(FOLDER / name / "evaluate.py")


def function_of(name: str, file: str = "seed.py", knobs: Mapping[str, str] = {}) -> Callable[..., None]:
    """The kernel of a file, with some of its knobs turned."""
    if name == "attention":
        pytest.importorskip("torch")
    text = (FOLDER / name / file).read_text(encoding="utf-8")
    for knob, value in knobs.items():
        text, n = re.subn(rf"^{knob} = [^#]*#", f"{knob} = {value}  #", text, flags=re.MULTILINE)
        assert n == 1
    space: dict[str, Any] = {"__name__": "kernel"}
    exec(compile(text, file, "exec"), space)
    function: Callable[..., None] = space[FUNCTIONS[name]]
    return function


def error_of(task: TimedTask, function: Callable[..., None], rng: np.random.Generator) -> float:
    """How wrong a kernel is on a task, by its judge."""
    inputs: Sequence[Array] = task.draw(rng)
    outputs = task.outputs(*inputs)
    for each in outputs:
        each[...] = np.nan
    function(*(np.array(each) if each.flags.c_contiguous else each.copy("K") for each in inputs), *outputs)
    return task.error(inputs, outputs)


@pytest.mark.parametrize("file", ["seed.py", "reference.py"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("error")
def test_seed_and_reference_are_right_on_everything_that_is_checked(name: str, file: str) -> None:
    function, rng = function_of(name, file), np.random.default_rng(0)
    for task in judge_of(name).CHECKED:
        assert error_of(task, function, rng) <= 1.0, task.name


KNOBS = [
    ("row_softmax", {"EXPONENTIAL": '"series"', "LOOPS": '"two"', "DIVIDES": "False", "DEGREE": "5"}),
    ("row_softmax", {"EXPONENTIAL": '"series"', "LOOPS": '"one"'}),
    ("attention", {"ROWS": "64", "KEYS": "1024", "SCALED": '"queries"', "BASE": '"2"'}),
]


@pytest.mark.parametrize(("name", "knobs"), KNOBS if ALL_TESTS else KNOBS[::2])
def test_the_seeds_knobs_leave_it_right(name: str, knobs: dict[str, str]) -> None:
    function, rng = function_of(name, knobs=knobs), np.random.default_rng(1)
    for task in judge_of(name).CHECKED:
        assert error_of(task, function, rng) <= 1.0, task.name


def test_a_series_that_is_too_short_is_wrong() -> None:
    function = function_of("row_softmax", knobs={"EXPONENTIAL": '"series"', "DEGREE": "3"})
    judge = judge_of("row_softmax")
    errors = [error_of(task, function, np.random.default_rng(2)) for task in judge.CHECKED]
    assert max(errors) > 1.0


def forgets_the_largest(x: Array, out: Array) -> None:
    with np.errstate(all="ignore"):
        np.exp(x, out=out)
        out /= out.sum(axis=1, keepdims=True)


def gives_nothing_for_masked_rows(x: Array, out: Array) -> None:
    with np.errstate(all="ignore"):
        np.exp(x - x.max(axis=1, keepdims=True), out=out)
        out /= out.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("wrong", [forgets_the_largest, gives_nothing_for_masked_rows])
def test_careless_softmaxes_are_wrong_somewhere(wrong: Callable[..., None]) -> None:
    errors = [error_of(task, wrong, np.random.default_rng(3)) for task in judge_of("row_softmax").CHECKED]
    assert any(not each <= 1.0 for each in errors)


def softmax_of(x: Array) -> Array:
    weights = np.exp(x - x.max(axis=1, keepdims=True))
    exact: Array = weights / weights.sum(axis=1, keepdims=True)
    return exact


@needs_torch
def test_the_card_problem_looks_at_every_place() -> None:
    # given
    judge, rng = judge_of("card_softmax"), np.random.default_rng(4)
    (x,) = judge.numbers(200, 30, rng, "cpu")
    out = softmax_of(x)
    # when / then
    assert judge.error((x,), (out,)) <= 1.0
    out[177, 29] *= np.float32(1.001)
    assert judge.error((x,), (out,)) > 1.0
    out[177, 29] = np.nan
    assert math.isnan(judge.error((x,), (out,)))


@needs_torch
def test_the_card_problem_s_inputs_and_outputs_fit_into_what_is_shared() -> None:
    # given
    judge, limits = judge_of("card_softmax"), load_problem(FOLDER / "card_softmax").tables.limits
    # when / then: the machine's memory, and the card's
    for _, draw in judge.TIMED + judge.HELD_OUT + judge.CHECKED:
        (x,) = draw(rng=np.random.default_rng(5), device="cpu")
        assert 2 * x.nbytes + (16 << 12) <= limits.shared_mb << 20
    assert limits.gpu_shared_mb << 20 >= 2 * 4 * judge.ON_CARD + (16 << 12)


@needs_torch
@pytest.mark.parametrize(
    ("text", "is_interpreted"),
    [
        ("import triton", True),
        ("import triton.language as tl", True),
        ("def f():\n    from triton import jit", True),
        ("import torch\n# import triton", False),
    ],
    ids=["import", "import a part", "from, inside", "in a comment"],
)
def test_without_a_card_programs_that_import_triton_are_told_from_others(text: str, *, is_interpreted: bool) -> None:
    judge = judge_of("card_softmax")
    assert judge.is_interpreted(SimpleNamespace(gpus=(), files={"seed.py": text})) is is_interpreted
    assert judge.is_interpreted(SimpleNamespace(gpus=("GPU-1",), files={"seed.py": text})) is False


@needs_torch
@everything
@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="there is no triton")
def test_without_a_card_a_triton_kernel_is_looked_at_and_not_timed_and_a_torch_one_is_timed() -> None:
    # given
    spec = settled(JudgeSpec.from_mapping(load_problem(FOLDER / "card_softmax").judge_spec_mapping()))
    if spec.gpus:
        pytest.skip("there is a card")
    seed = (FOLDER / "card_softmax" / "seed.py").read_text(encoding="utf-8")
    with_torch = "import torch\n# EVOLVE-BLOCK-START\ndef softmax(x, out):\n    torch.softmax(torch.as_tensor(x), 1, "
    with_torch += "out=torch.as_tensor(out))\n# EVOLVE-BLOCK-END\n"
    # when
    with closing(open_sandbox(spec)) as sandbox:
        judge = Judge(spec, sandbox)
        kernel = judge.evaluate({"seed.py": seed})
        wrong = judge.evaluate({"seed.py": seed.replace("largest = grown", "largest = 0.0")})
        timed = judge.evaluate({"seed.py": with_torch})
    # then
    assert (kernel.score, kernel.metrics["is_timed"]) == (-6.0, 0.0)
    assert "interpreted, looked at and not timed" in kernel.artifacts["times"]
    assert wrong.score is None
    assert timed.failure in (None, Failure.EVALUATOR)  # a machine that is too busy tells no times
    assert timed.score is None or timed.metrics["is_timed"] == 1.0


def test_attention_with_a_row_that_nobody_wrote_is_wrong_wherever_it_is() -> None:
    judge, rng = judge_of("attention"), np.random.default_rng(4)
    q, k, v = judge.numbers(200, 30, 8, "float32", rng)
    exact = np.exp(q @ k.T / math.sqrt(8))
    out = (exact / exact.sum(axis=1, keepdims=True) @ v).astype(np.float32)
    assert judge.error((q, k, v), (out,)) <= 1.0
    out[77, 3] = np.nan
    assert math.isnan(judge.error((q, k, v), (out,)))


@pytest.mark.parametrize("name", NAMES)
def test_inputs_and_outputs_of_every_task_fit_into_the_shared_memory(name: str) -> None:
    judge, problem = judge_of(name), load_problem(FOLDER / name)
    room = problem.tables.limits.shared_mb << 20
    everywhere = judge.TIMED + judge.HELD_OUT if name == "row_softmax" else judge.TASKS[False] + judge.HELD_OUT[False]
    for task in everywhere:
        inputs = task.draw(np.random.default_rng(5))
        assert sum(each.nbytes for each in (*inputs, *task.outputs(*inputs))) + (16 << 12) <= room
    if name == "attention":  # n and m at their largest, without drawing so many numbers
        assert 4 * int(1.13 * 115_000) * 64 * 2 + (16 << 12) <= room
        assert 4 * int(1.13 * 60_000) * 128 * 2 + (16 << 12) <= room


@pytest.mark.parametrize("name", NAMES)
def test_timed_problems_run_alone_on_one_thread_and_share_memory(name: str) -> None:
    problem = load_problem(FOLDER / name)
    assert problem.measures_time
    assert problem.tables.limits.n_threads == 1
    assert list(problem.tables.seed.files) == ["seed.py"]
