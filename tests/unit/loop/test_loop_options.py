"""What a later session may change of how a run was asked for."""

from typing import Any

import pytest

from evolve.loop import RunOptions

LOCAL = RunOptions(workers=2, executor="local", rng_seed=3)
JOINED = RunOptions(workers=20, executor="ray", ray_address="head:6379")


@pytest.mark.parametrize(
    ("before", "changes", "workers"),
    [
        (LOCAL, {}, 2),
        (LOCAL, {"evaluations": 9}, 2),
        (LOCAL, {"executor": "local"}, 2),
        (LOCAL, {"executor": "ray", "ray_address": "head:6379"}, None),
        (LOCAL, {"executor": "ray"}, None),
        (LOCAL, {"executor": "ray", "ray_address": "head:6379", "workers": 5}, 5),
        (JOINED, {"executor": "local"}, None),
        (JOINED, {"executor": "ray", "ray_address": "head:6379"}, 20),
        (JOINED, {"executor": "ray", "ray_address": "other:6379"}, None),
    ],
)
def test_a_number_of_workers_holds_as_long_as_the_place_does(
    before: RunOptions, changes: dict[str, Any], workers: int | None
) -> None:
    assert before.changed(changes).workers == workers


def test_who_comes_home_leaves_the_cluster() -> None:
    home = JOINED.changed({"executor": "local"})

    assert (home.executor, home.ray_address) == ("local", None)
