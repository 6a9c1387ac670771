"""Which names a Python file binds, where each may be read, and what each seems to hold.

A guess, made without running anything, whose purpose is that edited programs still run.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from evolve.operators.python_file import PythonFile
from evolve.operators.python_syntax import walked

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Holds(StrEnum):
    """What a name seems to hold, by how the program uses it."""

    NUMBER = "number"
    INDEX = "index"
    ARRAY = "array"
    OTHER = "other"


_RANK = {kind: rank for rank, kind in enumerate((Holds.NUMBER, Holds.INDEX, Holds.ARRAY, Holds.OTHER))}
_REDUCING = frozenset(
    {"sum", "min", "max", "mean", "median", "std", "prod", "argmin", "argmax", "dot", "norm", "any", "all"}
)


@dataclass(frozen=True, slots=True)
class Binding:
    """A name and the stretch of text in which it is surely bound."""

    name: str
    start: int
    end: int


class Names:
    """The names of one file."""

    def __init__(self, file: PythonFile) -> None:
        self.file = file
        self._own: dict[ast.AST, frozenset[str]] = {}
        self.bindings = sorted(self._bindings(), key=lambda each: (each.start, each.end, each.name))
        self.module_names = frozenset(binding.name for binding in self.bindings if binding.end == len(file.text))

    @cached_property
    def held(self) -> dict[str, Holds]:
        """What each name seems to hold: where the program says two things, the later of the list in `Holds`."""
        found: dict[str, Holds] = {}
        for node in self.file.all_nodes:
            for name, kind in _evidence(node):
                if name not in found or _RANK[kind] > _RANK[found[name]]:
                    found[name] = kind
        for _ in range(2):
            for node in self.file.all_nodes:
                if isinstance(node, ast.Assign) and _is_array(node.value, found):
                    for name, _kind in _named(node.targets, Holds.ARRAY):
                        found[name] = max(found.get(name, Holds.ARRAY), Holds.ARRAY, key=_RANK.__getitem__)
        return found

    def holds(self, name: str) -> Holds:
        """What the name seems to hold."""
        return self.held.get(name, Holds.OTHER)

    def visible_at(self, node: ast.AST) -> list[str]:
        """Names that are surely bound where the node is evaluated, in order of name."""
        position = self.file.span(node)[0]
        bound = [each for each in self.bindings if each.start <= position < each.end]
        names = {each.name for each in bound}
        functions = self._functions_around(node)
        if functions:
            names |= self.module_names
        for function in functions:
            start = self.file.span(function)[0]
            names -= self._own_names(function) - {each.name for each in bound if each.start > start}
        return sorted(names)

    def alike(self, name: str, node: ast.AST) -> list[str]:
        """Other visible names that seem to hold the same kind of thing; none if nothing is known about the name."""
        kind = self.holds(name)
        if kind is Holds.OTHER:
            return []
        return [other for other in self.visible_at(node) if other != name and self.holds(other) is kind]

    def numbers_at(self, node: ast.AST) -> list[str]:
        """Visible names that seem to hold single numbers."""
        return [name for name in self.visible_at(node) if self.holds(name) is Holds.NUMBER]

    def _functions_around(self, node: ast.AST) -> list[ast.expr | ast.stmt]:
        functions: list[ast.expr | ast.stmt] = []
        while node in self.file.parent_of:
            node = self.file.parent_of[node]
            if isinstance(node, _FUNCTIONS):
                functions.append(node)
        return functions

    def _own_names(self, function: ast.AST) -> frozenset[str]:
        """Names that the function assigns: none of them can be read as a name of the module there."""
        if function not in self._own:
            body = function.body if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) else []
            inside = ast.Module(body, [])
            shared = {name for each in walked(inside) if isinstance(each, ast.Global) for name in each.names}
            self._own[function] = frozenset(stored_names(inside) - shared)
        return self._own[function]

    def _bindings(self) -> Iterator[Binding]:
        for node in self.file.all_nodes:
            if isinstance(node, _FUNCTIONS):
                body = node.body if isinstance(node.body, list) else [node.body]
                start, end = self.file.span(body[0])[0], self.file.span(body[-1])[1]
                yield from (Binding(name, start, end) for name in _parameters(node.args))
            elif isinstance(node, _COMPREHENSIONS):
                start, end = self.file.span(node)
                for generator in node.generators:
                    yield from (Binding(name, start, end) for name in _targets(generator.target))
            if isinstance(node, ast.stmt):
                yield from self._bound_by(node)

    def _bound_by(self, statement: ast.stmt) -> Iterator[Binding]:
        owner = self.file.parent_of[statement]
        if isinstance(owner, ast.ClassDef):
            return
        start, stop = self.file.span(statement)
        end = len(self.file.text) if isinstance(owner, ast.Module) else self._end_of_list(owner, statement)
        if isinstance(statement, ast.For | ast.AsyncFor):
            body_start = self.file.span(statement.body[0])[0]
            body_end = self.file.span(statement.body[-1])[1]
            yield from (Binding(name, body_start, body_end) for name in _targets(statement.target))
        elif isinstance(statement, ast.With | ast.AsyncWith):
            inside = self.file.span(statement.body[0])[0]
            for item in statement.items:
                if item.optional_vars is not None:
                    yield from (Binding(name, inside, end) for name in _targets(item.optional_vars))
        else:
            first = start if isinstance(statement, ast.FunctionDef) else stop
            yield from (Binding(name, first, end) for name in bound_names(statement))

    def _end_of_list(self, owner: ast.AST, statement: ast.stmt) -> int:
        for field in ("body", "orelse", "finalbody"):
            body = getattr(owner, field, None)
            if isinstance(body, list) and statement in body:
                return self.file.span(body[-1])[1]
        return self.file.span(statement)[1]


def _parameters(arguments: ast.arguments) -> list[str]:
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    stars = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return [each.arg for each in (*found, *stars)]


def _targets(target: ast.AST) -> list[str]:
    return [node.id for node in walked(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def bound_names(statement: ast.stmt) -> list[str]:
    """Names that a simple statement, a definition or an import binds in its own scope."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).split(".")[0] for alias in statement.names]
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [name for target in targets for name in _targets(target)]
    return []


