"""From text to a program: a strict reader of one straight-line Python function; nothing is ever executed."""

import ast
import re
import warnings
from collections.abc import Sequence
from typing import Final, NoReturn

from sandbox.errors import CandidateSyntaxError
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.expression import ProgramBuilder, Source, refuse
from sandbox.symbolic.program import Program
from sandbox.symbolic.step import check_inputs
from sandbox.symbolic.vocabulary import REAL, Vocabulary

MAX_TEXT_LENGTH: Final = 100_000
MAX_LINE_LENGTH: Final = 5_000

_MAY_WARN: Final = re.compile(r"\\|[0-9a-fA-F](?:and|else|for|if|in|is|or|not)")
"""Text on which Python's own reader may print a warning."""


def parse(
    text: str,
    vocabulary: Vocabulary,
    *,
    inputs: Sequence[str] | None = None,
    input_types: Sequence[str] | None = None,
    max_operations: int | None = None,
) -> Program:
    """Read one function made of assignments and a final `return`.

    Expressions may nest; names may be assigned again; docstrings, comments and annotations are dropped. A literal is
    the nearest float64 (of more than 17 significant digits, a vocabulary with `precise_constants` keeps about 32), and
    every use of it is a constant of its own. `inputs` are the names the function must take
    (any if None), `input_types` their types (all "real" if None). A vocabulary with a signature says this itself: a
    text names the inputs that it uses, in any order, out of `inputs` (out of all if None).

    Raises:
        CandidateSyntaxError: anything else; the message names the line, what was found and what is allowed.
    """
    try:
        function = _only_function(_tree(text))
        program = _builder(text, function, vocabulary, inputs, input_types).program(function)
    except RecursionError:
        raise CandidateSyntaxError("expressions are nested too deeply: name the intermediate results") from None
    count = operation_count(program)
    if max_operations is not None and count > max_operations:
        raise CandidateSyntaxError(f"the program has {count} operations, at most {max_operations} are allowed")
    return program


def _builder(
    text: str,
    function: ast.FunctionDef,
    vocabulary: Vocabulary,
    inputs: Sequence[str] | None,
    input_types: Sequence[str] | None,
) -> ProgramBuilder:
    signature = vocabulary.signature
    if signature is not None:
        names = _inputs(function, None, example="g, m, v, t")
        check_inputs(names, signature, inputs, function.lineno)
        return ProgramBuilder(
            vocabulary, dict(zip(signature.inputs, signature.input_types, strict=True)), Source(text), names
        )
    names = _inputs(function, inputs)
    types = [REAL] * len(names) if input_types is None else input_types
    if len(types) != len(names):
        refuse(function.lineno, f"the function must take {len(types)} inputs, found {len(names)}")
    return ProgramBuilder(vocabulary, dict(zip(names, types, strict=True)), Source(text))


def _tree(text: str) -> ast.Module:
    """Python's own reading of the text, with every way it can fail turned into a syntax error."""
    if len(text) > MAX_TEXT_LENGTH:
        raise CandidateSyntaxError(f"the text has {len(text)} characters, at most {MAX_TEXT_LENGTH} are allowed")
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > MAX_LINE_LENGTH:
            refuse(number, f"a line of {len(line)} characters, at most {MAX_LINE_LENGTH} are allowed")
    try:
        if _MAY_WARN.search(text):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text)
        return ast.parse(text)
    except SyntaxError as error:
        raise CandidateSyntaxError(f"line {error.lineno or 1}: not valid Python: {str(error.msg)[:200]}") from None
    except (ValueError, OverflowError) as error:
        raise CandidateSyntaxError(f"not valid Python: {str(error)[:200]}") from None
    except (MemoryError, RecursionError):
        raise CandidateSyntaxError("expressions are nested too deeply: name the intermediate results") from None


def _only_function(tree: ast.Module) -> ast.FunctionDef:
    functions: list[ast.FunctionDef] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            functions.append(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            refuse(node.lineno, "an import: the vocabulary's functions are there without one")
        elif not (isinstance(node, ast.Expr) and _is_text(node.value)):
            refuse(node.lineno, f"{_kind(node)} outside the function: the text must be one function")
    if len(functions) != 1:
        line = functions[1].lineno if functions else 1
        refuse(line, f"the text must be exactly one function (def name(inputs): ...), found {len(functions)}")
    return functions[0]


def _inputs(function: ast.FunctionDef, wanted: Sequence[str] | None, example: str = "plain input names") -> list[str]:
    arguments = function.args
    special = [*arguments.posonlyargs, *arguments.kwonlyargs, *arguments.defaults, arguments.vararg, arguments.kwarg]
    if any(part is not None for part in special) or function.decorator_list:
        _refuse_signature(function, wanted, example)
    names = [argument.arg for argument in arguments.args]
    if not names or len(set(names)) < len(names) or (wanted is not None and names != list(wanted)):
        _refuse_signature(function, wanted, example)
    return names


def _refuse_signature(function: ast.FunctionDef, wanted: Sequence[str] | None, example: str) -> NoReturn:
    inputs = ", ".join(wanted) if wanted is not None else example
    refuse(
        function.lineno,
        f"the function must be written `def {function.name[:40]}({inputs})`, "
        "without decorators, defaults, stars or other inputs",
    )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _kind(node: ast.AST) -> str:
    return f"`{type(node).__name__}`"
