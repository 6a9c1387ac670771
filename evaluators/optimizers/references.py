"""Reference data: what AdamW with tuned constants reaches on the proxies, at which learning rates, on which seeds.

AdamW*, the reference of every score, is AdamW with the constants that did best on the search suite (they are in the
data file, with the trials they were chosen from); its learning rate is tuned for every task and horizon. The data are
filed by the content of each task, so a task that changes makes its data unreadable, not wrong. Final losses by seed,
which pair a candidate with the reference, also depend on how torch rounds: under another version of torch, or on a
graphics card, they are trained again when they are needed, while the curve, a mean over seeds, holds.
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from evaluators.errors import EvaluatorError
from evaluators.optimizers.ledger import Ledger, rounded_by
from evaluators.optimizers.reference_curve import Curve
from evaluators.optimizers.rungs import Run
from evaluators.optimizers.tuning import LEAST_LOSS, Bench
from sandbox.update_rules.rule import UpdateRule, read_rule

FORMAT = 1
SHIPPED = Path(__file__).with_name("references.json")

SHORTEST = 8
"""Steps of the shortest horizon; just above it no shorter one is far enough away to be measured."""


class MissingReferenceError(EvaluatorError):
    """There are no reference data for a run: `prepare` measures them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """AdamW* at one horizon: the index of its learning rate, its final losses by seed.

    `default` is how default AdamW does there: log2 of its speed-up over AdamW*, or None where nobody measured it.
    """

    index: int
    losses: Mapping[int, float]
    default: float | None = None

    @property
    def log_loss(self) -> float:
        """The mean log loss."""
        return math.fsum(math.log(max(loss, LEAST_LOSS)) for loss in self.losses.values()) / len(self.losses)

    def rounded(self) -> "Horizon":
        """As a file holds it: who measured it and who reads it compute with the same numbers."""
        return _horizon_from_json(_horizon_to_json(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """AdamW* on one run, and its curve over horizons."""

    run: Run
    curve: Curve
    horizon: Horizon


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Reference data of many tasks.

    `settings` holds, by task with content hash, the horizons by number of steps. `torch` is what trained
    them (`rounded_by`); losses of single seeds are used only there. `default_text` is AdamW with its default constants.
    `own` is what this machine measured, under its own torch: it adds what `settings` lacks and changes nothing there.
    """

    text: str
    default_text: str
    torch: str
    settings: Mapping[str, Mapping[int, Horizon]]
    trials: Sequence[Mapping[str, Any]] = ()
    own: Mapping[str, Mapping[int, Horizon]] = field(default_factory=dict)
    _paid: Ledger = field(default_factory=Ledger, init=False, repr=False, compare=False)
    """Losses of AdamW* that were trained again: it saves work and never changes a result."""

    @property
    def rule(self) -> UpdateRule:
        """AdamW*."""
        return _rule(self.text)

    @property
    def default_rule(self) -> UpdateRule:
        """AdamW with the constants of its paper."""
        return _rule(self.default_text)

    @classmethod
    def shipped(cls, device: str = "cpu") -> "References":
        """The data of this package, with what `prepare` measured on this device of this machine."""
        shipped = cls.load(SHIPPED)
        mine = own_file(device)
        try:
            own = cls.load(mine) if mine.exists() else shipped
        except OSError:  # a folder that we may not look into
            return shipped
        return shipped.with_own(own.settings) if own is not shipped and own.text == shipped.text else shipped

    @classmethod
    def load(cls, path: Path) -> "References":
        """Read a data file.

        Raises:
            EvaluatorError: it is not one.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return _from_json(data)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EvaluatorError(
                f"{path} is no file of reference data ({type(error).__name__}: {error}), "
                f"expected format {FORMAT}: remove it and measure again"
            ) from error

    def save(self, path: Path) -> None:
        """Write a data file in one move."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        new.write_text(json.dumps(_to_json(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        new.replace(path)

    def of(self, run: Run, content_hash: str) -> Reference:
        """The reference of a run.

        Raises:
            MissingReferenceError: nobody measured this task as it is now, or this horizon.
        """
        horizons = self.horizons(run, content_hash)
        if run.n_steps not in horizons or len(horizons) < 2:
            known = ", ".join(map(str, sorted(horizons))) or "none: the task is new or has changed"
            raise MissingReferenceError(
                f"there is no reference of tuned AdamW for {run.setting} at {run.n_steps} steps (known horizons: "
                f"{known}): measure it once by references_measuring.prepare"
            )
        curve = Curve.through({n_steps: each.log_loss for n_steps, each in horizons.items()})
        return Reference(run=run, curve=curve, horizon=horizons[run.n_steps])

    def horizons(self, run: Run, content_hash: str) -> Mapping[int, Horizon]:
        """The horizons that a run is compared with: the shipped ones, and where they do not suffice some measured here.

        Of those only the ones that are measured for this run count, so what else the machine measured changes nothing.
        """
        key = f"{run.setting}@{content_hash}"
        shipped, own = self.settings.get(key, {}), self.own.get(key, {})
        if covers(shipped, run.n_steps):
            return shipped
        added = {n_steps: each for n_steps, each in own.items() if _belongs(n_steps, run.n_steps)}
        return {**added, **{n: _with_default(each, added.get(n)) for n, each in shipped.items()}}

    def losses(self, run: Run, seeds: Sequence[int], bench: Bench) -> tuple[float, ...]:
        """Final losses of AdamW* on these seeds: known ones, or trained now."""
        content_hash = bench.trainer.task(run).content_hash
        horizon = self.of(run, content_hash).horizon
        is_own = run.n_steps not in self.settings.get(f"{run.setting}@{content_hash}", {})
        if (is_own or self.torch == rounded_by(bench.trainer.device)) and all(seed in horizon.losses for seed in seeds):
            return tuple(horizon.losses[seed] for seed in seeds)
        return self._trained(run, horizon.index, seeds, bench)

    def _trained(self, run: Run, index: int, seeds: Sequence[int], bench: Bench) -> tuple[float, ...]:
        """Final losses of AdamW* trained by a bench, unless these data remember them."""
        rule, key = self.rule.fingerprint, bench.full_key(run)
        known = {seed: each for seed in seeds if (each := self._paid.get(rule, key, index, seed)) is not None}
        bench.ledger.add(rule, bench.filed_under(run), index, known)
        found = bench.outcomes(self.rule, run, [index], seeds)[index]
        self._paid.add(rule, key, index, dict(zip(seeds, found, strict=True)))
        return tuple(each.loss for each in found)

    def with_settings(self, settings: Mapping[str, Mapping[int, Horizon]]) -> "References":
        """These data and others; where both know a setting, all horizons are kept, the others' first."""
        merged = {key: dict(value) for key, value in self.settings.items()}
        for key, value in settings.items():
            merged[key] = merged.get(key, {}) | dict(value)
        return replace(self, settings=merged)

    def with_own(self, own: Mapping[str, Mapping[int, Horizon]]) -> "References":
        """These data and more that were measured on this machine."""
        return replace(self, own={key: {**self.own.get(key, {}), **own.get(key, {})} for key in {**self.own, **own}})


def covers(horizons: Mapping[int, Horizon], n_steps: int) -> bool:
    """Whether horizons hold `n_steps` itself and reach from half of it (or the shortest) to nearly twice of it.

    Nearly: a grid of half octaves around a horizon that is not on it ends at least 0.75 octaves above.
    """
    lowest = max(SHORTEST + 1, n_steps / 2.0)
    return n_steps in horizons and min(horizons) <= lowest and max(horizons) > n_steps * 1.6


def _belongs(n_steps: int, around: int) -> bool:
    """Whether a horizon is among those measured for another: whole octaves away, from a quarter to twice."""
    octaves = math.log2(n_steps / around)
    whole = round(octaves)
    return n_steps == SHORTEST or (-2 <= whole <= 1 and abs(octaves - whole) <= 0.25)


def _with_default(horizon: Horizon, own: Horizon | None) -> Horizon:
    """A shipped horizon; how default AdamW does there is taken from our own where the shipped data do not say."""
    return horizon if own is None or horizon.default is not None else replace(horizon, default=own.default)


def own_file(device: str = "cpu") -> Path:
    """Where reference data measured on this device of this machine lie; `EVOLVE_CACHE` names another folder."""
    name = f"optimizer-references-{rounded_by(device)}.json"
    if folder := os.environ.get("EVOLVE_CACHE"):
        return Path(folder) / name
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evolve" / name


Say = Callable[[str], None]


@lru_cache(maxsize=8)
def _rule(text: str) -> UpdateRule:
    return read_rule(text)


def _to_json(references: References) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "torch": references.torch,
        "rule": references.text.splitlines(),
        "default_rule": references.default_text.splitlines(),
        "trials": list(references.trials),
        "settings": {
            key: {str(n_steps): _horizon_to_json(each) for n_steps, each in horizons.items()}
            for key, horizons in references.settings.items()
        },
    }


def _horizon_to_json(horizon: Horizon) -> dict[str, Any]:
    return {
        "rate": horizon.index,
        "default": None if horizon.default is None else round(horizon.default, 4),
        "losses": {str(seed): float(f"{loss:.9g}") for seed, loss in horizon.losses.items()},
    }


def _from_json(data: Any) -> References:
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']}")
    settings = {
        str(key): {int(n_steps): _horizon_from_json(each) for n_steps, each in horizons.items()}
        for key, horizons in data["settings"].items()
    }
    return References(
        text="\n".join(data["rule"]),
        default_text="\n".join(data["default_rule"]),
        torch=str(data["torch"]),
        settings=settings,
        trials=tuple(data["trials"]),
    )


def _horizon_from_json(data: Any) -> Horizon:
    losses = {int(seed): float(loss) for seed, loss in data["losses"].items()}
    if not losses or not all(math.isfinite(loss) for loss in losses.values()):
        raise ValueError("losses must be finite numbers, at least one")
    default = data["default"]
    return Horizon(index=int(data["rate"]), losses=losses, default=None if default is None else float(default))
