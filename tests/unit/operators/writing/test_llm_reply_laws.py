"""Whatever a model replies: a legal candidate comes out of it, or words that say what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.config.problem import Problem, load_problem
from evolve.loop.gate import gate_for
from evolve.operators.writing.reply_error import ReplyError
from evolve.operators.writing.setup import language_of

PYTHON = load_problem("circle_packing_26")
SYMBOLIC = load_problem("exp2")
PIECES = st.sampled_from(
    [
        "```",
        "```python",
        "````python file=seed.py",
        "~~~",
        "<<<<<<< SEARCH",
        "=======",
        ">>>>>>> REPLACE",
        "seed.py",
        "# EVOLVE-BLOCK-START",
        "# EVOLVE-BLOCK-END",
        "    rate = 0.05",
        "    rate = 0.5",
        "def search(square):",
        "def f(x):",
        "    return x",
        "    return x * x + 1.0",
        "    return x / (1.0 - 1.0)",
        "import os",
        "...",
        "\x00",
        "\ud800",
        "",
    ]
)
REPLIES = st.lists(PIECES, max_size=14).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(lines))
)
WHOLE = st.lists(PIECES, max_size=6).map(lambda lines: "```python\n" + "\n".join(lines) + "\n```")
DIFFS = st.tuples(st.lists(PIECES, min_size=1, max_size=3), st.lists(PIECES, max_size=3)).map(
    lambda pair: "\n".join(["<<<<<<< SEARCH", *pair[0], "=======", *pair[1], ">>>>>>> REPLACE"])
)


def outcome_of(problem: Problem, reply: str) -> dict[str, str] | str:
    """The child, or the words that refuse it."""
    try:
        return language_of(problem, refits=False).child(reply, problem.seed_files)
    except ReplyError as error:
        return str(error)


@pytest.mark.parametrize("problem", [PYTHON, SYMBOLIC], ids=["python", "symbolic"])
@given(reply=REPLIES | WHOLE | DIFFS)
def test_any_reply_is_a_legal_candidate_or_refused_with_words(problem: Problem, reply: str) -> None:
    outcome = outcome_of(problem, reply)

    if isinstance(outcome, str):
        assert outcome.strip()
    else:
        gate = gate_for(problem)
        assert gate.fingerprint_of(outcome) != gate.fingerprint_of(problem.seed_files)


@pytest.mark.parametrize(
    ("problem", "reply"),
    [
        (PYTHON, "<<<<<<< SEARCH\n    rate = 0.05\n=======\n    rate = 0.5\n>>>>>>> REPLACE"),
        (SYMBOLIC, "```python\ndef f(x):\n    return x * x + 1.0\n```"),
    ],
)
def test_the_pieces_make_children_too(problem: Problem, reply: str) -> None:
    assert isinstance(outcome_of(problem, reply), dict)
