"""Smooth functions as few fused multiplications and additions: random structures, constants by least squares.

A polynomial in Horner's form gains one constant an operation. Structures that use values twice, such as
t = (p(r)^2 + c) * r + d, gain no more, but are of higher degree, and some are far nearer to a given function: which
ones, only trying shows (after Knuth, The Art of Computer Programming 4.6.4, adaptation of coefficients).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, sqrt

import numpy as np
import numpy.typing as npt

from evolve.symbolic.kernel import compiled
from evolve.symbolic.randomness import RandomState, uniform

CONSTANT = -1
ONE = -2
ZERO = -3
MOST_CONSTANTS = 20
ITERATIONS = 25
FIRST_STARTS = 6

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Operations a * b + c over registers (0 is the argument), constants, ONE (only b) and ZERO (only c).

    `constants` are in order of use; `error` is the largest weighted error on the table.
    """

    code: tuple[tuple[int, int, int], ...]
    constants: tuple[float, ...]
    error: float


def search_cores(  # noqa: PLR0913 - one table and how much to search
    points: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    *,
    n_operations: int,
    n_structures: int,
    n_starts: int,
    rng: np.random.Generator,
) -> list[Core]:
    """Cores for a table, best first: `n_structures` random structures, each with up to `n_starts` sets of constants.

    The number of constants is at least that of a polynomial with as many operations.
    """
    state = np.array([rng.integers(0, 2**63)], np.uint64)
    best, residual = np.zeros(MOST_CONSTANTS), np.zeros(points.size)
    jacobian = np.zeros((points.size, MOST_CONSTANTS))
    cores, seen = [], set()
    for _ in range(n_structures):
        code = draw_structure(n_operations, rng)
        if code is None or code in seen:
            continue
        seen.add(code)
        n_constants = sum(operand == CONSTANT for operation in code for operand in operation)
        table = np.array(code, np.int64)
        error = _fit(table, n_constants, points, values, weights, n_starts, state, best, residual, jacobian)
        if isfinite(error):
            cores.append(Core(code=code, constants=tuple(best[:n_constants].tolist()), error=float(error)))
    return sorted(cores, key=lambda core: core.error)


def draw_structure(n_operations: int, rng: np.random.Generator) -> tuple[tuple[int, int, int], ...] | None:
    """A random structure in which everything is used, with a constant more than it has operations; None if unlucky."""
    code: list[tuple[int, int, int]] = []
    for k in range(n_operations):
        # The last value is used at once more often than not: long chains give high degrees.
        a = k if rng.random() < 0.8 else int(rng.integers(k + 1))
        b = int(rng.choice((CONSTANT, ONE))) if rng.random() < 0.3 else int(rng.integers(k + 1))
        c = CONSTANT if rng.random() < 0.7 else int(rng.integers(-1, k + 1))
        a, b = max(a, b), min(a, b)
        code.append((a, b, ZERO if c < 0 and b >= 0 and rng.random() < 0.1 else c))
    used = {operand for operation in code for operand in operation}
    n_constants = sum(operand == CONSTANT for operation in code for operand in operation)
    is_whole = all(register in used for register in range(n_operations))
    return tuple(code) if is_whole and n_operations < n_constants <= MOST_CONSTANTS else None


def level(core: Core, points: FloatArray, values: FloatArray, weights: FloatArray, rounds: int = 40) -> Core:
    """The core with constants that make the largest error small, by re-weighting (Lawson 1961)."""
    code, importance = np.array(core.code, np.int64), np.ones(points.size)
    constants, best = np.zeros(MOST_CONSTANTS), core
    constants[: len(core.constants)] = core.constants
    residual, jacobian = np.zeros(points.size), np.zeros((points.size, MOST_CONSTANTS))
    n = len(core.constants)
    for _ in range(rounds):
        _descend(code, n, constants, points, values, weights * np.sqrt(importance), residual, jacobian)
        errors = np.abs(residual) / np.sqrt(importance)
        most = float(errors.max())
        if most < best.error:
            best = Core(code=core.code, constants=tuple(constants[:n].tolist()), error=most)
        if not isfinite(most) or most == 0.0:
            break
        importance = np.maximum(importance * errors / most, 1e-8)
        importance /= importance.mean()
    return best


def fitted_values(core: Core, points: FloatArray) -> FloatArray:
    """What a core computes, in float64."""
    registers: list[FloatArray] = [points]
    given = iter(core.constants)
    for a, b, c in core.code:
        factor = registers[b] if b >= 0 else next(given) if b == CONSTANT else 1.0
        term = registers[c] if c >= 0 else next(given) if c == CONSTANT else 0.0
        registers.append(registers[a] * factor + term)
    return registers[-1]


@compiled
def _operate(code: IntArray, k: int, used: int, constants: FloatArray, value: FloatArray, slope: FloatArray) -> int:
    """One operation with its derivatives by the constants; how many constants are used by now."""
    a, b, c = code[k, 0], code[k, 1], code[k, 2]
    factor = value[b] if b >= 0 else (constants[used] if b == CONSTANT else 1.0)
    value[k + 1] = value[a] * factor
    for p in range(slope.shape[1]):
        slope[k + 1, p] = slope[a, p] * factor
        if b >= 0:
            slope[k + 1, p] += value[a] * slope[b, p]
        if c >= 0:
            slope[k + 1, p] += slope[c, p]
    if b == CONSTANT:
        slope[k + 1, used] += value[a]
        used += 1
    if c >= 0:
        value[k + 1] += value[c]
    elif c == CONSTANT:
        value[k + 1] += constants[used]
        slope[k + 1, used] += 1.0
        used += 1
    return used


