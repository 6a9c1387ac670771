"""Turn each annotated choice of a Python program once: an opening of one turn for each value that the seed has not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Proposal, Proposing
from evolve.operators.python_file import PythonFile, changed_files, open_files
from evolve.operators.python_literals import Literal, literals_of

NAME = "knobs"
MOST_TURNS = 60


@dataclass(frozen=True, slots=True)
class KnobTurn:
    """Gives one annotated choice of a parent one value; the others stay as that parent has them.

    `place` counts the choices of all files, in their order; `value` is a literal's text. What helped is in the parents
    of later turns, so a round of these is one round of a search along the axes.
    """

    place: int
    value: str
    name: str = NAME
    n_parents: int = 1

    def propose(
        self,
        parents: Sequence[Candidate],
        inspirations: Sequence[Candidate],
        rng: np.random.Generator,
    ) -> Proposing:
        """Yields nothing; no child if the parent has no such choice, or this value already."""
        del inspirations, rng
        yield from ()
        parent = parents[0]
        knobs = _knobs_of(parent.files)
        if self.place >= len(knobs):
            return []
        name, file, knob = knobs[self.place]
        if self.value not in knob.choices or self.value == repr(knob.value):
            return []
        text = file.spliced([(knob.start, knob.end, file.spaced(knob.start, knob.end, self.value))])
        child = changed_files(parent.files, name, file, text)
        return [] if child is None else [Proposal(files=child, parent_ids=(parent.id,))]


def knob_turns(seed: Mapping[str, str]) -> list[KnobTurn]:
    """One turn for each value that an annotated choice of the seed program may take and does not have.

    The first values of all choices come first: where there are too many for an opening, none is left out altogether.
    """
    turns = [
        (number, KnobTurn(place, value))
        for place, (_, _, knob) in enumerate(_knobs_of(seed))
        for number, value in enumerate(each for each in dict.fromkeys(knob.choices) if each != repr(knob.value))
    ]
    return [turn for _, turn in sorted(turns, key=lambda each: each[0])][:MOST_TURNS]


def _knobs_of(files: Mapping[str, str]) -> list[tuple[str, PythonFile, Literal]]:
    return [
        (name, file, each) for name, file in open_files(files).items() for each in literals_of(file) if each.choices
    ]
