"""Edit the literals of a Python candidate: numbers by steps of many sizes, truth values, annotated choices.

A line that ends in `# choices: [8, 16, "fast"]` says which literals its assigned value may become.
"""

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.candidate import Candidate
from evolve.operators.contract import Proposal, Proposing
from evolve.operators.python_file import PythonFile, changed_files, open_files

N_TRIES = 40
LARGEST = 1e300
SMALLEST_STEP = 1e-5

_CHOICES = re.compile(r"#\s*choices:\s*(\[.*\])\s*$", re.MULTILINE)
_SHAPE_CALLS = frozenset({"zeros", "ones", "empty", "full", "eye", "reshape", "arange", "identity"})
_REDUCTIONS = frozenset({"sum", "min", "max", "mean", "median", "std", "var", "prod", "any", "all", "argmin", "argmax"})
_REORDERINGS = frozenset(
    {"sort", "argsort", "cumsum", "diff", "flip", "roll", "repeat", "stack", "concatenate", "take"}
)
_AXIS_CALLS = _REDUCTIONS | _REORDERINGS | {"squeeze", "expand_dims", "swapaxes", "transpose"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal in an evolve block, its sign included. `weight` says how promising a change is."""

    start: int
    end: int
    value: float | int | bool | str
    choices: tuple[str, ...]
    weight: float
    group: int


def literals_of(file: PythonFile) -> list[Literal]:
    """All literals that may be edited, in order of position."""
    found = [literal for node in file.nodes if (literal := _literal(file, node)) is not None]
    return sorted(found, key=lambda literal: literal.start)


def numbers_of(file: PythonFile) -> list[Literal]:
    """The numbers among the literals, in order of position, annotated choices left out."""
    return [each for each in literals_of(file) if not each.choices and type(each.value) in (int, float)]


def _literal(file: PythonFile, node: ast.AST) -> Literal | None:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, int | float | str):
        return None
    whole: ast.expr = node
    value = node.value
    parent = file.parent_of[node]
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub) and not isinstance(value, bool | str):
        whole, value = parent, -value
    start, end = file.span(whole)
    choices = _choices_for(file, whole, end)
    if isinstance(value, str) and not choices:
        return None
    if isinstance(value, int | float) and abs(value) > LARGEST:
        return None
    return Literal(start, end, value, choices, _weight(file, whole), _statement_start(file, whole))


def _choices_for(file: PythonFile, node: ast.expr, end: int) -> tuple[str, ...]:
    parent = file.parent_of[node]
    if not (isinstance(parent, ast.Assign | ast.AnnAssign | ast.keyword | ast.arguments) and "choices" in file.text):
        return ()
    comment = _CHOICES.search(file.text[end : file.line_of(end - 1)[1]].rstrip())
    if comment is None:
        return ()
    try:
        choices = ast.literal_eval(comment[1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    return tuple(repr(choice) for choice in choices if isinstance(choice, bool | int | float | str))


def _weight(file: PythonFile, node: ast.expr) -> float:
    """Small where a change breaks more programs than it mends: subscripts, axes, shapes."""
    is_whole = isinstance(node, ast.Constant) and isinstance(node.value, int)
    child: ast.AST = node
    while isinstance(child, ast.expr | ast.keyword | ast.Slice):
        parent = file.parent_of[child]
        if isinstance(parent, ast.Subscript) and parent.slice is child:
            return 0.05
        if isinstance(parent, ast.keyword) and parent.arg in ("axis", "dtype", "ndmin", "ddof"):
            return 0.02
        if (
            is_whole
            and isinstance(parent, ast.Call)
            and isinstance(parent.func, ast.Attribute)
            and child in parent.args
        ):
            if parent.func.attr in _AXIS_CALLS:
                return 0.02
            if parent.func.attr in _SHAPE_CALLS or isinstance(child, ast.Tuple):
                return 0.05
        child = parent
    return 1.0


def _statement_start(file: PythonFile, node: ast.AST) -> int:
    while not isinstance(node, ast.stmt):
        node = file.parent_of[node]
    return file.span(node)[0]


def number_text(value: float, *, digits: int = 17) -> str:
    """A float literal that reads back as a float, shortened to the given number of significant digits."""
    text = repr(value) if digits >= 17 else f"{value:.{max(digits, 1)}g}"
    return text if any(mark in text for mark in ".en") else f"{text}.0"


@dataclass(frozen=True, slots=True)
class _Step:
    """How far one edit goes: a size drawn log-uniformly over five decades, and whether it is relative."""

    size: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "_Step":
        return cls(float(10.0 ** rng.uniform(math.log10(SMALLEST_STEP), 0.0)))

    @property
    def digits(self) -> int:
        return min(17, 3 + math.ceil(-math.log10(self.size)))


def _moved(value: float, others: Sequence[float], step: _Step, rng: np.random.Generator) -> str:
    """A float near the value, near in another sense, or sometimes quite elsewhere."""
    kind = rng.random()
    if kind < 0.45 and value != 0.0:
        new = value * 10.0 ** (0.3 * step.size * rng.standard_normal() if kind < 0.3 else 0.3 * rng.standard_normal())
    elif kind < 0.75:
        new = value + step.size * rng.standard_normal() * (_spread(others) or abs(value) or 1.0)
    elif kind < 0.83:
        new = float(round(value)) + float(rng.integers(-1, 2))
    elif kind < 0.88:
        new = -value
    elif kind < 0.92 and value != 0.0:
        new = 1.0 / value
    elif kind < 0.96 and others:
        new = others[int(rng.integers(len(others)))]
    else:
        new = value * float(rng.choice([0.5, 2.0, 0.1, 10.0, 2.0 / 3.0, 1.5]))
    return number_text(_bounded(new), digits=step.digits)


def _bounded(value: float) -> float:
    return min(max(value, -LARGEST), LARGEST)


def _spread(values: Sequence[float]) -> float:
    return (max(values) - min(values)) / 4.0 if values else 0.0


def _moved_whole(value: int, rng: np.random.Generator) -> str:
    """A whole number near the value; one that is not negative stays so, mostly."""
    kind = rng.random()
    if kind < 0.5:
        new = value + int(rng.choice([-1, 1]))
    elif kind < 0.65:
        new = value + int(rng.choice([-3, -2, 2, 3]))
    elif kind < 0.9 or abs(value) > 10**15:
        new = round(value * 10.0 ** (0.3 * rng.standard_normal())) if abs(value) <= 10**15 else value // 2
    else:
        new = value * 2 if rng.random() < 0.5 else value // 2
    if value >= 0 > new and rng.random() < 0.9:
        new = 0 if value else 1
    return str(new)


def _new_text(literal: Literal, others: Sequence[float], step: _Step, rng: np.random.Generator) -> str:
    if literal.choices:
        return literal.choices[int(rng.integers(len(literal.choices)))]
    value = literal.value
    if isinstance(value, bool):
        return str(not value)
    if isinstance(value, int):
        return _moved_whole(value, rng)
    return _moved(float(value), others, step, rng)


def _swapped(literals: Sequence[Literal], file: PythonFile, rng: np.random.Generator) -> list[tuple[int, int, str]]:
    """Exchange two unequal numbers of one type, preferably of one statement."""
    first = literals[int(rng.integers(len(literals)))]
    same = [each for each in literals if type(each.value) is type(first.value) and each.value != first.value]
    near = [each for each in same if each.group == first.group]
    partners = near if near and rng.random() < 0.8 else same
    if not partners or first.choices:
        return []
    second = partners[int(rng.integers(len(partners)))]
    if second.choices:
        return []
    return [
        (first.start, first.end, file.text[second.start : second.end]),
        (second.start, second.end, file.text[first.start : first.end]),
    ]


def _shaken(literals: Sequence[Literal], step: _Step, rng: np.random.Generator) -> list[tuple[int, int, str]]:
    """Add noise of one size to all floats of one statement, or to a random share of them: tables of coordinates."""
    anchor = literals[int(rng.integers(len(literals)))]
    group = [each for each in literals if each.group == anchor.group and type(each.value) is float and not each.choices]
    scale = _spread([float(each.value) for each in group]) or abs(float(group[0].value)) if group else 0.0
    share = float(rng.choice([1.0, 0.5, 2.0 / max(len(group), 2)]))
    return [
        (
            each.start,
            each.end,
            number_text(_bounded(float(each.value) + noise * step.size * (scale or 1.0)), digits=step.digits),
        )
        for each, noise, chance in zip(group, rng.standard_normal(len(group)), rng.random(len(group)), strict=True)
        if chance < share
    ]


def edited(file: PythonFile, literals: Sequence[Literal], rng: np.random.Generator) -> str:
    """The file's text with one literal changed, several, two exchanged, or a whole statement's shaken."""
    step = _Step.drawn(rng)
    kind = rng.random()
    if kind < 0.1:
        edits = _swapped(literals, file, rng)
    elif kind < 0.2:
        edits = _shaken(literals, step, rng)
    else:
        count = 1 if kind < 0.7 else min(1 + int(rng.geometric(0.5)), len(literals))
        weights = np.array([each.weight for each in literals])
        picked = rng.choice(len(literals), size=count, replace=False, p=weights / weights.sum())
        edits = []
        for index in sorted(int(each) for each in picked):
            literal = literals[index]
            others = [
                float(each.value) for each in literals if each.group == literal.group and type(each.value) is float
            ]
            edits.append((literal.start, literal.end, _new_text(literal, others, step, rng)))
    return file.spliced([(start, end, file.spaced(start, end, text)) for start, end, text in edits])


class PythonLiteralEdit:
    """Changes numbers, truth values and annotated choices inside the evolve blocks of one parent."""

    name = "literal_edit"
    n_parents = 1

    def __init__(self, *, n_children: int = 1) -> None:
        self.n_children = n_children

    def propose(
        self,
        parents: Sequence[Candidate],
        inspirations: Sequence[Candidate],
        rng: np.random.Generator,
    ) -> Proposing:
        """Yields nothing; children are fewer than `n_children` only if the parent has hardly a literal to change."""
        del inspirations
        yield from ()
        parent = parents[0]
        table = {name: (file, literals_of(file)) for name, file in open_files(parent.files).items()}
        table = {name: (file, literals) for name, (file, literals) in table.items() if literals}
        children: list[Proposal] = []
        for _ in range(N_TRIES * self.n_children if table else 0):
            if len(children) == self.n_children:
                break
            child = _child(parent.files, table, rng)
            if child is not None and all(child != other.files for other in children):
                children.append(Proposal(files=child, parent_ids=(parent.id,)))
        return children


def _child(
    files: Mapping[str, str], table: Mapping[str, tuple[PythonFile, list[Literal]]], rng: np.random.Generator
) -> dict[str, str] | None:
    names = list(table)
    sizes = np.array([len(table[name][1]) for name in names], dtype=float)
    name = names[int(rng.choice(len(names), p=sizes / sizes.sum()))]
    file, literals = table[name]
    return changed_files(files, name, file, edited(file, literals, rng))
