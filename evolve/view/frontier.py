"""The frontier of a function approximation: for each operation count, the best error beside the baselines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evolve.errors import UsageError

if TYPE_CHECKING:
    from evolve.store import CandidateRecord

POLYNOMIAL = "polynomial"
RATIONAL = "rational"
BASELINE_DIGITS = 5
ERROR_METRICS = ("max_relative_error", "max_absolute_error", "max_weighted_error")

Baselines = Mapping[int, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierRow:
    """What is known at one operation count.

    `error` is the smallest among candidates with at most this many operations, `record` the candidate that has it,
    `baselines` the errors of classical methods by name.
    """

    operations: int
    record: "CandidateRecord | None"
    error: float | None
    baselines: Mapping[str, float]

    def is_at_most(self, method: str) -> bool | None:
        """Whether the discovered error is at or below a method's; None if one of them is not known."""
        known = self.baselines.get(method)
        return None if known is None or self.error is None else _to_baseline_digits(self.error) <= known

    @property
    def beats_both(self) -> bool | None:
        """Whether the discovered error is below the better of polynomial and rational."""
        known = [self.baselines[method] for method in (POLYNOMIAL, RATIONAL) if method in self.baselines]
        return None if not known or self.error is None else _to_baseline_digits(self.error) < min(known)


def _to_baseline_digits(error: float) -> float:
    """Round as the stored baselines are rounded, so that reaching a minimax error exactly counts as reaching it."""
    return float(f"{error:.{BASELINE_DIGITS - 1}e}")


def frontier_of(elites: "Iterable[CandidateRecord]", baselines: Baselines) -> tuple[str, list[FrontierRow]]:
    """The error metric's name, and one row for every operation count that somebody says something about.

    Raises:
        UsageError: the candidates do not report operations and an error.
    """
    records = [record for record in elites if record.evaluation.score is not None]
    metric = _error_metric(records)
    at: dict[int, CandidateRecord] = {}
    for record in records:
        operations = round(record.evaluation.metrics["operations"])
        held = at.get(operations)
        if held is None or _key(record, metric) < _key(held, metric):
            at[operations] = record
    rows = []
    best: CandidateRecord | None = None
    counts = sorted({*at, *baselines})
    for operations in range(counts[0], counts[-1] + 1):
        here = at.get(operations)
        if here is not None and (best is None or _key(here, metric)[0] < _key(best, metric)[0]):
            best = here
        error = None if best is None else best.evaluation.metrics[metric]
        rows.append(
            FrontierRow(operations=operations, record=best, error=error, baselines=baselines.get(operations, {}))
        )
    return metric, rows


def _key(record: "CandidateRecord", metric: str) -> tuple[float, int]:
    return record.evaluation.metrics[metric], record.candidate.id


def _error_metric(records: "list[CandidateRecord]") -> str:
    for metric in ERROR_METRICS:
        if records and all({metric, "operations"} <= set(record.evaluation.metrics) for record in records):
            return metric
    raise UsageError(
        "a frontier needs elites that report operations and an error",
        hint="it is made for function approximation; `evolve best` shows the programs of any run",
    )


def read_baselines(stored: Mapping[str, Any], *, max_operations: int | None = None) -> Baselines:
    """Errors by operation count and method: `{"operations": {"4": {"polynomial": {"error": 0.0017}}}}`.

    Methods come in the order of the file's `methods`, where it has that; counts above `max_operations` are left out.
    """
    ordered = list(stored.get("methods", {}))
    baselines = {}
    for count, methods in stored.get("operations", {}).items():
        if max_operations is None or int(count) <= max_operations:
            names = sorted(methods, key=lambda name: ordered.index(name) if name in ordered else len(ordered))
            baselines[int(count)] = {name: float(methods[name]["error"]) for name in names}
    return baselines


def methods_of(rows: Iterable[Sequence[str] | Mapping[str, float]]) -> list[str]:
    """The names of all rows' baselines, each row's order kept as far as the rows agree."""
    names: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name not in names:
                names.insert(place, name)
            place = names.index(name) + 1
    return names


def tally(rows: Iterable[FrontierRow]) -> dict[str, list[int]]:
    """Operation counts at which the discovered programs match or beat the classical ones."""
    listed = list(rows)
    return {
        "at_most_polynomial": [row.operations for row in listed if row.is_at_most(POLYNOMIAL)],
        "above_polynomial": [row.operations for row in listed if row.is_at_most(POLYNOMIAL) is False],
        "below_polynomial_and_rational": [row.operations for row in listed if row.beats_both],
    }
