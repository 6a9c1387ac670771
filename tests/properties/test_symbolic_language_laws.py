import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.canonical import canonical, depth, fingerprint, live, numbered, operation_count
from sandbox.symbolic.double_double import evaluate_double_double
from sandbox.symbolic.interpreter import evaluate, evaluate_batch, max_error_batch
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, OP_ABS, OP_MAX, OP_MIN, OP_SQRT, Vocabulary

EXACT = Vocabulary(
    name="exact",
    functions=tuple(f for f in ELEMENTARY.functions if f.opcode <= 4 or f.opcode in (OP_ABS, OP_SQRT, OP_MIN, OP_MAX)),
)
"""Functions whose results are correctly rounded, so that every evaluation must agree to the last bit."""

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def programs(draw: st.DrawFn, vocabulary: Vocabulary = ELEMENTARY, max_size: int = 14) -> Program:
    n_inputs = draw(st.integers(1, 3))
    constants = tuple(draw(st.lists(FINITE | st.sampled_from([0.0, -0.0, 1.0, -2.5]), min_size=1, max_size=5)))
    instructions: list[Instruction] = []
    for i in range(draw(st.integers(0, max_size))):
        function = draw(st.integers(0, len(vocabulary.functions) - 1))
        operand = st.integers(-len(constants), n_inputs + i - 1)
        n_arguments = len(vocabulary.functions[function].argument_types)
        instructions.append(Instruction(function, tuple(draw(operand) for _ in range(n_arguments))))
    return Program(
        name="f",
        inputs=("x", "y", "z")[:n_inputs],
        constants=constants,
        instructions=tuple(instructions),
        output=draw(st.integers(-1, n_inputs + len(instructions) - 1)),
    )


def points_for(program: Program, n: int = 37) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    special = [0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, np.inf, -np.inf, np.nan]
    values = np.concatenate([np.linspace(-3.0, 3.0, n - len(special)), special])
    return np.stack([np.roll(values, 5 * k) for k in range(len(program.inputs))])


def same_bits(a: object, b: object, program: Program) -> bool:
    """Equal to the last bit, all NaN alike; minimum and maximum may pick a zero of either sign."""
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    signs_matter = all(EXACT.functions[i.function].opcode not in (OP_MIN, OP_MAX) for i in program.instructions)
    same_signs = np.array_equal(np.signbit(left) & ~np.isnan(left), np.signbit(right) & ~np.isnan(right))
    return bool(np.array_equal(left, right, equal_nan=True) and (same_signs or not signs_matter))


def with_dead_code(program: Program, vocabulary: Vocabulary) -> Program:
    """The same program after two useless instructions put first."""
    first, shift = len(program.inputs), 2

    def moved(operand: int) -> int:
        return operand + shift if operand >= first else operand

    useless = (Instruction(0, (0, -1)), Instruction(2, (first, 0)))
    kept = tuple(Instruction(i.function, tuple(moved(a) for a in i.arguments)) for i in program.instructions)
    return Program(
        name=program.name,
        inputs=program.inputs,
        constants=program.constants,
        instructions=useless + kept,
        output=moved(program.output),
    )


def commuted(program: Program, vocabulary: Vocabulary) -> Program:
    """The same program with the arguments of every commutative call reversed."""
    return Program(
        name="g",
        inputs=tuple(f"renamed_{name}" for name in program.inputs),
        constants=program.constants,
        instructions=tuple(
            Instruction(i.function, i.arguments[::-1] if vocabulary.functions[i.function].commutative else i.arguments)
            for i in program.instructions
        ),
        output=program.output,
    )


@given(programs())
def test_a_rendered_program_parses_to_itself(program: Program) -> None:
    normal = numbered(program)

    again = parse(render(program, ELEMENTARY), ELEMENTARY, inputs=program.inputs)

    assert again == normal
    assert render(again, ELEMENTARY) == render(program, ELEMENTARY)
    assert [value.hex() for value in again.constants] == [value.hex() for value in normal.constants]


@given(programs())
def test_the_canonical_form_is_a_fixed_point_and_parses_to_itself(program: Program) -> None:
    form = canonical(program, ELEMENTARY)

    assert canonical(form, ELEMENTARY) == form
    assert parse(render(form, ELEMENTARY), ELEMENTARY) == form
    assert len(live(form)) == len(form.instructions)


@given(programs())
def test_a_fingerprint_ignores_names_dead_code_and_the_order_of_commutative_arguments(program: Program) -> None:
    other = commuted(with_dead_code(program, ELEMENTARY), ELEMENTARY)

    assert fingerprint(other, ELEMENTARY) == fingerprint(program, ELEMENTARY)
    assert fingerprint(other, ELEMENTARY, structure_only=True) == fingerprint(program, ELEMENTARY, structure_only=True)
    assert operation_count(other) == operation_count(program)
    assert depth(other) == depth(program)


@given(programs())
def test_the_canonical_form_never_costs_more(program: Program) -> None:
    form = canonical(program, ELEMENTARY)

    assert operation_count(form) <= operation_count(program)
    assert depth(form) <= depth(program)


@given(programs(EXACT))
def test_the_canonical_form_computes_the_same_bits(program: Program) -> None:
    points = points_for(program)

    assert same_bits(
        np.broadcast_to(evaluate(canonical(program, EXACT), EXACT, list(points)), points.shape[1]),
        np.broadcast_to(evaluate(program, EXACT, list(points)), points.shape[1]),
        program,
    )


@given(st.lists(programs(EXACT), min_size=1, max_size=4))
@settings(deadline=None)
def test_the_interpreter_agrees_with_numpy_to_the_last_bit(batch_programs: list[Program]) -> None:
    batch_programs = [p for p in batch_programs if len(p.inputs) == len(batch_programs[0].inputs)]
    points = points_for(batch_programs[0])

    values = evaluate_batch(ProgramBatch.from_programs(batch_programs, EXACT), points)

    for program, row in zip(batch_programs, values, strict=True):
        assert same_bits(row, np.broadcast_to(evaluate(program, EXACT, list(points)), points.shape[1]), program)


@given(programs(ARITHMETIC, max_size=8))
@settings(deadline=None)
def test_the_largest_error_is_that_of_the_values(program: Program) -> None:
    points = np.stack([np.linspace(0.5, 2.0, 700) + k for k in range(len(program.inputs))])
    target = np.exp2(points[0])
    batch = ProgramBatch.from_programs([program], ARITHMETIC)

    relative = max_error_batch(batch, points, target)[0]
    absolute = max_error_batch(batch, points, target, relative=False)[0]

    with np.errstate(all="ignore"):
        difference = np.abs(evaluate_batch(batch, points)[0] - target)
        expected = [np.max(difference / target), np.max(difference)]
    wanted = [value if np.isfinite(value) else np.inf for value in expected]
    np.testing.assert_allclose([relative, absolute], wanted, rtol=1e-14)


@given(programs(EXACT, max_size=6))
@settings(deadline=None)
def test_double_double_rounds_to_nearly_what_float64_gives(program: Program) -> None:
    points = np.stack([np.linspace(0.5, 2.0, 20) + k for k in range(len(program.inputs))])

    high, low = evaluate_double_double(program, EXACT, points, np.zeros_like(points))

    with np.errstate(all="ignore"):
        assert np.all(~np.isfinite(high) | (np.abs(low) <= np.abs(high) * 2.0**-52) | (np.abs(high) < 1e-290))
