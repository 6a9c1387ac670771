"""Operators that ask a model for a child: what is asked, what is made of replies, when they give up."""

from dataclasses import replace
from pathlib import Path

import pytest

from evolve.config.problem import load_problem
from evolve.errors import UsageError
from evolve.llm.contract import Prompt
from evolve.operators.briefing import Briefing, Judged
from evolve.operators.contract import Operator
from evolve.operators.writing.converse import longer
from evolve.operators.writing.setup import CODE_KINDS, LEARNING_KINDS, language_model_operators
from tests.scripted_operators import drive, judged

SEED = """\
# EVOLVE-BLOCK-START
first = 1.0
second = 2.0
# EVOLVE-BLOCK-END


def answer():
    return [first, second]
"""
PARENT = judged(7, SEED)
OTHER = judged(8, SEED.replace("2.0", "4.0"))
DIFF = "Better.\n<<<<<<< SEARCH\nfirst = 1.0\n=======\nfirst = 3.0\n>>>>>>> REPLACE\n"
REWRITE = "Better.\n```python\nfirst = 3.0\nsecond = 2.0\n```\n"
CHILD = {"seed.py": SEED.replace("1.0", "3.0")}


@pytest.fixture
def operators(python_problem: Path) -> dict[str, Operator]:
    made = language_model_operators(load_problem(python_problem), ["m"])
    return {operator.name.removesuffix("@m"): operator for operator in made}


def test_there_is_one_operator_for_each_kind_and_model(python_problem: Path, symbolic_problem: Path) -> None:
    python = language_model_operators(load_problem(python_problem), ["m", "n", "m"])
    symbolic = language_model_operators(load_problem(symbolic_problem), ["m"])

    kinds = (*CODE_KINDS, *LEARNING_KINDS)
    assert [operator.name for operator in python] == [f"{kind}@{model}" for model in "mn" for kind in kinds]
    assert [operator.name for operator in symbolic] == [f"{kind}@m" for kind in kinds if kind != "diff"]
    assert {operator.name: operator.n_parents for operator in python}["crossover@n"] == 2
    assert language_model_operators(load_problem(python_problem), []) == []


def test_an_unknown_kind_is_refused_with_the_known_ones(python_problem: Path) -> None:
    with pytest.raises(UsageError, match="no language-model operator polish") as caught:
        language_model_operators(load_problem(python_problem), ["m"], kinds=["diff", "polish"])

    assert "diff, rewrite, crossover" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "reply"), [("diff", DIFF), ("rewrite", REWRITE), ("diff", REWRITE), ("rewrite", DIFF)]
)
def test_a_reply_in_either_form_makes_a_child_of_the_parent(
    operators: dict[str, Operator], kind: str, reply: str
) -> None:
    driven = drive(operators[kind], Briefing(parents=(PARENT,)), [reply])

    [child] = driven.children
    assert (child.files, child.parent_ids) == (CHILD, (7,))
    assert [(ask.model, ask.purpose) for ask in driven.asks] == [("m", "code")]
    assert driven.n_recalls == 1
    assert driven.computes == []


def test_three_dots_that_are_code_are_code(operators: dict[str, Operator]) -> None:
    reply = "```python\nfirst = 3.0\nsecond = np.ones((2, 2))[\n    ...,\n    0,\n][0]\n```"

    [child] = drive(operators["rewrite"], Briefing(parents=(PARENT,)), [reply]).children

    assert "    ...,\n" in child.files["seed.py"]


def test_each_kind_asks_for_its_own_form(operators: dict[str, Operator]) -> None:
    diff = drive(operators["diff"], Briefing(parents=(PARENT,)), [DIFF])
    rewrite = drive(operators["rewrite"], Briefing(parents=(PARENT,)), [REWRITE])

    assert "SEARCH/REPLACE blocks, in exactly this form" in diff.question()
    assert "the program in full" in rewrite.question()


def test_a_long_program_is_never_asked_for_in_full(operators: dict[str, Operator]) -> None:
    long = judged(7, SEED.replace("first = 1.0", "first = 1.0\n" + "# a long story\n" * 1000))

    assert "SEARCH/REPLACE" in drive(operators["rewrite"], Briefing(parents=(long,)), [DIFF]).question()


def test_an_unusable_reply_is_answered_once_in_the_same_conversation(operators: dict[str, Operator]) -> None:
    driven = drive(operators["diff"], Briefing(parents=(PARENT,)), [DIFF.replace("first = 1.0", "first = 9"), DIFF])

    first, second = driven.asks
    assert [child.files for child in driven.children] == [CHILD]
    assert second.purpose == "repair"
    assert second.prompt.system == first.prompt.system
    assert second.prompt.turns[:1] == first.prompt.turns
    assert [turn.role for turn in second.prompt.turns] == ["user", "assistant", "user"]
    assert second.prompt.turns[1].text == DIFF.replace("first = 1.0", "first = 9")
    assert "fits 0 places" in driven.question(1)
    assert driven.noted("repaired") is True


