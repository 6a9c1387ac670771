"""Trains many small models at once: update rules x learning rates x seeds as one batched torch program.

All parameters of one run are one row of a matrix, so that a step of an update rule is a few operations on one tensor,
and the layers of all runs are batched products. Runs do not touch each other: one that diverges does not hurt the rest,
and a run ends the same whichever others it is trained with.
"""

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from evaluators.optimizers.ensemble import Ensemble, Run
from evaluators.optimizers.task import Task
from sandbox.torch_device import TorchDevice, open_device
from sandbox.update_rules.rule import UpdateRule

CARD_FACTOR: Final = 64
"""How many more runs a graphics card trains together than a processor core does."""

CHECK_EVERY: Final = 25
"""Steps between two looks whether any run of an ensemble is still finite."""

_MKL: Final = ("MKL_CBWR", "AVX2")

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What runs lost: axes are rules, learning rates, seeds.

    Attributes:
        final_loss: Held-out loss at the end, at most `first_loss`; a run that diverged ends at `first_loss`.
        first_loss: [seeds], held-out loss at the start.
        diverged: Whether weights or loss of a run were not finite, or its loss above `first_loss`, at the end.
        curve: Held-out loss after `curve_steps`, on one more axis, clipped alike; None if it was not asked for.
        n_steps: The horizon that was trained.
        seconds: What all this cost, data and evaluation included: of the processor, on a graphics card of the clock.
    """

    final_loss: FloatArray
    first_loss: FloatArray
    diverged: BoolArray
    curve: FloatArray | None
    curve_steps: tuple[int, ...]
    n_steps: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One run as it was: row t - 1 holds what a rule was given at step t.

    Attributes:
        weights: [T, P].
        gradients: [T, P].
        losses: [T], of each batch.
        updates: [T, P], what the rule answered.
        hessians: [T, P], the estimates of the Hessian's diagonal; None if they were not asked for.
    """

    weights: FloatArray
    gradients: FloatArray
    losses: FloatArray
    updates: FloatArray
    hessians: FloatArray | None


def train(  # noqa: PLR0913  what is trained, and how: all but the first three have defaults
    task: Task,
    rules: Sequence[UpdateRule],
    *,
    learning_rates: Sequence[Sequence[float]],
    seeds: Sequence[int],
    n_steps: int | None = None,
    device: str = "cpu",
    batch_size: int | None = None,
    width: float | None = None,
    n_curve_points: int = 0,
) -> Trained:
    """Train a task by every rule at each of its learning rates from every seed.

    Runs of one seed start from the same weights and see the same batches, whatever the rule, the learning rate and the
    horizon. A step subtracts lr_t * u from the weights; lr_t rises for a tenth of the steps, then falls to zero.

    Args:
        task: What is trained.
        rules: The update rules.
        learning_rates: For each rule its peak learning rates, equally many.
        seeds: Seeds of weights and batches.
        n_steps: The horizon; None: the task's. The schedule stretches with it.
        device: "cpu", "cuda" or "auto".
        batch_size: Rows of a batch; None: the task's.
        width: Factor on the hidden layers; None: the task's.
        n_curve_points: At how many steps, evenly apart, the held-out loss is measured.

    Raises:
        ValueError: learning rates that are not one row per rule of equally many positive numbers; no seed; no step.
        DeviceError: torch is not installed, or there is no such device.
    """
    task = task.resized(width=width, batch_size=batch_size)
    n_steps = task.n_steps if n_steps is None else n_steps
    rates = _checked_rates(learning_rates, len(rules))
    _check_counts(seeds, n_steps, n_curve_points)
    opened = open_device(device)
    clock = time.perf_counter if opened.is_card else time.process_time
    began = clock()
    shape, points = (len(rules), rates.shape[1], len(seeds)), _points(n_steps, n_curve_points)
    final, curve = np.empty(shape), np.empty((*shape, len(points)))
    with _repeatable(opened):
        first = _first_losses(opened, task, rules, seeds)
        for runs in _ensembles(task, rules, rates, seeds, opened):
            places = tuple(np.array([(run.rule, run.rate, seeds.index(run.seed)) for run in runs]).T)
            final[places], curve[places] = _trained(Ensemble(opened, task, rules, runs), n_steps, points)
    diverged = ~(final <= first)
    return Trained(
        final_loss=np.where(diverged, first, final),
        first_loss=first,
        diverged=diverged,
        curve=np.fmin(curve, first[:, None]) if points else None,
        curve_steps=points,
        n_steps=n_steps,
        seconds=clock() - began,
    )


