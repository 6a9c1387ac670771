"""A float32 program as Python, as numpy and as torch, exact to the bit: an fma rounds once in each of them."""

from evolve.errors import UsageError
from evolve.export.function_facts import ExportedFunction
from evolve.export.function_text import RESERVED, SYMBOLS, docstring_of
from evolve.export.heading import hash_comment, wrapped
from evolve.export.straight_line import Dialect, Written, statements, words_used
from sandbox.symbolic.c_source import BEYOND
from sandbox.symbolic.float32 import word
from sandbox.symbolic.vocabulary import FLOAT32

ORDER = (
    "_word",
    "_float",
    "_bits",
    "_from_bits",
    "add",
    "sub",
    "mul",
    "div",
    "neg",
    "minimum",
    "maximum",
    "fma",
    "rint",
    "add_bits",
    "sub_bits",
    "and_bits",
    "clear_bits",
    "to_exponent",
    "from_exponent",
    "int_to_float",
)

_PYTHON_WORDS = {
    "_word": '''def _word(value):
    """The 32 bits of the float32 nearest to a float."""
    try:
        return struct.unpack("<I", struct.pack("<f", value))[0]
    except OverflowError:
        return 0x7F800000 if value > 0.0 else 0xFF800000
''',
    "_float": """def _float(a):
    return struct.unpack("<f", struct.pack("<I", a))[0]
""",
    "add": """def add(a, b):
    return _word(_float(a) + _float(b))
""",
    "sub": """def sub(a, b):
    return _word(_float(a) - _float(b))
""",
    "mul": """def mul(a, b):
    return _word(_float(a) * _float(b))
""",
    "div": """def div(a, b):
    a, b = _float(a), _float(b)
    if b == 0.0:
        return _word(math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b))
    return _word(a / b)
""",
    "neg": """def neg(a):
    return a ^ 0x80000000
""",
    "minimum": """def minimum(a, b):
    return a if _float(a) < _float(b) else b
""",
    "maximum": """def maximum(a, b):
    return a if _float(a) > _float(b) else b
""",
    "fma": '''def fma(a, b, c):
    """a * b + c, rounded once: the float64 sum is rounded to odd before it becomes a float32."""
    product, c = _float(a) * _float(b), _float(c)
    total = product + c
    part = total - product
    lost = (product - (total - part)) + (c - part)
    if math.isfinite(total) and lost != 0.0 and struct.unpack("<Q", struct.pack("<d", total))[0] % 2 == 0:
        total = math.nextafter(total, math.inf if lost > 0.0 else -math.inf)
    return _word(total)
''',
    "rint": """def rint(a):
    value = _float(a)
    return _word(math.copysign(float(round(value)), value)) if math.isfinite(value) else a
""",
    "add_bits": """def add_bits(a, b):
    return (a + b) & 0xFFFFFFFF
""",
    "sub_bits": """def sub_bits(a, b):
    return (a - b) & 0xFFFFFFFF
""",
    "and_bits": """def and_bits(a, b):
    return a & b
""",
    "clear_bits": """def clear_bits(a, b):
    return a & ~b
""",
    "to_exponent": """def to_exponent(a):
    return (a << 23) & 0xFFFFFFFF
""",
    "from_exponent": """def from_exponent(a):
    return (a >> 23) | (0xFFFFFE00 if a >> 31 else 0)
""",
    "int_to_float": """def int_to_float(a):
    return _word(float(a - 0x100000000 if a >> 31 else a))
""",
}
_ARRAY_WORDS = {
    "_word": """def _word(value):
    return {asarray}
""",
    "_bits": """def _bits(a):
    return a.view(xp.int32)
""",
    "_from_bits": """def _from_bits(i):
    return i.view(xp.float32)
""",
    "minimum": """def minimum(a, b):
    return xp.where(a < b, a, b)
""",
    "maximum": """def maximum(a, b):
    return xp.where(a > b, a, b)
""",
    "fma": '''def fma(a, b, c):
    """a * b + c, rounded once: the float64 sum is rounded to odd before it becomes a float32."""
    a, b, c = ({double} for each in (a, b, c))
    product = a * b
    total = product + c
    part = total - product
    lost = (product - (total - part)) + (c - part)
    is_even = xp.asarray(total).view(xp.int64) % 2 == 0
    upwards, downwards = xp.full_like(total, xp.inf), xp.full_like(total, -xp.inf)
    odd = xp.nextafter(total, xp.where(lost > 0, upwards, downwards))
    total = xp.where(xp.isfinite(total) & (lost != 0) & is_even, odd, total)
    return {single}
''',
    "rint": """def rint(a):
    return xp.round(a)
""",
    "to_exponent": """def to_exponent(a):
    return _from_bits(_bits(a) << 23)
""",
    "from_exponent": """def from_exponent(a):
    return _from_bits(_bits(a) >> 23)
""",
    "int_to_float": """def int_to_float(a):
    return {integer}
""",
}
_NEEDS_BITS = frozenset(
    ("add_bits", "sub_bits", "and_bits", "clear_bits", "to_exponent", "from_exponent", "int_to_float")
)
_NUMPY_PARTS = {
    "asarray": "np.asarray(value, dtype=np.float32)",
    "double": "np.asarray(each, dtype=np.float64)",
    "single": "np.asarray(total, dtype=np.float32)",
    "integer": "np.asarray(_bits(a), dtype=np.float32)",
}
_TORCH_PARTS = {
    "asarray": "torch.tensor(value, dtype=torch.float32, device=device)",
    "double": "each.double()",
    "single": "total.float()",
    "integer": "_bits(a).float()",
}
_ARRAY_CALLS = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "add_bits": "_from_bits(_bits({0}) + _bits({1}))",
    "sub_bits": "_from_bits(_bits({0}) - _bits({1}))",
    "and_bits": "_from_bits(_bits({0}) & _bits({1}))",
    "clear_bits": "_from_bits(_bits({0}) & ~_bits({1}))",
}


