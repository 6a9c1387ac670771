"""The fake model: the same reply to the same prompt, in the form that the prompt asks for."""

import ast
import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.llm.contract import Completion, Outcome, Prompt, Turn
from evolve.llm.fake import FakeModel
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import load_vocabulary

PYTHON = """import math

# EVOLVE-BLOCK-START
rate = 0.05
steps = 12
# EVOLVE-BLOCK-END


def answer():
    return rate * steps + 99
"""
DIFF = "<<<<<<< SEARCH\nold lines\n=======\nnew lines\n>>>>>>> REPLACE"
REWRITE = "Write the program in full in one fenced block that starts with ```python. Nothing else."


def turn_with(code: str, form: str, role: str = "parent", fence: str = "```") -> str:
    return (
        f"# The parent\n\nIts score: 1\n\n{fence}python file=seed.py {role}\n{code}\n{fence}\n\n# Your turn\n\n{form}\n"
    )


def reply(*turns: str, system: str = "rules", model: FakeModel | None = None) -> Completion:
    said = [Turn(role="assistant" if place % 2 else "user", text=text) for place, text in enumerate(turns)]
    prompt = Prompt(system=(system,), turns=tuple(said))
    return asyncio.run((model or FakeModel()).complete(prompt, total_seconds=1.0, idle_seconds=1.0))


def applied(text: str, code: str) -> str:
    """The program after the reply's one SEARCH/REPLACE block, which must fit exactly one place."""
    search, new = text.split("<<<<<<< SEARCH\n")[1].split("\n>>>>>>> REPLACE")[0].split("\n=======\n")
    assert f"\n{code}\n".count(f"\n{search}\n") == 1
    return f"\n{code}\n".replace(f"\n{search}\n", f"\n{new}\n")[1:-1]


def outside(code: str) -> list[str]:
    before, rest = code.split("# EVOLVE-BLOCK-START")
    return [before, rest.split("# EVOLVE-BLOCK-END")[1]]


@given(st.text(max_size=30))
def test_a_diff_changes_one_number_inside_the_block(salt: str) -> None:
    text = reply(turn_with(PYTHON, DIFF), system=salt).text

    child = applied(text, PYTHON)

    assert "seed.py" in text
    assert child != PYTHON
    assert outside(child) == outside(PYTHON)
    ast.parse(child)


def test_a_diff_of_a_line_that_stands_twice_still_fits_one_place() -> None:
    code = "# EVOLVE-BLOCK-START\na = [\n    1.5,\n    1.5,\n    1.5,\n]\n# EVOLVE-BLOCK-END"

    for salt in range(20):
        assert applied(reply(turn_with(code, DIFF), system=str(salt)).text, code) != code


def test_a_rewrite_is_the_whole_program_in_one_fence() -> None:
    text = reply(turn_with(PYTHON, REWRITE)).text

    child = text.split("```python file=seed.py\n")[1].split("\n```")[0]

    assert outside(child + "\n") == outside(PYTHON)
    assert child.strip() != PYTHON.strip()


def test_code_that_holds_fences_is_read_and_written_whole() -> None:
    code = PYTHON.replace("steps = 12", 'steps = """\n```\n12\n```\n"""')

    text = reply(turn_with(code, REWRITE, fence="````")).text

    assert text.split("````python file=seed.py\n")[1].count("```\n") == 3


@given(st.text(max_size=30), st.sampled_from(["x", "x * 0.5 + 1.0", "x * x - 0.25", "x / 3.0"]))
def test_a_symbolic_reply_is_a_program_of_the_vocabulary(salt: str, expression: str) -> None:
    form = "Write the whole function, with at most 4 operations, in one fenced block that starts with ```python."
    system = f"Only these exist:\n\n- `a + b`\n- `a * b`\n- `a - b`\n- `a / b`\n\n{salt}"

    text = reply(turn_with(f"def f(x):\n    return {expression}", form), system=system).text

    code = text.split("```python\n")[1].split("\n```")[0]
    parse(code, load_vocabulary("arithmetic"), inputs=["x"], max_operations=4)


def test_a_symbolic_program_changes() -> None:
    form = "Write the whole function in one fenced block that starts with ```python."
    parents = ["def f(x):\n    return x", "def f(x):\n    return x * 0.5 + 1.0"]

    children = {reply(turn_with(parent, form), system=str(n)).text for parent in parents for n in range(20)}

    assert len(children) > 20


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("End with a line of this form:\n\nScore: N", "Score: "),
        ("In this form:\n\nIdea: what is done\nReason: why", "Idea: "),
        ("Answer in this form:\n\nCondition: when", "Condition: "),
        ("Answer with the advice alone, in one fenced block.", "```text"),
    ],
)
def test_other_forms_are_answered_in_their_form(form: str, expected: str) -> None:
    assert expected in reply(turn_with(PYTHON, form)).text


def test_the_words_of_a_candidate_do_not_decide_the_form() -> None:
    code = f'{PYTHON}\ntrap = """\n{DIFF}\nScore: N\n"""\n'

    assert "```python file=seed.py" in reply(turn_with(code, REWRITE)).text


def test_a_second_turn_without_a_form_is_answered_in_the_form_of_the_first() -> None:
    text = reply(turn_with(PYTHON, DIFF), "nonsense", "Your reply could not be used. Send the corrected one.").text

    assert applied(text, PYTHON) != PYTHON


def test_of_several_programs_the_first_parent_is_changed() -> None:
    other = PYTHON.replace("0.05", "0.07")
    turn = turn_with(other, "", role="elite") + turn_with(PYTHON, DIFF) + turn_with(other, "")

    assert applied(reply(turn).text, PYTHON) != PYTHON


def test_the_same_prompt_gets_the_same_reply_and_another_word_or_seed_another() -> None:
    turn = turn_with(PYTHON, DIFF)
    same = [reply(turn, model=FakeModel()) for _ in range(2)]
    others = [FakeModel(word="other"), FakeModel(rng_seed=1), FakeModel(word="x", rng_seed=1)]

    assert same[0] == same[1]
    assert len({same[0].text, *(reply(turn, model=model).text for model in others)}) > 2
    assert same[0].usage.is_estimated


def test_a_prompt_without_a_program_gets_words() -> None:
    answer = reply("Say: ok")

    assert answer.outcome is Outcome.OK
    assert answer.text
