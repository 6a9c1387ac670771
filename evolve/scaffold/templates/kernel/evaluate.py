"""The judge of a kernel: right on hidden inputs first, then time, taken here and never by the candidate.

Every timed call is paired with a call of the reference right before it, so that a busy machine slows both; the median
of the ratios counts. Each call has fresh inputs: a kernel that remembers its answers gains nothing. Sending
data back and forth counts for the candidate: the inputs are small for what has to be computed.
"""

import ast
import math
import statistics
import time

import numpy as np

N_POINTS, N_CENTRES, N_AXES = 300, 200, 4
N_PAIRS = 9
N_WARM_UP = 2
ALLOWED_ERROR = 1e-4


def evaluate(candidate):
    """The speed-up over the reference, if all answers are right."""
    # Another candidate, or another repeat, gets other inputs.
    rng = np.random.default_rng([candidate.rng_seed, candidate.repeat])
    ratios, errors, seconds = [], [], []
    for number in range(N_WARM_UP + N_PAIRS):
        inputs = drawn(rng)
        expected, own_seconds = timed(reference, *inputs)
        answer, call_seconds = timed(candidate.call, "gaussian_sums", *inputs)
        wrong, error = compared(answer, expected)
        if wrong:
            return {"failure": wrong}
        errors.append(error)
        if number >= N_WARM_UP:
            ratios.append(own_seconds / call_seconds)
            seconds.append(call_seconds)
    wrong, error = on_odd_shapes(candidate, rng)
    if wrong:
        return {"failure": wrong}
    return {
        "score": math.log2(statistics.median(ratios)),
        "descriptor": {
            "digits": min(16.0, -math.log10(max(*errors, error, 1e-16))),
            "operations": operations_of(candidate.files),
        },
        "metrics": {
            "speed_up": statistics.median(ratios),
            "milliseconds": 1e3 * statistics.median(seconds),
            "largest_error": max(*errors, error),
        },
    }


def verify(candidate):
    """Right on many more inputs, of all sizes? Speed is left out: it cannot be proved."""
    rng = np.random.default_rng(2)
    worst = 0.0
    for n, m, d in [(1, 1, 1), (1, 50, 3), (50, 1, 3), (2, 3, 1), (97, 31, 5), (256, 256, 8), (513, 100, 2)] * 3:
        inputs = drawn(rng, n, m, d)
        wrong, error = compared(candidate.call("gaussian_sums", *inputs), reference(*inputs))
        if wrong:
            return {"verdict": "refuted", "detail": f"with n={n}, m={m}, d={d}: {wrong}"}
        worst = max(worst, error)
    return {
        "verdict": "unverified",
        "value": worst,
        "detail": f"right on 21 further inputs of all sizes, largest relative error {worst:.2g} (measured, not proved)",
    }


def drawn(rng, n=N_POINTS, m=N_CENTRES, d=N_AXES):
    """Points, centres and weights; the weights are positive, so that relative errors mean something."""
    return rng.standard_normal((n, d)), rng.standard_normal((m, d)), rng.uniform(0.5, 1.5, m)


def reference(points, centres, weights):
    """The plain way, in float64."""
    squared = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(2)
    return np.exp(-squared) @ weights


def timed(function, *arguments):
    """What a function returns, and the seconds that it took."""
    started = time.perf_counter()
    answer = function(*arguments)
    return answer, time.perf_counter() - started


def compared(answer, expected):
    """What is wrong with an answer (or nothing), and its largest relative error."""
    if not isinstance(answer, np.ndarray) or answer.dtype.kind != "f" or answer.shape != expected.shape:
        return f"gaussian_sums() must return a float array of shape {expected.shape}", math.inf
    error = float(np.max(np.abs(answer - expected) / expected))
    if not error <= ALLOWED_ERROR:
        return f"the largest relative error is {error:.3g}, allowed is {ALLOWED_ERROR:g}", error
    return "", error


def on_odd_shapes(candidate, rng):
    """A kernel must not be made for one size only."""
    inputs = drawn(rng, 37, 11, 3)
    return compared(candidate.call("gaussian_sums", *inputs), reference(*inputs))


def operations_of(files):
    """Calls, arithmetic and comparisons in the kernel: its text is read here, never run."""
    text = files["seed.py"].split("# EVOLVE-BLOCK-START")[1].split("# EVOLVE-BLOCK-END")[0]
    counted = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.BoolOp, ast.IfExp)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(text)))
