"""A rule weighed on one run: its learning rate tuned, then its losses on seeds that the tuning never saw.

What `scoring` reads from AdamW*'s curve needs the curve to be measured; losses paired by seed need none. So rules can
be compared at any horizon, width and batch size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from evaluators.optimizers.ledger import Outcome
from evaluators.optimizers.references import References
from evaluators.optimizers.rungs import Run, Rung
from evaluators.optimizers.scoring import confirming, predicted_index
from evaluators.optimizers.tuning import Bench, Measurement, Request, log_losses, together, tuning
from evaluators.optimizers.tuning_grid import PER_OCTAVE, learning_rate
from sandbox.update_rules.rule import UpdateRule

SLOWER_PER_OCTAVE = 3
"""How far (in eighths of an octave) the best rate falls when the horizon doubles: measured on the search suite."""

NEAR = 0.1
"""A learning rate is nearly as good as the best where the log loss is at most this much higher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A rule on one run: the index of its tuned rate, mean log losses of the tuning by index, outcomes by seed."""

    index: int
    tuned: Mapping[int, float]
    outcomes: Mapping[int, Outcome]

    @property
    def learning_rate(self) -> float:
        """The tuned rate."""
        return learning_rate(self.index)

    @property
    def failure_rate(self) -> float:
        """The share of seeds on which it diverged."""
        return sum(each.diverged for each in self.outcomes.values()) / len(self.outcomes)

    def log_losses(self, seeds: Sequence[int]) -> list[float]:
        """Log losses on these seeds."""
        return log_losses([self.outcomes[seed] for seed in seeds])

    def basin_octaves(self) -> float:
        """How many octaves of learning rates do nearly as well as the best: straight lines between those tried."""
        best = min(self.tuned, key=lambda index: (self.tuned[index], index))
        limit = self.tuned[best] + NEAR
        above = _reach([(i - best, self.tuned[i]) for i in sorted(self.tuned) if i >= best], limit)
        below = _reach([(best - i, self.tuned[i]) for i in sorted(self.tuned, reverse=True) if i <= best], limit)
        return (above + below) / PER_OCTAVE

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "rate": self.index,
            "tuned": {str(index): round(value, 5) for index, value in self.tuned.items()},
            "ends": [
                [seed, float(f"{each.loss:.9g}"), float(f"{each.initial_loss:.9g}"), int(each.diverged)]
                for seed, each in self.outcomes.items()
            ],
        }

    @classmethod
    def from_json(cls, data: Any) -> "Weighed":
        """What `to_json` wrote.

        Raises:
            ValueError: a loss is not finite, or there is none.
        """
        outcomes = {int(s): Outcome(float(loss), float(first), gone == 1) for s, loss, first, gone in data["ends"]}
        if not outcomes or not all(math.isfinite(each.loss) for each in outcomes.values()):
            raise ValueError("losses must be finite numbers, at least one")
        return cls(
            index=int(data["rate"]),
            tuned={int(index): float(value) for index, value in data["tuned"].items()},
            outcomes=outcomes,
        )


def _reach(points: Sequence[tuple[int, float]], limit: float) -> float:
    """How far a line through points, which begins below the limit, stays there; at most to its end."""
    for (x, y), (next_x, next_y) in pairwise(points):
        if next_y > limit:
            return x + (next_x - x) * (limit - y) / (next_y - y)
    return float(points[-1][0])


def weighing(rule: UpdateRule, run: Run, rung: Rung, *, start: int) -> Measurement[Weighed]:
    """Tune a rule on a run and take its losses; one that always diverges has its initial losses."""
    tuned = yield from tuning(rule, run, start=start, rung=rung)
    if tuned.has_diverged:
        found = yield Request(rule=rule, run=run, indexes=(start,), seeds=rung.scoring_seeds)
        index, outcomes = start, found[start]
    else:
        index, outcomes = yield from confirming(rule, run, tuned, rung)
    return Weighed(index=index, tuned=tuned.values, outcomes=dict(zip(rung.scoring_seeds, outcomes, strict=True)))


def weigh(rules: Sequence[UpdateRule], run: Run, rung: Rung, *, bench: Bench, references: References) -> list[Weighed]:
    """Weigh rules on one run, side by side."""
    anchor = reference_index(run, bench, references)
    starts = [predicted_index(rule, run, anchor, bench, references) for rule in rules]
    measurements = [weighing(rule, run, rung, start=start) for rule, start in zip(rules, starts, strict=True)]
    return [weighed for weighed, _ in together(measurements, bench)]


def reference_index(run: Run, bench: Bench, references: References) -> int:
    """The learning rate of AdamW* on a run, or what it should be by its rate at the task's nearest known horizon."""
    task = bench.trainer.task(run)
    own = bench.trainer.task(Run(task=run.task, n_steps=run.n_steps))
    key = f"{run.setting}@{task.content_hash}"
    known = (
        references.settings.get(key)
        or references.settings.get(f"{run.task}@{own.content_hash}")
        or references.own.get(key, {})
    )
    if run.n_steps in known:
        return known[run.n_steps].index
    if not known:
        return round(PER_OCTAVE * math.log2(0.01))
    nearest = min(known, key=lambda n_steps: abs(math.log2(n_steps / run.n_steps)))
    return known[nearest].index - round(SLOWER_PER_OCTAVE * math.log2(run.n_steps / nearest))
