"""What the loop tells its listener, how a run is asked for and what it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
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

    `models` are language models to ask, `base_url` the server of those without an address of their own. `budget_usd`
    and `budget_tokens` bound what they may take over all sessions. Without `symbolic` nobody else makes candidates.
    The `strategy` is `map_elites`, `iid` or `sequential`.

    The `executor` is `local` or `ray`; `ray_address` names a cluster to join, and `workers` None means all of it then.
    `gpus` is what one evaluation gets of a graphics card where the problem uses cards, None the problem's own share.
    The `device` of the screens of a symbolic search is `cpu`, `cuda` or `auto`; they find the same on each.
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
    models: tuple[str, ...] = ()
    base_url: str | None = None
    budget_usd: float | None = None
    budget_tokens: int | None = None
    strategy: str = "map_elites"
    symbolic: bool = True
    executor: str = "local"
    ray_address: str | None = None
    gpus: float | None = None
    device: str = "cpu"

    def changed(self, changes: Mapping[str, Any]) -> "RunOptions":
        """The options for a session that changes some of them.

        How many workers one place has says nothing of another: who moves and does not say, gets all of the new one. An
        executor that is named without an address is one of this machine, whatever cluster the run was on.
        """
        after = replace(self, **changes)
        if changes.get("executor") is not None and changes.get("ray_address") is None:
            after = replace(after, ray_address=None)
        has_moved = (after.executor, after.ray_address) != (self.executor, self.ray_address)
        return replace(after, workers=None) if has_moved and changes.get("workers") is None else after

    def to_mapping(self) -> dict[str, Any]:
        """The options as JSON data."""
        return {**asdict(self), "models": list(self.models)}

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "RunOptions":
        """The options that `to_mapping` gave, also in an earlier version that knew fewer."""
        return cls(**{**data, "models": tuple(data.get("models", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """How a session of a run ended.

    `stopped_by` is evaluations, time, target, signal, request, exhausted, budget_usd, budget_tokens or replayed.
    `evaluator_failures` counts the evaluations of the whole run that failed by the evaluator's fault. `models` are the
    totals of all calls, None in a run without language models. `replay_equal` says whether a repetition found the
    archive of the run it repeats, None for any other run.
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
    models: Mapping[str, Any] | None = None
    replay_equal: bool | None = None

    def to_mapping(self) -> dict[str, Any]:
        """The summary as JSON data."""
        return asdict(self)
