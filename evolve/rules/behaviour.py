"""What kind of optimizer a rule is, seen from what it did on the probe: the cells of a search's archive."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evolve.rules.graph import graph_of, live_slots
from evolve.rules.language import Language
from sandbox.symbolic.program import Program

Array = NDArray[np.float64]
Cell = tuple[int, ...]

DEGREES: Final = (0.2, 0.7, 1.2)
FLATNESS: Final = (0.75, 0.95)
MEMORIES: Final = (0.3, 0.8)
OPERATIONS: Final = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20)
MAX_SLOTS: Final = 3


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a rule's updates follow the gradients.

    `degree`: how the size of a coordinate's updates grows with the size of its gradients (1 gradient descent, 0 Adam
    and sign). `flatness`: mean over root mean square of a coordinate's sizes in time (1 for signs). `memory`: the
    correlation of a coordinate's update with the one before.
    """

    degree: float
    flatness: float
    memory: float


def behaviour_of(update: Array, gradients: Array) -> Behaviour:
    """What an update [steps, coordinates] did with gradients of the same shape."""
    tiny = 1e-150
    size = np.sqrt(np.mean(np.square(gradients), axis=0)) + tiny
    length = np.sqrt(np.mean(np.square(update), axis=0)) + tiny
    x, y = np.log(size), np.log(length)
    x = x - x.mean()
    return Behaviour(
        degree=float(np.sum(x * y) / np.sum(x * x)),
        flatness=float(np.mean(np.mean(np.abs(update), axis=0) / length)),
        memory=float(np.mean(np.mean(update[1:] * update[:-1], axis=0) / np.square(length))),
    )


def slots_in_use(program: Program, language: Language) -> int:
    """How many slots the update needs."""
    return len(live_slots(graph_of(program), language.state))


def cell_of(behaviour: Behaviour, *, n_operations: int, n_slots: int) -> Cell:
    """The archive's cell of a program: three bins of behaviour, slots in use, a bin of operations."""
    return (
        int(np.searchsorted(DEGREES, behaviour.degree)),
        int(np.searchsorted(FLATNESS, behaviour.flatness)),
        int(np.searchsorted(MEMORIES, behaviour.memory)),
        min(n_slots, MAX_SLOTS),
        int(np.searchsorted(OPERATIONS, n_operations, side="right")),
    )
