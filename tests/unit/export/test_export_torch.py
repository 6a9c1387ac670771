"""Exported torch code in a process with torch: functions to the bit, optimizers with the tests written beside them.

They run where torch is installed (`make torch`), two imports of it in all.
"""

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
from sandbox.symbolic.vocabulary import ELEMENTARY, FLOAT32
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
from tests.unit.export.test_export_update_rule import ADAM, HOSTILE_TO_TORCH_TYPES, LION, rule

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch, an extra, is not installed")
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
    names = []
    for name, text in (("adam", ADAM), ("lion", LION), ("kinds", HOSTILE_TO_TORCH_TYPES)):
        files = exported(rule(text), "torch", file_name=f"{name}.py", with_test=True)
        for each, content in files.items():
            (tmp_path / each).write_text(content)
        names.append(f"test_{name}.py")

    told = in_torch(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *names], tmp_path)

    assert "39 passed" in told
