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
    ENUMERATE = "enumerate"  # all structures of one size, or a shard of them; spends what it takes
    SCREEN = "screen"  # all pairs of small expressions, the best of them fitted; spends what it takes


class Mechanism(StrEnum):
    """Parts of the search that can be left out, to see what they are worth."""

    GROW = "grow"  # terms added where the error asks for them
    FRACTION = "fraction"  # continued fractions in the values of a program
    LEAPS = "leaps"  # undamped Gauss-Newton steps after each fit
    LAWS = "laws"  # structures that break the target's order at 0 or its parity are not fitted
    FRONT = "front"  # half of the parents are among the best of their length
    SHRINK = "shrink"  # operations left out of the best programs


@dataclass(frozen=True, slots=True, kw_only=True)
class FitTarget:
    """The function to approximate, as a table.

    `points` has the shape (N,) or (inputs, N) and is ascending when there is one input. Constants are searched on
    about 40 of the points and levelled on all of them: 256 Chebyshev points level the error to about 0.02 %. With
    `relative` the error at a point is divided by the value there, so no value may be zero; with `weights` (all above 0,
    `relative` false) it is multiplied by the weight there. `values_low` is what float64 rounding removed from `values`;
    it matters only below errors of about 1e-13. `symmetry` is structure of the function that programs may use: "odd",
    "even" or "periodic", then with `period`.
    """

    points: FloatArray
    values: FloatArray
    relative: bool = True
    values_low: FloatArray | None = None
    weights: FloatArray | None = None
    symmetry: str | None = None
    period: float | None = None

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
        if self.weights is not None:
            self._require_weights(self.weights)

    def _require_weights(self, weights: FloatArray) -> None:
        if self.relative:
            raise ValueError("errors are relative or weighted, not both: pass relative=False with weights")
        if weights.shape != self.values.shape or not (np.isfinite(weights).all() and (weights > 0).all()):
            raise ValueError("weights must be finite, above 0 and as many as the values")

    @property
    def scale(self) -> FloatArray:
        """What the difference from the value is multiplied by at each point, to give the error."""
        if self.weights is not None:
            return self.weights
        return 1.0 / np.abs(self.values) if self.relative else np.ones(self.values.shape)


class Strategy(StrEnum):
    """How a burst chooses the elite that it changes next."""

    MAP_ELITES = "map_elites"  # any elite, or one of the best of its length
    TREE_SEARCH = "tree_search"  # upper confidence bounds over the lineage of the elites


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstSettings:
    """How much to search, and how. `work` 1.0 is about one second of one core, counted in steps, never by the clock.

    `without` names mechanisms to leave out. An enumeration takes the structures of `size` operations whose number
    leaves the remainder `shard` when divided by `n_shards`. A screen joins the pairs of about `screen_rows` expressions
    on a `device`: "cpu", or one of torch's; the children are the same.
    """

    work: float = 0.7
    max_operations: int = 14
    max_constants: int = 12
    n_children: int = 32
    kind: BurstKind = BurstKind.MUTATE
    without: frozenset[Mechanism] = frozenset()
    size: int = 0
    shard: int = 0
    n_shards: int = 1
    strategy: Strategy = Strategy.MAP_ELITES
    screen_rows: int = 1000
    device: str = "cpu"

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
