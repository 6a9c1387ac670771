"""What every input and every word of update rules does, in a line: for prompts, documentation and messages."""

from typing import Final

from sandbox.symbolic.function import Function, Signature, Vocabulary

INPUTS: Final = {
    "w": "the weights",
    "g": "the gradient of this batch",
    "h": "an estimate of the Hessian's diagonal, renewed every ten steps",
    "f": "the loss of this batch, a number",
    "t": "the number of this step: 1, 2, 3, ...",
    "lr": "the learning rate of this step, with warm-up and decay in it",
}
SLOTS: Final = {"tensor": "a number for every weight", "left": "a matrix for rows", "right": "a matrix for columns"}

WORDS: Final = {
    "add": "sum",
    "sub": "difference",
    "mul": "product, number by number",
    "div": "quotient, number by number; a divisor below 1e-12 in size is moved away from zero",
    "pow": "|a| to the power b, of plain numbers",
    "neg": "the opposite",
    "matmul": "matrix product: rows from the left, columns from the right; parameters without rows stay as they are",
    "sign": "-1, 0 or 1",
    "abs": "absolute value",
    "sqrt": "square root of the absolute value",
    "square": "a times a",
    "exp": "exponential, of at most 50 in size",
    "log": "logarithm of the absolute value of a plain number",
    "log1p": "logarithm of 1 + |a|",
    "tanh": "hyperbolic tangent",
    "sigmoid": "1 / (1 + exp(-a))",
    "minimum": "the smaller",
    "maximum": "the larger",
    "clip": "a, but no further from zero than b",
    "agree": "1 where a and b have the same sign, else 0",
    "ema": "moving average: c * a + (1 - c) * b, old value first",
    "debias": "a / (1 - b ** c): undoes that an average with factor b began at zero, c steps ago",
    "mean": "mean over each parameter",
    "rms": "root mean square over each parameter",
    "largest": "largest absolute value in each parameter",
    "dot": "sum of a * b over each parameter",
    "total_rms": "root mean square over all parameters together",
    "total_dot": "sum of a * b over all parameters together",
    "row_mean": "mean of each row of a parameter",
    "col_mean": "mean of each column of a parameter",
    "by_shape": "a for the matrices of hidden layers, b for all other parameters",
    "orthogonal": "the nearest matrix whose singular values are all alike, with mean square about 1, by five "
    "Newton-Schulz steps; a vector is divided by its root mean square",
    "transpose": "transposed matrix",
    "left_gram": "a @ its transpose, over rows",
    "right_gram": "the transpose of a @ a, over columns",
    "basis": "eigenvectors of a; b is the old ones, c the step: renewed every ten steps",
    "inverse_root": "a to the power -1/4; b is the old one, c the step: computed anew every ten steps",
}
"""By the name of the word; arguments are called a, b, c. `tests` hold that none is missing."""

_LETTERS: Final = "abc"


def words_in_lines(vocabulary: Vocabulary) -> list[str]:
    """Every word once: how it is written, which types it takes in which order, what it does."""
    overloads: dict[str, list[Function]] = {}
    for function in vocabulary.functions:
        if vocabulary.signature is None or function is not vocabulary.functions[vocabulary.signature.word]:
            overloads.setdefault(function.name, []).append(function)
    return [_line(name, functions) for name, functions in overloads.items()]


def inputs_in_lines(signature: Signature, offered: tuple[str, ...]) -> list[str]:
    """Every input and slot that a problem offers: its name, its type, what it is."""
    lines = [
        f"`{name}` ({signature.type_of(name)}): {INPUTS[name]}"
        for name in signature.inputs
        if name in offered and name not in signature.slots
    ]
    for kind, about in SLOTS.items():
        names = [name for name in signature.slots if name in offered and signature.type_of(name) == kind]
        if names:
            lines.append(f"{' '.join(f'`{name}`' for name in names)} ({kind}): state, zero before step 1; {about}")
    return lines


def _line(name: str, functions: list[Function]) -> str:
    first = functions[0]
    letters = _LETTERS[: len(first.argument_types)]
    if first.symbol is None:
        written = f"{name}({', '.join(letters)})"
    else:
        written = f"{first.symbol}a" if len(letters) == 1 else f"a {first.symbol} b"
    types = ", ".join(f"({', '.join(each.argument_types)})" for each in functions)
    results = dict.fromkeys(each.result_type for each in functions)
    given = f" -> {next(iter(results))}" if len(results) == 1 else ""
    return f"`{written}` {types}{given}: {WORDS[name]}"
