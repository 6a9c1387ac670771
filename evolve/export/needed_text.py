"""From a whole program to the part that one function needs: its evolve block, and what that uses of the rest.

What surrounds a rule for the judge's sake (loops over tasks, imports) stays behind. The text that stays is verbatim.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from evolve.config.python_text import blocks_of


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines of the file (first and last, from 1): a statement or a whole evolve block, with the names in it."""

    first: int
    last: int
    defines: frozenset[str]
    uses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Needed:
    """The lines that a function needs: as `text` of their own, and `in_place`, where other lines are empty."""

    text: str
    in_place: str


def needed_text(text: str, function: str) -> Needed:
    """The lines of a module that `function` needs, in order.

    Raises:
        CandidateSyntaxError: the markers of evolve blocks do not pair up.
        SyntaxError: the text is no Python.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    pieces = _pieces(text)
    chosen = _closure(pieces, function)
    lines = text.split("\n")
    own = "\n\n\n".join("\n".join(lines[piece.first - 1 : piece.last]).strip("\n") for piece in chosen) + "\n"
    kept = {number for piece in chosen for number in range(piece.first, piece.last + 1)}
    return Needed(own, "\n".join(line if number in kept else "" for number, line in enumerate(lines, start=1)))


def _pieces(text: str) -> list[_Piece]:
    """Every statement of the module that stands in no evolve block, and every block."""
    spans = [(text.count("\n", 0, block.start) + 1, text.count("\n", 0, block.end)) for block in blocks_of(text)]
    inside: dict[tuple[int, int], list[ast.stmt]] = {span: [] for span in spans}
    pieces = []
    for statement in ast.parse(text).body:
        first, last = _first_line(statement), statement.end_lineno or statement.lineno
        span = next((span for span in spans if span[0] <= first and last <= span[1]), None)
        if span is not None:
            inside[span].append(statement)
        elif not _is_text(statement):
            pieces.append(_piece(first, last, [statement]))
    pieces += [_piece(*span, statements) for span, statements in inside.items() if statements]
    return sorted(pieces, key=lambda piece: piece.first)


def _closure(pieces: list[_Piece], function: str) -> list[_Piece]:
    """The pieces that define the function, all that they use, and what changes how the file is read."""
    wanted, chosen = {function, "annotations"}, set[int]()
    grows = True
    while grows:
        more = {i for i, piece in enumerate(pieces) if i not in chosen and piece.defines & wanted}
        wanted.update(*(pieces[i].uses for i in more))
        chosen |= more
        grows = bool(more)
    return [piece for i, piece in enumerate(pieces) if i in chosen]


def _piece(first: int, last: int, statements: Iterable[ast.stmt]) -> _Piece:
    defines: set[str] = set()
    uses: set[str] = set()
    for statement in statements:
        defines |= _defined(statement)
        uses |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return _Piece(first, last, frozenset(defines), frozenset(uses))


def _defined(statement: ast.stmt) -> set[str]:
    """Names that a statement of the module gives a meaning to."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names: set[str] = set()
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {(each.asname or each.name).split(".")[0] for each in aliases}
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                names.add(name)
    return names


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
