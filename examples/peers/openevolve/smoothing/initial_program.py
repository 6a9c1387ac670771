import numpy as np


# EVOLVE-BLOCK-START
def smooth(values, width=5):
    kernel = np.ones(width) / width
    return np.convolve(values, kernel, mode="same")


# EVOLVE-BLOCK-END
