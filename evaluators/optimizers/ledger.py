"""The ledger: every final loss that was paid for, so that a search can be deepened without starting again.

A search by successive halving that gets more time asks for more seeds and longer runs of the same rules; what it asked
for before stands here (iterative deepening: Li et al. 2018, Hyperband, <https://arxiv.org/abs/1603.06560>, run again
with larger budgets). A ledger lives in memory or in a file of JSON lines that is only ever appended to.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evaluators.errors import EvaluatorError

FORMAT = 1


@lru_cache(maxsize=1)
def torch_version() -> str:
    """The version of torch without what it was built for."""
    try:
        return version("torch").split("+")[0]
    except PackageNotFoundError:
        return "none"


def rounded_by(device: str) -> str:
    """What single losses hang on besides their seed: the version of torch and, apart from processors, the device."""
    kind = device.partition(":")[0]
    return torch_version() if kind == "cpu" else f"{torch_version()}-{kind}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one training run ended: the loss, or the initial loss if the run diverged."""

    loss: float
    initial_loss: float
    diverged: bool = False


class Ledger:
    """Outcomes by rule, run (with the content of its task), learning rate and seed.

    One process writes a file at a time. A line cut short by a crash is left out when the file is read again.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._outcomes: dict[tuple[str, str, int, int], Outcome] = {}
        self._path = path
        if path is not None and path.exists():
            self._load(path)

    def __len__(self) -> int:
        """How many training runs the ledger knows."""
        return len(self._outcomes)

    @property
    def is_kept(self) -> bool:
        """Whether it outlives its process, and so may meet another torch or another device."""
        return self._path is not None

    def get(self, rule: str, run: str, index: int, seed: int) -> Outcome | None:
        """How this run ended, or None if nobody ran it."""
        return self._outcomes.get((rule, run, index, seed))

    def add(self, rule: str, run: str, index: int, outcomes: Mapping[int, Outcome]) -> None:
        """Keep outcomes by seed. What is known already stays: an entry never changes."""
        fresh = {seed: each for seed, each in outcomes.items() if (rule, run, index, seed) not in self._outcomes}
        if not fresh:
            return
        self._outcomes.update({(rule, run, index, seed): each for seed, each in fresh.items()})
        rows = [[seed, each.loss, each.initial_loss, int(each.diverged)] for seed, each in fresh.items()]
        self._append({"rule": rule, "run": run, "rate": index, "ends": rows})

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        text = json.dumps({"format": FORMAT, **line}, separators=(",", ":"), allow_nan=False)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def _load(self, path: Path) -> None:
        data = path.read_bytes()
        whole, _, cut = data.rpartition(b"\n")
        if cut:
            with path.open("r+b") as file:
                file.truncate(len(whole) + 1 if whole else 0)
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                self._read(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise EvaluatorError(
                    f"line {number} of the ledger {path.name} is {line[:80]!r} ({type(error).__name__}), expected an "
                    f"outcome of format {FORMAT}: move the file away to start a new one"
                ) from error

    def _read(self, line: Any) -> None:
        if line["format"] != FORMAT:
            raise ValueError(line["format"])
        rule, run = str(line["rule"]), str(line["run"])
        for seed, loss, initial, diverged in line["ends"]:
            if not (math.isfinite(loss) and math.isfinite(initial)):
                raise ValueError(loss)
            outcome = Outcome(float(loss), float(initial), diverged == 1)
            self._outcomes[rule, run, int(line["rate"]), int(seed)] = outcome
