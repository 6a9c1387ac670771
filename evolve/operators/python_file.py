"""A Python file as the operators edit it: positions of syntax nodes, what lies in evolve blocks, splicing of text."""

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

from evolve.config.python_text import blocks_of, parse_python, require_compiles
from evolve.operators.blocks import outside_unchanged
from evolve.operators.python_fingerprint import normal_form
from evolve.operators.python_syntax import walked
from sandbox.errors import CandidateSyntaxError

MAX_TEXT_LENGTH = 200_000
N_REMEMBERED = 256

_LINE_END = re.compile(r"\r\n|\r|\n")
_OPERATOR_PARENTS = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Starred, ast.Await)
_ATOMS = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp)
_CLOSED_FIELDS = ("annotation", "returns", "decorator_list", "type_params")
_CLOSED = (ast.JoinedStr, ast.pattern)
_EDITABLE = (ast.expr, ast.stmt)
_PLACED = (*_EDITABLE, ast.arg, ast.keyword)
_DECORATED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class PythonFile:
    """One file of a candidate, read once. Positions are character offsets into `text`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = parse_python(text)
        self.blocks = blocks_of(text)
        self.parent_of: dict[ast.AST, ast.AST] = {}
        self.nodes: list[ast.AST] = []
        self._is_ascii = text.isascii()
        self._line_starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._visit(self.tree, open_to_edits=True)

    def _visit(self, node: ast.AST, *, open_to_edits: bool) -> None:
        open_to_edits = open_to_edits and not isinstance(node, _CLOSED)
        for name in node._fields:
            value = getattr(node, name, None)
            editable = open_to_edits and name not in _CLOSED_FIELDS
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST):
                    self.parent_of[child] = node
                    if editable and isinstance(child, _EDITABLE) and self.is_open(child):
                        self.nodes.append(child)
                    self._visit(child, open_to_edits=editable)

    @cached_property
    def normal_form(self) -> str:
        """The text's normal form, to tell whether an edit changed anything."""
        return normal_form(self.text)

    @cached_property
    def all_nodes(self) -> list[ast.AST]:
        """The tree's nodes, level by level."""
        return walked(self.tree)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where the node's text starts and ends; a decorated definition starts at its first decorator."""
        assert isinstance(node, _PLACED)
        if isinstance(node, _DECORATED) and node.decorator_list:
            first = node.decorator_list[0]
            line_start = self._line_starts[first.lineno - 1]
            return self._skip_indent(line_start), self._position(node.end_lineno, node.end_col_offset)
        return (
            self._position(node.lineno, node.col_offset),
            self._position(node.end_lineno, node.end_col_offset),
        )

    def _skip_indent(self, position: int) -> int:
        while self.text[position] in " \t":
            position += 1
        return position

    def _position(self, line: int | None, column: int | None) -> int:
        assert line is not None
        assert column is not None
        start = self._line_starts[line - 1]
        if self._is_ascii:
            return start + column
        end = self._line_starts[line] if line < len(self._line_starts) else len(self.text)
        line_text = self.text[start:end]
        return start + (column if line_text.isascii() else len(line_text.encode()[:column].decode()))

    def is_open(self, node: ast.AST) -> bool:
        """Whether the node lies wholly inside an evolve block."""
        start, end = self.span(node)
        return any(block.start <= start and end <= block.end for block in self.blocks)

    def source(self, node: ast.AST) -> str:
        """The node's own text."""
        start, end = self.span(node)
        return self.text[start:end]

    def spliced(self, edits: Sequence[tuple[int, int, str]]) -> str:
        """The text with each `(start, end, new)` put in place; the edits must not overlap."""
        text = self.text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def with_expression(self, node: ast.expr, new: ast.expr) -> tuple[int, int, str]:
        """The edit that puts `new` in the place of `node`, with parentheses where the place needs them."""
        start, end = self.span(node)
        text = ast.unparse(new)
        atomic = isinstance(new, _ATOMS) or (isinstance(new, ast.Constant) and text[:1].isdigit())
        parent = self.parent_of[node]
        base = isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is node
        called = isinstance(parent, ast.Call) and parent.func is node
        if isinstance(parent, _OPERATOR_PARENTS) or base or called:
            parenthesised = self.text[start - 1 : start] == "(" and self.text[end : end + 1] == ")"
            if atomic and parenthesised:
                start, end = start - 1, end + 1
            elif not atomic and not parenthesised:
                text = f"({text})"
        return start, end, self.spaced(start, end, text)

    def spaced(self, start: int, end: int, text: str) -> str:
        """The replacement with a space where it would otherwise run into a neighbouring word."""
        before = self.text[start - 1 : start]
        after = self.text[end : end + 1]
        left = " " if before and (before.isalnum() or before == "_") and text[:1] not in "([{" else ""
        right = " " if after and (after.isalnum() or after == "_") else ""
        return left + text + right

    def line_of(self, position: int) -> tuple[int, int]:
        """Start and end (behind the line break) of the line that holds the position."""
        index = bisect_right(self._line_starts, position) - 1
        end = self._line_starts[index + 1] if index + 1 < len(self._line_starts) else len(self.text)
        return self._line_starts[index], end

    def statement_lines(self, statement: ast.stmt) -> tuple[int, int] | None:
        """The whole lines of a statement, or None if it shares a line with another or is not wholly open."""
        start, end = self.span(statement)
        first = self.line_of(start)[0]
        last = self.line_of(end - 1)[1]
        rest = self.text[end:last].strip()
        alone = not self.text[first:start].strip() and (not rest or rest.startswith("#"))
        inside = any(block.start <= first and last <= block.end for block in self.blocks)
        return (first, last) if alone and inside else None

    def indent_of(self, statement: ast.stmt) -> str:
        """The white space before a statement that starts its line."""
        start, _ = self.span(statement)
        return self.text[self.line_of(start)[0] : start]

    def bodies(self) -> Iterator[tuple[ast.AST, list[ast.stmt]]]:
        """Every list of statements with its owner, from the outside in."""
        for node in self.all_nodes:
            for field in ("body", "orelse", "finalbody"):
                body = getattr(node, field, None)
                if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                    yield node, body


def changed_files(files: Mapping[str, str], name: str, parent: PythonFile, text: str) -> dict[str, str] | None:
    """The child with one file's new text, or None if it is not a legal child: it must compile, differ, and be short."""
    if text == parent.text or len(text) > MAX_TEXT_LENGTH:
        return None
    try:
        if normal_form(text) == parent.normal_form or not outside_unchanged(parent.text, text):
            return None
        require_compiles(text)
    except CandidateSyntaxError:
        return None
    return {**files, name: text}


@lru_cache(maxsize=N_REMEMBERED)
def read_file(text: str) -> PythonFile:
    """The file with this text; the same parents come again and again, so the latest are remembered.

    Raises:
        CandidateSyntaxError: the text does not parse, or its evolve blocks are wrong.
    """
    return PythonFile(text)


def open_files(files: Mapping[str, str]) -> dict[str, PythonFile]:
    """The files of a candidate that have evolve blocks, in order of name; none if one of them cannot be read."""
    try:
        read = {name: read_file(text) for name, text in sorted(files.items())}
    except CandidateSyntaxError:
        return {}
    return {name: file for name, file in read.items() if file.blocks}
