"""SEARCH/REPLACE blocks are found in what models write around them."""

import pytest

from evolve.operators.writing.diff import MAX_EDITS, Edit, holds_diff, named, parse_diff
from evolve.operators.writing.reply_error import ReplyError

BLOCK = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"


def only(reply: str, *names: str) -> Edit:
    [edit] = parse_diff(reply, names or ("seed.py",))
    return edit


def test_a_block_is_its_two_texts_line_by_line() -> None:
    edit = only("<<<<<<< SEARCH\n  a\n\nb\n=======\nc\n>>>>>>> REPLACE\n")

    assert edit == Edit(search=("  a", "", "b"), replace=("c",))


def test_several_blocks_come_in_order_with_prose_between_them() -> None:
    edits = parse_diff(f"First.\n{BLOCK}Then:\n{BLOCK.replace('old', 'other')}Done.", ["seed.py"])

    assert [edit.search for edit in edits] == [("old",), ("other",)]


def test_an_empty_replace_part_deletes() -> None:
    assert only("<<<<<<< SEARCH\nold\n=======\n>>>>>>> REPLACE").replace == ()


@pytest.mark.parametrize(
    "reply",
    [
        BLOCK.replace("\n", "\r\n"),
        BLOCK.replace("\n", "  \n").replace("old  ", "old").replace("new  ", "new"),
        f"```python\n{BLOCK}```\n",
        f"~~~diff\n{BLOCK}~~~",
        "<<<<<<< SEARCH\n```python\nold\n```\n=======\n```python\nnew\n```\n>>>>>>> REPLACE",
        BLOCK.replace("<<<<<<<", "<<<<<<").replace(">>>>>>>", ">>>>>>>>"),
        f"  {BLOCK.replace(chr(10) + '=', chr(10) + '  =')}",
    ],
)
def test_line_ends_fences_and_spaces_around_a_block_do_not_matter(reply: str) -> None:
    assert only(reply) == Edit(search=("old",), replace=("new",))


@pytest.mark.parametrize(
    "before",
    [
        "b.py",
        "`b.py`",
        "**b.py**",
        "### File: `b.py`",
        "File: b.py:",
        "file name: b.py",
        "# b.py",
        "b.py\n```python",
        "```python file=b.py",
        "b.py\n\n",
    ],
)
def test_a_name_before_a_block_says_the_file(before: str) -> None:
    assert only(f"Change it.\n{before}\n{BLOCK}", "a.py", "b.py").file == "b.py"


def test_prose_before_a_block_names_no_file() -> None:
    assert only(f"I change a.py, because it is slow.\n{BLOCK}", "a.py", "b.py").file == ""


def test_a_name_holds_for_one_block_only() -> None:
    edits = parse_diff(f"a.py\n{BLOCK}{BLOCK}", ["a.py", "b.py"])

    assert [edit.file for edit in edits] == ["a.py", ""]


def test_what_looks_like_a_path_is_kept_so_that_it_can_be_refused() -> None:
    assert only(f"src/other.py\n{BLOCK}").file == "src/other.py"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("I would change the loop.", "no SEARCH/REPLACE block"),
        ("<<<<<<< SEARCH\nold\n=======\nnew\n", "block 1 is never closed"),
        ("<<<<<<< SEARCH\nold\n>>>>>>> REPLACE\n", "block 1 is out of order at the line '>>>>>>> REPLACE'"),
        ("<<<<<<< SEARCH\nold\n<<<<<<< SEARCH\n", "out of order"),
        ("<<<<<<< SEARCH\nold\n=======\nnew\n=======\n", "out of order at the line '======='"),
        (">>>>>>> REPLACE\n", "without <<<<<<< SEARCH"),
        (f"{BLOCK}<<<<<<< SEARCH\n \n=======\nnew\n>>>>>>> REPLACE\n", "block 2 has an empty SEARCH part"),
        (BLOCK * (MAX_EDITS + 1), f"at most {MAX_EDITS}"),
    ],
)
def test_what_is_not_whole_is_refused_with_what_is_wrong(reply: str, message: str) -> None:
    with pytest.raises(ReplyError) as caught:
        parse_diff(reply, ["seed.py"])

    assert message in str(caught.value)


def test_a_reply_holds_a_diff_where_a_line_opens_a_block() -> None:
    assert holds_diff(f"words\r\n{BLOCK}")
    assert not holds_diff("x = 1 <<<<<<< SEARCH")


@pytest.mark.parametrize("name", ["lib/a-b_c.py", "file_names.py", "filename.py"])
def test_a_name_without_decoration_stays_as_it_is(name: str) -> None:
    assert named(name) == name
