"""The opening of Python problems whose seed has annotated choices: every value gets one turn."""

from typing import Any

import numpy as np

from archive.candidate import Candidate
from evolve.config.problem import load_problem
from evolve.loop.setup import build_search
from evolve.operators.python_knobs import MOST_TURNS, KnobTurn, knob_turns

SEED = """
FREE = 1  # choices: [1, 2]

# EVOLVE-BLOCK-START
SIZE = 8  # choices: [4, 8, 16]
KIND = "slow"  # choices: ["slow", "fast"]
PLAIN = 3


def f(x):
    return x * SIZE


# EVOLVE-BLOCK-END
"""


def children_of(turn: KnobTurn, text: str) -> list[str]:
    asked = turn.propose([candidate(text)], [], np.random.default_rng(0))
    try:
        next(asked)
    except StopIteration as end:
        children: list[Any] = end.value
        assert all(child.parent_ids == (7,) for child in children)
        return [child.files["seed.py"] for child in children]
    raise AssertionError("it asked for something")


def candidate(text: str) -> Candidate:
    return Candidate(id=7, files={"seed.py": text}, fingerprint="")


def test_every_other_value_of_every_choice_in_a_block_gets_a_turn_and_first_values_come_first() -> None:
    assert [(each.place, each.value) for each in knob_turns({"seed.py": SEED})] == [(0, "4"), (1, "'fast'"), (0, "16")]


def test_a_turn_changes_one_choice_and_nothing_else() -> None:
    # given
    first, second, _ = knob_turns({"seed.py": SEED})
    # when / then
    assert children_of(first, SEED) == [SEED.replace("SIZE = 8", "SIZE = 4")]
    assert children_of(second, SEED) == [SEED.replace('KIND = "slow"', "KIND = 'fast'")]


def test_a_parent_that_has_the_value_already_or_no_such_choice_gets_no_child() -> None:
    # given
    turn = knob_turns({"seed.py": SEED})[0]
    # when / then
    assert children_of(turn, SEED.replace("SIZE = 8", "SIZE = 4")) == []
    assert children_of(turn, SEED.replace("# choices: [4", "# choices: [5")) == []
    assert children_of(turn, "# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\n") == []
    assert children_of(turn, "x = (\n") == []


def test_a_hundred_values_do_not_make_a_hundred_turns() -> None:
    # given
    text = SEED.replace("[4, 8, 16]", str(list(range(100))))
    # when
    turns = knob_turns({"seed.py": text})
    # then
    assert len(turns) == MOST_TURNS
    assert (1, "'fast'") in [(each.place, each.value) for each in turns]


def test_shipped_kernels_open_with_their_knobs_and_other_problems_do_not() -> None:
    assert len(build_search(load_problem("row_softmax"), 0).openers) == 7
    assert build_search(load_problem("circle_packing_26"), 0).openers == ()
