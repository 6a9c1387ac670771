"""Exported torch code in a process with torch: functions to the bit, optimizers with the tests written beside them.

They run where torch is installed (`make torch`), two imports of it in all.
"""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evolve.export.float32_text import torch_float32
from evolve.export.forms import exported
from evolve.export.function_facts import ExportedFunction
from evolve.export.function_text import torch_function
from evolve.export.straight_line import words_used
from evolve.export.update_rule_module import torch_module
from sandbox.symbolic.vocabulary import ELEMENTARY, FLOAT32
from sandbox.update_rules.rule import read_rule
from sandbox.update_rules.zoo import ZOO, zoo_text
from tests.extent import ALL_TESTS
from tests.unit.export.export_cases import assert_same_bits, interpreted, renamed
from tests.unit.export.test_export_functions import (
    EXACT_WORDS,
    MACHINE_FUNCTIONS,
    REAL_FUNCTIONS,
    drawn_function,
    over,
    points_of,
    words_of,
)
from tests.unit.export.test_export_symbolic_rule import HARD, HARD_MATRICES
from tests.unit.export.test_export_symbolic_rule import rule as symbolic_rule
from tests.unit.export.test_export_update_rule import ADAM, HOSTILE_TO_TORCH_TYPES, LION, rule

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch, an extra, is not installed")
OUR_RULES = ("adamw", "muon", "soap", "sophia", "momo", "rprop")
"""Decay, two kinds of layers, matrices, Hessian, loss, no division at all; the whole zoo with EVOLVE_ALL_TESTS."""
TESTED_IN_ALL = ("our_muon", "our_soap", "our_sophia")
"""Of those whose every test is run by default; of the others the one that compares steps with the interpreter's."""
STEPS_TEST = "test_it_takes_the_steps_of_the_interpreter"
HARD_TEXTS = (*(f"def update(g, t, lr):\n    return {each}\n" for each in HARD.values()), HARD_MATRICES)
EXACT_IN_TORCH = tuple(name for name in EXACT_WORDS if name != "sqrt")
RUN_ALL = """\
import importlib.util, sys, warnings
import numpy as np, torch
warnings.simplefilter("error")
data, results = np.load("points.npz"), {}
for name in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location(name, f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    points = [torch.from_numpy(data[key]) for key in sorted(data) if key.startswith(f"{name}_")]
    results[name] = getattr(module, name)(*points).numpy()
np.savez("results.npz", **results)
"""


def in_torch(arguments: list[str], folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_exported_functions_in_torch_compute_the_interpreter_s_bits_and_roots_to_the_accuracy_of_torch(
    tmp_path: Path,
) -> None:
    # given
    rooted = renamed(over(ELEMENTARY, "def f(x):\n    return sqrt(x) + exp(-x) * log(x) - tanh(sin(x))\n"), "rooted")
    (tmp_path / "rooted.py").write_text(torch_function(rooted))
    places = [np.linspace(0.5, 9.0, 300)]
    one = over(ELEMENTARY, "def f(x):\n    return maximum(minimum(x, 0.5), square(x)) - abs(x) / 3.0\n")
    exact = [each for each in REAL_FUNCTIONS if "sqrt" not in words_used(each.program, each.vocabulary)]
    drawn = [drawn_function(seed, words=EXACT_IN_TORCH) for seed in range(25)]
    functions = [renamed(each, f"g{k}") for k, each in enumerate([*exact, one, *MACHINE_FUNCTIONS, *drawn])]
    points_for = {each.name: points_for_function(each) for each in functions}
    for function in functions:
        write = torch_float32 if function.is_machine else torch_function
        (tmp_path / f"{function.name}.py").write_text(write(function))
    arrays = {f"{name}_{k}": each for name, points in points_for.items() for k, each in enumerate(points)}
    np.savez(tmp_path / "points.npz", rooted_0=places[0], **arrays)  # type: ignore[arg-type]  # a name could be an option

    # when
    in_torch(["-c", RUN_ALL, "rooted", *points_for], tmp_path)

    # then
    found = np.load(tmp_path / "results.npz")
    for function in functions:
        wanted = interpreted(function, points_for[function.name])
        assert_same_bits(found[function.name], wanted, what=function.name)
    np.testing.assert_allclose(found["rooted"], interpreted(rooted, places), rtol=1e-13, atol=1e-13)


def points_for_function(function: ExportedFunction) -> list[np.ndarray]:
    return [words_of(2000)] if function.vocabulary == FLOAT32 else points_of(len(function.program.inputs))


def test_exported_optimizers_pass_the_tests_that_are_written_beside_them(tmp_path: Path) -> None:
    discoveries = {
        name: rule(text) for name, text in (("adam", ADAM), ("lion", LION), ("kinds", HOSTILE_TO_TORCH_TYPES))
    }
    discoveries |= {f"hard_{k}": symbolic_rule(text) for k, text in enumerate(HARD_TEXTS)}
    discoveries |= {f"our_{name}": symbolic_rule(zoo_text(name)) for name in (ZOO if ALL_TESTS else OUR_RULES)}
    wanted, n_wanted = [], 0
    for name, each in discoveries.items():
        files = exported(each, "torch", file_name=f"{name}.py", with_test=True)
        for path, content in files.items():
            (tmp_path / path).write_text(content)
        is_whole = ALL_TESTS or not name.startswith(("hard_", "our_")) or name in TESTED_IN_ALL
        wanted.append(f"test_{name}.py" if is_whole else f"test_{name}.py::{STEPS_TEST}")
        n_wanted += n_cases(files[f"test_{name}.py"]) if is_whole else 1

    for name, text in HAZARDS_OF.items():
        (tmp_path / f"{name}.py").write_text(torch_module(read_rule(text), "Rule", 0.1))
    (tmp_path / "test_hazards.py").write_text(HAZARDS)
    n_wanted += n_cases(HAZARDS)

    told = in_torch(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *wanted, "test_hazards.py"], tmp_path
    )

    assert n_wanted >= 39 + 12 * len(TESTED_IN_ALL) + len(HARD_TEXTS)
    assert f"{n_wanted} passed" in told


