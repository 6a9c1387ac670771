"""Tree search: a walk goes where changes bring most, and the tree stays a tree whatever replaces what."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstSettings, FitTarget, Strategy
from evolve.symbolic.tree import NOBODY, Lineage, adopt, allocate_lineage, reward, walk
from sandbox.symbolic.vocabulary import ARITHMETIC

ROOT = 0
N_SLOTS = 7


def children_of(tree: Lineage, node: int) -> list[int]:
    found, child = [], int(tree.first_child[node])
    while child != NOBODY:
        found.append(child)
        child = int(tree.next_sibling[child])
    return found


def below(tree: Lineage, node: int) -> list[int]:
    return [node] + [found for child in children_of(tree, node) for found in below(tree, child)]


def line_of(*nodes: int) -> Lineage:
    """A tree in which each node is the child of the one before, below the root."""
    tree = allocate_lineage(N_SLOTS)
    for parent, node in zip((ROOT, *nodes), nodes, strict=False):
        adopt(tree, node, parent)
    return tree


def test_a_walk_in_a_tree_of_one_node_stays_there() -> None:
    assert walk(allocate_lineage(N_SLOTS), ROOT) == ROOT


def test_a_reward_counts_for_the_node_and_all_above_it() -> None:
    tree = line_of(1, 2)
    adopt(tree, 3, 1)

    reward(tree, 2, 0.5)

    assert tree.visits[:4].tolist() == [1.0, 1.0, 1.0, 0.0]
    assert tree.rewards[:4].tolist() == [0.5, 0.5, 0.5, 0.0]
    assert tree.stays[:4].tolist() == [0.0, 0.0, 1.0, 0.0]


def test_most_walks_end_where_changes_bring_most() -> None:
    tree = line_of(1, 2)
    adopt(tree, 3, 1)
    ends = []
    for _ in range(400):
        end = walk(tree, ROOT)
        ends.append(end)
        reward(tree, end, 1.0 if end == 3 else 0.0)

    assert ends.count(3) > 200
    assert all(ends.count(node) > 0 for node in range(4))


def test_children_of_a_replaced_elite_go_to_its_parent() -> None:
    tree = line_of(1, 2, 3)
    reward(tree, 2, 1.0)

    adopt(tree, 2, 3)

    assert children_of(tree, 1) == [3]
    assert children_of(tree, 3) == [2]
    assert tree.visits[2] == 0.0


def test_an_elite_that_its_own_child_replaces_keeps_its_place() -> None:
    tree = line_of(1, 2, 3)

    adopt(tree, 2, 2)

    assert children_of(tree, 1) in ([2, 3], [3, 2])
    assert children_of(tree, 2) == []


@given(st.lists(st.tuples(st.integers(1, N_SLOTS - 1), st.integers(0, N_SLOTS - 1)), max_size=40))
def test_every_adopted_node_hangs_below_the_root_exactly_once(adoptions: list[tuple[int, int]]) -> None:
    tree, held = allocate_lineage(N_SLOTS), {ROOT}
    for node, parent in adoptions:
        if parent not in held:
            continue
        adopt(tree, node, parent)
        held.add(node)

        assert sorted(below(tree, ROOT)) == sorted(held)
        assert all(tree.parent[child] == up for up in held for child in children_of(tree, up))


def test_a_burst_of_tree_search_is_a_pure_function_that_finds_programs() -> None:
    points = 0.5 - 0.5 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    target = FitTarget(points=points, values=2.0**points)
    settings = BurstSettings(work=0.1, max_operations=5, strategy=Strategy.TREE_SEARCH)

    first, second = (burst([], ARITHMETIC, target, settings, [3]) for _ in range(2))

    assert first.children == second.children
    assert min(child.error for child in first.children) < 2e-3
