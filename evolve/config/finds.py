"""What our own runs found: constructions that are worth what AlphaEvolve published, or more, each with its certificate.

They lie in the folder `found` of a problem, one file for each set of parameters. They are records and nothing else: no
judge reads them, no candidate can, and no search starts from them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from evolve.errors import ProblemError

FOLDER = "found"
SCHEMA = "evolve.find/1"
MAX_BYTES = 200_000
MAX_DIGITS = 12
"""Published values are compared to at most so many digits."""

Standing = Literal["beats", "equals", "below"]
Finder = Literal["search", "seed strategy", "seed program"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """A construction with its certificate, and how it was found.

    `alphaevolve` is the published value, `standing` what ours is against it. `found_by` is `search`, or what the run
    started from if that alone came as far: a `seed strategy` searches by itself, a `seed program` is a construction
    that its author knew. `command` finds it again with the same version of Evolve. `seconds` are those of the run.
    """

    problem: str
    parameters: Mapping[str, int | str]
    alphaevolve: float
    standing: Standing
    found_by: Finder
    command: str
    rng_seed: int
    evaluations: int
    seconds: float
    cpu_seconds: float | None
    date: str
    certificate: Mapping[str, Any]

    @property
    def value(self) -> Fraction:
        """What the construction is worth, or a bound that it does not fall short of."""
        return Fraction(self.certificate["value"])

    @property
    def file_name(self) -> str:
        """`n16_d2.json`, or `found.json` of a problem without parameters."""
        told = "_".join(f"{name}{value}" for name, value in self.parameters.items()).lower()
        return f"{told or 'found'}.json"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data from which `from_json` makes an equal find."""
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Find":
        """The find that `to_json` wrote.

        Raises:
            ValueError: the data was written by another version, or is damaged.
        """
        fields = dict(data)
        if fields.pop("schema", None) != SCHEMA or set(fields) != set(cls.__dataclass_fields__):
            raise ValueError(f"no find of the schema {SCHEMA}")
        return cls(**fields)


def finds_in(folder: Path) -> list[Find]:
    """All finds of a problem, in order of the names of their files.

    Raises:
        ProblemError: a file is none.
    """
    return [_read(path) for path in sorted((folder / FOLDER).glob("*.json"))]


def _read(path: Path) -> Find:
    try:
        return Find.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ProblemError(
            f"cannot read {path}: {error}", hint="benchmarks/keep_finds.py writes these files"
        ) from error


def standing_of(value: Fraction, published: float, direction: str) -> Standing:
    """How a proved value compares with a published one, in exact arithmetic.

    Ours `equals` the published one if it is no worse in twelve digits. It `beats` it if it is better than all numbers
    that round to the published one, as it was printed (of which twelve digits count).
    """
    sign = 1 if direction == "max" else -1
    printed = Decimal(repr(published))
    if len(printed.as_tuple().digits) > MAX_DIGITS:
        printed = Context(prec=MAX_DIGITS).plus(printed)
    half = Fraction(10) ** int(printed.as_tuple().exponent) / 2
    slack = Fraction(10) ** (printed.adjusted() + 1 - MAX_DIGITS) / 2
    ahead = sign * (value - Fraction(printed))
    return "beats" if ahead > half else "equals" if ahead >= -slack else "below"
