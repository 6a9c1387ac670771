from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import flint
import numpy as np
import pytest

from sandbox.symbolic.batch import ProgramBatch, is_compiled
from sandbox.symbolic.double_double import evaluate_double_double, has_double_double
from sandbox.symbolic.interpreter import evaluate, evaluate_batch, max_error_batch
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Function, Vocabulary

CORE = """def f(x):
    t = 5783.524908925238418 / x + x
    r = 0.9999999999999997260 + 501.1042480400301894 / (15141.93066626962091 / t - 250.5521240156970920 + t)
    r = r * r
    r = r * r
    return r * r
"""


def program(body: str, vocabulary: Vocabulary = ELEMENTARY, inputs: str = "x") -> Program:
    return parse(f"def f({inputs}):\n    return {body}\n", vocabulary)


def batch_of(*bodies: str, inputs: str = "x") -> ProgramBatch:
    return ProgramBatch.from_programs([program(body, inputs=inputs) for body in bodies], ELEMENTARY)


@pytest.mark.parametrize("name", [f.name for f in ELEMENTARY.functions])
def test_every_compiled_function_agrees_with_numpy(name: str) -> None:
    function = ELEMENTARY.functions[ELEMENTARY.position_of(name)]
    x = np.linspace(-4.0, 4.0, 1_300)
    points = np.stack([x, x[::-1] + 0.3])
    arguments = ("x", "y", "0.7")
    n = len(function.argument_types)
    shapes = [(a, b) for a in arguments for b in arguments][: n * 4] if n == 2 else [("x",), ("0.7",)]
    programs = [program(f"{name}({', '.join(shape)})", inputs="x, y") for shape in shapes]

    values = evaluate_batch(ProgramBatch.from_programs(programs, ELEMENTARY), points)

    for one, row in zip(programs, values, strict=True):
        expected = np.broadcast_to(evaluate(one, ELEMENTARY, list(points)), x.shape)
        np.testing.assert_array_max_ulp(row[np.isfinite(row)], expected[np.isfinite(expected)], maxulp=4)
        np.testing.assert_array_equal(np.isnan(row), np.isnan(expected))


def test_blocks_cover_every_point() -> None:
    batch = batch_of("x * 2 + 1", "x", "3")

    for n in (0, 1, 7, 511, 512, 513, 1_025):
        x = np.arange(float(n))
        np.testing.assert_array_equal(evaluate_batch(batch, x[None]), [x * 2 + 1, x, np.full(n, 3.0)])


@pytest.mark.parametrize(
    ("body", "n_rows"),
    [
        ("x", 0),
        ("3 * 4", 1),
        ("(x * 2 + 1) / 3", 2),
        ("7 - (x / 3 * 4)", 1),
        ("-(1 / x * 2)", 1),
        ("x * x * 2 * 3", 2),
        ("(x * x + 2) * 3", 2),
        ("(x * x + 2) * (x * x + 2)", 3),
    ],
)
def test_products_and_sums_with_constants_join_the_row_before_and_round_as_written(body: str, n_rows: int) -> None:
    batch, x = batch_of(body), np.linspace(-2.0, 2.0, 101)

    assert batch.lengths[0] == n_rows
    expected = np.broadcast_to(evaluate(program(body), ELEMENTARY, [x]), x.shape)
    assert evaluate_batch(batch, x[None])[0].tobytes() == expected.tobytes()


def test_an_empty_batch_gives_no_rows() -> None:
    batch = ProgramBatch.from_programs([], ELEMENTARY)

    assert evaluate_batch(batch, np.zeros((0, 5))).shape == (0, 5)


def test_a_value_that_is_not_finite_makes_the_error_infinite() -> None:
    x = np.linspace(-1.0, 1.0, 1_001)
    errors = max_error_batch(
        batch_of("1 / x", "log(x)", "x / x", "exp(1000 + x)", "x"), x[None], x + 1.0, relative=False
    )

    np.testing.assert_array_equal(errors, [np.inf, np.inf, np.inf, np.inf, 1.0])


def test_a_target_of_zero_admits_no_error_but_zero() -> None:
    x = np.array([[0.0, 1.0]])
    errors = max_error_batch(batch_of("x", "x + 0.0000001"), x, x[0])

    assert errors[0] == 0.0
    assert errors[1] > 1e280


def test_float32_points_run_in_float32() -> None:
    x = np.linspace(0.5, 1.5, 600, dtype=np.float32)
    values = evaluate_batch(batch_of("x * 0.1 / (x + 3)"), x[None])

    assert values.dtype == np.float32
    np.testing.assert_array_equal(values[0], x * np.float32(0.1) / (x + np.float32(3)))


def test_programs_of_a_batch_do_not_disturb_each_other() -> None:
    bodies = [f"(x + {k}) * x / (x * x + {k}) - (x + 1) * (x + {k} * x)" for k in range(1, 30)]
    x = np.linspace(1.0, 2.0, 700)[None]

    together = evaluate_batch(batch_of(*bodies), x)

    for body, row in zip(bodies, together, strict=True):
        np.testing.assert_array_equal(row, evaluate_batch(batch_of(body), x)[0])


