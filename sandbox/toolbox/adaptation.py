"""Evolution strategy with covariance matrix adaptation, for values without derivatives."""

import math
from collections.abc import Callable

import numpy as np

from sandbox.toolbox.linear import FloatArray


def adapted(
    worth: Callable[[FloatArray], float], x: FloatArray, size: float, rounds: int, rng: np.random.Generator
) -> FloatArray:
    """The best vector that so many rounds of samples find (Hansen 2016, https://arxiv.org/abs/1604.00772).

    Args:
        worth: higher is better; minus infinity for vectors that are none.
        x: the mean of the first samples.
        size: their standard deviation.
        rounds: how many times samples are drawn.
        rng: the source of randomness.
    """
    n = len(x)
    n_samples = 4 + int(3 * math.log(n))
    n_parents = n_samples // 2
    weights = math.log(n_samples / 2 + 0.5) - np.log(np.arange(1, n_parents + 1))
    weights /= weights.sum()
    mass = 1.0 / (weights**2).sum()
    c_path, c_size = (4 + mass / n) / (n + 4 + 2 * mass / n), (mass + 2) / (n + mass + 5)
    c_one = 2 / ((n + 1.3) ** 2 + mass)
    c_many = min(1 - c_one, 2 * (mass - 2 + 1 / mass) / ((n + 2) ** 2 + mass))
    damping = 1 + 2 * max(0.0, math.sqrt((mass - 1) / (n + 1)) - 1) + c_size
    usual = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))
    mean, path, size_path, covariance = x.copy(), np.zeros(n), np.zeros(n), np.eye(n)
    best, best_worth = x, worth(x)
    for count in range(rounds):
        spread, axes = np.linalg.eigh(covariance)
        spread = np.sqrt(np.maximum(spread, 1e-30))
        steps = (rng.normal(size=(n_samples, n)) * spread) @ axes.T
        values = np.array([worth(mean + size * each) for each in steps])
        order = np.argsort(-values, kind="stable")[:n_parents]
        if values[order[0]] > best_worth:
            best, best_worth = mean + size * steps[order[0]], float(values[order[0]])
        chosen = steps[order]
        move = weights @ chosen
        mean = mean + size * move
        whitened = axes @ ((axes.T @ move) / spread)
        size_path = (1 - c_size) * size_path + math.sqrt(c_size * (2 - c_size) * mass) * whitened
        length = float(np.linalg.norm(size_path))
        is_short = length / math.sqrt(1 - (1 - c_size) ** (2 * (count + 1))) < (1.4 + 2 / (n + 1)) * usual
        path = (1 - c_path) * path + is_short * math.sqrt(c_path * (2 - c_path) * mass) * move
        covariance = (
            (1 - c_one - c_many + (not is_short) * c_one * c_path * (2 - c_path)) * covariance
            + c_one * np.outer(path, path)
            + c_many * (chosen.T * weights) @ chosen
        )
        size *= math.exp(min(1.0, (c_size / damping) * (length / usual - 1)))
        if not math.isfinite(size) or size * spread.max() < 1e-17:
            break
    return best