def test_what_is_wrong_with_a_reply_is_told_in_less_than_it_takes_to_write_it(operators: dict[str, Operator]) -> None:
    unknown = "".join(f"```python file={number}{'x' * 100}.py\nfirst = 2\n```\n" for number in range(2000))

    driven = drive(operators["rewrite"], Briefing(parents=(PARENT,)), [unknown, REWRITE])

    assert "names 0xxx" in driven.question(1)
    assert len(driven.question(1)) < 10_000


def test_a_second_unusable_reply_ends_it(operators: dict[str, Operator]) -> None:
    driven = drive(operators["diff"], Briefing(parents=(PARENT,)), ["No idea.", "Still none."])

    assert driven.children == []
    assert "no fenced block of code" in driven.noted("gave_up")
    assert driven.noted("repaired") is None


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("```python\nfirst = (\n```", "not be valid Python: line 2: '(' was never closed. That line is 'first = ('"),
        ("```python\nreturn 3\n```", "'return' outside function"),
        ("```python\nfirst = 1.0  # one\nsecond = 2.0\n```", "the same as before, but for comments and layout"),
        ("```python\nfirst = 3.0\n# ... second as before\n```", "in place of code: write all lines out"),
        (f"```python\nimport os\n{SEED}```", "'import os' outside of its evolve blocks"),
        (DIFF.replace("first = 3.0", "# EVOLVE-BLOCK-END\nfirst = 3.0\n# EVOLVE-BLOCK-START"), "adds marker lines"),
        (DIFF.replace("first = 1.0", "    return [first, second]"), "outside of the evolve blocks"),
        ("x" * 500_000, "at most 400000 are read"),
        ("```python\nfirst = 0x" + "f" * 6000 + "\n```", "not be valid Python: the text"),
        ("```python file=\ud800\nfirst = 2\n```\n```python\n```", "names <U+D800>: open every block"),
    ],
)
def test_the_model_is_told_what_is_wrong_with_its_program(
    operators: dict[str, Operator], reply: str, message: str
) -> None:
    driven = drive(operators["rewrite"], Briefing(parents=(PARENT,)), [reply, REWRITE])

    assert message in driven.question(1)
    assert [child.files for child in driven.children] == [CHILD]


def test_a_reply_that_was_cut_is_asked_for_once_more_with_twice_the_room(operators: dict[str, Operator]) -> None:
    driven = drive(operators["rewrite"], Briefing(parents=(PARENT,)), [("length", "I think"), REWRITE])

    first, second = (ask.prompt for ask in driven.asks)
    assert second == replace(first, max_output_tokens=2 * first.max_output_tokens)
    assert [child.files for child in driven.children] == [CHILD]


def test_a_model_that_never_ends_is_asked_three_times_at_most(operators: dict[str, Operator]) -> None:
    driven = drive(operators["rewrite"], Briefing(parents=(PARENT,)), [("length", REWRITE)] * 3)

    assert driven.children == []
    assert [ask.purpose for ask in driven.asks] == ["code", "code", "repair"]
    assert "cut off at the limit of output tokens" in driven.question(2)
    assert "cut off" in driven.noted("gave_up")


def test_a_repair_that_was_cut_is_not_asked_for_again(operators: dict[str, Operator]) -> None:
    driven = drive(operators["rewrite"], Briefing(parents=(PARENT,)), ["no program", ("length", "I think")])

    assert driven.children == []
    assert len(driven.asks) == 2


def test_a_model_that_thought_for_all_its_tokens_gets_more_of_them_up_to_a_limit() -> None:
    prompts = [Prompt(system=(), turns=(), max_output_tokens=n) for n in (1000, 32_000, 32_768, 50_000)]

    assert [longer(prompt) for prompt in prompts] == [2000, 32_768, 32_768, 50_000]


def test_a_reply_that_was_cut_is_not_paid_for_again_in_full(operators: dict[str, Operator]) -> None:
    rambling = ("length", "I think. " * 10_000)

    driven = drive(operators["rewrite"], Briefing(parents=(PARENT,)), [rambling, rambling, REWRITE])

    assert len(driven.asks[2].prompt.turns[1].text) < 5000
    assert [child.files for child in driven.children] == [CHILD]


@pytest.mark.parametrize(
    ("outcome", "text", "reason"),
    [("refused", "I cannot", "refused"), ("no_budget", "", "no_budget"), ("cut", "```py", "cut"), ("ok", " ", "empty")],
)
def test_a_model_that_did_not_answer_is_not_asked_again(
    operators: dict[str, Operator], outcome: str, text: str, reason: str
) -> None:
    driven = drive(operators["diff"], Briefing(parents=(PARENT,)), [(outcome, text)])

    assert driven.children == []
    assert driven.noted("gave_up") == reason


