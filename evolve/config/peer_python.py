"""What can be known of another engine's Python files without running them."""

import ast
import importlib.util
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_SOURCE_BYTES = 4 << 20
PRELOADABLE = ("numpy", "scipy", "sympy", "networkx")
"""Packages slow to import that start no threads: they may be imported before candidates are forked."""

SERVING = (
    "argparse",
    "asyncio",
    "base64",
    "concurrent.futures.thread",
    "dataclasses",
    "importlib.util",
    "json",
    "multiprocessing.dummy",
    "runpy",
    "shlex",
    "subprocess",
    "tempfile",
    "traceback",
)
"""What serving an evaluator takes, and what most of them import."""


@dataclass(frozen=True, slots=True)
class Import:
    """A module that a file imports, and whether the file does without it: inside a function or under `try`."""

    name: str
    line: int
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A Python file that parses."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of its functions at the top."""
        return tuple(each.name for each in self.tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))

    @property
    def summary(self) -> str:
        """Its docstring."""
        return ast.get_docstring(self.tree) or ""


def is_inside(path: Path, folder: Path) -> bool:
    """Whether this is a file of the folder and no link out of it: who wrote it shall not choose what else is read."""
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


def read_source(path: Path) -> Source:
    """Read and parse a file.

    Raises:
        ValueError, OSError: it cannot be read, or is no Python; the text says why.
    """
    if not path.is_file():
        raise FileNotFoundError(2, "it is no file", str(path))
    data = path.read_bytes()
    if len(data) > MAX_SOURCE_BYTES:
        raise ValueError(f"it has {len(data)} bytes")
    text = data.decode("utf-8-sig")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Source(path, text, ast.parse(text))
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("it is nested too deeply") from error


def try_source(path: Path) -> Source | None:
    """The same, or None where there is no such file or no Python in it."""
    try:
        return read_source(path)
    except (OSError, ValueError):
        return None


def imports_of(tree: ast.Module) -> Iterator[Import]:
    """Every import of a file, relative ones left out."""
    yield from _imports(tree.body, is_certain=True)


def _imports(nodes: Sequence[ast.AST], *, is_certain: bool) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, is_certain) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield Import(node.module, node.lineno, is_certain)
            yield from (Import(f"{node.module}.{each.name}", node.lineno, False) for each in node.names)
        else:
            # What runs only sometimes may never be needed.
            may_skip = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Try | ast.If)
            yield from _imports(list(ast.iter_child_nodes(node)), is_certain=is_certain and not may_skip)


def local_file(name: str, homes: Sequence[Path]) -> Path | None:
    """The file of the folder that a module name means, if it means one."""
    for home in homes:
        place = home.joinpath(*name.split("."))
        for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if path.is_file():
                return path
        if place.is_dir():
            return place
    return None


def needed(sources: Sequence[Source], homes: Sequence[Path]) -> dict[str, tuple[Source, Import]]:
    """Modules from outside the folder that these files, and those of the folder they import, certainly import."""
    found: dict[str, tuple[Source, Import]] = {}
    waiting = list(sources)
    seen = {source.path.resolve() for source in sources}
    while waiting:
        source = waiting.pop()
        for each in imports_of(source.tree):
            path = local_file(each.name, homes)
            if path is None and local_file(each.name.partition(".")[0], homes) is None:
                if each.is_certain:
                    found.setdefault(each.name, (source, each))
                continue
            follows = path is not None and path.suffix == ".py" and path.resolve() not in seen
            if follows and path is not None and (other := try_source(path)) is not None:
                seen.add(path.resolve())
                waiting.append(other)
    return found


def is_installed(name: str) -> bool:
    """Whether the package of this module is there; imports nothing."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def preloads(sources: Sequence[Source]) -> tuple[str, ...]:
    """What candidates should find already imported: the slow packages that these files use."""
    wanted = {"numpy", *SERVING}
    for source in sources:
        for each in imports_of(source.tree):
            top = each.name.partition(".")[0]
            if top in PRELOADABLE and is_installed(top) and _is_module(each.name):
                wanted.add(each.name)
    return tuple(sorted(wanted))


def _is_module(name: str) -> bool:
    """Whether a dotted name is a public module of an installed package, judged by its files."""
    top, *rest = name.split(".")
    if any(part.startswith("_") for part in rest) or len(rest) > 1:
        return False
    spec = importlib.util.find_spec(top)
    homes = [Path(home) for home in (spec.submodule_search_locations or ())] if spec is not None else []
    return not rest or any((home / rest[0] / "__init__.py").is_file() for home in homes)


def texts_at_top(tree: ast.Module) -> dict[str, str]:
    """Names at the top of a file that hold text written out there."""
    known: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            text = text_value(node.value, known)
            if text is not None:
                known[node.targets[0].id] = text
    return known


def text_value(node: ast.expr | None, known: Mapping[str, str]) -> str | None:
    """The text of an expression of literals, names of known texts, `+`, and the usual ways to trim them."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return known.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = text_value(left, known), text_value(right, known)
            return None if first is None or second is None else first + second
        case ast.Call(func=ast.Attribute(value=inner, attr=("strip" | "lstrip" | "rstrip") as how), args=[]):
            whole = text_value(inner, known)
            return None if whole is None else str(getattr(whole, how)())
    return None


def calls_of(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    """Every call of a function of this name, bare or behind a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if (isinstance(called, ast.Name) and called.id == name) or (
                isinstance(called, ast.Attribute) and called.attr == name
            ):
                yield node


def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """The argument of this name, or at this position."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is not None and position < len(call.args):
        return call.args[position]
    return None
