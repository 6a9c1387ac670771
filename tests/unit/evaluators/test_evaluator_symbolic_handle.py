import pytest

from evaluators.handles import SymbolicCandidate
from sandbox.errors import CandidateNotFinite
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import ARITHMETIC


def handle(text: str) -> SymbolicCandidate:
    return SymbolicCandidate({"seed.py": text}, parse(text, ARITHMETIC, inputs=("x",)), ARITHMETIC)


def test_a_pole_is_a_candidate_that_is_not_finite() -> None:
    with pytest.raises(CandidateNotFinite, match="NaN or infinity"):
        handle("def f(x):\n    return 1.0 / x\n").call("f", 0.0)


def test_operations_and_depth_count_what_depends_on_the_input() -> None:
    candidate = handle("def f(x):\n    t1 = x * x\n    t2 = 2.0 * 3.0\n    t3 = x + t2\n    return t1 - t3\n")
    assert (candidate.operations, candidate.depth) == (3, 2)
