"""A vocabulary: the closed list of typed plain functions that a symbolic program may use."""

import ast
import difflib
import runpy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from sandbox.symbolic import float32
from sandbox.symbolic.function import REAL as REAL
from sandbox.symbolic.function import Function as Function
from sandbox.symbolic.function import Signature as Signature
from sandbox.symbolic.function import Vocabulary as Vocabulary
from sandbox.symbolic.update_words import OPTIMIZER, OPTIMIZER_ELEMENTWISE

OP_ADD: Final = 0
OP_SUB: Final = 1
OP_MUL: Final = 2
OP_DIV: Final = 3
OP_NEG: Final = 4
OP_ABS: Final = 5
OP_SQRT: Final = 6
OP_EXP: Final = 7
OP_LOG: Final = 8
OP_SIN: Final = 9
OP_COS: Final = 10
OP_TANH: Final = 11
OP_MIN: Final = 12
OP_MAX: Final = 13
OP_SQUARE: Final = 14


class VocabularyError(ValueError):
    """A vocabulary cannot be loaded: the message lists every mistake with what was expected."""


def _real(
    name: str, opcode: int, apply: Callable[..., Any], n_arguments: int, *, symbol: str | None = None
) -> Function:
    return Function(
        name=name,
        symbol=symbol,
        argument_types=(REAL,) * n_arguments,
        result_type=REAL,
        commutative=opcode in (OP_ADD, OP_MUL, OP_MIN, OP_MAX),
        opcode=opcode,
        apply=apply,
    )


ARITHMETIC: Final = Vocabulary(
    name="arithmetic",
    functions=(
        _real("add", OP_ADD, np.add, 2, symbol="+"),
        _real("sub", OP_SUB, np.subtract, 2, symbol="-"),
        _real("mul", OP_MUL, np.multiply, 2, symbol="*"),
        _real("div", OP_DIV, np.divide, 2, symbol="/"),
    ),
    precise_constants=True,
)
"""The four operations; the setting of published function approximations that count operations."""

ELEMENTARY: Final = Vocabulary(
    name="elementary",
    functions=(
        *ARITHMETIC.functions,
        _real("neg", OP_NEG, np.negative, 1, symbol="-"),
        _real("abs", OP_ABS, np.abs, 1),
        _real("sqrt", OP_SQRT, np.sqrt, 1),
        _real("exp", OP_EXP, np.exp, 1),
        _real("log", OP_LOG, np.log, 1),
        _real("sin", OP_SIN, np.sin, 1),
        _real("cos", OP_COS, np.cos, 1),
        _real("tanh", OP_TANH, np.tanh, 1),
        _real("minimum", OP_MIN, np.minimum, 2),
        _real("maximum", OP_MAX, np.maximum, 2),
        _real("square", OP_SQUARE, np.square, 1),
    ),
)
"""The four operations and the common functions, under the names that numpy and torch share."""


def _machine(apply: Callable[..., Any], n_arguments: int, *, symbol: str | None = None) -> Function:
    return Function(
        name=apply.__name__,
        symbol=symbol,
        argument_types=(REAL,) * n_arguments,
        result_type=REAL,
        commutative=apply in (float32.add, float32.mul, float32.add_bits, float32.and_bits),
        opcode=-1,
        apply=apply,
    )


FLOAT32: Final = Vocabulary(
    name="float32",
    functions=(
        _machine(float32.add, 2, symbol="+"),
        _machine(float32.sub, 2, symbol="-"),
        _machine(float32.mul, 2, symbol="*"),
        _machine(float32.div, 2, symbol="/"),
        _machine(float32.neg, 1, symbol="-"),
        *(_machine(apply, 2) for apply in (float32.minimum, float32.maximum)),
        _machine(float32.fma, 3),
        _machine(float32.rint, 1),
        *(_machine(apply, 2) for apply in (float32.add_bits, float32.sub_bits, float32.and_bits, float32.clear_bits)),
        *(_machine(apply, 1) for apply in (float32.to_exponent, float32.from_exponent, float32.int_to_float)),
    ),
)
"""What a vector unit does with 32-bit words, each operation rounded: float32 arithmetic, fma, integers, shifts.

No opcode: the compiled interpreter rounds to float64 and would answer something else.
"""

_VOCABULARIES: Final = (ARITHMETIC, ELEMENTARY, FLOAT32, OPTIMIZER, OPTIMIZER_ELEMENTWISE)

BUILT_IN: Final = {vocabulary.name: vocabulary for vocabulary in _VOCABULARIES}

_SYMBOLS: Final = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@", "neg": "-"}
_COMMUTATIVE: Final = ("add", "mul", "minimum", "maximum")


