"""The kernel for graphics cards against the compiled interpreter: run by Triton's interpreter, compiled, and on a card.

Triton's interpreter runs the kernel's text on numpy, one program at a time: it needs no card and shows what the kernel
computes. What a card would run is read in the compiled text.
"""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from sandbox.symbolic.batch import ProgramBatch
from sandbox.symbolic.interpreter import evaluate_batch
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.screens import screen_for
from sandbox.symbolic.torch_screen import TorchScreen
from sandbox.symbolic.triton_screen import KERNEL, REGISTERS, SPAN, TritonScreen, can_run, is_exact
from sandbox.symbolic.vocabulary import ELEMENTARY
from sandbox.torch_device import TorchDevice, open_device
from tests.extent import ALL_TESTS

torch = pytest.importorskip("torch", reason="torch, an extra, is not installed")
triton = pytest.importorskip("triton", reason="Triton, which comes with torch for CUDA, is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:triton")
in_both_types = pytest.mark.parametrize("dtype", [np.float64, np.float32])

EXACT = ("add", "sub", "mul", "div", "neg", "abs", "sqrt", "minimum", "maximum", "square")
SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, 5e-324, 1e300, -3.0)
CONSTANTS = (0.0, -0.0, 1.0, -1.0, 1.0 / 3.0, 2.5, -7e10, 1e-200)
N_PROGRAMS = 1_500 if ALL_TESTS else 30
IS_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


@pytest.fixture
def device() -> TorchDevice:
    """Where the kernel runs: a card, or where Triton was told to interpret, the processor."""
    if not IS_INTERPRETED and not torch.cuda.is_available():
        pytest.skip("torch sees no GPU; Triton's interpreter runs this in a process of its own")
    return open_device("cpu" if IS_INTERPRETED else "cuda")


@pytest.mark.skipif(IS_INTERPRETED, reason="this is that process")
@pytest.mark.skipif(not ALL_TESTS, reason="a process that imports torch and Triton: only with EVOLVE_ALL_TESTS=1")
def test_triton_s_interpreter_finds_the_kernel_right() -> None:
    """In a process of its own: Triton takes its own functions for compiling or for interpreting when it is imported."""
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", "-k", "on_the_device", __file__]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1_800, check=False)

    assert done.returncode == 0, done.stdout[-4_000:]
    assert re.search(r"\b\d+ passed", done.stdout)
    assert "skipped" not in done.stdout


def drawn_program(rng: np.random.Generator, n_operations: int) -> Program:
    """Any operations with rounded results on recent values, inputs and constants."""
    instructions = []
    for k in range(n_operations):
        position = ELEMENTARY.position_of(str(rng.choice(EXACT)))
        near = [int(rng.integers(max(0, k - 3), k + 2)) for _ in range(2)]
        operands = [each if rng.random() < 0.7 else -1 - k for each in near]
        n_arguments = len(ELEMENTARY.functions[position].argument_types)
        instructions.append(Instruction(position, tuple(operands[:n_arguments])))
    constants = tuple(float(rng.choice(CONSTANTS)) for _ in range(n_operations))
    output = n_operations + 1 if n_operations else int(rng.integers(2))
    return Program(name="f", inputs=("x", "y"), constants=constants, instructions=tuple(instructions), output=output)


def drawn_batch(n_programs: int, longest: int = 15) -> ProgramBatch:
    rng = np.random.default_rng(17)
    programs = [drawn_program(rng, int(rng.integers(0, longest + 1))) for _ in range(n_programs)]
    return ProgramBatch.from_programs(programs, ELEMENTARY)


def drawn_points(dtype: npt.DTypeLike, n_points: int) -> npt.NDArray[np.floating]:
    """Pairs of special numbers first, then some of all sizes."""
    rng = np.random.default_rng(18)
    pairs = np.array([(a, b) for a in SPECIAL for b in SPECIAL]).T
    drawn = rng.normal(size=(2, n_points)) * 10.0 ** rng.integers(-3, 4, size=(2, n_points))
    with np.errstate(over="ignore"):
        return np.concatenate([drawn, pairs], axis=1)[:, :n_points].astype(dtype)


