"""What a search burst is asked and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from sandbox.symbolic.program import Program

FloatArray = npt.NDArray[np.float64]


class BurstKind(StrEnum):
    """Where a burst spends its work."""

    MUTATE = "mutate"  # new structures by mutation, some refits
    REFIT = "refit"  # many restarts for the constants of the parents' structures
    CROSSOVER = "crossover"  # new structures by grafting parts of one parent into another


@dataclass(frozen=True, slots=True, kw_only=True)
class FitTarget:
    """The function to approximate, as a table.

    `points` has the shape (N,) or (inputs, N) and is ascending when there is one input. Constants are searched on
    about 40 of the points and levelled on all of them: 256 Chebyshev points level the error to about 0.02 %. With
    `relative` the error at a point is divided by the value there, so no value may be zero. `values_low` is what float64
    rounding removed from `values`; it matters only below errors of about 1e-13.
    """

    points: FloatArray
    values: FloatArray
    relative: bool = True
    values_low: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse tables that no fit can use."""
        if self.points.ndim not in (1, 2) or self.values.shape != self.points.shape[-1:]:
            raise ValueError(f"{self.points.shape} points do not match {self.values.shape} values: give (N,) and (N,)")
        if self.values.size < 4:
            raise ValueError(f"a fit needs at least 4 points, got {self.values.size}")
        if not (np.isfinite(self.points).all() and np.isfinite(self.values).all()):
            raise ValueError("points and values must be finite")
        if self.relative and not self.values.all():
            raise ValueError("a relative error needs values other than zero: leave out the points where it is zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstSettings:
    """How much to search. `work` 1.0 is about one second of one core, counted in steps and never by the clock."""

    work: float = 0.7
    max_operations: int = 14
    max_constants: int = 12
    n_children: int = 32
    kind: BurstKind = BurstKind.MUTATE

    def __post_init__(self) -> None:
        """Refuse sizes that the compiled search has no arrays for."""
        if self.max_operations < 1 or self.max_constants < 0 or self.n_children < 0:
            raise ValueError(
                f"max_operations is {self.max_operations}, max_constants {self.max_constants} and n_children "
                f"{self.n_children}: give at least 1, 0 and 0"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A program with fitted constants; `error` is its largest error on the target's points, lower is better.

    `parent_indices` are positions in the burst's parents, empty for a program grown from nothing.
    """

    program: Program
    error: float
    parent_indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstResult:
    """The children, best news first; the work done, in the units of `BurstSettings.work`; and counts for a log."""

    children: tuple[Child, ...]
    work: float
    statistics: Mapping[str, float] = field(default_factory=dict)
