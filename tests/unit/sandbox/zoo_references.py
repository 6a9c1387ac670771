"""Update rules element by element as their publications write them, in plain numpy, for comparison with the zoo.

A reference takes one parameter's weights, its gradient, what it kept so far (empty at first) and the moment, and
returns the new weights. Nothing here knows our language.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
"""An array of numpy, which knows its numbers better than their types."""
Kept = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What else a rule may see in step `t` (from 1): learning rate, loss, Hessian diagonal, the parameter's role."""

    t: int
    lr: float
    loss: float
    hessian: Array
    role: str


Reference = Callable[[Array, Array, Kept, Moment], Array]


def adam_moments(g: Array, kept: Kept, t: int, beta1: float, beta2: float) -> tuple[Array, Array]:
    """The bias-corrected first and second moment of Adam."""
    kept["m"] = beta1 * kept.get("m", 0.0) + (1 - beta1) * g
    kept["v"] = beta2 * kept.get("v", 0.0) + (1 - beta2) * g * g
    return kept["m"] / (1 - beta1**t), kept["v"] / (1 - beta2**t)


def sign_sgd(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    return w - at.lr * np.sign(g)


def signum(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    kept["m"] = 0.9 * kept.get("m", 0.0) + 0.1 * g
    return w - at.lr * np.sign(kept["m"])


def lion(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m = kept.get("m", np.zeros_like(g))
    c = 0.9 * m + 0.1 * g
    kept["m"] = 0.99 * m + 0.01 * g
    return w - at.lr * np.sign(c)


def cautious_lion(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m = kept.get("m", np.zeros_like(g))
    u = np.sign(0.9 * m + 0.1 * g)
    kept["m"] = 0.99 * m + 0.01 * g
    mask = (u * g > 0).astype(float)
    return w - at.lr * u * mask / max(mask.mean(), 1e-3)


def nadamw(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m = 0.9 * kept.get("m", 0.0) + 0.1 * g
    v = 0.999 * kept.get("v", 0.0) + 0.001 * g**2
    kept.update(m=m, v=v)
    numerator = 0.9 * m / (1 - 0.9 ** (at.t + 1)) + 0.1 * g / (1 - 0.9**at.t)
    return w - at.lr * numerator / (np.sqrt(v / (1 - 0.999**at.t)) + 1e-8)


def adabelief(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m = 0.9 * kept.get("m", 0.0) + 0.1 * g
    s = 0.999 * kept.get("s", 0.0) + 0.001 * (g - m) ** 2 + 1e-12
    kept.update(m=m, s=s)
    m_hat, s_hat = m / (1 - 0.9**at.t), s / (1 - 0.999**at.t)
    return w - at.lr * m_hat / (np.sqrt(s_hat) + 1e-12)


def adabound(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    adam_moments(g, kept, at.t, 0.9, 0.999)
    size = at.lr * np.sqrt(1 - 0.999**at.t) / (1 - 0.9**at.t)
    low, high = 0.1 * (1 - 1 / (0.001 * at.t + 1)), 0.1 * (1 + 1 / (0.001 * at.t))
    return w - np.clip(size / (np.sqrt(kept["v"]) + 1e-8), low, high) * kept["m"]


def diffgrad(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m_hat, v_hat = adam_moments(g, kept, at.t, 0.9, 0.999)
    friction = 1 / (1 + np.exp(-np.abs(kept.get("previous", 0.0) - g)))
    kept["previous"] = g
    return w - at.lr * friction * m_hat / (np.sqrt(v_hat) + 1e-8)


def yogi(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    v = kept.get("v", np.zeros_like(g))
    kept["m"] = 0.9 * kept.get("m", 0.0) + 0.1 * g
    kept["v"] = v - 0.001 * np.sign(v - g**2) * g**2
    return w - at.lr * kept["m"] / (np.sqrt(kept["v"]) + 1e-3)


def kate(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    b_squared = kept.get("b", 0.0) + g**2
    m_squared = kept.get("m", 0.0) + 0.9 * g**2 + g**2 / (b_squared + 1e-8)
    kept.update(b=b_squared, m=m_squared)
    return w - at.lr * np.sqrt(m_squared) * g / (b_squared + 1e-8)


def adopt(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    if at.t == 1:
        kept.update(v=g**2, m=np.zeros_like(g))
        return w
    kept["m"] = 0.9 * kept["m"] + 0.1 * g / np.maximum(np.sqrt(kept["v"]), 1e-6)
    kept["v"] = 0.9999 * kept["v"] + 0.0001 * g**2
    return w - at.lr * kept["m"]


def ademamix(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m_hat, v_hat = adam_moments(g, kept, at.t, 0.9, 0.999)
    kept["slow"] = 0.9999 * kept.get("slow", 0.0) + 0.0001 * g
    return w - at.lr * (m_hat + 8 * kept["slow"]) / (np.sqrt(v_hat) + 1e-8)


def exadam(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m_hat, v_hat = adam_moments(g, kept, at.t, 0.9, 0.999)
    m, v = kept["m"], kept["v"]
    d1 = 1 + v / (v + 1e-8) * 0.999**at.t
    d2 = 1 + m**2 / (m**2 + 1e-8) * 0.9**at.t
    g_tilde = g / (1 - 0.9**at.t) * d1
    return w - at.lr * (m_hat * d1 + g_tilde) / (np.sqrt(v_hat * d2) + 1e-8)


def adan(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    difference = g - kept.get("previous", g)
    kept["m"] = 0.98 * kept.get("m", 0.0) + 0.02 * g
    kept["v"] = 0.92 * kept.get("v", 0.0) + 0.08 * difference
    kept["n"] = 0.99 * kept.get("n", 0.0) + 0.01 * (g + 0.92 * difference) ** 2
    kept["previous"] = g
    m_hat, v_hat = kept["m"] / (1 - 0.98**at.t), kept["v"] / (1 - 0.92**at.t)
    return w - at.lr * (m_hat + 0.92 * v_hat) / (np.sqrt(kept["n"] / (1 - 0.99**at.t)) + 1e-8)


def _mars_gradient(g: Array, kept: Kept) -> Array:
    c = g + 0.025 * (0.95 / 0.05) * (g - kept.get("previous", g))
    kept["previous"] = g
    length = np.linalg.norm(c)
    return c / length if length > 1 else c


def mars(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m_hat, v_hat = adam_moments(_mars_gradient(g, kept), kept, at.t, 0.95, 0.99)
    return w - at.lr * m_hat / (np.sqrt(v_hat) + 1e-8)


def mars_lion(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    kept["m"] = 0.95 * kept.get("m", 0.0) + 0.05 * _mars_gradient(g, kept)
    return w - at.lr * np.sign(kept["m"])


def cautious_adamw(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m_hat, v_hat = adam_moments(g, kept, at.t, 0.9, 0.999)
    u = m_hat / (np.sqrt(v_hat) + 1e-8)
    mask = (u * g > 0).astype(float)
    return w - at.lr * u * mask / max(mask.mean(), 1e-3)


def grams(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m_hat, v_hat = adam_moments(g, kept, at.t, 0.9, 0.999)
    return w - at.lr * np.sign(g) * np.abs(m_hat / (np.sqrt(v_hat) + 1e-8))


def sophia(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    kept["m"] = 0.965 * kept.get("m", 0.0) + 0.035 * g
    kept["h"] = 0.99 * kept.get("h", 0.0) + 0.01 * at.hessian
    return w - at.lr * np.clip(kept["m"] / np.maximum(0.01 * kept["h"], 1e-12), -1, 1)


def adahessian(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    kept["m"] = 0.9 * kept.get("m", 0.0) + 0.1 * g
    kept["v"] = 0.999 * kept.get("v", 0.0) + 0.001 * at.hessian**2
    m_hat, v_hat = kept["m"] / (1 - 0.9**at.t), kept["v"] / (1 - 0.999**at.t)
    return w - at.lr * m_hat / (np.sqrt(v_hat) + 1e-4)


ELEMENTWISE: dict[str, Reference] = {
    each.__name__: each
    for each in (
        *(sign_sgd, signum, lion, cautious_lion, nadamw, adabelief, adabound, diffgrad, yogi, kate, adopt, ademamix),
        *(exadam, adan, mars, mars_lion, cautious_adamw, grams, sophia, adahessian),
    )
}
