"""Minutes of lateness over all jobs, in five plans; fewer are better."""

import argparse
import os

from shinka.core import run_shinka_eval


def main(program_path: str, results_dir: str):
    os.makedirs(results_dir, exist_ok=True)
    run_shinka_eval(
        program_path=program_path,
        results_dir=results_dir,
        experiment_fn_name="run_jobs",
        num_runs=5,
        validate_fn=lambda late: (late >= 0, "negative lateness"),
        aggregate_metrics_fn=lambda results: {"combined_score": -sum(results) / 5, "public": {"worst": max(results)}},
        run_workers=2,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program_path", type=str, default="initial.py")
    parser.add_argument("--results_dir", type=str, default="results")
    main(**vars(parser.parse_args()))