def _call(name: str) -> str:
    n_arguments = len(FLOAT32.functions[FLOAT32.position_of(name)].argument_types)
    return f"{name}({', '.join(f'{{{k}}}' for k in range(n_arguments))})"


def nearest_word(value: float) -> float:
    """The float32 that a literal stands for.

    Raises:
        UsageError: there is none.
    """
    if abs(value) >= BEYOND:
        raise UsageError(f"the constant {value!r} is beyond the range of float32: the program cannot be exported")
    return float(word(value))


def python_float32(function: ExportedFunction) -> str:
    """Pure Python: a float in and out; between them every value is the 32 bits of one."""
    words = {each.name: _call(each.name) for each in FLOAT32.functions}
    written = _statements(function, words, lambda value: f"_word({nearest_word(value)!r})")
    used = words_used(function.program, FLOAT32) | {"_word", "_float"}
    helpers = "\n\n".join(_PYTHON_WORDS[name] for name in ORDER if name in used and name in _PYTHON_WORDS)
    arguments = ", ".join(f"{name}: float" for name in written.inputs)
    body = [f"    {name} = _word({name})" for name in written.inputs]
    imports = "import math\nimport struct" if "math." in helpers else "import struct"
    return _module(
        function,
        "pure Python, a float in and out that is a float32 number (the argument is rounded to one).",
        f"{imports}\n\n\n{helpers}\n\ndef {function.name}({arguments}) -> float:",
        [*body, *(f"    {line}" for line in written.lines), f"    return _float({written.result})"],
    )


def numpy_float32(function: ExportedFunction) -> str:
    """Arrays of float32, any shape."""
    written = _statements(function, _array_words(), lambda value: f"_word({nearest_word(value)!r})")
    check = [
        f"""    {name} = np.asarray({name})
    if {name}.dtype != np.float32:
        raise TypeError(f"expected float32, got {{{name}.dtype}}: convert with np.asarray({name}, dtype=np.float32)")"""
        for name in written.inputs
    ]
    body = (
        ['    with np.errstate(all="ignore"):', *(f"        {line}" for line in written.lines)] if written.lines else []
    )
    return _module(
        function,
        "numpy, arrays of float32 of any shape.",
        f"import numpy as np\n\n\n{_array_helpers(function, 'np', _NUMPY_PARTS)}"
        f"\n\ndef {function.name}({', '.join(written.inputs)}):",
        [*check, *body, f"    return {_array_result(written, 'np')}"],
    )


def torch_float32(function: ExportedFunction) -> str:
    """Tensors of float32."""
    written = _statements(function, _array_words(), lambda value: f"_word({nearest_word(value)!r}, device)")
    check = [
        f"""    if not isinstance({name}, torch.Tensor) or {name}.dtype != torch.float32:
        kind = {name}.dtype if isinstance({name}, torch.Tensor) else type({name}).__name__
        raise TypeError(f"expected a tensor of torch.float32, got {{kind}}: convert with {name}.float()")"""
        for name in written.inputs
    ]
    helpers = _array_helpers(function, "torch", _TORCH_PARTS).replace("def _word(value)", "def _word(value, device)")
    return _module(
        function,
        "torch, tensors of torch.float32. Exact in eager mode on a CPU, which keeps subnormal numbers by default; "
        "tried on no other device. It has no useful gradient.",
        f"import torch\n\n\n{helpers}\n\n@torch.no_grad()\ndef {function.name}({', '.join(written.inputs)}):",
        [
            *check,
            f"    device = {written.inputs[0]}.device",
            *(f"    {line}" for line in written.lines),
            f"    return {_array_result(written, 'torch')}",
        ],
    )


def _array_result(written: Written, module: str) -> str:
    return f"{module}.full_like({written.inputs[0]}, {written.result})" if written.is_constant else written.result


def _array_words() -> dict[str, str]:
    return {each.name: _ARRAY_CALLS.get(each.name, _call(each.name)) for each in FLOAT32.functions}


def _array_helpers(function: ExportedFunction, module: str, parts: dict[str, str]) -> str:
    used = words_used(function.program, FLOAT32)
    needed = used | {"_word"} | ({"_bits", "_from_bits"} if used & _NEEDS_BITS else set())
    texts = [_ARRAY_WORDS[name] for name in ORDER if name in needed and name in _ARRAY_WORDS]
    for name, part in parts.items():
        texts = [text.replace(f"{{{name}}}", part) for text in texts]
    return "\n\n".join(text.replace("xp.", f"{module}.") for text in texts)


def _statements(function: ExportedFunction, words: dict[str, str], constant: object) -> Written:
    dialect = Dialect(
        words=words,
        with_constants={},
        constant=constant,  # type: ignore[arg-type]
        assigned="{0} = {1}",
        comment="# {0}",
        reserved=RESERVED | {*ORDER, "device", "struct"},
        is_infix=words["add"] == SYMBOLS["add"],
    )
    return statements(function.program, FLOAT32, dialect)


def _module(function: ExportedFunction, form: str, code: str, body: list[str]) -> str:
    heading = hash_comment(wrapped([*function.facts, f"Form: {form}", "", *function.origin]))
    return f"{heading}\n{code}\n    {docstring_of(function.summary)}\n" + "\n".join(body) + "\n"
