"""When a run stops: evaluations, time, target; and how much is left."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Totals over all sessions of a run; None means no such limit. `target` is a score (higher is better)."""

    evaluations: int | None = None
    seconds: float | None = None
    target: float | None = None

    def spent(self, *, evaluations: int, seconds: float, best_score: float | None) -> str | None:
        """Which limit has been reached: `target`, `evaluations`, `time`, or None."""
        if self.target is not None and best_score is not None and best_score >= self.target:
            return "target"
        if self.evaluations is not None and evaluations >= self.evaluations:
            return "evaluations"
        if self.seconds is not None and seconds >= self.seconds:
            return "time"
        return None
