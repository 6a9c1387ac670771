"""What a session of a run is made of."""

from dataclasses import dataclass, field

from evolve.loop.budget import Budget
from evolve.loop.events import Listener
from evolve.loop.iteration import Bench
from evolve.loop.journal import Journal
from evolve.loop.models import ModelDesk
from evolve.loop.search import Search
from evolve.loop.told import Plan
from evolve.store import RunWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What earlier sessions left: their wall time, and the plans that were in flight when the log ended."""

    seconds: float = 0.0
    backlog: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """What a session is made of.

    `models` are the language models, None without any. `counts` is for a repetition: how many candidates each iteration
    of the repeated run brought, which is also where it ends.
    """

    search: Search
    bench: Bench
    writer: RunWriter
    journal: Journal
    budget: Budget
    window: int
    listener: Listener
    past: Past = field(default_factory=Past)
    models: ModelDesk | None = None
    counts: tuple[int, ...] | None = None
