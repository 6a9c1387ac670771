"""From a program over the vocabulary `float32` to C, and to Python over numpy or torch."""

import math
from collections.abc import Callable
from typing import Final

from sandbox.symbolic.canonical import live
from sandbox.symbolic.float32 import word
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import FLOAT32

BEYOND: Final = float.fromhex("0x1.ffffffp127")
"""From here on numbers round to infinity."""

C_WORDS: Final = """\
#include <stdint.h>
#include <string.h>
#define WORD static inline __attribute__((always_inline)) float
static inline __attribute__((always_inline)) uint32_t bits_of(float a) { uint32_t i; memcpy(&i, &a, 4); return i; }
WORD word_of(uint32_t i) { float a; memcpy(&a, &i, 4); return a; }
WORD word_add(float a, float b) { return a + b; }
WORD word_sub(float a, float b) { return a - b; }
WORD word_mul(float a, float b) { return a * b; }
WORD word_div(float a, float b) { return a / b; }
WORD word_neg(float a) { return -a; }
WORD word_minimum(float a, float b) { return a < b ? a : b; }
WORD word_maximum(float a, float b) { return a > b ? a : b; }
WORD word_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
WORD word_rint(float a) { return __builtin_rintf(a); }
WORD word_add_bits(float a, float b) { return word_of(bits_of(a) + bits_of(b)); }
WORD word_sub_bits(float a, float b) { return word_of(bits_of(a) - bits_of(b)); }
WORD word_and_bits(float a, float b) { return word_of(bits_of(a) & bits_of(b)); }
WORD word_clear_bits(float a, float b) { return word_of(bits_of(a) & ~bits_of(b)); }
WORD word_to_exponent(float a) { return word_of(bits_of(a) << 23); }
WORD word_from_exponent(float a) { return word_of((uint32_t)((int32_t)bits_of(a) >> 23)); }
WORD word_int_to_float(float a) { return (float)(int32_t)bits_of(a); }
"""
"""One C function for each word of the vocabulary. To be compiled without contraction: an fma is where it is written."""

_ARRAY_WORDS: Final = """\
import {module} as xp


def constant(value):
    return {constant}


def bits(a):
    return a.view(xp.int32)


def word(i):
    return i.view(xp.float32)


def fma(a, b, c):
    return {fma}


def minimum(a, b):
    return xp.where(a < b, a, b)


def maximum(a, b):
    return xp.where(a > b, a, b)


def to_exponent(a):
    return word(bits(a) << 23)


def from_exponent(a):
    return word(bits(a) >> 23)


def int_to_float(a):
    return {int_to_float}
"""
_ARRAY_MODULES: Final = {
    "numpy": {
        "constant": "xp.float32(value)",
        "fma": "xp.asarray(xp.multiply(a, b, dtype=xp.float64) + c).astype(xp.float32)",
        "int_to_float": "bits(a).astype(xp.float32)",
    },
    "torch": {
        "constant": "xp.tensor(value, dtype=xp.float32)",
        "fma": "(a.double() * b + c).float()",
        "int_to_float": "bits(a).float()",
    },
}
_WRITTEN: Final = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "rint": "xp.round({0})",
    "add_bits": "word(bits({0}) + bits({1}))",
    "sub_bits": "word(bits({0}) - bits({1}))",
    "and_bits": "word(bits({0}) & bits({1}))",
    "clear_bits": "word(bits({0}) & ~bits({1}))",
}


def c_source(program: Program) -> str:
    """Two C functions that run the program over an array, to be compiled by an optimising compiler.

    `kernel(x, y, n)` has the constants in its text; `kernel_with(c, x, y, n)` takes them from an array, so that other
    constants need no new compilation. The text is made of numbers and of names of ours only.

    Raises:
        ValueError: the program has more than one input, or a constant that no float32 is near to.
    """
    if len(program.inputs) != 1:
        raise ValueError(f"a float32 program has one input, this one has {len(program.inputs)}")
    literals = [_c_literal(value) for value in program.constants]
    written = _c_loop(program, lambda slot: literals[slot])
    given = _c_loop(program, lambda slot: f"c[{slot}]")
    arrays = "const float *restrict x, float *restrict y, long n"
    return (
        f"{C_WORDS}\nvoid kernel({arrays}) {{\n{written}}}\n\n"
        f"void kernel_with(const float *restrict c, {arrays}) {{\n{given}}}\n"
    )


def array_source(program: Program, module: str) -> str:
    """A Python module of the program over whole arrays, for `numpy` or `torch`.

    Its `fma` goes through float64 and may differ from C's in the last bit, once in about 2^29 results.
    """
    lines = [f"C{slot} = constant({value!r})" for slot, value in enumerate(program.constants)]
    body = "".join(f"    {line}\n" for line in _statements(program, lambda slot: f"C{slot}", _array_call))
    head = _ARRAY_WORDS.format(module=module, **_ARRAY_MODULES[module])
    joined = "\n".join(lines)
    return f"{head}\n\n{joined}\n\n\ndef {program.name}({program.inputs[0]}):\n{body}"


def _c_loop(program: Program, constant: Callable[[int], str]) -> str:
    lines = _statements(program, constant, _c_call, returned="y[i] = {};", assigned="float {} = {};")
    body = "".join(f"        {line}\n" for line in ["float v0 = x[i];", *lines])
    return f"    for (long i = 0; i < n; i++) {{\n{body}    }}\n"


def _statements(
    program: Program,
    constant: Callable[[int], str],
    call: Callable[[str, list[str]], str],
    *,
    returned: str = "return {}",
    assigned: str = "{} = {}",
) -> list[str]:
    """One line per live instruction over the names v0 (the input), v1, ..., and the line of the output."""

    def name(k: int) -> str:
        if k < 0:
            return constant(-1 - k)
        return program.inputs[0] if k == 0 and call is _array_call else f"v{k}"

    lines = []
    for i in live(program):
        instruction = program.instructions[i]
        value = call(FLOAT32.functions[instruction.function].name, [name(a) for a in instruction.arguments])
        lines.append(assigned.format(f"v{1 + i}", value))
    return [*lines, returned.format(name(program.output))]


def _c_call(function: str, arguments: list[str]) -> str:
    return f"word_{function}({', '.join(arguments)})"


def _array_call(function: str, arguments: list[str]) -> str:
    return _WRITTEN.get(function, function + "({})").format(
        *(arguments if function in _WRITTEN else [", ".join(arguments)])
    )


def _c_literal(value: float) -> str:
    nearest = float(word(value)) if abs(value) < BEYOND else math.inf
    if not math.isfinite(nearest):
        raise ValueError(f"the constant {value!r} is beyond the range of float32")
    return f"{nearest.hex()}f" if nearest >= 0 and math.copysign(1.0, nearest) > 0 else f"({nearest.hex()}f)"
