"""Operon (pyoperon): NSGA-II over error and length, Levenberg-Marquardt on the constants of every offspring.

Settings: population 1,000, at most `MAX_LENGTH` nodes, 10 iterations of local search written back into the tree, scale
and offset of the model by linear regression, tournament 5, crossover always, mutation 0.25; the run is repeated with
new seeds until the seconds are spent, because it has converged long before. Residuals cannot be weighted, so the error
is the plain mean square; the package computes in float32 inside.

Burlacu, Kronberger and Kommenda (2020), "Operon C++: an efficient genetic programming framework for symbolic
regression", https://doi.org/10.1145/3377929.3398099
"""

import time
import warnings
from typing import Any

from pyoperon.sklearn import SymbolicRegressor

from benchmarks.peers.expression import UnreadableExpressionError, from_postfix
from benchmarks.peers.task import MAX_LENGTH, Found, Task

EVALUATIONS_OF_A_RUN = 200_000
NAMES = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div"}


def search(task: Task, cpu_seconds: float, rng_seed: int) -> Found:
    """All Pareto fronts reached in the CPU seconds."""
    found = Found()
    start, run = time.process_time(), 0
    while time.process_time() - start < cpu_seconds:
        regressor = SymbolicRegressor(
            allowed_symbols="add,sub,mul,div,constant,variable",
            objectives=["mse", "length"],
            optimizer_iterations=10,
            max_length=MAX_LENGTH,
            population_size=1000,
            generations=1_000_000,
            max_evaluations=EVALUATIONS_OF_A_RUN,
            epsilon=0.0,
            n_threads=1,
            random_state=1000 * rng_seed + run,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            regressor.fit(task.points[:, None], task.target)
        found.evaluations += regressor.stats_["residual_evaluations"]
        for model in regressor.pareto_front_:
            found.expressions += _texts(model["tree"].Nodes)
        run += 1
    return found


def _texts(nodes: list[Any]) -> list[str]:
    """The tree as one expression, or none if it has an operation of another arity than two."""
    tokens: list[str | float] = []
    for node in nodes:
        if node.IsVariable:
            tokens += ["x"] if node.Value == 1.0 else [node.Value, "x", "mul"]
        elif node.IsConstant:
            tokens.append(node.Value)
        else:
            tokens.append(NAMES[node.Type.name])
    try:
        return [from_postfix(tokens)]
    except UnreadableExpressionError:
        return []
