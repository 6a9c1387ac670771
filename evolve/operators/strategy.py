"""Operators for search strategies: they change steps of a toolbox, with types and ranges, and cross two strategies."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Proposal, Proposing
from evolve.operators.python_file import PythonFile, changed_files, open_files
from evolve.operators.strategy_moves import crossed, varied
from evolve.operators.strategy_text import FUNCTION, INDENT, NoStrategyError, Statement, Steps, read, write
from sandbox.toolbox.base import Step

N_TRIES = 30
MORE_CHANGES = 0.35


@dataclass(frozen=True, slots=True)
class Found:
    """A strategy in a file: where it stands and what it says."""

    name: str
    file: PythonFile
    function: ast.FunctionDef
    statements: tuple[Statement, ...]


class StrategyChange:
    """Changes one strategy by one step or more: a parameter, a step, a round of basin hopping, a loop."""

    name = "strategy_change"
    n_parents = 1

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps: Steps = {each.name: each for each in steps}

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Yields nothing; no child where the parent holds no strategy that can be read."""
        del inspirations
        yield from ()
        found = strategy_of(parents[0].files, self._steps)
        for _ in range(N_TRIES if found is not None else 0):
            assert found is not None
            statements = varied(found.statements, self._steps, rng)
            while statements is not None and rng.random() < MORE_CHANGES:
                statements = varied(statements, self._steps, rng) or statements
            child = None if statements is None else with_statements(parents[0].files, found, statements)
            if child is not None:
                return [Proposal(files=child, parent_ids=(parents[0].id,))]
        return []


class StrategyCrossover:
    """Puts a run of one strategy's steps into another."""

    name = "strategy_crossover"
    n_parents = 2

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps: Steps = {each.name: each for each in steps}

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Yields nothing; no child where the parents are the same or hold no strategy that can be read."""
        yield from ()
        first = parents[0]
        partners = [each for each in (*parents[1:], *inspirations) if each.fingerprint != first.fingerprint]
        mine = strategy_of(first.files, self._steps)
        theirs = strategy_of(partners[0].files, self._steps) if partners else None
        for _ in range(N_TRIES if mine is not None and theirs is not None else 0):
            assert mine is not None
            assert theirs is not None
            statements = crossed(mine.statements, theirs.statements, rng)
            child = None if statements is None else with_statements(first.files, mine, statements)
            if child is not None and child != partners[0].files:
                return [Proposal(files=child, parent_ids=(first.id, partners[0].id))]
        return []


def strategy_of(files: Mapping[str, str], steps: Steps) -> Found | None:
    """The strategy inside an evolve block of some file, if these operators can read it."""
    for name, file in open_files(files).items():
        for node in file.nodes:
            if isinstance(node, ast.FunctionDef) and node.name == FUNCTION:
                try:
                    return Found(name, file, node, read(node, steps))
                except NoStrategyError:
                    return None
    return None


def with_statements(files: Mapping[str, str], found: Found, statements: Sequence[Statement]) -> dict[str, str] | None:
    """The files with other statements in the strategy's body, or None if nothing has changed."""
    function = found.function
    first = function.body[1] if ast.get_docstring(function) is not None else function.body[0]
    start = found.file.line_of(found.file.span(first)[0])[0]
    end = found.file.line_of(found.file.span(function.body[-1])[1] - 1)[1]
    text = write(statements, function.args.args[0].arg, found.file.indent_of(function) + INDENT)
    return changed_files(files, found.name, found.file, found.file.spliced([(start, end, text)]))
