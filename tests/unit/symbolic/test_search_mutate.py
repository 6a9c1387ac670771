"""Plain typed mutation over any vocabulary."""

import numpy as np
import pytest

from evolve.symbolic.mutate import crossover, mutate
from sandbox.symbolic.canonical import live
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC, Function, Vocabulary

PARENT = parse("def f(x):\n    t = x * 2.5 + 1.0\n    return t / (x + t)\n", ARITHMETIC)
DONOR = parse("def f(x):\n    u = 3.0 / x\n    return u * u - x\n", ARITHMETIC)


def _function(name: str, arguments: tuple[str, ...], result: str) -> Function:
    return Function(
        name=name, symbol=None, argument_types=arguments, result_type=result, commutative=False, opcode=-1, apply=max
    )


TYPED = Vocabulary(
    name="typed",
    functions=(
        _function("scale", ("tensor", "real"), "tensor"),
        _function("sign", ("tensor",), "tensor"),
        _function("blend", ("tensor", "tensor", "real"), "tensor"),
        _function("norm", ("tensor",), "real"),
    ),
)
TENSORS = Program(name="step", inputs=("g", "lr"), constants=(), instructions=(), output=0)
TYPES = ("tensor", "real")


def type_errors(program: Program, vocabulary: Vocabulary, input_types: tuple[str, ...]) -> list[str]:
    """Operands of the wrong type."""
    types = list(input_types)
    wrong = []
    for i, instruction in enumerate(program.instructions):
        function = vocabulary.functions[instruction.function]
        for operand, wanted in zip(instruction.arguments, function.argument_types, strict=True):
            found = "real" if operand < 0 else types[operand] if operand < len(types) else "not yet written"
            if found != wanted:
                wrong.append(f"instruction {i} wants {wanted}, reads {found}")
        types.append(function.result_type)
    return wrong


def test_a_walk_of_mutations_stays_typed_live_and_within_its_limit() -> None:
    rng = np.random.default_rng(0)
    program, seen = TENSORS, set()
    for _ in range(400):
        child = mutate(program, TYPED, rng, max_operations=7, input_types=TYPES)
        assert child is not None
        assert type_errors(child, TYPED, TYPES) == []
        assert len(child.instructions) <= 7
        assert len(live(child)) == len(child.instructions)
        assert child != program
        program = child
        seen.add(child.instructions)
    assert len(seen) > 100


def test_mutation_is_a_function_of_its_random_stream() -> None:
    first, second = (mutate(PARENT, ARITHMETIC, np.random.default_rng(4), max_operations=9) for _ in range(2))

    assert first == second


def test_mutation_reaches_other_constants_and_other_structures() -> None:
    rng = np.random.default_rng(1)

    children = [mutate(PARENT, ARITHMETIC, rng, max_operations=9) for _ in range(100)]

    structures = {child.instructions for child in children if child is not None}
    assert PARENT.instructions in structures
    assert len(structures) > 20


@pytest.mark.parametrize("rng_seed", range(5))
def test_a_crossover_is_a_valid_program_of_both_parents(rng_seed: int) -> None:
    rng = np.random.default_rng(rng_seed)

    child = crossover(PARENT, DONOR, ARITHMETIC, rng, max_operations=12)

    assert child is not None
    assert child != PARENT
    assert type_errors(child, ARITHMETIC, ("real",)) == []
    assert len(live(child)) == len(child.instructions)


def test_programs_of_other_inputs_are_not_crossed() -> None:
    with pytest.raises(ValueError, match="2 and 1 inputs"):
        crossover(TENSORS, DONOR, TYPED, np.random.default_rng(0), max_operations=9)


def test_a_crossover_with_an_empty_donor_makes_nothing() -> None:
    empty = Program(name="f", inputs=("x",), constants=(), instructions=(), output=0)

    assert crossover(PARENT, empty, ARITHMETIC, np.random.default_rng(0), max_operations=9) is None
