"""When two Python candidates are the same program: the normal form and its hash."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache

from evolve.config.python_text import parse_python
from evolve.operators.python_syntax import dumped
from sandbox.errors import CandidateSyntaxError

N_REMEMBERED = 256
"""The operator that made a text, the gate and who edits it later all ask for its normal form: it takes milliseconds."""

_PARTS = ("body", "orelse", "finalbody", "handlers", "cases")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def python_fingerprint(files: Mapping[str, str]) -> str:
    """Hex SHA-256 of the files' syntax trees: equal for programs that differ in comments, docstrings and layout only.

    Raises:
        CandidateSyntaxError: a file does not parse.
    """
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(json.dumps([name, normal_form(files[name])]).encode())
    return digest.hexdigest()


@lru_cache(maxsize=N_REMEMBERED)
def normal_form(text: str) -> str:
    """The text's syntax tree as a string, without docstrings, comments and layout.

    Raises:
        CandidateSyntaxError: the text does not parse.
    """
    tree = parse_python(text)
    for node in _statements(tree):
        if isinstance(node, _DOCUMENTED):
            _drop_docstring(node)
    try:
        return dumped(tree)
    except RecursionError as error:
        raise CandidateSyntaxError("the text is nested too deeply") from error
    except ValueError as error:  # a hexadecimal number too long to be written as a decimal one
        raise CandidateSyntaxError(f"the text of {len(text)} characters has no normal form: {error}") from error


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """The module and all statements in it: only they have docstrings, and most nodes are expressions."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        for part in _PARTS:
            left.extend(getattr(node, part, ()))
        yield node


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if ast.get_docstring(node, clean=False) is None:
        return
    node.body = node.body[1:]
    if not node.body and not isinstance(node, ast.Module):
        node.body = [ast.Pass()]
