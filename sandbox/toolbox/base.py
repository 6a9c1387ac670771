"""What all toolboxes share: the counted work, the random stream, the best object so far, and how steps are declared."""

import inspect
import math
import typing
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import numpy as np

Thing = TypeVar("Thing")
Method = TypeVar("Method", bound=Callable[..., Any])

START = "start"
MOVE = "move"
SOLVE = "solve"
CHOOSE = "choose"
SMALL_WORK = 0.01


class SpentError(Exception):
    """All of the work that a strategy may do is done."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole-number parameter from `low` to `high`, varied by factors."""

    low: int
    high: int
    default: int


@dataclass(frozen=True, slots=True)
class Real:
    """A real parameter from `low` to `high`; varied by factors if `low` is above zero, else by amounts."""

    low: float
    high: float
    default: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One word for strategies, a toolbox's method: `n_things` objects and some parameters in, an object out."""

    name: str
    kind: str
    n_things: int
    parameters: tuple[tuple[str, Whole | Real], ...]


def step(kind: str) -> Callable[[Method], Method]:
    """Declare a method as a step: one that starts, moves, solves or chooses."""

    def marked(method: Method) -> Method:
        method.__dict__["step_kind"] = kind
        return method

    return marked


def steps_of(toolbox: type[Any]) -> tuple[Step, ...]:
    """All steps of a toolbox, by name."""
    found = []
    for name, method in inspect.getmembers(toolbox, inspect.isfunction):
        kind = getattr(method, "step_kind", None)
        if kind is not None:
            found.append(_step(name, kind, method))
    return tuple(found)


def _step(name: str, kind: str, method: Callable[..., Any]) -> Step:
    hints = typing.get_type_hints(method, include_extras=True)
    arguments = [each for each in inspect.signature(method).parameters if each != "self"]
    ranges = {each: hints[each].__metadata__[0] for each in arguments if typing.get_origin(hints[each]) is Annotated}
    parameters = tuple((each, ranges[each]) for each in arguments if each in ranges)
    return Step(name=name, kind=kind, n_things=len(arguments) - len(parameters), parameters=parameters)


class Toolbox(Generic[Thing]):
    """One evaluation's steps: `work` units of work, a random stream from `seed`, the best object so far.

    Work is counted, never timed: equal strategies give equal results on every machine. One unit is about ten
    milliseconds. A toolbox for a kind of object adds its starts, moves and solvers.

    Args:
        value: what an object is worth, the higher the better; minus infinity for one that is none.
        work: how much may be done.
        seed: where the random stream starts.
        warm: the best object that earlier strategies found, if the problem hands it on.
    """

    def __init__(self, value: Callable[[Thing], float], *, work: float, seed: int, warm: Thing | None = None) -> None:
        self.value = value
        self.rng = np.random.default_rng(seed)
        self.work_left = float(work)
        self.best: Thing | None = None
        self.best_value = -math.inf
        self._warm = warm

    def copy(self, thing: Thing) -> Thing:
        """An object of its own."""
        copied: Thing = thing.copy()  # type: ignore[attr-defined]
        return copied

    def spend(self, work: float) -> None:
        """Count work before it is done.

        Raises:
            SpentError: there is none left.
        """
        if self.work_left < work:
            self.work_left = 0.0
            raise SpentError
        self.work_left -= work

    def show(self, thing: Thing) -> float:
        """The object's value; the best one shown so far is what the strategy finds."""
        value = self.value(thing)
        if value > self.best_value:
            self.best, self.best_value = self.copy(thing), value
        return value

    @step(CHOOSE)
    def accept(self, old: Thing, new: Thing, *, temperature: Annotated[float, Real(0.0, 0.05, 0.0)] = 0.0) -> Thing:
        """The new object if it is better, or with Metropolis' probability; else the old one.

        `temperature` is relative to the old value.
        """
        self.spend(SMALL_WORK)
        before, after = self.value(old), self.show(new)
        if after >= before:
            return new
        scale = temperature * abs(before)
        luck = self.rng.random()
        return new if scale > 0.0 and luck < math.exp(max((after - before) / scale, -700.0)) else old

    @step(CHOOSE)
    def better(self, one: Thing, other: Thing) -> Thing:
        """The better one of two."""
        self.spend(SMALL_WORK)
        return one if self.show(one) >= self.show(other) else other

    @step(CHOOSE)
    def recall(self, thing: Thing) -> Thing:
        """The best object so far in this evaluation, or the given one where there is none."""
        self.spend(SMALL_WORK)
        return thing if self.best is None else self.copy(self.best)

    @step(CHOOSE)
    def inherit(self, thing: Thing) -> Thing:
        """The best object that earlier strategies of the run found, or the given one where there is none."""
        self.spend(SMALL_WORK)
        return thing if self._warm is None else self.copy(self._warm)


def found_by(strategy: Callable[[Any], Any], toolbox: Toolbox[Thing]) -> Thing:
    """The best object that a strategy finds with its share of work.

    Raises:
        ValueError: it has shown none.
    """
    with suppress(SpentError):
        strategy(toolbox)
    if toolbox.best is None:
        raise ValueError("the strategy has found nothing: no step of it showed an object")
    return toolbox.best
