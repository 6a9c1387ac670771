"""The score of an update rule: log2 of how many times as many steps tuned AdamW would need, mean over the proxies.

Per run the learning rate is tuned on the tuning seeds, around an optimum predicted from the size of the rule's updates;
then the rule is trained on fresh seeds at that rate. Paired by seed with AdamW* (same weights, same batches), the mean
log ratio of final losses is turned into steps by AdamW*'s curve over horizons. So AdamW* itself scores about 0, and a
rule that needs half as many steps scores 1.

Where the tuned rate sits at the edge of stability, some fresh seeds diverge; then the next smaller rate is tried on the
same seeds and the better of both counts. Diverged runs count with their initial loss and are reported as a share.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from evaluators.errors import EvaluatorError
from evaluators.optimizers.ledger import Ledger, Outcome
from evaluators.optimizers.references import Reference, References
from evaluators.optimizers.rungs import Run, Rung
from evaluators.optimizers.statistics import paired, pooled_error
from evaluators.optimizers.tuning import (
    LEAST_LOSS,
    Bench,
    Measurement,
    Request,
    Trainer,
    Tuned,
    log_losses,
    together,
    tuning,
)
from evaluators.optimizers.tuning_grid import learning_rate, nearest_index, stride_of
from sandbox.update_rules.rule import UpdateRule

MAX_SHIFT = 160
"""How far (in eighths of an octave) a predicted rate may lie from AdamW's: 2^20, more is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScore:
    """A rule on one run.

    `raw` is log2 of the speed-up over AdamW*, `value` the same between the rung's floor and cap; `standard_error` is
    that of `raw` over the scoring seeds. Losses are paired by seed.
    """

    run: Run
    value: float
    raw: float
    standard_error: float
    against_default: float | None
    learning_rate: float
    seeds: tuple[int, ...]
    losses: tuple[float, ...]
    reference_losses: tuple[float, ...]
    failure_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A rule on all runs of a rung; without a score if it diverged whatever the learning rate, as `detail` says.

    `work` is counted, about CPU-seconds of one core, and does not depend on the ledger; `n_trained` are the training
    runs that the ledger did not know.
    """

    rule: UpdateRule
    rung: str
    score: float | None
    standard_error: float
    tasks: tuple[TaskScore, ...]
    detail: str = ""
    work: float = 0.0
    n_trained: int = 0

    @property
    def against_default(self) -> float | None:
        """The mean of the same over AdamW with its default constants, or None where that was not measured."""
        values = [task.against_default for task in self.tasks if task.against_default is not None]
        return math.fsum(values) / len(values) if values and len(values) == len(self.tasks) else None

    @property
    def failure_rate(self) -> float:
        """The share of scored training runs that diverged; 1 if the rule has no score."""
        return math.fsum(task.failure_rate for task in self.tasks) / len(self.tasks) if self.score is not None else 1.0

    @property
    def learning_rates(self) -> Mapping[str, float]:
        """The tuned learning rates by run."""
        return {task_label(task.run, self.tasks): task.learning_rate for task in self.tasks}

    @property
    def per_task(self) -> Mapping[str, float]:
        """The values by run."""
        return {task_label(task.run, self.tasks): task.value for task in self.tasks}

    def metrics(self) -> dict[str, float]:
        """All of it as plain numbers."""
        found = {"failure_rate": self.failure_rate, "work": self.work}
        if math.isfinite(self.standard_error):
            found["standard_error"] = self.standard_error
        if self.against_default is not None:
            found["against_default_adamw"] = self.against_default
        found |= {f"value_{name}": value for name, value in self.per_task.items()}
        return found | {f"lr_{name}": rate for name, rate in self.learning_rates.items()}


@dataclass(slots=True)
class _Progress:
    """A rule on its way through the runs of a rung; it stops at the first on which it diverges."""

    rule: UpdateRule
    tasks: list[TaskScore] = field(default_factory=list)
    detail: str = ""
    work: float = 0.0

    def add(self, score: TaskScore | str, work: float) -> None:
        """Take in one run."""
        self.work += work
        if isinstance(score, str):
            self.detail = score
        else:
            self.tasks.append(score)

    def scored(self, rung: Rung, bench: Bench) -> Scored:
        """What was found."""
        failed = bool(self.detail)
        return Scored(
            rule=self.rule,
            rung=rung.name,
            score=None if failed else math.fsum(task.value for task in self.tasks) / len(self.tasks),
            standard_error=math.inf if failed else pooled_error([task.standard_error for task in self.tasks]),
            tasks=tuple(self.tasks),
            detail=self.detail,
            work=self.work,
            n_trained=bench.n_trained[self.rule.fingerprint],
        )


def task_label(run: Run, among: Sequence[TaskScore]) -> str:
    """The task's name, with the horizon where a rung has the same task twice."""
    is_alone = sum(each.run.task == run.task for each in among) == 1
    return run.task if is_alone else run.name.replace(",", "_").replace("=", "_")


