"""Symbolic programs from language models: read strictly, written anew, their constants fitted by the machine."""

from pathlib import Path

import pytest

from evolve import tasks
from evolve.config.problem import load_problem
from evolve.operators.briefing import Briefing
from evolve.operators.contract import EVERYONE, Operator
from evolve.operators.symbolic import SymbolicBurst
from evolve.operators.writing.refit import FIT
from evolve.operators.writing.setup import language_model_operators
from evolve.operators.writing.symbolic import described
from sandbox.symbolic.vocabulary import ELEMENTARY, load_vocabulary
from tests.scripted_operators import drive, judged

PARENT = judged(7, "def f(x):\n    return x * 2.0\n")
BRIEFING = Briefing(parents=(PARENT,))
REPLY = "A sum.\n```python\ndef f(x):\n    # twice\n    twice = x + x\n    return twice + 1.0\n```"
CHILD = "def f(x):\n    t1 = x + x\n    return t1 + 1.0\n"


@pytest.fixture
def rewrite(symbolic_problem: Path) -> Operator:
    [operator] = language_model_operators(load_problem(symbolic_problem), ["m"], kinds=["rewrite", "diff"])
    return operator


@pytest.mark.parametrize(
    "reply",
    [REPLY, "def f(x):\n    return 1.0 + (x + x)", "So:\n\ndef f(x):\n    return (x + x) + 1.0\n"],
)
def test_the_program_is_written_anew_without_comments(rewrite: Operator, reply: str) -> None:
    [child] = drive(rewrite, BRIEFING, [reply]).children

    assert child.parent_ids == (7,)
    assert child.files in ({"seed.py": CHILD}, {"seed.py": CHILD.replace("t1 + 1.0", "1.0 + t1")})


def test_a_diff_of_the_function_is_read_too(rewrite: Operator) -> None:
    reply = "<<<<<<< SEARCH\n    return x * 2.0\n=======\n    return x * 2.0 + 1.0\n>>>>>>> REPLACE"

    [child] = drive(rewrite, BRIEFING, [reply]).children

    assert child.files == {"seed.py": "def f(x):\n    t1 = x * 2.0\n    return t1 + 1.0\n"}


@pytest.mark.parametrize("name", ["f", "g"])
def test_the_function_gets_the_name_that_the_problem_wants(rewrite: Operator, name: str) -> None:
    [child] = drive(rewrite, BRIEFING, [REPLY.replace("def f", f"def {name}")]).children

    assert child.files == {"seed.py": CHILD}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return sin(x)", "sin"),
        ("return y", "y"),
        ("return x * x * x * x * x * x * x * x", "has 7 operations, at most 6 are allowed"),
        ("return 2.0 * x", "the same as before, up to names and order"),
        ("import math", "only assignments"),
    ],
)
def test_the_model_is_told_what_the_language_refuses(rewrite: Operator, body: str, message: str) -> None:
    driven = drive(rewrite, BRIEFING, [f"```python\ndef f(x):\n    {body}\n```", REPLY])

    assert message in driven.question(1)
    assert [child.files["seed.py"] for child in driven.children] == [CHILD]


def test_a_refusal_of_the_language_says_what_there_is(rewrite: Operator) -> None:
    driven = drive(rewrite, BRIEFING, ["```\ndef f(x):\n    return exp(x)\n```", REPLY])

    assert "+ - * /. The function starts with `def f(x):`" in driven.question(1)


def test_too_many_literals_are_refused(symbolic_problem: Path) -> None:
    toml = symbolic_problem / "problem.toml"
    toml.write_text(toml.read_text().replace("max_operations = 6", "max_operations = 6\nmax_constants = 1"))
    [operator] = language_model_operators(load_problem(symbolic_problem), ["m"], kinds=["rewrite"])

    driven = drive(operator, BRIEFING, ["```\ndef f(x):\n    return 3.0 * x + 1.0\n```", REPLY])

    assert "has 2 literals, at most 1 are allowed" in driven.question(1)


def test_a_failed_program_outside_of_the_language_can_be_mended(symbolic_problem: Path) -> None:
    [operator] = language_model_operators(load_problem(symbolic_problem), ["m"], kinds=["repair"])
    broken = judged(9, "def f(x):\n    return sin(x)\n", score=None, failure="syntax", detail="no sin", parents=(7,))

    driven = drive(operator, Briefing(parents=(PARENT,), failures=(broken,)), [REPLY])

    assert [child.files["seed.py"] for child in driven.children] == [CHILD]


def burst() -> SymbolicBurst:
    return SymbolicBurst(
        name="refit",
        n_parents=EVERYONE,
        kind="refit",
        judge={"name": "line"},
        vocabulary="arithmetic",
        inputs=("x",),
        entry="seed.py",
        settings={"work": 1.0, "max_operations": 6, "n_children": 32},
    )


def test_constants_are_fitted_to_what_the_model_wrote(symbolic_problem: Path) -> None:
    [operator] = language_model_operators(load_problem(symbolic_problem), ["m"], kinds=["rewrite"], refit=burst())
    fitted = CHILD.replace("1.0", "1.25")

    driven = drive(
        operator, BRIEFING, [REPLY], computed={"children": [{"source": fitted, "parents": [0]}], "cost": 0.0}
    )

    [compute] = driven.computes
    assert compute.task == tasks.BURST
    assert compute.payload["parents"] == [CHILD]
    assert compute.payload["settings"]["kind"] == tasks.FIT == FIT
    assert [(child.files["seed.py"], child.parent_ids) for child in driven.children] == [(fitted, (7,))]
    assert "a machine fits the literals" in driven.asks[0].prompt.system[0]


def test_a_program_that_cannot_be_fitted_stays_as_it_was_written(symbolic_problem: Path) -> None:
    [operator] = language_model_operators(load_problem(symbolic_problem), ["m"], kinds=["rewrite"], refit=burst())

    driven = drive(operator, BRIEFING, [REPLY], computed={"children": [], "cost": 0.0})

    assert [child.files["seed.py"] for child in driven.children] == [CHILD]


def test_no_burst_is_paid_for_without_a_program(symbolic_problem: Path) -> None:
    [operator] = language_model_operators(load_problem(symbolic_problem), ["m"], kinds=["rewrite"], refit=burst())

    assert drive(operator, BRIEFING, ["no", "no"]).computes == []


def test_words_are_described_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        'INCLUDE = ("arithmetic",)\n\n\n'
        'def blend(a: float, b: "Vector") -> "Vector":\n    """A mix of both.\n\n    More."""\n'
    )
    own = load_vocabulary(tmp_path / "own.py")

    assert described(own.functions[-1]) == "`blend(a, b)`, (real, Vector) -> Vector: a mix of both"
    assert [described(ELEMENTARY.functions[ELEMENTARY.position_of(name)]) for name in ("add", "neg", "sqrt")] == [
        "`a + b`",
        "`-a`",
        "`sqrt(a)`",
    ]
