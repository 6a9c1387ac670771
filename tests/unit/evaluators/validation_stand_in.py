"""A small validation on a trainer whose answers are known: rules, finalists, an effort."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.optimizers.baselines import Baseline, Baselines
from evaluators.optimizers.efforts import Effort
from evaluators.optimizers.ledger import Ledger
from evaluators.optimizers.rungs import Run, rung_of
from evaluators.optimizers.validation import Finalist, Trained
from sandbox.update_rules.rule import UpdateRule, read_rule
from tests.unit.evaluators.optimizer_stand_in import ADAMW as ADAMW_TEXT
from tests.unit.evaluators.optimizer_stand_in import Ended, StandInRule, StandInTrainer, stand_in

TASK_NAMES = ("task", "other")
GOOD, FAIR, BAD = (f"def update(g, m):\n    m = ema(m, g, {beta})\n    return m, m\n" for beta in (0.9, 0.8, 0.7))
MUON = "def update(g):\n    return sign(g)\n"


@dataclass(frozen=True, slots=True)
class TimedEnd(Ended):
    seconds: float


@dataclass(slots=True)
class TimedTrainer(StandInTrainer):
    """Takes a second for each step; a step of `dear` rules takes two."""

    dear: frozenset[str] = frozenset()

    def train(
        self, rules: Sequence[UpdateRule], run: Run, rates: Sequence[Sequence[float]], seeds: Sequence[int]
    ) -> TimedEnd:
        found = StandInTrainer.train(self, rules, run, rates, seeds)
        seconds = run.n_steps * (2.0 if rules[0].fingerprint in self.dear else 1.0)
        return TimedEnd(found.final_loss, found.diverged, found.first_loss, seconds)


def fingerprint(text: str) -> str:
    return read_rule(text).fingerprint


def rule(text: str, **settings: Any) -> StandInRule:
    return StandInRule(fingerprint(text), **settings)


def effort(n_finalists: int = 9) -> Effort:
    runs = [Run(task=name, n_steps=100) for name in TASK_NAMES]
    return Effort(
        name="small",
        n_finalists=n_finalists,
        ladder=tuple(
            rung_of("validation", runs, n_tuning_seeds=1, n_confirmation_seeds=n, cap=2.0, first_seed=2000)
            for n in (2, 4)
        ),
        test=rung_of("test", runs, n_tuning_seeds=2, n_confirmation_seeds=6, cap=2.0, first_seed=3000),
        search=rung_of("judge", runs, n_confirmation_seeds=4),
        longer=(Run(task="task", n_steps=400),),
        resized=(Run(task="task", n_steps=100, width=2.0),),
        n_robust_seeds=4,
    )


def how(*rules: StandInRule, ledger: Ledger | None = None, dear: str = "") -> Trained:
    _, references = stand_in(*rules)
    rules = (*rules, rule(ADAMW_TEXT))
    trainer = TimedTrainer(
        rules={each.fingerprint: each for each in rules}, dear=frozenset([fingerprint(dear)] if dear else [])
    )
    baselines = {"Muon*": Baseline(name="Muon*", text=MUON)}
    return Trained(
        trainer=trainer,
        ledger=Ledger() if ledger is None else ledger,
        references=references,
        baselines=Baselines(torch="none such", baselines=baselines),
        say=lambda text: None,
    )


def finalists(*texts: str) -> list[Finalist]:
    return [Finalist(name=f"candidate {n}", text=text, score=0.5) for n, text in enumerate(texts)]
