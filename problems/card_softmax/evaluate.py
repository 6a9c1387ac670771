"""The judge: every number against float64, and the time on a card, in memory that judge and candidate share.

Without a card Triton kernels are interpreted, so that only what they compute can be judged. docs/kernels.md
"""

import ast
import math
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch

from evolve import CardBench, PairedTimer, QuietCard, TimedTask, TimingEffort, checked_evaluation, timed_evaluation

REFERENCE = {"reference.py": (Path(__file__).parent / "reference.py").read_text(encoding="utf-8")}
SHORT = TimingEffort(most=30, seconds=1.0, wanted_error=0.02)
SHORT_ON_CARD = TimingEffort(warm_ups=4, most=40, seconds=4.0, wanted_error=0.01)
UNTIMED = -6.0
RELATIVE, GROWTH, TINY = 1e-5, 2.4e-7, 1e-36
CHUNK = 1 << 24
ON_CARD, ON_PROCESSOR = 1 << 28, 1 << 20
NO_CARD = "there is no graphics card here"


def evaluate(candidate):
    """Wrong anywhere: no score. Else the speed-up, where it can be told."""
    tasks = tasks_of(candidate, TIMED)
    if is_interpreted(candidate):
        found = only_looked_at(candidate)
    else:
        found = timed_evaluation(started(candidate), tasks=tasks, checks=tasks_of(candidate, CHECKED))
    if "failure" in found:
        return found
    found["metrics"]["is_timed"] = float(not is_interpreted(candidate))
    found["metrics"]["is_on_card"] = float(bool(candidate.gpus))
    descriptor = {"worst": found["metrics"]["worst"], "operations": operations_of(candidate.files)}
    return {**found, "descriptor": descriptor}


def verify(candidate):
    """Shapes that no search was judged on, timed for longer. Nothing of this is a proof."""
    checks = tasks_of(candidate, CHECKED) * 3
    if is_interpreted(candidate):
        found = only_looked_at(candidate, times=3)
    else:
        effort = TimingEffort(warm_ups=4, most=100, seconds=20.0, wanted_error=0.005)
        found = timed_evaluation(started(candidate, effort), tasks=tasks_of(candidate, HELD_OUT), checks=checks)
    if "failure" in found:
        is_wrong = found["kind"] == "invalid"
        return {"verdict": "refuted" if is_wrong else "unverified", "detail": found["failure"]}
    return {"verdict": "unverified", "value": found["score"], "detail": found["artifacts"]["times"]}


def is_interpreted(candidate):
    """Whether the time would be that of an interpreter."""
    return not candidate.gpus and any(imports_triton(text) for text in candidate.files.values())


def imports_triton(text):
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return "triton" in names


def only_looked_at(candidate, times=1):
    """All checks, no timing; says so where people look."""
    found = checked_evaluation(started(candidate), checks=tasks_of(candidate, CHECKED) * times)
    if "failure" in found:
        return found
    said = f"{NO_CARD}: kernels of Triton were interpreted, looked at and not timed (score {UNTIMED:g})"
    return {"score": UNTIMED, "metrics": {**found["metrics"], "worst": UNTIMED}, "artifacts": {"times": said}}


@cache
def card():
    """Taken before the first program starts, for all evaluations of this process."""
    return QuietCard()


def started(candidate, effort=None):
    if not candidate.gpus:
        return PairedTimer(candidate, reference=REFERENCE, function="softmax", effort=effort or SHORT)
    bench, effort = CardBench(card()), effort or SHORT_ON_CARD
    return PairedTimer(candidate, reference=REFERENCE, function="softmax", clock="wall", effort=effort, bench=bench)


def numbers(n_rows, n_columns, rng, device):
    """Rows of their own height and spread: a softmax that forgets the largest number overflows."""
    if device == "cpu":
        drawn = rng.standard_normal((n_rows, n_columns), dtype=np.float32)
        return (drawn * np.float32(2.0 ** rng.uniform(-1, 2)) + rng.uniform(-200, 200, (n_rows, 1)).astype(np.float32),)
    generator = torch.Generator(device).manual_seed(int(rng.integers(1 << 62)))
    x = torch.randn((n_rows, n_columns), device=device, generator=generator).mul_(2.0 ** rng.uniform(-1, 2))
    return (x.add_(torch.rand((n_rows, 1), device=device, generator=generator).sub_(0.5).mul_(400)),)


def of_length(low, high, rng, device):
    """As many numbers as fit, in rows of a length between two bounds that is a multiple of 16."""
    n_columns = 16 * int(rng.integers(low // 16, high // 16 + 1))
    return numbers((ON_PROCESSOR if device == "cpu" else ON_CARD) // n_columns, n_columns, rng, device)


def small(most_rows, most_columns, rng, device):
    """Any shape up to this."""
    return numbers(int(rng.integers(1, most_rows + 1)), int(rng.integers(1, most_columns + 1)), rng, device)


def like(x):
    return (np.empty(x.shape, x.dtype) if isinstance(x, np.ndarray) else torch.empty(x.shape, device="meta"),)


def error(inputs, outputs):
    """The largest error over all places, in units of what is allowed there."""
    x, out = torch.as_tensor(inputs[0]), torch.as_tensor(outputs[0])
    n_rows = max(1, CHUNK // x.shape[1])
    worst = [error_of_rows(x[at : at + n_rows], out[at : at + n_rows]) for at in range(0, len(x), n_rows)]
    return math.nan if any(map(math.isnan, worst)) else max(worst)


def error_of_rows(x, out):
    below = x.double() - x.amax(dim=1, keepdim=True)
    exact = below.exp()
    exact /= exact.sum(dim=1, keepdim=True)
    allowed = exact * (RELATIVE + GROWTH * below.abs()) + TINY
    wrong = (out - exact).abs() / allowed
    return math.nan if bool(wrong.isnan().any()) else float(wrong.max())


def tasks_of(candidate, draws):
    device = "cuda" if candidate.gpus else "cpu"
    return tuple(
        TimedTask(name=name, draw=partial(draw, device=device), outputs=like, error=error) for name, draw in draws
    )


TIMED = (
    ("short rows", partial(of_length, 64, 160)),
    ("middle rows", partial(of_length, 900, 1150)),
    ("long rows", partial(of_length, 16_000, 24_000)),
)
HELD_OUT = (
    ("rows of 16 to 32", partial(of_length, 16, 32)),
    ("rows of 200 to 400", partial(of_length, 200, 400)),
    ("rows of 5000 to 9000", partial(of_length, 5000, 9000)),
)
CHECKED = (("thin", partial(small, 20, 2)), ("odd", partial(small, 20, 600)), ("wide", partial(small, 2, 5000)))


def operations_of(files):
    """Calls, arithmetic and comparisons in the kernel: its text is read here, never run."""
    text = files["seed.py"].split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    counted = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.BoolOp, ast.IfExp)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(text)))
