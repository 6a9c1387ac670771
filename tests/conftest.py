"""Fixtures for the whole suite: a toy problem in each language, small enough to search in seconds."""

import gc
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.extent import ALL_TESTS, examples

# A busy machine takes longer than any deadline for one example now and then: that is no mistake of the program.
settings.register_profile(
    "suite",
    settings.default,
    deadline=None,
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not ALL_TESTS,  # a rare find belongs to the runs that look for it
)
settings.load_profile("suite")

# Hundreds of processes import the same modules: they are compiled once, whatever the environment says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

gc.disable()  # while thousands of tests are collected, of which nothing is garbage


def pytest_collection_finish() -> None:
    """Let the collector look at what tests make, never at the tests themselves."""
    gc.freeze()
    gc.enable()


PYTHON_TOML = """
[problem]
name = "toy"
title = "two numbers"
statement = "Return two numbers near 3 and 5."
language = "python"

[evaluator]
file = "evaluate.py"

[limits]
wall_seconds = 60.0
cpu_seconds = 60.0

[archive]
cell = "best"
[[archive.axes]]
name = "first"
low = -10.0
high = 10.0
cells = 10
[[archive.axes]]
name = "second"
low = -10.0
high = 10.0
cells = 10

[islands]
count = 2
migrate_every = 5
migrants = 2

[search]
window = 4

[budget]
evaluations = 40
"""

PYTHON_SEED = """
# EVOLVE-BLOCK-START
first = 1.0
second = 2.0
# EVOLVE-BLOCK-END


def answer():
    return [first, second]
"""

PYTHON_EVALUATE = """
def evaluate(candidate):
    first, second = candidate.call("answer")
    return {
        "score": -((first - 3.0) ** 2) - (second - 5.0) ** 2,
        "descriptor": {"first": float(first), "second": float(second)},
        "metrics": {"first": float(first)},
    }


def verify(candidate):
    first, second = candidate.call("answer")
    return {"verdict": "certified", "value": float(first), "detail": "read", "certificate": {"first": first}}
"""

SYMBOLIC_TOML = """
[problem]
name = "line"
title = "a line"
statement = "Return 2 x + 1."
language = "symbolic"

[symbolic]
max_operations = 6

[evaluator]
file = "evaluate.py"

[archive]
cell = "top"
keep = 3
[[archive.axes]]
name = "operations"
kind = "linear"
low = 0
high = 8
cells = 8

[search]
window = 4

[budget]
evaluations = 40
"""

SYMBOLIC_SEED = "def f(x):\n    return x\n"

SYMBOLIC_EVALUATE = """
def evaluate(candidate):
    text = next(iter(candidate.files.values()))
    points = [0.0, 0.5, 1.0]
    worst = max(abs(candidate.call("f", point) - (2 * point + 1)) for point in points)
    return {
        "score": -min(worst, 1e6),
        "descriptor": {"operations": float(min(text.count("="), 8))},
        "metrics": {"worst": min(worst, 1e6)},
    }
"""


def write_problem(folder: Path, *, toml: str, seed: str, evaluate: str) -> Path:
    """A problem folder from its three texts."""
    folder.mkdir(parents=True)
    (folder / "problem.toml").write_text(toml, encoding="utf-8")
    (folder / "seed.py").write_text(seed, encoding="utf-8")
    (folder / "evaluate.py").write_text(evaluate, encoding="utf-8")
    return folder


@pytest.fixture
def python_problem(tmp_path: Path) -> Path:
    """A Python problem whose literals are worth editing."""
    return write_problem(tmp_path / "toy", toml=PYTHON_TOML, seed=PYTHON_SEED, evaluate=PYTHON_EVALUATE)


@pytest.fixture
def symbolic_problem(tmp_path: Path) -> Path:
    """A symbolic problem with an evaluator of its own and no fit target."""
    return write_problem(tmp_path / "line", toml=SYMBOLIC_TOML, seed=SYMBOLIC_SEED, evaluate=SYMBOLIC_EVALUATE)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches beyond loopback fails loudly."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
