"""The evaluator family `optimizer`: how fast an update rule trains, compared with tuned AdamW."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from evaluators.contract import Certainty, Evaluation, Failure, Verdict
from evaluators.errors import EvaluatorError
from evaluators.optimizers.descriptor import Kind, UselessRuleError, kind_of
from evaluators.optimizers.ledger import Ledger
from evaluators.optimizers.references import References
from evaluators.optimizers.references_measuring import missing, prepare
from evaluators.optimizers.rungs import Rung, judge_rung, quick_rung
from evaluators.optimizers.scoring import Scored, score_rule
from evaluators.optimizers.scoring_trainer import ProxyTrainer
from evaluators.optimizers.settings import OptimizerSettings, settings_of
from evaluators.optimizers.tasks import TASKS
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import Vocabulary
from sandbox.torch_device import DeviceError, open_device
from sandbox.update_rules.rule import UpdateRule, read_rule

FRESH_SEEDS = 5_000
"""Where the seeds of a verification begin: no search, selection or table draws from there."""
N_FRESH = 12
VOCABULARIES = ("optimizer", "optimizer_elementwise")
QUICK = "quick"


class OptimizerFamily:
    """Judges update rules by training small networks with them.

    The score is the mean over tasks of log2 of the speed-up over AdamW: how many times as many steps AdamW would need
    for the loss that the rule ends at, with AdamW's betas and learning rate tuned as well. 0 is tuned AdamW, 1 is
    half its steps. The learning rate is tuned inside the score on seeds of its own; the score is taken from other
    seeds, paired with AdamW's losses on the same. A rule that diverges has failed.

    A rule that is far below AdamW on the cheapest tasks goes no further (`threshold`).

    Options: `tasks` (names; none for the search suite), `tuning_seeds`, `confirmation_seeds`, `learning_rates` (points
    of the first grid), `horizon` (factor of each task's number of steps), `cap` (the most that one task
    counts, log2), `threshold`, `device` (cpu, cuda, auto).

    Raises:
        EvaluatorError: torch is not installed, or an option is wrong.
    """

    descriptor_names = frozenset({"slots", "operations", "family", "degree"})

    def __init__(self, options: Mapping[str, Any], vocabulary: Vocabulary, folder: str = "") -> None:
        del folder  # its tasks are ours
        if vocabulary.name not in VOCABULARIES:
            raise EvaluatorError(
                f"the family optimizer judges rules, not programs over {vocabulary.name!r}: "
                f"symbolic.vocabulary must be {' or '.join(map(repr, VOCABULARIES))}"
            )
        settings = settings_of(options, TASKS)
        try:
            opened = open_device(settings.device)
        except DeviceError as error:
            raise EvaluatorError(f"evaluator.options.device: {error}") from error
        self._vocabulary = vocabulary
        self._trainer = ProxyTrainer(device=str(opened.device))
        self._threshold = settings.threshold
        self.rung = _judging(settings)
        self._quick = quick_rung(settings.tasks or None, horizon=settings.horizon)
        self._runs = (*self._quick.runs, *self.rung.runs)
        self._references = References.shipped(self._trainer.device)

    def evaluate(self, program: Program) -> Evaluation:
        """How fast the rule trains, as a score; a rule that cannot train is told why."""
        rule = read_rule(render(program, self._vocabulary))
        try:
            kind = kind_of(rule)
        except UselessRuleError as error:
            failure = Failure.INVALID if error.is_finite else Failure.NOT_FINITE
            return Evaluation.failed(failure, detail=str(error))
        ledger = Ledger()  # what the glance trained, the score need not
        first = self._scored(rule, self._quick, ledger)
        if first.score is None:
            return Evaluation.failed(Failure.NOT_FINITE, detail=first.detail, stage=QUICK)
        if first.score < self._threshold:
            return Evaluation.failed(Failure.THRESHOLD, detail=_too_slow(first, self._threshold), stage=QUICK)
        scored = self._scored(rule, self.rung, ledger)
        if scored.score is None:
            return Evaluation.failed(Failure.NOT_FINITE, detail=scored.detail)
        return Evaluation(
            score=scored.score,
            descriptor=_descriptor(rule, kind),
            metrics=_metrics(scored, kind),
            artifacts={"tasks": told(scored)},
        )

    def verify(self, program: Program) -> Verdict:
        """Measure again, on seeds that nothing has seen; a measurement is no proof, so nothing is certified."""
        rule = read_rule(render(program, self._vocabulary))
        fresh = replace(self.rung, confirmation_seeds=tuple(range(FRESH_SEEDS, FRESH_SEEDS + N_FRESH)))
        scored = self._scored(rule, fresh, Ledger())
        if scored.score is None:
            return Verdict(verdict=Certainty.REFUTED, detail=f"on fresh seeds: {scored.detail}")
        text = (
            f"measured on {N_FRESH} fresh seeds, which is no proof: {scored.score:+.3f} (standard error "
            f"{scored.standard_error:.3f}), {2.0**scored.score:.2f} times as fast as tuned AdamW\n{told(scored)}"
        )
        return Verdict(verdict=Certainty.UNVERIFIED, value=2.0**scored.score, score=scored.score, detail=text)

    def fit_target(self) -> None:
        """None: a rule is trained with, not fitted to a table."""

    def fit_target_low(self) -> None:
        """None, as there is no table."""

    def fit_weights(self) -> None:
        """None, as there is no table."""

    @property
    def symmetry(self) -> None:
        """None: a rule may be of any kind."""

    def close(self) -> None:
        """Nothing is open."""

    def unprepared(self) -> tuple[str, ...]:
        """The runs for which nobody measured yet how AdamW does, by name: a horizon of your own has none."""
        return tuple(run.name for run in missing(self._runs, self._references, self._trainer))

    def prepare(self) -> None:
        """Measure how AdamW does on what is `unprepared`, and keep it for this machine: minutes for each run."""
        self._references = prepare(self._runs, trainer=self._trainer)

    def _scored(self, rule: UpdateRule, rung: Rung, ledger: Ledger) -> Scored:
        if self.unprepared():  # another worker may have measured it, or nobody on this machine did
            self.prepare()
        return score_rule(rule, rung, ledger=ledger, references=self._references, trainer=self._trainer)


def told(scored: Scored) -> str:
    """What the rule does on every task, in lines: for people and for language models."""
    lines = []
    for task in scored.tasks:
        error = f", standard error {task.standard_error:.2f}" if math.isfinite(task.standard_error) else ""
        lines.append(
            f"{task.run.task}: {2.0**task.value:.2f} times as fast as tuned AdamW (log2 {task.value:+.2f}{error}), "
            f"learning rate {task.learning_rate:.3g}, {task.run.n_steps} steps"
        )
    return "\n".join(lines)


def _judging(settings: OptimizerSettings) -> Rung:
    rung = judge_rung(
        tasks=settings.tasks or None,
        n_tuning_seeds=settings.tuning_seeds,
        n_confirmation_seeds=settings.confirmation_seeds,
        n_learning_rates=settings.learning_rates,
        horizon=settings.horizon,
    )
    return replace(rung, cap=settings.cap)


def _too_slow(scored: Scored, threshold: float) -> str:
    # The last line is what failures are told apart by.
    return f"{told(scored)}\nfar slower than AdamW on the cheapest tasks: {scored.score:+.2f}, below {threshold:g}"


def n_slots(rule: UpdateRule) -> int:
    """How much state the rule keeps: a slot that is only handed on stays zero, which needs no memory."""
    registers = (rule.program.inputs.index(name) for name in rule.slots)
    return sum(new != register for new, register in zip(rule.new_values, registers, strict=True))


def _descriptor(rule: UpdateRule, kind: Kind) -> dict[str, float | str]:
    return {
        "slots": float(n_slots(rule)),
        "operations": float(rule.n_operations),
        "family": kind.family,
        "degree": min(max(kind.degree, -4.0), 4.0) if math.isfinite(kind.degree) else 4.0,
    }


def _metrics(scored: Scored, kind: Kind) -> dict[str, float]:
    assert scored.score is not None
    figures = {name: value for name, value in scored.metrics().items() if name != "work"}
    return {"speedup": 2.0**scored.score, **figures, **kind.metrics()}