def batch_of(*bodies: str) -> ProgramBatch:
    programs = [parse(f"def f(x, y):\n    return {body}\n", ELEMENTARY) for body in bodies]
    return ProgramBatch.from_programs(programs, ELEMENTARY)


def expected_errors(
    batch: ProgramBatch, points: npt.NDArray[Any], target: npt.NDArray[Any], weights: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """The same in plain numpy, from the values of the compiled interpreter."""
    with np.errstate(all="ignore"):
        values = evaluate_batch(batch, points).astype(np.float64)
        errors: npt.NDArray[np.float64] = np.abs((values - target) * weights).max(axis=1, initial=0.0)
        return errors


def assert_same_bits(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    is_nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), is_nan)
    np.testing.assert_array_equal(found[~is_nan].view(np.int64), expected[~is_nan].view(np.int64))


@in_both_types
def test_the_kernel_gives_the_bits_of_the_compiled_interpreter_on_the_device(
    device: TorchDevice, dtype: npt.DTypeLike
) -> None:
    # given: numbers of ordinary size, so that most errors are finite
    batch, rng = drawn_batch(N_PROGRAMS), np.random.default_rng(19)
    points = rng.uniform(0.5, 2.0, size=(2, 40)).astype(dtype)
    target, weights = rng.normal(size=40), rng.uniform(0.1, 10.0, size=40)

    # when
    found = TritonScreen(device, memory_bytes=1 << 20).largest_errors(batch, points, target, weights)

    # then
    expected = expected_errors(batch, points, target, weights)
    assert np.isfinite(expected).mean() > 0.5
    assert_same_bits(found, expected)


@in_both_types
def test_it_does_so_where_numbers_are_special_on_the_device(device: TorchDevice, dtype: npt.DTypeLike) -> None:
    # given: zeros of both signs, infinities, NaN, denormal and huge numbers, each point a screen of its own
    batch, points = drawn_batch(40 if ALL_TESTS else 12, longest=4), drawn_points(dtype, 400)[:, -121:]
    screen = TritonScreen(device, memory_bytes=1 << 20)
    chosen = range(0, 121, 1 if ALL_TESTS else 15)

    for point in chosen:
        here = np.ascontiguousarray(points[:, point : point + 1])
        found = screen.largest_errors(batch, here, np.zeros(1), np.ones(1))

        assert_same_bits(found, expected_errors(batch, here, np.zeros(1), np.ones(1)))


def test_more_points_than_one_group_of_threads_takes_change_nothing_on_the_device(device: TorchDevice) -> None:
    batch, points = drawn_batch(6), drawn_points(np.float64, SPAN + 77)
    target, weights = np.sin(points[1]), np.full(SPAN + 77, 0.25)
    points[:, np.abs(points).max(axis=0) > 100.0] = 1.0
    target[SPAN + 76] = 1e6  # the largest error is at the last point

    found = TritonScreen(device, memory_bytes=1 << 20).largest_errors(batch, points, target, weights)

    assert_same_bits(found, expected_errors(batch, points, target, weights))


@pytest.mark.parametrize("memory_bytes", [1, 2_000, 1 << 30])
def test_the_size_of_chunks_changes_nothing_on_the_device(device: TorchDevice, memory_bytes: int) -> None:
    batch, points = drawn_batch(12), drawn_points(np.float64, 9)
    target, weights = points[0] + 1.0, np.ones(9)

    found = TritonScreen(device, memory_bytes=memory_bytes).largest_errors(batch, points, target, weights)

    assert_same_bits(found, expected_errors(batch, points, target, weights))


