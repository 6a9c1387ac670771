"""From programs to genomes and back."""

from collections.abc import Sequence

import numpy as np

from evolve.symbolic.moves import Grammar
from evolve.symbolic.normal_form import CONSTANT, UNUSED
from evolve.symbolic.tape import N_OPCODES, FloatArray, IntArray, is_unary
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_SUB, Vocabulary


def grammar_of(vocabulary: Vocabulary, *, n_inputs: int, max_operations: int) -> Grammar:
    """What genomes over a vocabulary may hold; functions without an opcode are left out."""
    opcodes = sorted({f.opcode for f in vocabulary.functions if 0 <= f.opcode < N_OPCODES})
    binary = np.array([code for code in opcodes if not is_unary(code)], np.int64)
    unary = np.array([code for code in opcodes if is_unary(code)], np.int64)
    if len(binary) == 0:
        raise ValueError(f"vocabulary {vocabulary.name!r} has no compiled function of two arguments to search with")
    macros = int({OP_ADD, OP_DIV, OP_MUL} <= set(opcodes))
    return Grammar(binary, unary, n_inputs, max_operations, macros)


def has_arithmetic(vocabulary: Vocabulary) -> bool:
    """Whether + - * / are all there, so that normal forms may turn one into another."""
    return {OP_ADD, OP_SUB, OP_MUL, OP_DIV} <= {f.opcode for f in vocabulary.functions}


def write_genome(program: Program, vocabulary: Vocabulary, code: IntArray, constants: FloatArray) -> int:
    """Write a program into genome arrays; returns its length, or -1 when a genome cannot hold it."""
    n = program.output - len(program.inputs) + 1
    if program.output < 0 or n > len(code):
        return -1
    for i, instruction in enumerate(program.instructions[: max(n, 0)]):
        opcode = vocabulary.functions[instruction.function].opcode
        if not 0 <= opcode < N_OPCODES:
            return -1
        code[i, 0], code[i, 2] = opcode, UNUSED
        for side, operand in enumerate(instruction.arguments):
            code[i, side + 1] = operand if operand >= 0 else CONSTANT
            if operand < 0:
                constants[i, side] = program.constants[-1 - operand]
    return max(n, 0)


def read_genome(
    code: IntArray, constants: FloatArray, n: int, vocabulary: Vocabulary, *, name: str, inputs: Sequence[str]
) -> Program:
    """The program that a genome stands for."""
    position = {function.opcode: k for k, function in reversed(list(enumerate(vocabulary.functions)))}
    used: list[float] = []
    instructions = []
    for i in range(n):
        arguments = []
        for side in (1, 2):
            operand = int(code[i, side])
            if operand == CONSTANT:
                used.append(float(constants[i, side - 1]))
                operand = -len(used)
            elif operand == UNUSED:
                continue
            arguments.append(operand)
        instructions.append(Instruction(function=position[int(code[i, 0])], arguments=tuple(arguments)))
    return Program(
        name=name,
        inputs=tuple(inputs),
        constants=tuple(used),
        instructions=tuple(instructions),
        output=len(inputs) + n - 1,
    )
