"""One ensemble of training runs: forward, backward and update of all of them on one matrix of weights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from evaluators.optimizers.batches import Feed
from evaluators.optimizers.task import Task
from sandbox.torch_device import TorchDevice
from sandbox.update_rules.rule import UpdateRule, start, step
from sandbox.update_rules.torch_arrays import TorchArrays

WARM_UP: Final = 0.1
"""Share of the steps in which the learning rate rises to its peak; then it falls to zero in a straight line."""

HESSIAN_EVERY: Final = 10
"""Steps between two estimates of the Hessian's diagonal, for rules that read `h`."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """One run: the numbers of its rule and of its learning rate, its seed, and the peak of its learning rate."""

    rule: int
    rate: int
    seed: int
    peak: float


@dataclass(slots=True)
class _Share:
    """The rows of an ensemble that one rule updates, and the state it keeps for them."""

    rule: UpdateRule
    rows: slice
    peaks: Any
    state: Any


def factor(n: int, n_steps: int) -> float:
    """The learning rate of step `n` (from 1) as a share of its peak: linear warm-up, then linear decay to zero."""
    n_warm = max(1, round(WARM_UP * n_steps))
    return n / n_warm if n <= n_warm else (n_steps - n + 1) / (n_steps - n_warm + 1)


class Ensemble:
    """Runs of one task, trained together from their first step to their last.

    The rows of one rule must be neighbours. All rows are independent: each ends as it would alone.
    """

    def __init__(
        self,
        opened: TorchDevice,
        task: Task,
        rules: Sequence[UpdateRule],
        runs: Sequence[Run],
        *,
        needs_hessian: bool = False,
    ) -> None:
        torch = opened.torch
        self._torch, self._task, self._model = torch, task, task.model
        self._feed = Feed(torch, task, [run.seed for run in runs], device=opened.device)
        self._arrays = TorchArrays(task.layout, device=opened.device, dtype=torch.float32)
        self._sizes = list(task.layout.sizes)
        drawn = {run.seed: task.initial(run.seed) for run in runs}
        rows = np.stack([drawn[run.seed] for run in runs])
        self.weights = torch.from_numpy(rows).to(opened.device).requires_grad_(True)
        self._shares = [self._share(rules[number], list(of)) for number, of in _by_rule(runs)]
        self._needs_hessian = needs_hessian or any("h" in share.rule.needs for share in self._shares)
        self.losses: Any = None
        self.gradients: Any = None
        self.hessians: Any = None
        self.updates: list[Any] = []

    def _share(self, rule: UpdateRule, placed: Sequence[tuple[int, Run]]) -> _Share:
        first, n = placed[0][0], len(placed)
        peaks = self._torch.tensor([run.peak for _, run in placed], dtype=self._torch.float32)
        return _Share(
            rule=rule,
            rows=slice(first, first + n),
            peaks=peaks.to(self.weights.device),
            state=start(rule, self._arrays, n),
        )

    def advance(self, n: int, n_steps: int) -> None:
        """Take step `n` (from 1) of `n_steps`; `losses`, `gradients`, `updates` and `hessians` are of this step."""
        self._backward(n)
        weights, share_of_peak = self.weights.detach(), factor(n, n_steps)
        self.updates = []
        with self._torch.no_grad():
            for share in self._shares:
                rates = share.peaks * share_of_peak
                u, share.state = step(
                    share.rule,
                    self._arrays,
                    weights[share.rows],
                    self.gradients[share.rows],
                    share.state,
                    t=n,
                    lr=rates,
                    h=self.hessians[share.rows] if "h" in share.rule.needs else None,
                    f=self.losses[share.rows] if "f" in share.rule.needs else None,
                    may_overwrite_state=True,
                )
                weights[share.rows].addcmul_(rates.unsqueeze(1), u, value=-1)
                self.updates.append(u)

    def held_out_losses(self) -> FloatArray:
        """The held-out loss of each run now."""
        with self._torch.no_grad():
            losses = self._model.held_out_loss(self._torch, self._parameters(), self._feed.held_out())
        found: FloatArray = losses.double().cpu().numpy()
        return found

    def is_alive(self) -> bool:
        """Whether the weights of any run are still finite."""
        return bool(self.weights.detach().isfinite().all(1).any())

    def _backward(self, n: int) -> None:
        torch, batch = self._torch, self._feed.at(n - 1)
        if self._model.slopes is not None and not self._needs_hessian:
            with torch.no_grad():
                self.losses, slopes = self._model.slopes(torch, self._parameters(), batch)
                self.gradients = torch.cat([slope.flatten(1) for slope in slopes], dim=1)
            return
        losses = self._model.loss(torch, self._parameters(), batch)
        is_due = self._needs_hessian and n % HESSIAN_EVERY == 1
        (gradients,) = torch.autograd.grad(losses.sum(), self.weights, create_graph=is_due)
        if is_due:
            signs = self._feed.signs(n - 1)
            (products,) = torch.autograd.grad((gradients * signs).sum(), self.weights)
            self.hessians = signs * products
        self.losses, self.gradients = losses.detach(), gradients.detach()

    def _parameters(self) -> list[Any]:
        """The parameters as views of the weights."""
        n, layout = self.weights.shape[0], self._task.layout
        pieces = self._torch.split(self.weights, self._sizes, dim=1)
        return [piece.view(n, *shape) for piece, shape in zip(pieces, layout.shapes, strict=True)]


def _by_rule(runs: Sequence[Run]) -> Iterator[tuple[int, Iterator[tuple[int, Run]]]]:
    """The runs with their places, by rule; those of one rule are neighbours."""
    return groupby(enumerate(runs), key=lambda placed: placed[1].rule)