def stored_names(node: ast.AST) -> set[str]:
    """All names that the node stores anywhere inside."""
    stored = {each.id for each in walked(node) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)}
    return stored | {name for each in walked(node) if isinstance(each, ast.stmt) for name in bound_names(each)}


def loaded_names(node: ast.AST) -> set[str]:
    """All names that the node reads anywhere inside; an augmented assignment reads its target."""
    loaded = {each.id for each in walked(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    augmented = [each.target for each in walked(node) if isinstance(each, ast.AugAssign)]
    return loaded | {target.id for target in augmented if isinstance(target, ast.Name)}


def _evidence(node: ast.AST) -> Iterator[tuple[str, Holds]]:
    """What one syntax node tells about the names directly in it."""
    if isinstance(node, ast.BinOp):
        is_text = isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant | ast.JoinedStr)
        if not is_text and not isinstance(node.op, ast.MatMult | ast.BitOr | ast.BitAnd):
            yield from _named((node.left, node.right), Holds.NUMBER)
    elif isinstance(node, ast.Compare):
        if all(isinstance(operator, ast.Lt | ast.Gt | ast.LtE | ast.GtE) for operator in node.ops):
            yield from _named((node.left, *node.comparators), Holds.NUMBER)
    elif isinstance(node, ast.Subscript):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        yield from _named(parts, Holds.INDEX)
        yield from _named((node.value,), Holds.ARRAY)
    elif isinstance(node, ast.Attribute):
        yield from _named((node.value,), Holds.ARRAY if hasattr(np.ndarray, node.attr) else Holds.OTHER)
    elif isinstance(node, ast.Call):
        yield from _named(node.args if _is_named(node.func, "range") else (), Holds.INDEX)
        yield from _named((node.func,), Holds.OTHER)
    elif isinstance(node, ast.stmt):
        yield from _statement_evidence(node)


def _statement_evidence(node: ast.stmt) -> Iterator[tuple[str, Holds]]:
    if isinstance(node, ast.AugAssign):
        yield from _named((node.target,), Holds.NUMBER)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
        kind = Holds.NUMBER if type(node.value.value) in (int, float) else Holds.OTHER
        yield from _named(node.targets, kind)
    elif isinstance(node, ast.For) and isinstance(node.iter, ast.Call) and _is_named(node.iter.func, "range"):
        yield from _named((node.target,), Holds.INDEX)
    elif isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from ((name, Holds.OTHER) for name in bound_names(node))


def _is_array(node: ast.expr, found: dict[str, Holds]) -> bool:
    """Whether the value seems to be an array, given what names hold."""
    if isinstance(node, ast.Name):
        return found.get(node.id) is Holds.ARRAY
    if isinstance(node, ast.BinOp):
        return _is_array(node.left, found) or _is_array(node.right, found)
    if isinstance(node, ast.UnaryOp):
        return _is_array(node.operand, found)
    if isinstance(node, ast.Subscript):
        return _is_array(node.value, found) and isinstance(node.slice, ast.Slice | ast.Tuple)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        whole = node.func.attr in _REDUCING and len(node.args) + len(node.keywords) < 1 + _is_module(node.func.value)
        return not whole and (_is_module(node.func.value) or _is_array(node.func.value, found))
    return False


def _is_module(node: ast.expr) -> bool:
    return _is_named(node, "np") or _is_named(node, "numpy")


def _named(nodes: Sequence[ast.expr], holds: Holds) -> Iterator[tuple[str, Holds]]:
    return ((node.id, holds) for node in nodes if isinstance(node, ast.Name))


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
