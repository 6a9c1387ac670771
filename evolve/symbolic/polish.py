"""Polishing: the constants whose largest error is smallest, to as many digits as they need.

Errors, derivatives and steps are in double-double arithmetic: the five constants of (a + b / (c / t + d + t))^128,
t = x + e / x, have a combination that moves 2^x by less than 1e-14 of what each of them does, which float64 rounding
would hide. Least squares come first (Levenberg-Marquardt), then Newton steps of a Remez exchange on the alternating
extremes, found between the points; where those are too few or do not level, Lawson's weights.
"""

from dataclasses import dataclass

import numpy as np

from evolve.symbolic.exact_algebra import least_squares, mean_of_pairs, product_of_pairs, sum_of_pairs
from evolve.symbolic.exact_tape import ExactTable, exact_derivatives_of, exact_residuals_of
from evolve.symbolic.exchange import PROBE, SMALLEST_ERROR
from evolve.symbolic.extremes import Curve, Extremes
from evolve.symbolic.tape import FloatArray, IntArray
from sandbox.symbolic.precise import exact_value, nearest_pair

LEAST_SQUARES_STEPS = 30
EXCHANGE_STEPS = 25
LAWSON_ROUNDS = 25
SMALLEST_GAIN = 1e-4
LITTLE_GAIN = 0.02
FIRST_DAMPING = 1e-6
LEAST_DAMPING = 1e-60
FAST_FALL = 1e-3
SLOW_FALL = 0.1
FALL_GROWTH = 0.5
SLOW_RISE = 10.0
NOISE = 1e-9
MOST_BEND = 1.5
LEVEL = 1e-3
PATH_STEPS = 25
SMALLEST_PART = 0.01
FIRST_PART = 0.3
OFF_PATH = 0.5
PARTS = (1.0, 0.5, 0.2, 0.05)
TICKS = 10_000
"""Work of one evaluation in double-double arithmetic over 256 points."""


@dataclass(frozen=True, slots=True)
class Constants:
    """Numbers as sums of float64 numbers."""

    highs: FloatArray
    lows: FloatArray

    def moved(self, step: "Constants", part: float = 1.0) -> "Constants":
        """The constants plus a part of a step."""
        total = self.highs + part * step.highs
        share = total - self.highs
        low = (self.highs - (total - share)) + (part * step.highs - share) + (self.lows + part * step.lows)
        high = total + low
        return Constants(high, low - (high - total))


@dataclass(frozen=True, slots=True)
class Columns:
    """Derivatives (constants, places) as sums of float64 numbers."""

    highs: FloatArray
    lows: FloatArray

    def weighted(self, weights: FloatArray) -> "Columns":
        """Every place multiplied by a weight."""
        high, low = product_of_pairs(self.highs, self.lows, weights)
        return Columns(high, low)

    def dependent(self) -> list[int]:
        """Columns that the others make up, whose constants need not move."""
        solution = least_squares(self.highs, self.lows, np.zeros(self.highs.shape[1]))
        return [int(k) for k in solution.dependent]

    def damped(self, damping: float) -> "Columns":
        """With a place more for each constant, where it alone changes something, in its own scale."""
        sizes = np.diag(np.sqrt(damping) * np.linalg.norm(self.highs, axis=1))
        return Columns(np.hstack([self.highs, sizes]), np.hstack([self.lows, np.zeros_like(sizes)]))

    def at(self, extremes: Extremes) -> "Columns":
        """At the extremes, with a column more: their signs."""
        high, low = mean_of_pairs(self.highs, self.lows, extremes.points, extremes.weights)
        signs = -np.sign(extremes.errors)[None] * np.abs(self.highs).max()
        return Columns(np.vstack([high, signs]), np.vstack([low, np.zeros_like(signs)]))


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked program with the table its errors are taken on, and the positions of the constants that may move."""

    tape: IntArray
    n: int
    n_inputs: int
    exact: ExactTable
    curve: Curve
    free: tuple[int, ...]
    ticks: IntArray

    def residuals(self, constants: Constants) -> FloatArray:
        """Signed errors at the points, as of real arithmetic."""
        self.ticks[0] += TICKS
        exact_residuals_of(self.tape, self.n, self.n_inputs, constants.highs, constants.lows, self.exact)
        return self.exact.residual.copy()

    def derivatives(self, constants: Constants) -> Columns:
        """Derivatives of the errors by the free constants."""
        self.ticks[0] += 4 * TICKS
        n_constants = constants.highs.size
        exact_residuals_of(self.tape, self.n, self.n_inputs, constants.highs, constants.lows, self.exact)
        exact_derivatives_of(self.tape, self.n, self.n_inputs, n_constants, self.exact)
        rows = [self.n_inputs + self.n + k for k in self.free]
        return Columns(self.exact.adjoints[rows], self.exact.adjoint_lows[rows])

    def step(self, columns: Columns, goal: FloatArray, constants: Constants) -> Constants:
        """The step of the free constants with which the columns come nearest to a goal, as one of all constants."""
        highs, lows, _ = least_squares(columns.highs, columns.lows, goal)
        step = Constants(np.zeros(constants.highs.size), np.zeros(constants.highs.size))
        step.highs[list(self.free)], step.lows[list(self.free)] = highs[: len(self.free)], lows[: len(self.free)]
        return step

    def predicted(self, columns: Columns, residuals: FloatArray, constants: Constants) -> FloatArray:
        """The errors after the best step, were they linear."""
        step = self.step(columns, -residuals, constants)
        highs, lows = step.highs[list(self.free)], step.lows[list(self.free)]
        return residuals + sum_of_pairs(columns.highs, columns.lows, highs, lows)

    def second_derivative(
        self, constants: Constants, residuals: FloatArray, columns: Columns, velocity: Constants
    ) -> FloatArray:
        """The errors' second derivative along a step, from a short one."""
        probe = self.residuals(constants.moved(velocity, PROBE))
        highs, lows = velocity.highs[list(self.free)], velocity.lows[list(self.free)]
        slope = sum_of_pairs(columns.highs, columns.lows, highs, lows)
        return np.asarray(2.0 / PROBE * ((probe - residuals) / PROBE - slope))


