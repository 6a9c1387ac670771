"""The batches of an ensemble: drawn once per seed, shared by all rules and learning rates."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from evaluators.optimizers.task import BLOCK_STEPS, Array, Task

MOST_BLOCKS: Final = 32
"""Blocks of steps of one seed that are kept between runs: for two seeds of the cheapest tasks, a megabyte each."""


class Feed:
    """The batches of an ensemble, step by step; each member reads those of its seed.

    All members with the same seed see the same batches (common random numbers), whatever rule trains them.
    """

    def __init__(self, torch: Any, task: Task, seeds: Sequence[int], *, device: Any) -> None:
        self._torch, self._task, self._device = torch, task, device
        self._seeds = sorted(set(seeds))
        place = {seed: number for number, seed in enumerate(self._seeds)}
        self._rows = torch.tensor([place[seed] for seed in seeds], device=device)
        self._own = [
            stacked.index_select(0, self._rows) for stacked in self._stacked([task.own(s) for s in self._seeds], 0)
        ]
        self._block = -1
        self._arrays: list[Any] = []

    def at(self, step: int) -> list[Any]:
        """The batch of a step, counted from 0: arrays [members, rows, ...]."""
        block, within = divmod(step, BLOCK_STEPS)
        if block != self._block:
            self._block, self._arrays = block, self._load(block)
        return [*(array[within].index_select(0, self._rows) for array in self._arrays), *self._own]

    def held_out(self) -> list[Any]:
        """The held-out set, the same for every member."""
        n, arrays = len(self._rows), self._task.model.held_out
        shared = (self._torch.from_numpy(array).to(self._device) for array in arrays)
        return [*(array.expand(n, *array.shape) for array in shared), *self._own]

    def signs(self, step: int) -> Any:
        """Random signs of a step [members, parameters], the same for members of the same seed."""
        signs = np.stack([self._task.signs(seed, step) for seed in self._seeds])
        return self._torch.from_numpy(signs).to(self._device).index_select(0, self._rows)

    def _load(self, block: int) -> list[Any]:
        return self._stacked([_drawn(self._task, seed, block) for seed in self._seeds], 1)

    def _stacked(self, of_seeds: Sequence[tuple[Array, ...]], axis: int) -> list[Any]:
        stacked = (np.stack(arrays, axis=axis) for arrays in zip(*of_seeds, strict=True))
        return [self._torch.from_numpy(array).to(self._device) for array in stacked]


@lru_cache(maxsize=MOST_BLOCKS)
def _drawn(task: Task, seed: int, block: int) -> tuple[Array, ...]:
    return task.batches(seed, block)
