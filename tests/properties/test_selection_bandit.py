import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.selection.bandit import CostAwareBandit
from tests.extent import examples

NAMES = ("burst", "mutate", "cross")
events = st.lists(
    st.tuples(st.sampled_from(["start", "cancel", "update"]), st.sampled_from(NAMES), st.floats(0, 1), st.floats(0, 9)),
    max_size=80,
)


def replay(bandit: CostAwareBandit, log: list[tuple[str, str, float, float]]) -> CostAwareBandit:
    for what, name, reward, cost in log:
        if what == "start":
            bandit.start(name)
        elif what == "cancel":
            bandit.cancel(name)
        else:
            bandit.update(name, reward, cost)
    return bandit


def run(rates: dict[str, tuple[float, float]], n_steps: int, **settings_: float) -> Counter[str]:
    """Choose and be told: each operator has a chance of success and a cost."""
    bandit, source, counts = CostAwareBandit(list(rates), **settings_), np.random.default_rng(1), Counter[str]()
    for _ in range(n_steps):
        name = bandit.choose(source)
        chance, cost = rates[name]
        bandit.start(name)
        bandit.update(name, float(source.random() < chance), cost)
        counts[name] += 1
    return counts


@settings(max_examples=examples(80), deadline=None)
@given(events, st.integers(0, 1000))
def test_the_state_is_a_fold_over_what_was_told(log: list[tuple[str, str, float, float]], number: int) -> None:
    first, second = replay(CostAwareBandit(NAMES), log), replay(CostAwareBandit(NAMES), log)

    assert first.to_mapping() == second.to_mapping()
    choices = [first.choose(np.random.default_rng(number)) for _ in range(3)]
    assert choices == [second.choose(np.random.default_rng(number))] * 3


@settings(max_examples=examples(80), deadline=None)
@given(events)
def test_once_all_were_tried_each_operator_keeps_its_floor(log: list[tuple[str, str, float, float]]) -> None:
    bandit = replay(CostAwareBandit(NAMES), log)
    for name in NAMES:
        bandit.update(name, 0.0, 1.0)

    probabilities = bandit.probabilities()

    assert sum(probabilities.values()) == pytest.approx(1.0)
    assert min(probabilities.values()) >= 0.05
    assert sorted(probabilities.values()) == pytest.approx([0.05, 0.05, 0.9])


@settings(max_examples=examples(60), deadline=None)
@given(events, st.floats(1e-3, 1e3))
def test_the_unit_of_rewards_does_not_matter(log: list[tuple[str, str, float, float]], unit: float) -> None:
    scaled = [(what, name, reward * unit, cost) for what, name, reward, cost in log]
    left, right = replay(CostAwareBandit(NAMES), log), replay(CostAwareBandit(NAMES), scaled)

    for name in NAMES:
        bound = left.to_mapping()[name]["bound"]
        other = right.to_mapping()[name]["bound"]
        has_reward = any(each["rate"] > 1e-300 for each in left.to_mapping().values())
        assert not has_reward or bound is None or other == pytest.approx(bound * unit)


@settings(max_examples=examples(60), deadline=None)
@given(events)
def test_what_it_shows_is_finite_json(log: list[tuple[str, str, float, float]]) -> None:
    shown = replay(CostAwareBandit(NAMES), log).to_mapping()

    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    assert list(shown) == list(NAMES)


def test_every_operator_is_tried_once_in_turn_also_with_plans_in_flight() -> None:
    bandit, source, tried = CostAwareBandit(NAMES), np.random.default_rng(3), []

    for _ in NAMES:
        tried.append(bandit.choose(source))
        bandit.start(tried[-1])

    assert tried == list(NAMES)


