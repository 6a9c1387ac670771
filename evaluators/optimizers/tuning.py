"""Training through the ledger, and the tuning of a rule's learning rate on one run."""

import math
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np

from evaluators.optimizers.ledger import Ledger, Outcome, torch_version
from evaluators.optimizers.rungs import Run, Rung
from evaluators.optimizers.tuning_grid import around, best_of, beyond, learning_rate, stride_of, valley
from sandbox.update_rules.rule import UpdateRule

MATRIX_COST = 2.0
"""What a step with matrix words costs, in steps of AdamW: measured between 1.3 and 3.8 on the proxies."""

LEAST_LOSS = 1e-30


class Proxy(Protocol):
    """What is used of a task here."""

    @property
    def content_hash(self) -> str:
        """What its losses follow from."""

    @property
    def cost(self) -> float:
        """CPU-seconds of one step of one run."""

    @property
    def n_steps(self) -> int:
        """Its own horizon."""


class Trainer(Protocol):
    """What trains: the proxies of this package, or a stand-in with known optima in tests."""

    @property
    def device(self) -> str:
        """What it trains on, such as cpu or cuda."""

    def task(self, run: Run) -> Proxy:
        """The task of a run."""

    def train(
        self, rules: Sequence[UpdateRule], run: Run, rates: Sequence[Sequence[float]], seeds: Sequence[int]
    ) -> Any:
        """Arrays final_loss and diverged [n_rules, n_rates, n_seeds], first_loss [n_seeds]."""

    def rms(self, rule: UpdateRule, run: Run, *, like: UpdateRule, rate: float) -> float:
        """Root mean square of the rule's updates on the gradients that `like` met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Training runs that a measurement asks for: every learning rate (by index) on every seed."""

    rule: UpdateRule
    run: Run
    indexes: tuple[int, ...]
    seeds: tuple[int, ...]


Ends = Mapping[int, tuple[Outcome, ...]]
"""How runs ended: by index of the learning rate, in the order of the seeds."""

Answer = TypeVar("Answer")
Measurement = Generator[Request, Ends, Answer]
"""A measurement asks for training runs one request after the other; several are trained side by side."""


class Bench:
    """Trains what the ledger does not know yet, rules that ask for alike things together."""

    def __init__(self, trainer: Trainer, ledger: Ledger | None = None) -> None:
        self.trainer = trainer
        self.ledger = Ledger() if ledger is None else ledger
        self.n_trained: Counter[str] = Counter()  # runs trained here, by rule
        self._keys: dict[Run, str] = {}

    def key(self, run: Run) -> str:
        """The run with the content of its task, as text."""
        if run not in self._keys:
            self._keys[run] = f"{run.name}@{self.trainer.task(run).content_hash}"
        return self._keys[run]

    def full_key(self, run: Run) -> str:
        """The key with what else losses follow from: how torch rounds, which depends on its version and the device."""
        return f"{self.key(run)},torch={torch_version()},device={self.trainer.device}"

    def filed_under(self, run: Run) -> str:
        """What the ledger files losses under: one in memory meets one torch and one device only."""
        return self.full_key(run) if self.ledger.is_kept else self.key(run)

    def work(self, request: Request) -> float:
        """What a request costs, about in CPU-seconds: the same whatever the ledger knows."""
        n_members = len(request.indexes) * len(request.seeds)
        dearer = MATRIX_COST if request.rule.has_matrices else 1.0
        return n_members * request.run.n_steps * self.trainer.task(request.run).cost * dearer

    def outcomes(self, rule: UpdateRule, run: Run, indexes: Sequence[int], seeds: Sequence[int]) -> Ends:
        """How the runs of one request ended."""
        return self.answers([Request(rule=rule, run=run, indexes=tuple(indexes), seeds=tuple(seeds))])[0]

    def answers(self, requests: Sequence[Request]) -> list[Ends]:
        """How the runs of all requests ended."""
        groups: dict[tuple[Run, tuple[int, ...], int], list[tuple[UpdateRule, list[int]]]] = {}
        asked: set[tuple[str, str, int]] = set()
        for request in requests:
            for lacking, indexes in self._missing(request, asked).items():
                group = groups.setdefault((request.run, lacking, len(indexes)), [])
                group.append((request.rule, indexes))
        for (run, seeds, _), members in groups.items():
            self._train(run, seeds, members)
        return [self._known(request) for request in requests]

    def _missing(self, request: Request, asked: set[tuple[str, str, int]]) -> dict[tuple[int, ...], list[int]]:
        """The indexes that lack seeds, by the seeds they lack; a rule that is asked for twice is trained once."""
        rule, key = request.rule.fingerprint, self.filed_under(request.run)
        missing: dict[tuple[int, ...], list[int]] = {}
        for index in request.indexes:
            lacking = tuple(seed for seed in request.seeds if self.ledger.get(rule, key, index, seed) is None)
            if lacking and (rule, key, index) not in asked:
                asked.add((rule, key, index))
                missing.setdefault(lacking, []).append(index)
        return missing

    def _known(self, request: Request) -> Ends:
        rule, key = request.rule.fingerprint, self.filed_under(request.run)
        rows = {i: [self.ledger.get(rule, key, i, seed) for seed in request.seeds] for i in request.indexes}
        return {index: tuple(each for each in row if each is not None) for index, row in rows.items()}

    def _train(self, run: Run, seeds: tuple[int, ...], members: Sequence[tuple[UpdateRule, Sequence[int]]]) -> None:
        rates = [[learning_rate(index) for index in indexes] for _, indexes in members]
        trained = self.trainer.train([rule for rule, _ in members], run, rates, seeds)
        for place, (rule, indexes) in enumerate(members):
            self.n_trained[rule.fingerprint] += len(indexes) * len(seeds)
            for at, index in enumerate(indexes):
                ends = zip(
                    seeds, trained.final_loss[place][at], trained.first_loss, trained.diverged[place][at], strict=True
                )
                kept = {seed: Outcome(float(loss), float(first), bool(gone)) for seed, loss, first, gone in ends}
                self.ledger.add(rule.fingerprint, self.filed_under(run), index, kept)


