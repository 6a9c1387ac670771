"""What came out of a candidate's process, sorted by kind; it is checked as if an enemy wrote it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluators.answers import MAX_ARTIFACTS, MAX_METRICS, MAX_NAME, WrongAnswerError, clean
from evaluators.peers.inside.plain import FLAG, NUMBER, ODD, TEXT


@dataclass(frozen=True, slots=True)
class Readings:
    """Finite numbers, numbers that are not (as text), flags and texts, by name."""

    numbers: dict[str, float] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def updated(self, later: "Readings") -> "Readings":
        """These with what a later stage found; a name means what it meant last."""
        groups = ("numbers", "odd", "flags", "texts")
        fresh = {name for group in groups for name in getattr(later, group)}
        kept = ({name: value for name, value in getattr(self, group).items() if name not in fresh} for group in groups)
        return Readings(*({**old, **getattr(later, group)} for old, group in zip(kept, groups, strict=True)))

    def metrics(self, *, without: frozenset[str] = frozenset()) -> dict[str, float]:
        """All numbers, and flags as 0 and 1."""
        found = {**self.numbers, **{name: float(flag) for name, flag in self.flags.items()}}
        return dict([(name, value) for name, value in found.items() if name not in without][:MAX_METRICS])

    def as_texts(self) -> dict[str, str]:
        """All of it as texts."""
        shown = {name: repr(value) for name, value in self.numbers.items()}
        shown |= {name: str(value).lower() for name, value in self.flags.items()}
        return shown | self.odd | self.texts


def read(entries: Any) -> Readings:
    """The readings of a list of entries.

    Raises:
        WrongAnswerError: it is no such list.
    """
    readings = Readings()
    groups: Mapping[str, tuple[type, dict[str, Any]]] = {
        NUMBER: (float, readings.numbers),
        ODD: (str, readings.odd),
        FLAG: (bool, readings.flags),
        TEXT: (str, readings.texts),
    }
    if not isinstance(entries, list):
        raise WrongAnswerError("the candidate's process sent no list of results")
    for entry in entries:
        match entry:
            case [str(name), str(kind), value] if kind in groups:
                value = float(value) if kind == NUMBER and type(value) is int else value
                wanted, group = groups[kind]
                if type(value) is wanted and not (isinstance(value, float) and not math.isfinite(value)):
                    group[" ".join(clean(name, MAX_NAME).split())] = value
                    continue
        raise WrongAnswerError("the candidate's process sent results that are no results: was it tampered with?")
    return readings


def bounded_artifacts(texts: Mapping[str, str]) -> dict[str, str]:
    """At most as many artifacts as an evaluation holds, one place left for what was printed."""
    most = MAX_ARTIFACTS - 1
    if len(texts) <= most:
        return dict(texts)
    return {**dict(list(texts.items())[: most - 1]), "more": f"{len(texts) - most + 1} more artifacts are not kept"}
