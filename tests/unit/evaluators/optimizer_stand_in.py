"""A trainer with known answers: rules that are so many octaves faster than the reference, optima that are known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from evaluators.optimizers.references import Horizon, References
from evaluators.optimizers.rungs import Run, Rung, rung_of
from evaluators.optimizers.tuning_grid import learning_rate, nearest_index
from sandbox.update_rules.rule import UpdateRule

ADAMW = "def update(g, m, v, t):\n    m = ema(m, g, 0.8)\n    v = ema(v, square(g), 0.99)\n    return m / sqrt(v), m, v"
STEPS = (50, 71, 100, 141, 200)
OPTIMUM = 0.01
INITIAL_LOSS = 10.0


@dataclass(frozen=True, slots=True)
class StandInRule:
    """A rule that trains as the reference does in 2^octaves times as many steps, best at its own learning rate."""

    fingerprint: str
    octaves: float = 0.0
    size: float = 1.0
    seems: float | None = None  # how large its updates are on a trace, where that misleads
    stable_below: float = math.inf
    unlucky_seeds: frozenset[int] = frozenset()
    is_idle: bool = False
    noise: float = 0.0
    has_matrices: bool = False

    @property
    def as_rule(self) -> UpdateRule:
        return cast(UpdateRule, self)


@dataclass(frozen=True, slots=True)
class StandInTask:
    content_hash: str = "0123"
    cost: float = 1e-5
    n_steps: int = 100


@dataclass(frozen=True, slots=True)
class Ended:
    final_loss: Any
    diverged: Any
    first_loss: Any


@dataclass(slots=True)
class StandInTrainer:
    """Loss = 5 / sqrt(steps), worse away from the best rate; seeds shift the logarithm alike for all rules."""

    rules: dict[str, StandInRule] = field(default_factory=dict)
    trained: list[tuple[str, float, tuple[int, ...]]] = field(default_factory=list)
    calls: int = 0
    device: str = "cpu"

    def task(self, run: Run) -> StandInTask:
        return StandInTask()

    def train(
        self, rules: Sequence[UpdateRule], run: Run, rates: Sequence[Sequence[float]], seeds: Sequence[int]
    ) -> Ended:
        self.calls += 1
        shape = (len(rules), len(rates[0]), len(seeds))
        losses, diverged = np.empty(shape), np.zeros(shape, dtype=bool)
        for i, rule in enumerate(rules):
            for j, rate in enumerate(rates[i]):
                self.trained.append((rule.fingerprint, rate, tuple(seeds)))
                for k, seed in enumerate(seeds):
                    loss = self._loss(self.rules.get(rule.fingerprint, StandInRule("other")), run, rate, seed)
                    diverged[i, j, k] = loss is None
                    losses[i, j, k] = INITIAL_LOSS if loss is None else loss
        return Ended(losses, diverged, np.full(len(seeds), INITIAL_LOSS))

    def rms(self, rule: UpdateRule, run: Run, *, like: UpdateRule, rate: float) -> float:
        own = self.rules.get(rule.fingerprint, StandInRule("other"))
        return own.size if own.seems is None else own.seems

    def _loss(self, rule: StandInRule, run: Run, rate: float, seed: int) -> float | None:
        if rule.is_idle:
            return INITIAL_LOSS
        if rate > rule.stable_below or (seed in rule.unlucky_seeds and rate > OPTIMUM / rule.size / 1.2):
            return None
        luck = 0.3 * math.sin(12.9 * seed)
        own = rule.noise * math.cos(7.7 * seed)
        off = math.log(rate * rule.size / OPTIMUM)
        return 5.0 / math.sqrt(run.n_steps * 2.0**rule.octaves) * math.exp(0.15 * off * off + luck + own)


def stand_in(*rules: StandInRule) -> tuple[StandInTrainer, References]:
    """A trainer for these rules, with reference data measured on it."""
    trainer = StandInTrainer(rules={rule.fingerprint: rule for rule in rules})
    index = nearest_index(OPTIMUM)
    reference = StandInRule("reference")
    horizons = {n: Horizon(index=index, losses=_losses(trainer, reference, n, index), default=-0.25) for n in STEPS}
    data = References(
        text=ADAMW, default_text=ADAMW, torch="none such", settings={"task@0123": horizons, "other@0123": horizons}
    )
    return trainer, data


def _losses(trainer: StandInTrainer, rule: StandInRule, n_steps: int, index: int) -> dict[int, float]:
    run = Run(task="task", n_steps=n_steps)
    found = {s: trainer._loss(rule, run, learning_rate(index), s) for s in (*range(8), *range(1000, 1008))}
    return {seed: loss for seed, loss in found.items() if loss is not None}


def rung(**settings: Any) -> Rung:
    """One task at 100 steps; two tuning seeds, four that confirm."""
    chosen = {"n_tuning_seeds": 2, "n_confirmation_seeds": 4} | settings
    return rung_of("test", [Run(task="task", n_steps=100)], **chosen)
