"""What a verifier finds out about a construction, and how it says no."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from flint import fmpq

from evaluators.constructions.rounding import fraction_of, rounded_down

Parameters = Mapping[str, int | str]
Direction = Literal["max", "min"]


class RejectedError(ValueError):
    """The data is no construction of the kind that was asked for; the text says what was found and expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A feasible construction and what it is worth.

    `value` is proved: the quantity itself if `is_exact`, else a bound on its pessimistic side (at most the true value
    where large is good, at least it where small is good). `construction` is plain JSON data, after the repair, with
    rationals as text. `details` are named numbers for people and archives, floats of no proof.
    """

    value: fmpq
    construction: Any
    is_exact: bool = True
    details: Mapping[str, float] = field(default_factory=dict)
    picture: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A parameter that is a whole number."""

    name: str
    low: int
    high: int

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        return f"a whole number from {self.low} to {self.high}"

    def takes(self, value: object) -> bool:
        """Whether the parameter may have this value."""
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A parameter that is one of a few words: a convention."""

    name: str
    options: tuple[str, ...]

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        return f"one of {', '.join(self.options)}"

    def takes(self, value: object) -> bool:
        """Whether the parameter may have this value."""
        return value in self.options


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """How one quantity of one kind of construction is computed.

    `measure` takes hostile data and checked parameters; it raises `RejectedError` and nothing else for what is wrong
    with the data. `checker` is the stand-alone script that re-checks its certificates.
    """

    name: str
    quantity: str
    direction: Direction
    checker: str
    measure: Callable[[Any, Parameters], Measured]
    parameters: tuple[Whole | Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer about one construction.

    `score` is higher the better and never too good: the value (its negative where small is good) rounded down. A
    construction that is not `valid` has a `reason` instead.
    """

    valid: bool
    score: float | None = None
    value: Fraction | None = None
    is_exact: bool = False
    reason: str = ""
    construction: Any = None
    details: Mapping[str, float] = field(default_factory=dict)
    picture: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, measured: Measured, direction: Direction) -> "Verdict":
        """The verdict on a feasible construction."""
        value = fraction_of(measured.value)
        return cls(
            valid=True,
            score=rounded_down(value if direction == "max" else -value),
            value=value,
            is_exact=measured.is_exact,
            construction=measured.construction,
            details=measured.details,
            picture=measured.picture,
        )
