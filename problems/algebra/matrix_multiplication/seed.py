"""Matrix multiplication with few products: a strategy over steps of the toolbox `matrix_product`."""

import numpy as np
from toolbox.base import found_by
from toolbox.tensors import MatrixProduct

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Walks in the flip graph from the definition, each from the lowest rank so far."""
    x = t.standard()
    x = t.inherit(x)
    while True:
        y = t.flip(x, flips=1000000, idle=20000, above=2)
        x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, m, p, ring, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    product = MatrixProduct(n, m, p, work=WORK, seed=seed, warm=None if best is None else scheme(best))
    found_by(strategy, product)
    u, v, w = product.lifted()
    return {"u": u, "v": v, "w": w}


def scheme(best):
    """The toolbox's object: the factors modulo 2, as bit masks."""
    masks = [[sum((entry & 1) << bit for bit, entry in enumerate(row)) for row in best[key]] for key in "uvw"]
    return np.array(masks, np.int64).T.copy()
