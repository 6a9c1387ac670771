"""Families: one program for several sizes of a problem, and what its value at each size is compared with.

A run generalises when it is told to, or when a parameter is given several values: `n=5,7,9`, `n=5..12`, and
`n=5..9/11,13` with sizes that are held out of the search.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evolve.config.table_family import MAX_SIZES, FamilyTable
from evolve.errors import ProblemError

_SYNTAX = "give sizes such as n=5,7,9 or n=5..12, and after a slash those that are held out: n=5..9/11,13"
_OPERATIONS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
_LARGEST_VALUE = 1e300


def is_family(given: object) -> bool:
    """Whether a parameter's value stands for several."""
    return isinstance(given, str) and any(mark in given for mark in (",", "..", "/"))


def family_tables(
    table: object, name: str, given: str | None, parameters: Mapping[str, Any], known: Mapping[int, float]
) -> dict[str, Any]:
    """The table `[family]` of a run that generalises over the parameter `name`.

    `table` is that of the problem, if it has one; `given` replaces its sizes; `known` are the best known values.

    Raises:
        ProblemError: there are no such sizes, or a value that one of them is compared with is missing.
    """
    own = dict(table) if isinstance(table, dict) and table.get("parameter") == name else {}
    if given is not None:
        sizes, held_out = _sizes(name, given)
        left = own.get("held_out", [])
        left = [size for size in left if size not in sizes] if isinstance(left, list) else left
        own |= {"sizes": sizes, "held_out": held_out or left}
    asked = whole_numbers(own.get("sizes"), own.get("held_out"))
    values = {str(size): value for size, value in known.items() if size in asked}
    stated = own.get("known", {})
    own |= {"parameter": name, "generalize": True, "known": values | stated if isinstance(stated, dict) else stated}
    _require_references(own, parameters)
    return own


def judged_family(family: FamilyTable, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the evaluator is told of a family, as JSON data."""
    sizes = (*family.sizes, *family.held_out)
    return {
        "parameter": family.parameter,
        "sizes": list(family.sizes),
        "held_out": list(family.held_out),
        "threshold": family.threshold,
        "references": {
            str(size): _reference(family.known, family.baseline, size, family.parameter, parameters) for size in sizes
        },
    }


def _sizes(name: str, given: str) -> tuple[list[int], list[int]]:
    """The sizes of the search, and those that are held out."""
    searched, _, held_out = given.partition("/")
    found = _listed(name, searched), _listed(name, held_out) if held_out.strip() else []
    if len(found[0]) < 2:
        raise ProblemError(f"{name} = {given[:60]}: a family has two sizes or more to search with", hint=_SYNTAX)
    shared = sorted(set(found[0]) & set(found[1]))
    if shared:
        raise ProblemError(f"{name} = {given[:60]}: {shared[0]} cannot be searched with and held out", hint=_SYNTAX)
    return found


def _listed(name: str, text: str) -> list[int]:
    """`5,7,9..12` as numbers, small ones first."""
    found: set[int] = set()
    for part in text.split(","):
        low, dots, high = part.partition("..")
        try:
            first, last = int(low), int(high if dots else low)
        except ValueError:
            raise ProblemError(f"the sizes of {name} are {text[:60]!r}, expected whole numbers", hint=_SYNTAX) from None
        if last < first:
            raise ProblemError(f"the sizes {first}..{last} of {name} are none", hint=f"{name}={last}..{first}?")
        if last - first >= MAX_SIZES:
            raise ProblemError(f"the sizes {first}..{last} of {name} are more than {MAX_SIZES}: give a few of them")
        found.update(range(first, last + 1))
    return sorted(found)


def whole_numbers(*lists: object) -> list[int]:
    """The whole numbers in what should be lists of them; the rest is told when the tables are checked."""
    return [each for values in lists if isinstance(values, list) for each in values if type(each) is int]


def _require_references(table: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    known, baseline = table["known"], table.get("baseline", "")
    if not isinstance(known, dict) or not isinstance(baseline, str):
        return
    sizes = whole_numbers(table.get("sizes"), table.get("held_out"))
    missing = [size for size in sizes if str(size) not in known]
    if missing and not baseline:
        told = ", ".join(map(str, missing))
        raise ProblemError(
            f"no best value is known for {table['parameter']} = {told}: scores of sizes could not be compared",
            hint='leave these sizes out, add them to known.csv, or give [family] a baseline such as "n ** 2"',
        )
    for size in sizes:
        _reference(known, baseline, size, table["parameter"], parameters)


def _reference(known: Mapping[str, Any], baseline: str, size: int, name: str, parameters: Mapping[str, Any]) -> float:
    """The baseline's value at a size; without a baseline the best known one. One yardstick holds for all sizes."""
    try:
        value = value_of(baseline, {**parameters, name: size}) if baseline else float(known[str(size)])
    except (TypeError, ValueError):
        value = math.nan
    if not 0.0 < value < _LARGEST_VALUE:
        raise ProblemError(
            f"values at {name} = {size} would be compared with {value:g}, expected a number above 0",
            hint="leave the size out, or correct [family] baseline or known",
        )
    return value


def value_of(formula: str, names: Mapping[str, Any]) -> float:
    """The value of a formula of numbers, names, + - * / and **; it is read, never run.

    Raises:
        ProblemError: it is something else, or has no finite value.
    """
    try:
        return _value(ast.parse(formula, mode="eval").body, names)
    except (SyntaxError, ValueError, TypeError, KeyError, ArithmeticError, RecursionError, MemoryError) as error:
        told = ", ".join(name for name, value in names.items() if isinstance(value, int))
        raise ProblemError(
            f"family.baseline is {formula[:60]!r}, expected a formula over {told} with numbers, + - * / and **",
            hint=f"{type(error).__name__}: {error}"[:200],
        ) from error


def _value(node: ast.AST, names: Mapping[str, Any]) -> float:
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_value(node.left, names), _value(node.right, names))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, names)
    if isinstance(node, ast.Name):
        return float(names[node.id])
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    raise ValueError(f"{type(node).__name__} has no place there")


def family_words(name: str, sizes: Sequence[int]) -> tuple[str, str]:
    """A family for the name of a problem, and in words: `n5to12`, `n = 5, 7, 12`."""
    return f"{name}{sizes[0]}to{sizes[-1]}", f"{name} = {', '.join(map(str, sizes))}"
