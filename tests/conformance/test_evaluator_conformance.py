from collections.abc import Mapping
from functools import cache

import pytest

from evaluators.judge import JudgeSpec
from evolve.config.problem import Problem, load_problem
from evolve.testing.evaluator_conformance import EvaluatorConformance

SHIPPED = ("exp2", "log2", "erf", "circle_packing_26")


@cache
def shipped(name: str) -> Problem:
    return load_problem(name)


@pytest.mark.parametrize("name", SHIPPED)
class TestShippedProblems(EvaluatorConformance):
    name = ""

    @pytest.fixture(autouse=True)
    def _problem(self, name: str) -> None:
        self.name = name

    def spec(self) -> JudgeSpec:
        return JudgeSpec.from_mapping(shipped(self.name).judge_spec_mapping())

    def files(self) -> Mapping[str, str]:
        return shipped(self.name).seed_files
