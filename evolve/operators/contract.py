"""The operator's contract: a generator that yields what it needs and is sent the answer; it does no I/O itself."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from archive.candidate import Candidate
from evolve.llm.contract import Prompt

EVERYONE = 0
"""As an operator's `n_parents`: it reads the whole archive of its island."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """A piece of work for the executor: `task` names a function of `evolve.tasks`, `payload` is JSON data.

    The answer sent back is the task's JSON result; its `cost` (deterministic work units, 1.0 is about one second of
    one core) is charged to the operator.
    """

    task: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A child: its files and the ids of the parents it was made from."""

    files: Mapping[str, str]
    parent_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to a language model.

    The answer sent back holds `outcome` (a word of `evolve.llm.contract.Outcome`) and `text`, which is empty or partial
    unless the outcome is `ok`. `purpose` says in the log what the call was for: code, repair, idea, review, insight ...
    """

    model: str
    prompt: Prompt
    purpose: str = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Asks for what the run knows of the parents; the answer sent back is {"briefing": a `Briefing`}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """JSON data about this iteration that is to stay in the log, where the search learns from it; the answer is {}."""

    data: Mapping[str, Any]


Request = Compute | Ask | Recall | Note
Proposing = Generator[Request, Mapping[str, Any], list[Proposal]]


class Operator(Protocol):
    """Makes children from parents."""

    @property
    def name(self) -> str:
        """One word, unique among the operators of a run."""

    @property
    def n_parents(self) -> int:
        """How many parents it is given, or `EVERYONE`."""

    def propose(
        self,
        parents: Sequence[Candidate],
        inspirations: Sequence[Candidate],
        rng: np.random.Generator,
    ) -> Proposing:
        """Yield requests, return the children (possibly none: an operator that found nothing to change)."""
