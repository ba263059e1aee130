"""The sum tree against plain cumulative sums."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime_rl.learning.sum_tree import SumTree

PRIORITIES = st.lists(st.integers(0, 5), min_size=1, max_size=20).filter(any)


def tree_of(priorities: list[int]) -> SumTree:
    tree = SumTree(len(priorities))
    tree.set(np.arange(len(priorities)), np.array(priorities, float))
    return tree


@given(PRIORITIES)
def test_every_height_finds_the_leaf_under_it(priorities: list[int]) -> None:
    tree = tree_of(priorities)
    heights = np.arange(sum(priorities)) + 0.5
    wanted = np.searchsorted(np.cumsum(priorities), heights, side="right")
    assert tree.total == sum(priorities)
    assert tree.find(heights).tolist() == wanted.tolist()


@given(PRIORITIES, st.lists(st.tuples(st.integers(0, 19), st.integers(0, 5)), max_size=30))
def test_changes_reach_the_root(priorities: list[int], changes: list[tuple[int, int]]) -> None:
    tree = tree_of(priorities)
    now = np.array(priorities, float)
    for index, priority in changes:
        now[index % now.size] = priority
        tree.set(np.array([index % now.size]), np.array([float(priority)]))
    assert tree.total == now.sum()
    assert tree.priorities(np.arange(now.size)).tolist() == now.tolist()


def test_many_leaves_may_change_at_once_and_one_of_them_twice() -> None:
    tree = tree_of([1, 1, 1, 1])
    tree.set(np.array([3, 0, 3]), np.array([9.0, 2.0, 5.0]))
    assert tree.priorities(np.arange(4)).tolist() == [2, 1, 1, 5]
    assert tree.total == 9


def test_rounding_never_finds_a_leaf_without_priority() -> None:
    tree = SumTree(6)
    tree.set(np.array([0, 2]), np.array([0.1, 0.2]))
    heights = np.array([0.0, 0.1, np.nextafter(tree.total, 0.0), tree.total, 1.0])
    assert tree.find(heights).tolist() == [0, 2, 2, 2, 2]
