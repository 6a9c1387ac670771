"""Parameters of a problem: one folder for a whole family, such as all formats of matrix multiplication.

`[parameters]` of problem.toml gives every parameter a default. Other values make another problem: its name carries
them, and the best known value is that of the row of `known.file` with these values, if there is one.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evolve.config.mistakes import did_you_mean
from evolve.errors import ProblemError

KNOWN_KEYS = ("source", "year", "alphaevolve")


def with_parameters(raw: Mapping[str, Any], given: Mapping[str, str | int], folder: Path) -> dict[str, Any]:
    """The tables of the same problem with other values of its parameters.

    Raises:
        ProblemError: it has no such parameter, or a value is of the wrong kind.
    """
    defaults = raw.get("parameters")
    defaults = defaults if isinstance(defaults, dict) else {}
    values = {**defaults, **{name: _value(name, given[name], defaults) for name in given}}
    if values == defaults:
        return dict(raw)
    problem, known = dict(raw.get("problem") or {}), raw.get("known")
    told = ", ".join(f"{name} = {value}" for name, value in values.items())
    problem["name"] = f"{problem.get('name')}_{'_'.join(f'{name}{value}' for name, value in values.items())}".lower()
    problem["title"] = f"{problem.get('title')} ({told})"
    problem["statement"] = f"{str(problem.get('statement', '')).rstrip()}\nHere {told}.\n"
    changed = {**raw, "problem": problem, "parameters": values}
    changed.pop("known", None)
    if isinstance(known, dict) and (found := _known(known, values, folder)) is not None:
        changed["known"] = found
    return changed


def _value(name: str, given: str | int, defaults: Mapping[str, Any]) -> str | int:
    if name not in defaults:
        hint = did_you_mean(name, defaults) or f"its parameters: {', '.join(defaults) or 'none'}"
        raise ProblemError(f"the problem has no parameter {name!r}", hint=hint)
    if not isinstance(defaults[name], int):
        return str(given)
    try:
        return int(given)
    except ValueError:
        raise ProblemError(f"the parameter {name} is {str(given)[:40]!r}, expected a whole number") from None


def known_values(known: Mapping[str, Any], folder: Path) -> list[dict[str, str]]:
    """The rows of `known.file`, or none.

    Raises:
        ProblemError: it cannot be read.
    """
    file = known.get("file")
    if not isinstance(file, str):
        return []
    try:
        with (folder / file).open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProblemError(f"cannot read {folder / file}: {error}", hint="known.file names a CSV file") from error


def _known(known: Mapping[str, Any], values: Mapping[str, Any], folder: Path) -> dict[str, Any] | None:
    for row in known_values(known, folder):
        if all(row.get(name) == str(value) for name, value in values.items()):
            found: dict[str, Any] = {key: known[key] for key in ("kind", "direction", "file") if key in known}
            found["value"] = float(row["value"])
            found |= {key: _read(key, row[key]) for key in KNOWN_KEYS if row.get(key)}
            return found
    return None


def _read(key: str, text: str) -> Any:
    return int(text) if key == "year" else float(text) if key == "alphaevolve" else text
