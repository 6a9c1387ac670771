import numpy as np


# EVOLVE-BLOCK-START
def features(x):
    return np.column_stack([np.ones_like(x), x])


# EVOLVE-BLOCK-END
