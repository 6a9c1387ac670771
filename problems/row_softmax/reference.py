"""What candidates are compared with: numpy, in place, a million numbers at a time."""

import numpy as np

BLOCK = 1 << 20  # numbers: the whole of a timed input


def softmax(x, out):
    """Writes the softmax of each row of x into out."""
    n_rows = max(1, BLOCK // max(1, x.shape[1]))
    for start in range(0, len(x), n_rows):
        part, result = x[start : start + n_rows], out[start : start + n_rows]
        largest = part.max(axis=1, keepdims=True)
        largest[largest == -np.inf] = 0
        np.subtract(part, largest, out=result)
        np.exp(result, out=result)
        total = result.sum(axis=1, keepdims=True)
        total[total == 0] = 1
        result *= 1 / total