@compiled
def _evaluate(  # noqa: PLR0913, PLR0917 - the arrays of one fit
    code: IntArray,
    constants: FloatArray,
    points: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    residual: FloatArray,
    jacobian: FloatArray,
) -> float:
    """Fill residuals and their derivatives by the constants; the sum of squares."""
    n, width = code.shape[0], jacobian.shape[1]
    value, slope = np.zeros(n + 1), np.zeros((n + 1, width))
    total = 0.0
    for i in range(points.size):
        value[0] = points[i]
        used = 0
        for k in range(n):
            used = _operate(code, k, used, constants, value, slope)
        residual[i] = (value[n] - values[i]) * weights[i]
        total += residual[i] * residual[i]
        for p in range(used):
            jacobian[i, p] = slope[n, p] * weights[i]
    return total


@compiled
def _solve(matrix: FloatArray, vector: FloatArray, n: int) -> bool:
    """Solve a symmetric system in place; False where it is not positive definite."""
    for j in range(n):
        for i in range(j, n):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                matrix[j, j] = sqrt(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    for i in range(n):
        for k in range(i):
            vector[i] -= matrix[i, k] * vector[k]
        vector[i] /= matrix[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            vector[i] -= matrix[k, i] * vector[k]
        vector[i] /= matrix[i, i]
    return True


@compiled
def _normal_equations(residual: FloatArray, jacobian: FloatArray, normal: FloatArray, gradient: FloatArray) -> None:
    for p in range(gradient.size):
        gradient[p] = 0.0
        for i in range(residual.size):
            gradient[p] -= jacobian[i, p] * residual[i]
        for q in range(p + 1):
            normal[p, q] = 0.0
            for i in range(residual.size):
                normal[p, q] += jacobian[i, p] * jacobian[i, q]


@compiled
def _damped_step(
    normal: FloatArray, gradient: FloatArray, damping: float, damped: FloatArray, step: FloatArray
) -> bool:
    n = gradient.size
    for p in range(n):
        for q in range(p):
            damped[p, q] = normal[p, q]
        damped[p, p] = normal[p, p] * (1.0 + damping) + 1e-30
        step[p] = gradient[p]
    return bool(_solve(damped, step, n))


@compiled
def _descend(  # noqa: PLR0913, PLR0917 - the arrays of one fit
    code: IntArray,
    n: int,
    constants: FloatArray,
    points: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    residual: FloatArray,
    jacobian: FloatArray,
) -> float:
    """The descent of Levenberg (1944) and Marquardt (1963) from `constants`, in place; the largest error."""
    total = _evaluate(code, constants, points, values, weights, residual, jacobian)
    normal, damped = np.zeros((n, n)), np.zeros((n, n))
    gradient, step, trial = np.zeros(n), np.zeros(n), constants.copy()
    damping, n_stalls = 1e-2, 0
    for _ in range(ITERATIONS):
        _normal_equations(residual, jacobian, normal, gradient)
        after = inf
        for _ in range(6):
            if _damped_step(normal, gradient, damping, damped, step):
                trial[:n] = constants[:n] + step
                after = _evaluate(code, trial, points, values, weights, residual, jacobian)
            if after < total:
                break
            damping *= 6.0
        if not after < total:
            break
        n_stalls = n_stalls + 1 if after > total * (1.0 - 1e-4) else 0
        total = after
        constants[:n] = trial[:n]
        damping = max(0.15 * damping, 1e-14)
        if n_stalls >= 5:
            break
    _evaluate(code, constants, points, values, weights, residual, jacobian)
    largest = 0.0
    for i in range(points.size):
        if not abs(residual[i]) <= largest:
            largest = abs(residual[i])
    return largest


@compiled
def _fit(  # noqa: PLR0913, PLR0917 - the arrays of one fit
    code: IntArray,
    n: int,
    points: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    n_starts: int,
    state: RandomState,
    best: FloatArray,
    residual: FloatArray,
    jacobian: FloatArray,
) -> float:
    """The largest error after several random starts, its constants in `best`; hopeless structures get few starts."""
    lowest = inf
    constants = np.zeros(best.size)
    for start in range(n_starts):
        for p in range(n):
            size = exp(-4.0 + 5.5 * uniform(state))
            constants[p] = size if uniform(state) < 0.7 else -size
        error = _descend(code, n, constants, points, values, weights, residual, jacobian)
        if error < lowest:
            lowest = error
            for p in range(n):
                best[p] = constants[p]
        if start >= FIRST_STARTS and lowest > 1000.0 / start:
            break
    return lowest


def operation_texts(core: Core, argument: str, prefix: str) -> Sequence[str]:
    """The core as lines of a program, for people."""
    names = [argument, *(f"{prefix}{k}" for k in range(1, len(core.code) + 1))]
    given = iter(core.constants)
    lines = []
    for k, (a, b, c) in enumerate(core.code, start=1):
        factor = names[b] if b >= 0 else repr(next(given)) if b == CONSTANT else "1.0"
        term = names[c] if c >= 0 else repr(next(given)) if c == CONSTANT else "0.0"
        lines.append(f"{names[k]} = fma({names[a]}, {factor}, {term})")
    return lines