def test_a_window_of_plans_does_not_go_to_one_operator() -> None:
    bandit = CostAwareBandit(NAMES, floor=0.0)
    for name in NAMES:
        bandit.update(name, 1.0 if name == "burst" else 0.6, 1.0)
    source, window = np.random.default_rng(1), Counter[str]()

    for _ in range(9):
        name = bandit.choose(source)
        bandit.start(name)
        window[name] += 1

    assert set(window) == set(NAMES)
    assert max(window.values()) < 8
    assert bandit.pending("burst") == window["burst"]


def test_outcomes_settle_the_plans_in_flight() -> None:
    bandit = CostAwareBandit(NAMES)
    bandit.start("burst")
    bandit.start("burst")

    bandit.update("burst", 1.0, 2.0)
    bandit.cancel("burst")
    bandit.update("burst", 0.0, 2.0)

    shown = bandit.to_mapping()["burst"]
    assert (shown["pending"], shown["iterations"], shown["kept"], shown["mean_cost"]) == (0, 2, 1, 2.0)


def test_what_brings_more_for_its_cost_is_chosen_more() -> None:
    counts = run({"dear": (0.9, 10.0), "cheap": (0.3, 1.0)}, 2000)

    assert counts["cheap"] > 0.8 * 2000
    assert counts["dear"] > 0.03 * 2000


def test_an_operator_that_runs_dry_loses_its_place() -> None:
    bandit, source = CostAwareBandit(["early", "late"]), np.random.default_rng(2)
    chosen = []
    for step in range(1500):
        name = bandit.choose(source)
        chance = (0.8 if step < 500 else 0.0) if name == "early" else 0.2
        bandit.update(name, float(source.random() < chance), 1.0)
        chosen.append(name)

    assert Counter(chosen[100:500])["early"] > 0.8 * 400
    assert Counter(chosen[700:])["late"] > 0.8 * 800


def test_an_operator_that_costs_and_brings_nothing_does_not_take_over() -> None:
    counts = run({"idle": (0.0, 0.0), "worker": (0.2, 1.0)}, 1000)

    assert counts["worker"] > 0.7 * 1000


def test_without_any_success_all_take_turns() -> None:
    counts = run(dict.fromkeys(NAMES, (0.0, 1.0)), 600)

    assert min(counts.values()) > 150


def test_a_long_unused_operator_is_not_forgotten_into_nonsense() -> None:
    bandit = CostAwareBandit(NAMES, floor=0.0, exploration=0.0)
    for name in NAMES:
        bandit.update(name, 0.5, 1.0)
    for _ in range(50_000):
        bandit.update("burst", 1.0, 1.0)

    shown = bandit.to_mapping()["mutate"]

    assert shown["rate"] == 0.0
    assert shown["bound"] is None
    assert bandit.choose(np.random.default_rng(1)) == "mutate"


def test_many_operators_share_what_floor_there_is() -> None:
    names = [str(number) for number in range(50)]
    bandit = CostAwareBandit(names)
    for name in names:
        bandit.update(name, 1.0, 1.0)

    assert bandit.probabilities() == pytest.approx(dict.fromkeys(names, 0.02))


@pytest.mark.parametrize(("reward", "cost"), [(-1.0, 1.0), (1.0, -1.0), (math.nan, 1.0), (1.0, math.inf)])
def test_a_wrong_outcome_changes_nothing(reward: float, cost: float) -> None:
    bandit = CostAwareBandit(NAMES)
    before = bandit.to_mapping()

    with pytest.raises(ValueError, match="finite and not negative"):
        bandit.update("burst", reward, cost)

    assert bandit.to_mapping() == before


def test_names_must_be_known_and_distinct() -> None:
    with pytest.raises(ValueError, match="names of their own"):
        CostAwareBandit([])
    with pytest.raises(ValueError, match="names of their own"):
        CostAwareBandit(["a", "a"])
    with pytest.raises(ValueError, match="no operator 'brust'"):
        CostAwareBandit(NAMES).start("brust")
    with pytest.raises(ValueError, match="floor in"):
        CostAwareBandit(NAMES, floor=2.0)
