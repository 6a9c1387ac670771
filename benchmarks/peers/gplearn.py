"""gplearn: plain genetic programming; constants change only by mutation, there is no way to fit them.

Settings: population 2,000, tournament 20, automatic parsimony, constants from -5 to 5, root mean square of relative
residuals (weights), point mutation raised to 0.1 because it is what changes constants. Its division answers 1 where the
divisor is below 0.001 in size; the table judges the true quotient. The best program of every length met is kept.

https://gplearn.readthedocs.io
"""

import time
from typing import Any

from gplearn.genetic import SymbolicRegressor

from benchmarks.peers.expression import from_prefix
from benchmarks.peers.task import MAX_LENGTH, Found, Task

POPULATION = 2_000


def search(task: Task, cpu_seconds: float, rng_seed: int) -> Found:
    """The best program of each length."""
    regressor = SymbolicRegressor(
        population_size=POPULATION,
        tournament_size=20,
        generations=0,
        function_set=("add", "sub", "mul", "div"),
        const_range=(-5.0, 5.0),
        metric="rmse",
        parsimony_coefficient="auto",
        p_crossover=0.75,
        p_subtree_mutation=0.05,
        p_hoist_mutation=0.05,
        p_point_mutation=0.1,
        stopping_criteria=0.0,
        low_memory=True,
        warm_start=True,
        n_jobs=1,
        random_state=rng_seed,
    )
    start = time.process_time()
    best: dict[int, Any] = {}
    generations = 0
    while time.process_time() - start < cpu_seconds:
        generations += 1
        regressor.set_params(generations=generations)
        regressor.fit(task.points[:, None], task.target, sample_weight=task.weights)
        for program in regressor._programs[-1]:
            held = best.get(program.length_)
            if program.length_ <= MAX_LENGTH and (held is None or program.raw_fitness_ < held.raw_fitness_):
                best[program.length_] = program
    return Found(generations * POPULATION, "x", [from_prefix(map(_token, best[n].program)) for n in sorted(best)])


def _token(node: Any) -> str | float:
    """A node of gplearn's flat list: a function, the number of a variable (an int), or a constant."""
    if isinstance(node, int):
        return "x"
    return float(node) if isinstance(node, float) else str(node.name)