def exact_constants(constants: Constants) -> tuple[list[float], list[float]]:
    """High and low parts as a program holds them (see `sandbox.symbolic.precise`)."""
    numbers = zip(constants.highs.tolist(), constants.lows.tolist(), strict=True)
    pairs = [nearest_pair(exact_value(high, low)) for high, low in numbers]
    return [high for high, _ in pairs], [low for _, low in pairs]


def levelled(linked: Linked, constants: Constants) -> tuple[Constants, float]:
    """Constants with the smallest largest error near the given ones, and that error; never worse."""
    start = min(constants, _least_squares(linked, constants), key=lambda c: _worst(linked.residuals(c)))
    best, error, is_level = level_extremes(linked, start)
    if not is_level:
        other, other_error, _ = level_extremes(linked, _lawson(linked, best))
        if other_error < error:
            return other, other_error
    return best, error


def _norm(values: FloatArray) -> float:
    return float(np.sqrt(values @ values))


def _worst(residuals: FloatArray) -> float:
    worst = float(np.abs(residuals).max())
    return worst if np.isfinite(worst) else np.inf


def _least_squares(linked: Linked, constants: Constants) -> Constants:
    """Levenberg-Marquardt steps with exact errors, bent by half their acceleration, until there is little to gain."""
    residuals = linked.residuals(constants)
    cost, damping, fall = _norm(residuals), FIRST_DAMPING, FAST_FALL
    columns: Columns | None = None
    for _ in range(LEAST_SQUARES_STEPS):
        if not SMALLEST_ERROR < cost < np.inf:
            break
        if columns is None:
            columns = linked.derivatives(constants)
            if _norm(linked.predicted(columns, residuals, constants)) > cost * (1.0 - LITTLE_GAIN):
                break
        moved = _bent_step(linked, constants, residuals, columns, columns.damped(damping))
        moved_residuals = linked.residuals(moved)
        if _norm(moved_residuals) <= cost * (1.0 + NOISE):
            constants, residuals, cost, columns = moved, moved_residuals, _norm(moved_residuals), None
            damping, fall = max(damping * fall, LEAST_DAMPING), fall * FALL_GROWTH
        else:
            damping, fall = damping * SLOW_RISE, SLOW_FALL
            if damping > 1.0:
                break
    return constants


def _bent_step(
    linked: Linked, constants: Constants, residuals: FloatArray, columns: Columns, damped: Columns
) -> Constants:
    nothing = np.zeros(len(linked.free))
    velocity = linked.step(damped, np.concatenate([-residuals, nothing]), constants)
    change = linked.second_derivative(constants, residuals, columns, velocity)
    bend = linked.step(damped, np.concatenate([-change, nothing]), constants)
    sizes = np.linalg.norm(columns.highs, axis=1)
    ratio = _norm(bend.highs[list(linked.free)] * sizes) / _norm(velocity.highs[list(linked.free)] * sizes)
    return constants.moved(velocity).moved(bend, 0.5 if ratio < MOST_BEND else 0.0)


