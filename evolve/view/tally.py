"""Sums over all candidates of a run, kept up to date by reading only what is new."""

import re
from dataclasses import dataclass, field
from typing import Any

from evolve.view.run import RunView

KEPT = ("new", "improved")
MAX_SIGNATURES = 2000
SIGNATURE_CHARACTERS = 160
_READ_CHARACTERS = 1000  # the end of a traceback is what tells failures apart
_LINE_CHARACTERS = 400
_OTHER = "(other texts)"
_NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?(?:0x[0-9a-fA-F]+|\d+(?:[_,]\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?)")
_QUOTED = re.compile(r"'[^'\n]{13,}'|\"[^\"\n]{13,}\"")


@dataclass(slots=True)
class OperatorTally:
    """What one operator did so far."""

    iterations: int = 0
    evaluations: int = 0
    kept: int = 0
    failures: int = 0
    duplicates: int = 0
    cost: float = 0.0
    reward: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class Signature:
    """Failures that say the same but for numbers: how many, the first and the latest, and by whom."""

    failure: str
    text: str
    count: int = 0
    first: int = 0
    latest: int = 0
    operators: dict[str, int] = field(default_factory=dict)


def signature_of(detail: str) -> str:
    """What failures with the same reason share: the last line of the detail, numbers and long quotations left out."""
    lines = detail[-_READ_CHARACTERS:].rstrip().splitlines()
    text = lines[-1][:_LINE_CHARACTERS] if lines else ""
    if "'" in text or '"' in text:
        text = _QUOTED.sub("'…'", text)
    return " ".join(_NUMBER.sub("#", text).split())[:SIGNATURE_CHARACTERS]


class Tally:
    """Counts by operator, status and failure, in one pass through the log that can be broken off and gone on with.

    The log only grows, so what was read once stays true.
    """

    def __init__(self) -> None:
        self.operators: dict[str, OperatorTally] = {}
        self.statuses: dict[str, int] = {}
        self.failures: dict[str, int] = {}
        self.read = 0
        self.last = 0
        self._iterations_read = -1
        self._signatures: dict[tuple[str, str], Signature] = {}

    @property
    def is_complete(self) -> bool:
        """Whether all that was there at the last look has been read."""
        return self.read >= self.last

    def advance(self, view: RunView, *, max_rows: int = 50_000) -> bool:
        """Read at most `max_rows` more candidates; returns whether that was all there is."""
        self.last = view.last_candidate()
        until = min(self.read + max_rows, self.last)
        if until > self.read:
            # Iterations first: a candidate's iteration is on disk when the candidate is.
            self._read_iterations(view, until)
            self._read_counts(view, until)
            self._read_failures(view, until)
            self.read = until
        if self.is_complete:
            self._read_iterations(view, None)
        return self.is_complete

    def signatures(self) -> list[Signature]:
        """Failures grouped by kind and text, the most frequent first."""
        return sorted(self._signatures.values(), key=lambda each: (-each.count, each.failure, each.text))

    def _read_iterations(self, view: RunView, until: int | None) -> None:
        """Take in iterations up to that of a candidate; without one, also those that brought none."""
        if until is None:
            last = view.number("SELECT coalesce(max(number), -1) FROM iteration")
        else:
            last = view.number("SELECT iteration FROM candidate WHERE id = ?", until)
        query = (
            "SELECT operator, count(*) AS n, sum(cost) AS cost, sum(reward) AS reward, sum(seconds) AS seconds,"
            " sum(n_duplicates) AS duplicates FROM iteration WHERE number > ? AND number <= ? GROUP BY operator"
        )
        for row in view.rows(query, self._iterations_read, last):
            held = self._operator(row["operator"])
            held.iterations += row["n"]
            held.cost += row["cost"]
            held.reward += row["reward"]
            held.seconds += row["seconds"]
            held.duplicates += row["duplicates"]
        self._iterations_read = max(last, self._iterations_read)

    def _read_counts(self, view: RunView, until: int) -> None:
        query = (
            "SELECT operator, status, failure, count(*) AS n FROM candidate WHERE id > ? AND id <= ? GROUP BY 1, 2, 3"
        )
        for row in view.rows(query, self.read, until):
            held, n = self._operator(row["operator"]), row["n"]
            held.evaluations += n
            held.kept += n if row["status"] in KEPT else 0
            self.statuses[row["status"]] = self.statuses.get(row["status"], 0) + n
            if row["failure"] is not None:
                held.failures += n
                self.failures[row["failure"]] = self.failures.get(row["failure"], 0) + n

    def _read_failures(self, view: RunView, until: int) -> None:
        query = (
            f"SELECT id, operator, failure, substr(detail, -{_READ_CHARACTERS}) AS detail FROM candidate"  # noqa: S608
            " WHERE id > ? AND id <= ? AND failure IS NOT NULL"
        )
        for row in view.rows(query, self.read, until):
            self._count(row)

    def _count(self, row: Any) -> None:
        failure, text, identifier = row["failure"], signature_of(row["detail"]), row["id"]
        if (failure, text) not in self._signatures and len(self._signatures) >= MAX_SIGNATURES:
            text = _OTHER
        held = self._signatures.setdefault((failure, text), Signature(failure, text, first=identifier))
        held.count += 1
        held.first, held.latest = min(held.first, identifier), max(held.latest, identifier)
        held.operators[row["operator"]] = held.operators.get(row["operator"], 0) + 1

    def _operator(self, name: str) -> OperatorTally:
        return self.operators.setdefault(name, OperatorTally())
