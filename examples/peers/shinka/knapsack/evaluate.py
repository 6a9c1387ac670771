"""Take things of the highest value together that fit into a bag of 100."""

import argparse

import numpy as np
from shinka.core import run_shinka_eval


def arguments_of(run_index):
    return {"seed": run_index + 1, "n_things": 20 + run_index}


def check(result):
    values, weights, taken = result
    if len(set(taken)) != len(taken) or not all(0 <= i < len(values) for i in taken):
        return False, "things that are not there, or taken twice"
    if sum(weights[i] for i in taken) > 100:
        return False, "the bag is too heavy"
    return True, None


def summed(results):
    values = [sum(value[i] for i in taken) for value, _, taken in results]
    return {
        "combined_score": float(np.mean(values)),
        "public": {"worst": min(values), "taken": " ".join(map(str, results[0][2]))},
        "private": {"secret_mean": float(np.mean(values)) / 2},
        "text_feedback": f"the weakest bag holds {min(values)}",
        "extra_data": {"values": values},
    }


def main(program_path, results_dir):
    metrics, correct, error = run_shinka_eval(
        program_path=program_path,
        results_dir=results_dir,
        experiment_fn_name="run_knapsack",
        num_runs=4,
        get_experiment_kwargs=arguments_of,
        validate_fn=check,
        aggregate_metrics_fn=summed,
    )
    print("correct" if correct else f"not correct: {error}", metrics["combined_score"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program_path", default="initial.py")
    parser.add_argument("--results_dir", default="results")
    given = parser.parse_args()
    main(given.program_path, given.results_dir)
