"""The judge: right on every call, then the time of each call beside one of the reference, on numbers nobody foresees.

What the timer does against cheats, and what it cannot do: docs/kernels.md.
"""

import ast
import math
from functools import partial
from pathlib import Path

import numpy as np

from evolve import PairedTimer, TimedTask, TimingEffort, timed_evaluation

REFERENCE = {"reference.py": (Path(__file__).parent / "reference.py").read_text(encoding="utf-8")}
SHORT = TimingEffort(most=30, seconds=1.0, wanted_error=0.02)
# Relative error, its growth with the distance to the row's largest number, and what counts as zero.
ALLOWED = {"float32": (1e-5, 2.4e-7, 1e-36), "float64": (1e-12, 1e-15, 1e-300)}


def evaluate(candidate):
    """Wrong anywhere: no score. Else the speed-up on three kinds of shape."""
    found = timed_evaluation(started(candidate), tasks=TIMED, checks=CHECKED)
    if "failure" in found:
        return found
    descriptor = {"worst": found["metrics"]["worst"], "operations": operations_of(candidate.files)}
    return {**found, "descriptor": descriptor}


def verify(candidate):
    """The same on shapes that no search was judged on, timed for longer. Nothing of this is a proof."""
    effort = TimingEffort(most=200, seconds=10.0, wanted_error=0.005)
    found = timed_evaluation(started(candidate, effort), tasks=HELD_OUT, checks=CHECKED * 3)
    if "failure" in found:
        is_wrong = found["kind"] == "invalid"
        return {"verdict": "refuted" if is_wrong else "unverified", "detail": found["failure"]}
    return {"verdict": "unverified", "value": found["score"], "detail": f"other shapes:\n{found['artifacts']['times']}"}


def started(candidate, effort=SHORT):
    return PairedTimer(candidate, reference=REFERENCE, function="softmax", effort=effort)


def numbers(rng, n_rows, n_columns, dtype="float32"):
    """Rows of their own height and spread: a softmax that forgets the largest number overflows."""
    heights, spread = rng.uniform(-200, 200, (n_rows, 1)), 2.0 ** rng.uniform(-1, 2)
    x = rng.standard_normal((n_rows, n_columns), dtype=np.float32).astype(dtype, copy=False)
    x *= np.dtype(dtype).type(spread)
    x += heights.astype(dtype)
    return x


def of_size(n, low, high, rng):
    """About n numbers in rows of a length between two bounds."""
    n_columns = int(rng.integers(low, high + 1))
    return (numbers(rng, max(1, n // n_columns), n_columns),)


def doubles(rng):
    return (numbers(rng, int(rng.integers(20, 60)), int(rng.integers(100, 400)), "float64"),)


def with_gaps(rng):
    """Part of the columns of a wider array."""
    n_columns = int(rng.integers(50, 300))
    return (numbers(rng, 70, n_columns + 13)[:, 5 : 5 + n_columns],)


def masked(rng):
    """Some places, and some whole rows, are -inf."""
    x = numbers(rng, 60, int(rng.integers(30, 500)))
    x[rng.random(x.shape) < 0.3] = -np.inf
    x[rng.random(len(x)) < 0.2] = -np.inf
    return (x,)


def extremes(rng):
    """Results that underflow, huge numbers, equal numbers, numbers too small to be normal."""
    x = numbers(rng, 50, int(rng.integers(2, 400)))
    x[:10] *= np.float32(1e36) / np.abs(x[:10]).max()
    x[10:20] *= np.float32(20)
    x[20:30] = x[20:30, :1]
    x[30:40] *= np.float32(1e-41)
    return (x,)


def thin(rng):
    """One column, and rows of one or two numbers."""
    return (numbers(rng, int(rng.integers(1, 200)), int(rng.integers(1, 3))),)


def like(x):
    return (np.empty(x.shape, x.dtype),)


def error(inputs, outputs):
    """The largest error over all places, in units of what is allowed there."""
    (x,), (out,) = inputs, outputs
    wide = np.longdouble if x.dtype == np.float64 else np.float64
    largest = x.max(axis=1, keepdims=True).astype(wide)
    largest[np.isinf(largest)] = 0
    below = x.astype(wide) - largest
    exact = np.exp(below)
    total = exact.sum(axis=1, keepdims=True)
    total[total == 0] = 1
    exact /= total
    relative, growth, tiny = ALLOWED[x.dtype.name]
    np.abs(below, out=below)
    below[np.isinf(below)] = 0
    allowed = exact * (relative + growth * below) + tiny
    worst = np.max(np.abs(out - exact) / allowed)
    return float(worst) if not np.isnan(worst) else math.nan


def task(name, draw):
    return TimedTask(name=name, draw=draw, outputs=like, error=error)


MILLION = 1 << 20
TIMED = (
    task("short rows", partial(of_size, MILLION, 48, 80)),
    task("middle rows", partial(of_size, MILLION, 900, 1150)),
    task("long rows", partial(of_size, MILLION, 50_000, 70_000)),
)
HELD_OUT = (
    task("rows of 8 to 24", partial(of_size, MILLION, 8, 24)),
    task("rows of 200 to 400", partial(of_size, MILLION, 200, 400)),
    task("rows of 5000 to 9000", partial(of_size, MILLION, 5000, 9000)),
    task("rows of 100,000 to 200,000", partial(of_size, MILLION, 100_000, 200_000)),
)
CHECKED = tuple(task(draw.__name__, draw) for draw in (doubles, with_gaps, masked, extremes, thin))


def operations_of(files):
    """Calls, arithmetic and comparisons in the kernel: its text is read here, never run."""
    text = files["seed.py"].split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    counted = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.BoolOp, ast.IfExp)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(text)))
