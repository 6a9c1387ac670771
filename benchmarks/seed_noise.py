"""Seed noise of all shipped strategies: `python -m benchmarks.seed_noise`, into `noise.json` beside each problem.

What was measured with as many random states for the seed program as it is now is not measured again.
"""

import argparse

from evolve.config.locate import shipped_problems
from evolve.config.problem import Problem, load_problem
from evolve.errors import EvolveError
from evolve.scaffold.noise import measure_noise, save_noise, stored_noise


def main() -> None:
    """Measure, and print a row for each problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="problems; all that start from a strategy if none is named")
    parser.add_argument("--seeds", type=int, default=8, help="random states for each")
    given = parser.parse_args()
    problems = [load_problem(name) for name in given.names or shipped_problems()]
    for problem in problems:
        if given.names or is_due(problem, given.seeds):
            print(row(problem, given.seeds), flush=True)


def is_due(problem: Problem, n_seeds: int) -> bool:
    """Whether it starts from a strategy of which less is known."""
    noise = stored_noise(problem)
    is_known = noise is not None and noise["is_current"] and len(noise["scores"]) >= n_seeds
    return bool(problem.tables.search.toolbox) and not is_known


def row(problem: Problem, n_seeds: int) -> str:
    """Measure one problem; a line of a table."""
    try:
        (noise,), _ = measure_noise(problem, [problem.seed_files], n_seeds=n_seeds)
    except EvolveError as error:
        return f"| {problem.name} | {error} |"
    save_noise(problem, noise)
    figures = (f"{len(noise.scores)}", f"{noise.mean:.9g}", f"{noise.deviation:.2g}", f"{max(noise.scores):.9g}")
    return f"| {' | '.join((problem.name, *figures, f'{noise.seconds:.3g} s'))} |"


if __name__ == "__main__":
    main()
