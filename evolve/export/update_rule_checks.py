"""What keeps a text from becoming an optimizer: what torch does otherwise than numpy, and what no rule needs.

This is no jail. It finds accidents, and keeps plain mischief out of a file that somebody will import.
"""

import ast
from collections.abc import Iterator

from evolve.export.heading import printable
from evolve.export.update_rule_names import ATTRIBUTES, FORBIDDEN, MODULES, NAMES, OURS

NUMPY = "numpy"


def reasons_against(text: str, tree: ast.Module, namespace: str, *, form: str) -> list[str]:
    """Every reason, with its line. For numpy, what torch lacks does not count; nothing counts that is only read."""
    if form not in ("torch", NUMPY):
        return []
    modules = MODULES | ({NUMPY} if form == NUMPY else set())
    reasons = [*_hidden(text), *_needless(tree, modules)]
    if form != NUMPY:
        reasons += _unlike_torch(tree, namespace)
    return list(dict.fromkeys(reasons))


def _hidden(text: str) -> Iterator[str]:
    """Characters that an editor hides or obeys: what is read must be what runs."""
    for number, line in enumerate(text.split("\n"), start=1):
        for each in line.replace("\t", " "):
            if not each.isprintable():
                yield f"line {number}: it holds the character {printable(each)}, which does not print"


def _needless(tree: ast.Module, modules: frozenset[str] | set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (_import(node.lineno, each.name, modules) for each in names if each.name not in modules)
            case ast.ImportFrom(module=module) if module not in modules or node.level:
                yield _import(node.lineno, module or ".", modules)
            case ast.Attribute(attr=name) if name.startswith("_"):
                yield f"line {node.lineno}: the attribute {name}"
            case ast.Name(id=name) if name in FORBIDDEN or name.startswith("__"):
                yield f"line {node.lineno}: the name {name}"
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name) if name in OURS:
                yield f"line {node.lineno}: the name {name}, which the class around the rule has"
            case ast.AsyncFunctionDef() | ast.Await() | ast.Global() | ast.Nonlocal():
                yield f"line {node.lineno}: {type(node).__name__} (a rule keeps what it knows in `state`)"


def _import(line: int, module: str, modules: frozenset[str] | set[str]) -> str:
    return f"line {line}: it imports {module}, allowed are {', '.join(sorted(modules))}"


def _unlike_torch(tree: ast.Module, namespace: str) -> Iterator[str]:
    """Names that torch lacks, or gives another meaning without a word."""
    imported = {
        (each.asname or each.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for each in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=owner)) if owner in imported:
                continue
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == namespace:
                if name not in NAMES:
                    yield f"line {node.lineno}: {namespace}.{name} is not among the names that numpy and torch share"
            case ast.Attribute(attr=name) if name not in ATTRIBUTES and not name.startswith("_"):
                yield f"line {node.lineno}: .{name} may mean something else in torch: use the names of {namespace}"