def score_rules(
    rules: Sequence[UpdateRule],
    rung: Rung,
    *,
    ledger: Ledger | None = None,
    references: References | None = None,
    device: str = "cpu",
    trainer: Trainer | None = None,
) -> list[Scored]:
    """Score rules at a rung, in their order.

    What one rule gets does not depend on the others. With a ledger only what it does not know is trained.

    Raises:
        MissingReferenceError: a run has no reference data.
        DeviceError: torch is not installed, or has no such device.
    """
    trainer = _proxies(device) if trainer is None else trainer
    references = References.shipped(trainer.device) if references is None else references
    ledger = Ledger() if ledger is None else ledger
    bench = Bench(trainer, ledger)
    found: list[_Progress] = [_Progress(rule) for rule in rules]
    for run in rung.runs:
        going = [each for each in found if not each.detail]
        measured = _on_run([each.rule for each in going], run, rung, bench, references)
        for each, (score, work) in zip(going, measured, strict=True):
            each.add(score, work)
    return [each.scored(rung, bench) for each in found]


def score_rule(
    rule: UpdateRule,
    rung: Rung,
    *,
    ledger: Ledger | None = None,
    references: References | None = None,
    device: str = "cpu",
    trainer: Trainer | None = None,
) -> Scored:
    """Score one rule; see `score_rules`."""
    return score_rules([rule], rung, ledger=ledger, references=references, device=device, trainer=trainer)[0]


def best_of(rules: Sequence[UpdateRule], rung: Rung, **how: Any) -> tuple[Scored, list[Scored]]:
    """The best of several rules at a rung, and all of them: constants of a baseline, chosen by a budget like any other.

    No cap and floor hide how good or bad they are. Arguments are those of `score_rules`.

    Raises:
        EvaluatorError: none of them has a score.
    """
    found = score_rules(rules, replace(rung, cap=math.inf, floor=-math.inf), **how)
    ranked = [each for each in found if each.score is not None]
    if not ranked:
        raise EvaluatorError(f"none of {len(rules)} rules has a score on rung {rung.name!r}: {found[0].detail}")
    return max(ranked, key=_score), found


def _score(scored: Scored) -> float:
    return -math.inf if scored.score is None else scored.score


def _proxies(device: str) -> Trainer:
    from evaluators.optimizers.scoring_trainer import ProxyTrainer

    return ProxyTrainer(device=device)


def _on_run(
    rules: Sequence[UpdateRule], run: Run, rung: Rung, bench: Bench, references: References
) -> list[tuple[TaskScore | str, float]]:
    """All rules on one run, trained side by side, with counted work."""
    return together([measuring(rule, run, rung, bench, references) for rule in rules], bench)


def score_run(rule: UpdateRule, run: Run, rung: Rung, bench: Bench, references: References) -> TaskScore | str:
    """Tune and confirm one rule on one run; text says why there is no value."""
    return _on_run([rule], run, rung, bench, references)[0][0]


