"""What kind of rule a program is: measured on gradients, not read off its text."""

import pytest

from evaluators.optimizers.descriptor import UselessRuleError, kind_of
from sandbox.update_rules.rule import read_rule
from sandbox.update_rules.zoo import ZOO, zoo_rule


def rule(body: str, slots: str = "") -> str:
    return f"def update(g, w, t{slots}):\n    return {body}\n"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sgd", "linear"),
        ("nesterov", "linear"),
        ("adam", "adaptive"),
        ("nadamw", "adaptive"),
        ("adabelief", "adaptive"),
        ("rmsprop", "adaptive"),
        ("lion", "sign"),
        ("signum", "sign"),
        ("normalised_momentum", "normalised"),
        ("cautious_adamw", "normalised"),
        ("muon", "matrix"),
        ("soap", "matrix"),
        ("shampoo", "matrix"),
        ("sophia", "curvature"),
        ("gravity", "partial"),
    ],
)
def test_published_rules_are_of_the_family_that_they_are_known_for(name: str, family: str) -> None:
    assert kind_of(zoo_rule(name)).family == family


@pytest.mark.parametrize("name", sorted(ZOO))
def test_no_published_rule_is_refused(name: str) -> None:
    assert kind_of(zoo_rule(name)).metrics()["degree"] == kind_of(zoo_rule(name)).degree


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ("g / sqrt(square(g))", "sign"),  # no sign is written, and it is one
        ("tanh(g * 1e6)", "sign"),
        ("sign(g) * abs(g)", "linear"),
        ("g / rms(g)", "normalised"),
        ("sqrt(g) * sign(g)", "partial"),
        ("orthogonal(g) * 0.0 + g", "matrix"),
    ],
)
def test_what_a_rule_does_decides_and_not_how_it_is_written(body: str, family: str) -> None:
    assert kind_of(read_rule(rule(body))).family == family


@pytest.mark.parametrize(
    ("body", "words", "is_finite"),
    [
        ("w", "does not depend on the gradient", True),
        ("w * 0.1 + t", "does not depend on the gradient", True),
        ("g * 0.0 + w", "does not depend on the gradient", True),
        ("g - g", "has size 0", True),
        ("g * 1e30", "has size", True),
        ("exp(g * 1e9) * exp(g * 1e9) * 1e300", "not finite", False),
    ],
)
def test_a_rule_that_can_train_nothing_is_refused_with_the_reason(body: str, words: str, is_finite: bool) -> None:
    with pytest.raises(UselessRuleError, match=words) as caught:
        kind_of(read_rule(rule(body)))

    assert caught.value.is_finite is is_finite


@pytest.mark.parametrize("rate", [0.0005, 0.001, 0.01, 0.1])
def test_a_schedule_of_the_rules_own_shows_although_the_search_would_reward_it(rate: float) -> None:
    plain, hidden = (kind_of(read_rule(rule(body))) for body in ("g", f"g * exp(t * -{rate})"))

    assert plain.late == 0.0
    assert abs(hidden.late) > 7.0


def test_debiasing_is_no_schedule() -> None:
    assert kind_of(zoo_rule("adam")).late == 0.0


def test_weights_that_are_read_and_signs_that_are_kept_show() -> None:
    decayed, plain = kind_of(zoo_rule("adamw")), kind_of(zoo_rule("adam"))

    assert (decayed.reads_weights, plain.reads_weights) == (True, False)
    assert plain.is_odd
    assert not kind_of(read_rule(rule("g + abs(g)"))).is_odd


def test_the_size_of_the_gradient_matters_to_plain_descent_and_not_to_adam() -> None:
    assert kind_of(zoo_rule("sgd")).degree == 1.0
    assert abs(kind_of(zoo_rule("adam")).degree) < 0.01


def test_a_constant_factor_changes_nothing() -> None:
    first, second = (kind_of(read_rule(rule(f"sign(g) * {factor}"))) for factor in (1.0, 37.5))

    assert first == second
