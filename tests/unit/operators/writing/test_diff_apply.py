"""SEARCH/REPLACE blocks change what they name, once, inside evolve blocks, all of them or none."""

import pytest

from evolve.config.python_text import Block, blocks_of
from evolve.operators.writing.diff import parse_diff
from evolve.operators.writing.diff_apply import apply_diff
from evolve.operators.writing.reply_error import ReplyError

SEED = """\
import math

# EVOLVE-BLOCK-START
def step(x):
    rate = 0.5
    for _ in range(3):
        x = x * rate
    return x


def other(x):
    return x
# EVOLVE-BLOCK-END


def answer():
    return step(1.0)
"""


def block(search: str, replace: str, name: str = "") -> str:
    return f"{name}\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


def applied(reply: str, **files: str) -> dict[str, str]:
    texts = {f"{name}.py": text for name, text in files.items()} or {"seed.py": SEED}
    return apply_diff(parse_diff(reply, list(texts)), texts, {name: blocks_of(text) for name, text in texts.items()})


def refusal(reply: str, **files: str) -> str:
    with pytest.raises(ReplyError) as caught:
        applied(reply, **files)
    return str(caught.value)


def test_a_block_changes_its_lines_and_nothing_else() -> None:
    changed = applied(block("    rate = 0.5", "    rate = 0.25\n    rate += 0.1"))

    assert changed == {"seed.py": SEED.replace("    rate = 0.5\n", "    rate = 0.25\n    rate += 0.1\n")}


def test_all_blocks_are_matched_against_the_program_as_it_was() -> None:
    reply = block("        x = x * rate", "        x = x + rate") + block("    rate = 0.5", "        x = x * rate")

    assert "        x = x * rate\n    for" in applied(reply)["seed.py"]


def test_lines_are_whole_lines() -> None:
    assert "fits 0 places" in refusal(block("rate = 0.5", "rate = 0.7"))


def test_spaces_at_the_ends_of_lines_do_not_matter_where_nothing_fits_exactly() -> None:
    changed = applied(block("    rate = 0.5   \n    for _ in range(3):", "    rate = 0.7\n    for _ in range(3):\t"))

    assert changed["seed.py"] == SEED.replace("0.5", "0.7")


def test_an_exact_fit_wins_over_one_but_for_spaces() -> None:
    text = SEED.replace("    return x\n\n\n", "    return x  \n\n\n")

    changed = applied(block("    return x", "    return -x"), seed=text)["seed.py"]

    assert "    return x  \n" in changed
    assert "def other(x):\n    return -x\n" in changed


def test_a_text_that_fits_twice_is_refused_with_the_places() -> None:
    message = refusal(block("    return x", "    return -x"))

    assert "fits 2 places, it must fit one (at line 8, line 12)" in message


def test_a_text_that_also_stands_outside_of_the_blocks_means_the_inside() -> None:
    text = SEED + "\n\ndef third(x):\n    rate = 0.5\n    return rate\n"

    changed = applied(block("    rate = 0.5", "    rate = 0.7"), seed=text)["seed.py"]

    assert changed == text.replace("    rate = 0.5\n    for", "    rate = 0.7\n    for")


def test_a_change_outside_of_the_blocks_is_refused() -> None:
    message = refusal(block("    return step(1.0)", "    return 1.0e9"))

    assert "Block 1: it changes line 17, outside of the evolve blocks" in message


@pytest.mark.parametrize("marker", ["# EVOLVE-BLOCK-START", "# EVOLVE-BLOCK-END"])
def test_marker_lines_cannot_be_changed(marker: str) -> None:
    assert "outside of the evolve blocks" in refusal(block(marker, "# free"))


def test_lines_outside_may_be_copied_along_where_they_stay_as_they_are() -> None:
    search = "import math\n\n# EVOLVE-BLOCK-START\ndef step(x):"
    replace = "import math\n\n# EVOLVE-BLOCK-START\nimport random\n\n\ndef step(x):"

    assert applied(block(search, replace))["seed.py"] == SEED.replace("def step", "import random\n\n\ndef step")


def test_lines_can_be_added_at_the_very_end_of_a_block() -> None:
    changed = applied(block("# EVOLVE-BLOCK-END", "LAST = 1\n# EVOLVE-BLOCK-END"))

    assert changed["seed.py"] == SEED.replace("# EVOLVE-BLOCK-END", "LAST = 1\n# EVOLVE-BLOCK-END")


def test_one_bad_block_keeps_all_from_being_applied_and_every_bad_one_is_told() -> None:
    reply = block("    rate = 0.5", "    rate = 0.7") + block("    ratio = 0.5", "") + block("    return x", "")

    message = refusal(reply)

    assert message.startswith("No block was applied.\nBlock 2:")
    assert "\nBlock 3:" in message


