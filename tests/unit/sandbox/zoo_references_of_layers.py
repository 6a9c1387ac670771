"""Update rules that see a layer as a whole, or all layers at once, as their publications write them, in plain numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.unit.sandbox.zoo_references import Array, Kept, Moment, Reference, adam_moments

Global = Callable[[list[Array], list[Array], Kept, Moment], list[Array]]


def normalised_momentum(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    kept["m"] = 0.9 * kept.get("m", 0.0) + 0.1 * g
    return w - at.lr * kept["m"] / np.sqrt(np.mean(kept["m"] ** 2))


def lars(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    local = 0.001 * np.linalg.norm(w) / (np.linalg.norm(g) + 0.0001 * np.linalg.norm(w))
    kept["m"] = 0.9 * kept.get("m", 0.0) + local * (g + 0.0001 * w)
    return w - at.lr * kept["m"]


def novograd(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    size = float(np.sum(g**2))
    kept["v"] = 0.98 * kept["v"] + 0.02 * size if at.t > 1 else size
    kept["m"] = 0.95 * kept.get("m", 0.0) + g / (np.sqrt(kept["v"]) + 1e-8)
    return w - at.lr * kept["m"]


def lamb(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    m_hat, v_hat = adam_moments(g, kept, at.t, 0.9, 0.999)
    r = m_hat / (np.sqrt(v_hat) + 1e-6) + 0.01 * w
    trust = np.linalg.norm(w) / np.linalg.norm(r) if np.any(w) and np.any(r) else 1.0
    return w - at.lr * trust * r


def adafactor(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    beta = 1 - at.t**-0.8
    squares = g**2 + 1e-30
    if g.ndim == 2:
        kept["rows"] = beta * kept.get("rows", 0.0) + (1 - beta) * squares.mean(axis=1)
        kept["columns"] = beta * kept.get("columns", 0.0) + (1 - beta) * squares.mean(axis=0)
        v = np.outer(kept["rows"], kept["columns"]) / kept["rows"].mean()
    else:
        v = kept["v"] = beta * kept.get("v", 0.0) + (1 - beta) * squares
    u = g / np.sqrt(v)
    return w - at.lr * u / max(1.0, np.sqrt(np.mean(u**2)))


def gravity(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    beta = (0.9 * at.t + 1) / (at.t + 2)
    m = 1 / np.max(np.abs(g))
    zeta = g / (1 + (g / m) ** 2)
    kept["velocity"] = beta * kept.get("velocity", 0.0) + (1 - beta) * zeta
    return w - at.lr * kept["velocity"]


def newton_schulz(x: Array) -> Array:
    """Five steps of the quintic iteration of Jordan and others 2024, on the wide side."""
    x = x / (np.linalg.norm(x) + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if tall else x


def _orthogonal(x: Array) -> Array:
    if x.ndim < 2:
        return x / np.sqrt(np.mean(x**2))
    return newton_schulz(x) * np.sqrt(max(x.shape))


def muon(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    if at.role != "hidden":
        m_hat, v_hat = adam_moments(g, kept, at.t, 0.9, 0.999)
        return w - at.lr * m_hat / (np.sqrt(v_hat) + 1e-8)
    kept["m"] = 0.95 * kept.get("m", 0.0) + 0.05 * g
    return w - at.lr * 0.2 * np.sqrt(max(w.shape)) * newton_schulz(0.95 * kept["m"] + 0.05 * g)


def muon_everywhere(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    kept["m"] = 0.95 * kept.get("m", 0.0) + 0.05 * g
    return w - at.lr * _orthogonal(0.95 * kept["m"] + 0.05 * g)


def adago(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    kept["m"] = 0.95 * kept.get("m", 0.0) + 0.05 * g
    size = min(float(np.linalg.norm(g)), 1.0)
    kept["v"] = np.sqrt(kept.get("v", 0.0) ** 2 + size**2)
    return w - max(1e-5, at.lr * size / kept["v"]) * _orthogonal(kept["m"])


def _inverse_fourth_root(gram: Array) -> Array:
    """With a ridge of a millionth of the largest eigenvalue."""
    values, vectors = np.linalg.eigh(gram)
    ridge = 1e-6 * values[-1]
    return vectors @ np.diag((np.maximum(values, 0.0) + ridge) ** -0.25) @ vectors.T


def _between_roots(x: Array, g: Array, kept: Kept, t: int, old: float, new: float) -> Array:
    """x between the inverse fourth roots of sums of g gᵀ and gᵀ g, which are refreshed every ten steps."""
    for side, gram in (("left", g @ g.T), ("right", g.T @ g)):
        kept[side] = old * kept.get(side, 0.0) + new * gram
        if t % 10 == 1:
            kept[f"{side} root"] = _inverse_fourth_root(kept[side])
    return kept["left root"] @ x @ kept["right root"]


def shampoo(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    return w - at.lr * (_between_roots(g, g, kept, at.t, 1.0, 1.0) if g.ndim > 1 else g)


def shampoo_grafted(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    _, v_hat = adam_moments(g, kept, at.t, 0.9, 0.99)
    direction = _between_roots(kept["m"], g, kept, at.t, 0.99, 0.01) if g.ndim > 1 else kept["m"]
    length = np.linalg.norm(g / (np.sqrt(v_hat) + 1e-8))
    return w - at.lr * direction / np.linalg.norm(direction) * length


def soap(w: Array, g: Array, kept: Kept, at: Moment) -> Array:
    if g.ndim < 2:
        m_hat, v_hat = adam_moments(g, kept, at.t, 0.95, 0.95)
        return w - at.lr * m_hat / (np.sqrt(v_hat) + 1e-8)
    for side, gram in (("left", g @ g.T), ("right", g.T @ g)):
        kept[side] = 0.95 * kept.get(side, 0.0) + 0.05 * gram
        if at.t == 1:
            kept[f"{side} basis"] = np.linalg.eigh(kept[side])[1][:, ::-1]
        elif at.t % 10 == 1:
            kept[f"{side} basis"] = np.linalg.qr(kept[side] @ kept[f"{side} basis"])[0]
    left, right = kept["left basis"], kept["right basis"]
    kept["m"] = 0.95 * kept.get("m", 0.0) + 0.05 * g
    kept["v"] = 0.95 * kept.get("v", 0.0) + 0.05 * (left.T @ g @ right) ** 2
    m_hat, v_hat = kept["m"] / (1 - 0.95**at.t), kept["v"] / (1 - 0.95**at.t)
    turned = (left.T @ m_hat @ right) / (np.sqrt(v_hat) + 1e-8)
    return w - at.lr * left @ turned @ right.T


def _joined(parts: list[Array]) -> Array:
    return np.concatenate([part.ravel() for part in parts])


def momo(ws: list[Array], gs: list[Array], kept: Kept, at: Moment) -> list[Array]:
    x, g = _joined(ws), _joined(gs)
    d = kept["d"] = 0.9 * kept.get("d", 0.0) + 0.1 * g
    f = kept["f"] = 0.9 * kept.get("f", 0.0) + 0.1 * at.loss
    gamma = kept["gamma"] = 0.9 * kept.get("gamma", 0.0) + 0.1 * (g @ x)
    rate = min(at.lr / (1 - 0.9**at.t), max(f + d @ x - gamma, 0.0) / (d @ d))
    return _moved(ws, -rate * d)


def momo_adam(ws: list[Array], gs: list[Array], kept: Kept, at: Moment) -> list[Array]:
    x, g = _joined(ws), _joined(gs)
    _, v_hat = adam_moments(g, kept, at.t, 0.9, 0.999)
    d, scale = kept["m"], np.sqrt(v_hat) + 1e-8
    f = kept["f"] = 0.9 * kept.get("f", 0.0) + 0.1 * at.loss
    gamma = kept["gamma"] = 0.9 * kept.get("gamma", 0.0) + 0.1 * (g @ x)
    rate = min(at.lr / (1 - 0.9**at.t), max(f + d @ x - gamma, 0.0) / np.sum(d**2 / scale))
    return _moved(ws, -rate * d / scale)


def sania(ws: list[Array], gs: list[Array], kept: Kept, at: Moment) -> list[Array]:
    m_hat, v_hat = adam_moments(_joined(gs), kept, at.t, 0.9, 0.999)
    b = v_hat + 1e-12
    squared = np.sum(m_hat**2 / b)
    rate = 1 - np.sqrt(1 - 2 * at.loss / squared) if 2 * at.loss <= squared else 1.0
    return _moved(ws, -at.lr * rate * m_hat / b)


def _moved(ws: list[Array], change: Array) -> list[Array]:
    ends = np.cumsum([w.size for w in ws])[:-1]
    parts: Any = np.split(change, ends)
    return [w + part.reshape(w.shape) for w, part in zip(ws, parts, strict=True)]


LAYERWISE: dict[str, Reference] = {
    each.__name__: each
    for each in (
        *(
            normalised_momentum,
            lars,
            novograd,
            lamb,
            adafactor,
            gravity,
            muon,
            muon_everywhere,
            adago,
            shampoo,
            shampoo_grafted,
            soap,
        ),
    )
}
GLOBAL: dict[str, Global] = {each.__name__: each for each in (momo, momo_adam, sania)}