def _lawson(linked: Linked, constants: Constants) -> Constants:
    """The best constants met while the points' weights follow their errors."""
    residuals = linked.residuals(constants)
    best, least = constants, _worst(residuals)
    importance = np.ones(residuals.size)
    for _ in range(LAWSON_ROUNDS):
        worst = _worst(residuals)
        if not SMALLEST_ERROR <= worst < np.inf:
            break
        importance = importance * np.abs(residuals) / worst
        importance = np.maximum(importance / importance.mean(), 1e-12)
        root = np.sqrt(importance)
        columns = linked.derivatives(constants).weighted(root).damped(LEAST_DAMPING)
        goal = np.concatenate([-root * residuals, np.zeros(len(linked.free))])
        constants = constants.moved(linked.step(columns, goal, constants))
        residuals = linked.residuals(constants)
        if _worst(residuals) < least:
            best, least = constants, _worst(residuals)
    return best


def level_extremes(linked: Linked, constants: Constants) -> tuple[Constants, float, bool]:
    """Exchange steps while they gain; the last part of the answer: whether all extremes are level at the end."""
    residuals = linked.residuals(constants)
    if not SMALLEST_ERROR <= _worst(residuals) < np.inf:
        return constants, _worst(residuals), True
    extremes = linked.curve.extremes(residuals)
    for _ in range(EXCHANGE_STEPS):
        moved = exchange_step(linked, constants, residuals, extremes) or _along_path(linked, constants, extremes)
        if moved is None:
            break
        gain = 1.0 - moved[2].largest / extremes.largest
        constants, residuals, extremes = moved
        if gain < SMALLEST_GAIN or _worst(residuals) < SMALLEST_ERROR:
            break
    n_independent = len(linked.free) - len(linked.derivatives(constants).dependent())
    chosen = np.abs(extremes.alternating(n_independent + 1).errors)
    is_level = chosen.size > n_independent and chosen.min() >= extremes.largest * (1.0 - LEVEL)
    return constants, extremes.largest, bool(is_level)


def exchange_step(
    linked: Linked, constants: Constants, residuals: FloatArray, extremes: Extremes
) -> tuple[Constants, FloatArray, Extremes] | None:
    """A Newton step towards equal errors at the extremes, bent by half its acceleration; None if it gains nothing."""
    columns = linked.derivatives(constants)
    chosen, level = extremes.alternating(len(linked.free) + 1), extremes.largest
    system = columns.at(chosen)
    velocity = linked.step(system, -chosen.errors, constants)
    change = linked.second_derivative(constants, residuals, columns, velocity)
    bend = linked.step(system, -chosen.at(change), constants)
    for part in PARTS:
        there = constants.moved(velocity, part).moved(bend, 0.5 * part * part)
        there_residuals = linked.residuals(there)
        if np.isfinite(there_residuals).all():
            there_extremes = linked.curve.extremes(there_residuals)
            if there_extremes.largest < level:
                return there, there_residuals, there_extremes
    return None


def _along_path(
    linked: Linked, constants: Constants, extremes: Extremes
) -> tuple[Constants, FloatArray, Extremes] | None:
    """Towards equal errors at the extremes in parts, each corrected by the next; None if that gains nothing.

    Along the path the errors' differences from equal size fall in proportion, while the largest error may rise.
    """
    chosen, done, part = extremes.alternating(len(linked.free) + 1), 0.0, FIRST_PART
    signs = np.sign(chosen.errors)
    residuals = linked.residuals(constants)
    for _ in range(PATH_STEPS):
        part = min(part, 1.0 - done)
        wanted = (1.0 - done - part) * chosen.errors
        columns = linked.derivatives(constants)
        system = columns.at(chosen)
        velocity = linked.step(system, wanted - chosen.at(residuals), constants)
        change = linked.second_derivative(constants, residuals, columns, velocity)
        there = constants.moved(velocity).moved(linked.step(system, -chosen.at(change), constants), 0.5)
        there_residuals = linked.residuals(there)
        off = chosen.at(there_residuals) - wanted
        off = np.abs(off - signs * (signs @ off) / signs.size).max() / extremes.largest
        if off <= OFF_PATH:
            constants, residuals, done = there, there_residuals, done + part
        growth = 0.8 * (OFF_PATH / max(off, SMALLEST_ERROR)) ** (1.0 / 3.0) if np.isfinite(off) else 0.0
        part *= float(np.clip(growth, 0.2, 3.0))  # what is left out is of third order
        if done >= 1.0:
            there_extremes = linked.curve.extremes(residuals)
            gains = there_extremes.largest < extremes.largest
            return (constants, residuals, there_extremes) if gains else None
        if part < SMALLEST_PART:
            break
    return None
