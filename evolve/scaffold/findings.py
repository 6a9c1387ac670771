"""What a check of a problem found: what was seen, how bad that is, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from evolve.errors import EXIT_FINISHED, EXIT_SEED


class State(StrEnum):
    """How bad a finding is. A warning may be what the author wants; an error spoils a run."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check's result. `seen` and `advice` may hold a candidate's or an evaluator's text: untrusted.

    `data` are the figures behind it, plain JSON data for scripts.
    """

    check: str
    state: State
    seen: str
    advice: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_mapping(self) -> dict[str, Any]:
        """The finding as JSON data."""
        return {
            "check": self.check,
            "state": str(self.state),
            "seen": self.seen,
            "advice": self.advice,
            "data": dict(self.data),
        }


def ok(check: str, seen: str, **data: Any) -> Finding:
    """Nothing to do."""
    return Finding(check=check, state=State.OK, seen=seen, data=data)


def warning(check: str, seen: str, advice: str, **data: Any) -> Finding:
    """Something to look at."""
    return Finding(check=check, state=State.WARNING, seen=seen, advice=advice, data=data)


def error(check: str, seen: str, advice: str, **data: Any) -> Finding:
    """Something to mend before a run."""
    return Finding(check=check, state=State.ERROR, seen=seen, advice=advice, data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings of one problem, in the order of the checks; `evaluations` and `seconds` are what they took."""

    problem: str
    folder: str
    findings: tuple[Finding, ...]
    evaluations: int
    seconds: float

    def count(self, state: State) -> int:
        """How many findings are so bad."""
        return sum(finding.state is state for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """What the command ends with: warnings are no failure."""
        return EXIT_SEED if self.count(State.ERROR) else EXIT_FINISHED

    def of(self, check: str) -> tuple[Finding, ...]:
        """The findings of one check."""
        return tuple(finding for finding in self.findings if finding.check == check)
