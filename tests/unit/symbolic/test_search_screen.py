"""Screens of millions of programs: tables of values, scores of pairs, what a burst makes of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstKind, BurstResult, BurstSettings, FitTarget
from evolve.symbolic.genomes import grammar_of
from evolve.symbolic.screen_pairs import FIRST_ALONE, NO_SCORE, PAIRED, CompiledScorer, TorchScorer
from evolve.symbolic.screen_table import CONSTANTS, LEAF, ValueTable, value_table
from evolve.symbolic.screen_targets import NONE, SQUARE, targets_of
from evolve.symbolic.tape import apply_scalar
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import (
    ARITHMETIC,
    ELEMENTARY,
    OP_ADD,
    OP_DIV,
    OP_EXP,
    OP_LOG,
    OP_MUL,
    OP_SQRT,
    OP_SUB,
    Vocabulary,
)
from sandbox.torch_device import DeviceError, open_device

Array = npt.NDArray[np.float64]


def target_of(function: Callable[..., Array], n_inputs: int = 2) -> FitTarget:
    points = np.random.default_rng(3).uniform(1.0, 3.0, size=(n_inputs, 128))
    return FitTarget(points=points, values=function(*points), relative=False)


def screened(
    target: FitTarget, *, rows: int = 150, device: str = "cpu", vocabulary: Vocabulary = ELEMENTARY
) -> BurstResult:
    settings = BurstSettings(kind=BurstKind.SCREEN, screen_rows=rows, device=device, max_operations=10, n_children=16)
    return burst([], vocabulary, target, settings, [1, 2])


def table_of(rows: int, rng_seed: int = 0, vocabulary: Vocabulary = ELEMENTARY) -> ValueTable:
    target = target_of(lambda x, y: x + y)
    grammar = grammar_of(vocabulary, n_inputs=2, max_operations=8)
    return value_table(target, grammar, n_rows=rows, rng=np.random.default_rng(rng_seed))


def centred(rng: np.random.Generator, n_targets: int, n_points: int) -> Array:
    drawn = rng.normal(size=(n_targets, n_points))
    rest = drawn - drawn.mean(axis=1, keepdims=True)
    return np.asarray(rest / np.linalg.norm(rest, axis=1, keepdims=True))


def test_rows_are_operations_on_earlier_rows_with_the_values_they_say() -> None:
    table = table_of(400)

    assert len(table.size) == 400
    assert (np.diff(table.size) >= 0).all()
    assert table.tape[: table.n_leaves].tolist() == [[LEAF] * 3] * table.n_leaves
    assert table.values[2 : table.n_leaves, 0].tolist() == list(CONSTANTS)
    for row in range(table.n_leaves, 400, 7):
        opcode, left, right = table.tape[row].tolist()
        assert max(left, right) < row
        expected = [apply_scalar(opcode, *pair) for pair in zip(table.values[left], table.values[right], strict=True)]
        np.testing.assert_array_equal(table.values[row], expected)


def test_no_two_rows_have_the_same_values_and_none_is_constant() -> None:
    table = table_of(400)
    varying = table.values[table.varying]

    assert np.isfinite(varying).all()
    assert (np.ptp(varying, axis=1) > 0).all()
    assert len(np.unique(np.round(varying / np.abs(varying).max(axis=1, keepdims=True), 7), axis=0)) > 0.9 * len(
        varying
    )
    assert len(np.unique(varying, axis=0)) == len(varying)


def test_where_not_all_of_a_size_fit_those_without_constants_come_first_and_the_rest_is_drawn() -> None:
    one, again, other = table_of(1_200), table_of(1_200), table_of(1_200, rng_seed=1)
    largest = one.size == one.size[-1]

    assert one.n_constants[largest].min() == 0
    np.testing.assert_array_equal(one.values, again.values)
    assert not np.array_equal(one.values, other.values)
    without = [each.values[each.n_constants == 0] for each in (one, other)]
    np.testing.assert_array_equal(without[0], without[1])


def test_a_table_of_few_functions_ends_where_nothing_new_can_be_made() -> None:
    only_minimum = Vocabulary(name="m", functions=tuple(f for f in ELEMENTARY.functions if f.name == "minimum"))

    table = table_of(500, vocabulary=only_minimum)

    assert len(table.size) < 100


@pytest.mark.parametrize("opcode", [FIRST_ALONE, *PAIRED])
def test_a_score_is_the_share_that_least_squares_explain(opcode: int) -> None:
    # given
    rng = np.random.default_rng(5)
    first, second = rng.uniform(1.0, 2.0, size=(4, 32)), rng.uniform(1.0, 2.0, size=(6, 32))
    targets = centred(rng, 3, 32)

    # when
    scores, best = CompiledScorer().score(opcode, first, second, targets)

    # then: numpy's own least squares
    join: dict[int, Callable[[Array, Array], Array]]
    join = {FIRST_ALONE: lambda a, _: a, OP_ADD: np.add, OP_SUB: np.subtract, OP_MUL: np.multiply, OP_DIV: np.divide}
    for a in range(4):
        for b in range(6):
            columns = np.stack([join[opcode](first[a], second[b]), np.ones(32)], axis=1)
            left = [float(np.linalg.lstsq(columns, target)[1][0]) for target in targets]
            assert scores[a, b] == pytest.approx(1.0 - min(left), abs=1e-9)
            assert best[a, b] == int(np.argmin(left))


def test_an_exact_fit_scores_one_and_what_cannot_be_fitted_nothing() -> None:
    rng = np.random.default_rng(6)
    x = rng.uniform(1.0, 2.0, size=16)
    targets = centred(rng, 1, 16)
    first = np.stack([targets[0] * 7.0 - 3.0, np.full(16, 2.5), np.where(x > 1.5, np.inf, x), np.full(16, np.nan)])

    scores, _ = CompiledScorer().score(FIRST_ALONE, first, x[None, :], targets)

    assert scores[0, 0] == pytest.approx(1.0, abs=1e-12)
    assert scores[1:, 0].tolist() == [NO_SCORE] * 3


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("opcode", [FIRST_ALONE, *PAIRED])
def test_torch_gives_the_bits_of_the_compiled_scores(device: str, opcode: int) -> None:
    # given: ordinary values, and some that are special
    torch = pytest.importorskip("torch", reason="torch, an extra, is not installed")
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch sees no GPU")
    rng = np.random.default_rng(7)
    first, second = rng.normal(size=(20, 64)), rng.normal(size=(50, 64)) * 10.0 ** rng.integers(-9, 9, size=(50, 1))
    first[1], first[2, 5], first[3, 7] = 1.0, np.inf, np.nan
    second[0], second[1, 3], second[2], first[0] = 0.0, -0.0, 1e200, second[9]
    targets = centred(rng, 4, 64)

    # when
    scores, best = TorchScorer(open_device(device)).score(opcode, first, second, targets)

    # then
    expected, expected_best = CompiledScorer().score(opcode, first, second, targets)
    assert (expected > 0).mean() > 0.5
    np.testing.assert_array_equal(scores.view(np.int64), expected.view(np.int64))
    np.testing.assert_array_equal(best, expected_best)


def test_outermost_functions_are_undone_where_they_can_be() -> None:
    values = np.array([0.5, 1.0, 2.0, 4.0])

    targets = targets_of(values, grammar_of(ELEMENTARY, n_inputs=1, max_operations=4))

    plain = dict(zip(targets.outer, targets.plain.tolist(), strict=True))
    assert plain == {
        NONE: values.tolist(),
        OP_EXP: np.log(values).tolist(),
        OP_DIV: [2.0, 1.0, 0.5, 0.25],
        OP_SQRT: [0.25, 1.0, 4.0, 16.0],
        SQUARE: np.sqrt(values).tolist(),
        OP_LOG: np.exp(values).tolist(),
    }
    np.testing.assert_allclose(targets.centred.sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose((targets.centred**2).sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("values", "vocabulary", "outer"),
    [
        ([-1.0, 0.0, 2.0, 3.0], ELEMENTARY, (NONE, OP_LOG)),
        ([-1.0, 1.0, 2.0, 3.0], ARITHMETIC, (NONE, OP_DIV)),
        ([0.0, 1.0, 2.0, 900.0], ELEMENTARY, (NONE, OP_SQRT)),
        ([2.0, 2.0, 2.0, 2.0], ELEMENTARY, ()),
    ],
)
def test_functions_that_the_values_or_the_vocabulary_do_not_allow_are_left_out(
    values: list[float], vocabulary: Vocabulary, outer: tuple[int, ...]
) -> None:
    found = targets_of(np.array(values), grammar_of(vocabulary, n_inputs=1, max_operations=4))

    assert found.outer == outer


@pytest.mark.parametrize(
    ("function", "length"),
    [
        (lambda x, y: np.sqrt(x * x + y * y), 4),
        (lambda x, y: 3.7 * np.sin(x) / y + 0.2, 4),
        (lambda x, y: np.exp(x / y - 2.0), 3),
        (lambda x, y: 5.0 / (x + np.log(y)), 3),
        (lambda x, y: (np.tanh(x) + y / x) ** 2, 4),
    ],
)
def test_a_screen_finds_formulas_that_are_pairs_of_small_expressions(function: Any, length: int) -> None:
    target = target_of(function)

    result = screened(target)

    exact = [child for child in result.children if child.error < 1e-10]
    assert exact
    assert min(len(child.program.instructions) for child in exact) <= length
    assert result.work > 0.0


def texts(result: BurstResult) -> list[str]:
    return [render(child.program, ELEMENTARY) for child in result.children]


@pytest.mark.parametrize("device", ["auto", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_children_are_the_same_on_every_device_bit_by_bit(device: str) -> None:
    # given: torch takes other blocks than the compiled scores; "auto" is torch on the CPU where there is no card
    torch = pytest.importorskip("torch", reason="torch, an extra, is not installed")
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch sees no GPU")
    target = target_of(lambda x, y: np.cos(x) * y + np.sqrt(x + 0.3 * y))

    found = screened(target, rows=60, device=device)

    expected = screened(target, rows=60)
    assert len(expected.children) > 5
    assert texts(found) == texts(expected)
    assert [child.error for child in found.children] == [child.error for child in expected.children]
    assert found.work == expected.work


def test_the_same_arguments_give_the_same_children_over_arithmetic_alone_too() -> None:
    target = target_of(lambda x, y: (x + 2.0) / (y + 0.5))

    one, again = (screened(target, rows=80, vocabulary=ARITHMETIC) for _ in range(2))

    assert texts(one) == texts(again)
    assert min(child.error for child in one.children) < 1e-10


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeviceError, match="cuda:99"):
        screened(target_of(lambda x, y: x * y), device="cuda:99")
