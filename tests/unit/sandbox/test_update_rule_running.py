"""Update rules take steps: what every word means, two backends that agree, members that do not touch each other."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from sandbox.symbolic.program import Program
from sandbox.symbolic.state import slot_registers, step_operands
from sandbox.symbolic.update_words import OPTIMIZER
from sandbox.update_rules.layout import Layout
from sandbox.update_rules.numpy_arrays import NumpyArrays
from sandbox.update_rules.plan import plan, shared
from sandbox.update_rules.rule import UpdateRule, read_rule, rule_of, start, step
from tests.unit.sandbox.made_up_rules import made_up_program

LAYOUT = Layout(((3, 3), (3,), (4, 3), (2, 2, 2), ()), ("hidden", "vector", "head", "hidden", "vector"))
SLICES = [LAYOUT.slice_of(k) for k in range(5)]
N_MEMBERS = 2
W, G, H = np.random.default_rng(7).normal(size=(3, N_MEMBERS, LAYOUT.n_parameters))
LR, F = [0.1, 0.2], [1.5, 2.5]


def update_of(expression: str, inputs: str = "w, g, h, f, t, lr") -> np.ndarray[Any, np.dtype[np.float64]]:
    """What one expression gives at step 3."""
    rule = read_rule(f"def update({inputs}):\n    return {expression}\n")
    arrays = NumpyArrays(LAYOUT)
    update, _ = step(rule, arrays, W, G, start(rule, arrays, N_MEMBERS), t=3, lr=LR, h=H, f=F)
    return np.asarray(update)


def by_parameter(function: Any, *rows: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Apply a function to each parameter of each member, in its own shape, and lay the results out again."""
    result = np.empty((N_MEMBERS, LAYOUT.n_parameters))
    for member in range(N_MEMBERS):
        for k, place in enumerate(SLICES):
            shape = LAYOUT.rows_and_columns(k)
            parts = [row[member, place].reshape(shape) for row in rows]
            result[member, place] = np.broadcast_to(function(*parts), shape).ravel()
    return result


LR_COLUMN, F_COLUMN = np.array(LR)[:, None], np.array(F)[:, None]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("g / (w - w)", G / 1e-12),
        ("g / -(w * 0)", G / 1e-12),
        ("g / (sign(w) * 1e-20)", G / (np.sign(W) * 1e-12)),
        ("sqrt(g)", np.sqrt(np.abs(G))),
        ("log1p(g)", np.log1p(np.abs(G))),
        ("exp(g * 1e9)", np.where(G > 0, np.exp(50.0), np.exp(-50.0))),
        ("sigmoid(g)", 1 / (1 + np.exp(-G))),
        ("clip(g, -0.5)", np.clip(G, -0.5, 0.5)),
        ("clip(g, lr)", np.clip(G, -LR_COLUMN, LR_COLUMN)),
        ("minimum(0.1, g) - maximum(g, f)", np.minimum(G, 0.1) - np.maximum(G, F_COLUMN)),
        ("agree(g, w)", (G * W > 0).astype(float)),
        ("agree(g * 1e-200, w * 1e-200)", (G * W > 0).astype(float)),
        ("agree(g, -1)", (G < 0).astype(float)),
        ("ema(g, w, 0.75)", 0.75 * G + 0.25 * W),
        ("ema(g, f, 0.75)", 0.75 * G + 0.25 * F_COLUMN),
        ("debias(g, 0.9, t)", G / (1 - 0.9**3)),
        ("g * (-2.0) ** t", G * 8.0),
        ("g * 0 ** -1", G * np.inf),
        ("g * log(0 * t) + lr", G * np.log(1e-12) + LR_COLUMN),
        ("g * (lr ** 2 - f)", G * (LR_COLUMN**2 - F_COLUMN)),
        ("mean(g)", by_parameter(np.mean, G)),
        ("rms(g)", by_parameter(lambda a: np.sqrt(np.mean(a * a)), G)),
        ("largest(g)", by_parameter(lambda a: np.abs(a).max(), G)),
        ("dot(g, w)", by_parameter(lambda a, b: (a * b).sum(), G, W)),
        ("row_mean(g)", by_parameter(lambda a: a.mean(axis=1, keepdims=True), G)),
        ("col_mean(g)", by_parameter(lambda a: a.mean(axis=0, keepdims=True), G)),
        ("total_rms(h)", np.sqrt((H * H).mean(axis=1, keepdims=True)) + 0 * G),
        ("total_dot(g, h)", (G * H).sum(axis=1, keepdims=True) + 0 * G),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_word_means_what_its_formula_says(expression: str, expected: np.ndarray[Any, Any]) -> None:
    np.testing.assert_allclose(update_of(expression), expected, rtol=1e-12, atol=1e-12)


