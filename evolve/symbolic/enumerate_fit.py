# ruff: noqa: C901, PLR0912, PLR0913, PLR0917 compiled: flat arguments, long branches
"""Fits many structures: each gets starts as long as it is among the best (successive halving over structures).

After Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (2016),
https://arxiv.org/abs/1502.07943. A good optimum may be met by one start in a thousand, so that no structure is judged
on a few starts alone: each round drops the worse ones and gives the rest several times as many.
"""

from typing import NamedTuple

import numpy as np

from evolve.symbolic.enumerate_signs import CodeArray
from evolve.symbolic.kernel import compiled
from evolve.symbolic.least_squares import Table, Workspace, fit, leap
from evolve.symbolic.moves import random_start, trailing_squares
from evolve.symbolic.normal_form import link
from evolve.symbolic.randomness import RandomState
from evolve.symbolic.tape import FloatArray, IntArray


class Fits(NamedTuple):
    """The best fit of each structure so far."""

    cost: FloatArray  # (structures,): least sum of squares
    error: FloatArray  # the largest error there
    constants: FloatArray  # (structures, operations): in the order of `link`


def no_fits(n_structures: int, n: int) -> Fits:
    """Before the first fit; new starts lie about the constants held, 1 here."""
    return Fits(np.full(n_structures, np.inf), np.full(n_structures, np.inf), np.ones((n_structures, n)))


class Roots(NamedTuple):
    """The target and its repeated square roots: a structure that ends in squares is fitted without them."""

    inputs: FloatArray  # (inputs, points)
    targets: FloatArray  # (roots, points): the 1st, 2nd, 4th ... root
    weights: FloatArray


class Effort(NamedTuple):
    """What one round spends on a structure."""

    starts: int
    first_iterations: int
    more_iterations: int
    leaps: int
    far_behind: float  # a start whose sum of squares is this many times the best one's gets no more iterations


def roots_of(table: Table, *, n_roots: int) -> Roots:
    """A table with its roots; none but itself where the target is not positive.

    Near the optimum an error e of a square root t makes an error 2 e t of the square: weights carry that factor.
    """
    targets, weights = [table.target], [table.weights]
    if (table.target > 0).all():
        for _ in range(n_roots):
            targets.append(np.sqrt(targets[-1]))
            weights.append(2.0 * targets[-1] * weights[-1])
    return Roots(table.inputs, np.array(targets), np.array(weights))


@compiled
def fit_structures(
    codes: CodeArray,
    chosen: IntArray,
    fits: Fits,
    effort: Effort,
    roots: Roots,
    work: Workspace,
    rng: RandomState,
) -> None:
    """Give every chosen structure its starts and note what is better than before."""
    n = codes.shape[1]
    n_inputs = roots.inputs.shape[0]
    code, blank = np.zeros((n, 3), np.int64), np.zeros((n, 2))
    flat, inherited = np.zeros(2 * n), np.zeros(2 * n)
    for at in chosen:
        for i in range(n):
            for side in range(3):
                code[i, side] = codes[at, i, side]
        squares = min(trailing_squares(code, n, n_inputs), len(roots.targets) - 1)
        m = n - squares
        table = Table(roots.inputs, roots.targets[squares], roots.weights[squares])
        n_constants = link(code, blank, m, n_inputs, work.tape, flat)
        for _ in range(effort.starts if n_constants > 0 else 1):
            for k in range(n_constants):
                inherited[k] = fits.constants[at, k]
            random_start(flat, n_constants, inherited, rng)
            cost = np.inf
            for stage in range(2):
                if stage == 1 and (effort.more_iterations == 0 or not cost < effort.far_behind * fits.cost[at]):
                    break
                iterations = effort.more_iterations if stage == 1 else effort.first_iterations
                cost = fit(work, m, n_constants, flat, table, iterations, stage == 0)
            if n_constants > 1 and effort.leaps > 0:
                error = work.error[0]
                leaped = leap(work, m, n_constants, flat, table, effort.leaps)
                if leaped < cost:
                    cost = leaped
                else:
                    work.error[0] = error
            if cost < fits.cost[at]:
                fits.cost[at], fits.error[at] = cost, work.error[0]
                for k in range(n_constants):
                    fits.constants[at, k] = flat[k]
