"""A program as statements of some language: one line for each operation, exactly as the program rounds."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from evolve.errors import UsageError
from sandbox.symbolic.canonical import canonical, live
from sandbox.symbolic.precise import written_pair
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a language writes a program.

    `words` has a template for each function: `{0}` is its first argument. `with_constants` has templates for calls of
    which one argument is a constant, where those differ: `div:0` is the quotient of a constant. `comment` is a template
    for the end of a line; `tells_constants` says whether decimals stand there. `reserved` are names that inputs cannot
    have. Where sums are written with signs (`is_infix`), a sum with a negative constant is written as a difference.
    """

    words: Mapping[str, str]
    constant: Callable[[float], str]
    with_constants: Mapping[str, str]
    assigned: str
    comment: str
    reserved: Collection[str] = ()
    tells_constants: bool = False
    is_infix: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """A program in a language: the names of its inputs, its statements, and the expression of its result."""

    inputs: tuple[str, ...]
    lines: tuple[str, ...]
    result: str
    is_constant: bool


def exportable(program: Program, vocabulary: Vocabulary) -> Program:
    """The program as it was judged: without dead or repeated work.

    Raises:
        UsageError: an operation on constants alone is left, so it has no finite value.
    """
    program = canonical(program, vocabulary)
    for instruction in program.instructions:
        if all(argument < 0 for argument in instruction.arguments):
            name = vocabulary.functions[instruction.function].name
            raise UsageError(f"the program computes {name} of constants, which is not finite: it cannot be exported")
    return program


def words_used(program: Program, vocabulary: Vocabulary) -> frozenset[str]:
    """The functions that a program calls."""
    return frozenset(vocabulary.functions[program.instructions[i].function].name for i in live(program))


def statements(program: Program, vocabulary: Vocabulary, dialect: Dialect) -> Written:
    """Write a program that `exportable` made."""
    inputs = tuple(_free(name, dialect.reserved) for name in program.inputs)
    prefix = "t"
    while any(name.startswith(prefix) and name[len(prefix) :].isdigit() for name in inputs):
        prefix += "_"
    first = len(inputs)

    def operand(k: int) -> str:
        if k < 0:
            return dialect.constant(program.constants[-1 - k])
        return inputs[k] if k < first else f"{prefix}{k - first + 1}"

    lines = []
    for i in live(program):
        instruction = program.instructions[i]
        name = vocabulary.functions[instruction.function].name
        arguments = [operand(k) for k in instruction.arguments]
        constants = [_constant(program, k) for k in instruction.arguments if k < 0]
        if (
            dialect.is_infix
            and name in ("add", "sub")
            and instruction.arguments[1] < 0
            and math.copysign(1.0, constants[0][0]) < 0
        ):
            name = "sub" if name == "add" else "add"  # the same sum, to the last bit
            constants = [(-constants[0][0], -constants[0][1])]
            arguments[1] = dialect.constant(constants[0][0])
        places = [f"{name}:{place}" for place, k in enumerate(instruction.arguments) if k < 0]
        template = next((dialect.with_constants[each] for each in places if each in dialect.with_constants), None)
        line = dialect.assigned.format(f"{prefix}{i + 1}", (template or dialect.words[name]).format(*arguments))
        lines.append(line + _remark(constants, dialect))
    return Written(inputs, tuple(lines), operand(program.output), program.output < 0)


def _constant(program: Program, operand: int) -> tuple[float, float]:
    return program.constants[-1 - operand], program.lows[-1 - operand]


def _remark(constants: list[tuple[float, float]], dialect: Dialect) -> str:
    """What a reader should know of a line's constants: their digits beyond float64, or their decimal form."""
    texts = []
    for value, low in constants:
        if low:
            texts.append(f"exactly {written_pair(value, low)}")
        elif dialect.tells_constants:
            texts.append(repr(value))
    return "  " + dialect.comment.format(", ".join(texts)) if texts else ""


def _free(name: str, reserved: Collection[str]) -> str:
    while name in reserved:
        name += "_"
    return name
