"""Shortening: constants of few digits, where the largest error hardly grows.

At a level error the price of moving one constant is known: with the others levelled again, the error grows in
proportion, with one slope upwards and one downwards, which the exchange's linear system gives. So each constant in
turn, the least sensitive first, becomes the shortest decimal within what the error may still grow; the others follow.
"""

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context
from fractions import Fraction

import numpy as np

from evolve.symbolic.exact_algebra import least_squares
from evolve.symbolic.exchange import SMALLEST_ERROR
from evolve.symbolic.extremes import Extremes
from evolve.symbolic.polish import Columns, Constants, Linked, exchange_step
from evolve.symbolic.tape import FloatArray
from sandbox.symbolic.precise import LONGEST_PLAIN, exact_value, nearest_pair

GROWTH = 2e-4
"""How much the largest error may grow in all."""

FARTHEST = 0.05
"""A constant moves by no more than this part of itself, since the slopes are those of a linear model."""

FOLLOWING_STEPS = 3
ATTEMPTS = (1.0, 0.1, 0.01, 0.001)
MOST_DIGITS = 33
PLEASANT = (0, 1, -1, 2, -2, Fraction(1, 2), Fraction(-1, 2))


def shortened(linked: Linked, constants: Constants) -> Constants:
    """The same constants, levelled by `polish`, with fewer digits; an error that is not level stays as it is."""
    extremes = linked.curve.extremes(linked.residuals(constants))
    if not SMALLEST_ERROR < extremes.largest < np.inf:
        return constants
    limit = extremes.largest * (1.0 + GROWTH)
    while linked.free:
        extremes = linked.curve.extremes(linked.residuals(constants))
        allowed = extremes.largest + (limit - extremes.largest) / len(linked.free)
        sizes, columns = np.abs(constants.highs[list(linked.free)]), linked.derivatives(constants)
        dependent = columns.dependent()
        if dependent:  # the others can make up for any move
            room, chosen = np.tile(FARTHEST * sizes, (2, 1)), dependent[0]
        else:
            room = np.minimum(_room(columns, extremes, allowed), FARTHEST * sizes)
            chosen = int(np.argmax(room.sum(axis=0) / np.maximum(sizes, SMALLEST_ERROR)))
        position = linked.free[chosen]
        linked = replace(linked, free=(*linked.free[:chosen], *linked.free[chosen + 1 :]))
        for part in ATTEMPTS:
            moved = _with_short(constants, position, part * room[:, chosen])
            followed = _followed(linked, moved, allowed)
            if followed is not None:
                constants = followed
                break
    return constants


def _room(columns: Columns, extremes: Extremes, allowed: float) -> FloatArray:
    """How far down (first row) and up (second) each free constant may go, the others following."""
    n = len(columns.highs)
    chosen = extremes.alternating(n + 1)
    growth = allowed - extremes.largest
    scale = np.linalg.norm(columns.highs, axis=1)
    scale[scale == 0.0] = 1.0
    alone = growth / np.maximum(np.abs(columns.highs).max(axis=1), np.finfo(np.float64).tiny)
    room = np.stack([alone, alone])  # what is safe without the others
    if len(chosen.errors) <= n:
        return room
    system = Columns(columns.highs / scale[:, None], columns.lows / scale[:, None]).at(chosen)
    signs = np.sign(chosen.errors)[:, None]
    highs, lows = signs * system.highs.T, signs * system.lows.T  # a row for each extreme, a column for each constant
    weights = _combination(highs, lows, n)
    with np.errstate(all="ignore"):
        weights = weights / weights.sum()
    if not (weights > 0.0).all():
        return room
    for k in range(n):
        direction = _combination(highs, lows, k)
        with np.errstate(all="ignore"):
            reach = np.where(direction != 0.0, weights / direction, np.inf)
        up = np.min(-reach[direction < 0.0], initial=np.inf)
        down = np.min(reach[direction > 0.0], initial=np.inf)
        slopes = np.array([down, up])
        if np.isfinite(slopes).all() and (slopes > 0.0).all():
            room[:, k] = np.maximum(room[:, k], growth / slopes / scale[k])
    return room


def _combination(highs: FloatArray, lows: FloatArray, k: int) -> FloatArray:
    """Weights of the extremes that make 1 of column k and 0 of all others."""
    goal = np.zeros(highs.shape[1])
    goal[k] = 1.0
    solution = least_squares(highs, lows, goal)
    return solution.highs + solution.lows


def _with_short(constants: Constants, position: int, room: FloatArray) -> Constants:
    """With the constant at a position as short as its room allows."""
    number = exact_value(float(constants.highs[position]), float(constants.lows[position]))
    high, low = simplest(number, number - Fraction(float(room[0])), number + Fraction(float(room[1])))
    highs, lows = constants.highs.copy(), constants.lows.copy()
    highs[position], lows[position] = high, low
    return Constants(highs, lows)


def simplest(number: Fraction, least: Fraction, most: Fraction) -> tuple[float, float]:
    """The number with the shortest literal between two others, as a pair; `number` itself if none is short enough."""
    for pleasant in PLEASANT:
        if least <= pleasant <= most:
            return float(pleasant), 0.0
    precise = Context(prec=2 * MOST_DIGITS)
    exact = precise.divide(precise.create_decimal(number.numerator), precise.create_decimal(number.denominator))
    width = max(float((most - least) / abs(number)), 10.0**-MOST_DIGITS) if number else 1.0
    for n_digits in range(max(1, int(-np.log10(width))), MOST_DIGITS):
        for rounding in (ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEILING):
            decimal = Fraction(Context(prec=n_digits, rounding=rounding).plus(exact))
            high, low = (float(decimal), 0.0) if n_digits <= LONGEST_PLAIN else nearest_pair(decimal)
            if least <= exact_value(high, low) <= most:
                return high, low
    return nearest_pair(number)


def _followed(linked: Linked, constants: Constants, allowed: float) -> Constants | None:
    """The constants after the free ones made up for a move; None if the error stays above what is allowed."""
    residuals = linked.residuals(constants)
    if not np.isfinite(residuals).all():
        return None
    extremes = linked.curve.extremes(residuals)
    for _ in range(FOLLOWING_STEPS):
        if extremes.largest <= allowed or not linked.free:
            break
        moved = exchange_step(linked, constants, residuals, extremes)
        if moved is None:
            break
        constants, residuals, extremes = moved
    return constants if extremes.largest <= allowed else None