def test_a_crossover_shows_both_parents_and_its_child_has_both(operators: dict[str, Operator]) -> None:
    driven = drive(operators["crossover"], Briefing(parents=(PARENT, OTHER)), [REWRITE])

    [child] = driven.children
    assert child.parent_ids == (7, 8)
    assert "python file=seed.py parent\n# EVOLVE-BLOCK-START\nfirst = 1.0\nsecond = 2.0" in driven.question()
    assert "python file=seed.py elite\n# EVOLVE-BLOCK-START\nfirst = 1.0\nsecond = 4.0" in driven.question()


@pytest.mark.parametrize("parents", [(PARENT,), (PARENT, judged(9, SEED))])
def test_a_crossover_without_two_different_parents_asks_nothing(
    operators: dict[str, Operator], parents: tuple[Judged, ...]
) -> None:
    assert drive(operators["crossover"], Briefing(parents=parents)).children == []


def failed(number: int, text: str, failure: str = "exception") -> Judged:
    return judged(number, text, score=None, failure=failure, detail=f"words of {number}", parents=(7,))


def test_a_repair_mends_a_failed_child(operators: dict[str, Operator]) -> None:
    broken = failed(12, SEED.replace("2.0", "1 / 0"))
    reply = "<<<<<<< SEARCH\nsecond = 1 / 0\n=======\nsecond = 1 / 2\n>>>>>>> REPLACE"

    driven = drive(operators["repair"], Briefing(parents=(PARENT,), failures=(broken,)), [reply])

    [child] = driven.children
    assert (child.files, child.parent_ids) == ({"seed.py": SEED.replace("2.0", "1 / 2")}, (7,))
    assert "words of 12" in driven.question()
    assert "python file=seed.py parent\n# EVOLVE-BLOCK-START\nfirst = 1.0\nsecond = 1 / 0" in driven.question()


def test_newer_failures_are_mended_more_often_than_older_ones(operators: dict[str, Operator]) -> None:
    failures = tuple(failed(number, SEED.replace("2.0", f"{number} / 0")) for number in (13, 12, 11))
    briefing = Briefing(parents=(PARENT,), failures=failures)

    questions = [drive(operators["repair"], briefing, [REWRITE], rng_seed=seed).question() for seed in range(40)]
    counts = [sum(f"words of {number}" in text for text in questions) for number in (13, 12, 11)]

    assert sum(counts) == 40
    assert counts[0] > max(counts[1:])
    assert min(counts) > 0


def test_a_repair_passes_over_failures_that_no_change_could_mend(operators: dict[str, Operator]) -> None:
    failures = (
        failed(15, SEED, "evaluator"),
        failed(14, SEED, "threshold"),
        failed(13, SEED.replace("def answer", "def other")),
        failed(12, SEED.replace("2.0", "(")),
    )

    driven = drive(operators["repair"], Briefing(parents=(PARENT,), failures=failures), [REWRITE])

    assert "words of 12" in driven.question()
    assert [child.files for child in driven.children] == [CHILD]


def test_a_repair_with_nothing_to_mend_costs_nothing(operators: dict[str, Operator]) -> None:
    driven = drive(operators["repair"], Briefing(parents=(PARENT,), failures=(failed(14, SEED, "evaluator"),)))

    assert (driven.children, driven.asks, driven.notes) == ([], [], [])


def test_a_program_of_several_files_is_changed_in_one(tmp_path: Path, python_problem: Path) -> None:
    toml = (python_problem / "problem.toml").read_text()
    (python_problem / "problem.toml").write_text(toml + '\n[seed]\nfiles = ["seed.py", "part.py"]\n')
    (python_problem / "part.py").write_text("# EVOLVE-BLOCK-START\nthird = 3\n# EVOLVE-BLOCK-END\n")
    problem = load_problem(python_problem)
    [operator] = language_model_operators(problem, ["m"], kinds=["diff"])
    base = judged(1, "")
    base.candidate.files.update(problem.seed_files)  # type: ignore[attr-defined]

    driven = drive(
        operator,
        Briefing(parents=(base,)),
        ["part.py\n<<<<<<< SEARCH\nthird = 3\n=======\nthird = 4\n>>>>>>> REPLACE"],
    )

    [child] = driven.children
    assert child.files["seed.py"] == problem.seed_files["seed.py"]
    assert child.files["part.py"] == "# EVOLVE-BLOCK-START\nthird = 4\n# EVOLVE-BLOCK-END\n"
    assert (
        "Write the name of the file on a line of its own before each block: `seed.py`, `part.py`." in driven.question()
    )


def test_what_goes_into_the_log_and_to_the_provider_can_be_written_as_text(operators: dict[str, Operator]) -> None:
    driven = drive(operators["diff"], Briefing(parents=(PARENT,)), ["```python file=\ud800\nx\n```"] * 2)

    said = [turn.text for ask in driven.asks for turn in ask.prompt.turns] + [driven.noted("gave_up")]
    assert all(text.encode("utf-8") for text in said)
