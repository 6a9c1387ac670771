"""Tree search over the lineage of elites: upper confidence bounds for trees, with the archive as the tree.

A node is an elite; its children are the elites first made from it. A walk starts at the empty program and at each node
either stays, to change that elite, or goes on to a child, whichever has the best bound on what a visit brings (Kocsis
and Szepesvari, "Bandit based Monte-Carlo planning", 2006, https://doi.org/10.1007/11871842_29). There is no random
playout: a visit is one change and the fit of its constants, and its reward is what the archive made of it.
"""

from math import log, sqrt
from typing import NamedTuple

import numpy as np

from evolve.symbolic.elites import PER_CELL, Elites
from evolve.symbolic.kernel import compiled
from evolve.symbolic.normal_form import structure_hash
from evolve.symbolic.tape import FloatArray, IntArray

NOBODY = -1
EXPLORATION = 0.7
ENTRY = 0.2  # the reward of a new elite; the rest is for what it improves
LEAST_ERROR = 1e-300
FULL_REWARD = 4.0  # a new best of its length earns a full reward when it divides the error by e to this power


class Lineage(NamedTuple):
    """The tree: one node for each slot of the elites."""

    parent: IntArray
    first_child: IntArray
    next_sibling: IntArray
    stays: FloatArray  # how often this elite itself was changed
    gains: FloatArray  # what that brought
    visits: FloatArray  # the same two, over everything below as well
    rewards: FloatArray


def allocate_lineage(n_slots: int) -> Lineage:
    """A forest of nodes without parents; `adopt` makes a tree of them."""
    return Lineage(
        np.full(n_slots, NOBODY, np.int64),
        np.full(n_slots, NOBODY, np.int64),
        np.full(n_slots, NOBODY, np.int64),
        np.zeros(n_slots),
        np.zeros(n_slots),
        np.zeros(n_slots),
        np.zeros(n_slots),
    )


@compiled
def walk(tree: Lineage, root: int) -> int:
    """The slot to change next."""
    node = root
    while True:
        spread = log(tree.visits[node] + 1.0)
        best, best_bound = node, _bound(tree.stays[node], tree.gains[node], spread)
        child = tree.first_child[node]
        while child != NOBODY:
            bound = _bound(tree.visits[child], tree.rewards[child], spread)
            if bound > best_bound:
                best, best_bound = child, bound
            child = tree.next_sibling[child]
        if best == node:
            return node
        node = best


@compiled
def _bound(visits: float, rewards: float, spread: float) -> float:
    return float(rewards / (visits + 1.0) + EXPLORATION * sqrt(spread / (visits + 1.0)))


@compiled
def reward_of(best_error: float, error: float) -> float:
    """What a new elite is worth, in [0, 1], where `best_error` was the least of its length before."""
    best_error = min(best_error, 1.0)  # also where there was none
    if not error < best_error:
        return ENTRY
    improvement = log(best_error / max(error, LEAST_ERROR)) / FULL_REWARD
    return ENTRY + (1.0 - ENTRY) * min(1.0, improvement)


@compiled
def reward(tree: Lineage, node: int, amount: float) -> None:
    """Note one change of a node and what it brought, there and at all nodes above."""
    tree.stays[node] += 1.0
    tree.gains[node] += amount
    while node != NOBODY:
        tree.visits[node] += 1.0
        tree.rewards[node] += amount
        node = tree.parent[node]


@compiled
def adopt(tree: Lineage, node: int, parent: int) -> None:
    """Make a slot's new elite a child of another; the children of the one that it replaces go to that one's parent."""
    old = tree.parent[node]
    if parent == node:
        parent = old
    if old != NOBODY:
        _leave(tree, node, old)
    child = tree.first_child[node]
    while child != NOBODY:
        following = tree.next_sibling[child]
        _enter(tree, child, old if old != NOBODY else parent)
        child = following
    tree.first_child[node] = NOBODY
    tree.stays[node], tree.gains[node], tree.visits[node], tree.rewards[node] = 0.0, 0.0, 0.0, 0.0
    _enter(tree, node, parent)


@compiled
def forerunner(elites: Elites, hashes: IntArray, slot: int, n_inputs: int) -> int:
    """The elite that is the longest proper part of the one in `slot`, or the empty program; `hashes` is scratch."""
    n = int(elites.length[slot])
    structure_hash(elites.code[slot], n, n_inputs, hashes)
    for register in range(n_inputs + n - 2, n_inputs - 1, -1):
        for k in range(elites.counts[0]):
            cell = elites.cells[k]
            for other in range(cell * PER_CELL, (cell + 1) * PER_CELL):
                if elites.error[other] < np.inf and elites.structure[other] == hashes[register]:
                    return int(other)
    return 0


@compiled
def _enter(tree: Lineage, node: int, parent: int) -> None:
    tree.parent[node] = parent
    tree.next_sibling[node] = tree.first_child[parent]
    tree.first_child[parent] = node


@compiled
def _leave(tree: Lineage, node: int, parent: int) -> None:
    if tree.first_child[parent] == node:
        tree.first_child[parent] = tree.next_sibling[node]
        return
    before = tree.first_child[parent]
    while tree.next_sibling[before] != node:
        before = tree.next_sibling[before]
    tree.next_sibling[before] = tree.next_sibling[node]
