"""What a proxy task is: a small model, its data, its schedule; a thousand runs of it cost a minute."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from sandbox.update_rules.layout import Layout

Suite = Literal["search", "validation", "test", "noise"]
"""search: the score of a candidate; validation: chooses among finalists; test: only for the final table; noise:
heavy-tailed gradients, where rules of short memory win."""

Array = npt.NDArray[Any]
Tensors = Sequence[Any]

BLOCK_STEPS: Final = 50
"""Batches are drawn in blocks of this many steps, each from a random stream of its own: any part of a run can be drawn
alone, and those of a shorter run are the first of a longer one."""


def nothing_own(_rng: np.random.Generator, _initial: npt.NDArray[np.float32]) -> tuple[Array, ...]:
    """What most tasks have for a seed alone: no arrays."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A task at one width: what is trained, on what, and what it loses.

    All functions are pure. Parameters are numbered as in `layout`; a matrix has one row per output (a convolution's
    kernel is one row too). In `loss` and `held_out_loss` every parameter and every array of a batch has one more axis
    in front, that of the members of the ensemble; both return one loss per member.

    Attributes:
        layout: Shapes and roles of the parameters.
        initial: All weights as one row of float32, drawn by a generator.
        batches: (generator, n_steps, batch_size) -> arrays whose first axis is the step.
        loss: (torch, parameters, batch) -> the loss that is trained.
        held_out: Arrays of the held-out set, the same for every seed.
        held_out_loss: As `loss`, on `held_out`; the loss that is reported.
        slopes: As `loss`, but returns the losses and their gradients, one per parameter, written by hand: several times
            as fast for the smallest models. None: they are found by automatic differentiation.
        own: (generator, initial weights) -> arrays of a seed, which follow those of each batch and of the held-out set.
    """

    layout: Layout
    initial: Callable[[np.random.Generator], npt.NDArray[np.float32]]
    batches: Callable[[np.random.Generator, int, int], tuple[Array, ...]]
    loss: Callable[[Any, Tensors, Tensors], Any]
    held_out: tuple[Array, ...]
    held_out_loss: Callable[[Any, Tensors, Tensors], Any]
    slopes: Callable[[Any, Tensors, Tensors], tuple[Any, Tensors]] | None = None
    own: Callable[[np.random.Generator, npt.NDArray[np.float32]], tuple[Array, ...]] = nothing_own


@dataclass(frozen=True, kw_only=True)
class Task:
    """A proxy task.

    Attributes:
        name: Its name in `TASKS`.
        about: What it is and what it tells apart, in one line.
        suite: What it may be used for.
        n_steps: Its horizon: how many steps a run of the search takes.
        batch_size: Rows of a batch.
        width: Factor on the width of its hidden layers.
        n_members: How many runs one processor core trains fastest together.
        cost: CPU-seconds of one step of one run in such an ensemble, with AdamW: measured, to book work by.
        version: Raised whenever its losses change: what was measured on it before no longer holds.
        build: (width) -> its model.
    """

    name: str
    about: str
    suite: Suite
    n_steps: int
    batch_size: int
    n_members: int
    cost: float
    version: int
    build: Callable[[float], Model]
    width: float = 1.0

    @cached_property
    def model(self) -> Model:
        """What is trained; built once."""
        return self.build(self.width)

    @property
    def layout(self) -> Layout:
        """Shapes and roles of the parameters."""
        return self.model.layout

    @cached_property
    def content_hash(self) -> str:
        """A hash of version, settings and data: losses of equal hashes can be compared.

        Data enter by mean and root mean square to three digits, so that the last bits in which processors differ do
        not matter.
        """
        model = self.model
        arrays = (self.initial(0), *self.batches(0, 0), *model.held_out, *self.own(0))
        known = {
            "name": self.name,
            "version": self.version,
            "batch_size": self.batch_size,
            "width": self.width,
            "shapes": [list(shape) for shape in model.layout.shapes],
            "roles": list(model.layout.roles),
            "data": [_digest(array) for array in arrays],
        }
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]

    def resized(self, *, width: float | None = None, batch_size: int | None = None) -> "Task":
        """The same task with hidden layers `width` times as wide as usual, or with other batches.

        Raises:
            ValueError: the width is not positive, or the batch size not a whole number of at least 1.
        """
        width = self.width if width is None else width
        batch_size = self.batch_size if batch_size is None else batch_size
        if not width > 0 or batch_size != int(batch_size) or batch_size < 1:
            raise ValueError(
                f"got width {width} and batch size {batch_size} for task {self.name}: expected a positive factor and "
                f"a whole number of at least 1"
            )
        if (width, batch_size) == (self.width, self.batch_size):
            return self
        return replace(self, width=width, batch_size=batch_size)

    def initial(self, seed: int) -> npt.NDArray[np.float32]:
        """The weights that runs of `seed` start from, as one row."""
        return self.model.initial(self._rng(seed, 0))

    def batches(self, seed: int, block: int) -> tuple[Array, ...]:
        """The batches of steps `block * BLOCK_STEPS` and on: arrays whose first axis is the step."""
        return self.model.batches(self._rng(seed, 1, block), BLOCK_STEPS, self.batch_size)

    def own(self, seed: int) -> tuple[Array, ...]:
        """Arrays of a seed that follow those of its batches and of the held-out set."""
        return self.model.own(self._rng(seed, 3), self.initial(seed))

    def signs(self, seed: int, step: int) -> npt.NDArray[np.float32]:
        """Random signs, one per weight: the probe of the Hessian's diagonal (Hutchinson 1990) at a step."""
        drawn = self._rng(seed, 2, step).integers(0, 2, size=self.layout.n_parameters)
        return (2 * drawn - 1).astype(np.float32)

    def _rng(self, *numbers: int) -> np.random.Generator:
        """A random stream of its own for each task and these numbers."""
        name = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "little")
        return np.random.default_rng([name, *numbers])


def named(tasks: Sequence[Task]) -> Mapping[str, Task]:
    """The tasks by name, read-only, in their order."""
    return MappingProxyType({task.name: task for task in tasks})


def _digest(array: Array) -> list[str]:
    values = np.asarray(array, dtype=np.float64)
    figures = (values.mean(), np.sqrt(np.mean(values**2)))
    return [str(list(values.shape)), *(format(float(figure), ".2e") for figure in figures)]
