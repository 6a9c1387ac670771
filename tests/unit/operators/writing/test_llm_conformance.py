"""Language-model operators keep the contract of all operators, with a model that answers from the prompt alone."""

from collections.abc import Mapping
from typing import Any

import pytest

from archive.candidate import Candidate
from evolve.config.problem import load_problem
from evolve.operators.briefing import Briefing, Judged
from evolve.operators.contract import Ask, Note, Operator, Recall, Request
from evolve.operators.python_fingerprint import python_fingerprint
from evolve.operators.writing.setup import language_model_operators
from evolve.testing.operator_conformance import OperatorConformance
from tests.scripted_operators import judged

PROBLEM = load_problem("circle_packing_26")
SEED = "# EVOLVE-BLOCK-START\nrate = 0.05\ncooling = 0.95\n# EVOLVE-BLOCK-END\n"


class LanguageModelConformance(OperatorConformance):
    kind = ""
    briefing: Briefing

    @pytest.fixture(autouse=True)
    def known(self) -> None:
        failed = SEED.replace("rate = 0.05", "rate = none")
        self.briefing = Briefing(
            parents=tuple(Judged(candidate=each, score=1.0) for each in self.parents()),
            failures=(judged(9, failed, score=None, failure="exception", detail="NameError", parents=(2,)),),
        )

    def make(self) -> Operator:
        [operator] = language_model_operators(PROBLEM, ["m"], kinds=[self.kind])
        return operator

    def parents(self) -> list[Candidate]:
        texts = (SEED, SEED.replace("rate = 0.05", "rate = 0.06"))
        return [
            Candidate(id=2 + n, files={"seed.py": text}, fingerprint=self.fingerprint_of({"seed.py": text}))
            for n, text in enumerate(texts)
        ]

    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        return python_fingerprint(files)

    def answer(self, request: Request) -> Mapping[str, Any]:
        if isinstance(request, Recall):
            return {"briefing": self.briefing}
        if isinstance(request, Note):
            return {}
        assert isinstance(request, Ask)
        number = int(request.prompt.hash(), 16) % 10_000
        diff = f"<<<<<<< SEARCH\ncooling = 0.95\n=======\ncooling = 0.9{number}\n>>>>>>> REPLACE"
        return {"outcome": "ok", "text": "Score: 9" if request.purpose == "review" else diff}


class TestDiff(LanguageModelConformance):
    kind = "diff"


class TestRewrite(LanguageModelConformance):
    kind = "rewrite"


class TestCrossover(LanguageModelConformance):
    kind = "crossover"


class TestRepair(LanguageModelConformance):
    kind = "repair"

    def test_other_streams_give_other_children(self) -> None:
        """One failed program, one task: what differs between two repairs of it is the model."""
        assert len({self.fingerprint_of(child.files) for child in self.many()}) == 1


class TestIdea(LanguageModelConformance):
    kind = "idea"
