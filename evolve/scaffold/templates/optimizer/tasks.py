"""Tiny training problems. A task is its data, a start, a loss, and gradients whose noise depends on the step."""

from functools import cache

import numpy as np

N_SEEDS = 2
N_STEPS = 50


class Quadratic:
    """A bowl whose curvatures span several decades."""

    def __init__(self, name, rng, size, decades, noise):
        self.name = name
        self.curvature = 10.0 ** rng.permutation(np.linspace(-decades, 0.0, size))
        self.target = rng.standard_normal(size)
        self.start = self.target + rng.standard_normal(size)
        self.noise = noise * rng.standard_normal((N_STEPS + 1, size))

    def loss(self, parameter):
        return 0.5 * float((self.curvature * (parameter - self.target) ** 2).sum())

    def gradient(self, parameter, step):
        return self.curvature * (parameter - self.target) + self.noise[step]


class Valley:
    """A curved valley: the chained Rosenbrock function, scaled down."""

    def __init__(self, name, rng, size):
        self.name = name
        self.start = 0.3 * rng.standard_normal(size)

    def loss(self, parameter):
        head, tail = parameter[:-1], parameter[1:]
        return float((5.0 * (tail - head**2) ** 2 + (1.0 - head) ** 2).sum())

    def gradient(self, parameter, step):  # no noise: the same for every step
        del step
        head, tail = parameter[:-1], parameter[1:]
        bend = np.clip(tail - head**2, -1e6, 1e6)
        total = np.zeros_like(parameter)
        total[1:] += 10.0 * bend
        total[:-1] += -20.0 * head * bend - 2.0 * (1.0 - head)
        return total


class Network:
    """A small network with one hidden layer of tanh, fitted to a wave; each step sees 16 of 64 points."""

    def __init__(self, name, rng, hidden, waves):
        self.name, self.hidden = name, hidden
        self.batches = batches(rng, 64)
        self.x = rng.uniform(-1.0, 1.0, 64)
        self.y = np.sin(waves * self.x)
        self.start = rng.standard_normal(3 * hidden + 1) * np.repeat([1.0, 1.0, hidden**-0.5, 0.0], [hidden] * 3 + [1])

    def _forward(self, parameter, x):
        into, shift, out = parameter[:-1].reshape(3, self.hidden)
        active = np.tanh(np.outer(x, into) + shift)
        return active, active @ out + parameter[-1]

    def loss(self, parameter):
        return float(((self._forward(parameter, self.x)[1] - self.y) ** 2).mean())

    def gradient(self, parameter, step):
        chosen = self.batches[step]
        x = self.x[chosen]
        active, guess = self._forward(parameter, x)
        error = 2.0 * (guess - self.y[chosen]) / len(x)
        inner = np.outer(error, parameter[2 * self.hidden : 3 * self.hidden]) * (1.0 - active**2)
        return np.concatenate([x @ inner, inner.sum(0), error @ active, [error.sum()]])


class Classifier:
    """Logistic regression on two overlapping clouds whose features have unequal scales; batches of 16 of 128."""

    def __init__(self, name, rng, size):
        self.name = name
        self.batches = batches(rng, 128)
        scale = 10.0 ** rng.uniform(-1.0, 1.0, size)
        self.label = rng.integers(0, 2, 128) * 2.0 - 1.0
        self.x = (rng.standard_normal((128, size)) + 2.0 * size**-0.5 * self.label[:, None]) * scale
        self.start = np.zeros(size)

    def loss(self, parameter):
        return float(np.logaddexp(0.0, -self.label * (self.x @ parameter)).mean())

    def gradient(self, parameter, step):
        chosen = self.batches[step]
        margin = self.label[chosen] * (self.x[chosen] @ parameter)
        weight = -self.label[chosen] * 0.5 * (1.0 - np.tanh(0.5 * margin))
        return weight @ self.x[chosen] / len(chosen)


def batches(rng, n):
    """Which 16 of n examples each step sees."""
    return [rng.choice(n, 16, replace=False) for _ in range(N_STEPS + 1)]


@cache
def training(rng_seed):
    """The tasks of the search, each with several seeds."""
    made = []
    for number in range(N_SEEDS):
        rng = np.random.default_rng([rng_seed, number])
        made += [
            Quadratic("bowl", rng, size=20, decades=2.0, noise=0.02),
            Valley("valley", rng, size=6),
            Network("network", rng, hidden=8, waves=4.0),
            Classifier("classifier", rng, size=10),
        ]
    return tuple(made)


@cache
def held_out(rng_seed):
    """Tasks for verification: larger, steeper, other waves."""
    made = []
    for number in range(2 * N_SEEDS):
        rng = np.random.default_rng([rng_seed, number])
        made += [
            Quadratic("steep_bowl", rng, size=40, decades=3.0, noise=0.01),
            Valley("long_valley", rng, size=10),
            Network("wide_network", rng, hidden=16, waves=6.0),
            Classifier("large_classifier", rng, size=30),
        ]
    return tuple(made)