HAZARDS_OF = {
    "newton": "def update(g, h):\n    return g / maximum(h, 0.001)\n",
    "clipped": "def update(g):\n    return g / maximum(total_rms(g), 0.001)\n",
    "remembers": "def update(w, g, s, d):\n    return s + d, w, g\n",
    "counts": "def update(g, t):\n    return sign(g) * t\n",
    "two_kinds": "def update(g):\n    return by_shape(g, -g)\n",
}
HAZARDS = """\
import torch

import clipped, counts, newton, remembers, two_kinds


def parameter(*values):
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))


def give(parameter, *gradient):
    parameter.grad = torch.tensor(gradient, dtype=torch.float64)


def test_the_estimated_hessian_of_a_bowl_along_the_axes_is_exact():
    w, scale = parameter(1.0, -2.0), torch.tensor([3.0, 5.0], dtype=torch.float64)
    linear = parameter(1.0)
    optimizer = newton.Rule([w, linear], lr=1.0)
    optimizer.estimate_hessian((0.5 * scale * w**2).sum() + linear.sum())
    assert optimizer.hessians[linear].item() == 0.0
    give(w, 3.0, -10.0)
    optimizer.step()
    torch.testing.assert_close(w.detach(), torch.zeros(2, dtype=torch.float64))


def test_what_is_measured_over_all_parameters_crosses_groups():
    one, other = parameter(0.0), parameter(0.0)
    optimizer = clipped.Rule([{"params": [one]}, {"params": [other], "lr": 0.5}], lr=1.0)
    give(one, 3.0)
    give(other, 4.0)
    optimizer.step()
    size = (25.0 / 2) ** 0.5
    torch.testing.assert_close(one.item(), -3.0 / size)
    torch.testing.assert_close(other.item(), -0.5 * 4.0 / size)


def test_the_state_keeps_no_tensor_that_somebody_else_changes():
    w = parameter(1.0)
    optimizer = remembers.Rule([w], lr=1.0)
    give(w, 2.0)
    optimizer.step()
    w.grad.zero_()
    with torch.no_grad():
        w.fill_(7.0)
    assert (optimizer.state[w]["s"].item(), optimizer.state[w]["d"].item()) == (1.0, 2.0)


def test_a_parameter_that_joins_late_counts_its_own_steps():
    early, late = parameter(0.0), parameter(0.0)
    optimizer = counts.Rule([early, late], lr=1.0)
    give(early, 1.0)
    optimizer.step()
    give(late, 1.0)
    optimizer.step()
    assert (early.item(), late.item()) == (-3.0, -1.0)


def test_matrices_of_a_group_that_is_not_hidden_are_treated_as_vectors_are():
    hidden, head, bias = parameter([1.0]), parameter([1.0]), parameter(1.0)
    optimizer = two_kinds.Rule([{"params": [hidden, bias]}, {"params": [head], "hidden": False}], lr=1.0)
    for each in (hidden, head, bias):
        each.grad = torch.ones_like(each)
    optimizer.step()
    assert (hidden.item(), head.item(), bias.item()) == (0.0, 2.0, 2.0)


def test_large_and_small_parameters_take_the_same_steps():
    large, small = torch.nn.Parameter(torch.ones(300, 300)), torch.nn.Parameter(torch.ones(3))
    optimizer = remembers.Rule([small, large], lr=0.5)
    for _ in range(3):
        for each in (large, small):
            each.grad = torch.full_like(each, 0.25)
        optimizer.step()
    assert set(large.detach().flatten().tolist()) == {small[0].item()}
"""


def n_cases(text: str) -> int:
    """How many tests a file has: a parametrised one counts for each of its cases."""
    tests = [
        each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    ]
    marks = [mark for test in tests for mark in test.decorator_list if isinstance(mark, ast.Call)]
    lists = [mark.args[1].elts for mark in marks if isinstance(mark.args[1], ast.List)]
    return len(tests) - len(lists) + sum(map(len, lists))
