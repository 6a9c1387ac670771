"""The trainer of the proxies as scoring wants it: one thread, one device, traces of gradients kept."""

import math
from collections.abc import Sequence

import numpy as np

from evaluators.errors import EvaluatorError
from evaluators.optimizers.rungs import Run
from evaluators.optimizers.task import Task
from evaluators.optimizers.tasks import TASKS
from evaluators.optimizers.trainer import Trace, Trained, record_trace, train
from sandbox.update_rules.numpy_arrays import NumpyArrays
from sandbox.update_rules.rule import UpdateRule, start, step

TRACE_STEPS = 24
TRACE_SEED = 900
"""A seed that neither tunes nor confirms."""

SETTLED = 8
"""The first steps of a trace are left out: there rules differ by how they start, not by how far they go."""


class ProxyTrainer:
    """Trains on the proxies of `tasks.TASKS`.

    Results are a function of rule, run, rates and seeds. Traces are recorded once per run and kept.
    """

    def __init__(self, *, device: str = "cpu") -> None:
        self._device = device
        self._tasks: dict[tuple[str, int | None, float | None], Task] = {}
        self._traces: dict[tuple[str, str, bool, float], Trace] = {}
        self._sizes: dict[tuple[str, str, str, float], float] = {}

    @property
    def device(self) -> str:
        """What it trains on."""
        return self._device

    def task(self, run: Run) -> Task:
        """The task of a run, at its batch size and width.

        Raises:
            EvaluatorError: there is no such task.
        """
        key = (run.task, run.batch_size, run.width)
        if key not in self._tasks:
            if run.task not in TASKS:
                raise EvaluatorError(f"there is no proxy task {run.task!r}: expected one of {', '.join(TASKS)}")
            self._tasks[key] = TASKS[run.task].resized(width=run.width, batch_size=run.batch_size)
        return self._tasks[key]

    def train(
        self, rules: Sequence[UpdateRule], run: Run, rates: Sequence[Sequence[float]], seeds: Sequence[int]
    ) -> Trained:
        """How runs ended: arrays final_loss and diverged [n_rules, n_rates, n_seeds], first_loss [n_seeds]."""
        return train(self.task(run), rules, learning_rates=rates, seeds=seeds, n_steps=run.n_steps, device=self._device)

    def rms(self, rule: UpdateRule, run: Run, *, like: UpdateRule, rate: float) -> float:
        """Root mean square of the rule's updates on gradients that `like` met; not finite if the rule is not."""
        key = (rule.fingerprint, run.setting, like.fingerprint, rate)
        if key not in self._sizes:
            self._sizes[key] = _rms(rule, self.task(run), self._trace(run, like, rate, with_h="h" in rule.needs), rate)
        return self._sizes[key]

    def _trace(self, run: Run, like: UpdateRule, rate: float, *, with_h: bool) -> Trace:
        key = (run.setting, like.fingerprint, with_h, rate)
        if key not in self._traces:
            self._traces[key] = record_trace(
                self.task(run),
                like,
                learning_rate=rate,
                seed=TRACE_SEED,
                n_steps=TRACE_STEPS,
                with_hessians=with_h,
            )
        return self._traces[key]


def _rms(rule: UpdateRule, task: Task, trace: Trace, rate: float) -> float:
    arrays = NumpyArrays(task.layout)
    state = start(rule, arrays, 1)
    total, n = 0.0, 0
    with np.errstate(all="ignore"):
        for place, (weights, gradients, loss) in enumerate(
            zip(trace.weights, trace.gradients, trace.losses, strict=True)
        ):
            hessian = None if trace.hessians is None else trace.hessians[place][None]
            f = np.array([float(loss)])
            u, state = step(rule, arrays, weights[None], gradients[None], state, t=place + 1, lr=rate, h=hessian, f=f)
            if place >= SETTLED:
                total += float(np.mean(np.square(u)))
                n += 1
    return math.sqrt(total / n) if math.isfinite(total) else math.nan
