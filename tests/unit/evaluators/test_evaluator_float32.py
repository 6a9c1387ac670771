"""The family `float32`: words as C has them, errors in ulp, instructions, and every float32 of an interval."""

import ctypes
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.contract import Certainty, Failure
from evaluators.errors import EvaluatorError
from evaluators.float32.assembly import main_loop
from evaluators.float32.compiler import COMPILERS, FLAGS, Compiler
from evaluators.float32.family import Float32Family
from evaluators.float32.measure import polished, worst_everywhere, worst_of
from evaluators.float32.targets import from_keys, interval_of, key_of, spread, target_named
from sandbox.symbolic.c_source import array_source, c_source
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC, FLOAT32

needs_cc = pytest.mark.skipif(
    not any(shutil.which(name) for name in COMPILERS), reason="no C compiler on this machine: the family cannot work"
)

BINADE = [1.0, 2.0]
OPTIONS: dict[str, Any] = {"function": "exp2", "interval": BINADE, "timed": False}
HORNER = """
def f(x):
    t = x + 12582912.0
    r = x - (t - 12582912.0)
    p = fma(r, 0.00015358398377429694, 0.0013396355789154768)
    p = fma(p, r, 0.009618490003049374)
    p = fma(p, r, 0.055503472685813904)
    p = fma(p, r, 0.24022646248340607)
    p = fma(p, r, 0.6931471824645996)
    p = fma(p, r, 1.0)
    return add_bits(p, to_exponent(t))
"""
EVERY_WORD = """
def f(x):
    a = fma(x, 0.1, -x) / 3.0
    b = minimum(a, maximum(x, -2.5)) * rint(x)
    c = clear_bits(add_bits(x, 1.5), and_bits(x, 0.1))
    d = int_to_float(from_exponent(sub_bits(c, b)))
    return d + to_exponent(rint(x) + 12583039.0) - c
"""


def program_of(text: str) -> Program:
    return parse(text, FLOAT32)


def numbers() -> Any:
    rng = np.random.default_rng(3)
    return (rng.standard_normal(2000) * np.exp2(rng.integers(-8, 8, 2000))).astype(np.float32)


def test_fma_rounds_once_where_two_roundings_go_wrong() -> None:
    fma = FLOAT32.functions[FLOAT32.position_of("fma")].apply
    a, b = np.float32(65281 / 2**16), np.float32(257 / 2**8)  # their product is 1 + 2^-24, half an ulp above 1
    assert fma(a, b, np.float32(2.0**-60)) == np.float32(1 + 2.0**-23)
    assert fma(a, b, np.float32(-(2.0**-60))) == 1.0
    assert fma(a, b, np.float32(0.0)) == 1.0
    assert fma(np.float32(3e38), np.float32(3e38), np.float32(-math.inf)) == -math.inf


@needs_cc
def test_compiled_c_answers_bit_for_bit_what_the_interpreter_does(tmp_path: Path) -> None:
    program, x = program_of(EVERY_WORD), numbers()
    (tmp_path / "kernel.c").write_text(c_source(program), encoding="ascii")
    cc = next(path for name in COMPILERS if (path := shutil.which(name)))
    command = [cc, *FLAGS, "-shared", "-fPIC", str(tmp_path / "kernel.c"), "-o", str(tmp_path / "kernel.so")]
    subprocess.run(command, check=True, timeout=60)
    library = ctypes.CDLL(str(tmp_path / "kernel.so"))
    answered, given = np.empty_like(x), np.empty_like(x)
    constants = np.array(program.constants, np.float32)
    library.kernel(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(answered.ctypes.data), ctypes.c_long(x.size))
    library.kernel_with(*(ctypes.c_void_p(array.ctypes.data) for array in (constants, x, given)), ctypes.c_long(x.size))
    expected = evaluate(program, FLOAT32, [x])
    assert np.isfinite(expected).sum() > 1000
    np.testing.assert_array_equal(answered, expected)
    np.testing.assert_array_equal(given, expected)


def test_the_numpy_source_answers_what_the_interpreter_does() -> None:
    names: dict[str, Any] = {}
    exec(array_source(program_of(HORNER), "numpy"), names)
    x = np.linspace(-10, 10, 3001).astype(np.float32)
    np.testing.assert_array_equal(names["f"](x), evaluate(program_of(HORNER), FLOAT32, [x]))


def test_a_constant_beyond_float32_has_no_c() -> None:
    with pytest.raises(ValueError, match="beyond the range"):
        c_source(program_of("def f(x):\n    return x + 1e39\n"))


@needs_cc
def test_every_float32_of_the_interval_is_tried_and_the_worst_named() -> None:
    verdict = Float32Family(OPTIONS, FLOAT32).verify(program_of(HORNER))
    assert verdict.verdict is Certainty.CERTIFIED
    assert verdict.certificate["numbers"] == 2**23 + 1
    x = np.array([float.fromhex(verdict.certificate["witness_x"])], np.float32)
    error = abs(float(evaluate(program_of(HORNER), FLOAT32, [x])[0]) - 2.0 ** float(x[0])) / 2.0**-22
    assert verdict.value == pytest.approx(error, abs=1e-6)
    assert 0.5 < error < 1.0
    assert verdict.score is not None
    assert verdict.score < -math.log2(error)


