# EVOLVE-BLOCK-START
"""Place eight circles in the unit square; the larger their radii together, the better."""

import numpy as np


def place():
    rows, columns = 3, 3
    centers = []
    for row in range(rows):
        for column in range(columns):
            centers.append(((column + 0.5) / columns, (row + 0.5) / rows))
    return np.array(centers[:8])


# EVOLVE-BLOCK-END


def radii_for(centers):
    radii = np.minimum(centers, 1.0 - centers).min(axis=1)
    for i in range(len(centers)):
        for j in range(i):
            distance = float(np.hypot(*(centers[i] - centers[j])))
            if radii[i] + radii[j] > distance:
                radii[[i, j]] *= distance / (radii[i] + radii[j])
    return radii


def run_packing():
    centers = np.clip(place(), 0.0, 1.0)
    radii = radii_for(centers)
    return centers, radii
