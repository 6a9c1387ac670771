"""A function over real arithmetic as Python, as numpy and as torch: the same operations in the same order."""

import builtins
import keyword
from collections.abc import Mapping

from evolve.export.function_facts import ExportedFunction
from evolve.export.heading import hash_comment, plain, wrapped
from evolve.export.straight_line import Dialect, statements, words_used

SYMBOLS = {"add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}", "neg": "-{0}"}
_HELPERS = ("div", "sqrt", "exp", "log", "sin", "cos", "minimum", "maximum", "float64", "checked")
RESERVED = frozenset(
    {*keyword.kwlist, *dir(builtins), "math", "np", "torch", *(f"_{name}" for name in _HELPERS)},
)

_PYTHON = Dialect(
    words={
        **SYMBOLS,
        "div": "_div({0}, {1})",
        "abs": "abs({0})",
        "square": "{0} * {0}",
        "tanh": "math.tanh({0})",
        **{name: f"_{name}({{0}})" for name in ("sqrt", "exp", "log", "sin", "cos")},
        **{name: f"_{name}({{0}}, {{1}})" for name in ("minimum", "maximum")},
    },
    with_constants={},
    constant=repr,
    assigned="    {0} = {1}",
    comment="# {0}",
    reserved=RESERVED,
)
_NUMPY = Dialect(
    words={
        **SYMBOLS,
        **{name: f"np.{name}({{0}})" for name in ("abs", "sqrt", "exp", "log", "sin", "cos", "tanh", "square")},
        **{name: f"np.{name}({{0}}, {{1}})" for name in ("minimum", "maximum")},
    },
    with_constants={},
    constant=repr,
    assigned="        {0} = {1}",
    comment="# {0}",
    reserved=RESERVED,
)
_TORCH = Dialect(
    words={
        **SYMBOLS,
        **{name: f"torch.{name}({{0}})" for name in ("abs", "sqrt", "exp", "log", "sin", "cos", "tanh")},
        **{name: f"torch.{name}({{0}}, {{1}})" for name in ("minimum", "maximum")},
        "square": "{0} * {0}",
    },
    # Torch compares tensors with tensors only, and where a number is divided or (on graphics cards) divides, it
    # multiplies by a rounded reciprocal.
    with_constants={
        "div:0": "{1}.new_tensor({0}) / {1}",
        "div:1": "{0} / {0}.new_tensor({1})",
        **{f"{name}:0": f"torch.{name}({{1}}.new_tensor({{0}}), {{1}})" for name in ("minimum", "maximum")},
        **{f"{name}:1": f"torch.{name}({{0}}, {{0}}.new_tensor({{1}}))" for name in ("minimum", "maximum")},
    },
    constant=repr,
    assigned="    {0} = {1}",
    comment="# {0}",
    reserved=RESERVED,
)
_PYTHON_HELPERS: Mapping[str, str] = {
    "div": '''def _div(a, b):
    """The quotient as IEEE 754 has it: infinite or NaN where Python would raise."""
    try:
        return a / b
    except ZeroDivisionError:
        return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)
''',
    "sqrt": """def _sqrt(a):
    return math.sqrt(a) if a >= 0.0 else math.nan
""",
    "exp": """def _exp(a):
    try:
        return math.exp(a)
    except OverflowError:
        return math.inf
""",
    "log": """def _log(a):
    return math.log(a) if a > 0.0 else -math.inf if a == 0.0 else math.nan
""",
    "sin": """def _sin(a):
    return math.nan if math.isinf(a) else math.sin(a)
""",
    "cos": """def _cos(a):
    return math.nan if math.isinf(a) else math.cos(a)
""",
    "minimum": """def _minimum(a, b):
    return a if a < b or math.isnan(a) else b
""",
    "maximum": """def _maximum(a, b):
    return a if a > b or math.isnan(a) else b
""",
}


def python_function(function: ExportedFunction) -> str:
    """A module of pure Python: floats in, a float out, bit for bit what the interpreter computes."""
    used = words_used(function.program, function.vocabulary)
    helpers = [text for word, text in _PYTHON_HELPERS.items() if word in used]
    written = statements(function.program, function.vocabulary, _PYTHON)
    arguments = ", ".join(f"{name}: float" for name in written.inputs)
    body = [f"    {name} = float({name})" for name in written.inputs] + list(written.lines)
    needs_math = bool(helpers) or "tanh" in used
    return _module(
        function,
        "Python, floats in and out.",
        "import math\n\n\n" if needs_math else "\n",
        "\n\n".join([*helpers, ""]) if helpers else "",
        f"def {function.name}({arguments}) -> float:",
        [*body, f"    return {written.result}"],
    )


def numpy_function(function: ExportedFunction) -> str:
    """A module over numpy arrays of float64, any shape."""
    written = statements(function.program, function.vocabulary, _NUMPY)
    check = '''def _float64(x):
    """The argument as an array of float64; another type would have other errors, so none is converted silently."""
    x = np.asarray(x)
    if x.dtype != np.float64:
        raise TypeError(f"expected float64, got {x.dtype}: convert with np.asarray(x, dtype=np.float64)")
    return x


'''
    body = [f"    {name} = _float64({name})" for name in written.inputs]
    if written.lines:
        body += ['    with np.errstate(all="ignore"):', *written.lines]
    result = f"np.full_like({written.inputs[0]}, {written.result})" if written.is_constant else written.result
    return _module(
        function,
        "numpy, arrays of float64 of any shape.",
        "import numpy as np\n\n\n",
        check,
        f"def {function.name}({', '.join(written.inputs)}):",
        [*body, f"    return {result}"],
    )


def torch_function(function: ExportedFunction) -> str:
    """A module over torch tensors; the result has the dtype and device of the argument."""
    written = statements(function.program, function.vocabulary, _TORCH)
    check = """def _checked(x):
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        kind = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
        raise TypeError(f"expected a tensor of a floating dtype, got {kind}: convert with torch.as_tensor(x).double()")
    return x


"""
    body = [f"    {name} = _checked({name})" for name in written.inputs] + list(written.lines)
    result = f"torch.full_like({written.inputs[0]}, {written.result})" if written.is_constant else written.result
    own = sorted(words_used(function.program, function.vocabulary) & {"sqrt", "exp", "log", "sin", "cos", "tanh"})
    told = f" Torch rounds {', '.join(own)} in its own way: the last bits differ from numpy's." if own else ""
    return _module(
        function,
        f"torch, tensors of any floating dtype, which is kept; the errors told here are those of torch.float64.{told}",
        "import torch\n\n\n",
        check,
        f"def {function.name}({', '.join(written.inputs)}):",
        [*body, f"    return {result}"],
    )


def _module(function: ExportedFunction, form: str, imports: str, helpers: str, signature: str, body: list[str]) -> str:
    heading = hash_comment(wrapped([*function.facts, f"Form: {form}", "", *function.origin]))
    docstring = docstring_of(function.summary)
    return f"{heading}\n{imports}{helpers}{signature}\n    {docstring}\n" + "\n".join(body) + "\n"


def docstring_of(summary: str) -> str:
    """One line between triple quotes that nothing in it can end."""
    text = plain(summary).replace("\\", "\\\\").replace('"', "'")
    return f'"""{text}"""'