def load_vocabulary(name_or_path: str | Path) -> Vocabulary:
    """A built-in vocabulary by name, or a .py file of plain annotated functions.

    Every public function of the file is a word, in order. An annotation names a type: `float` and none at all are
    "real", any other text stands for itself. Functions called add, sub, mul, div, pow, matmul and neg are written
    with their operators. The file may set `INCLUDE = ("arithmetic",)` to start from built-in words,
    `SYMBOLS = {"scale": "*"}` for more operators (told apart by argument types, which must differ) and
    `COMMUTATIVE = ("blend",)`.
    The file is the problem author's and is executed.

    Raises:
        VocabularyError: no such vocabulary, or the file breaks these rules.
    """
    if str(name_or_path) in BUILT_IN:
        return BUILT_IN[str(name_or_path)]
    path = Path(name_or_path)
    if path.suffix != ".py":
        close = difflib.get_close_matches(str(name_or_path), BUILT_IN, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise VocabularyError(
            f"there is no vocabulary {name_or_path}{hint}: use one of {', '.join(BUILT_IN)} or a .py file"
        )
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise VocabularyError(f"the vocabulary {path} cannot be read: {error}") from error
    try:
        names = runpy.run_path(str(path), run_name=f"_vocabulary_{path.stem}")
    except Exception as error:
        raise VocabularyError(f"the vocabulary {path} cannot be run: {type(error).__name__}: {error}") from error
    mistakes = _setting_mistakes(names)
    if mistakes:
        raise VocabularyError(f"the vocabulary {path}: " + "; ".join(mistakes))
    included = _included(path, names)
    functions = [
        _from_definition(node, names, mistakes)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    words = [function.name for function in (*included, *functions)]
    mistakes += [f"{word} is defined twice" for word in sorted({word for word in words if words.count(word) > 1})]
    mistakes += _ambiguities((*included, *functions))
    if not words:
        mistakes.append("it has no public function")
    if mistakes:
        raise VocabularyError(f"the vocabulary {path}: " + "; ".join(mistakes))
    return Vocabulary(name=path.stem, functions=(*included, *functions))


def _setting_mistakes(names: Mapping[str, Any]) -> list[str]:
    """What is wrong with the shape of INCLUDE, SYMBOLS and COMMUTATIVE."""
    mistakes = []
    for setting in ("INCLUDE", "COMMUTATIVE"):
        value = names.get(setting, ())
        if not isinstance(value, tuple | list) or not all(isinstance(name, str) for name in value):
            mistakes.append(f'{setting} is {value!r}: write a tuple of names, as in {setting} = ("add",)')
    symbols = names.get("SYMBOLS", {})
    if not isinstance(symbols, Mapping) or not all(isinstance(symbol, str) for symbol in symbols.values()):
        mistakes.append(f'SYMBOLS is {symbols!r}: write a dictionary, as in SYMBOLS = {{"scale": "*"}}')
    return mistakes


def _ambiguities(functions: Sequence[Function]) -> list[str]:
    """Functions that a program's text could not tell apart: the same operator over the same types."""
    written = [(f.symbol, f.argument_types) for f in functions if f.symbol is not None]
    return [
        f"{' and '.join(f.name for f in functions if (f.symbol, f.argument_types) == (symbol, types))} "
        f"are all written {symbol} and take ({', '.join(types)}): give them different types or symbols"
        for symbol, types in dict.fromkeys(written)
        if written.count((symbol, types)) > 1
    ]


def _included(path: Path, names: Mapping[str, Any]) -> list[Function]:
    wanted = names.get("INCLUDE", ())
    known = [name for name, vocabulary in BUILT_IN.items() if vocabulary.signature is None]
    unknown = [str(name) for name in wanted if name not in known]
    if unknown:
        raise VocabularyError(f"the vocabulary {path}: INCLUDE has {', '.join(unknown)}, known: {', '.join(known)}")
    return list(dict.fromkeys(function for name in wanted for function in BUILT_IN[name].functions))


def _from_definition(node: ast.FunctionDef, names: Mapping[str, Any], mistakes: list[str]) -> Function:
    arguments = node.args
    if not arguments.args or arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
        mistakes.append(f"{node.name} must take one or more plain arguments")
    symbol = {**_SYMBOLS, **names.get("SYMBOLS", {})}.get(node.name)
    n_wanted = (1, 2) if symbol == "-" else (2,)
    if symbol is not None and (symbol not in _SYMBOLS.values() or len(arguments.args) not in n_wanted):
        mistakes.append(
            f"{node.name} has the symbol {symbol}: use one of + - * / ** @ and two arguments (one is the unary minus)"
        )
    apply: Any = names.get(node.name)
    if not callable(apply):
        mistakes.append(f"{node.name} is no function any more at the end of the file")
    types = tuple(_type_name(argument.annotation) for argument in arguments.args)
    return Function(
        name=node.name,
        symbol=symbol,
        argument_types=types,
        result_type=_type_name(node.returns),
        commutative=node.name in (*_COMMUTATIVE, *names.get("COMMUTATIVE", ())) and types[1:] == types[:1],
        opcode=-1,
        apply=apply,
    )


def _type_name(annotation: ast.expr | None) -> str:
    if annotation is None:
        return REAL
    is_text = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    text = annotation.value if is_text else ast.unparse(annotation)  # type: ignore[attr-defined]
    return REAL if text == "float" else str(text)
