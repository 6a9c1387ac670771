"""Makes a found program pleasant to read without changing a single bit of what it computes."""

from dataclasses import replace

from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import OP_ADD, OP_SUB, Vocabulary


def tidied(program: Program, vocabulary: Vocabulary) -> Program:
    """Write `x + -c` as `x - c` and `x - -c` as `x + c`; both are exact in floating point.

    A vocabulary without both functions leaves the program as it is, and so does one whose words called add and sub
    are its own: what they compute is not known here.
    """
    opcodes = [function.opcode for function in vocabulary.functions]
    if OP_ADD not in opcodes or OP_SUB not in opcodes:
        return program
    add, sub = opcodes.index(OP_ADD), opcodes.index(OP_SUB)
    constants, lows = list(program.constants), list(program.lows)
    readers = [operand for instruction in program.instructions for operand in instruction.arguments if operand < 0] + [
        program.output
    ]

    def turned(instruction: Instruction) -> Instruction:
        left, right = instruction.arguments[0], instruction.arguments[-1]
        if instruction.function == add and left < 0 <= right:
            left, right = right, left
        own = right < 0 <= left and readers.count(right) == 1
        if instruction.function not in (add, sub) or not own or constants[-1 - right] >= 0.0:
            return instruction
        constants[-1 - right], lows[-1 - right] = -constants[-1 - right], -lows[-1 - right]
        return Instruction(sub if instruction.function == add else add, (left, right))

    instructions = tuple(turned(instruction) for instruction in program.instructions)
    return replace(program, instructions=instructions).with_constants(constants, lows)
