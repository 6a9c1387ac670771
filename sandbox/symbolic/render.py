"""From a program to its text: one short line per instruction."""

import keyword
import math

from sandbox.symbolic.precise import written_pair
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.readable import write_step
from sandbox.symbolic.vocabulary import Vocabulary


def render(program: Program, vocabulary: Vocabulary) -> str:
    """The program's normal text, a Python function whose constants are written exactly.

    Names of inputs are kept, instructions are called t1, t2, ... `parse` reads it back to the same program (with one
    constant slot per use). Programs with state are nested, and slots keep their names (see `readable`).

    Raises:
        ValueError: a constant is not finite; there is no literal for it.
    """
    if vocabulary.signature is not None:
        literals = [_literal(value, low) for value, low in zip(program.constants, program.lows, strict=True)]
        return write_step(program, vocabulary, vocabulary.signature, literals)
    prefix = _free_prefix(program, vocabulary)
    first = len(program.inputs)

    def operand(k: int) -> str:
        if k < 0:
            return _literal(program.constants[-1 - k], program.lows[-1 - k])
        return program.inputs[k] if k < first else f"{prefix}{k - first + 1}"

    calls = [_call(i, vocabulary, tuple(operand(a) for a in i.arguments)) for i in program.instructions]
    lines = [f"def {program.name}({', '.join(program.inputs)}):"]
    ends_with_output = bool(calls) and program.output == first + len(calls) - 1
    result = calls.pop() if ends_with_output else operand(program.output)
    lines += [f"    {prefix}{number} = {call}" for number, call in enumerate(calls, start=1)]
    lines.append(f"    return {result}")
    return "\n".join(lines) + "\n"


def _call(instruction: Instruction, vocabulary: Vocabulary, arguments: tuple[str, ...]) -> str:
    function = vocabulary.functions[instruction.function]
    if function.symbol is not None and len(arguments) == 2:
        left, right = arguments
        if function.symbol == "**" and left.startswith("-"):
            left = f"({left})"
        return f"{left} {function.symbol} {right}"
    if function.symbol is not None and len(arguments) == 1 and instruction.arguments[0] >= 0:
        return f"{function.symbol}{arguments[0]}"
    return f"{function.name}({', '.join(arguments)})"


def _literal(value: float, low: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"the constant {value} is not finite and has no literal: keep constants finite")
    return written_pair(value, low)


def _free_prefix(program: Program, vocabulary: Vocabulary) -> str:
    """`t`, or the first like it that makes no name of an input or a function."""
    taken = {*program.inputs, *(function.name for function in vocabulary.functions), *keyword.kwlist}
    prefix = "t"
    while any(name.startswith(prefix) and name[len(prefix) :].isdigit() for name in taken):
        prefix += "_"
    return prefix
