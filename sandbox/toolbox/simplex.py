"""Small dense linear programs, compiled: twenty to a hundred times as fast as a call of a general solver.

The dual simplex method on a dense tableau, for variables that all have bounds: then every basis is dual feasible once
each variable stands at the bound that its gain asks for. Rows leave by infeasibility against the norm of their row,
bounds flip as long as that pays (Maros 2003, https://doi.org/10.1007/978-1-4615-0257-9, chapter 10).
"""

from typing import Any

import numpy as np

from sandbox.toolbox.compiled import compiled

OPTIMAL = 1
FEASIBLE = 1e-11
PIVOT = 1e-10
TIE = 1e-12
NUDGE = 1e-10
GOLDEN = 0.6180339887498949


GAIN = 0
STANDS = 1


@compiled("int64(float64[::1], float64[::1], float64[:,::1], int64[::1])")
def _leaving(held: Any, weights: Any, bounds: Any, inside: Any) -> Any:
    """The row whose variable is farthest out of its bounds, for the row's norm; -1 where none is."""
    chosen, most = -1, 0.0
    for i in range(len(held)):
        out = max(bounds[0, inside[i]] - held[i], held[i] - bounds[1, inside[i]])
        if out > FEASIBLE and out * out > most * weights[i]:
            most, chosen = out * out / weights[i], i
    return chosen


@compiled("int64(float64[::1], float64[:,::1], int64[::1], int64)")
def _tightest(row: Any, columns: Any, open_columns: Any, count: Any) -> Any:
    """Among the columns whose gain lasts least, the place of the one with the largest entry (Harris' rule)."""
    bound = np.inf
    for k in range(count):
        j = open_columns[k]
        bound = min(bound, (abs(columns[GAIN, j]) + TIE) / abs(row[j]))
    largest, place = 0.0, 0
    for k in range(count):
        j = open_columns[k]
        size = abs(row[j])
        if abs(columns[GAIN, j]) <= bound * size and size > largest:
            largest, place = size, k
    return place


@compiled("int64(float64[::1], float64, float64[:,::1], float64[:,::1], int64[::1], int64[::1])")
def _entering(row: Any, missing: Any, columns: Any, bounds: Any, outside: Any, flips: Any) -> Any:
    """The column that takes the row's place, or -1 where the program has no solution.

    Columns whose whole range does not make up for what is `missing` (negative: too much) are to go to their other
    bound; they are written into `flips`, their number first.
    """
    sign = -1.0 if missing > 0.0 else 1.0
    need, count = abs(missing), 0
    open_columns = np.empty(len(row), np.int64)
    for j in range(len(row)):
        entry = sign * row[j]
        is_high = columns[STANDS, j] == bounds[1, outside[j]]
        if (entry > PIVOT and not is_high) or (entry < -PIVOT and is_high):
            open_columns[count] = j
            count += 1
    flips[0] = 0
    while count > 0:
        place = _tightest(row, columns, open_columns, count)
        j = open_columns[place]
        need -= abs(row[j]) * (bounds[1, outside[j]] - bounds[0, outside[j]])
        if need <= 0.0:
            return j
        flips[0] += 1
        flips[flips[0]] = j
        count -= 1
        open_columns[place] = open_columns[count]
    return -1


@compiled("void(float64[:,::1], float64[::1], float64[:,::1], float64[:,::1], int64[::1], int64[::1])")
def _flip(table: Any, held: Any, columns: Any, bounds: Any, outside: Any, flips: Any) -> None:
    """Columns go to their other bounds."""
    for k in range(1, flips[0] + 1):
        j = flips[k]
        old = columns[STANDS, j]
        new = bounds[0, outside[j]] if old == bounds[1, outside[j]] else bounds[1, outside[j]]
        columns[STANDS, j] = new
        for i in range(len(held)):
            held[i] -= table[i, j] * (new - old)


@compiled("void(float64[:,::1], int64, int64, float64[:,::1], float64[::1])")
def _pivot(table: Any, row: Any, column: Any, columns: Any, weights: Any) -> None:
    """Change the places of a row and a column; `weights` are one more than the squared norms of the rows."""
    inverse = 1.0 / table[row, column]
    here, gains = table[row], columns[GAIN]
    for j in range(len(here)):
        here[j] *= inverse
    here[column] = inverse
    factor = gains[column]
    gains[column] = 0.0
    for j in range(len(here)):
        gains[j] -= factor * here[j]
    for i in range(len(table)):
        factor = table[i, column]
        if i == row or factor == 0.0:
            continue
        other, norm = table[i], 1.0
        other[column] = 0.0
        for j in range(len(here)):
            other[j] -= factor * here[j]
            norm += other[j] * other[j]
        weights[i] = norm
    weights[row] = 1.0 + (here * here).sum()


@compiled("void(float64[::1], int64[::1], float64[::1])")
def _note(values: Any, variables: Any, answer: Any) -> None:
    """Write the values of variables that are asked for; the others are slacks."""
    for k in range(len(values)):
        if variables[k] < len(answer):
            answer[variables[k]] = values[k]


@compiled("int64(float64[::1], float64[:,::1], float64[::1], float64[:,::1], float64[::1])")
def solve(gains: Any, matrix: Any, limits: Any, ranges: Any, answer: Any) -> int:
    """Write into `answer` the point with the largest `gains @ point` and `matrix @ point <= limits`.

    `ranges` (2, n) are the coordinates' bounds, all of them finite. Tiny changes of the gains (1e-10) break ties.

    Returns:
        OPTIMAL, or 0 where there is no such point or the pivots do not end.
    """
    m, n = matrix.shape
    bounds, columns = np.zeros((2, n + m)), np.empty((2, n))
    bounds[1, n:] = np.inf
    bounds[:, :n] = ranges
    for j in range(n):
        columns[GAIN, j] = gains[j] + NUDGE * (j * GOLDEN % 1.0 - 0.5)
        columns[STANDS, j] = ranges[1 if columns[GAIN, j] > 0.0 else 0, j]
    table, held, weights = matrix.copy(), limits - matrix @ columns[STANDS], np.ones(m)
    for i in range(m):
        weights[i] += (table[i] * table[i]).sum()
    outside, inside, flips = np.arange(n), np.arange(n, n + m), np.empty(n + 1, np.int64)
    for _ in range(20 * (n + m)):
        row = _leaving(held, weights, bounds, inside)
        if row < 0:
            _note(columns[STANDS], outside, answer)
            _note(held, inside, answer)
            return OPTIMAL
        goal = max(bounds[0, inside[row]], min(held[row], bounds[1, inside[row]]))
        column = _entering(table[row], goal - held[row], columns, bounds, outside, flips)
        if column < 0:
            return 0
        _flip(table, held, columns, bounds, outside, flips)
        moved = (held[row] - goal) / table[row, column]
        for i in range(m):
            held[i] -= table[i, column] * moved
        held[row], columns[STANDS, column] = columns[STANDS, column] + moved, goal
        outside[column], inside[row] = inside[row], outside[column]
        _pivot(table, row, column, columns, weights)
    return 0
