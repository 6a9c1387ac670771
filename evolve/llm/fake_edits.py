"""Small seeded edits of programs by the fake model: numbers of Python blocks, structure of symbolic functions."""

import ast
import io
import random
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BLOCK_START = "# EVOLVE-BLOCK-START"
BLOCK_END = "# EVOLVE-BLOCK-END"
MAX_OPERATIONS = 14
MAX_LITERALS = 12

_OPERATORS: dict[str, type[ast.operator]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div}


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Line `number` (from 0) of a file gets a new text."""

    number: int
    text: str


def edited_line(text: str, rng: random.Random) -> LineEdit | None:
    """One number or sign inside an evolve block, changed; None if there is none."""
    lines = text.split("\n")
    is_open = _open_lines(lines)
    tokens = [token for token in _tokens(text) if token.start[0] <= len(lines) and is_open[token.start[0] - 1]]
    numbers = [token for token in tokens if token.type == tokenize.NUMBER]
    signs = [token for token in tokens if token.type == tokenize.OP and token.string in ("+", "-", "*", "<", ">")]
    if not numbers and not signs:
        return None
    token = rng.choice(numbers or signs)
    new = _moved(token.string, rng) if numbers else {"+": "-", "-": "+", "*": "+", "<": ">", ">": "<"}[token.string]
    number, (start, end) = token.start[0] - 1, (token.start[1], token.end[1])
    return LineEdit(number, lines[number][:start] + new + lines[number][end:])


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError):
        return  # a failed program: what stands before its mistake can still be edited


def _open_lines(lines: Sequence[str]) -> list[bool]:
    """For each line whether it lies in an evolve block."""
    is_open, table = False, []
    for line in lines:
        word = line.strip()
        is_open = is_open and not word.startswith(BLOCK_END)
        table.append(is_open)
        is_open = is_open or word.startswith(BLOCK_START)
    return table


def _moved(literal: str, rng: random.Random) -> str:
    try:
        value = ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        return literal
    if isinstance(value, int):
        return str(max(value + rng.choice((-2, -1, 1, 2, max(value // 4, 1))), 0 if value == 0 else 1))
    if isinstance(value, float):
        return repr(value * (1.0 + rng.gauss(0.0, 0.1)) if value else rng.gauss(0.0, 0.1))
    return literal


def edited_function(
    text: str, rng: random.Random, *, words: Sequence[str], max_operations: int, max_literals: int
) -> str:
    """A straight-line function with a literal moved, a sign changed, an operation taken away or one added.

    `words` are the signs that may be used. What cannot be read comes back as it is.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    known = [word for word in words if word in _OPERATORS]
    n_operations = sum(isinstance(node, ast.BinOp | ast.Call) for node in ast.walk(tree))
    n_literals = sum(isinstance(node, ast.Constant) for node in ast.walk(tree))
    kinds = ["literal", "sign", "shorter"]
    if n_operations + 2 <= max_operations and n_literals + 2 <= max_literals and {"+", "*"} <= set(known):
        kinds += ["longer", "longer"]
    for kind in rng.sample(kinds, len(kinds)):
        places = [node for node in _nodes(tree) if _fits(node, kind)]
        if places:
            place = rng.choice(places)
            edited = _Replacement(place, _changed(place, kind, known, rng)).visit(tree)
            return ast.unparse(ast.fix_missing_locations(edited)) + "\n"
    return text


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below, but for the names of the functions that are called."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (isinstance(node, ast.Call) and name == "func"):
                yield child
                yield from _nodes(child)


def _fits(node: ast.AST, kind: str) -> bool:
    if kind == "literal":
        return isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    if kind in ("sign", "shorter"):
        return isinstance(node, ast.BinOp)
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _changed(node: ast.AST, kind: str, words: Sequence[str], rng: random.Random) -> ast.AST:
    if isinstance(node, ast.Constant):
        value = float(node.value) if isinstance(node.value, int | float) else 0.0
        return ast.Constant(value * (1.0 + rng.gauss(0.0, 0.2)) if value else rng.gauss(0.0, 0.5))
    if isinstance(node, ast.BinOp):
        if kind == "shorter":
            parts = (node.left, node.right)
            alive = [part for part in parts if any(isinstance(each, ast.Name) for each in ast.walk(part))]
            return rng.choice(alive or parts)
        others = [word for word in words if not isinstance(node.op, _OPERATORS[word])]
        return ast.BinOp(node.left, _OPERATORS[rng.choice(others)]() if others else node.op, node.right)
    assert isinstance(node, ast.Name)
    factor, shift = (ast.Constant(round(rng.gauss(1.0, 0.5), 6)) for _ in range(2))
    return ast.BinOp(ast.BinOp(node, ast.Mult(), factor), ast.Add(), shift)


class _Replacement(ast.NodeTransformer):
    """Puts one node in place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old = old
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        """The new node where the old one stood, and all else as it was."""
        return self._new if node is self._old else self.generic_visit(node)
