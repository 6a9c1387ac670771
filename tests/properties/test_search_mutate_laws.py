"""Plain mutation, crossover and tidying: laws over any typed vocabulary and any program."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evolve.symbolic.mutate import crossover, mutate
from evolve.symbolic.tidy import tidied
from sandbox.symbolic.canonical import live, numbered, operation_count
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Function, Vocabulary
from tests.extent import examples

TYPES = ("real", "tensor", "mask")
SEEDS = st.integers(0, 2**32)
SIZES = st.floats(allow_nan=False, allow_infinity=False)


def word(name: str, arguments: Sequence[str], result: str, *, commutative: bool = False) -> Function:
    return Function(
        name=name,
        symbol=None,
        argument_types=tuple(arguments),
        result_type=result,
        commutative=commutative,
        opcode=-1,
        apply=max,
    )


@st.composite
def vocabularies(draw: st.DrawFn) -> Vocabulary:
    """Some words of one to three arguments over three types."""
    kind = st.sampled_from(TYPES)
    n = draw(st.integers(1, 6))
    words = [word(f"w{k}", draw(st.lists(kind, min_size=1, max_size=3)), draw(kind)) for k in range(n)]
    return Vocabulary(name="drawn", functions=tuple(words))


@st.composite
def typed_programs(draw: st.DrawFn, vocabulary: Vocabulary, input_types: Sequence[str], max_size: int = 6) -> Program:
    """A well-typed program whose instructions are all needed."""
    types = list(input_types)
    constants: list[float] = []
    instructions: list[Instruction] = []
    for _ in range(draw(st.integers(0, max_size))):
        fitting = [
            k for k, f in enumerate(vocabulary.functions) if all(t in types or t == "real" for t in f.argument_types)
        ]
        if not fitting:
            break
        k = draw(st.sampled_from(fitting))
        arguments = []
        for wanted in vocabulary.functions[k].argument_types:
            registers = [r for r, found in enumerate(types) if found == wanted]
            if wanted == "real" and (not registers or draw(st.booleans())):
                constants.append(draw(SIZES))
                arguments.append(-len(constants))
            else:
                arguments.append(draw(st.sampled_from(registers)))
        instructions.append(Instruction(k, tuple(arguments)))
        types.append(vocabulary.functions[k].result_type)
    program = Program(
        name="step",
        inputs=tuple(f"i{k}" for k in range(len(input_types))),
        constants=tuple(constants),
        instructions=tuple(instructions),
        output=draw(st.integers(0, len(types) - 1)),
    )
    return without_dead(program)


def without_dead(program: Program) -> Program:
    """The program with its live instructions only, one slot a constant."""
    n_inputs, kept = len(program.inputs), live(program)
    place = {n_inputs + i: n_inputs + k for k, i in enumerate(kept)}
    instructions = [
        Instruction(program.instructions[i].function, tuple(place.get(a, a) for a in program.instructions[i].arguments))
        for i in kept
    ]
    output = place.get(program.output, program.output)
    return numbered(replace(program, instructions=tuple(instructions), output=output))


def mistakes(program: Program, vocabulary: Vocabulary, input_types: Sequence[str]) -> list[str]:
    """What makes it no well-typed straight-line program."""
    types, wrong = list(input_types), []
    for i, instruction in enumerate(program.instructions):
        function = vocabulary.functions[instruction.function]
        for operand, wanted in zip(instruction.arguments, function.argument_types, strict=True):
            if operand >= len(types) or -operand > len(program.constants):
                wrong.append(f"{i}: no operand {operand}")
            elif (types[operand] if operand >= 0 else "real") != wanted:
                wrong.append(f"{i}: {operand} is not {wanted}")
        types.append(function.result_type)
    if not -len(program.constants) <= program.output < len(types):
        wrong.append(f"no output {program.output}")
    return wrong


def output_type(program: Program, vocabulary: Vocabulary, input_types: Sequence[str]) -> str:
    if program.output < 0:
        return "real"
    types = [*input_types, *(vocabulary.functions[i.function].result_type for i in program.instructions)]
    return types[program.output]


def check_child(child: Program, parent: Program, vocabulary: Vocabulary, input_types: Sequence[str]) -> None:
    """Typed, live, numbered, another program, the same question and the same kind of answer."""
    assert mistakes(child, vocabulary, input_types) == []
    assert numbered(child) == child
    assert len(live(child)) == len(child.instructions)
    assert (child.name, child.inputs) == (parent.name, parent.inputs)
    assert child != parent
    assert output_type(child, vocabulary, input_types) == output_type(parent, vocabulary, input_types)
    assert all(math.isfinite(constant) for constant in child.constants)


@given(st.data(), vocabularies(), st.lists(st.sampled_from(TYPES), min_size=1, max_size=3), SEEDS)
@settings(max_examples=examples(60), deadline=None)
def test_a_mutation_is_a_typed_live_program_of_the_same_signature(
    data: st.DataObject, vocabulary: Vocabulary, input_types: list[str], rng_seed: int
) -> None:
    parent = data.draw(typed_programs(vocabulary, input_types))

    child = mutate(parent, vocabulary, np.random.default_rng(rng_seed), max_operations=7, input_types=input_types)

    if child is not None:
        check_child(child, parent, vocabulary, input_types)
        assert len(child.instructions) <= 7


@given(st.data(), vocabularies(), st.lists(st.sampled_from(TYPES), min_size=1, max_size=3), SEEDS)
@settings(max_examples=examples(60), deadline=None)
def test_a_crossover_is_a_typed_live_program_of_the_receivers_signature(
    data: st.DataObject, vocabulary: Vocabulary, input_types: list[str], rng_seed: int
) -> None:
    receiver = data.draw(typed_programs(vocabulary, input_types))
    donor = replace(data.draw(typed_programs(vocabulary, input_types)), name="donor")
    rng = np.random.default_rng(rng_seed)

    child = crossover(receiver, donor, vocabulary, rng, max_operations=9, input_types=input_types)

    if child is not None:
        check_child(child, receiver, vocabulary, input_types)
        assert len(child.instructions) <= 9


@given(st.data(), SEEDS, st.sampled_from([ARITHMETIC, ELEMENTARY]))
@settings(max_examples=examples(50), deadline=None)
def test_a_mutation_can_be_written_and_read_back(data: st.DataObject, rng_seed: int, vocabulary: Vocabulary) -> None:
    parent = data.draw(typed_programs(vocabulary, ["real"]))

    child = mutate(parent, vocabulary, np.random.default_rng(rng_seed), max_operations=8)

    assert child is not None
    assert parse(render(child, vocabulary), vocabulary) == child


@pytest.mark.parametrize("constant", [1.7e308, -1.7e308, 5e-324])
def test_constants_at_the_ends_of_float64_stay_finite(constant: float) -> None:
    # given a vocabulary in which next to nothing but a constant can change
    only = Vocabulary(name="only", functions=(ARITHMETIC.functions[0],))
    parent = Program(name="f", inputs=("x",), constants=(constant,), instructions=(Instruction(0, (0, -1)),), output=1)
    rng = np.random.default_rng(0)

    children = [mutate(parent, only, rng, max_operations=1) for _ in range(150)]

    perturbed = [child for child in children if child is not None and child.instructions == parent.instructions]
    assert perturbed
    assert all(math.isfinite(value) for child in perturbed for value in child.constants)


@given(st.data(), SEEDS)
@settings(max_examples=examples(30), deadline=None)
def test_parents_are_not_changed_and_a_seed_gives_one_child(data: st.DataObject, rng_seed: int) -> None:
    receiver, donor = (data.draw(typed_programs(ELEMENTARY, ["real", "real"])) for _ in range(2))
    before = replace(receiver), replace(donor)

    pairs = [
        (
            mutate(receiver, ELEMENTARY, np.random.default_rng(rng_seed), max_operations=9),
            crossover(receiver, donor, ELEMENTARY, np.random.default_rng(rng_seed), max_operations=9),
        )
        for _ in range(2)
    ]

    assert pairs[0] == pairs[1]
    assert (receiver, donor) == before


@given(st.data(), SEEDS)
@settings(max_examples=examples(40), deadline=None)
def test_a_crossover_brings_only_words_and_constants_of_its_parents(data: st.DataObject, rng_seed: int) -> None:
    receiver, donor = (data.draw(typed_programs(ELEMENTARY, ["real"])) for _ in range(2))

    child = crossover(receiver, donor, ELEMENTARY, np.random.default_rng(rng_seed), max_operations=14)

    assume(child is not None)
    assert child is not None
    parents = [*receiver.instructions, *donor.instructions]
    assert {i.function for i in child.instructions} <= {i.function for i in parents}
    assert set(child.constants) <= {*receiver.constants, *donor.constants}
    assert operation_count(child) <= operation_count(receiver) + operation_count(donor) + len(parents)


def test_a_crossover_may_put_the_donor_in_place_of_everything_or_of_one_operand() -> None:
    receiver = parse("def f(x):\n    return x * 2.0 + 1.0\n", ARITHMETIC)
    donor = parse("def g(x):\n    return 3.0 / x\n", ARITHMETIC)
    rng = np.random.default_rng(0)

    texts = {
        render(child, ARITHMETIC).split("\n", 1)[1].strip()
        for child in (crossover(receiver, donor, ARITHMETIC, rng, max_operations=9) for _ in range(60))
        if child is not None
    }

    assert "return 3.0 / x" in texts
    assert any("t1 * 2.0" in text and text.endswith("+ 1.0") for text in texts)
    assert all("3.0 / x" in text for text in texts)


def test_types_that_never_meet_are_not_crossed() -> None:
    vocabulary = Vocabulary(
        name="apart", functions=(word("real_to_real", ["real"], "real"), word("to_mask", ["tensor"], "mask"))
    )
    receiver = Program(name="f", inputs=("a", "b"), constants=(), instructions=(Instruction(0, (0,)),), output=2)
    donor = replace(receiver, instructions=(Instruction(1, (1,)),))

    child = crossover(
        receiver,
        donor,
        vocabulary,
        np.random.default_rng(0),
        max_operations=9,
        input_types=("real", "tensor"),
    )

    assert child is None


def test_a_mutation_that_cannot_change_anything_is_none() -> None:
    # given one input of a type that no word gives or takes
    stuck = Vocabulary(name="stuck", functions=(word("f", ["tensor"], "tensor"),))
    parent = Program(name="f", inputs=("x",), constants=(), instructions=(), output=0)

    assert mutate(parent, stuck, np.random.default_rng(0), max_operations=5, input_types=("mask",)) is None


@pytest.mark.parametrize("max_operations", [0, 1])
def test_children_over_the_limit_are_not_made(max_operations: int) -> None:
    parent = parse("def f(x):\n    t = x * 2.0 + 1.0\n    return t / (x + t)\n", ARITHMETIC)
    rng = np.random.default_rng(2)

    for _ in range(20):
        for child in (
            mutate(parent, ARITHMETIC, rng, max_operations=max_operations),
            crossover(parent, parent, ARITHMETIC, rng, max_operations=max_operations),
        ):
            assert child is None or len(child.instructions) <= max_operations


def swaps_among(n_children: int, *, commutative: bool) -> int:
    """How many children of `meet(a, b)` are `meet(b, a)`."""
    pair = Vocabulary(name="pair", functions=(word("meet", ["mask", "mask"], "mask", commutative=commutative),))
    parent = Program(name="f", inputs=("a", "b"), constants=(), instructions=(Instruction(0, (0, 1)),), output=2)
    rng = np.random.default_rng(3)
    children = [mutate(parent, pair, rng, max_operations=1, input_types=("mask", "mask")) for _ in range(n_children)]
    return sum(child is not None and child.instructions == (Instruction(0, (1, 0)),) for child in children)


def test_operands_are_swapped_where_that_changes_something() -> None:
    # two rewirings in one child can swap commuting operands all the same, but seldom
    assert swaps_among(200, commutative=False) > 2 * swaps_among(200, commutative=True)


def reachable(vocabulary: Vocabulary, parent: Program, n: int) -> set[str]:
    rng, texts, program = np.random.default_rng(4), set[str](), parent
    for _ in range(n):
        child = mutate(program, vocabulary, rng, max_operations=4)
        if child is not None:
            program = child
            texts.update(vocabulary.functions[i.function].name for i in child.instructions)
    return texts


def test_a_walk_of_mutations_uses_every_word() -> None:
    empty = Program(name="f", inputs=("x",), constants=(), instructions=(), output=0)

    assert reachable(ELEMENTARY, empty, 500) == {f.name for f in ELEMENTARY.functions}


@given(st.data())
@settings(max_examples=examples(60), deadline=None)
def test_a_tidied_program_computes_the_same_bits_and_is_as_long(data: st.DataObject) -> None:
    program = data.draw(typed_programs(ELEMENTARY, ["real", "real"]))
    points = [np.array([-2.5, -0.0, 0.0, 0.3, 1e300, np.inf]), np.array([7.0, 0.0, -0.0, -1.0, 1.0, 2.0])]

    tidy = tidied(program, ELEMENTARY)

    before, after = (np.asarray(evaluate(p, ELEMENTARY, points), np.float64) for p in (program, tidy))
    assert np.array_equal(before, after, equal_nan=True)
    assert np.array_equal(np.signbit(before)[~np.isnan(before)], np.signbit(after)[~np.isnan(after)])
    assert len(tidy.instructions) == len(program.instructions)


@given(st.data())
@settings(max_examples=examples(50), deadline=None)
def test_a_tidied_program_adds_and_subtracts_no_negative_constant_and_is_tidied_at_once(data: st.DataObject) -> None:
    program = data.draw(typed_programs(ARITHMETIC, ["real"]))

    tidy = tidied(program, ARITHMETIC)

    for instruction in tidy.instructions:
        left, right = instruction.arguments
        if ARITHMETIC.functions[instruction.function].name in ("add", "sub") and right < 0 <= left:
            assert tidy.constants[-1 - right] >= 0.0
    assert tidied(tidy, ARITHMETIC) == tidy


def test_a_constant_that_is_also_the_output_is_left_alone() -> None:
    program = Program(name="f", inputs=("x",), constants=(-2.0,), instructions=(Instruction(0, (0, -1)),), output=-1)

    assert tidied(program, ARITHMETIC) == program


def test_words_of_the_problem_that_are_only_called_add_and_sub_are_left_alone() -> None:
    # given an addition that stops at one, and plain subtraction
    def saturated(a: float, b: float) -> float:
        return min(a + b, 1.0)

    add, sub = (replace(function, opcode=-1) for function in ARITHMETIC.functions[:2])
    own = Vocabulary(name="own", functions=(replace(add, apply=saturated), sub))
    program = Program(name="f", inputs=("x",), constants=(-2.0,), instructions=(Instruction(0, (0, -1)),), output=1)

    assert evaluate(tidied(program, own), own, [5.0]) == evaluate(program, own, [5.0]) == 1.0


def test_a_vocabulary_without_subtraction_keeps_its_negative_constants() -> None:
    sums = Vocabulary(name="sums", functions=(ARITHMETIC.functions[0],))
    program = Program(name="f", inputs=("x",), constants=(-2.0,), instructions=(Instruction(0, (0, -1)),), output=1)

    assert tidied(program, sums) == program
