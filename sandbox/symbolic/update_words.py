"""The built-in vocabularies of update rules: `optimizer`, and `optimizer_elementwise` without matrices.

A text of these vocabularies is one step of an optimizer. It names the inputs that it uses and returns the update `u`
(the harness does `w <- w - lr * u`), then the new value of every state slot of its signature, in their order:

    def update(g, m, v, t):
        m = ema(m, g, 0.9)
        v = ema(v, square(g), 0.999)
        return debias(m, 0.9, t) / (sqrt(debias(v, 0.999, t)) + 1e-8), m, v
"""

from collections.abc import Callable
from typing import Any, Final

from sandbox.symbolic.function import REAL, Function, Signature, Vocabulary
from sandbox.symbolic.reals import REAL_WORDS

TENSOR: Final = "tensor"
"""One number for every number of the model: a weight, a gradient, a slot."""

LEFT: Final = "left"
"""For every parameter with rows and columns a square matrix that multiplies it from the left."""

RIGHT: Final = "right"
"""For every parameter with rows and columns a square matrix that multiplies it from the right."""

STEP: Final = "step"
"""What a rule returns: the update and the new state."""

STEP_WORD: Final = ","

_SYMBOLS: Final = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "neg": "-", "matmul": "@"}
_COMMUTATIVE: Final = ("add", "mul", "minimum", "maximum", "agree", "dot", "total_dot")

_TYPES: Final = {"x": REAL, "t": TENSOR, "L": LEFT, "R": RIGHT}

_PAIRS: Final = "tt>t tx>t xt>t xx>x"
_EACH: Final = "t>t x>x"

_WORDS: Final = {
    "add": f"{_PAIRS} LL>L RR>R",
    "sub": f"{_PAIRS} LL>L RR>R",
    "mul": f"{_PAIRS} Lx>L xL>L Rx>R xR>R",
    "div": _PAIRS,
    "pow": "xx>x",
    "neg": _EACH,
    "matmul": "Lt>t tR>t LL>L RR>R",
    "sign": _EACH,
    "abs": _EACH,
    "sqrt": _EACH,
    "square": _EACH,
    "exp": _EACH,
    "log": "x>x",
    "log1p": _EACH,
    "tanh": _EACH,
    "sigmoid": _EACH,
    "minimum": _PAIRS,
    "maximum": _PAIRS,
    "clip": "tx>t xx>x",
    "agree": "tt>t tx>t xx>x",
    "ema": "ttx>t txx>t LLx>L RRx>R",
    "debias": "txx>t Lxx>L Rxx>R",
    "mean": "t>t",
    "rms": "t>t",
    "largest": "t>t",
    "dot": "tt>t",
    "total_rms": "t>t",
    "total_dot": "tt>t",
    "row_mean": "t>t",
    "col_mean": "t>t",
    "by_shape": "tt>t",
    "orthogonal": "t>t",
    "transpose": "L>L R>R",
    "left_gram": "t>L",
    "right_gram": "t>R",
    "basis": "LLx>L RRx>R",
    "inverse_root": "LLx>L RRx>R",
}
"""Every word and the types that it takes and gives: t tensor, x real, L left, R right."""

_INPUTS: Final = {"w": TENSOR, "g": TENSOR, "h": TENSOR, "f": REAL, "t": REAL, "lr": REAL}
_SLOTS: Final = {"m": TENSOR, "v": TENSOR, "s": TENSOR, "d": TENSOR}
_MATRIX_SLOTS: Final = {"l": LEFT, "p": LEFT, "r": RIGHT, "q": RIGHT}
_MATRIX_WORDS: Final = ("orthogonal",)


def method_of(function: Function) -> str:
    """The method of arrays that runs a word: its name, and apart from it where it works on matrices."""
    types = function.argument_types
    if function.name == "matmul":
        return "left_product" if types == (LEFT, TENSOR) else "right_product" if TENSOR in types else "matrix_matmul"
    if LEFT in types or RIGHT in types:
        return f"matrix_{function.name}"
    return function.name


def _needs_arrays(*_: Any) -> Any:
    raise TypeError("the words of update rules work on arrays with a layout: run a rule by update_rules.rule.step")


def _functions(slots: dict[str, str]) -> tuple[Function, ...]:
    known = {REAL, TENSOR, *slots.values()}
    functions: list[Function] = []
    for name, overloads in _WORDS.items():
        for overload in overloads.split():
            taken, given = overload.split(">")
            types = tuple(_TYPES[letter] for letter in taken)
            if known.issuperset((*types, _TYPES[given])) and (LEFT in known or name not in _MATRIX_WORDS):
                functions.append(_function(name, types, _TYPES[given], functions))
    functions.append(
        Function(
            name=STEP_WORD,
            symbol=STEP_WORD,
            argument_types=(TENSOR, *slots.values()),
            result_type=STEP,
            commutative=False,
            opcode=-1,
            apply=_needs_arrays,
        )
    )
    return tuple(functions)


def _function(name: str, types: tuple[str, ...], result: str, before: list[Function]) -> Function:
    is_plain = set(types) == {REAL}
    apply: Callable[..., Any] = REAL_WORDS[name] if is_plain else _needs_arrays
    mirror = [i for i, f in enumerate(before) if f.name == name and f.argument_types == types[::-1] != types]
    return Function(
        name=name,
        symbol=_SYMBOLS.get(name),
        argument_types=types,
        result_type=result,
        commutative=name in _COMMUTATIVE and len(set(types)) == 1,
        opcode=-1,
        apply=apply,
        folds=is_plain,
        mirror=mirror[0] if mirror and name in _COMMUTATIVE else -1,
    )


def _vocabulary(name: str, slots: dict[str, str]) -> Vocabulary:
    functions = _functions(slots)
    signature = Signature(
        inputs=(*_INPUTS, *slots),
        input_types=(*_INPUTS.values(), *slots.values()),
        slots=tuple(slots),
        word=len(functions) - 1,
    )
    return Vocabulary(name=name, functions=functions, signature=signature)


OPTIMIZER: Final = _vocabulary("optimizer", {**_SLOTS, **_MATRIX_SLOTS})
"""Update rules over gradients, state and, for parameters with rows and columns, matrices."""

OPTIMIZER_ELEMENTWISE: Final = _vocabulary("optimizer_elementwise", _SLOTS)
"""`optimizer` without matrices: element by element, with means and norms of parameters."""
