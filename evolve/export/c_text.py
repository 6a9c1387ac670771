"""A function as C99: one `static inline` function, constants written in hexadecimal, so exactly."""

import math
from collections.abc import Mapping

from evolve.export.float32_text import nearest_word
from evolve.export.function_facts import ExportedFunction
from evolve.export.function_text import SYMBOLS
from evolve.export.heading import c_comment, wrapped
from evolve.export.straight_line import Dialect, statements, words_used
from sandbox.symbolic.vocabulary import FLOAT32

KEYWORDS = frozenset(
    (
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "asm",
        "linux",
        "unix",
        "errno",
        "fabs",
        "fmaf",
        "rintf",
        "memcpy",
        "sqrt",
        "exp",
        "log",
        "sin",
        "cos",
        "tanh",
        "int32_t",
        "uint32_t",
    )
)
_MATH = ("sqrt", "exp", "log", "sin", "cos", "tanh")
_WORDS = {
    **SYMBOLS,
    "abs": "fabs({0})",
    "square": "{0} * {0}",
    **{name: f"{name}({{0}})" for name in _MATH},
    "minimum": "{prefix}_minimum({0}, {1})",
    "maximum": "{prefix}_maximum({0}, {1})",
}
_HELPERS: Mapping[str, str] = {
    "minimum": "static inline double {prefix}_minimum(double a, double b) {{ return a < b || a != a ? a : b; }}\n",
    "maximum": "static inline double {prefix}_maximum(double a, double b) {{ return a > b || a != a ? a : b; }}\n",
}
_BITS = """\
static inline uint32_t {prefix}_bits(float a) {{ uint32_t i; memcpy(&i, &a, sizeof i); return i; }}
static inline float {prefix}_word(uint32_t i) {{ float a; memcpy(&a, &i, sizeof a); return a; }}
"""
_MACHINE_WORDS = {
    **SYMBOLS,
    "minimum": "{0} < {1} ? {0} : {1}",
    "maximum": "{0} > {1} ? {0} : {1}",
    "fma": "fmaf({0}, {1}, {2})",
    "rint": "rintf({0})",
    "add_bits": "{prefix}_word({prefix}_bits({0}) + {prefix}_bits({1}))",
    "sub_bits": "{prefix}_word({prefix}_bits({0}) - {prefix}_bits({1}))",
    "and_bits": "{prefix}_word({prefix}_bits({0}) & {prefix}_bits({1}))",
    "clear_bits": "{prefix}_word({prefix}_bits({0}) & ~{prefix}_bits({1}))",
    "to_exponent": "{prefix}_word({prefix}_bits({0}) << 23)",
    # The shift of a negative int is the compiler's choice in C99: this one is the same everywhere.
    "from_exponent": "{prefix}_word(({prefix}_bits({0}) >> 23) | ({prefix}_bits({0}) >> 31 ? 0xFFFFFE00u : 0u))",
    "int_to_float": "{prefix}_int_to_float({0})",
}
_INT_TO_FLOAT = (
    "static inline float {prefix}_int_to_float(float a) {{ int32_t i; memcpy(&i, &a, sizeof i); return (float)i; }}\n"
)
_FAST = """\
#ifdef __FAST_MATH__
#error "compile this without -ffast-math: its operations must round as they are written"
#endif
"""
_WIDE = """\
#include <float.h>
#if FLT_EVAL_METHOD != 0
#error "this compiler computes with more than float32: use SSE2 (-mfpmath=sse) or the like"
#endif
"""


def c_function(function: ExportedFunction) -> str:
    """A C99 header of the function, over double or, for a float32 program, over float."""
    return _machine(function) if function.is_machine else _real(function)


def _real(function: ExportedFunction) -> str:
    used = words_used(function.program, function.vocabulary)
    written = statements(function.program, function.vocabulary, _dialect(function, _WORDS, _hexadecimal, "double"))
    helpers = "".join(text.format(prefix=function.name) for name, text in _HELPERS.items() if name in used)
    needs_library = bool(used & {*_MATH, "abs"})
    form = (
        "C99 over double. Compile with -std=c99, or with -ffp-contract=off where your compiler fuses products into "
        "sums by itself: fused, other bits come out."
        + (" Link with -lm." if used & set(_MATH) else " It needs no library.")
    )
    return _file(
        function,
        form,
        _FAST + ("#include <math.h>\n" if needs_library else "") + (f"\n{helpers}" if helpers else ""),
        "double",
        written.inputs,
        [*written.lines, f"    return {written.result};"],
    )


def _machine(function: ExportedFunction) -> str:
    used = words_used(function.program, FLOAT32)
    written = statements(function.program, FLOAT32, _dialect(function, _MACHINE_WORDS, _hexadecimal_float, "float"))
    helpers = _BITS if any("_bits" in name or "exponent" in name for name in used) else ""
    helpers += _INT_TO_FLOAT if "int_to_float" in used else ""
    form = (
        "C99 over float, exact to the bit where float is IEEE binary32 and subnormal numbers are kept. Compile with "
        "-std=c99, or with -ffp-contract=off where your compiler fuses products into sums by itself."
        + (" Link with -lm; with -mfma or the like an fma is one instruction." if used & {"fma", "rint"} else "")
    )
    includes = "#include <stdint.h>\n#include <string.h>\n" if helpers else ""
    includes += "#include <math.h>\n" if used & {"fma", "rint"} else ""
    return _file(
        function,
        form,
        _FAST + _WIDE + includes + (f"\n{helpers.format(prefix=function.name)}" if helpers else ""),
        "float",
        written.inputs,
        [*written.lines, f"    return {written.result};"],
    )


def _dialect(function: ExportedFunction, words: Mapping[str, str], constant: object, kind: str) -> Dialect:
    return Dialect(
        words={name: text.replace("{prefix}", function.name) for name, text in words.items()},
        with_constants={},
        constant=constant,  # type: ignore[arg-type]
        assigned=f"    const {kind} {{0}} = {{1}};",
        comment="/* {0} */",
        reserved=KEYWORDS,
        tells_constants=True,
    )


def _file(function: ExportedFunction, form: str, head: str, kind: str, inputs: tuple[str, ...], body: list[str]) -> str:
    comment = c_comment(wrapped([*function.facts, f"Form: {form}", "", *function.origin]))
    guard = f"{function.name.upper()}_H"
    arguments = ", ".join(f"{kind} {name}" for name in inputs)
    unused = [f"    (void){name};" for name in inputs if not any(_mentions(line, name) for line in body)]
    lines = "\n".join([*unused, *body])
    return (
        f"{comment}#ifndef {guard}\n#define {guard}\n\n{head}\n"
        f"static inline {kind} {function.name}({arguments}) {{\n{lines}\n}}\n\n#endif\n"
    )


def _mentions(line: str, name: str) -> bool:
    return name in line.replace("(", " ").replace(")", " ").replace(",", " ").replace(";", " ").split()


def _hexadecimal(value: float) -> str:
    return value.hex() if math.copysign(1.0, value) > 0 else f"({value.hex()})"


def _hexadecimal_float(value: float) -> str:
    return f"{nearest_word(value).hex()}f" if math.copysign(1.0, value) > 0 else f"({nearest_word(value).hex()}f)"
