"""26 circles in the unit square: let them grow while overlaps push them apart, then move a few and try again."""

import numpy as np

N_CIRCLES = 26

# EVOLVE-BLOCK-START


def start(rng):
    """Centres in the middle of the square, all circles small."""
    centres = rng.uniform(0.25, 0.75, (N_CIRCLES, 2))
    radii = np.full(N_CIRCLES, 0.01)
    return centres, radii


def relax(centres, radii, growth):
    """Grow all circles; an overlap pushes two circles apart and makes both smaller."""
    rate = 0.05
    cooling = 0.95
    far = 9.0 * np.eye(N_CIRCLES)
    for _ in range(30):
        offset = centres[:, None] - centres[None]
        distance = np.sqrt((offset**2).sum(2)) + far + 1e-12
        overlap = np.maximum(radii[:, None] + radii[None] - distance, 0.0)
        left = np.maximum(radii[:, None] - centres, 0.0)
        right = np.maximum(centres + radii[:, None] - 1.0, 0.0)
        push = (offset * (overlap / distance)[:, :, None]).sum(1) + left - right
        centres = centres + rate * push
        radii = radii + rate * (growth - overlap.sum(1) - left.sum(1) - right.sum(1))
        growth = growth * cooling
    return centres, radii


def settle(centres, radii):
    """Make the circles disjoint: shrink what overlaps, then let each grow to its nearest neighbour."""
    centres = np.clip(centres, 0.0, 1.0)
    room = np.minimum(centres, 1.0 - centres).min(1)
    radii = np.clip(radii, 1e-9, np.maximum(room, 1e-9))
    distance = np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(2)) + 9.0 * np.eye(N_CIRCLES)
    radii = radii * np.minimum(1.0, (distance / (radii[:, None] + radii[None])).min(1))
    for i in np.argsort(-radii):
        gap = distance[i] - radii
        gap[i] = room[i]
        radii[i] = max(min(gap.min(), room[i]), 0.0)
    return centres, radii


def search():
    """The best of a start and a few moves from it."""
    rng = np.random.default_rng(1)
    centres, radii = settle(*relax(*start(rng), 0.05))
    for _ in range(2):
        moved = centres + rng.normal(0.0, 0.01, centres.shape)
        n_jumps = 1
        smallest = np.argsort(radii)[:n_jumps]
        moved[smallest] = rng.uniform(0.0, 1.0, (n_jumps, 2))
        trial, trial_radii = settle(*relax(moved, 0.9 * radii, 0.02))
        if trial_radii.sum() > radii.sum():
            centres, radii = trial, trial_radii
    return centres, radii


# EVOLVE-BLOCK-END


def pack():
    """26 rows of x, y and radius."""
    centres, radii = search()
    return np.column_stack([centres, radii])
