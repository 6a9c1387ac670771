"""What is learned from verified changes: insights with their parts, and advice that replaces advice."""

from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.operators.briefing import Briefing, Insight, Instruction, Judged
from evolve.operators.contract import Operator
from evolve.operators.writing.learning import MAX_ADVICE, read_advice, read_lesson
from evolve.operators.writing.reply_error import ReplyError
from evolve.operators.writing.setup import language_model_operators
from tests.scripted_operators import drive, judged

SEED = "# EVOLVE-BLOCK-START\nfirst = 1.0\n# EVOLVE-BLOCK-END\n"
ORIGIN = judged(3, SEED, score=-4.0)
PARENT = judged(7, SEED.replace("1.0", "2.0"), score=-1.0, parents=(3,))
WORSE = judged(9, SEED.replace("1.0", "9.0"), score=-36.0, parents=(7,))
FAILED = judged(11, SEED.replace("1.0", "None"), score=None, failure="exception", detail="no number", parents=(7,))
LESSON = (
    "Condition: the first number is below three.\nExplanation: move it up, the optimum is there.\nExample: first = 3.0"
)
ADVICE = "Move the first number towards three in small steps, and leave the second alone."


@pytest.fixture
def operators(python_problem: Path) -> dict[str, Operator]:
    made = language_model_operators(load_problem(python_problem), ["m"], kinds=["insight", "advice"])
    return {operator.name.removesuffix("@m"): operator for operator in made}


def test_an_insight_is_drawn_from_the_parent_and_what_it_came_from(operators: dict[str, Operator]) -> None:
    driven = drive(operators["insight"], Briefing(parents=(PARENT,), origin=ORIGIN, inspirations=(WORSE,)), [LESSON])

    text = driven.question()
    assert driven.children == []
    assert [ask.purpose for ask in driven.asks] == ["insight"]
    assert driven.noted("insight") == {
        "condition": "the first number is below three.",
        "explanation": "move it up, the optimum is there.",
        "example": "first = 3.0",
        "candidate_ids": [7],
    }
    assert text.find("Program 3 ") < text.find("Program 7 ")
    assert "-first = 1.0\n+first = 2.0" in text
    assert "Program 9" not in text


def test_the_better_of_two_programs_comes_second(operators: dict[str, Operator]) -> None:
    text = drive(operators["insight"], Briefing(parents=(WORSE,), inspirations=(PARENT,)), [LESSON]).question()

    assert "-first = 9.0\n+first = 2.0" in text


def test_an_insight_is_drawn_from_a_failure_too(operators: dict[str, Operator]) -> None:
    driven = drive(operators["insight"], Briefing(parents=(PARENT,), failures=(FAILED,)), [LESSON])

    assert "Program 11 failed: exception" in driven.question()
    assert "-first = 2.0\n+first = None" in driven.question()
    assert driven.noted("insight")["candidate_ids"] == [7, 11]


def test_both_kinds_of_change_have_their_turns(operators: dict[str, Operator]) -> None:
    briefing = Briefing(parents=(PARENT,), origin=ORIGIN, failures=(FAILED,))

    ids = {
        tuple(drive(operators["insight"], briefing, [LESSON], rng_seed=seed).noted("insight")["candidate_ids"])
        for seed in range(8)
    }

    assert ids == {(7,), (7, 11)}


@pytest.mark.parametrize("others", [(), (judged(9, SEED, score=PARENT.score),)])
def test_where_nothing_differs_nothing_is_asked(operators: dict[str, Operator], others: tuple[Judged, ...]) -> None:
    driven = drive(operators["insight"], Briefing(parents=(PARENT,), inspirations=others))

    assert (driven.asks, driven.notes) == ([], [])


@pytest.mark.parametrize("reply", ["NONE", "**None.**\n"])
def test_a_model_may_say_that_there_is_no_lesson(operators: dict[str, Operator], reply: str) -> None:
    driven = drive(operators["insight"], Briefing(parents=(PARENT,), origin=ORIGIN), [reply])

    assert driven.notes == []


def test_a_lesson_without_its_parts_is_asked_for_them(operators: dict[str, Operator]) -> None:
    driven = drive(operators["insight"], Briefing(parents=(PARENT,), origin=ORIGIN), ["Move up!", LESSON])

    assert "starts with Condition: or Explanation:" in driven.question(1)
    assert driven.noted("insight")["example"] == "first = 3.0"


def test_parts_of_a_lesson_may_be_long_decorated_and_without_an_example() -> None:
    lesson = read_lesson("**Condition:** it is slow\nat first.\n- Explanation: " + "vectorise it " * 200)

    assert lesson["condition"] == "it is slow\nat first."
    assert len(lesson["explanation"]) < 900
    assert lesson["example"] == ""


def test_advice_is_asked_for_with_all_there_is_and_its_worth(operators: dict[str, Operator]) -> None:
    given = (Instruction(id=2, text="Be bold.", worth=0.75), Instruction(id=0, text="", worth=None))
    briefing = Briefing(
        parents=(PARENT,), instructions=given, insights=(Insight(id=1, condition="c", explanation="e"),)
    )

    driven = drive(operators["advice"], briefing, [f"Here:\n```\n{ADVICE}\n```"])

    text = driven.question()
    assert driven.noted("instruction") == ADVICE
    assert driven.children == []
    assert "Worth: 0.75\n\n```text advice\nBe bold.\n```" in text
    assert "Worth: not known yet\n\n```text advice\nFind out what limits" in text
    assert len(driven.asks[0].prompt.system) == 1
    assert driven.noted("instruction_id") is None


def test_advice_that_is_there_already_is_not_noted(operators: dict[str, Operator]) -> None:
    briefing = Briefing(parents=(PARENT,), instructions=(Instruction(id=2, text=ADVICE, worth=0.5),))

    assert drive(operators["advice"], briefing, [ADVICE]).notes == []


def test_advice_cannot_open_a_fence_in_the_prompts_that_carry_it() -> None:
    assert read_advice(f"````\n{ADVICE}\n```python\n~~~\nMore.\n````") == f"{ADVICE}\nMore."


@pytest.mark.parametrize(("text", "message"), [("go", "says too little"), ("go on " * 1000, f"at most {MAX_ADVICE}")])
def test_advice_has_a_size(text: str, message: str) -> None:
    with pytest.raises(ReplyError, match=message):
        read_advice(text)
