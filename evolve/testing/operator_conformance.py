# ruff: noqa: D102 the name of a test is its docstring
"""What every operator must do: a test class to inherit; `make` builds the operator, `parents` what it works on."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import EVERYONE, Operator, Proposal, Request

N_STREAMS = 25


class OperatorConformance:
    """Inherit in a class named `Test…`."""

    @abstractmethod
    def make(self) -> Operator:
        """A new operator."""

    @abstractmethod
    def parents(self) -> list[Candidate]:
        """At least `n_parents` legal and different candidates with different ids."""

    @abstractmethod
    def fingerprint_of(self, files: Mapping[str, str]) -> str:
        """The fingerprint of a legal candidate; raises for one that leaves its language or its evolve blocks."""

    def answer(self, request: Request) -> Mapping[str, Any]:
        """What the loop answers to a request; override where the operator asks for something."""
        raise AssertionError(f"this operator asked for something ({request}): override `answer`")

    def propose(self, parents: Sequence[Candidate], number: int) -> list[Proposal]:
        """All children of one call, driven as the loop drives it."""
        proposing = self.make().propose(parents, (), np.random.default_rng([17, number]))
        try:
            request = next(proposing)
            while True:
                request = proposing.send(self.answer(request))
        except StopIteration as stop:
            children: list[Proposal] = stop.value
            return children

    def family(self) -> list[Candidate]:
        """As many parents as the operator takes."""
        n_parents = self.make().n_parents
        return self.parents() if n_parents == EVERYONE else self.parents()[:n_parents]

    def many(self) -> list[Proposal]:
        """The children of many streams."""
        parents = self.family()
        return [child for number in range(N_STREAMS) for child in self.propose(parents, number)]

    def test_it_has_a_name_and_a_number_of_parents(self) -> None:
        operator = self.make()

        assert operator.name.split("@")[0].isidentifier()
        assert operator.n_parents == EVERYONE or operator.n_parents >= 1

    def test_most_streams_give_a_child(self) -> None:
        parents = self.family()

        fruitful = [number for number in range(N_STREAMS) if self.propose(parents, number)]

        assert len(fruitful) > N_STREAMS // 2

    def test_every_child_is_a_legal_candidate_with_its_parents_files(self) -> None:
        names = self.family()[0].files.keys()

        for child in self.many():
            self.fingerprint_of(child.files)
            assert child.files.keys() == names

    def test_no_child_is_one_of_its_parents(self) -> None:
        prints = {parent.id: self.fingerprint_of(parent.files) for parent in self.family()}

        for child in self.many():
            assert self.fingerprint_of(child.files) not in [prints[each] for each in child.parent_ids]

    def test_children_name_parents_that_were_given(self) -> None:
        given = {parent.id for parent in self.family()}

        for child in self.many():
            assert child.parent_ids
            assert set(child.parent_ids) <= given

    def test_the_same_stream_gives_the_same_children(self) -> None:
        parents = self.family()

        assert [self.propose(parents, number) for number in range(5)] == [
            self.propose(parents, number) for number in range(5)
        ]

    def test_other_streams_give_other_children(self) -> None:
        prints = {self.fingerprint_of(child.files) for child in self.many()}

        assert len(prints) > 2

    def test_parents_are_left_as_they_were(self) -> None:
        parents = self.family()
        before = [dict(parent.files) for parent in parents]

        self.propose(parents, 0)

        assert [dict(parent.files) for parent in parents] == before
