"""Strategies over a toolbox: what is read and written, and that every change gives a strategy that runs."""

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.candidate import Candidate
from evolve.operators.contract import Proposal
from evolve.operators.strategy import StrategyChange, StrategyCrossover, strategy_of, with_statements
from evolve.operators.strategy_moves import CHANGES, MAX_CALLS, crossed, varied
from evolve.operators.strategy_text import Call, Loop, NoStrategyError, calls_of, is_sound, read, write
from sandbox.toolbox.base import CHOOSE, MOVE, SOLVE, START, Real, Step, Whole
from tests.extent import examples

STEPS = (
    Step(name="random", kind=START, n_things=0, parameters=()),
    Step(name="scattered", kind=START, n_things=0, parameters=(("tries", Whole(2, 50, 10)),)),
    Step(name="jitter", kind=MOVE, n_things=1, parameters=(("size", Real(1e-4, 0.3, 0.03)),)),
    Step(name="relocate", kind=MOVE, n_things=1, parameters=(("count", Whole(1, 8, 1)),)),
    Step(
        name="ascend",
        kind=SOLVE,
        n_things=1,
        parameters=(("rounds", Whole(1, 100, 20)), ("trust", Real(1e-4, 0.5, 0.1))),
    ),
    Step(name="accept", kind=CHOOSE, n_things=2, parameters=(("temperature", Real(0.0, 0.05, 0.0)),)),
    Step(name="recall", kind=CHOOSE, n_things=1, parameters=()),
)
BY_NAME = {step.name: step for step in STEPS}
SEED = '''"""A seed."""

from toolbox.points import Points

# EVOLVE-BLOCK-START


def strategy(t):
    """Hop."""
    x = t.random()
    for _ in range(10):
        y = t.jitter(x, size=0.05)
        y = t.ascend(y, rounds=5)
        x = t.accept(x, y)
    while True:
        x = t.recall(x)


# EVOLVE-BLOCK-END


def construct(n):
    return n
'''


def candidate(text: str, number: int = 1) -> Candidate:
    return Candidate(
        id=number,
        files={"seed.py": text},
        fingerprint=f"f{number}",
        parent_ids=(),
        operator="seed",
        generation=0,
        iteration=0,
        metrics={},
    )


def statements_of(body: str) -> tuple[Call | Loop, ...]:
    text = "def strategy(t):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    return read(function, BY_NAME)


def children_of(operator: StrategyChange | StrategyCrossover, parents: list[Candidate], seed: int) -> list[Proposal]:
    generator = operator.propose(parents, [], np.random.default_rng(seed))
    with pytest.raises(StopIteration) as ended:
        next(generator)
    proposals: list[Proposal] = ended.value.value
    return proposals


def test_what_is_read_is_written_again() -> None:
    found = strategy_of({"seed.py": SEED}, BY_NAME)

    assert found is not None
    text = write(found.statements, "t")
    assert text == (
        "    x = t.random()\n"
        "    for _ in range(10):\n"
        "        y = t.jitter(x, size=0.05)\n"
        "        y = t.ascend(y, rounds=5, trust=0.1)\n"
        "        x = t.accept(x, y, temperature=0.0)\n"
        "    while True:\n"
        "        x = t.recall(x)\n"
    )
    assert statements_of("\n".join(line[4:] for line in text.splitlines())) == found.statements


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("x = t.jitter(x)", "before it has a value"),
        ("x = t.random()\nx = t.fly(x)", "no step"),
        ("x = t.random()\nx = t.jitter(x, height=2.0)", "no parameter height"),
        ("x = t.random()\nx = t.jitter(x, x)", "takes 1 objects"),
        ("x = t.random()\nx = t.jitter(x, size=y)", "parameters are numbers"),
        ("x = t.random()\nimport os", "neither a step nor a loop"),
        ("for _ in names:\n    x = t.random()", "range"),
        ("for _ in range(3):\n    x = t.random()\nelse:\n    x = t.random()", "else"),
        ("x = t.random(**options)", "parameters are numbers"),
        ("x, y = t.random()", "neither a step nor a loop"),
    ],
)
def test_other_python_is_no_strategy_for_these_operators(body: str, reason: str) -> None:
    with pytest.raises(NoStrategyError, match=reason):
        statements_of(body)


@pytest.mark.parametrize("change", [change for change, _ in CHANGES], ids=[change.__name__ for change, _ in CHANGES])
def test_each_kind_of_change_finds_something_to_do(change: object) -> None:
    found = strategy_of({"seed.py": SEED}, BY_NAME)
    assert found is not None
    assert callable(change)

    made = [change(found.statements, BY_NAME, np.random.default_rng(seed)) for seed in range(40)]

    assert any(each is not None and each != found.statements and is_sound(each) for each in made)


@settings(max_examples=examples(100))
@given(st.integers(0, 2**32))
def test_a_long_row_of_changes_gives_strategies_that_can_be_read_within_their_ranges(seed: int) -> None:
    found = strategy_of({"seed.py": SEED}, BY_NAME)
    assert found is not None
    rng, statements = np.random.default_rng(seed), found.statements

    for _ in range(30):
        statements = varied(statements, BY_NAME, rng) or statements
        statements = crossed(statements, found.statements, rng) or statements

    child = with_statements({"seed.py": SEED}, found, statements)
    assert child is None or strategy_of(child, BY_NAME) is not None
    calls = list(calls_of(statements))
    assert 0 < len(calls) <= MAX_CALLS
    for call in calls:
        for name, span in BY_NAME[call.step].parameters:
            value = dict(call.values)[name]
            assert span.low <= value <= span.high
            assert isinstance(value, int if isinstance(span, Whole) else float)


@pytest.mark.parametrize("seed", range(20))
def test_a_child_differs_from_its_parent_in_the_strategy_alone(seed: int) -> None:
    [child] = children_of(StrategyChange(STEPS), [candidate(SEED)], seed)

    text = child.files["seed.py"]
    assert text != SEED
    assert text.split("# EVOLVE-BLOCK-START")[0] == SEED.split("# EVOLVE-BLOCK-START")[0]
    assert text.split("# EVOLVE-BLOCK-END")[1] == SEED.split("# EVOLVE-BLOCK-END")[1]
    assert '"""Hop."""' in text
    assert child.parent_ids == (1,)


def test_crossing_takes_from_both() -> None:
    other = candidate(SEED.replace("jitter(x, size=0.05)", "relocate(x, count=7)"), 2)

    children = [children_of(StrategyCrossover(STEPS), [candidate(SEED), other], seed) for seed in range(20)]

    texts = [child.files["seed.py"] for found in children for child in found]
    assert any("relocate(x, count=7)" in text and "jitter" in text for text in texts)
    assert all(child.parent_ids == (1, 2) for found in children for child in found)


@pytest.mark.parametrize(
    "text", [SEED.replace("x = t.recall(x)", "print(x)"), SEED.replace("def strategy", "def other")]
)
def test_a_program_of_another_kind_gets_no_child(text: str) -> None:
    assert children_of(StrategyChange(STEPS), [candidate(text)], 1) == []
    assert children_of(StrategyCrossover(STEPS), [candidate(text), candidate(SEED, 2)], 1) == []
