"""Edits of one expression: another operator, name or function; wrapped, shortened, turned round.

Each edit takes a site and a random stream and gives the pieces of text to splice, none if it finds nothing to do.
"""

import ast
import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from evolve.operators.python_file import N_REMEMBERED, PythonFile
from evolve.operators.python_names import Holds, Names, loaded_names

Splice = list[tuple[int, int, str]]
Item = TypeVar("Item")

ALTERNATIVES: tuple[tuple[str, ...], ...] = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("argmin", "argmax"),
    ("any", "all"),
    ("floor", "ceil", "round", "rint", "trunc"),
    ("sin", "cos", "tanh", "arctan", "atan"),
    ("sinh", "cosh"),
    ("exp", "expm1", "exp2"),
    ("log", "log1p", "log2", "log10"),
    ("sqrt", "cbrt", "log1p", "square"),
    ("mean", "median", "max", "min", "sum"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("linspace", "geomspace"),
    ("normal", "laplace", "logistic", "gumbel"),
    ("random", "standard_normal"),
)
_BUILT_IN = frozenset({"min", "max", "any", "all", "round", "sum"})
_ARITHMETIC: tuple[type[ast.operator], ...] = (ast.Add, ast.Sub, ast.Mult, ast.Div)
_ORDERINGS: tuple[type[ast.cmpop], ...] = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EQUALITIES: tuple[type[ast.cmpop], ...] = (ast.Eq, ast.NotEq)
_NOT_NUMBERS = (ast.List, ast.Tuple, ast.JoinedStr, ast.Dict, ast.Set, ast.ListComp)


@dataclass(frozen=True, slots=True)
class Site:
    """A file under edit, with what is known about its names."""

    file: PythonFile
    names: Names


@lru_cache(maxsize=N_REMEMBERED)
def site_of(file: PythonFile) -> Site:
    """The site that is this file."""
    return Site(file, Names(file))


def pick(items: Sequence[Item], rng: np.random.Generator) -> Item:
    """One of the items, which must not be empty."""
    return items[int(rng.integers(len(items)))]


def small_number(rng: np.random.Generator) -> float:
    """A short positive float near 1, as a factor."""
    return float(f"{10.0 ** (0.2 * rng.standard_normal()):.3g}")


def _arithmetic(site: Site) -> list[ast.BinOp]:
    return [
        node
        for node in site.file.nodes
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, (*_ARITHMETIC, ast.Pow, ast.FloorDiv, ast.Mod))
        and not any(isinstance(side, _NOT_NUMBERS) or _is_text(side) for side in (node.left, node.right))
    ]


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, int | float)


def is_index(file: PythonFile, node: ast.AST) -> bool:
    """Whether the node is part of a subscript, of a `range`, or otherwise has to be a whole number."""
    while isinstance(node, ast.expr | ast.keyword):
        parent = file.parent_of[node]
        if isinstance(parent, ast.Subscript) and parent.slice is node:
            return True
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "range":
            return True
        if isinstance(parent, ast.keyword) and parent.arg in ("axis", "dtype", "size", "shape"):
            return True
        node = parent
    return False


def numeric_expressions(site: Site) -> list[ast.expr]:
    """Open expressions that seem to hold numbers and need not be whole."""
    arithmetic: list[ast.expr] = list(_arithmetic(site))
    names: list[ast.expr] = [
        node
        for node in site.file.nodes
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and site.names.holds(node.id) in (Holds.NUMBER, Holds.ARRAY)
        and isinstance(site.file.parent_of[node], ast.BinOp | ast.Compare | ast.Assign | ast.AugAssign | ast.Call)
    ]
    return [node for node in (*arithmetic, *names) if not is_index(site.file, node)]


def other_operator(site: Site, rng: np.random.Generator) -> Splice:
    """`a + b` becomes `a * b` or the like; also of an augmented assignment."""
    nodes = [node for node in _arithmetic(site) if not is_index(site.file, node)]
    augmented = [
        each for each in site.file.nodes if isinstance(each, ast.AugAssign) and isinstance(each.op, _ARITHMETIC)
    ]
    if augmented and rng.random() < len(augmented) / (len(augmented) + len(nodes)):
        statement = pick(augmented, rng)
        new = copy.copy(statement)
        new.op = pick([kind for kind in _ARITHMETIC if not isinstance(statement.op, kind)], rng)()
        start, end = site.file.span(statement)
        return [(start, end, ast.unparse(new))]
    if not nodes:
        return []
    node = pick(nodes, rng)
    operator = pick([kind for kind in _ARITHMETIC if not isinstance(node.op, kind)], rng)()
    return [site.file.with_expression(node, ast.BinOp(node.left, operator, node.right))]


