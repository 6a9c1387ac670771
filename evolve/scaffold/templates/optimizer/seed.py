"""Gradient descent with momentum: the update rule that evolution starts from."""

from types import SimpleNamespace

import numpy as np

# EVOLVE-BLOCK-START


def update(xp, parameter, gradient, state, step, learning_rate):
    """The change of a parameter, and what to remember until the next step."""
    velocity = state.get("velocity", xp.zeros_like(gradient))
    velocity = 0.5 * velocity + gradient
    return -learning_rate * velocity, {"velocity": velocity}


# EVOLVE-BLOCK-END


# What a rule may use of `xp`: names that numpy and torch have with one meaning, so that every rule can be exported.
NAMES = """
sqrt exp expm1 log log1p log2 sin cos tan sinh cosh tanh arctan abs absolute sign square floor ceil maximum minimum
where clip zeros_like ones_like full_like isfinite isnan isinf sum mean max min any all logical_and logical_or
logical_not pi e inf
"""
XP = SimpleNamespace(**{name: getattr(np, name) for name in NAMES.split()})
RUNS = []


def begin(sizes, learning_rates):
    """Start many training runs; the judge calls this first."""
    RUNS[:] = [{"size": size, "rate": rate, "state": {}} for size, rate in zip(sizes, learning_rates, strict=True)]


def advance(parameters, gradients, step):
    """One step of all runs, which lie end to end in the two arrays: all changes, and what the first run remembers."""
    changes, place = [], 0
    for run in RUNS:
        here = slice(place, place + run["size"])
        place = here.stop
        change, run["state"] = update(XP, parameters[here], gradients[here], run["state"], step, run["rate"])
        changes.append(change)
    return [np.concatenate(changes), RUNS[0]["state"]]