def test_only_hidden_parameters_with_rows_and_columns_take_the_first_of_two_shapes() -> None:
    update = update_of("by_shape(g, w)")

    for k, place in enumerate(SLICES):
        np.testing.assert_array_equal(update[:, place], (G if k in (0, 3) else W)[:, place])


def test_orthogonal_gives_singular_values_near_one_and_vectors_an_rms_of_one() -> None:
    update = update_of("orthogonal(g)")

    for k, place in enumerate(SLICES):
        rows, columns = LAYOUT.rows_and_columns(k)
        for part in update[:, place]:
            if k in LAYOUT.matrices:
                values = np.linalg.svd(part.reshape(rows, columns) / np.sqrt(max(rows, columns)), compute_uv=False)
                assert np.all((values > 0.3) & (values < 1.3))
            else:
                assert np.sqrt(np.mean(part**2)) == pytest.approx(1.0)


def test_grams_and_products_leave_vectors_as_they_are() -> None:
    update = update_of("left_gram(w) @ g @ right_gram(h)")

    for member in range(N_MEMBERS):
        for k, place in enumerate(SLICES):
            g, w, h = (row[member, place].reshape(LAYOUT.rows_and_columns(k)) for row in (G, W, H))
            expected = (w @ w.T) @ g @ (h.T @ h) if k in LAYOUT.matrices else g
            np.testing.assert_allclose(update[member, place], expected.ravel())


def test_the_inverse_root_of_a_gram_whitens_and_is_kept_for_ten_steps() -> None:
    rule = read_rule(
        "def update(g, t, p, q):\n"
        "    p = inverse_root(left_gram(g), p, t)\n"
        "    q = inverse_root(right_gram(g), q, t)\n"
        "    return p @ g @ q, p, q\n"
    )
    arrays = NumpyArrays(LAYOUT)
    state = start(rule, arrays, N_MEMBERS)

    first, state = step(rule, arrays, W, G, state, t=1)
    kept, later = step(rule, arrays, W, 2 * G, state, t=10)
    refreshed, _ = step(rule, arrays, W, 2 * G, later, t=11)

    square = first[0, SLICES[0]].reshape(3, 3)
    np.testing.assert_allclose(square @ square.T, np.eye(3), atol=1e-4)
    np.testing.assert_allclose(kept, 2 * first)
    np.testing.assert_allclose(refreshed[:, SLICES[0]], first[:, SLICES[0]], atol=1e-12)


def test_a_basis_diagonalises_its_gram_from_the_first_step_on() -> None:
    rule = read_rule(
        "def update(g, t, l, p):\n    l = ema(l, left_gram(g), 0.5)\n    p = basis(l, p, t)\n    return p @ g, l, p\n"
    )
    arrays = NumpyArrays(LAYOUT)
    state = start(rule, arrays, N_MEMBERS)

    for t in range(1, 42):
        _, state = step(rule, arrays, W, G, state, t=t)

        turned = state["p"][0].swapaxes(1, 2) @ state["l"][0] @ state["p"][0]
        diagonal = np.einsum("eii->ei", turned)
        off = turned - diagonal[:, :, None] * np.eye(3)
        assert np.abs(off).max() < 1e-6 * np.abs(diagonal).max()


