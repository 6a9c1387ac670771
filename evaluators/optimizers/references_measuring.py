"""Measuring reference data: AdamW* at horizons around a run's own, and default AdamW against it."""

import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluators.errors import EvaluatorError
from evaluators.optimizers.ledger import Ledger, rounded_by
from evaluators.optimizers.references import Horizon, References, Say, covers, own_file
from evaluators.optimizers.rungs import FIRST_CONFIRMATION_SEED, Run, consecutive, horizon_steps, rung_of
from evaluators.optimizers.scoring import score_run
from evaluators.optimizers.tuning import Bench, Trainer, log_losses, tune
from evaluators.optimizers.tuning_grid import nearest_index, smoothed
from sandbox.update_rules.rule import UpdateRule

BELOW, ABOVE = 4, 2
"""Half octaves of horizon measured below and above a run's own: from a quarter to twice as many steps."""

FIRST_RATE = 0.01

NEAR_OCTAVES = 0.2
"""Two horizons nearer than this would give a curve a slope of mere noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How closely AdamW* is measured.

    At every `half_octaves`-th half octave of horizon the learning rate is tuned with `n_learning_rates` on `n_tuned_on`
    seeds; losses are kept for `n_tuning_seeds` tuning seeds (for scores taken on them) and `n_seeds` others.
    """

    half_octaves: int = 2
    n_learning_rates: int = 5
    n_tuned_on: int = 3
    n_tuning_seeds: int = 4
    n_seeds: int = 12


THOROUGH = Effort(half_octaves=1, n_tuned_on=4, n_tuning_seeds=16, n_seeds=16)
"""For the search suite, whose references thousands of scores are compared with."""


def horizons_around(n_steps: int, own: int, effort: Effort) -> tuple[int, ...]:
    """The horizons that a curve around `n_steps` needs: half octaves of a task's own and itself, in ascending order."""
    place = round(2.0 * math.log2(n_steps / own))
    halves = range(place - BELOW, place + ABOVE + 1, effort.half_octaves)
    grid = {horizon_steps(own, 2.0 ** (half / 2.0)) for half in halves}
    apart = {each for each in grid if abs(math.log2(each / n_steps)) > NEAR_OCTAVES}
    return tuple(sorted(apart | {n_steps}))


def prepare(
    runs: Iterable[Run],
    *,
    device: str = "cpu",
    say: Say | None = None,
    effort: Effort | None = None,
    first_seed: int = FIRST_CONFIRMATION_SEED,
    trainer: Trainer | None = None,
) -> References:
    """The reference data of these runs: those at hand, and the rest measured now and kept for this machine.

    A task that has changed, or a horizon, width or batch size that nobody measured, costs about 150 runs of AdamW.

    Raises:
        EvaluatorError: what is measured cannot be kept.
    """
    if trainer is None:
        from evaluators.optimizers.scoring_trainer import ProxyTrainer

        trainer = ProxyTrainer(device=device)
    references, path = References.shipped(trainer.device), own_file(trainer.device)
    lacking = missing(runs, references, trainer)
    if lacking:
        _require_writable(path)
    for run in lacking:
        if say is not None:
            say(f"measuring tuned AdamW on {run.name}: there are no reference data for it")
        key, horizons = measured(run, references, trainer, effort=effort or Effort(), first_seed=first_seed)
        references = references.with_own({key: {n: each.rounded() for n, each in horizons.items()}})
        _keep(references, path, torch=rounded_by(trainer.device))
    return references


def _require_writable(path: Path) -> None:
    """Fail before minutes are spent on what cannot be kept."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _unkept(path, error) from error


def _keep(references: References, path: Path, *, torch: str) -> None:
    """Write what this machine measured, with what another process wrote in the meantime."""
    try:
        others = References.load(path) if path.exists() else None
        kept = others.settings if others is not None and others.text == references.text else {}
        own = replace(references, own=kept).with_own(references.own).own
        replace(references, torch=torch, settings=own, own={}).save(path)
    except OSError as error:
        raise _unkept(path, error) from error


def _unkept(path: Path, error: OSError) -> EvaluatorError:
    return EvaluatorError(
        f"cannot keep measured reference data in {path} ({error.strerror or type(error).__name__}): make its folder "
        f"writable, or name another folder by the variable EVOLVE_CACHE"
    )


def missing(runs: Iterable[Run], references: References, trainer: Trainer) -> tuple[Run, ...]:
    """The runs without reference data: none at their horizon, or none far enough below and above it."""
    return tuple(
        run
        for run in dict.fromkeys(runs)
        if not covers(references.horizons(run, trainer.task(run).content_hash), run.n_steps)
    )


def measured(
    run: Run, references: References, trainer: Trainer, *, effort: Effort, first_seed: int
) -> tuple[str, dict[int, Horizon]]:
    """The horizons around a run that are missing, under the key of its setting.

    Default AdamW is set against them at the run's own, which is returned for that even if it was known without.
    """
    bench = Bench(trainer, Ledger())
    task = trainer.task(run)
    key = f"{run.setting}@{task.content_hash}"
    known = references.horizons(run, task.content_hash)
    horizons: dict[int, Horizon] = {}
    wanted = (n_steps for n_steps in horizons_around(run.n_steps, task.n_steps, effort) if n_steps not in known)
    runs = [replace(run, n_steps=n_steps) for n_steps in wanted]
    seeds = (*consecutive(0, effort.n_tuning_seeds), *consecutive(first_seed, effort.n_seeds))
    for each, index in zip(runs, tuned_along(references.rule, runs, effort, bench), strict=True):
        losses = _losses(references.rule, each, index, seeds, bench)
        horizons[each.n_steps] = Horizon(index=index, losses=losses)
    here = horizons.get(run.n_steps) or known[run.n_steps]
    if here.default is None:
        trained_by = rounded_by(trainer.device) if run.n_steps in horizons else references.torch
        all_known = replace(references, torch=trained_by).with_settings({key: {**known, **horizons}})
        value = _default_octaves(run, all_known, bench, effort, first_seed)
        horizons[run.n_steps] = replace(here, default=value)
    return key, horizons


def _default_octaves(run: Run, references: References, bench: Bench, effort: Effort, first_seed: int) -> float | None:
    """Log2 of the speed-up of default AdamW over AdamW*, or None if it diverges."""
    rung = rung_of(
        "default",
        [run],
        n_tuning_seeds=effort.n_tuned_on,
        n_confirmation_seeds=effort.n_seeds,
        first_seed=first_seed,
    )
    default = score_run(references.default_rule, run, rung, bench, references)
    return None if isinstance(default, str) else default.raw


def tuned_along(rule: UpdateRule, runs: Sequence[Run], effort: Effort, bench: Bench) -> tuple[int, ...]:
    """Tuned indexes along horizons; each starts where the last ended, and a straight line smooths them all."""
    found: list[int] = []
    at = nearest_index(FIRST_RATE)
    for run in runs:
        rung = rung_of("reference", [run], n_tuning_seeds=effort.n_tuned_on, n_learning_rates=effort.n_learning_rates)
        at = tune(rule, run, start=at, rung=rung, bench=bench).index
        found.append(at)
    return smoothed(found, [math.log2(run.n_steps) for run in runs])


def _losses(rule: UpdateRule, run: Run, index: int, seeds: Sequence[int], bench: Bench) -> dict[int, float]:
    outcomes = bench.outcomes(rule, run, [index], seeds)[index]
    return dict(zip(seeds, (math.exp(value) for value in log_losses(outcomes)), strict=True))
