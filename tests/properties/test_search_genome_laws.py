"""Genomes: round trips, normal forms that keep values, moves that keep genomes valid."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evolve.symbolic.genomes import grammar_of, has_arithmetic, read_genome, write_genome
from evolve.symbolic.moves import (
    Grammar,
    alter,
    delete,
    graft,
    insert,
    mutate_genome,
    random_constant,
    random_start,
    square,
    trailing_squares,
)
from evolve.symbolic.normal_form import (
    CONSTANT,
    UNUSED,
    compact,
    count_uses,
    depth_of,
    link,
    normalise,
    structure_hash,
    unlink,
)
from evolve.symbolic.tape import FloatArray, IntArray, is_unary
from sandbox.symbolic.canonical import depth, live, numbered
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, OP_ADD, OP_DIV, OP_MUL, OP_SUB, Function, Vocabulary
from tests.extent import examples

LIMIT = 10
CAPACITY = 2 * LIMIT + 4
EXACT: dict[int, Callable[[Fraction, Fraction], Fraction]] = {
    OP_ADD: lambda a, b: a + b,
    OP_SUB: lambda a, b: a - b,
    OP_MUL: lambda a, b: a * b,
    OP_DIV: lambda a, b: a / b,
}


@dataclass
class Genome:
    """A genome with room to grow."""

    code: IntArray
    constants: FloatArray
    n: int
    n_inputs: int

    def copy(self) -> "Genome":
        return Genome(self.code.copy(), self.constants.copy(), self.n, self.n_inputs)

    def scratch(self) -> IntArray:
        return np.zeros(CAPACITY + self.n_inputs, np.int64)

    def normalised(self, *, rewrite: bool = True) -> "Genome":
        other = self.copy()
        other.n = normalise(other.code, other.constants, other.n, other.n_inputs, other.scratch(), rewrite)
        return other

    def structure(self) -> int:
        return structure_hash(self.code, self.n, self.n_inputs, self.scratch())

    def program(self, vocabulary: Vocabulary) -> Program:
        inputs = ("x", "y", "z")[: self.n_inputs]
        return read_genome(self.code, self.constants, self.n, vocabulary, name="f", inputs=inputs)

    def held(self) -> tuple[list[list[int]], list[float]]:
        """The part that matters: instructions, and the constants that are read."""
        used = [float(self.constants[i, s - 1]) for i in range(self.n) for s in (1, 2) if self.code[i, s] == CONSTANT]
        return self.code[: self.n].tolist(), used

    def mistakes(self, grammar: Grammar) -> list[str]:
        """What makes it no genome of a grammar."""
        known = {*grammar.unary.tolist(), *grammar.binary.tolist()}
        wrong = []
        for i, (op, left, right) in enumerate(self.code[: self.n].tolist()):
            operands = [left] if is_unary(op) else [left, right]
            if op not in known:
                wrong.append(f"{i}: opcode {op}")
            if any(a != CONSTANT and not 0 <= a < self.n_inputs + i for a in operands):
                wrong.append(f"{i}: operands {operands}")
            if is_unary(op) and right != UNUSED:
                wrong.append(f"{i}: a second operand {right}")
            for side, a in enumerate(operands):
                if a == CONSTANT and not np.isfinite(self.constants[i, side]):
                    wrong.append(f"{i}: constant {self.constants[i, side]}")
        return wrong


POWERS = st.builds(lambda sign, power: sign * 2.0**power, st.sampled_from([1.0, -1.0]), st.integers(-3, 3))
"""Constants whose sums and reciprocals are exact, so that two forms can be compared without rounding."""


@st.composite
def genomes(draw: st.DrawFn, vocabulary: Vocabulary = ARITHMETIC, min_size: int = 1, max_size: int = 8) -> Genome:
    n_inputs = draw(st.integers(1, 3))
    n = draw(st.integers(min_size, max_size))
    genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.zeros((CAPACITY, 2)), n, n_inputs)
    for i in range(n):
        op = draw(st.sampled_from([f.opcode for f in vocabulary.functions]))
        operand = st.integers(CONSTANT, n_inputs + i - 1)
        genome.code[i] = (op, draw(operand), UNUSED if is_unary(op) else draw(operand))
        genome.constants[i] = (draw(POWERS), draw(POWERS))
    return genome


def exact_value(genome: Genome) -> Fraction:
    """The genome's value at a fixed point, in fractions.

    Raises:
        ZeroDivisionError: on the way.
    """
    values = [Fraction(355, 113), Fraction(-193, 71), Fraction(1457, 536)][: genome.n_inputs]
    for i in range(genome.n):
        op, *operands = genome.code[i].tolist()
        left, right = (
            values[a] if a >= 0 else Fraction(float(genome.constants[i, side])) for side, a in enumerate(operands)
        )
        values.append(EXACT[op](left, right))
    return values[-1]


@given(genomes(ELEMENTARY))
@settings(max_examples=examples(60), deadline=None)
def test_a_genome_read_as_a_program_and_written_back_is_the_same_genome(genome: Genome) -> None:
    back = Genome(np.zeros((LIMIT, 3), np.int64), np.zeros((LIMIT, 2)), 0, genome.n_inputs)

    back.n = write_genome(genome.program(ELEMENTARY), ELEMENTARY, back.code, back.constants)

    assert back.held() == genome.held()


@given(genomes(ELEMENTARY))
@settings(max_examples=examples(40), deadline=None)
def test_a_program_of_a_genome_has_a_constant_slot_for_each_use(genome: Genome) -> None:
    program = genome.program(ELEMENTARY)

    assert numbered(program) == program
    assert program.output == genome.n_inputs + genome.n - 1


@given(genomes(ELEMENTARY))
@settings(max_examples=examples(40), deadline=None)
def test_linked_constants_come_back_into_the_genome_they_were_taken_from(genome: Genome) -> None:
    tape, flat = np.zeros((CAPACITY, 3), np.int64), np.zeros(2 * CAPACITY)
    _, used = genome.held()
    other = genome.copy()
    other.constants[:] = np.nan

    k = link(genome.code, genome.constants, genome.n, genome.n_inputs, tape, flat)
    unlink(other.code, other.constants, other.n, flat)

    assert flat[:k].tolist() == used
    assert other.held() == genome.held()
    rows = tape[: genome.n, 1:]
    assert ((rows >= 0) & (rows < genome.n_inputs + genome.n + k)).all()
    assert tape[: genome.n, 0].tolist() == genome.code[: genome.n, 0].tolist()


@given(genomes(ARITHMETIC))
@settings(max_examples=examples(60), deadline=None)
def test_a_normal_form_has_the_same_value(genome: Genome) -> None:
    normal = genome.normalised()
    assume(normal.n >= 0)
    try:
        before, after = exact_value(genome), exact_value(normal)
    except ZeroDivisionError:
        assume(False)

    # folded quotients such as 1 / 3 are rounded, everything else is exact
    assert abs(after - before) <= Fraction(1, 10**9) * max(abs(before), Fraction(1))


@given(genomes(ARITHMETIC))
@settings(max_examples=examples(60), deadline=None)
def test_a_normal_form_is_valid_no_longer_and_entirely_live(genome: Genome) -> None:
    normal = genome.normalised()
    assume(normal.n >= 0)

    program = normal.program(ARITHMETIC)
    assert normal.mistakes(grammar_of(ARITHMETIC, n_inputs=genome.n_inputs, max_operations=LIMIT)) == []
    assert 1 <= normal.n <= genome.n
    assert len(live(program)) == normal.n
    assert all(any(a >= 0 for a in instruction.arguments) for instruction in program.instructions)


@given(genomes(ARITHMETIC))
@settings(max_examples=examples(60), deadline=None)
def test_no_normal_form_subtracts_or_divides_by_a_constant_or_begins_a_sum_with_one(genome: Genome) -> None:
    normal = genome.normalised()
    assume(normal.n >= 0)

    for op, left, right in normal.code[: normal.n].tolist():
        assert not (op in (OP_SUB, OP_DIV) and right == CONSTANT)
        assert not (op in (OP_ADD, OP_MUL) and left == CONSTANT)
        assert not (op in (OP_ADD, OP_SUB, OP_DIV) and left == right)


@given(genomes(ELEMENTARY))
@settings(max_examples=examples(60), deadline=None)
def test_without_rewriting_a_normal_form_only_folds_and_drops(genome: Genome) -> None:
    normal = genome.normalised(rewrite=False)
    assume(normal.n >= 0)
    points = [np.array([0.3, 1.7, -2.2, 5.0]) * (k + 1) for k in range(genome.n_inputs)]

    before = evaluate(genome.program(ELEMENTARY), ELEMENTARY, points)
    after = evaluate(normal.program(ELEMENTARY), ELEMENTARY, points)

    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)
    assert normal.n <= genome.n


def test_a_genome_of_constants_only_is_not_worth_a_fit() -> None:
    genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.ones((CAPACITY, 2)), 2, 1)
    genome.code[0] = (OP_ADD, CONSTANT, CONSTANT)
    genome.code[1] = (OP_MUL, 1, 1)

    assert genome.normalised().n == -1
    assert genome.normalised(rewrite=False).n == -1


@pytest.mark.parametrize("op", [OP_ADD, OP_SUB, OP_DIV])
def test_an_operation_of_a_register_on_itself_is_not_worth_a_fit(op: int) -> None:
    genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.zeros((CAPACITY, 2)), 1, 1)
    genome.code[0] = (op, 0, 0)

    assert genome.normalised().n == -1


@pytest.mark.parametrize("constant", [0.0, np.inf, np.nan])
def test_a_division_by_a_constant_without_a_reciprocal_is_not_worth_a_fit(constant: float) -> None:
    genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.full((CAPACITY, 2), constant), 1, 1)
    genome.code[0] = (OP_DIV, 0, CONSTANT) if constant == 0.0 else (OP_MUL, 0, CONSTANT)

    assert genome.normalised().n == -1


@given(genomes(ELEMENTARY))
@settings(max_examples=examples(50), deadline=None)
def test_dropping_dead_instructions_keeps_the_value_and_is_done_at_once(genome: Genome) -> None:
    points = [np.array([0.3, 1.7, -2.2, 5.0]) * (k + 1) for k in range(genome.n_inputs)]
    before = np.asarray(evaluate(genome.program(ELEMENTARY), ELEMENTARY, points))
    needed = len(live(genome.program(ELEMENTARY)))

    genome.n = compact(genome.code, genome.constants, genome.n, genome.n_inputs, genome.scratch())

    assert genome.n == needed
    np.testing.assert_array_equal(evaluate(genome.program(ELEMENTARY), ELEMENTARY, points), before)
    assert compact(genome.code, genome.constants, genome.n, genome.n_inputs, genome.scratch()) == needed


@given(genomes(ELEMENTARY))
@settings(max_examples=examples(40), deadline=None)
def test_uses_are_counted_as_the_program_reads_them(genome: Genome) -> None:
    uses = genome.scratch()

    count_uses(genome.code, genome.n, genome.n_inputs, uses)

    program = genome.program(ELEMENTARY)
    readings = [a for instruction in program.instructions for a in instruction.arguments if a >= 0]
    readings.append(program.output)
    assert uses[: genome.n_inputs + genome.n].tolist() == [
        readings.count(register) for register in range(genome.n_inputs + genome.n)
    ]


@given(genomes(ELEMENTARY))
@settings(max_examples=examples(40), deadline=None)
def test_the_depth_of_a_folded_genome_is_the_depth_of_its_program(genome: Genome) -> None:
    folded = genome.normalised(rewrite=False)
    assume(folded.n >= 1)

    found = depth_of(folded.code, folded.n, folded.n_inputs, folded.scratch())

    assert found == depth(folded.program(ELEMENTARY))


@given(genomes(ELEMENTARY), st.integers(0, 10**6))
@settings(max_examples=examples(50), deadline=None)
def test_structures_do_not_depend_on_constants_or_the_order_of_commuting_operands(
    genome: Genome, rng_seed: int
) -> None:
    rng = np.random.default_rng(rng_seed)
    other = genome.copy()
    other.constants[:] = rng.normal(size=other.constants.shape)
    commutes = {f.opcode: f.commutative for f in ELEMENTARY.functions}
    for i in range(other.n):
        if commutes[int(other.code[i, 0])] and rng.random() < 0.5:
            other.code[i, 1], other.code[i, 2] = other.code[i, 2], other.code[i, 1]

    assert other.structure() == genome.structure()


def test_structures_do_not_depend_on_the_order_of_independent_instructions() -> None:
    # given  (x * c) - (y / c), its two operands written in either order
    first = Genome(np.zeros((CAPACITY, 3), np.int64), np.ones((CAPACITY, 2)), 3, 2)
    second = first.copy()
    first.code[:3] = [(OP_MUL, 0, CONSTANT), (OP_DIV, 1, CONSTANT), (OP_SUB, 2, 3)]
    second.code[:3] = [(OP_DIV, 1, CONSTANT), (OP_MUL, 0, CONSTANT), (OP_SUB, 3, 2)]

    assert first.structure() == second.structure()


def test_different_structures_have_different_hashes() -> None:
    rows = [
        (op, a, b)
        for op in (OP_ADD, OP_SUB, OP_MUL, OP_DIV)
        for a in (CONSTANT, 0, 1)
        for b in (CONSTANT, 0, 1)
        if (a, b) != (CONSTANT, CONSTANT) and (op not in (OP_ADD, OP_MUL) or a <= b)
    ]
    hashes = set()
    for row in rows:
        genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.ones((CAPACITY, 2)), 1, 2)
        genome.code[0] = row
        hashes.add(genome.structure())

    assert len(hashes) == len(rows)


def test_sharing_a_value_is_another_structure_than_computing_it_twice() -> None:
    # given  t * t with t = x + c, and (x + c) * (x + d)
    shared = Genome(np.zeros((CAPACITY, 3), np.int64), np.ones((CAPACITY, 2)), 2, 1)
    twice = Genome(np.zeros((CAPACITY, 3), np.int64), np.ones((CAPACITY, 2)), 3, 1)
    shared.code[:2] = [(OP_ADD, 0, CONSTANT), (OP_MUL, 1, 1)]
    twice.code[:3] = [(OP_ADD, 0, CONSTANT), (OP_ADD, 0, CONSTANT), (OP_MUL, 1, 2)]

    assert shared.structure() != twice.structure()


def random_state(rng_seed: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array([rng_seed], np.uint64)


@given(genomes(ELEMENTARY), st.integers(0, 2**32), st.sampled_from(["insert", "delete", "alter", "mutate"]))
@settings(max_examples=examples(60), deadline=None)
def test_a_move_makes_a_valid_genome_or_none(genome: Genome, rng_seed: int, move: str) -> None:
    grammar = grammar_of(ELEMENTARY, n_inputs=genome.n_inputs, max_operations=LIMIT)
    state = random_state(rng_seed)
    before = genome.n

    if move == "insert":
        genome.n = insert(genome.code, genome.constants, genome.n, grammar, state)
        assert genome.n in (-1, before + 1, before + 2)
    elif move == "delete":
        genome.n = delete(genome.code, genome.n, genome.n_inputs, state)
        assert genome.n <= before
    elif move == "alter":
        genome.n = alter(genome.code, genome.constants, genome.n, grammar, state)
        assert genome.n == before
    else:
        genome.n = mutate_genome(genome.code, genome.constants, genome.n, grammar, state)

    assert -1 <= genome.n <= LIMIT
    assert genome.mistakes(grammar) == []


@given(genomes(ELEMENTARY, max_size=LIMIT), genomes(ELEMENTARY, max_size=LIMIT), st.integers(0, 2**32))
@settings(max_examples=examples(60), deadline=None)
def test_a_graft_makes_a_valid_genome_within_its_room_or_none(receiver: Genome, donor: Genome, rng_seed: int) -> None:
    receiver.n_inputs = donor.n_inputs = max(receiver.n_inputs, donor.n_inputs)
    grammar = grammar_of(ELEMENTARY, n_inputs=receiver.n_inputs, max_operations=LIMIT)
    for genome in (receiver, donor):  # registers of narrower genomes mean other inputs now, and stay in range
        assert genome.mistakes(grammar) == []
    before = receiver.n

    receiver.n = graft(
        receiver.code, receiver.constants, receiver.n,
        donor.code, donor.constants, donor.n,
        grammar, random_state(rng_seed), receiver.scratch(),
    )  # fmt: skip

    assert receiver.n == -1 or before < receiver.n <= 2 * LIMIT
    assert receiver.mistakes(grammar) == []


@given(genomes(ELEMENTARY), st.integers(0, 2**32))
@settings(max_examples=examples(30), deadline=None)
def test_a_move_is_a_function_of_its_random_stream(genome: Genome, rng_seed: int) -> None:
    grammar = grammar_of(ELEMENTARY, n_inputs=genome.n_inputs, max_operations=LIMIT)
    other = genome.copy()

    genome.n = mutate_genome(genome.code, genome.constants, genome.n, grammar, random_state(rng_seed))
    other.n = mutate_genome(other.code, other.constants, other.n, grammar, random_state(rng_seed))

    assert genome.held() == other.held()


def test_a_walk_of_moves_from_nothing_reaches_every_operation_and_every_input() -> None:
    grammar = grammar_of(ELEMENTARY, n_inputs=2, max_operations=6)
    genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.zeros((CAPACITY, 2)), 0, 2)
    state, opcodes, operands = random_state(1), set[int](), set[int]()

    for _ in range(1500):
        trial = genome.copy()
        trial.n = mutate_genome(trial.code, trial.constants, trial.n, grammar, state)
        if trial.n < 0:
            continue
        genome = trial
        opcodes.update(genome.code[: genome.n, 0].tolist())
        operands.update(genome.code[: genome.n, 1:].ravel().tolist())

    assert opcodes == {f.opcode for f in ELEMENTARY.functions}
    assert {CONSTANT, UNUSED, 0, 1} <= operands


def test_moves_on_nothing_say_so() -> None:
    genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.zeros((CAPACITY, 2)), 0, 1)
    grammar = grammar_of(ARITHMETIC, n_inputs=1, max_operations=LIMIT)
    state = random_state(0)

    assert delete(genome.code, 0, 1, state) == -1
    assert alter(genome.code, genome.constants, 0, grammar, state) == -1
    assert square(genome.code, genome.constants, 0, grammar) == -1
    donor = genome.copy()
    arguments = (genome.code, genome.constants, 0, donor.code, donor.constants, 0)
    assert graft(*arguments, grammar, state, genome.scratch()) == -1


@given(genomes(ARITHMETIC), st.integers(1, 2))
@settings(max_examples=examples(40), deadline=None)
def test_appended_squares_square_the_value_and_are_counted(genome: Genome, times: int) -> None:
    grammar = grammar_of(ARITHMETIC, n_inputs=genome.n_inputs, max_operations=LIMIT)
    try:
        value = exact_value(genome)
    except ZeroDivisionError:
        assume(False)
    held = trailing_squares(genome.code, genome.n, genome.n_inputs)

    for _ in range(times):
        genome.n = square(genome.code, genome.constants, genome.n, grammar)

    assert exact_value(genome) == value ** (2**times)
    assert trailing_squares(genome.code, genome.n, genome.n_inputs) >= held + times - 1


def test_no_square_is_appended_beyond_the_limit_or_without_multiplication() -> None:
    genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.ones((CAPACITY, 2)), 1, 1)
    genome.code[0] = (OP_ADD, 0, CONSTANT)
    sums = Vocabulary(name="sums", functions=ARITHMETIC.functions[:2])

    for grammar in (
        grammar_of(ARITHMETIC, n_inputs=1, max_operations=1),
        grammar_of(sums, n_inputs=1, max_operations=9),
    ):
        assert square(genome.code, genome.constants, 1, grammar) == -1


@pytest.mark.parametrize(("n_unary", "n_binary"), [(9, 6)])
def test_a_grammar_sorts_the_words_by_their_arguments(n_unary: int, n_binary: int) -> None:
    grammar = grammar_of(ELEMENTARY, n_inputs=2, max_operations=5)

    assert (len(grammar.unary), len(grammar.binary)) == (n_unary, n_binary)
    assert all(is_unary(op) for op in grammar.unary.tolist())
    assert not any(is_unary(op) for op in grammar.binary.tolist())
    assert (grammar.n_inputs, grammar.max_operations, grammar.macros) == (2, 5, 1)


def test_a_vocabulary_without_all_four_operations_has_no_macros_and_no_rewriting() -> None:
    sums = Vocabulary(name="sums", functions=ARITHMETIC.functions[:2])

    assert grammar_of(sums, n_inputs=1, max_operations=5).macros == 0
    assert not has_arithmetic(sums)
    assert has_arithmetic(ELEMENTARY)


def own_word(name: str, n_arguments: int) -> Function:
    return Function(
        name=name,
        symbol=None,
        argument_types=("real",) * n_arguments,
        result_type="real",
        commutative=False,
        opcode=-1,
        apply=max,
    )


def test_a_vocabulary_without_a_compiled_word_of_two_arguments_is_refused_by_name() -> None:
    unary = Vocabulary(name="lonely", functions=(*ELEMENTARY.functions[4:7], own_word("blend", 2)))

    with pytest.raises(ValueError, match="'lonely' has no compiled function of two arguments"):
        grammar_of(unary, n_inputs=1, max_operations=5)


@pytest.mark.parametrize(
    ("program", "length"),
    [
        (Program(name="f", inputs=("x",), constants=(), instructions=(), output=0), 0),
        (Program(name="f", inputs=("x", "y"), constants=(), instructions=(), output=0), 0),
        (Program(name="f", inputs=("x",), constants=(2.0,), instructions=(), output=-1), -1),
        (Program(name="f", inputs=("x",), constants=(), instructions=(Instruction(4, (0, 0)),), output=1), -1),
        (
            Program(name="f", inputs=("x",), constants=(), instructions=(Instruction(0, (0, 0)),) * 3, output=3),
            -1,
        ),
        (
            Program(name="f", inputs=("x",), constants=(), instructions=(Instruction(0, (0, 0)),) * 3, output=2),
            2,
        ),
    ],
    ids=["empty", "empty-of-two", "constant", "own-word", "too-long", "cut-at-the-output"],
)
def test_the_length_of_a_written_genome_says_whether_a_genome_can_hold_the_program(
    program: Program, length: int
) -> None:
    vocabulary = Vocabulary(name="mixed", functions=(*ARITHMETIC.functions, own_word("blend", 2)))

    assert write_genome(program, vocabulary, np.zeros((2, 3), np.int64), np.zeros((2, 2))) == length


def test_of_two_words_with_one_opcode_the_first_is_read_back() -> None:
    twice = Vocabulary(name="twice", functions=(*ARITHMETIC.functions, *ARITHMETIC.functions))
    genome = Genome(np.zeros((CAPACITY, 3), np.int64), np.ones((CAPACITY, 2)), 1, 1)
    genome.code[0] = (OP_MUL, 0, CONSTANT)

    assert genome.program(twice).instructions == (Instruction(2, (0, -1)),)


def test_new_constants_are_of_either_sign_and_log_uniform_between_a_sixteenth_and_sixteen() -> None:
    state = random_state(6)

    drawn = np.array([random_constant(state) for _ in range(3000)])

    assert np.abs(drawn).min() >= 1.0 / 16.0
    assert np.abs(drawn).max() <= 16.0
    assert np.mean(drawn > 0.0) == pytest.approx(0.5, abs=0.05)
    assert np.log2(np.abs(drawn)).mean() == pytest.approx(0.0, abs=0.15)


def test_starts_are_finite_fresh_or_near_the_inherited_constants() -> None:
    state, flat, inherited = random_state(9), np.zeros(6), np.array([1.0, -2.0, 4.0, 0.5, -8.0, 7.0])
    near = 0

    for _ in range(400):
        random_start(flat, 4, inherited, state)
        assert np.isfinite(flat[:4]).all()
        near += bool((np.abs(np.log(np.abs(flat[:4] / inherited[:4]))) < 0.7).all())

    assert 40 < near < 300
    assert flat[4:].tolist() == [0.0, 0.0]
