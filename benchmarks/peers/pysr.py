"""PySR: evolution of trees in Julia, which its Python package downloads when it is first imported.

Settings: float64, 31 populations, at most `MAX_LENGTH` nodes, constants fitted (BFGS), squares of relative residuals
(weights), one thread. The hall of fame of the run is kept: the best expression of each complexity. Evaluations are not
reported by the package, so none are counted.

Cranmer (2023), "Interpretable machine learning for science with PySR and SymbolicRegression.jl",
https://arxiv.org/abs/2305.01582
"""

from pysr import PySRRegressor

from benchmarks.peers.task import MAX_LENGTH, Found, Task


def search(task: Task, cpu_seconds: float, rng_seed: int) -> Found:
    """The hall of fame after so many seconds of one thread."""
    regressor = PySRRegressor(
        binary_operators=["+", "-", "*", "/"],
        niterations=1_000_000,
        timeout_in_seconds=cpu_seconds,
        maxsize=MAX_LENGTH,
        precision=64,
        should_optimize_constants=True,
        parallelism="serial",
        random_state=rng_seed,
        temp_equation_file=True,
        progress=False,
        verbosity=0,
    )
    regressor.fit(task.points[:, None], task.target, weights=task.weights, variable_names=["x"])
    return Found(expressions=[str(text) for text in regressor.equations_["equation"]])
