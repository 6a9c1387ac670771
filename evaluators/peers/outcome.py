"""What one evaluation by another engine's evaluator amounts to, whatever its contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluators.contract import Failure
from evaluators.peers.readings import bounded_artifacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A score with metrics, or a failure with its reason; texts beside either."""

    score: float = 0.0
    failure: Failure | None = None
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""

    @classmethod
    def failed(
        cls, failure: Failure, reason: str, *, texts: Mapping[str, str] | None = None, stage: str = ""
    ) -> "Outcome":
        """A candidate that the evaluator itself refused."""
        return cls(failure=failure, reason=reason, texts=texts or {}, stage=stage)

    def answer(self, descriptor: Mapping[str, float]) -> dict[str, Any]:
        """The same as an evaluator of ours would return it; a failure has no artifacts but its reason."""
        if self.failure is not None:
            reason = f"{self.stage}: {self.reason}" if self.stage else self.reason
            told = [f"{name}: {text}" for name, text in self.texts.items() if text.strip() != self.reason]
            return {"failure": "\n".join([reason, *told]), "kind": self.failure}
        texts = {"stage reached": self.stage, **self.texts} if self.stage else dict(self.texts)
        return {
            "score": self.score,
            "descriptor": dict(descriptor),
            "metrics": dict(self.metrics),
            "artifacts": bounded_artifacts(texts),
        }