def turned_round(site: Site, rng: np.random.Generator) -> Splice:
    """`a - b` becomes `b - a`, `a < b` becomes `b < a`."""
    orderings = [
        each
        for each in site.file.nodes
        if isinstance(each, ast.Compare) and len(each.ops) == 1 and isinstance(each.ops[0], _ORDERINGS)
    ]
    divided = [each for each in _arithmetic(site) if isinstance(each.op, ast.Sub | ast.Div)]
    nodes: list[ast.BinOp | ast.Compare] = [*divided, *orderings]
    if not nodes:
        return []
    node = pick(nodes, rng)
    if isinstance(node, ast.Compare):
        return [site.file.with_expression(node, ast.Compare(node.comparators[0], node.ops, [node.left]))]
    return [site.file.with_expression(node, ast.BinOp(node.right, node.op, node.left))]


def other_comparison(site: Site, rng: np.random.Generator) -> Splice:
    """`<` becomes `<=` or `>` and so on, `==` becomes `!=`, `and` becomes `or`, a condition is negated."""
    nodes = [
        each
        for each in site.file.nodes
        if isinstance(each, ast.BoolOp | ast.If | ast.IfExp)
        or (isinstance(each, ast.Compare) and isinstance(each.ops[0], (*_ORDERINGS, *_EQUALITIES)))
    ]
    if not nodes:
        return []
    node = pick(nodes, rng)
    if isinstance(node, ast.If | ast.IfExp):
        return [site.file.with_expression(node.test, ast.UnaryOp(ast.Not(), node.test))]
    if isinstance(node, ast.BoolOp):
        return [site.file.with_expression(node, ast.BoolOp(_other_boolean(node.op), node.values))]
    kinds = _ORDERINGS if isinstance(node.ops[0], _ORDERINGS) else _EQUALITIES
    operator = pick([kind for kind in kinds if not isinstance(node.ops[0], kind)], rng)()
    return [site.file.with_expression(node, ast.Compare(node.left, [operator, *node.ops[1:]], node.comparators))]


def _other_boolean(operator: ast.boolop) -> ast.boolop:
    return ast.Or() if isinstance(operator, ast.And) else ast.And()


def other_function(site: Site, rng: np.random.Generator) -> Splice:
    """`np.sin(x)` becomes `np.cos(x)`, `min(a, b)` becomes `max(a, b)`: only to functions that exist."""
    options: list[tuple[ast.expr, ast.expr]] = []
    for node in site.file.nodes:
        if isinstance(node, ast.Call) and node.func in site.file.parent_of:
            options += [(node.func, new) for new in _alternatives(node.func)]
    if not options:
        return []
    old, new = pick(options, rng)
    return [site.file.with_expression(old, new)]


def _alternatives(function: ast.expr) -> list[ast.expr]:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    words = sorted({word for group in ALTERNATIVES if name in group for word in group} - {name})
    if isinstance(function, ast.Name):
        return [ast.Name(word, ast.Load()) for word in words if word in _BUILT_IN and name in _BUILT_IN]
    if not isinstance(function, ast.Attribute):
        return []
    return [ast.Attribute(function.value, word, ast.Load()) for word in words if _exists(function.value, word)]


def _exists(base: ast.expr, word: str) -> bool:
    if isinstance(base, ast.Name) and base.id == "math":
        return hasattr(math, word)
    if isinstance(base, ast.Name) and base.id in ("np", "numpy"):
        return hasattr(np, word)
    return hasattr(np.ndarray, word) or hasattr(np.random.Generator, word)


