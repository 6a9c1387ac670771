from collections.abc import Mapping
from typing import Any

import pytest

from archive.candidate import Candidate
from evolve import tasks
from evolve.config.problem import load_problem
from evolve.loop.setup import build_operators
from evolve.operators.contract import Compute, Operator, Proposal, Request
from evolve.operators.symbolic import SymbolicBurst, SymbolicCrossover, SymbolicMutation
from evolve.testing.operator_conformance import OperatorConformance
from sandbox.symbolic.canonical import fingerprint
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY

PROGRAMS = (
    "def f(x):\n    return x + 0.96\n",
    "def f(x):\n    t1 = x * 0.7\n    t2 = t1 * x\n    return t2 + 1.0\n",
    "def f(x):\n    t1 = x - 3.4\n    t2 = 8.2 / t1\n    return t2 + 1.4\n",
)
INPUTS = ("x",)
pytestmark = pytest.mark.xdist_group("first-compiled-search")
"""On a fresh clone the first of these compiles the search for half a minute: not in two processes at once."""


class SymbolicConformance(OperatorConformance):
    def parents(self) -> list[Candidate]:
        return [
            Candidate(id=3 * n + 2, files={"seed.py": text}, fingerprint=self.fingerprint_of({"seed.py": text}))
            for n, text in enumerate(PROGRAMS)
        ]

    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        return fingerprint(parse(files["seed.py"], ELEMENTARY, inputs=INPUTS), ELEMENTARY)


class TestSymbolicMutation(SymbolicConformance):
    def make(self) -> Operator:
        return SymbolicMutation(vocabulary=ELEMENTARY, inputs=INPUTS, entry="seed.py", max_operations=8)


class TestSymbolicCrossover(SymbolicConformance):
    def make(self) -> Operator:
        return SymbolicCrossover(vocabulary=ARITHMETIC, inputs=INPUTS, entry="seed.py", max_operations=8)


class BurstConformance(SymbolicConformance):
    kind = ""

    def make(self) -> Operator:
        [operator] = [each for each in build_operators(load_problem("exp2")) if each.name == self.kind]
        assert isinstance(operator, SymbolicBurst)
        settings = {**operator.settings, "work": 0.01, "n_children": 4, "max_operations": 5}
        return SymbolicBurst(
            **{name: getattr(operator, name) for name in SymbolicBurst.__slots__ if name != "settings"},
            settings=settings,
        )

    def answer(self, request: Request) -> Mapping[str, Any]:
        assert isinstance(request, Compute)
        return tasks.handle(request.task, request.payload)

    def many(self) -> list[Proposal]:
        """Made once for all tests that look at them: the search takes a while."""
        if self.kind not in MADE:
            MADE[self.kind] = super().many()
        return MADE[self.kind]


MADE: dict[str, list[Proposal]] = {}


class TestMutatingBurst(BurstConformance):
    kind = "mutate"


class TestRefittingBurst(BurstConformance):
    kind = "refit"


class TestCrossingBurst(BurstConformance):
    kind = "crossover"
