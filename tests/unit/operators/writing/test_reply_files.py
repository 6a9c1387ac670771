"""Rewritten files keep what stands outside of evolve blocks, whatever the reply wrote there."""

import pytest

from evolve.operators.writing.reply_error import ReplyError
from evolve.operators.writing.reply_files import rewritten

SEED = """\
import math

LIMIT = 3


# EVOLVE-BLOCK-START
def step(x):
    return x


# EVOLVE-BLOCK-END


def answer():
    return step(1.0)
"""
BODY = "def step(x):\n    return math.sqrt(x)\n"
CHILD = SEED.replace("def step(x):\n    return x\n\n\n", BODY)
TWO_BLOCKS = SEED + "# EVOLVE-BLOCK-START\nlast = 1\n# EVOLVE-BLOCK-END\n"


def child_of(text: str, seed: str = SEED) -> str:
    return rewritten({"seed.py": seed}, {"seed.py": text})["seed.py"]


def refusal(text: str, seed: str = SEED) -> str:
    with pytest.raises(ReplyError) as caught:
        child_of(text, seed)
    return str(caught.value)


def test_a_whole_file_gives_the_bodies_of_its_blocks() -> None:
    assert child_of(CHILD) == CHILD


def test_the_new_body_of_the_only_block_will_do() -> None:
    assert child_of(BODY) == CHILD


def test_a_whole_file_without_its_marker_lines_will_do() -> None:
    text = "\n".join(line for line in CHILD.split("\n") if "EVOLVE" not in line)

    assert child_of(text) == CHILD


def test_spaces_and_left_out_lines_outside_do_not_matter() -> None:
    text = CHILD.replace("LIMIT = 3\n", "LIMIT = 3  \n# the rest as it was\n").replace("    return step(1.0)\n", "")

    assert child_of(text.rstrip("\n")) == CHILD


def test_new_code_outside_is_refused_with_the_line() -> None:
    message = refusal("import os\n" + CHILD)

    assert "'import os' outside of its evolve blocks" in message
    assert "put new imports and helpers there too" in message


def test_a_body_that_defines_again_what_stands_outside_is_refused() -> None:
    assert "defines answer, which stands outside" in refusal(BODY + "\n\ndef answer():\n    return 2\n")


def test_a_file_of_two_blocks_needs_its_marker_lines() -> None:
    assert "has 1 evolve blocks for seed.py, the file has 2" in refusal(BODY, TWO_BLOCKS)
    assert child_of(TWO_BLOCKS.replace("last = 1", "last = 2"), TWO_BLOCKS).count("last = 2") == 1


def test_broken_markers_are_refused() -> None:
    assert "evolve blocks of seed.py in the reply are broken" in refusal("# EVOLVE-BLOCK-START\nx = 1\n")


def test_files_that_the_reply_leaves_out_stay_as_they_are() -> None:
    assert rewritten({"a.py": SEED, "b.py": "y = 1\n"}, {"a.py": BODY}) == {"a.py": CHILD, "b.py": "y = 1\n"}


def test_a_file_without_blocks_must_stay_as_it_is() -> None:
    with pytest.raises(ReplyError, match=r"b\.py has no evolve block"):
        rewritten({"a.py": SEED, "b.py": "y = 1\n"}, {"b.py": "y = 2\n"})


def test_the_line_ends_of_the_file_are_kept() -> None:
    assert child_of(BODY, SEED.replace("\n", "\r\n")) == CHILD.replace("\n", "\r\n")
