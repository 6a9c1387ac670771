"""Edits of update rules without training: legal children that the problem allows, the same for the same stream."""

import numpy as np
import pytest

from archive.candidate import Candidate
from evolve.config.problem import Problem, load_problem
from evolve.loop.gate import gate_for
from evolve.operators.rule_edits import RuleEdit
from sandbox.symbolic.vocabulary import load_vocabulary


def children_of(problem: Problem, n: int) -> list[str]:
    symbolic = problem.symbolic_mapping()
    operator = RuleEdit(
        vocabulary=load_vocabulary(symbolic["vocabulary"]),
        inputs=tuple(symbolic["inputs"]),
        entry="seed.py",
        max_operations=symbolic["max_operations"],
    )
    seed = Candidate(id=1, files=problem.seed_files, fingerprint="seed")
    texts = []
    for number in range(n):
        proposing = operator.propose([seed], [], np.random.default_rng(number))
        with pytest.raises(StopIteration) as stop:
            next(proposing)
        texts += [proposal.files["seed.py"] for proposal in stop.value.value]
    return texts


@pytest.mark.parametrize("name", ["optimizers", "optimizers_elementwise"])
def test_children_are_other_rules_that_the_problem_allows(name: str) -> None:
    problem = load_problem(name)
    gate = gate_for(problem)

    children = children_of(problem, 12)

    assert len(children) >= 10
    fingerprints = {gate.fingerprint_of({"seed.py": text}) for text in children}
    assert gate.fingerprint_of(problem.seed_files) not in fingerprints
    assert len(fingerprints) >= 8


def test_the_same_stream_gives_the_same_child() -> None:
    problem = load_problem("optimizers")

    assert children_of(problem, 3) == children_of(problem, 3)
