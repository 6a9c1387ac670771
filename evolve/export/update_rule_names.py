"""What an update rule may use: the names of arrays that numpy and torch share with equal meaning."""

from typing import Final

ELEMENTWISE: Final = (
    "sqrt",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "arctan",
    "abs",
    "absolute",
    "sign",
    "square",
    "floor",
    "ceil",
    "maximum",
    "minimum",
    "where",
    "isfinite",
    "isnan",
    "isinf",
    "logical_and",
    "logical_or",
    "logical_not",
)
"""Of numbers and arrays, place by place; both call them so."""

REDUCTIONS: Final = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin", "any": "any", "all": "all"}
"""Over all places, or over `axis`."""

LIKE: Final = {"zeros_like": "zeros_like", "ones_like": "ones_like", "full_like": "full_like", "clip": "clamp"}
"""Whose first argument is an array and whose others may be numbers."""

NUMBERS: Final = ("pi", "e", "inf")

NAMES: Final = frozenset({*ELEMENTWISE, *REDUCTIONS, *LIKE, *NUMBERS})
"""All names that a rule may take from its array namespace."""

ATTRIBUTES: Final = frozenset(
    (
        *("shape", "ndim", "T", "sum", "mean", "reshape", "any", "all"),
        *("get", "items", "keys", "values", "setdefault", "pop", "update", "append", "extend"),
    )
)
"""What a rule may ask of an array or a dictionary: in numpy and torch it is the same, or is missing and so told."""

OURS: Final = frozenset(
    (
        *("_math", "_torch", "_numpy", "_copy", "_rule", "_kept", "_Namespace"),
        *("_ELEMENTWISE", "_REDUCTIONS", "_LIKE", "_NUMBERS"),
    )
)
"""Names of the code around a rule."""

MODULES: Final = frozenset({"math", "__future__"})
"""What a rule may import: nothing that knows numpy from torch, and nothing that reaches beyond the process."""

FORBIDDEN: Final = frozenset(
    (
        "open",
        "exec",
        "eval",
        "compile",
        "__import__",
        "getattr",
        "setattr",
        "delattr",
        "globals",
        "locals",
        "vars",
        "breakpoint",
        "input",
        "memoryview",
        "help",
        "exit",
        "quit",
    )
)
"""Built-in functions that no rule needs and that an attack would."""
