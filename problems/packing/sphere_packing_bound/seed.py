"""Double roots of a function and of its Fourier transform."""

import numpy as np

# EVOLVE-BLOCK-START


def construct(d, n):
    """Two roots and two of the transform, evenly spaced from about where the first sphere's radius may be."""
    step = 4.0 * np.pi
    return {"roots": step * np.array([2.0, 3.0]), "transform_roots": step * np.array([1.0, 2.0])}


# EVOLVE-BLOCK-END