def test_the_nearest_lines_are_shown_where_nothing_fits() -> None:
    message = refusal(block("    rate = 0.6\n    for _ in range(3):", "    pass"))

    assert "fits 0 places" in message
    assert "nearest lines of seed.py are 5 to 6:\n```python\n    rate = 0.5\n    for _ in range(3):\n```" in message


def test_a_line_with_slips_of_the_pen_is_still_found_among_many() -> None:
    text = SEED.replace(
        "    rate = 0.5\n", "".join(f"    x{i} = table[{i}]\n" for i in range(300)) + "    rate = 0.5\n"
    )

    assert "```python\n    rate = 0.5\n```" in refusal(block("    rat = 0.50", "    pass"), seed=text)


def test_a_hopeless_reply_is_answered_in_few_words() -> None:
    wide = "    wide = [" + "1.5, " * 4000 + "]"
    text = SEED.replace("    rate = 0.5\n", f"    rate = 0.5\n{wide}\n")

    wrong = refusal(block(f"{wide} # no", "    pass") * 100, seed=text)
    ambiguous = refusal(
        block("    x = 1", "    pass") * 100, seed=SEED.replace("    rate = 0.5\n", "    x = 1\n" * 500)
    )

    assert wrong.count("fits 0 places") == 8
    assert "fits 500 places" in ambiguous
    assert max(len(wrong), len(ambiguous)) < 20_000


def test_places_may_lie_in_each_other() -> None:
    text = SEED.replace("    rate = 0.5\n", "    x = 1\n" * 4)

    assert "fits 3 places, it must fit one (at line 5, line 6, line 7)" in refusal(
        block("    x = 1\n    x = 1", "    pass"), seed=text
    )


def test_where_no_line_is_near_none_is_shown() -> None:
    assert "No line of the evolve blocks is like it." in refusal(block("zzzzzzzzzzzzzz", "pass"))


def test_two_blocks_on_the_same_lines_are_refused() -> None:
    reply = block("    rate = 0.5", "    rate = 0.6") + block(
        "def step(x):\n    rate = 0.5", "def step(x):\n    rate = 1"
    )

    assert "Blocks 1 and 2 change the same lines of seed.py" in refusal(reply)


def test_blocks_that_change_nothing_are_refused() -> None:
    assert "change nothing" in refusal(block("    rate = 0.5", "    rate = 0.5"))


def test_the_line_ends_of_the_file_are_kept() -> None:
    text = SEED.replace("\n", "\r\n")

    changed = applied(block("    rate = 0.5", "    rate = 0.7\n    rate += 1"), seed=text)["seed.py"]

    assert changed == text.replace("    rate = 0.5\r\n", "    rate = 0.7\r\n    rate += 1\r\n")


def test_a_program_of_several_files_is_changed_where_the_names_say() -> None:
    reply = block("    return x\n# EVOLVE-BLOCK-END", "    return -x\n# EVOLVE-BLOCK-END", "b.py")

    changed = applied(reply, a=SEED, b=SEED)

    assert changed == {"a.py": SEED, "b.py": SEED.replace("    return x\n# EV", "    return -x\n# EV")}


def test_without_a_name_the_text_must_fit_one_place_in_all_files() -> None:
    both = refusal(block("    rate = 0.5", "    rate = 0.7"), a=SEED, b=SEED)
    one = applied(block("    rate = 0.9", "    rate = 0.7"), a=SEED, b=SEED.replace("0.5", "0.9"))

    assert "line 5 of a.py, line 5 of b.py" in both
    assert one["b.py"] == SEED.replace("0.5", "0.7")


def test_an_unknown_file_is_refused_with_the_known_ones() -> None:
    assert "there is no file c.py: the program's files are a.py, b.py" in refusal(
        block("x", "y", "c.py"), a=SEED, b=SEED
    )


def test_a_file_without_evolve_blocks_cannot_be_changed() -> None:
    assert "outside of the evolve blocks" in refusal(block("y = 1", "y = 2", "b.py"), a=SEED, b="y = 1\n")


def test_a_text_that_is_open_as_a_whole_may_lack_its_last_line_end() -> None:
    text = "def f(x):\n    return x"

    changed = apply_diff(
        parse_diff(block("    return x", "    return x + 1.0"), ["f.py"]),
        {"f.py": text},
        {"f.py": (Block(0, len(text)),)},
    )

    assert changed == {"f.py": "def f(x):\n    return x + 1.0"}


def test_nearest_lines_with_fences_stay_in_theirs() -> None:
    text = SEED.replace("    rate = 0.5\n", '    rate = "```python"\n')

    assert '````python\n    rate = "```python"\n````' in refusal(
        block('    rate = "```pythons"', "    pass"), seed=text
    )
