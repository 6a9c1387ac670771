"""Asynchronous successive halving: cheap measurements first, dearer ones for the best of them.

After Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar, "A system for massively parallel
hyperparameter tuning" (2020), https://arxiv.org/abs/1810.05934. Nothing has to be known beforehand about how many will
come, so a ladder can be deepened later: what was measured stays, as in Brandt, Wever, Bengs and Huellermeier, "Best arm
identification with retroactively increased sampling budget for more resource-efficient HPO" (2024),
https://arxiv.org/abs/2302.00511.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor

ETA = 3
"""Of so many at one rung, one goes on to the next."""

ALIKE = 0.03
"""Keys whose parts are all this near to those of a better one do the same, as far as was measured."""


@dataclass(slots=True)
class Ladder:
    """Who was measured at which rung. All values of one rung are comparable; those of different rungs are not.

    A key enters at rung 0 (`tell`), and may go on when it is among the best `1 / eta` of its rung, ties to the older,
    as long as no more than that share has gone on: where every newcomer is the best yet, not every one is promoted.
    `tell` with None drops a key: it failed there, and never goes on. Where the parts of the values are told too, of
    those that are alike in every part only the best so far counts among the best: a good newcomer would be crowded out
    by many that do what everybody did before.
    """

    n_rungs: int
    eta: int = ETA
    _values: list[dict[str, float]] = field(init=False)
    _parts: list[dict[str, Sequence[float]]] = field(init=False)
    _promoted: list[set[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Start empty."""
        if self.n_rungs < 1 or self.eta < 2:
            raise ValueError(f"a ladder needs a rung and eta >= 2, got {self.n_rungs} rungs and eta {self.eta}")
        self._values = [{} for _ in range(self.n_rungs)]
        self._parts = [{} for _ in range(self.n_rungs)]
        self._promoted = [set() for _ in range(self.n_rungs)]

    def tell(self, key: str, rung: int, value: float | None, parts: Sequence[float] = ()) -> None:
        """Note what was measured; None is a failure, which counts among those that are compared."""
        self._values[rung][key] = float("-inf") if value is None else value
        self._parts[rung][key] = parts

    def promotions(self, rung: int, least: int = 1, *, is_last: bool = False) -> list[str]:
        """The keys that now go on from a rung to the next, best first; none, and no change, if fewer than `least`.

        `is_last`: nobody else will come, so all of the best go on who have not, whoever went on before them, one at
        least.
        """
        share = max(floor(len(self._values[rung]) / self.eta), int(is_last))
        able = [key for key in self._different(rung, share) if self._may_go_on(key, rung)]
        due = able if is_last else able[: max(share - len(self._promoted[rung]), 0)]
        if len(due) < least:
            return []
        self._promoted[rung].update(due)
        return due

    def _different(self, rung: int, n: int) -> list[str]:
        """The best `n` keys of a rung without those that are alike a better one."""
        parts = self._parts[rung]
        found: list[str] = []
        for key in self.ranked(rung):
            if len(found) == n:
                break
            if not any(_are_alike(parts[key], parts[other]) for other in found):
                found.append(key)
        return found

    def _may_go_on(self, key: str, rung: int) -> bool:
        return key not in self._promoted[rung] and self.value(key, rung) is not None

    def ranked(self, rung: int) -> list[str]:
        """Keys measured at a rung, best first."""
        values = self._values[rung]
        return sorted(values, key=lambda key: -values[key])

    def value(self, key: str, rung: int) -> float | None:
        """What a key measured at a rung; None if it was not there or failed there."""
        found = self._values[rung].get(key, float("-inf"))
        return None if found == float("-inf") else found

    def height(self, key: str) -> int:
        """The highest rung where a key has a value; -1 for none."""
        return next((rung for rung in range(self.n_rungs - 1, -1, -1) if self.value(key, rung) is not None), -1)

    def counts(self) -> list[int]:
        """How many were measured at each rung."""
        return [len(each) for each in self._values]

    def order(self) -> list[str]:
        """All keys that have a value, those of the highest rung first, best first within a rung."""
        order: dict[str, None] = {}
        for rung in range(self.n_rungs - 1, -1, -1):
            order.update((key, None) for key in self.ranked(rung) if self.value(key, rung) is not None)
        return list(order)


def _are_alike(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether all parts are near; without parts nothing is known."""
    return bool(first) and all(abs(a - b) <= ALIKE for a, b in zip(first, second, strict=False))
