"""Least squares over the columns that the program makes of x; fewer columns are better."""

import importlib.util

import numpy as np
from fitting import residual, samples


def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("candidate_features", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    x, y = samples()
    with open("data/units.txt", encoding="utf-8") as file:
        unit = file.read().strip()
    columns = np.asarray(program.features(x), dtype=float)
    if columns.ndim != 2 or len(columns) != len(x) or not np.isfinite(columns).all():
        return {"combined_score": 0.0, "error": f"features(x) has the shape {columns.shape}"}
    error = residual(columns, y)
    return {
        "combined_score": 1.0 / (1.0 + error) - 0.01 * columns.shape[1],
        "rmse": error,
        "columns": columns.shape[1],
        "unit": unit,
    }
