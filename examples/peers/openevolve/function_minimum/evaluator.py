"""How near the found points are to the lowest one, over several seeds; a quick look first."""

import importlib.util

import numpy as np
from openevolve.evaluation_result import EvaluationResult

LOWEST = -0.9740


def load(program_path):
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def heights(program_path, seeds):
    program = load(program_path)

    def height(x, y):
        return float(np.sin(3 * x) * np.cos(2 * y) + 0.1 * (x * x + y * y))

    return [height(*map(float, program.search(seed))) for seed in seeds]


def evaluate_stage1(program_path):
    [found] = heights(program_path, [1])
    return {"combined_score": 1.0 / (1.0 + max(0.0, found - LOWEST))}


def evaluate_stage2(program_path):
    return evaluate(program_path)


def evaluate(program_path):
    found = heights(program_path, range(1, 6))
    gap = max(0.0, float(np.mean(found)) - LOWEST)
    return EvaluationResult(
        metrics={"gap": gap, "spread": float(np.std(found)), "combined_score": 1.0 / (1.0 + gap)},
        artifacts={"heights": ", ".join(f"{each:.4f}" for each in found)},
    )
