"""Twins among update rules: rules that train alike with as much are one, a smaller one is a discovery."""

import pytest

from evolve.config.problem import load_problem
from evolve.loop.behaviour import RuleBehaviour, behaviour_for


@pytest.fixture(scope="module")
def behaviour() -> RuleBehaviour:
    found = behaviour_for(load_problem("optimizers"))
    assert isinstance(found, RuleBehaviour)
    return found


def rule(*lines: str, slots: str = "") -> str:
    body = "".join(f"    {line}\n" for line in lines[:-1])
    tail = f", {slots}" if slots else ""
    return f"def update(g, w, t{tail}):\n{body}    return {lines[-1]}{tail}\n"


def signature(behaviour: RuleBehaviour, text: str) -> str | None:
    return behaviour.signature_of({"seed.py": text})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (rule("g * 2.0"), rule("g * 300.0")),  # the learning rate is tuned anyway
        (rule("sign(g) * abs(g)"), rule("abs(g) * sign(g)")),
        (rule("m = ema(m, g, 0.9)", "m", slots="m"), rule("v = ema(v, g, 0.9)", "v", slots="v")),
    ],
)
def test_rules_that_train_alike_with_as_much_are_twins(behaviour: RuleBehaviour, left: str, right: str) -> None:
    assert signature(behaviour, left) == signature(behaviour, right) is not None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (rule("g"), rule("g * 2.0")),
        (rule("g / abs(g)"), rule("g / sqrt(square(g))")),
        (rule("m = ema(m, g, 0.9)", "m", slots="m"), rule("m = ema(m, g, 0.8)", "m", slots="m")),
        (rule("g"), rule("g + 0.01 * w")),
    ],
)
def test_a_smaller_rule_and_one_that_steps_otherwise_are_no_twins(
    behaviour: RuleBehaviour, left: str, right: str
) -> None:
    assert signature(behaviour, left) != signature(behaviour, right)


@pytest.mark.parametrize("text", [rule("w"), rule("g - g"), "def update(g):\n    return sin(g)\n", ""])
def test_nothing_is_said_of_what_cannot_train(behaviour: RuleBehaviour, text: str) -> None:
    assert signature(behaviour, text) is None
