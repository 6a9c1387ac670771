"""Builds an archive from its table: `[archive]` of a problem file, or what `Archive.shape` gave."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from archive.axes import Axis, axis_from_mapping, did_you_mean, is_number
from archive.cells import BestCell, CellRule, ParetoCell, TopCell
from archive.elites import CVTArchive, GridArchive
from archive.errors import ArchiveError, ArchiveSpecError
from archive.pareto import Objective

_KINDS = ("grid", "cvt")
_CELLS = ("best", "top", "pareto")
_KEYS = ("kind", "cell", "keep", "apart", "metrics", "centroids", "rng_seed", "qd_offset", "axes")


def build_archive(spec: Mapping[str, Any]) -> GridArchive | CVTArchive:
    """The archive that a table describes.

    Keys: `kind` ("grid", "cvt"), `cell` ("best", "top", "pareto"), `keep` (top, pareto), `apart` (top),
    `metrics` (pareto: names as "min:operations" or "max:accuracy"), `centroids` (cvt: how many, or the rows
    themselves), `rng_seed` (cvt), `qd_offset`, `axes` (tables, see `axis_from_mapping`). A missing kind is "grid", a
    missing cell "best".

    Raises:
        ArchiveSpecError: with every mistake of the table, each with its key.
    """
    mistakes = [f"{key}: unknown key, {did_you_mean(key, _KEYS)}" for key in spec if key not in _KEYS]
    for key, known in (("kind", _KINDS), ("cell", _CELLS)):
        if (word := spec.get(key, known[0])) not in known:
            mistakes.append(f"{key}: got {word!r}, {did_you_mean(word, known)}")
    mistakes += _number_mistakes(spec)
    axes = _axes(spec, mistakes)
    rule = _rule(spec, mistakes)
    if mistakes:
        raise ArchiveSpecError(mistakes)
    try:
        return _built(spec, axes, rule)
    except ArchiveSpecError:
        raise
    except ArchiveError as error:
        raise ArchiveSpecError([str(error)]) from error


def _built(spec: Mapping[str, Any], axes: list[Axis], rule: CellRule) -> GridArchive | CVTArchive:
    offset = float(spec.get("qd_offset", 0.0))
    if spec.get("kind", "grid") == "grid":
        return GridArchive(axes, cell=rule, qd_offset=offset)
    centroids, rng_seed = spec.get("centroids", 1000), spec.get("rng_seed", 0)
    if not isinstance(centroids, int):
        try:
            centroids = np.array(centroids, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ArchiveSpecError([f"centroids: expected how many, or rows of numbers: {error}"]) from error
    return CVTArchive(axes, centroids=centroids, rng_seed=rng_seed, cell=rule, qd_offset=offset)


def _number_mistakes(spec: Mapping[str, Any]) -> list[str]:
    mistakes = []
    for key, least in (("keep", 1), ("rng_seed", 0), ("centroids", 1)):
        value = spec.get(key, least)
        is_rows = key == "centroids" and isinstance(value, list | tuple | np.ndarray)
        if not is_rows and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            mistakes.append(f"{key}: got {value!r}, expected a whole number of at least {least}")
    for key in ("qd_offset", "apart"):
        value = spec.get(key, 0.0)
        if not is_number(value):
            mistakes.append(f"{key}: got {value!r}, expected a number")
    return mistakes


def _axes(spec: Mapping[str, Any], mistakes: list[str]) -> list[Axis]:
    tables = spec.get("axes", [])
    if not isinstance(tables, list | tuple) or not tables:
        mistakes.append("axes: expected at least one table [[archive.axes]] with name, kind and range")
        return []
    axes = []
    for place, table in enumerate(tables):
        if not isinstance(table, Mapping):
            mistakes.append(f"axes[{place}]: got {table!r}, expected a table")
            continue
        try:
            axes.append(axis_from_mapping(table))
        except ArchiveSpecError as error:
            mistakes += [f"axes[{place}].{mistake}" for mistake in error.mistakes]
    return axes


def _rule(spec: Mapping[str, Any], mistakes: list[str]) -> CellRule:
    cell, keep = spec.get("cell", "best"), spec.get("keep")
    if cell != "pareto" and "metrics" in spec:
        mistakes.append('metrics: only cell = "pareto" reads it')
    if any(mistake.startswith(("keep:", "apart:")) for mistake in mistakes) or cell not in ("top", "pareto"):
        return BestCell()
    if cell == "top":
        try:
            return TopCell(keep=4 if keep is None else keep, apart=float(spec.get("apart", 0.0)))
        except ArchiveError as error:
            mistakes.append(f"apart: {error}")
            return BestCell()
    names = spec.get("metrics", [])
    if not isinstance(names, list | tuple) or not names:
        mistakes.append('metrics: cell = "pareto" needs a list such as ["min:operations"]')
        return BestCell()
    objectives = []
    for place, name in enumerate(names):
        try:
            objectives.append(Objective.parse(str(name)))
        except ArchiveError as error:
            mistakes.append(f"metrics[{place}]: {error}")
    if not objectives:
        return BestCell()
    return ParetoCell(objectives=objectives) if keep is None else ParetoCell(objectives=objectives, keep=keep)
