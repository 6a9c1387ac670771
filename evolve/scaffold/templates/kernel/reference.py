"""What kernels are compared with: the plain way."""

import numpy as np


def gaussian_sums(points, centres, weights, out):
    squared = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(2)
    np.matmul(np.exp(-squared), weights, out=out)
