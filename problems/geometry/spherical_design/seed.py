"""A spherical design: Newton's method on some orbits of the rotations of the cube."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(t):
    """About as many orbits of 24 points as have unknowns for all equations."""
    powers = [(a, b, c) for c in (0, 1) for b in range(t // 6 + 1) for a in range(t // 4 + 1)]
    powers = [each for each in powers if 0 < 4 * each[0] + 6 * each[1] + 9 * each[2] <= t]
    count = len(powers) // 2 + 1
    for more, turn in ((0, 0.4), (0, 1.1), (1, 0.4), (1, 1.1), (2, 0.4), (2, 1.1)):
        points = solved(count + more, turn, powers)
        if np.abs(residual(points, powers)).max() < 1e-12:
            break
    return {"group": "octahedral", "points": points, "axes": []}


def solved(count, turn, powers):
    """Newton's method from points on a spiral."""
    place = np.arange(count) + 0.5
    height = 0.9 - 0.4 * place / count
    radius = np.sqrt(1.0 - height**2)
    points = np.column_stack([radius * np.cos(turn * place), radius * np.sin(turn * place), height])
    for _ in range(40):
        base = residual(points, powers)
        slopes = [(residual(points + step, powers) - base) / 1e-7 for step in steps(count)]
        move = np.linalg.lstsq(np.array(slopes).T, -base, rcond=None)[0].reshape(count, 3)
        points = points + move * 0.1 / max(0.1, np.abs(move).max())
        points /= np.linalg.norm(points, axis=1)[:, None]
    return points


def steps(count):
    """A small step of every coordinate."""
    return 1e-7 * np.eye(3 * count).reshape(3 * count, count, 3)


def residual(points, powers):
    """How far the means of the invariant polynomials are from those over the sphere, and lengths from 1."""
    return np.append(means(points, powers) - means(sphere(), powers, weights()), (points**2).sum(1) - 1.0)


def means(points, powers, weights=None):
    """Means of products of powers of x^4 + y^4 + z^4, x^2 y^2 z^2 and the skew invariant of degree 9."""
    x, y, z = (points**2).T
    skew = points.prod(1) * (x - y) * (y - z) * (z - x)
    values = [(x**2 + y**2 + z**2) ** a * (x * y * z) ** b * skew**c for a, b, c in powers]
    return np.array([np.average(value, weights=weights) for value in values])


def sphere():
    """Nodes of an exact quadrature of the sphere, up to degree 30."""
    height, angle = np.polynomial.legendre.leggauss(16)[0], np.pi * np.arange(32) / 16.0
    radius = np.sqrt(1.0 - height**2)
    flat = [np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle)), np.outer(height, np.ones(32))]
    return np.column_stack([part.ravel() for part in flat])


def weights():
    """The weights of the nodes."""
    return np.repeat(np.polynomial.legendre.leggauss(16)[1], 32)


# EVOLVE-BLOCK-END