def record_trace(  # noqa: PLR0913  what is trained, and how
    task: Task,
    rule: UpdateRule,
    *,
    learning_rate: float,
    seed: int,
    n_steps: int,
    device: str = "cpu",
    with_hessians: bool = False,
) -> Trace:
    """Train one run for the first `n_steps` of the task's horizon, and keep what happened.

    On such a trace the size of another rule's updates can be measured without training it.

    Raises:
        DeviceError: torch is not installed, or there is no such device.
    """
    opened = open_device(device)
    run = Run(rule=0, rate=0, seed=seed, peak=learning_rate)
    rows: list[tuple[FloatArray, ...]] = []
    with _repeatable(opened):
        ensemble = Ensemble(opened, task, [rule], [run], needs_hessian=with_hessians)
        for n in range(1, n_steps + 1):
            before = _row(ensemble.weights)
            ensemble.advance(n, max(n_steps, task.n_steps))
            seen = (ensemble.gradients, ensemble.losses, ensemble.updates[0])
            rows.append((before, *map(_row, seen), _row(ensemble.hessians) if with_hessians else before[:0]))
    weights, gradients, losses, updates, hessians = (np.stack(column) for column in zip(*rows, strict=True))
    return Trace(
        weights=weights,
        gradients=gradients,
        losses=losses,
        updates=updates,
        hessians=hessians if with_hessians else None,
    )


def _trained(ensemble: Ensemble, n_steps: int, points: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """The losses at the end [members] and at `points` [members, points]; not a number from where none is alive."""
    bends = np.full((len(ensemble.weights), len(points)), np.nan)
    for n in range(1, n_steps + 1):
        ensemble.advance(n, n_steps)
        if n in points:
            bends[:, points.index(n)] = ensemble.held_out_losses()
        if n % CHECK_EVERY == 0 and not ensemble.is_alive():
            return np.full(len(bends), np.nan), bends
    return ensemble.held_out_losses(), bends


def _ensembles(
    task: Task, rules: Sequence[UpdateRule], rates: FloatArray, seeds: Sequence[int], opened: TorchDevice
) -> Iterator[list[Run]]:
    """All runs in groups that are trained together; rules that read `h` apart, since each second pass is for all."""
    n_most = task.n_members * (CARD_FACTOR if opened.is_card else 1)
    for reads_hessian in (False, True):
        runs = [
            Run(rule=number, rate=place, seed=seed, peak=float(rate))
            for number, rule in enumerate(rules)
            if ("h" in rule.needs) == reads_hessian
            for place, rate in enumerate(rates[number])
            for seed in seeds
        ]
        n_groups = math.ceil(len(runs) / n_most)
        for group in range(n_groups):
            yield runs[len(runs) * group // n_groups : len(runs) * (group + 1) // n_groups]


def _first_losses(opened: TorchDevice, task: Task, rules: Sequence[UpdateRule], seeds: Sequence[int]) -> FloatArray:
    runs = [Run(rule=0, rate=0, seed=seed, peak=0.0) for seed in seeds]
    return Ensemble(opened, task, rules, runs).held_out_losses()


def _checked_rates(learning_rates: Sequence[Sequence[float]], n_rules: int) -> FloatArray:
    lengths = {len(row) for row in learning_rates}
    if len(learning_rates) != n_rules or len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"got {len(learning_rates)} rows of learning rates for {n_rules} rules, of lengths {sorted(lengths)}: "
            f"expected one row for each rule, all equally long"
        )
    rates = np.asarray(learning_rates, dtype=np.float64)
    if not (np.isfinite(rates) & (rates > 0)).all():
        raise ValueError(f"got learning rates {rates.tolist()}: expected positive numbers")
    return rates


def _check_counts(seeds: Sequence[int], n_steps: int, n_curve_points: int) -> None:
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise ValueError(f"got seeds {list(seeds)}: expected at least one, no two alike, none negative")
    if n_steps < 1 or not 0 <= n_curve_points <= n_steps:
        raise ValueError(
            f"got {n_steps} steps and {n_curve_points} points of the curve: expected at least one step, and at most "
            f"one point per step"
        )


def _points(n_steps: int, n_curve_points: int) -> tuple[int, ...]:
    """Steps evenly apart, the last one among them."""
    return tuple(round(n_steps * (number + 1) / n_curve_points) for number in range(n_curve_points))


@contextmanager
def _repeatable(opened: TorchDevice) -> Iterator[None]:
    """Torch on one thread, and with products that do not depend on where in memory a matrix lies.

    Threads that wait for each other cost these small products dearly. What MKL, torch's library of products, adds in
    which order is fixed by a variable that it reads before its first product; without it a run may end with other last
    bits beside other runs.
    """
    os.environ.setdefault(*_MKL)
    before = opened.torch.get_num_threads()
    opened.torch.set_num_threads(1)
    try:
        yield
    finally:
        opened.torch.set_num_threads(before)


def _row(tensor: Any) -> FloatArray:
    """The one member's numbers."""
    row: FloatArray = tensor.detach()[0].double().cpu().numpy().copy()
    return row
