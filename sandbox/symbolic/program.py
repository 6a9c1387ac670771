"""The typed straight-line program: the parsed form of a symbolic candidate's text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instruction:
    """One call: `function` is a position in the vocabulary, `arguments` are operands (see `Program`)."""

    function: int
    arguments: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A straight-line program.

    An operand `k >= 0` is a register: inputs are registers `0 .. len(inputs)-1`, instruction `i` writes register
    `len(inputs) + i` and may read only lower ones. An operand `k < 0` is the constant `constants[-1 - k]`.
    `output` is an operand too, so the empty program (output 0) returns its first input.
    """

    name: str
    inputs: tuple[str, ...]
    constants: tuple[float, ...]
    instructions: tuple[Instruction, ...]
    output: int
