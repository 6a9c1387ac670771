"""The gate: what a child must pass before an evaluation is paid for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from evolve.config.problem import Problem
from evolve.operators.blocks import outside_unchanged
from evolve.operators.python_fingerprint import python_fingerprint
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import canonical, fingerprint
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import Vocabulary, load_vocabulary


class Gate(Protocol):
    """Knows the language of a problem's candidates."""

    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        """The fingerprint of a legal candidate.

        Raises:
            CandidateSyntaxError: the text is not a legal candidate of this problem.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicGate:
    """Candidates are straight-line programs over a vocabulary."""

    vocabulary: Vocabulary
    inputs: tuple[str, ...]
    max_operations: int
    entry: str

    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        """See `Gate`; equal for programs equal up to names, dead code and the order of commutative arguments."""
        program = parse(files[self.entry], self.vocabulary, inputs=self.inputs, max_operations=self.max_operations)
        return fingerprint(canonical(program, self.vocabulary), self.vocabulary)


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonGate:
    """Candidates are Python files that differ from the seed program inside its evolve blocks only."""

    seed: Mapping[str, str]

    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        """See `Gate`; equal for programs equal up to comments, docstrings and layout."""
        if files.keys() != self.seed.keys():
            raise CandidateSyntaxError(f"the candidate has the files {sorted(files)}, expected {sorted(self.seed)}")
        for name, text in files.items():
            if not outside_unchanged(self.seed[name], text):
                raise CandidateSyntaxError(f"{name} was changed outside of its evolve blocks: keep that text as it is")
        return python_fingerprint(files)


def gate_for(problem: Problem) -> Gate:
    """The gate of a problem's language."""
    if problem.language == "python":
        return PythonGate(seed=problem.seed_files)
    symbolic = problem.symbolic_mapping()
    return SymbolicGate(
        vocabulary=load_vocabulary(symbolic["vocabulary"]),
        inputs=tuple(symbolic["inputs"]),
        max_operations=symbolic["max_operations"],
        entry=problem.tables.seed.files[0],
    )
