"""How often what is chosen: frequencies against exact probabilities, and relations that must leave a choice alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import GridArchive, LinearAxis, TopCell
from archive.candidate import Candidate
from evolve.selection.bandit import DISCOUNT, LEAST_COST, CostAwareBandit
from evolve.selection.parents import EXPLOITATION, N_TOP, choose_inspirations, choose_parents, everyone
from evolve.testing.archive_conformance import candidate, feed, stream
from tests.extent import examples

N_DRAWS = 4000
NAMES = ("a", "b", "c")
outcomes = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 8), st.integers(0, 8)), max_size=40)


def row_of_cells(scores: Sequence[Sequence[float]], *, width: float = 1.0) -> GridArchive:
    """An archive with one axis; cell k holds candidates with the given scores, ids counted through from 1."""
    archive = GridArchive([LinearAxis("x", 0.0, width * len(scores), len(scores))], cell=TopCell(keep=5))
    identifier = 0
    for cell, held in enumerate(scores):
        for place, score in enumerate(held):
            identifier += 1
            descriptor = [width * (cell + 0.25 + 0.1 * place)]
            archive.add(candidate(identifier), score=score, descriptor=descriptor)
    return archive


def harmonic(n: int) -> list[Fraction]:
    """Weights 1, 1/2, 1/3 … made to sum to one."""
    weights = [Fraction(1, k) for k in range(1, n + 1)]
    return [weight / sum(weights) for weight in weights]


def within_chance(counts: Mapping[int, int], expected: Mapping[int, Fraction]) -> bool:
    """Whether counts of draws are those of the probabilities, to five standard deviations each."""
    assert sum(expected.values()) == 1
    assert set(counts) <= set(expected)
    n = sum(counts.values())
    return all(
        abs(counts.get(key, 0) - n * float(p)) <= 5 * sqrt(n * float(p) * (1 - float(p))) + 1e-9
        for key, p in expected.items()
    )


def parent_probabilities(archive: GridArchive, exploitation: Fraction) -> dict[int, Fraction]:
    """How likely each elite is to be the one parent, from the rule in words."""
    chance: dict[int, Fraction] = {}
    best = sorted(archive.elites(), key=lambda elite: (-elite.score, elite.candidate.id))[:N_TOP]
    for elite, weight in zip(best, harmonic(len(best)), strict=True):
        chance[elite.candidate.id] = exploitation * weight
    cells = archive.occupied().tolist()
    for cell in cells:
        held = archive.elites_in(cell)
        for elite, weight in zip(held, harmonic(len(held)), strict=True):
            share = (1 - exploitation) * weight / len(cells)
            chance[elite.candidate.id] = chance.get(elite.candidate.id, Fraction(0)) + share
    return chance


@pytest.mark.parametrize("exploitation", [Fraction(0), Fraction(1, 4), Fraction(1)])
def test_a_parent_comes_as_often_as_the_rule_says(exploitation: Fraction) -> None:
    archive = row_of_cells([[5.0, 4.0, 3.0], [9.0], [], [1.0, 0.5], [7.0, 7.0, 2.0, 1.5], [0.0]])
    expected = parent_probabilities(archive, exploitation)
    rng = np.random.default_rng(17)

    drawn = Counter(choose_parents(archive, 1, rng, exploitation=float(exploitation))[0].id for _ in range(N_DRAWS))

    assert within_chance(drawn, {key: p for key, p in expected.items() if p or key in drawn})


def test_a_quarter_of_the_parents_comes_from_the_best_unless_told_otherwise() -> None:
    archive = row_of_cells([[3.0, 1.0], [2.0]])
    rng = np.random.default_rng(18)

    drawn = Counter(choose_parents(archive, 1, rng)[0].id for _ in range(N_DRAWS))

    assert EXPLOITATION == 0.25
    assert within_chance(drawn, parent_probabilities(archive, Fraction(1, 4)))


def test_in_a_pair_everyone_has_a_partner_of_another_kind() -> None:
    archive = row_of_cells([[3.0], [2.0], [1.0]])
    rng = np.random.default_rng(19)

    pairs = Counter(tuple(parent.id for parent in choose_parents(archive, 2, rng)) for _ in range(600))

    assert set(pairs) == {(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)}


def test_a_few_elites_are_parents_again_when_more_are_wanted() -> None:
    archive = row_of_cells([[3.0], [2.0]])

    parents = choose_parents(archive, 7, np.random.default_rng(20))

    assert len(parents) == 7
    assert {parent.id for parent in parents[:2]} == {1, 2}


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 120), st.integers(1, 40))
def test_everyone_is_each_candidate_once_and_the_best_of_cells_first(number: int, n_offers: int, limit: int) -> None:
    archive = GridArchive([LinearAxis("x", 0.0, 1.0, 5), LinearAxis("y", 0.0, 1.0, 3)], cell=TopCell(keep=3))
    feed(archive, stream(number, n_offers))
    ids = {elite.candidate.id for elite in archive.elites()}
    firsts = {archive.elites_in(cell)[0].candidate.id for cell in archive.occupied().tolist()}

    whole, part = everyone(archive), everyone(archive, limit)

    assert sorted(each.id for each in whole) == sorted(ids)
    assert {each.id for each in whole[: len(firsts)]} == firsts
    assert part == whole[:limit]


@settings(max_examples=examples(25), deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2.0**-20, 0.5, 4.0, 2.0**30]), st.integers(1, 5))
def test_the_unit_of_an_axis_does_not_matter_for_inspirations(number: int, unit: float, n: int) -> None:
    scores = np.random.default_rng(number).integers(0, 9, (12, 2)).astype(float).tolist()
    metres, other = row_of_cells(scores), row_of_cells(scores, width=unit)

    def chosen(archive: GridArchive) -> list[int]:
        parents: list[Candidate] = [archive.elites()[0].candidate]
        return [each.id for each in choose_inspirations(archive, parents, n, np.random.default_rng(number))]

    assert chosen(metres) == chosen(other)


@settings(max_examples=examples(25), deadline=None)
@given(outcomes)
def test_choices_are_drawn_with_the_probabilities_that_are_shown(told: list[tuple[str, int, int]]) -> None:
    bandit = CostAwareBandit(NAMES, floor=0.1)
    for name, reward, cost in told:
        bandit.update(name, reward / 8, cost / 4)
    expected = dict(enumerate(Fraction(p).limit_denominator(10**6) for p in bandit.probabilities().values()))
    rng = np.random.default_rng(21)

    drawn = Counter(NAMES.index(bandit.choose(rng)) for _ in range(300))

    assert within_chance(drawn, expected)


@settings(max_examples=examples(25), deadline=None)
@given(outcomes)
def test_without_fading_the_record_is_plain_arithmetic(told: list[tuple[str, int, int]]) -> None:
    bandit = CostAwareBandit(NAMES, discount=1.0)
    for name, reward, cost in told:
        bandit.update(name, reward / 8, cost / 4)

    shown = bandit.to_mapping()

    for name in NAMES:
        own = [(Fraction(reward, 8), Fraction(cost, 4)) for other, reward, cost in told if other == name]
        total, spent, n = (
            sum((each[0] for each in own), Fraction(0)),
            sum((each[1] for each in own), Fraction(0)),
            len(own),
        )
        assert shown[name]["iterations"] == n
        assert shown[name]["kept"] == len([each for each in own if each[0] > 0])
        if n:
            least = Fraction(LEAST_COST) * n
            assert shown[name]["mean_reward"] == pytest.approx(float(total / n))
            assert shown[name]["mean_cost"] == pytest.approx(float(spent / n))
            assert shown[name]["rate"] == pytest.approx(float(total / max(spent, least)))


@settings(max_examples=examples(25), deadline=None)
@given(outcomes)
def test_old_outcomes_fade_by_one_step_for_each_later_one_of_any_operator(told: list[tuple[str, int, int]]) -> None:
    bandit = CostAwareBandit(NAMES)
    for name, reward, cost in told:
        bandit.update(name, reward / 8, cost / 4)

    for name in NAMES:
        ages = [(len(told) - 1 - place, each) for place, each in enumerate(told) if each[0] == name]
        tries = sum(DISCOUNT**age for age, _ in ages)
        faded = sum(DISCOUNT**age * each[1] / 8 for age, each in ages)
        mean = bandit.to_mapping()[name]["mean_reward"]
        assert mean == (pytest.approx(faded / tries) if ages else 0.0)


@settings(max_examples=examples(25), deadline=None)
@given(outcomes, st.permutations(NAMES))
def test_the_order_of_names_does_not_change_anybodys_bound(told: list[tuple[str, int, int]], order: list[str]) -> None:
    straight, shuffled = CostAwareBandit(NAMES), CostAwareBandit(order)
    for name, reward, cost in told:
        straight.update(name, reward / 8, cost / 4)
        shuffled.update(name, reward / 8, cost / 4)

    left, right = straight.to_mapping(), shuffled.to_mapping()
    assert all(left[name]["bound"] == pytest.approx(right[name]["bound"]) for name in NAMES)


@settings(max_examples=examples(25), deadline=None)
@given(outcomes, st.sampled_from([2.0, 16.0, 1024.0]))
def test_the_unit_of_cost_changes_rates_and_not_choices(told: list[tuple[str, int, int]], unit: float) -> None:
    cheap, dear = CostAwareBandit(NAMES), CostAwareBandit(NAMES)
    for name, reward, cost in told:
        cheap.update(name, reward / 8, (cost + 1) / 4)
        dear.update(name, reward / 8, (cost + 1) / 4 * unit)

    left, right = cheap.to_mapping(), dear.to_mapping()
    assert all(left[name]["rate"] == pytest.approx(right[name]["rate"] * unit) for name in NAMES)
    assert cheap.probabilities() == dear.probabilities()


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("gap", [0.3, 0.6])
def test_on_steady_arms_the_best_one_gets_most_wherever_it_stands(place: int, gap: float) -> None:
    names = [str(number) for number in range(4)]
    chances = {name: 0.3 + gap * (int(name) == place) for name in names}
    bandit, rng, regret, steps = CostAwareBandit(names), np.random.default_rng([3, place]), 0.0, 1500

    for _ in range(steps):
        name = bandit.choose(rng)
        regret += max(chances.values()) - chances[name]
        bandit.update(name, float(rng.random() < chances[name]), 1.0)

    uniform = gap * 3 / 4 * steps
    floor_alone = gap * 3 * 0.05 * steps
    assert floor_alone * 0.7 < regret < 0.6 * uniform


def test_without_floor_and_exploration_the_best_rate_is_taken_always() -> None:
    bandit = CostAwareBandit(NAMES, floor=0.0, exploration=0.0)
    for name, reward in zip(NAMES, (0.2, 0.9, 0.5), strict=True):
        bandit.update(name, reward, 1.0)

    assert bandit.probabilities() == {"a": 0.0, "b": 1.0, "c": 0.0}
    assert {bandit.choose(np.random.default_rng(number)) for number in range(50)} == {"b"}


def test_a_floor_that_fills_everything_is_a_fair_draw() -> None:
    bandit = CostAwareBandit(NAMES, floor=1.0)
    for name in NAMES:
        bandit.update(name, float(name == "a"), 1.0)

    assert bandit.probabilities() == pytest.approx(dict.fromkeys(NAMES, 1 / 3))


def test_a_plan_given_up_leaves_no_trace() -> None:
    bandit = CostAwareBandit(NAMES)
    for name in NAMES:
        bandit.update(name, 0.5, 1.0)
    before = bandit.to_mapping()

    bandit.start("b")
    during = bandit.to_mapping()
    bandit.cancel("b")

    assert during["b"]["rate"] < before["b"]["rate"]
    assert bandit.to_mapping() == before


def test_cancelling_what_never_started_does_not_go_below_nothing() -> None:
    bandit = CostAwareBandit(NAMES)

    bandit.cancel("a")
    bandit.start("a")

    assert bandit.pending("a") == 1
