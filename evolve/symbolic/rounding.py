"""Settling constants on float64 numbers where rounding them would cost accuracy.

Below errors of about 1e-12 the constants' own rounding shows. The error is then linear in the last bits of the
constants, so the best real constants and the float64 numbers around them can be searched in that linear model: Lawson
weights for the former, randomised nearest-plane rounding (Babai 1986; Klein 2000) for the latter. Errors are measured
in double-double arithmetic.
"""

from dataclasses import replace

import numpy as np

from evolve.symbolic.contract import FitTarget
from evolve.symbolic.exchange import SMALLEST_ERROR, exchange
from evolve.symbolic.tape import FloatArray
from sandbox.symbolic.double_double import evaluate_double_double
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

SETTLE_BELOW = 1e-12
TRIALS = 3000
LAWSON_ROUNDS = 60
SETTLING_ROUNDS = 6


def exact_residuals(program: Program, vocabulary: Vocabulary, target: FitTarget) -> FloatArray:
    """Errors of the program at the target's points, as of real arithmetic."""
    points = np.atleast_2d(target.points)
    low = np.zeros_like(target.values) if target.values_low is None else target.values_low
    hi, lo = evaluate_double_double(program, vocabulary, points, np.zeros_like(points))
    errors: FloatArray = (hi - target.values) + (lo - low)
    return errors * target.scale


def settle(
    program: Program, vocabulary: Vocabulary, target: FitTarget, derivatives: FloatArray, rng: np.random.Generator
) -> tuple[Program, float]:
    """Better float64 constants for a program whose error is near the limits of float64, and its largest error.

    `derivatives` has one row for each constant: the errors' derivatives by it. The program comes back unchanged when
    nothing better was found. Its functions must have double-double forms (`has_double_double`).
    """
    residuals = exact_residuals(program, vocabulary, target)
    error = float(np.abs(residuals).max())
    constants = np.array(program.constants)
    if not np.isfinite(error) or not np.isfinite(derivatives).all() or not constants.size:
        return program, error
    units = np.spacing(np.abs(constants))
    columns = derivatives.T * units
    for _ in range(SETTLING_ROUNDS):
        steps = _nearest_good_steps(columns, residuals, rng)
        moved = replace(program, constants=tuple(float(c) for c in constants + steps * units))
        moved_residuals = exact_residuals(moved, vocabulary, target)
        moved_error = float(np.abs(moved_residuals).max())
        if not moved_error < error:
            break
        program, error, residuals, constants = moved, moved_error, moved_residuals, np.array(moved.constants)
    return program, error


def _nearest_good_steps(columns: FloatArray, residuals: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Whole steps m that make max |residuals + columns @ m| small."""
    ideal, importance = _lawson(columns, residuals)
    ideal = exchange(ideal, lambda steps: residuals + columns @ steps, lambda _steps: columns)
    order = np.argsort(np.linalg.norm(columns, axis=0))
    best, least = np.zeros(len(ideal)), float(np.abs(residuals).max())
    for permutation in (order, order[::-1], rng.permutation(len(ideal))):
        trials = _round_towards(np.sqrt(importance)[:, None] * columns[:, permutation], ideal[permutation], rng)
        errors = np.abs(residuals + trials @ columns[:, permutation].T).max(axis=1)
        winner = int(np.argmin(errors))
        if errors[winner] < least:
            least = float(errors[winner])
            best = np.zeros(len(ideal))
            best[permutation] = trials[winner]
    return best


def _lawson(columns: FloatArray, residuals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Real steps that level the linear model, and the weights of the points there."""
    scale = np.linalg.norm(columns, axis=0)
    scale[scale == 0.0] = 1.0
    scaled = columns / scale
    importance = np.full(residuals.size, 1.0 / residuals.size)
    best, best_importance, least = np.zeros(scale.size), importance, np.inf
    for _ in range(LAWSON_ROUNDS):
        root = np.sqrt(importance)
        solution = np.linalg.lstsq(root[:, None] * scaled, -root * residuals, rcond=1e-14)[0]
        left = np.abs(residuals + scaled @ solution)
        worst = float(left.max())
        if worst < least:
            best, best_importance, least = solution, importance, worst
        if worst < SMALLEST_ERROR:
            break
        importance = importance * left / worst
        importance = np.maximum(importance / importance.sum(), 1e-12)
    return best / scale, best_importance


def _round_towards(columns: FloatArray, ideal: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Many roundings of `ideal`, one constant after the other, each making up for the ones before it."""
    _, triangle = np.linalg.qr(columns)
    n = len(ideal)
    trials = np.zeros((TRIALS, n))
    shift = np.zeros((TRIALS, n))
    noise = rng.normal(0.0, 0.4, (TRIALS, n))
    noise[0] = 0.0
    for k in range(n - 1, -1, -1):
        pivot = triangle[k, k]
        carried = shift[:, k + 1 :] @ triangle[k, k + 1 :] / pivot if abs(pivot) > 0.0 else 0.0
        trials[:, k] = np.round(ideal[k] - carried + noise[:, k])
        shift[:, k] = trials[:, k] - ideal[k]
    return trials
