"""Edits of whole statements: deleted, doubled, exchanged, inserted, repeated, guarded. Names stay bound."""

import ast
import textwrap
from collections.abc import Callable

import numpy as np

from evolve.operators.python_expressions import Site, Splice, pick, small_number
from evolve.operators.python_names import Holds, loaded_names, stored_names
from evolve.operators.python_syntax import walked

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_FIXED = (*_DEFINITIONS, ast.Return, ast.Global, ast.Nonlocal, ast.Raise, ast.Assert, ast.Try)
_JUMPS = (ast.Return, ast.Break, ast.Continue, ast.Yield, ast.YieldFrom, *_DEFINITIONS)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def movable(site: Site) -> list[tuple[ast.stmt, tuple[int, int]]]:
    """Open statements on lines of their own that are no definition, import or return, with their lines."""
    found = []
    for statement in site.file.nodes:
        if isinstance(statement, ast.stmt) and not isinstance(statement, (*_FIXED, ast.Pass)):
            lines = site.file.statement_lines(statement)
            if lines is not None:
                found.append((statement, lines))
    return found


def body_of(site: Site, statement: ast.stmt) -> list[ast.stmt]:
    """The list of statements that holds this one."""
    owner = site.file.parent_of[statement]
    for field in ("body", "orelse", "finalbody"):
        body = getattr(owner, field, None)
        if isinstance(body, list) and statement in body:
            return body
    return [statement]


def function_of(site: Site, node: ast.AST) -> ast.AST:
    """The innermost function around the node, or the module."""
    while node in site.file.parent_of:
        node = site.file.parent_of[node]
        if isinstance(node, _FUNCTIONS):
            return node
    return node


def laid_out(statement: ast.stmt, indent: str) -> str:
    """The statement's text at the given indentation, with its line break."""
    return textwrap.indent(ast.unparse(ast.fix_missing_locations(statement)), indent) + "\n"


def local_names_at(site: Site, statement: ast.stmt) -> list[str]:
    """Names that are bound before the statement and belong to its own function, so that it may assign them."""
    position = site.file.span(statement)[0]
    scope = function_of(site, statement)
    start = 0 if isinstance(scope, ast.Module) else site.file.span(scope)[0]
    names = {each.name for each in site.names.bindings if start < each.start <= position < each.end}
    if isinstance(scope, _FUNCTIONS):
        names |= {each.arg for each in walked(scope.args) if isinstance(each, ast.arg)}
    else:
        names |= {each.name for each in site.names.bindings if each.start <= position < each.end}
    return sorted(names)


def stays_bound(site: Site, statement: ast.stmt) -> bool:
    """Whether everything still runs without the statement: its names are bound before it or never read elsewhere."""
    bound = set(local_names_at(site, statement))
    fresh = stored_names(statement) - bound
    scope = function_of(site, statement)
    inside = {id(each) for each in walked(statement)}
    read = {
        each.id
        for each in walked(scope)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and id(each) not in inside
    }
    return not fresh & read


def deleted(site: Site, rng: np.random.Generator) -> Splice:
    """Leave out a statement that nothing later needs; an emptied body becomes `pass`."""
    options = [(each, lines) for each, lines in movable(site) if stays_bound(site, each)]
    if not options:
        return []
    statement, (start, end) = pick(options, rng)
    alone = len(body_of(site, statement)) == 1
    return [(start, end, f"{site.file.indent_of(statement)}pass\n" if alone else "")]


def _repeatable(site: Site) -> list[tuple[ast.stmt, tuple[int, int]]]:
    """Statements that do something new the second time: they read what they store, or call something."""
    return [
        (each, lines)
        for each, lines in movable(site)
        if (loaded_names(each) & stored_names(each) or isinstance(each, ast.For | ast.While | ast.Expr))
        and not any(isinstance(inner, _JUMPS) for inner in walked(each))
        and not (isinstance(each, ast.Expr) and not isinstance(each.value, ast.Call))
    ]


def doubled(site: Site, rng: np.random.Generator) -> Splice:
    """Run a statement twice in a row."""
    options = _repeatable(site)
    if not options:
        return []
    _, (start, end) = pick(options, rng)
    return [(end, end, site.file.text[start:end])]


def repeated(site: Site, rng: np.random.Generator) -> Splice:
    """Run a statement two to four times in a loop."""
    options = _repeatable(site)
    if not options:
        return []
    statement, (start, end) = pick(options, rng)
    count = ast.Call(ast.Name("range", ast.Load()), [ast.Constant(int(rng.integers(2, 5)))], [])
    loop = ast.For(ast.Name("_", ast.Store()), count, [statement], [])
    return [(start, end, laid_out(loop, site.file.indent_of(statement)))]


