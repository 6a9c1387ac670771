"""What the run knows of an iteration's parents, taken when it was planned: what a prompt is written from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archive.candidate import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A candidate and what its evaluation said. `detail`, `artifacts` and `files` are the candidate's: untrusted."""

    candidate: Candidate
    score: float | None
    descriptor: Mapping[str, float | str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""
    detail: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """Something learned in this run: when it holds, why, and an example. `id` numbers insights from 1."""

    id: int
    condition: str
    explanation: str
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A meta-prompt: advice on how to change programs, evolved beside them. `id` 0 is the one we ship.

    `worth` is what its best children brought, in [0, 1); None if it was never used.
    """

    id: int
    text: str
    worth: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """Everything a prompt may tell.

    `failures` are the newest failed children of the parents, newest first. `best` is the best candidate of the run,
    `origin` the one that the first parent was made from, `instructions` are those there are, best worth first.
    """

    parents: tuple[Judged, ...]
    inspirations: tuple[Judged, ...] = ()
    failures: tuple[Judged, ...] = ()
    best: Judged | None = None
    insights: tuple[Insight, ...] = ()
    instruction: Instruction = Instruction(id=0, text="")
    instructions: tuple[Instruction, ...] = ()
    origin: Judged | None = None
    iteration: int = 0
