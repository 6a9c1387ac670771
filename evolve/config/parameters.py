"""Parameters of a problem: one folder for a whole family, such as all formats of matrix multiplication.

`[parameters]` of problem.toml gives every parameter a default. Other values make another problem: its name carries
them, and the best known value is that of the row of `known.file` with these values, if there is one. Several values of
one parameter make a family, see `evolve.config.family`.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluators.errors import EvaluatorError
from evaluators.spec import CONSTRUCTION_FAMILY
from evolve.config.family import family_tables, family_words, is_family, whole_numbers
from evolve.config.mistakes import did_you_mean
from evolve.errors import ProblemError

KNOWN_KEYS = ("source", "year", "alphaevolve")


def with_parameters(
    raw: Mapping[str, Any], given: Mapping[str, str | int], folder: Path, *, generalize: bool = False
) -> dict[str, Any]:
    """The tables of the same problem with other values of its parameters, or for several values of one.

    Raises:
        ProblemError: it has no such parameter, or a value is of the wrong kind.
    """
    defaults = raw.get("parameters")
    defaults = defaults if isinstance(defaults, dict) else {}
    many = [name for name in given if is_family(given[name]) and isinstance(defaults.get(name), int)]
    values = {**defaults, **{name: _value(name, given[name], defaults) for name in given if name not in many}}
    own = raw.get("family")
    own = own if isinstance(own, dict) else {}
    if many or generalize or own.get("generalize") is True:
        if not many and own.get("parameter") in given:
            raise ProblemError(
                f"{own['parameter']} is what varies, and has one value: {str(given[own['parameter']])[:40]}",
                hint="give two sizes or more, or leave --generalize out",
            )
        return _family(raw, {name: given[name] for name in many}, values, folder)
    if values == defaults:
        return dict(raw)
    _require_possible(raw, [values])
    told = ", ".join(f"{name} = {value}" for name, value in values.items())
    name = "_".join(f"{name}{value}" for name, value in values.items())
    return _renamed(raw, name, told, f"Here {told}.", _known(raw.get("known"), values, folder)) | {"parameters": values}


def _family(raw: Mapping[str, Any], many: Mapping[str, Any], values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The tables of a run that generalises: over the parameter with several values, or that of `[family]`."""
    table = raw.get("family")
    if len(many) > 1:
        raise ProblemError(f"{' and '.join(many)} have several values", hint="a family has one parameter that varies")
    if not many and not isinstance(table, dict):
        example = next((name for name, value in values.items() if isinstance(value, int)), None)
        hint = f"give sizes: --parameter {example}=5,7,9/11 searches with three and holds one out"
        hint = hint if example else "only constructions with [parameters] have sizes"
        raise ProblemError("the problem has no table [family]: nobody says which sizes are meant", hint=hint)
    varied = next(iter(many), None) or str(table.get("parameter"))  # type: ignore[union-attr]
    known = _known_sizes(raw, varied, values, folder)
    family = family_tables(table, varied, many.get(varied), values, known)
    sizes = whole_numbers(family.get("sizes"))
    if varied not in values or not sizes:
        return {**raw, "family": family}  # the tables' own checks tell what is wrong
    _require_possible(raw, [{**values, varied: size} for size in (*sizes, *whole_numbers(family.get("held_out")))])
    short, told = family_words(varied, sizes)
    fixed = {name: value for name, value in values.items() if name != varied}
    name = "_".join([short, *(f"{name}{value}" for name, value in fixed.items())])
    told = ", ".join([told, *(f"{name} = {value}" for name, value in fixed.items())])
    baseline = family.get("baseline")
    yardstick = str(baseline) if baseline else "the best known one"
    statement = (
        f"The program is judged for {told} and has to work for every {varied}: what counts is its value relative to "
        f"{yardstick}, on average, and in the end that for values of {varied} which are not among these."
    )
    score = f"mean of values relative to {yardstick}"
    best = {"value": 1.0, "kind": score, "source": "each size at its best known value"}
    changed = _renamed(raw, name, told, statement, None if baseline else best)
    changed["problem"]["score"] = f"{score}; higher is better"
    return changed | {"parameters": dict(values), "family": family}


def _require_possible(raw: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]]) -> None:
    """Refuse values that the problem's verifier does not know.

    Raises:
        ProblemError: one of them is out of range.
    """
    evaluator = raw.get("evaluator")
    options = evaluator.get("options") if isinstance(evaluator, dict) else None
    verifier = options.get("verifier") if isinstance(options, dict) else None
    if not isinstance(verifier, str) or evaluator.get("family") != CONSTRUCTION_FAMILY:  # type: ignore[union-attr]
        return
    # Exact arithmetic is slow to import, and other problems do without it.
    from evaluators.constructions.registry import checked_parameters, verifier_named

    try:
        for values in wanted:
            checked_parameters(verifier_named(verifier), values)
    except EvaluatorError as error:
        raise ProblemError(str(error), hint="give other values with --parameter") from error


def _renamed(
    raw: Mapping[str, Any], name: str, told: str, statement: str, known: Mapping[str, Any] | None
) -> dict[str, Any]:
    problem = dict(raw.get("problem") or {})
    problem["name"] = f"{problem.get('name')}_{name}".lower()
    problem["title"] = f"{problem.get('title')} ({told})"
    problem["statement"] = f"{str(problem.get('statement', '')).rstrip()}\n{statement}\n"
    changed = {**raw, "problem": problem}
    changed.pop("known", None)
    return changed if known is None else {**changed, "known": dict(known)}


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


def _known(known: object, values: Mapping[str, Any], folder: Path) -> dict[str, Any] | None:
    if not isinstance(known, dict):
        return None
    for row in known_values(known, folder):
        if all(row.get(name) == str(value) for name, value in values.items()):
            found: dict[str, Any] = {key: known[key] for key in ("kind", "direction", "file") if key in known}
            found["value"] = float(row["value"])
            found |= {key: _read(key, row[key]) for key in KNOWN_KEYS if row.get(key)}
            return found
    return None


def _known_sizes(raw: Mapping[str, Any], varied: str, values: Mapping[str, Any], folder: Path) -> dict[int, float]:
    """The best known values by size, all other parameters as they are."""
    known, defaults = raw.get("known"), raw.get("parameters")
    if not isinstance(known, dict) or not isinstance(defaults, dict):
        return {}
    fixed = {name: str(value) for name, value in values.items() if name != varied}
    rows = [row for row in known_values(known, folder) if all(row.get(name) == value for name, value in fixed.items())]
    found = {int(row[varied]): float(row["value"]) for row in rows if str(row.get(varied)).isdecimal()}
    is_default = all(str(defaults[name]) == value for name, value in fixed.items())
    own = {defaults[varied]: known["value"]} if is_default and varied in defaults and "value" in known else {}
    return own | found


def _read(key: str, text: str) -> Any:
    return int(text) if key == "year" else float(text) if key == "alphaevolve" else text