@dataclass(slots=True)
class _Asking(Generic[Answer]):
    """A measurement under way."""

    measurement: Measurement[Answer]
    request: Request | None = None
    answer: Answer | None = None
    work: float = 0.0

    def send(self, ends: Ends | None) -> None:
        """Hand in what was asked for; afterwards there is the next request, or the answer."""
        try:
            self.request = next(self.measurement) if ends is None else self.measurement.send(ends)
        except StopIteration as stop:
            self.request, self.answer = None, stop.value


def together(measurements: Sequence[Measurement[Answer]], bench: Bench) -> list[tuple[Answer, float]]:
    """Run measurements side by side: in each round all requests are trained together; answers with counted work."""
    asking = [_Asking(each) for each in measurements]
    for each in asking:
        each.send(None)
    while waiting := [each for each in asking if each.request is not None]:
        requests = [each.request for each in waiting if each.request is not None]
        for each, request, ends in zip(waiting, requests, bench.answers(requests), strict=True):
            each.work += bench.work(request)
            each.send(ends)
    return [(cast("Answer", each.answer), each.work) for each in asking]


def log_losses(outcomes: Sequence[Outcome]) -> list[float]:
    """Natural logarithms of the final losses; a loss of zero counts as 1e-30."""
    return [math.log(max(each.loss, LEAST_LOSS)) for each in outcomes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The learning rate that a tuning ended at; `values` are mean log losses on the tuning seeds by index.

    `best` are the outcomes at the best rate that was tried, whose mean log loss is expected to fall by `depth` at the
    rate that the tuning ended at.
    """

    index: int
    best: tuple[Outcome, ...]
    depth: float
    values: Mapping[int, float]
    n_diverged: int
    n_runs: int

    @property
    def has_diverged(self) -> bool:
        """Whether not one run of the whole grid stayed finite."""
        return self.n_diverged == self.n_runs


def tuning(rule: UpdateRule, run: Run, *, start: int, rung: Rung) -> Measurement[Tuned]:
    """The learning rate with the lowest mean log loss on the tuning seeds, between grid points by a parabola.

    The grid grows at the edge that holds the best rate; what lies far off the predicted optimum is found in large
    strides. All rates are on the global grid, so a second call with more seeds trains only those.
    """
    stride = stride_of(rung.ratio)
    indexes = around(start, n=rung.n_learning_rates, stride=stride)
    ends: dict[int, tuple[Outcome, ...]] = {}
    values: dict[int, float] = {}
    n_diverged = 0
    for extension in range(rung.max_extensions + 1):
        found = yield Request(rule=rule, run=run, indexes=indexes, seeds=rung.tuning_seeds)
        ends |= found
        values |= {index: float(np.mean(log_losses(row))) for index, row in found.items()}
        n_diverged += sum(each.diverged for row in found.values() for each in row)
        all_diverged = n_diverged == len(values) * len(rung.tuning_seeds)
        indexes = _next(values, extension, stride * (3 if all_diverged else 1))
        if not indexes:
            break
    index, depth = valley(values)
    return Tuned(
        index=index,
        best=ends[best_of(values)],
        depth=depth,
        values=values,
        n_diverged=n_diverged,
        n_runs=len(values) * len(rung.tuning_seeds),
    )


def tune(rule: UpdateRule, run: Run, *, start: int, rung: Rung, bench: Bench) -> Tuned:
    """Tune one rule on one run; see `tuning`."""
    return together([tuning(rule, run, start=start, rung=rung)], bench)[0][0]


def _next(values: Mapping[int, float], extension: int, stride: int) -> tuple[int, ...]:
    """Where the grid grows: two steps at first, then four."""
    if len(values) == 1:
        return (best_of(values) - stride, best_of(values) + stride) if extension == 0 else ()
    return beyond(values, n=2 * (extension + 1), stride=stride)