def test_a_rule_says_what_it_needs() -> None:
    rule = read_rule("def update(w, g, h, f, t, lr, m, l):\n    return h * f + lr * orthogonal(g), m, l\n")

    assert rule.needs == {"h", "f", "lr"}
    assert rule.slots == ()
    assert rule.has_matrices
    with pytest.raises(ValueError, match="the rule reads h and f, which was not given: pass h="):
        step(rule, NumpyArrays(LAYOUT), W, G, {}, t=1)


def test_an_input_that_only_goes_into_a_slot_is_needed_too() -> None:
    assert read_rule("def update(g, h, d):\n    return g / (abs(d) + 0.1), h\n").needs == {"h"}


REAL_PAIRS = sorted({f.name for f in OPTIMIZER.functions if f.argument_types == ("real", "real")})


@pytest.mark.parametrize("word", REAL_PAIRS)
def test_a_word_of_two_numbers_takes_one_for_all_members_and_one_for_each(word: str) -> None:
    torch = pytest.importorskip("torch")
    from sandbox.update_rules.torch_arrays import TorchArrays

    rates = [0.5, 2.0]
    column, own = torch.tensor([[rate] for rate in rates], dtype=torch.float64), NumpyArrays(LAYOUT)
    method = getattr(TorchArrays(LAYOUT, dtype=torch.float64), word)

    for number in (-3.0, 0.7):
        left, right = method(number, column), method(column, number)
        np.testing.assert_allclose(left.numpy(), getattr(own, word)(number, own.real(rates)), rtol=1e-12)
        np.testing.assert_allclose(right.numpy(), getattr(own, word)(own.real(rates), number), rtol=1e-12)


def test_a_slot_that_takes_the_gradient_does_not_see_it_change_later() -> None:
    rule = read_rule("def update(g, d):\n    return g - d, g\n")
    arrays = NumpyArrays(LAYOUT)
    gradient = G.copy()

    _, state = step(rule, arrays, W, gradient, start(rule, arrays, N_MEMBERS), t=1)
    gradient[:] = 0.0
    update, _ = step(rule, arrays, W, gradient, state, t=2)

    np.testing.assert_array_equal(update, -G)


def as_written(program: Program) -> UpdateRule:
    """The rule of a program with its dead code, repeated work and idle slots still in it."""
    operands = step_operands(program)
    names = tuple(program.inputs[k] for k in slot_registers(program))
    return dataclasses.replace(
        rule_of(program),
        program=program,
        needs=frozenset(("h", "f", "lr")),
        slots=names,
        calls=plan(program),
        update=operands[0],
        new_values=operands[1:],
        are_shared=shared(program, plan(program), operands[1:]),
    )


def test_the_normal_form_computes_the_same_to_the_last_bit() -> None:
    arrays = NumpyArrays(LAYOUT)
    for number in range(60):
        program = made_up_program(number, OPTIMIZER)
        rules = as_written(program), rule_of(program)
        states = [start(rule, arrays, N_MEMBERS) for rule in rules]
        for t in (1, 2, 3):
            steps = [
                step(rule, arrays, W, G * t, state, t=t, lr=LR, h=H, f=F)
                for rule, state in zip(rules, states, strict=True)
            ]

            np.testing.assert_array_equal(steps[0][0], steps[1][0])
            states = [state for _, state in steps]


def test_torch_computes_the_same_as_numpy_in_place_or_not_and_changes_nothing_it_was_given() -> None:
    torch = pytest.importorskip("torch")
    from sandbox.update_rules.torch_arrays import TorchArrays

    reference, arrays = NumpyArrays(LAYOUT), TorchArrays(LAYOUT, dtype=torch.float64)
    w, h = arrays.tensor(W.copy()), arrays.tensor(H.copy())
    n_compared = 0
    for number in range(40):
        rule = rule_of(made_up_program(number, OPTIMIZER))
        state, pure, own = (start(rule, each, N_MEMBERS) for each in (reference, arrays, arrays))
        for t in (1, 2, 3):
            g = arrays.tensor(G * t)
            more: dict[str, Any] = {"t": t, "lr": LR, "f": F}
            expected, state = step(rule, reference, W, G * t, state, h=H, **more)
            update, pure = step(rule, arrays, w, g, pure, h=h, **more)
            in_place, own = step(rule, arrays, w, g, own, h=h, may_overwrite_state=True, **more)

            np.testing.assert_array_equal(update.numpy(), in_place.numpy())
            is_tame = np.abs(expected) < 1e30
            np.testing.assert_allclose(update.numpy()[is_tame], expected[is_tame], rtol=1e-6, atol=1e-9)
            n_compared += int(is_tame.sum())
            assert np.array_equal(g.numpy(), G * t)
            assert np.array_equal(w.numpy(), W)
            assert np.array_equal(h.numpy(), H)
    assert n_compared > 500


