"""The table `[archive]` of `problem.toml` with its axes."""

import re
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from evolve.config.table_values import Finite, PositiveInt, Table, Text, Texts, wrong

OutOfRange = Literal["clip", "reject", "overflow"]
AXIS_KINDS = ("linear", "log", "edges", "categories")


class RangeAxisTable(Table):
    """An axis with equal cells between two numbers (`linear`), or between their logarithms (`log`)."""

    name: Text
    kind: Literal["linear", "log"] = "linear"
    low: Finite
    high: Finite
    cells: PositiveInt
    out_of_range: OutOfRange = "clip"

    @field_validator("low")
    @classmethod
    def _log_needs_positive(cls, low: float, info: ValidationInfo) -> float:
        if info.data.get("kind") == "log" and low <= 0:
            raise wrong("a positive number on a log axis")
        return low

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, info: ValidationInfo) -> float:
        if "low" in info.data and high <= info.data["low"]:
            raise wrong(f"more than low = {info.data['low']}")
        return high


class EdgesAxisTable(Table):
    """An axis with cells between the given numbers."""

    name: Text
    kind: Literal["edges"]
    edges: Annotated[tuple[Finite, ...], Field(strict=False, min_length=2)]
    out_of_range: OutOfRange = "clip"

    @field_validator("edges")
    @classmethod
    def _increasing(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if any(left >= right for left, right in pairwise(edges)):
            raise wrong("strictly increasing numbers")
        return edges


class CategoriesAxisTable(Table):
    """An axis with one cell for each word."""

    name: Text
    kind: Literal["categories"]
    categories: Annotated[Texts, Field(min_length=1)]
    out_of_range: Literal["reject", "overflow"] = "reject"

    @field_validator("categories")
    @classmethod
    def _distinct(cls, categories: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(categories)) != len(categories):
            raise wrong("different words")
        return categories


def _axis_kind(axis: Any) -> str:
    kind = axis.get("kind", "linear") if isinstance(axis, dict) else getattr(axis, "kind", "linear")
    return kind if isinstance(kind, str) else repr(kind)


AxisTable = Annotated[
    Annotated[RangeAxisTable, Tag("linear")]
    | Annotated[RangeAxisTable, Tag("log")]
    | Annotated[EdgesAxisTable, Tag("edges")]
    | Annotated[CategoriesAxisTable, Tag("categories")],
    Discriminator(_axis_kind),
]


class ArchiveTable(Table):
    """`[archive]`: the axes that tell programs apart, and what one cell keeps."""

    kind: Literal["grid", "cvt"] = "grid"
    cell: Literal["best", "top", "pareto"] = "best"
    keep: PositiveInt = 4
    apart: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    metrics: Annotated[Texts, Field(validate_default=True)] = ()
    centroids: Annotated[int | None, Field(ge=2, validate_default=True)] = None
    rng_seed: Annotated[int, Field(ge=0)] = 0
    qd_offset: Finite = 0.0
    axes: Annotated[tuple[AxisTable, ...], Field(strict=False)]

    @field_validator("metrics")
    @classmethod
    def _pareto_needs_metrics(cls, metrics: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        form = 'a list such as ["min:operations"]'
        if "cell" in info.data and (info.data["cell"] == "pareto") != bool(metrics):
            raise wrong(f'{form} with cell = "pareto", and only then')
        if not all(re.fullmatch(r"(min|max):.+", metric) for metric in metrics):
            raise wrong(form)
        return metrics

    @field_validator("centroids")
    @classmethod
    def _cvt_needs_centroids(cls, centroids: int | None, info: ValidationInfo) -> int | None:
        if info.data.get("kind") == "cvt" and centroids is None:
            raise wrong('how many centroids an archive with kind = "cvt" has')
        return centroids

    @field_validator("axes")
    @classmethod
    def _axes_of_one_space(cls, axes: tuple[AxisTable, ...], info: ValidationInfo) -> tuple[AxisTable, ...]:
        if not axes:
            raise wrong("at least one axis")
        names = [axis.name for axis in axes]
        if len(set(names)) != len(names):
            raise wrong("axes with different names")
        unfit = [axis.name for axis in axes if not isinstance(axis, RangeAxisTable) or axis.out_of_range == "overflow"]
        if info.data.get("kind") == "cvt" and unfit:
            raise wrong(
                'with kind = "cvt" only axes that are "linear" or "log" and out_of_range "clip" or "reject"',
                f"change {', '.join(unfit)}, or use a grid",
            )
        return axes
