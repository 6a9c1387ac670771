"""OpenEvolve's contract from the inside: `evaluate(program_path)`, its stages, and what its evaluators import."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from evaluators.peers.inside.loading import call, load_module
from evaluators.peers.inside.plain import entries_of, kind_of
from evaluators.peers.inside.standins import install

EVALUATION_MODULE = "evaluation_module"
STAGES = ("evaluate_stage1", "evaluate_stage2", "evaluate_stage3")
_loaded: list[ModuleType] = []


@dataclass
class EvaluationResult:
    """What an evaluator may return instead of a dict: metrics, and artifacts beside them."""

    metrics: dict[str, Any]
    artifacts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, metrics: dict[str, Any]) -> "EvaluationResult":
        """Metrics without artifacts."""
        return cls(metrics=metrics)

    def to_dict(self) -> dict[str, Any]:
        """The metrics."""
        return self.metrics

    def has_artifacts(self) -> bool:
        """Whether there are any."""
        return len(self.artifacts) > 0

    def get_artifact_keys(self) -> list[str]:
        """Their names."""
        return [*self.artifacts]

    def get_artifact_size(self, key: str) -> int:
        """How many bytes one takes; 0 if there is no such."""
        value = self.artifacts.get(key, b"")
        return len(value if isinstance(value, bytes) else str(value).encode("utf-8"))

    def get_total_artifact_size(self) -> int:
        """How many bytes all take."""
        return sum(map(self.get_artifact_size, self.artifacts))


def prepare(home: str, evaluator: str) -> list[str]:
    """Load the evaluator; gives the names of its functions that the contract knows."""
    install({"openevolve": {}, "openevolve.evaluation_result": {"EvaluationResult": EvaluationResult}})
    module = load_module(os.path.join(home, evaluator), EVALUATION_MODULE)
    _loaded[:] = [module]
    return [name for name in ("evaluate", *STAGES) if callable(getattr(module, name, None))]


def stage(name: str, program_path: str) -> dict[str, Any]:
    """Run one function of the evaluator."""
    result = call(getattr(_loaded[0], name), program_path)
    if isinstance(result, Mapping):
        return {"metrics": entries_of(result), "artifacts": []}
    if hasattr(result, "metrics") and isinstance(result.metrics, Mapping):
        return {"metrics": entries_of(result.metrics), "artifacts": entries_of(getattr(result, "artifacts", {}))}
    raise TypeError(f"{name}(program_path) returned {kind_of(result)}, expected a dict or an EvaluationResult")
