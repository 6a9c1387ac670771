"""What the loop tells its listener, how a run is asked for and what it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; `data` is JSON data. Events about results come after they are on disk."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run. A None budget or window means the problem's own; `workers` None means one per core.

    `evaluations` and `seconds` are totals over all sessions of the run. `durability` is `full` (acknowledged results
    survive power loss) or `fast` (they survive kill -9). `unsafe_sandbox` allows to judge Python candidates where they
    cannot be confined; it holds for one session, a resume has to allow it again.
    """

    rng_seed: int = 0
    workers: int | None = None
    window: int | None = None
    evaluations: int | None = None
    seconds: float | None = None
    target: float | None = None
    durability: str = "full"
    network_fs_allowed: bool = False
    unsafe_sandbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """How a session of a run ended. `stopped_by` is evaluations, time, target, signal or exhausted.

    `evaluator_failures` counts the evaluations of the whole run that failed by the evaluator's fault.
    """

    run: str
    evaluations: int
    elites: int
    best_score: float | None
    best_id: int | None
    archive_hash: str
    stopped_by: str
    signal: int | None
    seconds: float
    evaluator_failures: int = 0

    def to_mapping(self) -> dict[str, Any]:
        """The summary as JSON data."""
        return asdict(self)
