"""A correct kernel that is slow on purpose: it goes through the points two at a time."""

import numpy as np

# EVOLVE-BLOCK-START

BLOCK = 2  # choices: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
SQUARED = "direct"  # choices: ["direct", "expanded"]


def squared_distances(points, centres):
    """From each point to each centre."""
    if SQUARED == "direct":
        return np.sum((points[:, None, :] - centres[None, :, :]) ** 2, axis=2)
    # One matrix product does most of the work, and loses a digit or two.
    return np.sum(points**2, axis=1)[:, None] - 2.0 * points @ centres.T + np.sum(centres**2, axis=1)


def gaussian_sums(points, centres, weights, out):
    """Writes into out, for each point, the sum over the centres of weight * exp(-squared distance)."""
    for start in range(0, len(points), BLOCK):
        squared = squared_distances(points[start : start + BLOCK], centres)
        np.matmul(np.exp(-squared), weights, out=out[start : start + BLOCK])


# EVOLVE-BLOCK-END
