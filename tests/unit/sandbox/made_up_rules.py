"""Update rules at random: every word, every type, dead code, idle slots, slots that trade values."""

import random

from sandbox.symbolic.canonical import numbered
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import Vocabulary

LITERALS = (0.9, 0.999, 0.0, 1.0, -0.5, 2.0, 1e-8, 0.1, -3.0)


def made_up_program(number: int, vocabulary: Vocabulary, n_words: int = 12) -> Program:
    """One program, the same for the same number."""
    signature = vocabulary.signature
    assert signature is not None
    rng = random.Random(number)
    types = list(signature.input_types)
    constants: list[float] = []

    def operand(type_: str) -> int:
        if type_ == "real" and rng.random() < 0.6:
            constants.append(rng.choice(LITERALS))
            return -len(constants)
        fitting = [k for k, each in enumerate(types) if each == type_]
        return rng.choice(fitting[-4:] if rng.random() < 0.6 else fitting)

    instructions = []
    for _ in range(rng.randrange(n_words + 1)):
        position = rng.randrange(len(vocabulary.functions) - 1)
        function = vocabulary.functions[position]
        instructions.append(Instruction(position, tuple(operand(each) for each in function.argument_types)))
        types.append(function.result_type)
    step = vocabulary.functions[signature.word]
    slots = range(signature.n_read, len(signature.inputs))
    kept = [slot if rng.random() < 0.4 else operand(types[slot]) for slot in slots]
    instructions.append(Instruction(signature.word, (operand(step.argument_types[0]), *kept)))
    return numbered(
        Program(
            name="update",
            inputs=signature.inputs,
            constants=tuple(constants),
            instructions=tuple(instructions),
            output=len(signature.inputs) + len(instructions) - 1,
            n_slots=len(signature.slots),
        )
    )
