"""The judge: some rows of every output against float64, and the time until the whole output is there.

With a graphics card the judge's own clock counts, copies included: nothing that happens on the card can be taken on
trust, and what is not in `out` when the judge reads it is wrong. docs/kernels.md
"""

import ast
import math
from functools import cache, partial
from pathlib import Path

import numpy as np

from evolve import HostBench, PairedTimer, QuietCard, TimedTask, TimingEffort, timed_evaluation

REFERENCE = {"reference.py": (Path(__file__).parent / "reference.py").read_text(encoding="utf-8")}
SHORT = TimingEffort(most=30, seconds=1.0, wanted_error=0.02)
ALLOWED = {"float32": 1e-4, "float16": 1e-2}
N_LOOKED_AT = 48


def evaluate(candidate):
    """Wrong anywhere: no score. Else the speed-up on the shapes of a machine with, or without, a card."""
    found = timed_evaluation(started(candidate), tasks=TASKS[bool(candidate.gpus)], checks=CHECKED)
    if "failure" in found:
        return found
    descriptor = {"worst": found["metrics"]["worst"], "operations": operations_of(candidate.files)}
    return {**found, "descriptor": descriptor}


def verify(candidate):
    """Shapes that no search was judged on, timed for longer. Nothing of this is a proof."""
    effort = TimingEffort(most=100, seconds=20.0, wanted_error=0.005)
    found = timed_evaluation(started(candidate, effort), tasks=HELD_OUT[bool(candidate.gpus)], checks=CHECKED * 3)
    if "failure" in found:
        is_wrong = found["kind"] == "invalid"
        return {"verdict": "refuted" if is_wrong else "unverified", "detail": found["failure"]}
    return {"verdict": "unverified", "value": found["score"], "detail": f"other shapes:\n{found['artifacts']['times']}"}


@cache
def card():
    """Taken before the first program starts, for all evaluations of this process."""
    return QuietCard()


def started(candidate, effort=SHORT):
    if not candidate.gpus:
        return PairedTimer(candidate, reference=REFERENCE, function="attention", effort=effort)
    bench = HostBench(card=card())
    return PairedTimer(candidate, reference=REFERENCE, function="attention", clock="wall", effort=effort, bench=bench)


def numbers(n, m, d, dtype, rng):
    """Queries, keys and values; some rows are far from flat, some hardly."""
    spread = rng.uniform(0.5, 2.5, (n, 1)).astype(np.float32)
    q = rng.standard_normal((n, d), dtype=np.float32) * spread
    k, v = rng.standard_normal((2, m, d), dtype=np.float32)
    return q.astype(dtype), k.astype(dtype), v.astype(dtype)


def square(n, d, dtype, rng):
    """As many queries as keys, about n."""
    size = int(rng.integers(int(0.87 * n), int(1.13 * n)))
    return numbers(size, size, d, dtype, rng)


def wide(n, m, d, dtype, rng):
    """Few queries, many keys."""
    return numbers(n, int(rng.integers(int(0.87 * m), int(1.13 * m))), d, dtype, rng)


def odd(rng):
    n, m, d = (int(each) for each in rng.integers(1, 90, 3))
    return numbers(n, m, d, "float32", rng)


def steep(rng):
    """Logits far apart: without the largest one taken off they overflow."""
    q, k, v = numbers(40, 70, 32, "float32", rng)
    return q * np.float32(20), k, v


def like(q, k, v):
    return (np.empty((len(q), v.shape[1]), q.dtype),)


def error(inputs, outputs):
    """The largest error of some rows, chosen only now, in units of what is allowed; no row may hold a NaN."""
    (q, k, v), (out,) = inputs, outputs
    if np.isnan(out).any():
        return math.nan
    rows = np.random.default_rng().choice(len(q), min(len(q), N_LOOKED_AT), replace=False)
    logits = q[rows].astype(np.float64) @ k.astype(np.float64).T / math.sqrt(q.shape[1])
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    exact = weights / weights.sum(axis=1, keepdims=True) @ v.astype(np.float64)
    allowed = ALLOWED[q.dtype.name] * np.abs(exact).max(axis=1, keepdims=True)
    return float(np.max(np.abs(out[rows] - exact) / allowed))


def task(name, draw):
    return TimedTask(name=name, draw=draw, outputs=like, error=error)


def tasks(*draws):
    return tuple(task(name, draw) for name, draw in draws)


CHECKED = (task("odd", odd), task("steep", steep))
TASKS = {
    False: tasks(
        ("square", partial(square, 1000, 64, "float32")),
        ("deep", partial(square, 700, 128, "float32")),
        ("many keys", partial(wide, 64, 16_000, 64, "float32")),
    ),
    True: tasks(
        ("square", partial(square, 115_000, 64, "float16")),
        ("deep", partial(square, 60_000, 128, "float16")),
    ),
}
HELD_OUT = {
    False: tasks(
        ("half the size", partial(square, 500, 64, "float32")),
        ("narrow", partial(square, 1000, 32, "float32")),
    ),
    True: tasks(
        ("half the size", partial(square, 60_000, 64, "float16")),
        ("many keys", partial(wide, 16_000, 110_000, 64, "float16")),
    ),
}


def operations_of(files):
    """Calls, arithmetic and comparisons in the kernel: its text is read here, never run."""
    text = files["seed.py"].split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    counted = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.BoolOp, ast.IfExp)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(text)))
