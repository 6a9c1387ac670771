"""What a vocabulary is made of: typed words, and for update rules the inputs and the state they work on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

REAL: Final = "real"
"""The type of a literal, and of an input or argument that names no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One word of a vocabulary.

    `symbol` is the operator it is written with (`+`; a function of one argument with symbol `-` is the unary minus),
    or None when it is written as a call. `opcode` is the compiled interpreter's number for it, or -1 when only
    `apply` (plain Python over numpy arrays) can run it. A word that `folds` turns literals into a literal although it
    has no opcode. `mirror` is the position of the word that takes the same two arguments the other way round and is
    written instead (2 * g is g * 2), or -1.
    """

    name: str
    symbol: str | None
    argument_types: tuple[str, ...]
    result_type: str
    commutative: bool
    opcode: int
    apply: Callable[..., Any]
    folds: bool = False
    mirror: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The inputs that programs of a stateful vocabulary may name, in the order in which they are written.

    The last `slots` inputs are state: they start at zero, and a program returns its result and then the new value of
    every slot that it names. `word` is the position of the word `,` that ties these values together.
    """

    inputs: tuple[str, ...]
    input_types: tuple[str, ...]
    slots: tuple[str, ...]
    word: int

    @property
    def n_read(self) -> int:
        """How many inputs come before the slots."""
        return len(self.inputs) - len(self.slots)

    def type_of(self, name: str) -> str:
        """The type of the input called `name`."""
        return self.input_types[self.inputs.index(name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Named, ordered functions; programs refer to them by position in `functions`.

    With `precise_constants` programs are read over the real numbers, and a literal of more than 17 significant digits
    keeps them (see `precise`); without, every literal is the nearest float64.
    With a `signature` programs are steps with state: update rules.
    """

    name: str
    functions: tuple[Function, ...]
    precise_constants: bool = False
    signature: Signature | None = None

    def position_of(self, name: str, argument_types: tuple[str, ...] | None = None) -> int:
        """The position of the function called `name`: of the first of them, or of the one that takes these types.

        Raises:
            KeyError: there is none.
        """
        for position, function in enumerate(self.functions):
            if function.name == name and argument_types in (None, function.argument_types):
                return position
        raise KeyError(name)
