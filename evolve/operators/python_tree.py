"""Edit the syntax tree of a Python candidate: expressions and statements inside its evolve blocks."""

from collections.abc import Mapping, Sequence

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Proposal, Proposing
from evolve.operators.python_expressions import EXPRESSION_EDITS, site_of
from evolve.operators.python_file import PythonFile, changed_files, open_files
from evolve.operators.python_statements import STATEMENT_EDITS
from sandbox.errors import CandidateSyntaxError

N_TRIES = 40
MAX_EDITS = 3
MORE_EDITS = 0.25

_EDITS = (*EXPRESSION_EDITS, *STATEMENT_EDITS)
_WEIGHTS = np.array([weight for _, weight in _EDITS])


def edited(file: PythonFile, rng: np.random.Generator) -> str:
    """The file's text after one edit, sometimes two or three; the text as it was where an edit found nothing."""
    n_edits = min(int(rng.geometric(1.0 - MORE_EDITS)), MAX_EDITS)
    for number in range(n_edits):
        edit = _EDITS[int(rng.choice(len(_EDITS), p=_WEIGHTS / _WEIGHTS.sum()))][0]
        text = file.spliced(edit(site_of(file), rng))
        if number + 1 == n_edits:
            return text
        try:
            file = PythonFile(text)
        except CandidateSyntaxError:
            return text
    return file.text


class PythonTreeEdit:
    """Changes operators, names, calls and statements inside the evolve blocks of one parent."""

    name = "tree_edit"
    n_parents = 1

    def __init__(self, *, n_children: int = 1) -> None:
        self.n_children = n_children

    def propose(
        self,
        parents: Sequence[Candidate],
        inspirations: Sequence[Candidate],
        rng: np.random.Generator,
    ) -> Proposing:
        """Yields nothing; children are fewer than `n_children` only if the blocks hold hardly anything to edit."""
        del inspirations
        yield from ()
        parent = parents[0]
        table = open_files(parent.files)
        children: list[Proposal] = []
        for _ in range(N_TRIES * self.n_children if table else 0):
            if len(children) == self.n_children:
                break
            child = _child(parent.files, table, rng)
            if child is not None and all(child != other.files for other in children):
                children.append(Proposal(files=child, parent_ids=(parent.id,)))
        return children


def _child(
    files: Mapping[str, str], table: Mapping[str, PythonFile], rng: np.random.Generator
) -> dict[str, str] | None:
    names = list(table)
    sizes = np.array([1.0 + len(table[name].nodes) for name in names])
    name = names[int(rng.choice(len(names), p=sizes / sizes.sum()))]
    return changed_files(files, name, table[name], edited(table[name], rng))