def other_name(site: Site, rng: np.random.Generator) -> Splice:
    """A name becomes another that is surely bound there and seems to hold the same kind of thing."""
    nodes = [
        node
        for node in site.file.nodes
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and site.names.holds(node.id) is not Holds.OTHER
        and not isinstance(site.file.parent_of[node], ast.Attribute)
    ]
    if rng.random() < 0.8:
        nodes = [node for node in nodes if site.names.holds(node.id) is not Holds.ARRAY]
    for _ in range(3 if nodes else 0):
        node = pick(nodes, rng)
        others = site.names.alike(node.id, node)
        if others:
            return [site.file.with_expression(node, ast.Name(pick(others, rng), ast.Load()))]
    return []


def wrapped(site: Site, rng: np.random.Generator) -> Splice:
    """A number `e` becomes `c * e`, `e + c`, `abs(e)`, a blend with another number, or is bounded by one."""
    nodes = numeric_expressions(site)
    if not nodes:
        return []
    node = pick(nodes, rng)
    others = [name for name in site.names.numbers_at(node) if name not in loaded_names(node)]
    kind = rng.random()
    number = ast.Constant(small_number(rng))
    if kind < 0.4:
        new: ast.expr = ast.BinOp(number, ast.Mult(), node)
    elif kind < 0.6:
        step = float(f"{0.1 ** rng.uniform(0.5, 4.0) * (1.0 if rng.random() < 0.5 else -1.0):.3g}")
        new = ast.BinOp(node, ast.Add(), ast.Constant(step))
    elif kind < 0.7 or not others:
        new = ast.Call(ast.Name("abs", ast.Load()), [node], [])
    else:
        other = ast.Name(pick(others, rng), ast.Load())
        share = float(f"{rng.uniform(0.02, 0.98):.2g}")
        new = ast.BinOp(
            ast.BinOp(ast.Constant(share), ast.Mult(), node),
            ast.Add(),
            ast.BinOp(ast.Constant(round(1.0 - share, 3)), ast.Mult(), other),
        )
    return [site.file.with_expression(node, new)]


def shortened(site: Site, rng: np.random.Generator) -> Splice:
    """`a + b` becomes `a` or `b`; a call of one argument becomes the argument."""
    calls = [
        each
        for each in site.file.nodes
        if isinstance(each, ast.Call) and len(each.args) == 1 and not each.keywords and _alternatives(each.func)
    ]
    nodes: list[ast.BinOp | ast.Call] = [*_arithmetic(site), *(each for each in calls if not _reduces(each))]
    if not nodes:
        return []
    node = pick(nodes, rng)
    new = node.args[0] if isinstance(node, ast.Call) else pick([node.left, node.right], rng)
    return [] if isinstance(new, ast.Starred) else [site.file.with_expression(node, new)]


def _reduces(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in {*ALTERNATIVES[0], *ALTERNATIVES[2], *ALTERNATIVES[3], *ALTERNATIVES[10], "zeros", "ones", "random"}


def other_count(site: Site, rng: np.random.Generator) -> Splice:
    """`range(n)` runs longer or shorter, where the loop's own name is not read: nothing is left out of range."""
    loops = [
        each
        for each in site.file.nodes
        if isinstance(each, ast.For)
        and isinstance(each.iter, ast.Call)
        and isinstance(each.iter.func, ast.Name)
        and each.iter.func.id == "range"
        and len(each.iter.args) == 1
        and not isinstance(each.iter.args[0], ast.Starred | ast.Constant)
        and not (isinstance(each.target, ast.Name) and each.target.id in loaded_names(ast.Module(each.body, [])))
    ]
    if not loops:
        return []
    loop = pick(loops, rng)
    assert isinstance(loop.iter, ast.Call)
    count = loop.iter.args[0]
    longer = rng.random() < 0.5
    operator: ast.operator = ast.Mult() if longer else ast.FloorDiv()
    return [site.file.with_expression(count, ast.BinOp(count, operator, ast.Constant(2)))]


EXPRESSION_EDITS: tuple[tuple[Callable[[Site, np.random.Generator], Splice], float], ...] = (
    (other_operator, 1.5),
    (turned_round, 0.7),
    (other_comparison, 0.7),
    (other_function, 1.0),
    (other_name, 1.0),
    (wrapped, 2.0),
    (shortened, 1.0),
    (other_count, 0.5),
)
