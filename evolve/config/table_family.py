"""The table `[family]` of `problem.toml`."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from evolve.config.table_values import Finite, Identifier, Table, wrong

MAX_SIZES = 64


class FamilyTable(Table):
    """`[family]`: the sizes that one program is judged on when a run generalises.

    `sizes` are values of `parameter`, small ones first; those in `held_out` are for `evolve verify` alone. A value is
    taken relative to that of `baseline`, a formula over the parameters, or without one to the best known value, which
    stands in `known` or is read from `known.file`. A program that falls below `threshold` at one size is not tried on
    the next.
    """

    parameter: Identifier
    sizes: Annotated[tuple[int, ...], Field(strict=False, min_length=2, max_length=MAX_SIZES)]
    held_out: Annotated[tuple[int, ...], Field(strict=False, max_length=MAX_SIZES)] = ()
    baseline: str = ""
    threshold: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    known: dict[str, Finite] = Field(default_factory=dict)
    generalize: bool = False

    @field_validator("sizes", "held_out")
    @classmethod
    def _increasing(cls, sizes: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if any(left >= right for left, right in pairwise(sizes)):
            raise wrong("different sizes, small ones first")
        seen = sorted({*info.data.get("sizes", ())}.intersection(sizes))
        if seen:
            raise wrong("other sizes than those of the search", f"{seen[0]} is one of family.sizes")
        return sizes