@needs_cc
def test_a_good_program_is_scored_by_its_worst_number_and_placed_by_its_instructions() -> None:
    family = Float32Family(OPTIONS, FLOAT32)
    evaluation, again = (family.evaluate(program_of(HORNER)) for _ in range(2))
    assert evaluation == again
    assert evaluation.metrics["exhaustive"] == 1.0
    assert evaluation.score == -math.log2(evaluation.metrics["ulp"])
    assert evaluation.metrics["ulp"] + 1e-3 > family.verify(program_of(HORNER)).value > 0.5  # type: ignore[operator]
    assert set(evaluation.descriptor) >= {"operations", "instructions", "ulp"}
    assert evaluation.metrics["instructions"] > evaluation.metrics["operations"] == 11


@needs_cc
def test_a_program_above_one_ulp_somewhere_is_not_called_exhaustive() -> None:
    family = Float32Family(OPTIONS, FLOAT32)
    text = HORNER.replace("0.00015358398377429694", "0.00014")
    evaluation = family.evaluate(program_of(text))
    assert evaluation.metrics["ulp"] > 1.0
    assert evaluation.metrics["exhaustive"] == 0.0


@needs_cc
@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ("return x / 0.0", Failure.NOT_FINITE),
        ("return x", Failure.INVALID),
        ("return x + 1e39", Failure.NOT_FINITE),
        ("return x * 1e30", Failure.THRESHOLD),
    ],
)
def test_what_cannot_be_right_fails(body: str, failure: Failure) -> None:
    evaluation = Float32Family(OPTIONS, FLOAT32).evaluate(program_of(f"def f(x):\n    {body}\n"))
    assert evaluation.failure is failure


@needs_cc
def test_polished_constants_are_better_and_always_the_same() -> None:
    interval = interval_of(BINADE)
    points = spread(interval, 600)
    program = program_of(HORNER.replace("0.24022646248340607", "0.2402"))
    with Compiler(target_named("exp2")) as compiler:
        kernel = compiler.kernel(c_source(program))
        before = worst_of(kernel, points).ulp
        answers = [polished(kernel, program, points, steps=400, rng_seed=1) for _ in range(2)]
        after = worst_of(compiler.kernel(c_source(program.with_constants(answers[0][1]))), points).ulp
    assert answers[0] == answers[1]
    assert after == answers[0][0] < before


@needs_cc
def test_the_early_end_is_the_same_every_time() -> None:
    text = HORNER.replace("0.00015358398377429694", "0.00014")
    with Compiler(target_named("exp2")) as compiler:
        kernel = compiler.kernel(c_source(program_of(text)))
        found = [worst_everywhere(kernel, interval_of(BINADE), stop=1.0) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0][-1].ulp > 1.0 >= max(worst.ulp for worst in found[0][:-1])


def test_a_machine_without_a_compiler_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EvaluatorError, match="install gcc or clang"):
        Float32Family(OPTIONS, FLOAT32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"function": "exp22"}, "did you mean 'exp2'"),
        ({"interval": [2.0, 1.0]}, "expected two float32 ends"),
        ({"interval": "all"}, "expected two float32 ends"),
        ({"most_ulp": -1}, "most_ulp"),
        ({"digits": 3}, "digits is unknown"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        Float32Family({**OPTIONS, **options}, FLOAT32)


def test_another_vocabulary_is_refused() -> None:
    with pytest.raises(EvaluatorError, match="vocabulary 'float32'"):
        Float32Family(OPTIONS, ARITHMETIC)


def test_keys_number_the_float32_numbers_in_their_order() -> None:
    keys = np.array([-2, -1, 0, 1, 2, 1 << 23])
    x = from_keys(keys)
    assert [key_of(float(each)) for each in x] == keys.tolist()
    assert (np.diff(x) > 0).all()
    assert x[3] == np.float32(2.0**-149)


def test_an_end_that_is_no_float32_counts_as_the_next_one_inside() -> None:
    interval = interval_of([0.1, 127.999999])
    assert interval.low >= 0.1
    assert interval.high == np.nextafter(np.float32(128), np.float32(0))
    assert interval_of([-1, 1]).size == 2 * 0x3F800000 + 2


def test_the_widest_loop_that_stores_is_counted() -> None:
    assembly = "\n".join(
        [
            "kernel:",
            ".L4:",
            "\tvmovups\t(%rdi,%rax), %ymm0",
            "\tvmulps\t%ymm0, %ymm0, %ymm0",
            "\tvmovups\t%ymm0, (%rsi,%rax)",
            "\taddq\t$32, %rax",
            "\tcmpq\t%rdx, %rax",
            "\tjne\t.L4",
            ".L6:",
            "\tvmovss\t%xmm0, (%rsi)",
            "\tjne\t.L6",
            "\tret",
            "\t.size\tkernel, .-kernel",
        ]
    )
    loop = main_loop(assembly, "kernel")
    assert (loop.instructions, loop.lanes) == (6.0, 8)
    with pytest.raises(EvaluatorError, match="no loop"):
        main_loop(assembly, "another")
