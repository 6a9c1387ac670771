"""What a display knows of a run: a fold over the loop's events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from evolve.cli.durations import format_duration
from evolve.cli.figures import figure, plural
from evolve.cli.spending import dollars
from evolve.view.happenings import N_METRICS, described

N_NOTABLE = 5

__all__ = ["N_METRICS", "N_NOTABLE", "Best", "Notable", "Progress", "described", "heartbeat", "remaining"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best candidate so far; `seconds` is when in this session it was found."""

    id: int
    score: float
    operator: str = "seed"
    seconds: float = 0.0
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notable:
    """Something worth a line of its own; `seconds` is when in the session it happened."""

    seconds: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The state of a run as a display shows it. `latest` is the last `progress` event's data.

    `evaluations_before` counts those of earlier sessions of the run.
    """

    run: str = ""
    problem: str = ""
    rng_seed: int | None = None
    workers: int | None = None
    window: int | None = None
    best: Best | None = None
    latest: Mapping[str, Any] = field(default_factory=dict)
    evaluations_before: int = 0
    notable: tuple[Notable, ...] = ()
    stopping: str = ""

    def after(self, kind: str, data: Mapping[str, Any]) -> "Progress":
        """The state after one more event; kinds it does not know change nothing."""
        match kind:
            case "started":
                return _started(data)
            case "seed" | "improved":
                return self._noting(kind, data, best=_best_of(data))
            case "progress":
                return replace(self, latest=data, best=_confirmed_best(self.best, data))
            case "warning" | "preparing" | "paused" | "resumed":
                return self._noting(kind, data)
            case "stopping":
                return self._noting(kind, data, stopping=str(data.get("reason", "")) or "stopping")
        return self

    def _noting(self, kind: str, data: Mapping[str, Any], **changes: Any) -> "Progress":
        seconds = float(data.get("seconds") or self.session_seconds)
        event = Notable(seconds=seconds, text=described(kind, data))
        return replace(self, notable=(*self.notable, event)[-N_NOTABLE:], **changes)

    @property
    def session_seconds(self) -> float:
        """How long this session has been going, as last told."""
        return float(self.latest.get("session_seconds") or 0.0)

    @property
    def evaluations_per_second(self) -> float:
        """The mean over this session."""
        done = int(self.latest.get("evaluations") or 0) - self.evaluations_before
        return done / self.session_seconds if self.session_seconds > 0 else 0.0


def _started(data: Mapping[str, Any]) -> Progress:
    return Progress(
        run=str(data["run"]),
        problem=str(data["problem"]),
        rng_seed=data["rng_seed"],
        workers=data["workers"],
        window=data["window"],
        evaluations_before=int(data.get("evaluations") or 0),
    )


def _best_of(data: Mapping[str, Any]) -> Best:
    return Best(
        id=int(data["id"]),
        score=float(data["score"]),
        operator=str(data.get("operator") or "seed"),
        seconds=float(data.get("seconds") or 0.0),
        metrics=data.get("metrics") or {},
    )


def _confirmed_best(best: Best | None, data: Mapping[str, Any]) -> Best | None:
    # A resumed run has a best before the first improvement is told.
    identifier, score = data.get("best_id"), data.get("best_score")
    if identifier is None or score is None or (best is not None and best.id == identifier):
        return best
    return Best(id=int(identifier), score=float(score), operator="an earlier session")


def heartbeat(progress: Progress) -> str:
    """Say in one line how far the run is."""
    data = progress.latest
    parts = [
        f"running   {plural(int(data.get('evaluations') or 0), 'evaluation')}",
        f"{figure(progress.evaluations_per_second)}/s",
        f"best {figure(data.get('best_score'))}",
        plural(int(data.get("elites") or 0), "elite"),
        f"{format_duration(float(data.get('seconds') or 0.0))} gone",
        dollars(data["models"]) if data.get("models") else "",
        remaining(data),
    ]
    return ", ".join(part for part in parts if part)


def remaining(data: Mapping[str, Any]) -> str:
    """Say what is left of the budget."""
    parts = []
    if data.get("seconds_left") is not None:
        parts.append(f"{format_duration(float(data['seconds_left']))} left")
    if data.get("evaluations_left") is not None:
        parts.append(f"{plural(int(data['evaluations_left']), 'evaluation')} left")
    if data.get("target") is not None:
        parts.append(f"target {figure(data['target'])}")
    return ", ".join(parts) or "no budget set: stop with Ctrl-C"