def exchanged(site: Site, rng: np.random.Generator) -> Splice:
    """Exchange two neighbouring statements of which one reads what the other stores, if all names stay bound."""
    lines_of = {id(each): lines for each, lines in movable(site)}
    options = []
    for first, _ in movable(site):
        body = body_of(site, first)
        index = body.index(first)
        if index + 1 == len(body) or id(body[index + 1]) not in lines_of:
            continue
        second = body[index + 1]
        depends = stored_names(first) & (loaded_names(second) | stored_names(second))
        depends |= stored_names(second) & loaded_names(first)
        needed = stored_names(first) & loaded_names(second)
        if depends and needed <= set(local_names_at(site, first)):
            options.append((lines_of[id(first)], lines_of[id(second)]))
    if not options:
        return []
    first_lines, second_lines = pick(options, rng)
    text = site.file.text
    return [(*first_lines, text[slice(*second_lines)]), (*second_lines, text[slice(*first_lines)])]


def inserted(site: Site, rng: np.random.Generator) -> Splice:
    """After some statement, scale a number, pull it towards another, or add a share of another."""
    options = []
    for statement, lines in movable(site):
        locals_ = set(local_names_at(site, statement)) | _surely_stored(statement)
        numbers = sorted(name for name in locals_ if site.names.holds(name) in (Holds.NUMBER, Holds.ARRAY))
        if numbers:
            options.append((statement, lines, numbers))
    if not options:
        return []
    statement, (_, end), numbers = pick(options, rng)
    name = pick(numbers, rng)
    scalars = [each for each in numbers if site.names.holds(each) is Holds.NUMBER]
    others = {*site.names.numbers_at(statement), *(scalars if rng.random() < 0.9 else numbers)} - {name}
    value: ast.expr = ast.Name(name, ast.Load())
    number = small_number(rng)
    if not others or rng.random() < 0.5:
        value = ast.BinOp(value, ast.Mult(), ast.Constant(number))
    else:
        other = ast.Name(pick(sorted(others), rng), ast.Load())
        share = float(f"{0.1 ** rng.uniform(0.3, 3.0):.2g}")
        difference: ast.expr = ast.BinOp(other, ast.Sub(), value) if rng.random() < 0.5 else other
        value = ast.BinOp(value, ast.Add(), ast.BinOp(ast.Constant(share), ast.Mult(), difference))
    new = ast.Assign([ast.Name(name, ast.Store())], value)
    return [(end, end, laid_out(new, site.file.indent_of(statement)))]


def _surely_stored(statement: ast.stmt) -> set[str]:
    return stored_names(statement) if isinstance(statement, ast.Assign | ast.AugAssign) else set()


def guarded(site: Site, rng: np.random.Generator) -> Splice:
    """Run a statement only where a condition of the program holds, or at every second or third turn of a loop."""
    options = []
    for statement, lines in movable(site):
        visible = set(site.names.visible_at(statement))
        if stays_bound(site, statement) and not any(isinstance(each, _DEFINITIONS) for each in walked(statement)):
            tests = [test for test in _conditions(site, rng) if loaded_names(test) <= visible]
            if tests:
                options.append((statement, lines, tests))
    if not options:
        return []
    statement, (start, end), tests = pick(options, rng)
    new = ast.If(pick(tests, rng), [statement], [])
    return [(start, end, laid_out(new, site.file.indent_of(statement)))]


def _conditions(site: Site, rng: np.random.Generator) -> list[ast.expr]:
    tests: list[ast.expr] = [each.test for each in site.file.nodes if isinstance(each, ast.If | ast.IfExp)]
    for loop in site.file.nodes:
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) and loop.target.id != "_":
            is_range = isinstance(loop.iter, ast.Call) and getattr(loop.iter.func, "id", "") == "range"
            if is_range:
                turn = ast.BinOp(ast.Name(loop.target.id, ast.Load()), ast.Mod(), ast.Constant(int(rng.integers(2, 4))))
                tests.append(ast.Compare(turn, [ast.Eq()], [ast.Constant(0)]))
    return tests


def unguarded(site: Site, rng: np.random.Generator) -> Splice:
    """Put what a condition guards in the place of the condition, always run."""
    options = [
        (each, lines)
        for each, lines in movable(site)
        if isinstance(each, ast.If) and not isinstance(each.body[-1], ast.Break | ast.Continue | ast.Return | ast.Raise)
    ]
    if not options:
        return []
    statement, (start, end) = pick(options, rng)
    if site.file.text[start:end].lstrip().startswith("elif"):
        return []
    indent = site.file.indent_of(statement)
    return [(start, end, "".join(laid_out(each, indent) for each in statement.body))]


STATEMENT_EDITS: tuple[tuple[Callable[[Site, np.random.Generator], Splice], float], ...] = (
    (deleted, 1.0),
    (doubled, 0.5),
    (repeated, 0.3),
    (exchanged, 0.6),
    (inserted, 1.5),
    (guarded, 0.5),
    (unguarded, 0.3),
)
