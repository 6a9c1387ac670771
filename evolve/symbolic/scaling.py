# ruff: noqa: C901, PLR0912, PLR0913, PLR0917, SIM109 compiled: flat arguments, long branches, plain loops
"""Dimensional analysis of a program: how its constants change when its input is measured in another unit.

An exponential halves its argument when a square is appended: f(x) = f(x / 2)^2. Constants carry units (in a + b / x, b
is measured in units of x), so after a square each constant moves by a power of two that the program's shape dictates;
a fit started from the old constants gets lost on the way.
"""

import numpy as np

from evolve.symbolic.kernel import compiled
from evolve.symbolic.tape import FloatArray, IntArray, is_unary
from sandbox.symbolic.vocabulary import OP_ABS, OP_DIV, OP_MUL, OP_NEG, OP_SQRT, OP_SQUARE, OP_TANH

LEAST_PIVOT = 1e-9


@compiled
def _equations(tape: IntArray, n: int, n_inputs: int, rows: int, system: FloatArray) -> int:
    """One line for each relation between the rows' exponents, the last column the right side; returns their number."""
    line = 0
    for i in range(n_inputs):
        system[line, i], system[line, rows] = 1.0, 1.0
        line += 1
    for i in range(n):
        code, a, b, row = tape[i, 0], tape[i, 1], tape[i, 2], n_inputs + i
        system[line, row] = 1.0
        if code == OP_MUL or code == OP_DIV:
            system[line, a] -= 1.0
            system[line, b] -= 1.0 if code == OP_MUL else -1.0
        elif code == OP_SQUARE or code == OP_SQRT:
            system[line, a] -= 2.0 if code == OP_SQUARE else 0.5
        elif OP_SQRT < code <= OP_TANH:
            line += 1
            system[line, a] = 1.0
        else:  # a sum, a sign, a minimum: the same unit in and out
            system[line, a] -= 1.0
            if code != OP_NEG and code != OP_ABS and not is_unary(code):
                line += 1
                system[line, row] = 1.0
                system[line, b] -= 1.0
        line += 1
    system[line, n_inputs + n - 1] = 1.0
    return line + 1


@compiled
def rescale(
    tape: IntArray, n: int, n_inputs: int, n_constants: int, flat: FloatArray, system: FloatArray, factor: float
) -> bool:
    """Change constants so that the linked program answers at `factor` * x what it answered at x.

    False, and nothing changed, if no constants do that. `system` is scratch of (2 rows, rows + 1).
    """
    rows = n_inputs + n + n_constants
    system[:, :] = 0.0
    lines = _equations(tape, n, n_inputs, rows, system)
    done = 0
    pivot_line = np.full(rows, -1)
    for column in range(rows):
        best = done
        for line in range(done, lines):
            if abs(system[line, column]) > abs(system[best, column]):
                best = line
        if done >= lines or abs(system[best, column]) < LEAST_PIVOT:
            continue
        for j in range(rows + 1):
            system[done, j], system[best, j] = system[best, j], system[done, j]
        for line in range(lines):
            if line != done:
                share = system[line, column] / system[done, column]
                if share != 0.0:
                    for j in range(column, rows + 1):
                        system[line, j] -= share * system[done, j]
        pivot_line[column] = done
        done += 1
    for line in range(done, lines):
        if abs(system[line, rows]) > LEAST_PIVOT:
            return False
    for k in range(n_constants):
        line = pivot_line[n_inputs + n + k]
        if line >= 0:
            flat[k] *= factor ** (system[line, rows] / system[line, n_inputs + n + k])
    return True
