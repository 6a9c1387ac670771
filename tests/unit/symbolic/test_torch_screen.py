"""The interpreter's batches on torch against the compiled interpreter, on the CPU and where there is one on a GPU."""

import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.interpreter import evaluate_batch, max_error_batch
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.torch_screen import TorchScreen
from sandbox.symbolic.vocabulary import ELEMENTARY
from sandbox.torch_device import DeviceError, open_device

torch = pytest.importorskip("torch", reason="torch, an extra, is not installed")
on_a_gpu = (pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU"))
on_every_device = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=on_a_gpu)])
in_both_types = pytest.mark.parametrize("dtype", [np.float64, np.float32])

EXACT = ("add", "sub", "mul", "div", "neg", "abs", "sqrt", "minimum", "maximum", "square")
SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, 5e-324, 1e300, -3.0)
CONSTANTS = (0.0, -0.0, 1.0, -1.0, 1.0 / 3.0, 2.5, -7e10, 1e-200)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def drawn_program(rng: np.random.Generator, n_operations: int) -> Program:
    constants = [float(rng.choice(CONSTANTS)) for _ in range(n_operations)]
    instructions = []
    for k in range(n_operations):
        position = ELEMENTARY.position_of(str(rng.choice(EXACT)))
        near = [int(rng.integers(max(0, k - 2), k + 2)) for _ in range(2)]
        operands = [each if rng.random() < 0.75 else -1 - k for each in near]
        n_arguments = len(ELEMENTARY.functions[position].argument_types)
        instructions.append(Instruction(position, tuple(operands[:n_arguments])))
    output = n_operations + 1 if n_operations else int(rng.integers(2))
    return Program(
        name="f", inputs=("x", "y"), constants=tuple(constants), instructions=tuple(instructions), output=output
    )


def drawn_batch(n_programs: int = 400) -> ProgramBatch:
    rng = np.random.default_rng(7)
    programs = [drawn_program(rng, int(rng.integers(0, 16))) for _ in range(n_programs)]
    return ProgramBatch.from_programs(programs, ELEMENTARY)


def points_of(dtype: npt.DTypeLike, n_points: int = 150) -> npt.NDArray[np.floating]:
    rng = np.random.default_rng(8)
    drawn = rng.normal(size=(2, n_points)) * 10.0 ** rng.integers(-3, 4, size=(2, n_points))
    pairs = np.array([(a, b) for a in SPECIAL for b in SPECIAL]).T
    with np.errstate(over="ignore"):
        return np.concatenate([pairs, drawn], axis=1).astype(dtype)


def batch_of(*bodies: str) -> ProgramBatch:
    programs = [parse(f"def f(x, y):\n    return {body}\n", ELEMENTARY) for body in bodies]
    return ProgramBatch.from_programs(programs, ELEMENTARY)


def assert_same_bits(found: npt.NDArray[np.floating], expected: npt.NDArray[np.floating]) -> None:
    assert found.dtype == expected.dtype
    is_nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), is_nan)
    np.testing.assert_array_equal(np.signbit(found[~is_nan]), np.signbit(expected[~is_nan]))
    np.testing.assert_array_equal(found[~is_nan], expected[~is_nan])


@on_every_device
@in_both_types
def test_exact_operations_give_the_bits_of_the_interpreter(device: str, dtype: npt.DTypeLike) -> None:
    batch, points = drawn_batch(), points_of(dtype)

    found = evaluate_batch(batch, points, device=device)

    expected = evaluate_batch(batch, points)
    assert np.isfinite(expected).mean() > 0.3
    assert_same_bits(found, expected)


@on_every_device
@in_both_types
@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos", "tanh"])
def test_the_other_functions_agree_to_a_few_ulp(device: str, dtype: npt.DTypeLike, name: str) -> None:
    batch = batch_of(f"{name}(x)", f"{name}(x * 0.7 - y)", f"{name}({name}(y)) + 1")
    points = np.stack([np.linspace(-4.0, 4.0, 1_300), np.linspace(3.0, -2.0, 1_300)]).astype(dtype)

    found = evaluate_batch(batch, points, device=device)[:2]

    expected = evaluate_batch(batch, points)[:2]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    is_number = ~np.isnan(expected)
    np.testing.assert_array_max_ulp(found[is_number], expected[is_number], maxulp=4)


