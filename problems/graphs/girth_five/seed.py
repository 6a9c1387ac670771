"""A graph without triangles and four-cycles: a strategy over steps of the toolbox `short_cycle_free`."""

import numpy as np
from toolbox.base import found_by
from toolbox.graphs import ShortCycleFree, repaired

WORK = 400  # units of about ten milliseconds

# EVOLVE-BLOCK-START


def strategy(t):
    """Tabu search over flips of edges: from a structured graph, and with vertices that lost all of their edges."""
    x = t.greedy()
    y = t.plane(order=7)
    x = t.better(x, y)
    x = t.inherit(x)
    while True:
        y = t.descend(above=2, rounds=8, flips=3000)
        x = t.accept(x, y, temperature=0.0)
        for _ in range(10):
            y = t.isolate(x, count=2)
            y = t.tabu(y, flips=3000, memory=4)
            x = t.accept(x, y, temperature=0.001)
            y = t.isolate(x, count=6)
            y = t.tabu(y, flips=3000, memory=4)
            x = t.accept(x, y, temperature=0.001)
            y = t.drop(x, share=0.05)
            y = t.tabu(y, flips=3000, memory=3)
            x = t.accept(x, y, temperature=0.0)


# EVOLVE-BLOCK-END


def construct(n, best=None, seed=1):
    """What the strategy finds; `best` is the best construction of the run so far, or None."""
    graphs = ShortCycleFree(n, work=WORK, seed=seed, warm=None if best is None else adjacency(best, n))
    return np.argwhere(np.triu(repaired(found_by(strategy, graphs)))).tolist()


def adjacency(edges, n):
    """The toolbox's object: the adjacency matrix."""
    graph = np.zeros((n, n), np.int8)
    for a, b in edges:
        graph[a, b] = graph[b, a] = 1
    return graph