RULES = [
    "def update(g, t, m, v):\n    m = ema(m, g, 0.9)\n    v = ema(v, square(g), 0.99)\n"
    "    return debias(m, 0.9, t) / (sqrt(debias(v, 0.99, t)) + 1e-8), m, v\n",
    "def update(g, m):\n    m = ema(m, g, 0.9)\n    return orthogonal(m) * sigmoid(g) + rms(m) * tanh(g), m\n",
    "def update(g, lr):\n    return g * lr ** 0.3 + row_mean(g) * log1p(g) - mean(g) / total_rms(g)\n",
]


@pytest.mark.parametrize("text", RULES, ids=["adam", "matrix", "elementwise"])
def test_a_member_that_diverges_or_is_alone_gets_the_same_numbers(text: str) -> None:
    torch = pytest.importorskip("torch")
    from sandbox.update_rules.torch_arrays import TorchArrays

    rule, arrays = read_rule(text), TorchArrays(LAYOUT)
    gradients = torch.as_tensor(np.random.default_rng(1).normal(size=(3, 7, LAYOUT.n_parameters)), dtype=torch.float32)
    gradients[1, 4] = torch.nan
    rates = torch.linspace(0.01, 0.1, 7)
    together, alone = start(rule, arrays, 7), start(rule, arrays, 1)
    for t, g in enumerate(gradients, start=1):
        update, together = step(rule, arrays, g, g, together, t=t, lr=rates)
        one, alone = step(rule, arrays, g[2:3], g[2:3], alone, t=t, lr=rates[2:3])

        assert torch.equal(update[2], one[0])
        assert torch.isfinite(update[[0, 1, 2, 3, 5, 6]]).all()


SOAP_LIKE = """\
def update(g, t, l, p, q):
    l = ema(l, left_gram(g), 0.5)
    p = basis(l, p, t)
    q = inverse_root(right_gram(g), q, t)
    return transpose(p) @ g @ q, l, p, q
"""


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_no_gradient_makes_a_matrix_word_raise(bad: float) -> None:
    torch = pytest.importorskip("torch")
    from sandbox.update_rules.torch_arrays import TorchArrays

    rule = read_rule(SOAP_LIKE)
    for arrays in (NumpyArrays(LAYOUT), TorchArrays(LAYOUT), TorchArrays(LAYOUT, dtype=torch.float64)):
        gradient = G.copy()
        gradient[0] = bad
        state = start(rule, arrays, N_MEMBERS)
        for t in (1, 2, 11):
            update, state = step(rule, arrays, arrays.tensor(W), arrays.tensor(gradient), state, t=t)

            assert np.isfinite(np.asarray(update)[1]).all()


def test_a_side_too_long_for_a_matrix_is_left_as_it_is() -> None:
    layout = Layout(((3000, 2), (4, 2)))
    arrays = NumpyArrays(layout)
    g = np.ones((1, layout.n_parameters))

    rule = read_rule("def update(g, l):\n    l = ema(l, left_gram(g), 0.0)\n    return l @ g, l\n")
    update, state = step(rule, arrays, g, g, start(rule, arrays, 1), t=1)

    assert [matrix.shape for matrix in state["l"]] == [(1, 0, 0), (1, 4, 4)]
    np.testing.assert_array_equal(update[:, :6000], 1.0)
    np.testing.assert_array_equal(update[:, 6000:], 8.0)