def test_programs_taken_from_a_batch_give_their_values_and_leave_the_room_of_others_behind() -> None:
    batch = batch_of("sqrt(x * x + 3) / (abs(x) + sin(x)) - tanh(x * x)", "x + 1", "x", "2 / x")
    x = np.linspace(1.0, 2.0, 30)[None]

    taken = batch.take(np.array([3, 1, 1, 2]))

    assert evaluate_batch(taken, x).tobytes() == evaluate_batch(batch, x)[[3, 1, 1, 2]].tobytes()
    assert (taken.code.shape, taken.n_registers) == ((4, 1, 4), 2)
    assert evaluate_batch(batch.take(np.array([], dtype=np.int64)), x).shape == (0, 30)


def test_threads_share_a_batch() -> None:
    batch = batch_of(*[f"x * {k} + x / {k}" for k in range(1, 101)])
    x = np.linspace(1.0, 2.0, 300)
    whole = max_error_batch(batch, x[None], x)

    with ThreadPoolExecutor(4) as pool:
        parts = pool.map(lambda k: max_error_batch(batch.part(25 * k, 25 * k + 25), x[None], x), range(4))

    np.testing.assert_array_equal(np.concatenate(list(parts)), whole)


def test_wrong_shapes_are_refused() -> None:
    batch = batch_of("x + y", inputs="x, y")

    with pytest.raises(ValueError, match=r"shape \[2, n\]"):
        evaluate_batch(batch, np.zeros((1, 3)))
    with pytest.raises(ValueError, match="3 finite numbers"):
        max_error_batch(batch, np.zeros((2, 3)), np.zeros(4))
    with pytest.raises(ValueError, match="same number of inputs"):
        ProgramBatch.from_programs([program("x"), program("x", inputs="x, y")], ELEMENTARY)


def test_a_function_without_opcode_is_refused_by_the_compiled_paths() -> None:
    word = Function(
        name="gamma",
        symbol=None,
        argument_types=("real",),
        result_type="real",
        commutative=False,
        opcode=-1,
        apply=lambda a: a,
    )
    own = Vocabulary(name="own", functions=(*ARITHMETIC.functions, word))
    uses, ignores = program("gamma(x)", own), parse("def f(x):\n    t = gamma(x)\n    return x\n", own)

    assert not is_compiled(uses, own)
    assert is_compiled(ignores, own)
    assert not has_double_double(uses, own)
    with pytest.raises(ValueError, match="gamma has no compiled form"):
        ProgramBatch.from_programs([uses], own)
    with pytest.raises(ValueError, match="gamma has no double-double form"):
        evaluate_double_double(uses, own, np.ones((1, 2)), np.zeros((1, 2)))


def test_the_published_structure_reaches_its_error_in_both_arithmetics() -> None:
    known = parse(CORE, ARITHMETIC, max_operations=10)
    x = np.linspace(0.0, 1.0, 1_500)[1:]
    batch = ProgramBatch.from_programs([known], ARITHMETIC)

    rounded = max_error_batch(batch, x[None], np.exp2(x))[0]
    high, low = evaluate_double_double(known, ARITHMETIC, x[None], np.zeros((1, x.size)))

    with flint.ctx.workprec(200):
        exact = [flint.arb(2) ** flint.arb(value) for value in x]
        values = zip(high, low, exact, strict=True)
        error = max(float(abs((flint.arb(h) + flint.arb(lo)) / e - 1)) for h, lo, e in values)
    assert 2.5e-15 < rounded < 6e-15
    assert 1e-15 < error < 3e-15


@pytest.mark.parametrize(
    "body",
    ["x + 0.1", "x - 0.1 / x", "x * x * x * 0.3", "1 / (x + 3) / x", "sqrt(x + 0.7) * x", "square(-x - abs(1 - x))"],
)
def test_double_double_keeps_thirty_digits(body: str) -> None:
    one = program(body)
    high = np.linspace(0.5, 5.0, 50)
    low = high * 1e-17

    result = evaluate_double_double(one, ELEMENTARY, high[None], low[None])

    with flint.ctx.workprec(400):
        constants = tuple(flint.arb(c) for c in one.constants)
        for k in range(high.size):
            values: list[flint.arb] = [flint.arb(high[k]) + flint.arb(low[k])]
            for i in one.instructions:
                arguments = [values[a] if a >= 0 else constants[-1 - a] for a in i.arguments]
                values.append(EXACT[ELEMENTARY.functions[i.function].name](*arguments))
            found = flint.arb(result[0][k]) + flint.arb(result[1][k])
            assert abs(found / values[one.output] - 1) < 2e-31


EXACT: dict[str, Callable[..., flint.arb]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "abs": abs,
    "sqrt": lambda a: a.sqrt(),
    "square": lambda a: a * a,
}


def test_double_double_falls_back_to_float64_where_values_are_not_finite() -> None:
    x = np.array([[0.0, 1.0, 1e200]])

    high, low = evaluate_double_double(program("minimum(1 / x, x * x)"), ELEMENTARY, x, np.zeros_like(x))

    np.testing.assert_array_equal(high, [0.0, 1.0, 1e-200])
    np.testing.assert_array_equal(low[:2], 0.0)
