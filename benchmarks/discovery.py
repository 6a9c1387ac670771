"""What default runs find from the seed program alone, over several seeds.

python -m benchmarks.discovery circle_packing_26 --seconds 120 --seeds 1,2,3

For function approximation see `benchmarks.approximation`.
"""

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path

from evolve.config.problem import load_problem
from evolve.loop import Event, RunOptions, start_run
from evolve.store import RunReader


def silent(event: Event) -> None:
    """Listen to nothing: only what is on disk in the end counts."""
    del event


def print_run(name: str, rng_seed: int, seconds: float, folder: Path) -> None:
    """Make a default run and print what it found."""
    run_dir = folder / f"{name}-{rng_seed}"
    options = RunOptions(rng_seed=rng_seed, seconds=seconds)
    summary = start_run(load_problem(name), run_dir, options, silent)
    reader = RunReader(run_dir)
    first = reader.candidate(1).evaluation.score
    reader.close()
    print(
        f"{name} seed {rng_seed}: seed program {first:.4f}, best {summary.best_score:.6f}, "
        f"{summary.evaluations} evaluations, {summary.elites} elites, {summary.seconds:.0f} s",
        flush=True,
    )


def main() -> None:
    """Run every problem with every seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="+")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seeds", default="1,2,3")
    arguments = parser.parse_args()
    print(json.dumps({"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}))
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.problems:
            for seed in arguments.seeds.split(","):
                print_run(name, int(seed), arguments.seconds, Path(folder))


if __name__ == "__main__":
    main()
