"""Graphs without triangles and four-cycles, with many edges: starts, moves and tabu search over edge flips.

A graph is its adjacency matrix, int8 of shape (n, n). Tabu search on s = edges - triangles - four-cycles follows
Mehrabian et al. 2023 (https://arxiv.org/abs/2311.03583), whose lemma says that the largest s is the largest number of
edges of a graph without either.
"""

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Real, Toolbox, Whole, step
from sandbox.toolbox.compiled import below, compiled, fresh_state

Adjacency = npt.NDArray[np.int8]
FLIPS_PER_WORK = 2500
"""As many flips of a graph of 40 vertices take ten milliseconds."""


class ShortCycleFree(Toolbox[Adjacency]):
    """Graphs of `n` vertices; the value is the number of edges once every short cycle has lost one."""

    def __init__(self, n: int, *, work: float, seed: int, warm: Adjacency | None = None) -> None:
        super().__init__(edges_kept, work=work, seed=seed, warm=warm)
        self.n = n

    def fitted(self, graph: Adjacency) -> Adjacency:
        """A graph of `n` vertices from one of another size: first vertices of least degree go, or new ones come."""
        graph = graph.copy()
        while len(graph) > self.n:
            graph = _without_least(graph, self.rng)
        fresh = np.zeros((self.n, self.n), np.int8)
        fresh[: len(graph), : len(graph)] = graph
        return fresh

    @step(START)
    def empty(self) -> Adjacency:
        """No edge."""
        self.spend(SMALL_WORK)
        return np.zeros((self.n, self.n), np.int8)

    @step(START)
    def greedy(self) -> Adjacency:
        """Edges in random order, each taken that closes no short cycle."""
        self.spend(0.2)
        first, second = np.triu_indices(self.n, 1)
        order = self.rng.permutation(len(first))
        graph: Adjacency = _grown(np.zeros((self.n, self.n), np.int8), first[order], second[order])
        self.show(graph)
        return graph

    @step(START)
    def circulant(self, *, jumps: Annotated[int, Whole(1, 6, 2)] = 2) -> Adjacency:
        """Vertices of a circle joined over random distances, then repaired."""
        self.spend(0.2)
        graph = np.zeros((self.n, self.n), np.int8)
        for jump in self.rng.integers(1, max(self.n // 2, 2), jumps):
            for vertex in range(self.n):
                other = (vertex + jump) % self.n
                if other != vertex:
                    graph[vertex, other] = graph[other, vertex] = 1
        return repaired(graph)

    @step(START)
    def plane(self, *, order: Annotated[int, Whole(2, 13, 7)] = 7) -> Adjacency:
        """Points (x, y) and lines y = m x + b modulo a prime, cut or padded to n vertices, then repaired.

        Points with the same x, and lines with the same slope, form cycles whose jumps differ: for 5 this is
        Robertson's picture of the graph of Hoffman and Singleton 1960 (https://doi.org/10.1147/rd.45.0497).
        """
        self.spend(0.5)
        q = max(k for k in range(2, order + 1) if all(k % d for d in range(2, k)))
        return repaired(self.fitted(pencils(q, int(self.rng.integers(2, max(q // 2, 2) + 1)))))

    @step(START)
    def climb(
        self,
        *,
        below: Annotated[int, Whole(1, 30, 6)] = 6,
        flips: Annotated[int, Whole(100, 200000, 3000)] = 3000,
    ) -> Adjacency:
        """A curriculum: a graph of fewer vertices from tabu search, then one vertex more and tabu search again."""
        graph = np.zeros((max(self.n - below, 0),) * 2, np.int8)
        while len(graph) < self.n:
            graph = self._searched(np.pad(graph, (0, 1)), flips)
        self.show(graph)
        return graph

    @step(START)
    def descend(
        self,
        *,
        above: Annotated[int, Whole(1, 12, 2)] = 2,
        rounds: Annotated[int, Whole(1, 40, 8)] = 8,
        flips: Annotated[int, Whole(100, 20000, 3000)] = 3000,
    ) -> Adjacency:
        """The other way: a graph of more vertices, from rounds of tabu search, that loses those of least degree."""
        graph = np.zeros((self.n + above,) * 2, np.int8)
        for _ in range(rounds):
            trial = graph.copy()
            for vertex in np.argsort(graph.sum(1) + self.rng.random(len(graph)))[:6]:
                trial[vertex] = trial[:, vertex] = 0
            trial = self._searched(trial, flips)
            graph = trial if trial.sum() >= graph.sum() else graph
        while len(graph) > self.n:
            graph = self._searched(_without_least(graph, self.rng), flips)
        self.show(graph)
        return graph

    def _searched(self, graph: Adjacency, flips: int) -> Adjacency:
        """A graph of any size after tabu search, never one with fewer edges."""
        self.spend(0.1 + flips / FLIPS_PER_WORK * len(graph) / 40.0)
        found = repaired(_tabu(graph, flips, 3, fresh_state(self.rng))) if len(graph) > 1 else graph
        return found if found.sum() >= graph.sum() else graph

    @step(MOVE)
    def drop(self, graph: Adjacency, *, share: Annotated[float, Real(0.01, 0.5, 0.1)] = 0.1) -> Adjacency:
        """Without some of its edges."""
        self.spend(SMALL_WORK)
        first, second = np.nonzero(np.triu(graph))
        gone = self.rng.random(len(first)) < share
        moved = graph.copy()
        moved[first[gone], second[gone]] = moved[second[gone], first[gone]] = 0
        return moved

    @step(MOVE)
    def isolate(self, graph: Adjacency, *, count: Annotated[int, Whole(1, 6, 1)] = 1) -> Adjacency:
        """Some vertices, those of small degree first, lose all of their edges."""
        self.spend(SMALL_WORK)
        order = np.argsort(graph.sum(1) + self.rng.random(self.n))
        moved = graph.copy()
        for vertex in order[: min(count, self.n)]:
            moved[vertex] = moved[:, vertex] = 0
        return moved

    @step(SOLVE)
    def tabu(
        self,
        graph: Adjacency,
        *,
        flips: Annotated[int, Whole(100, 200000, 5000)] = 5000,
        memory: Annotated[int, Whole(1, 200, 8)] = 8,
    ) -> Adjacency:
        """The best flip of an edge that was not flipped lately, again and again; `memory` says what lately means."""
        if self.n < 2:
            return graph
        self.spend(0.1 + flips / FLIPS_PER_WORK * self.n / 40.0)
        found = repaired(_tabu(np.ascontiguousarray(graph, np.int8), flips, memory, fresh_state(self.rng)))
        self.show(found)
        return found


def edges_kept(graph: Adjacency) -> float:
    """The number of edges of the graph after `repaired`."""
    return float(repaired(graph).sum()) / 2.0


def _without_least(graph: Adjacency, rng: np.random.Generator) -> Adjacency:
    """Without one vertex of least degree."""
    least = int((graph.sum(1) + rng.random(len(graph))).argmin())
    return np.ascontiguousarray(np.delete(np.delete(graph, least, 0), least, 1))


def pencils(q: int, jump: int) -> Adjacency:
    """Points and lines of a plane over a prime field without one class of parallels, each class a cycle."""
    graph = np.zeros((2 * q * q, 2 * q * q), np.int8)
    for x in range(q):
        for y in range(q):
            point, line = x * q + y, q * q + x * q + y
            graph[point, x * q + (y + 1) % q] = graph[line, q * q + x * q + (y + jump) % q] = 1
            graph[point, [q * q + m * q + (y - m * x) % q for m in range(q)]] = 1
    both = np.maximum(graph, graph.T)
    np.fill_diagonal(both, 0)
    return both


def repaired(graph: Adjacency) -> Adjacency:
    """Without triangles and four-cycles: edges go until there are none, then others come that close none."""
    kept: Adjacency = _cut(np.ascontiguousarray(graph, np.int8))
    first, second = np.triu_indices(len(kept), 1)
    grown: Adjacency = _grown(kept, first, second)
    return grown


@compiled("void(int64[:,:], int8[:,:], int64, int64, int64)")
def _across(short: Any, graph: Any, a: Any, b: Any, change: Any) -> None:
    """Count the paths of three edges with (a, b) in the middle."""
    for x in range(len(graph)):
        if graph[a, x]:
            for y in range(len(graph)):
                if graph[b, y] and y != x:
                    short[x, y] += change
                    short[y, x] += change


@compiled("void(int64[:,:], int8[:,:], int64, int64)")
def _flip(short: Any, graph: Any, a: int, b: int) -> None:
    """Flip an edge. `short` counts, for each pair, the simple paths of two and of three edges between them.

    That is how many triangles and four-cycles the pair closes if it is an edge, or would close.
    """
    n = len(graph)
    change = 1 - 2 * graph[a, b]
    graph[a, b] = graph[b, a] = 0
    for end, other in ((a, b), (b, a)):
        for x in range(n):
            if graph[other, x]:
                short[end, x] += change
                short[x, end] += change
                for y in range(n):
                    if graph[x, y] and y != other and y != end:
                        short[end, y] += change
                        short[y, end] += change
    _across(short, graph, a, b, change)
    if change > 0:
        graph[a, b] = graph[b, a] = 1


@compiled("int64[:,:](int8[:,:])")
def _short_paths(graph: Any) -> Any:
    n = len(graph)
    short, grown = np.zeros((n, n), np.int64), np.zeros((n, n), np.int8)
    for u in range(n):
        for v in range(u):
            if graph[u, v]:
                _flip(short, grown, u, v)
    return short


@compiled("int64(int8[:,:])")
def _cycles(graph: Any) -> int:
    """Triangles and four-cycles, counted while the graph is built edge by edge."""
    n = len(graph)
    grown, paths, found = np.zeros((n, n), np.int8), np.zeros((n, n), np.int64), 0
    for u in range(n):
        for v in range(u):
            if graph[u, v]:
                found += paths[u, v]
                _flip(paths, grown, u, v)
    return found


@compiled("UniTuple(int64, 2)(int64[:,:], int8[:,:], int64[:,:], int64, uint64[:])")
def _best_flip(short: Any, graph: Any, until: Any, now: Any, state: Any) -> Any:
    """The pair whose flip gains most and is not forbidden now, ties broken by chance; (-1, -1) where all are."""
    top, chosen_u, chosen_v, ties = -1000000, -1, -1, 0
    for u in range(len(graph)):
        for v in range(u):
            if until[u, v] > now:
                continue
            gain = short[u, v] - 1 if graph[u, v] else 1 - short[u, v]
            ties = 1 if gain > top else ties + (gain == top)
            if gain > top or (gain == top and below(state, ties) == 0):
                top, chosen_u, chosen_v = gain, u, v
    return chosen_u, chosen_v


@compiled("int8[:,:](int8[:,:], int64, int64, uint64[:])")
def _tabu(start: Any, flips: int, memory: int, state: Any) -> Any:
    graph, n = start.copy(), len(start)
    short = _short_paths(graph)
    until = np.zeros((n, n), np.int64)
    edges, cycles = 0, _cycles(graph)
    for u in range(n):
        for v in range(u):
            edges += graph[u, v]
    best, best_worth = graph.copy(), edges - cycles
    for now in range(flips):
        chosen_u, chosen_v = _best_flip(short, graph, until, now, state)
        if chosen_u < 0:
            continue
        sign = -1 if graph[chosen_u, chosen_v] else 1
        edges, cycles = edges + sign, cycles + sign * short[chosen_u, chosen_v]
        _flip(short, graph, chosen_u, chosen_v)
        until[chosen_u, chosen_v] = now + memory + below(state, memory + 1)
        if edges - cycles > best_worth:
            best_worth, best = edges - cycles, graph.copy()
    return best


@compiled("int8[:,:](int8[:,:])")
def _cut(start: Any) -> Any:
    graph, n = start.copy(), len(start)
    short = _short_paths(graph)
    while True:
        worst, at_u, at_v = 0, 0, 0
        for u in range(n):
            for v in range(u):
                if graph[u, v] and short[u, v] > worst:
                    worst, at_u, at_v = short[u, v], u, v
        if worst == 0:
            return graph
        _flip(short, graph, at_u, at_v)


@compiled("int8[:,:](int8[:,:], int64[:], int64[:])")
def _grown(start: Any, first: Any, second: Any) -> Any:
    graph = start.copy()
    short = _short_paths(graph)
    for k in range(len(first)):
        u, v = first[k], second[k]
        if not graph[u, v] and short[u, v] == 0:
            _flip(short, graph, u, v)
    return graph
