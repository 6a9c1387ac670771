"""26 circles in the unit square: let them grow while overlaps push them apart, then move one and try again."""

import contextlib

import numpy as np

N_CIRCLES = 26
N_LOOKS = 600


class SpentError(Exception):
    """All looks are used up."""


class Square:
    """Tells how circles press on each other, 600 times in all, and remembers the best packing that it was shown."""

    def __init__(self):
        self.looks_left = N_LOOKS
        self.best = None
        self.best_sum = -1.0
        self.not_self = 9.0 * np.eye(N_CIRCLES)

    def look(self, centres, radii):
        """Where overlaps push each circle (26 by 2), and how deep they are in all for each circle (26)."""
        if self.looks_left == 0:
            raise SpentError
        self.looks_left -= 1
        distance = self.distances(centres)
        overlap = np.maximum(radii[:, None] + radii - distance, 0.0)
        weight = overlap / distance
        low = np.maximum(radii[:, None] - centres, 0.0)
        high = np.maximum(centres + (radii[:, None] - 1.0), 0.0)
        push = weight.sum(1)[:, None] * centres - weight @ centres + low - high
        return push, overlap.sum(1) + (low + high).sum(1)

    def show(self, centres, radii):
        """Make the circles disjoint and remember them if they are the best so far; returns their sum of radii.

        Circles that overlap shrink, then each grows to its nearest neighbour, the largest first.
        """
        centres = np.clip(centres, 0.0, 1.0)
        room = np.minimum(centres, 1.0 - centres).min(1)
        radii = np.clip(radii, 1e-9, np.maximum(room, 1e-9))
        distance = self.distances(centres)
        radii = radii * np.minimum(1.0, (distance / (radii[:, None] + radii)).min(1))
        for i in np.argsort(-radii):
            gap = distance[i] - radii
            gap[i] = room[i]
            radii[i] = max(min(gap.min(), room[i]), 0.0)
        total = float(radii.sum())
        if total > self.best_sum:
            self.best_sum = total
            self.best = np.column_stack([centres, radii])
        return total

    def distances(self, centres):
        """Distances between all centres, never zero; far from itself."""
        x, y = centres.T
        across, up = x[:, None] - x, y[:, None] - y
        return np.sqrt(across * across + up * up + 1e-24) + self.not_self


# EVOLVE-BLOCK-START


def relax(square, centres, radii, n_steps, growth):
    """Grow all circles; an overlap pushes two circles apart and makes both smaller."""
    rate = 0.05
    cooling = 0.95
    for _ in range(n_steps):
        push, depth = square.look(centres, radii)
        centres = centres + rate * push
        radii = radii + rate * (growth - depth)
        growth = growth * cooling
    return centres, radii


def search(square):
    """A start in the middle of the square and a few moves from it."""
    rng = np.random.default_rng(1)
    centres = rng.uniform(0.25, 0.75, (N_CIRCLES, 2))
    radii = np.full(N_CIRCLES, 0.01)
    centres, radii = relax(square, centres, radii, 40, 0.05)
    best_sum = square.show(centres, radii)
    for _ in range(2):
        moved = centres + rng.normal(0.0, 0.01, centres.shape)
        moved[np.argmin(radii)] = rng.uniform(0.0, 1.0, 2)
        moved, moved_radii = relax(square, moved, 0.9 * radii, 20, 0.02)
        moved_sum = square.show(moved, moved_radii)
        if moved_sum > best_sum:
            centres, radii, best_sum = moved, moved_radii, moved_sum


# EVOLVE-BLOCK-END


def pack():
    """26 rows of x, y and radius: the best packing that the search has shown before it ended."""
    square = Square()
    with contextlib.suppress(SpentError):
        search(square)
    if square.best is None:
        raise ValueError("the search has shown no packing")
    return square.best
