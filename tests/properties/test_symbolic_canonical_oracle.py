"""Canonical form, fingerprint and counts against the terms that programs stand for."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sandbox.symbolic.canonical import (
    canonical,
    chain_lengths,
    counts,
    depth,
    fingerprint,
    live,
    numbered,
    operation_count,
)
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import ARITHMETIC, Function, Vocabulary
from tests.extent import examples

Term = Any
"""An input's name, a constant, or a tuple of a function's name and its arguments."""


def word(name: str, n_arguments: int, apply: Callable[..., Term], *, commutative: bool = False) -> Function:
    return Function(
        name=name,
        symbol=None,
        argument_types=("real",) * n_arguments,
        result_type="real",
        commutative=commutative,
        opcode=-1,
        apply=apply,
    )


TERMS = Vocabulary(
    name="terms",
    functions=(
        word("one", 1, lambda a: ("one", a)),
        word("pair", 2, lambda a, b: ("pair", a, b)),
        word("both", 2, lambda a, b: ("both", *sorted((a, b), key=repr)), commutative=True),
    ),
)
"""Functions that only write down what they are given: evaluating a program gives the term that it stands for."""


@st.composite
def programs(draw: st.DrawFn, vocabulary: Vocabulary = TERMS, max_size: int = 8, n_inputs: int = 2) -> Program:
    constants = tuple(draw(st.lists(st.sampled_from([1.0, 2.0, 0.5, -0.0]), min_size=1, max_size=3)))
    instructions: list[Instruction] = []
    for i in range(draw(st.integers(0, max_size))):
        function = draw(st.integers(0, len(vocabulary.functions) - 1))
        operand = st.integers(-len(constants), n_inputs + i - 1)
        n_arguments = len(vocabulary.functions[function].argument_types)
        instructions.append(Instruction(function, tuple(draw(operand) for _ in range(n_arguments))))
    lowest = n_inputs + len(instructions) - 2 if instructions else -1
    return Program(
        name="f",
        inputs=("x", "y")[:n_inputs],
        constants=constants,
        instructions=tuple(instructions),
        output=draw(st.integers(lowest, n_inputs + len(instructions) - 1)),
    )


def term_of(program: Program) -> Term:
    return evaluate(program, TERMS, list(program.inputs))


def calls_in(term: Term) -> set[str]:
    """The different calls that a term is made of, written out."""
    if not isinstance(term, tuple):
        return set()
    return {repr(term)}.union(*(calls_in(argument) for argument in term[1:]))


def has_input(term: Term) -> bool:
    return isinstance(term, str) or (isinstance(term, tuple) and any(has_input(a) for a in term[1:]))


def term_depth(term: Term) -> int:
    if not isinstance(term, tuple) or not has_input(term):
        return 0
    return 1 + max(term_depth(argument) for argument in term[1:] if has_input(argument))


def reached_from(program: Program, operand: int) -> set[int]:
    """Positions of the instructions that an operand needs, by walking the graph."""
    position = operand - len(program.inputs)
    if position < 0:
        return set()
    return {position}.union(*(reached_from(program, a) for a in program.instructions[position].arguments))


def reads_an_input(program: Program, operand: int) -> bool:
    position = operand - len(program.inputs)
    if position < 0:
        return operand >= 0
    return any(reads_an_input(program, a) for a in program.instructions[position].arguments)


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_the_canonical_form_stands_for_the_same_term(program: Program) -> None:
    form = canonical(program, TERMS)

    assert term_of(form) == term_of(program)
    assert (form.name, form.inputs) == (program.name, program.inputs)


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_the_canonical_form_has_one_instruction_for_each_different_call(program: Program) -> None:
    form = canonical(program, TERMS)

    assert len(form.instructions) == len(calls_in(term_of(program)))


@given(programs(max_size=3, n_inputs=1), programs(max_size=3, n_inputs=1))
@settings(max_examples=examples(60), deadline=None)
def test_two_programs_share_a_canonical_form_exactly_if_they_stand_for_the_same_term(a: Program, b: Program) -> None:
    same_term = repr(term_of(a)) == repr(term_of(b))

    assert (canonical(a, TERMS) == canonical(b, TERMS)) == same_term
    assert (fingerprint(a, TERMS) == fingerprint(b, TERMS)) == same_term


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_the_live_instructions_are_those_reached_from_the_output(program: Program) -> None:
    assert live(program) == tuple(sorted(reached_from(program, program.output)))


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_the_operations_that_count_are_reached_and_read_an_input(program: Program) -> None:
    first = len(program.inputs)
    costly = [i for i in reached_from(program, program.output) if reads_an_input(program, first + i)]

    assert operation_count(program) == len(costly)
    names = Counter(TERMS.functions[program.instructions[i].function].name for i in costly)
    assert counts(program, TERMS) == dict(names)


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_the_depth_is_that_of_the_term(program: Program) -> None:
    assert depth(program) == term_depth(term_of(program))
    assert depth(canonical(program, TERMS)) == depth(program)


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_a_chain_is_one_longer_than_the_longest_of_its_arguments(program: Program) -> None:
    first = len(program.inputs)

    length_of = chain_lengths(program)

    for i, length in length_of.items():
        before = [length_of.get(a - first, 0) for a in program.instructions[i].arguments]
        assert length == 1 + max(before)
        assert length <= i + 1


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_numbering_keeps_the_term_and_gives_every_use_its_own_constant(program: Program) -> None:
    form = numbered(program)

    operands = [a for i in form.instructions for a in i.arguments] + [form.output]
    used = [a for a in operands if a < 0]
    assert term_of(form) == term_of(program)
    assert used == [-1 - k for k in range(len(form.constants))]
    assert numbered(form) == form


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_a_structure_fingerprint_does_not_see_which_numbers_the_constants_are(program: Program) -> None:
    other_of = {1.0: -7.5, 2.0: 1e-9, 0.5: 33.0, -0.0: 4.0}
    other = replace(program, constants=tuple(other_of[constant] for constant in program.constants))

    before, after = (fingerprint(p, TERMS, structure_only=True) for p in (program, other))

    assert before == after
    uses_constants = len(canonical(program, TERMS).constants) > 0
    assert (fingerprint(program, TERMS) != fingerprint(other, TERMS)) == uses_constants


def followed_by(program: Program, name: str, *arguments: int) -> Program:
    """The program with one more call at its end, which becomes its output."""
    last = Instruction(TERMS.position_of(name), arguments)
    size = len(program.inputs) + len(program.instructions)
    return replace(program, instructions=(*program.instructions, last), output=size)


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_a_structure_fingerprint_sees_which_function_is_called_and_in_what_order(program: Program) -> None:
    forms = {
        name: followed_by(program, called, *arguments)
        for name, called, arguments in (
            ("pair", "pair", (program.output, 0)),
            ("turned pair", "pair", (0, program.output)),
            ("both", "both", (program.output, 0)),
            ("turned both", "both", (0, program.output)),
        )
    }

    prints = {name: fingerprint(form, TERMS, structure_only=True) for name, form in forms.items()}

    assert prints["both"] == prints["turned both"]
    assert prints["both"] != prints["pair"]
    assert (prints["pair"] == prints["turned pair"]) == (program.output == 0)


@given(programs())
@settings(max_examples=examples(60), deadline=None)
def test_a_fingerprint_does_not_see_the_names_of_the_function_and_its_inputs(program: Program) -> None:
    renamed = replace(program, name="g", inputs=tuple(f"in_{name}" for name in program.inputs))

    assert fingerprint(renamed, TERMS) == fingerprint(program, TERMS)


@given(programs(), st.integers(1, 4))
@settings(max_examples=examples(60), deadline=None)
def test_writing_the_program_twice_changes_nothing_but_the_count_as_written(program: Program, n_unused: int) -> None:
    first, size = len(program.inputs), len(program.instructions)
    assume(program.output >= first)

    def moved(operand: int) -> int:
        return operand + size if operand >= first else operand

    copy = tuple(Instruction(i.function, tuple(moved(a) for a in i.arguments)) for i in program.instructions)
    joined = Instruction(TERMS.position_of("pair"), (program.output, moved(program.output)))
    twice = replace(program, instructions=(*program.instructions, *copy, joined), output=first + 2 * size)
    once = replace(
        program,
        instructions=(*program.instructions, replace(joined, arguments=(program.output, program.output))),
        output=first + size,
    )

    assert canonical(twice, TERMS) == canonical(once, TERMS)
    assert len(live(twice)) == 2 * len(live(program)) + 1


def exact_value(program: Program) -> float:
    """The output, every operation done on fractions and rounded once.

    Raises:
        ArithmeticError: a division by zero, or a value beyond float64.
    """
    values: list[Fraction] = []
    for instruction in program.instructions:
        a, b = (
            Fraction(program.constants[-1 - k]) if k < 0 else values[k - len(program.inputs)]
            for k in instruction.arguments
        )
        name = ARITHMETIC.functions[instruction.function].name
        exact = {"add": a + b, "sub": a - b, "mul": a * b}[name] if name != "div" else a / b
        values.append(Fraction(float(exact)))
    return float(values[-1])


@given(st.data())
@settings(max_examples=examples(60), deadline=None)
def test_arithmetic_on_constants_folds_to_the_correctly_rounded_number(data: st.DataObject) -> None:
    constants = data.draw(st.lists(st.floats(-1e60, 1e60, allow_subnormal=False), min_size=2, max_size=4))
    instructions = []
    for i in range(data.draw(st.integers(1, 4))):
        operand = st.integers(-len(constants), -1) | (st.integers(1, i) if i else st.nothing())
        function = data.draw(st.integers(0, 3))
        instructions.append(Instruction(function, (data.draw(operand), data.draw(operand))))
    program = Program(
        name="f", inputs=("x",), constants=tuple(constants), instructions=tuple(instructions), output=len(instructions)
    )
    try:
        expected = exact_value(program)
    except ArithmeticError:
        assume(False)

    form = canonical(program, ARITHMETIC)

    assert form.instructions == ()
    assert form.output == -1
    assert form.constants == (expected,)


def test_a_program_of_thousands_of_instructions_has_a_canonical_form() -> None:
    n = 5_000
    chain = tuple(Instruction(0, (k,)) for k in range(n))
    program = Program(name="f", inputs=("x",), constants=(), instructions=chain, output=n)

    form = canonical(program, TERMS)

    assert form == program
    assert depth(form) == operation_count(form) == n
    assert len(fingerprint(form, TERMS)) == len(fingerprint(form, TERMS, structure_only=True)) == 32


@given(st.integers(1, 12))
@settings(max_examples=examples(12), deadline=None)
def test_programs_that_return_different_inputs_have_different_fingerprints(n_inputs: int) -> None:
    inputs = tuple(f"x{k}" for k in range(n_inputs))
    forms = [Program(name="f", inputs=inputs, constants=(), instructions=(), output=k) for k in range(n_inputs)]

    prints = {fingerprint(form, TERMS) for form in forms}

    assert len(prints) == n_inputs
