"""Seed programs that are strategies: each runs as it is, with little work to spend, and finds something."""

import importlib
import pkgutil
import re
import sys
from collections.abc import Mapping

import pytest

import sandbox.toolbox
from evaluators.constructions.registry import verify
from evolve.config.locate import shipped_problems
from evolve.config.problem import load_problem
from tests.extent import ALL_TESTS

TOOLBOX_OF = {
    name: load_problem(folder).tables.search.toolbox
    for name, folder in shipped_problems().items()
    if folder.parent.name != "problems"
}
STRATEGIES = [name for name, toolbox in TOOLBOX_OF.items() if toolbox]
ONE_OF_EACH = sorted({toolbox: name for name, toolbox in TOOLBOX_OF.items() if toolbox}.values())
WORK = 4.0  # units of about ten milliseconds
# Cheaper members of their families.
SMALLER: Mapping[str, Mapping[str, int]] = {
    "autoconvolution_peak": {"n": 60},
    "autocorrelation_1": {"n": 60},
    "autocorrelation_2": {"n": 20},
    "autocorrelation_3": {"n": 60},
    "autocorrelation_3_absolute": {"n": 60},
    "autocorrelation_least": {"n": 60, "m": 10},
    "gagliardo_nirenberg": {"n": 60},
    "matrix_multiplication": {"n": 2, "m": 2, "p": 2},
    "young_convolution": {"n": 40},
}


@pytest.fixture
def toolbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates know the toolbox by a shorter name."""
    names = [f".{module.name}" for module in pkgutil.iter_modules(sandbox.toolbox.__path__)]
    for name in ("", *names):
        monkeypatch.setitem(sys.modules, f"toolbox{name}", importlib.import_module(f"sandbox.toolbox{name}"))


@pytest.mark.parametrize("name", STRATEGIES if ALL_TESTS else ONE_OF_EACH)
def test_the_seed_strategy_of_a_problem_makes_a_construction(name: str, toolbox: None) -> None:
    problem = load_problem(name, parameters=SMALLER.get(name, {}))
    [text] = problem.seed_files.values()
    program: dict[str, object] = {}

    exec(re.sub(r"^WORK = [\d.]+", f"WORK = {WORK}", text, flags=re.MULTILINE), program)
    construct = program["construct"]
    assert callable(construct)
    construction = construct(*problem.tables.parameters.values())

    assert program["WORK"] == WORK
    verdict = verify(problem.tables.evaluator.options["verifier"], construction, problem.tables.parameters)
    assert verdict.valid, verdict.reason