def test_programs_that_hold_many_values_at_once_run_too_on_the_device(device: TorchDevice) -> None:
    # given: all values are made before any is used
    n_values = REGISTERS[-2] + 1
    names = ", ".join(f"t{k}" for k in range(n_values))
    made = "".join(f"    t{k} = sqrt(x + {k})\n" for k in range(n_values))
    text = f"def f(x, y):\n{made}    return {' + '.join(names.split(', '))}\n"
    batch = ProgramBatch.from_programs(
        [parse(text, ELEMENTARY), parse("def f(x, y):\n    return y\n", ELEMENTARY)], ELEMENTARY
    )
    points = drawn_points(np.float64, 5)
    assert batch.n_registers > REGISTERS[-2]

    found = TritonScreen(device, memory_bytes=1 << 20).largest_errors(batch, points, points[1], np.ones(5))

    assert_same_bits(found, expected_errors(batch, points, points[1], np.ones(5)))


@pytest.mark.parametrize(
    ("bodies", "is_for_the_kernel"),
    [
        (("x / y", "sqrt(abs(x))", "minimum(x, 2.0) - maximum(y, x)"), True),
        (("x", "3"), True),
        (("x + y", "exp(x)"), False),
        (("tanh(x) * 2", "y"), False),
    ],
)
def test_the_kernel_takes_what_is_rounded_alike_everywhere(bodies: tuple[str, ...], is_for_the_kernel: bool) -> None:
    batch = batch_of(*bodies)

    assert is_exact(batch) is is_for_the_kernel
    assert can_run(batch, np.ones((2, 3))) is is_for_the_kernel


def test_batches_that_it_cannot_run_are_left_to_torch() -> None:
    names = [f"t{k}" for k in range(REGISTERS[-1] + 1)]
    made = "".join(f"    {name} = sqrt(x + {k})\n" for k, name in enumerate(names))
    wide = ProgramBatch.from_programs(
        [parse(f"def f(x, y):\n{made}    return {' + '.join(names)}\n", ELEMENTARY)], ELEMENTARY
    )

    assert not can_run(wide, np.ones((2, 3)))
    assert not can_run(batch_of("x"), np.ones((2, 0)))
    assert isinstance(screen_for(open_device("cpu"), batch_of("x"), np.ones((2, 3))), TorchScreen)


@pytest.mark.skipif(IS_INTERPRETED, reason="nothing is compiled here")
@in_both_types
@pytest.mark.parametrize("n_registers", REGISTERS if ALL_TESTS else REGISTERS[:1])
def test_compiled_for_a_card_it_neither_fuses_nor_approximates_nor_drops_small_numbers(
    dtype: npt.DTypeLike, n_registers: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))

    # when
    text = compiled_text("fp64" if dtype == np.float64 else "fp32", n_registers)

    # then: rounded products, sums, quotients and roots
    wanted = "f64" if dtype == np.float64 else "f32"
    for operation in ("mul", "add", "sub", "div", "sqrt"):
        assert re.search(rf"\b{operation}\.rn\.{wanted}\b", text), operation
        assert not re.search(rf"\b{operation}\.(?!rn\.)[a-z.]*f(32|64)\b", text), operation
    assert not re.search(r"\bfma\.|\bmad\.(rn\.)?f|\.approx|\.ftz|\.full\.", text)


def compiled_text(value_type: str, n_registers: int) -> str:
    """What the card's assembler gets, for an H200 (compute capability 9.0); it is assembled too."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernel: Any = import_module(KERNEL)
    pointers = {"code": "*i32", "constants": f"*{value_type}", "lengths": "*i32", "outputs": "*i32"}
    table = {"points": f"*{value_type}", "target": "*fp64", "weights": "*fp64", "errors": "*i64"}
    numbers = dict.fromkeys(("n_points", "longest", "span"), "i32")
    chosen = dict.fromkeys(("N_INPUTS", "N_REGISTERS", "BLOCK"), "constexpr")
    signature = pointers | table | numbers | chosen
    constants = {"N_INPUTS": 2, "N_REGISTERS": n_registers, "BLOCK": kernel.BLOCK}
    source = ASTSource(fn=kernel.largest_errors, signature=signature, constexprs=constants)
    compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=kernel.LAUNCH)
    assert compiled.asm["cubin"]
    return str(compiled.asm["ptx"])