@pytest.mark.parametrize("word", ["basis", "inverse_root"])
def test_the_slow_matrix_words_skip_a_side_too_long_for_a_matrix(word: str) -> None:
    torch = pytest.importorskip("torch")
    from sandbox.update_rules.torch_arrays import TorchArrays

    layout = Layout(((2100, 2), (3,)))
    rule = read_rule(f"def update(g, t, p):\n    p = {word}(left_gram(g), p, t)\n    return p @ g, p\n")
    for arrays in (NumpyArrays(layout), TorchArrays(layout, dtype=torch.float64)):
        g = arrays.tensor(np.ones((1, layout.n_parameters)))
        state = start(rule, arrays, 1)
        for t in (1, 11):
            update, state = step(rule, arrays, g, g, state, t=t)

            assert np.array_equal(np.asarray(update), np.ones((1, layout.n_parameters)))


@pytest.mark.parametrize(
    ("shapes", "roles", "message"),
    [
        ((), (), "at least one parameter"),
        (((2, 0),), (), "no empty one"),
        (((2, 2), (2,)), ("hidden",), "2 shapes and 1 roles"),
        (((2, 2),), ("vector",), "use hidden or embedding or head"),
        (((2,),), ("head",), "use vector"),
        (((2, 2),), ("output",), "has the role 'output'"),
    ],
)
def test_a_layout_that_cannot_be_says_why(shapes: Any, roles: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Layout(shapes, roles)


@pytest.mark.parametrize("word", ["basis", "inverse_root"])
def test_with_a_step_number_per_member_each_is_computed_anew_at_its_own_steps(word: str) -> None:
    torch = pytest.importorskip("torch")
    from sandbox.update_rules.torch_arrays import TorchArrays

    rule = read_rule(f"def update(g, f, p):\n    p = {word}(left_gram(g), p, f)\n    return p @ g, p\n")
    for arrays in (NumpyArrays(LAYOUT), TorchArrays(LAYOUT, dtype=torch.float64)):
        w, g = arrays.tensor(W), arrays.tensor(G)
        together, alone = start(rule, arrays, 2), start(rule, arrays, 1)
        for steps in ([5.0, 1.0], [5.0, 2.0], [5.0, 11.0], [np.nan, 12.0]):
            update, together = step(rule, arrays, w, g * steps[1], together, t=1, f=steps)
            one, alone = step(rule, arrays, w[1:], g[1:] * steps[1], alone, t=1, f=steps[1])

            np.testing.assert_array_equal(np.asarray(update)[1:], np.asarray(one))
            assert all(not np.asarray(matrix[0]).any() for matrix in together["p"])


QUOTIENTS = [
    "g / sqrt(t - 3)",
    "lr / sqrt(g)",
    "g / abs(w)",
    "g / (square(w) + 1e-8)",
    "g / sqrt(lr)",
    "2 / rms(g)",
    "g / (t - 9)",
]


@pytest.mark.parametrize("expression", QUOTIENTS)
@pytest.mark.parametrize("rate", [0.0, [0.0, 0.1]], ids=["one rate", "a rate per member"])
def test_a_quotient_is_the_same_whatever_is_known_of_its_divisor(expression: str, rate: Any) -> None:
    torch = pytest.importorskip("torch")
    from sandbox.update_rules.torch_arrays import TorchArrays

    rule = read_rule(f"def update(w, g, t, lr):\n    return g * 0 + {expression}\n")
    numpy_arrays, arrays = NumpyArrays(LAYOUT), TorchArrays(LAYOUT, dtype=torch.float64)
    w, g = W.copy(), G.copy()
    w[:, 0] = g[:, 1] = 0.0

    expected, _ = step(rule, numpy_arrays, w, g, {}, t=3, lr=rate)
    update, _ = step(rule, arrays, arrays.tensor(w), arrays.tensor(g), {}, t=3, lr=rate)

    np.testing.assert_allclose(update.numpy(), expected, rtol=1e-14)
    assert np.isfinite(expected).all()


def test_a_rule_of_thousands_of_words_is_read_and_written() -> None:
    lines = "".join("    m = m * m\n" for _ in range(3000))

    rule = read_rule(f"def update(g, m):\n    m = m + g\n{lines}    return m, m\n")

    assert rule.n_operations == 3001
    assert rule.text.count("\n") == 3003
