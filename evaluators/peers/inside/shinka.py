"""ShinkaEvolve's contract from the inside: a script that writes metrics.json and correct.json, and its helper."""

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from evaluators.peers.inside.files import RESULTS
from evaluators.peers.inside.loading import load_module, run_script
from evaluators.peers.inside.plain import entries_of, text_of
from evaluators.peers.inside.standins import install

METRICS, CORRECT = "metrics.json", "correct.json"
MAX_JSON_BYTES = 8 << 20
NOTHING_RAN = {
    "combined_score": 0.0,
    "execution_time_mean": 0.0,
    "execution_time_std": 0.0,
    "num_successful_runs": 0,
    "num_valid_runs": 0,
    "num_invalid_runs": 0,
    "all_validation_errors": [],
}
Answer = tuple[dict[str, Any], bool, str | None]


def run(home: str, evaluator: str, program_path: str) -> dict[str, Any]:
    """Run the script and read what it wrote."""
    helpers = {
        "run_shinka_eval": run_shinka_eval,
        "save_json_results": save_json_results,
        "load_program": load_program,
    }
    install({"shinka.core": {"run_shinka_eval": run_shinka_eval}, "shinka.core.wrap_eval": helpers})
    results = os.path.join(os.path.dirname(home), RESULTS)
    os.makedirs(results, exist_ok=True)
    arguments = ["--program_path", program_path, "--results_dir", results]
    status = run_script(os.path.join(home, evaluator), arguments)
    metrics, wrong_metrics = _read(os.path.join(results, METRICS))
    correct, wrong_correct = _read(os.path.join(results, CORRECT))
    return {
        "status": status,
        "metrics": None if metrics is None else entries_of(metrics),
        "correct": None if correct is None else bool(correct.get("correct")),
        "error": text_of((correct or {}).get("error") or ""),
        "wrong": wrong_metrics or wrong_correct,
    }


def load_program(program_path: str) -> ModuleType:
    """The candidate as a module."""
    return load_module(program_path, "program")


def save_json_results(
    results_dir: str, metrics: dict[str, Any], correct: bool, error: str | None = None, verbose: bool = True
) -> None:
    """Write both files."""
    del verbose
    os.makedirs(results_dir, exist_ok=True)
    for name, value in ((CORRECT, {"correct": correct, "error": error}), (METRICS, metrics)):
        with open(os.path.join(results_dir, name), "w", encoding="utf-8") as file:
            json.dump(value, file)


def run_shinka_eval(  # noqa: PLR0913, PLR0917 its callers name these
    program_path: str,
    results_dir: str,
    experiment_fn_name: str,
    num_runs: int,
    get_experiment_kwargs: Callable[[int], dict[str, Any]] | None = None,
    aggregate_metrics_fn: Callable[[list[Any]], dict[str, Any]] | None = None,
    validate_fn: Callable[[Any], tuple[bool, str | None]] | None = None,
    plotting_fn: Callable[[Any], list[Any]] | None = None,
    default_metrics_on_error: dict[str, Any] | None = None,
    **others: Any,
) -> Answer:
    """Call the candidate's function so many times, check and sum up its results, write both files.

    Runs come one after the other, and all of them: early stopping and plots are not for a judge.
    """
    del plotting_fn, others
    runs = _Runs(validate_fn)
    try:
        experiment = getattr(load_program(program_path), experiment_fn_name)
        for index in range(num_runs):
            runs.add(experiment, get_experiment_kwargs(index) if get_experiment_kwargs else {"seed": index + 1})
        metrics = runs.metrics(aggregate_metrics_fn)
    except Exception as error:  # noqa: BLE001 whatever the candidate raises makes it incorrect
        print(f"the evaluation failed: {text_of(error)}")  # noqa: T201 what a script prints is shown
        runs.error = text_of(error) or type(error).__name__
        metrics = {**NOTHING_RAN, **(default_metrics_on_error or {}), "all_validation_errors": [runs.error]}
    metrics.pop("extra_data", None)
    save_json_results(results_dir, metrics, runs.error is None, runs.error)
    return metrics, runs.error is None, runs.error


class _Runs:
    """The results of the candidate's runs, and what is wrong with them."""

    def __init__(self, validate: Callable[[Any], tuple[bool, str | None]] | None) -> None:
        self.error: str | None = None
        self._validate = validate
        self._results: list[Any] = []
        self._seconds: list[float] = []
        self._complaints: list[str] = []
        self._n_invalid = 0

    def add(self, experiment: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
        """One run."""
        started = time.perf_counter()
        result = experiment(**arguments)
        self._seconds.append(time.perf_counter() - started)
        self._results.append(result)
        is_valid, message = (True, None) if self._validate is None else self._validate(result)
        if not is_valid:
            self._n_invalid += 1
            complaint = message or "not valid"
            self.error = self.error or f"Validation failed: {complaint}"
            if complaint not in self._complaints:
                self._complaints.append(complaint)

    def metrics(self, aggregate: Callable[[list[Any]], dict[str, Any]] | None) -> dict[str, Any]:
        """The sum of all runs."""
        count: dict[str, Any] = {"num_successful_runs": len(self._results)}
        found = count if aggregate is None else dict(aggregate(self._results))
        mean = sum(self._seconds) / max(1, len(self._seconds))
        spread = sum((each - mean) ** 2 for each in self._seconds) / max(1, len(self._seconds))
        found |= {"execution_time_mean": mean, "execution_time_std": math.sqrt(spread)}
        if self._validate is not None:
            n_valid = len(self._results) - self._n_invalid
            found |= {"num_valid_runs": n_valid, "num_invalid_runs": self._n_invalid}
            found["all_validation_errors"] = self._complaints
        if not math.isfinite(float(found.get("combined_score", 0.0))):
            self.error = self.error or f"combined_score is {found['combined_score']}"
        return found


def _read(path: str) -> tuple[dict[str, Any] | None, str]:
    """The mapping in a file, or why there is none."""
    name = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_JSON_BYTES + 1)
        value = json.loads(data) if len(data) <= MAX_JSON_BYTES else None
    except FileNotFoundError:
        return None, f"the evaluator wrote no {name}"
    except (OSError, ValueError, RecursionError) as error:
        return None, f"{name} cannot be read: {text_of(error, 200)}"
    return (value, "") if isinstance(value, dict) else (None, f"{name} holds no keys with values, or is too large")
