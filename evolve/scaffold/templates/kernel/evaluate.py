"""The judge of a kernel: right on every call, then the time of each call beside one of the reference.

The timer runs both programs in processes of their own that stand still between calls, hands them fresh inputs in shared
memory, looks at every output, and takes the median of the ratios: docs/kernels.md.
"""

import ast
import math
from functools import partial
from pathlib import Path

import numpy as np

from evolve import PairedTimer, TimedTask, timed_evaluation

REFERENCE = {"reference.py": (Path(__file__).parent / "reference.py").read_text(encoding="utf-8")}
ALLOWED_ERROR = 1e-4


def evaluate(candidate):
    """The speed-up over the reference, if all outputs are right."""
    timer = PairedTimer(candidate, reference=REFERENCE, function="gaussian_sums")
    found = timed_evaluation(timer, tasks=[TIMED], checks=[ODD])
    if "failure" in found:
        return found
    largest = found["metrics"]["largest_error"] * ALLOWED_ERROR
    descriptor = {"digits": min(16.0, -math.log10(max(largest, 1e-16))), "operations": operations_of(candidate.files)}
    return {**found, "descriptor": descriptor}


def verify(candidate):
    """Right on many more inputs, of all sizes? Speed is left out: it cannot be proved."""
    sizes = [(1, 1, 1), (1, 50, 3), (50, 1, 3), (2, 3, 1), (97, 31, 5), (256, 256, 8), (513, 100, 2)]
    timer = PairedTimer(candidate, reference=REFERENCE, function="gaussian_sums")
    worst = 0.0
    for size in sizes * 3:
        task = TimedTask(name=f"size {size}", draw=partial(drawn, *size), outputs=output, error=error)
        try:
            worst = max(worst, timer.check(task) * ALLOWED_ERROR)
        except ValueError as wrong:
            return {"verdict": "refuted", "detail": str(wrong)}
    return {
        "verdict": "unverified",
        "value": worst,
        "detail": f"right on 21 further inputs of all sizes, largest relative error {worst:.2g} (measured, not proved)",
    }


def drawn(n, m, d, rng):
    """Points, centres and weights; the weights are positive, so that relative errors mean something."""
    return rng.standard_normal((n, d)), rng.standard_normal((m, d)), rng.uniform(0.5, 1.5, m)


def about(n, m, d, rng):
    """The same of a size that nobody knows, so that no kernel is made for one size."""
    return drawn(int(rng.integers(0.9 * n, 1.1 * n)), int(rng.integers(0.9 * m, 1.1 * m)), d, rng)


def output(points, centres, weights):
    return (np.empty(len(points)),)


def error(inputs, outputs):
    """The largest relative error, in units of the allowed one."""
    points, centres, weights = inputs
    squared = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(2)
    exact = np.exp(-squared) @ weights
    return float(np.max(np.abs(outputs[0] - exact) / exact)) / ALLOWED_ERROR


TIMED = TimedTask(name="a few hundred", draw=partial(about, 300, 200, 4), outputs=output, error=error)
ODD = TimedTask(name="an odd shape", draw=partial(drawn, 37, 11, 3), outputs=output, error=error)


def operations_of(files):
    """Calls, arithmetic and comparisons in the kernel: its text is read here, never run."""
    text = files["seed.py"].split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    counted = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.BoolOp, ast.IfExp)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(text)))