@on_every_device
@in_both_types
@pytest.mark.parametrize("relative", [True, False])
def test_largest_errors_are_those_of_the_interpreter(device: str, dtype: npt.DTypeLike, relative: bool) -> None:
    # given
    batch = drawn_batch()
    points = np.random.default_rng(9).uniform(0.5, 2.0, size=(2, 300)).astype(dtype)
    target = np.sin(points[0].astype(np.float64))
    target[5] = 0.0

    # when
    found = max_error_batch(batch, points, target, relative=relative, device=device)

    # then
    expected = max_error_batch(batch, points, target, relative=relative)
    assert 0.05 < np.isinf(expected).mean() < 0.95
    assert_same_bits(found, expected)


@on_every_device
def test_a_value_that_is_not_finite_makes_the_error_infinite(device: str) -> None:
    points = np.array([[-1.0, 0.0, 1.0], [1.0, 2.0, 3.0]])

    errors = max_error_batch(batch_of("1 / x", "log(x)", "x / x", "y"), points, points[1], device=device)

    np.testing.assert_array_equal(errors, [np.inf, np.inf, np.inf, 0.0])


@on_every_device
@pytest.mark.parametrize("memory_bytes", [1, 5_000, 60_000, 3_000_000])
def test_the_size_of_chunks_changes_nothing(device: str, memory_bytes: int) -> None:
    batch, points = drawn_batch(20), points_of(np.float64, 20)[:, 50:]
    screen = TorchScreen(open_device(device), memory_bytes=memory_bytes)
    target, weights = points[0, 71:].astype(np.float64), np.full(20, 0.5)

    values = screen.values(batch, points)
    errors = screen.largest_errors(batch, points[:, 71:], target, weights)

    assert_same_bits(values, evaluate_batch(batch, points))
    with np.errstate(all="ignore"):
        assert_same_bits(errors, np.abs((values[:, 71:] - target) * weights).max(axis=1))


@on_every_device
def test_programs_without_operations_and_batches_without_programs_or_points_are_no_exception(device: str) -> None:
    batch, points = batch_of("x", "3", "y", "x - y"), np.array([[1.0, -0.0], [2.0, 5.0]])

    values = evaluate_batch(batch, points, device=device)

    assert_same_bits(values, np.array([[1.0, -0.0], [3.0, 3.0], [2.0, 5.0], [-1.0, -5.0]]))
    assert evaluate_batch(batch_of("x"), points, device=device).tolist() == [[1.0, -0.0]]
    assert evaluate_batch(batch, points[:, :0], device=device).shape == (4, 0)
    empty = ProgramBatch.from_programs([], ELEMENTARY)
    assert evaluate_batch(empty, np.zeros((0, 3)), device=device).shape == (0, 3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_a_chunk_keeps_to_its_memory_on_a_gpu() -> None:
    # given
    batch, points, limit = drawn_batch(2_000), points_of(np.float64, 4_000), 64 << 20
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()

    # when
    TorchScreen(open_device("cuda"), memory_bytes=limit).largest_errors(
        batch, points, points[0].astype(np.float64), np.ones(points.shape[1])
    )

    # then
    beside = points.nbytes * 2 + len(batch.lengths) * 8
    assert torch.cuda.max_memory_allocated() - before <= limit + beside + (1 << 20)


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_refused_with_what_there_is(device: str) -> None:
    with pytest.raises(DeviceError, match=f"device '?{device}'? is .*cpu"):
        evaluate_batch(batch_of("x"), np.zeros((2, 1)), device=device)


def test_without_torch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(DeviceError, match="pip install torch"):
        evaluate_batch(batch_of("x"), np.zeros((2, 1)), device="cpu")
