"""Language models write update rules: the prompt tells words, types and state; the answer is read as any rule is."""

from dataclasses import replace

import pytest

from evolve.config.problem import load_problem
from evolve.operators.briefing import Briefing
from evolve.operators.contract import Operator
from evolve.operators.writing.setup import language_model_operators
from sandbox.symbolic.vocabulary import BUILT_IN
from sandbox.update_rules.about import INPUTS, WORDS, words_in_lines
from tests.scripted_operators import drive, judged

PROBLEM = load_problem("optimizers")
SEED = PROBLEM.seed_files["seed.py"]
BRIEFING = Briefing(parents=(judged(7, SEED),))
LION = "def update(g, m):\n    return sign(ema(m, g, 0.9)), ema(m, g, 0.99)\n"


@pytest.fixture
def rewrite() -> Operator:
    [operator] = language_model_operators(PROBLEM, ["m"], kinds=["rewrite"])
    return operator


def answered(operator: Operator, *texts: str) -> list[str]:
    """The texts of the children that these answers bring."""
    driven = drive(operator, BRIEFING, [f"```python\n{text}```" for text in texts])
    return [child.files["seed.py"] for child in driven.children]


@pytest.mark.parametrize("name", ["optimizer", "optimizer_elementwise"])
def test_every_word_and_input_of_the_vocabulary_is_explained(name: str) -> None:
    vocabulary = BUILT_IN[name]
    signature = vocabulary.signature
    assert signature is not None
    used = {function.name for function in vocabulary.functions} - {vocabulary.functions[signature.word].name}

    assert used <= set(WORDS)
    assert set(signature.inputs[: signature.n_read]) == set(INPUTS)
    assert len(words_in_lines(vocabulary)) == len(used)


def test_no_explained_word_is_unknown() -> None:
    assert {function.name for function in BUILT_IN["optimizer"].functions} - {","} == set(WORDS)


def test_the_prompt_tells_inputs_types_state_and_limits(rewrite: Operator) -> None:
    task = drive(rewrite, BRIEFING, [f"```\n{LION}```"]).asks[0].prompt.system[0]

    for told in (
        "`def update(...):`",
        "- `g` (tensor): the gradient of this batch",
        "- `l` `p` (left): state, zero before step 1",
        "- `a @ b` (left, tensor), (tensor, right)",
        "- `orthogonal(a)` (tensor) -> tensor",
        "At most 24 operations and 16 literals",
        "Only the learning rate is tuned afterwards",
    ):
        assert told in task


def test_inputs_that_the_problem_does_not_offer_are_not_told(rewrite: Operator) -> None:
    task = drive(rewrite, BRIEFING, [f"```\n{LION}```"]).asks[0].prompt.system[0]

    assert "- `h`" not in task
    assert "- `f`" not in task


def test_a_rule_that_a_model_writes_becomes_a_child(rewrite: Operator) -> None:
    children = answered(rewrite, LION)

    assert len(children) == 1
    assert "sign(" in children[0]
    assert children[0].startswith("def update(g, m):")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def update(g, m):\n    return sign(m)\n", "return update, m"),
        ("def update(g, loss):\n    return g * loss\n", "`loss` is no input"),
        ("def update(g, h):\n    return g / h\n", "`h` is not offered by this problem"),
        ("def update(g):\n    return g @ g\n", "tensor"),
        ("def update(g):\n    import os\n    return g\n", "only assignments"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_and_asked_again(rewrite: Operator, text: str, words: str) -> None:
    driven = drive(rewrite, BRIEFING, [f"```python\n{text}```", f"```python\n{LION}```"])

    assert words in driven.question(1)
    assert len(driven.children) == 1


def test_the_parent_with_other_names_is_refused(rewrite: Operator) -> None:
    renamed = SEED.replace("m = ", "fast = ", 1).replace("debias(m", "debias(fast").replace(", m, v\n", ", fast, v\n")
    assert renamed != SEED

    driven = drive(rewrite, BRIEFING, [f"```python\n{renamed}```", f"```python\n{LION}```"])

    assert "the same as before" in driven.question(1)


def test_other_vocabularies_are_told_as_before() -> None:
    [operator] = language_model_operators(load_problem("tanh"), ["m"], kinds=["rewrite"])
    briefing = replace(BRIEFING, parents=(judged(1, "def f(x):\n    return x\n"),))

    task = drive(operator, briefing, ["```\ndef f(x):\n    return x + 1.0\n```"]).asks[0].prompt.system[0]

    assert "`def f(x):`" in task
    assert "state" not in task
