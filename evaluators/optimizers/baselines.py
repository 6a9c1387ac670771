"""Baselines: AdamW*, NAdamW*, Muon*, SOAP*, with constants from equally many trials, and how they do on held-out tasks.

Their constants were chosen on the search suite, each from as many trials as AdamW*'s, the learning rate tuned in every
trial. How they do on other tasks is kept with the package, filed by the content of each task: a task that has changed,
or another version of torch or another device, is trained again when it is needed.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from evaluators.errors import EvaluatorError
from evaluators.optimizers.weighing import Weighed
from sandbox.update_rules.rule import UpdateRule, read_rule
from sandbox.update_rules.zoo import zoo_text

FORMAT = 1
SHIPPED = Path(__file__).with_name("baselines.json")
ADAMW = "AdamW*"

BETAS = tuple(product((0.5, 0.65, 0.8, 0.9), (0.9, 0.95, 0.99, 0.999)))
"""The constants that AdamW* is chosen from; NAdamW* and SOAP* have the same."""

MUON_BETAS = tuple(product((0.65, 0.8, 0.9, 0.95), ((0.8, 0.99), (0.8, 0.999), (0.9, 0.99), (0.9, 0.999))))


def trials_of(name: str) -> tuple[tuple[Mapping[str, float], str], ...]:
    """The constants that a baseline is chosen from, with their rules as text: sixteen each.

    Raises:
        EvaluatorError: there is no such baseline.
    """
    if name == "NAdamW*":
        return tuple(_trial("nadamw", beta1=a, beta2=b) for a, b in BETAS)
    if name == "SOAP*":
        return tuple(_trial("soap", beta1=a, beta2=b, shampoo_beta=b) for a, b in BETAS)
    if name == "Muon*":
        return tuple(_trial("muon", beta=beta, beta1=a, beta2=b) for beta, (a, b) in MUON_BETAS)
    raise EvaluatorError(f"there is no baseline {name!r} with trials: expected one of NAdamW*, Muon*, SOAP*")


def _trial(rule: str, **constants: float) -> tuple[Mapping[str, float], str]:
    return constants, zoo_text(rule, **constants)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One baseline: its rule, the trials it was chosen from, how it does by run key, its steps' cost by task.

    A run's key holds the content of its task. The cost is in steps of AdamW*, measured on one core.
    """

    name: str
    text: str
    trials: Sequence[Mapping[str, Any]] = ()
    weighed: Mapping[str, Weighed] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)

    @property
    def rule(self) -> UpdateRule:
        """Its rule."""
        return read_rule(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """All baselines by name, and what trained them (`rounded_by`: the version of torch, and the device)."""

    torch: str
    baselines: Mapping[str, Baseline]

    @classmethod
    def shipped(cls) -> "Baselines":
        """Those of this package."""
        return cls.load(SHIPPED)

    @classmethod
    def load(cls, path: Path) -> "Baselines":
        """Read a data file.

        Raises:
            EvaluatorError: it is not one.
        """
        try:
            return _from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EvaluatorError(
                f"{path.name} is no file of baselines ({type(error).__name__}: {error}), expected format {FORMAT}: "
                f"restore it from the package"
            ) from error

    def save(self, path: Path) -> None:
        """Write a data file in one move."""
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        new.write_text(json.dumps(_to_json(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        new.replace(path)

    def known(self, name: str, key: str, *, seeds: Sequence[int], torch: str) -> Weighed | None:
        """How a baseline does on a run, if that was measured on half of these seeds under this torch and device."""
        found = self.baselines[name].weighed.get(key) if torch == self.torch else None
        return found if found is not None and 2 * len(set(seeds) & set(found.outcomes)) >= len(seeds) else None


def _to_json(baselines: Baselines) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "torch": baselines.torch,
        "baselines": {
            name: {
                "text": each.text.splitlines(),
                "trials": list(each.trials),
                "runs": {key: weighed.to_json() for key, weighed in each.weighed.items()},
                "cost": {task: round(cost, 3) for task, cost in each.cost.items()},
            }
            for name, each in baselines.baselines.items()
        },
    }


def _from_json(data: Any) -> Baselines:
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']}")
    return Baselines(
        torch=str(data["torch"]),
        baselines={
            str(name): Baseline(
                name=str(name),
                text="\n".join(each["text"]) + "\n",
                trials=tuple(each["trials"]),
                weighed={str(key): Weighed.from_json(value) for key, value in each["runs"].items()},
                cost={str(task): float(cost) for task, cost in each["cost"].items()},
            )
            for name, each in data["baselines"].items()
        },
    )
