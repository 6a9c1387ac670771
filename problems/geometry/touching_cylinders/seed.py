"""Lines at nearly equal distances: Newton's method for distances of 2, from random lines."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(n):
    """The best of rulings of a hyperboloid and of what some random lines become."""
    rng = np.random.default_rng(2)
    return min([rulings(n), *(solved(unit(rng.normal(size=(n, 6)))) for _ in range(25))], key=worth)


def rulings(n):
    """Lines around an axis, each turned by nearly the same angle against it."""
    angle = 2.0 * np.pi * np.arange(n) / n + 0.3 * np.sin(3.0 * np.arange(n))
    points = np.column_stack([2.0 * np.cos(angle), 2.0 * np.sin(angle), np.zeros(n)])
    directions = np.column_stack([-np.sin(angle), np.cos(angle), 1.0 + 0.5 * np.arange(n) / n])
    return unit(np.hstack([points, directions]))


def worth(lines):
    """The spread of the distances, and much more where two lines are nearly parallel."""
    cosines = np.abs(lines[:, 3:] @ lines[:, 3:].T) - np.eye(len(lines))
    return np.ptp(linearised(lines)[0]) + 1000.0 * max(0.0, cosines.max() - 0.989)


def solved(lines):
    """Damped steps of least squares towards the distance 2 of all pairs."""
    damping = 1.0
    error, slopes = linearised(lines)
    for _ in range(200):
        matrix = slopes.T @ slopes + damping * np.eye(lines.size)
        moved = unit(lines - np.linalg.solve(matrix, slopes.T @ error).reshape(lines.shape))
        found = linearised(moved)
        if found[0] @ found[0] < error @ error:
            lines, damping = moved, damping / 3.0
            error, slopes = found
        else:
            damping *= 2.0
        if error @ error < 1e-26:
            break
    return lines


def unit(lines):
    """Directions of length 1, and points near the origin."""
    points, directions = lines[:, :3], lines[:, 3:] / np.linalg.norm(lines[:, 3:], axis=1)[:, None]
    return np.hstack([points - directions * (points * directions).sum(1)[:, None], directions])


def linearised(lines):
    """How far the distances are from 2, and the slopes of that in all coordinates."""
    i, j = np.triu_indices(len(lines), 1)
    apart, u, v = lines[i, :3] - lines[j, :3], lines[i, 3:], lines[j, 3:]
    normal = np.cross(u, v)
    size = np.linalg.norm(normal, axis=1)
    volume = (apart * normal).sum(1)
    sign = np.where(volume < 0, -1.0, 1.0)[:, None] / size[:, None]
    shrink = np.abs(volume)[:, None] / size[:, None] ** 3
    slopes = np.zeros((len(i), len(lines), 6))
    pair = np.arange(len(i))
    slopes[pair, i, :3], slopes[pair, j, :3] = sign * normal, -sign * normal
    slopes[pair, i, 3:] = sign * np.cross(v, apart) - shrink * np.cross(v, normal)
    slopes[pair, j, 3:] = sign * np.cross(apart, u) - shrink * np.cross(normal, u)
    return np.abs(volume) / size - 2.0, slopes.reshape(len(i), -1)


# EVOLVE-BLOCK-END
