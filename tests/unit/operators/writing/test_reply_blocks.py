"""Code is found in replies: which fence is meant, and for which file."""

import pytest

from evolve.operators.writing.reply import MAX_REPLY_LENGTH, fenced_blocks, program_texts
from evolve.operators.writing.reply_error import ReplyError

ONE = ["seed.py"]
TWO = ["a.py", "b.py"]


def refusal(reply: str, names: list[str]) -> str:
    with pytest.raises(ReplyError) as caught:
        program_texts(reply, names)
    return str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        "```python\nx = 1\n```",
        "Here:\n\n```\nx = 1\n```\nDone.",
        "~~~py\r\nx = 1\r\n~~~\r\n",
        "  ```python \nx = 1\n  ```  \n",
        "```python file=seed.py parent\nx = 1\n```",
        "```python:seed.py\nx = 1\n```",
        "**seed.py**\n\n```python\nx = 1\n```",
    ],
)
def test_the_only_fenced_block_is_the_program(reply: str) -> None:
    assert program_texts(reply, ONE) == {"seed.py": "x = 1\n"}


def test_a_longer_fence_holds_code_with_fences() -> None:
    reply = '````python\ntext = """\n```\ninner\n```\n"""\n````'

    assert program_texts(reply, ONE)["seed.py"] == 'text = """\n```\ninner\n```\n"""\n'


def test_a_short_example_of_use_after_the_program_is_passed_over() -> None:
    program = "".join(f"x{i} = {i}\n" for i in range(20))

    assert program_texts(f"```python\n{program}```\nRun it:\n```sh\npython seed.py\n```", ONE)["seed.py"] == program


def test_a_fragment_quoted_before_the_program_is_passed_over() -> None:
    program = "".join(f"x{i} = {i}\n" for i in range(20))

    assert (
        program_texts(f"The line\n```python\nx1 = 0\n```\nis wrong.\n```python\n{program}```", ONE)["seed.py"]
        == program
    )


def test_of_two_whole_programs_the_last_is_meant_though_it_is_shorter() -> None:
    old, new = "x = 1\n" * 10, "x = 2\n" * 7

    assert program_texts(f"Before:\n```\n{old}```\nAfter:\n```\n{new}```", ONE)["seed.py"] == new


def test_a_block_that_names_the_file_is_meant_before_one_that_names_none() -> None:
    reply = "```python file=seed.py\nx = 1\n```\n```\n" + "words\n" * 9 + "```"

    assert program_texts(reply, ONE) == {"seed.py": "x = 1\n"}


def test_each_file_gets_its_block_and_files_without_one_are_left_out() -> None:
    reply = "### b.py\n```python\ny = 2\n```\n"

    assert program_texts(f"a.py:\n```python\nx = 1\n```\n{reply}", TWO) == {"a.py": "x = 1\n", "b.py": "y = 2\n"}
    assert program_texts(reply, TWO) == {"b.py": "y = 2\n"}


def test_a_block_without_a_name_is_for_the_only_file_that_no_other_names() -> None:
    assert program_texts("a.py\n```\nx = 1\n```\nAnd this:\n\n\n```\ny = 2\n```", TWO)["b.py"] == "y = 2\n"


def test_a_program_without_a_fence_is_taken_where_the_whole_reply_is_one() -> None:
    assert program_texts("def f(x):\n    return x\n", ONE) == {"seed.py": "def f(x):\n    return x\n"}


@pytest.mark.parametrize(
    ("reply", "names", "message"),
    [
        ("I would use a better method.", ONE, "no fenced block of code"),
        ("Sure", ONE, "no fenced block of code"),
        ("```python\n\n```", ONE, "no fenced block of code"),
        (" \n", ONE, "the reply is empty"),
        ("```python\nx = 1\n", ONE, "never closed"),
        ("```python\nx = 1\n```", TWO, "does not say for which file its code is"),
        ("```python file=c.py\nx = 1\n```", TWO, "names c.py: open every block with ```python file=NAME"),
        ("x" * (MAX_REPLY_LENGTH + 1), ONE, f"at most {MAX_REPLY_LENGTH} are read"),
    ],
)
def test_without_code_the_refusal_says_what_to_send(reply: str, names: list[str], message: str) -> None:
    assert message in refusal(reply, names)


def test_a_line_of_code_in_backticks_opens_no_fence() -> None:
    assert len(fenced_blocks("```x = 1``` is a line\n```\ny = 2\n```", ONE)) == 1


def test_a_fence_inside_a_block_of_another_sign_is_text() -> None:
    [block] = fenced_blocks("~~~\n```\nx\n~~~\n", ONE)

    assert block.text == "```\nx\n"
