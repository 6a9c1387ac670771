"""One random edit of an update rule, without training anything: for checks of a problem and for the baselines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Proposal, Proposing
from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import Vocabulary

N_TRIES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEdit:
    """Changes a call, a slot or a literal of one rule; the child fits the problem and the probe finds use in it."""

    name: str = "edit"
    n_parents: int = 1
    vocabulary: Vocabulary
    inputs: tuple[str, ...]
    entry: str
    max_operations: int

    def propose(
        self, parents: Sequence[Candidate], inspirations: Sequence[Candidate], rng: np.random.Generator
    ) -> Proposing:
        """Return one changed child; needs no compute."""
        from evolve.rules.moves import Moves
        from evolve.rules.probe import Probe

        del inspirations
        yield from ()  # a generator like every operator, but one that needs no compute
        moves, probe = Moves(self.vocabulary), Probe(self.vocabulary)
        program = parse(parents[0].files[self.entry], self.vocabulary, inputs=self.inputs)
        for _ in range(N_TRIES):
            child = moves.mutate(program, rng)
            if child is None or operation_count(child) > self.max_operations or probe.look(child).refusal:
                continue
            text = render(child, self.vocabulary)
            if self._is_offered(text):
                return [Proposal(files={self.entry: text}, parent_ids=(parents[0].id,))]
        return []

    def _is_offered(self, text: str) -> bool:
        """Whether the rule names only what the problem lets rules read."""
        try:
            parse(text, self.vocabulary, inputs=self.inputs)
        except CandidateSyntaxError:
            return False
        return True
