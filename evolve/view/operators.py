"""Operators: what each tried, what came of it, what it took, and how much the bandit gives it now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evolve.view.run import RunView
from evolve.view.tally import OperatorTally, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    """One operator over the whole run. `weight` is the probability that the bandit gives it now, None if unknown."""

    name: str
    iterations: int
    evaluations: int
    kept: int
    failures: int
    duplicates: int
    cost: float
    reward: float
    seconds: float
    weight: float | None
    rate: float | None
    pending: int | None

    @property
    def success(self) -> float | None:
        """The share of its candidates that became elites when they came."""
        return self.kept / self.evaluations if self.evaluations else None


def operator_rows(view: RunView, tally: Tally) -> list[OperatorRow]:
    """Every operator that made something or that the bandit knows, the one with the most reward first."""
    arms = _arms(view)
    names = dict.fromkeys((*tally.operators, *arms))
    rows = [_row(name, tally.operators.get(name, OperatorTally()), arms.get(name, {})) for name in names]
    return sorted(rows, key=lambda row: (-row.reward, -row.iterations, row.name))


def _arms(view: RunView) -> Mapping[str, Mapping[str, Any]]:
    pulse = view.reader.pulse()
    found = pulse["data"].get("operators") if pulse else None
    return found if isinstance(found, Mapping) else {}


def _row(name: str, tally: OperatorTally, arm: Mapping[str, Any]) -> OperatorRow:
    return OperatorRow(
        name=name,
        iterations=tally.iterations,
        evaluations=tally.evaluations,
        kept=tally.kept,
        failures=tally.failures,
        duplicates=tally.duplicates,
        cost=tally.cost,
        reward=tally.reward,
        seconds=tally.seconds,
        weight=arm.get("probability"),
        rate=arm.get("rate"),
        pending=arm.get("pending"),
    )