def measuring(
    rule: UpdateRule, run: Run, rung: Rung, bench: Bench, references: References
) -> Measurement[TaskScore | str]:
    """Tune and confirm a rule on one run; text says why there is no value."""
    reference = references.of(run, bench.trainer.task(run).content_hash)
    start = predicted_index(rule, run, reference.horizon.index, bench, references)
    tuned = yield from tuning(rule, run, start=start, rung=rung)
    if tuned.has_diverged:
        low, high = learning_rate(min(tuned.values)), learning_rate(max(tuned.values))
        return f"{run.name}: all {tuned.n_runs} runs diverged, with learning rates from {low:.1e} to {high:.1e}"
    index, outcomes = yield from confirming(rule, run, tuned, rung)
    theirs = references.losses(run, rung.scoring_seeds, bench)
    return task_score(reference, rung, index, outcomes, theirs)


def predicted_index(rule: UpdateRule, run: Run, index: int, bench: Bench, references: References) -> int:
    """The learning rate at which a rule's updates are as large as those of AdamW* at its tuned rate, `index`."""
    rate = learning_rate(index)
    like = references.rule
    mine = bench.trainer.rms(rule, run, like=like, rate=rate)
    theirs = bench.trainer.rms(like, run, like=like, rate=rate)
    if not (0.0 < mine < math.inf and 0.0 < theirs < math.inf):
        return index
    shift = nearest_index(theirs / mine)
    return index + max(-MAX_SHIFT, min(MAX_SHIFT, shift))


def confirming(rule: UpdateRule, run: Run, tuned: Tuned, rung: Rung) -> Measurement[tuple[int, tuple[Outcome, ...]]]:
    """The outcomes on the scoring seeds at the tuned rate, or at the next smaller one if some seeds diverge there.

    Where nothing is confirmed, the runs at the best rate of the grid stand for it, lowered to the parabola's minimum.
    """
    index = tuned.index
    if not rung.confirmation_seeds:
        gain = math.exp(-tuned.depth)
        return index, tuple(replace(each, loss=each.loss * gain) for each in tuned.best)
    found = yield Request(rule=rule, run=run, indexes=(index,), seeds=rung.scoring_seeds)
    outcomes = found[index]
    if not any(each.diverged for each in outcomes):
        return index, outcomes
    smaller = index - stride_of(rung.ratio) // 2
    found = yield Request(rule=rule, run=run, indexes=(smaller,), seeds=rung.scoring_seeds)
    others = found[smaller]
    return (smaller, others) if sum(log_losses(others)) < sum(log_losses(outcomes)) else (index, outcomes)


def task_score(
    reference: Reference, rung: Rung, index: int, outcomes: Sequence[Outcome], theirs: Sequence[float]
) -> TaskScore:
    """The value of a rule on a run from its outcomes and the reference's losses on the same seeds."""
    run, curve = reference.run, reference.curve
    their_logs = [math.log(max(loss, LEAST_LOSS)) for loss in theirs]
    ratios = paired([mine - other for mine, other in zip(log_losses(outcomes), their_logs, strict=True)])
    raw = curve.speed_up(ratios.mean, run.n_steps)
    value = max(rung.floor, min(rung.cap, raw))
    default = reference.horizon.default
    return TaskScore(
        run=run,
        value=value,
        raw=raw,
        standard_error=_error_in_octaves(reference, ratios.mean, ratios.standard_error),
        against_default=None if default is None else value - max(rung.floor, min(rung.cap, default)),
        learning_rate=learning_rate(index),
        seeds=tuple(rung.scoring_seeds),
        losses=tuple(each.loss for each in outcomes),
        reference_losses=tuple(theirs),
        failure_rate=sum(each.diverged for each in outcomes) / len(outcomes),
    )


def _error_in_octaves(reference: Reference, mean: float, error: float) -> float:
    """The standard error of a mean log ratio, as one of log2 steps: half of what the curve makes of both sides."""
    if not math.isfinite(error):
        return math.inf
    n_steps = reference.run.n_steps
    worse, better = (reference.curve.speed_up(mean + sign * error, n_steps) for sign in (1.0, -1.0))
    return (better - worse) / 2.0
