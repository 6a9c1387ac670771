"""The engine: any fitness, two strategies, honest counts; and the recovery of hidden rules."""

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.rule_recovery import hidden_text
from evolve.rules.behaviour import behaviour_of
from evolve.rules.engine import Search, SearchSettings, Strategy
from evolve.rules.moves import Moves, MoveSettings
from evolve.rules.populations import AgeingPopulation, ElitePopulation, Member
from evolve.rules.probe import Look, Probe, ProbeSettings
from evolve.rules.recovery import Recovery, RecoverySettings, full_likeness, likeness, recover
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.update_words import OPTIMIZER_ELEMENTWISE as WORDS
from sandbox.update_rules.zoo import zoo_text
from tests.extent import ALL_TESTS

MOVES = MoveSettings(max_operations=25)


def rule(name: str) -> Program:
    return parse(hidden_text(name), WORDS)


def shortness(programs: Sequence[Program], _: Sequence[Look]) -> list[float | None]:
    return [-float(len(program.instructions)) for program in programs]


def search(fitness: object = shortness, **settings: object) -> Search:
    return Search(
        fitness,  # type: ignore[arg-type]
        moves=Moves(WORDS, (), MOVES),
        probe=Probe(WORDS, ProbeSettings(n_steps=32)),
        settings=SearchSettings(**settings),  # type: ignore[arg-type]
        rng=np.random.default_rng(0),
    )


@pytest.mark.parametrize("strategy", ["map_elites", "regularised"])
def test_both_strategies_climb_any_fitness(strategy: Strategy) -> None:
    shorter = search(strategy=strategy, n_programs=300, enough=-4.0)
    shorter.start([rule("adam")])

    result = shorter.run()

    assert result.fitness >= -4.0
    assert len(result.best.instructions) <= 4


def test_every_generated_program_is_counted_once() -> None:
    counted = search(n_programs=200, batch=8)
    counted.start([rule("adam")])

    statistics = counted.run().statistics

    parts = statistics.unchanged + statistics.refused + statistics.known + statistics.tried + statistics.evaluated
    assert statistics.generated >= 200
    assert parts == statistics.generated + 1  # and the start


def test_what_does_the_same_is_evaluated_once() -> None:
    asked: list[str | None] = []

    def remember(programs: Sequence[Program], looks: Sequence[Look]) -> list[float | None]:
        asked.extend(look.signature for look in looks)
        return [0.0] * len(programs)

    curious = search(remember, n_programs=200, batch=4)
    curious.start([rule("signum"), rule("signum")])
    curious.run()

    assert len(asked) == len(set(asked)) > 20


def test_a_program_without_fitness_never_becomes_a_parent() -> None:
    def is_good(look: Look) -> bool:
        return str(look.signature) > "4"

    def some(_: Sequence[Program], looks: Sequence[Look]) -> list[float | None]:
        return [1.0 if is_good(look) else None for look in looks]

    picky = search(some, n_programs=150)
    picky.start([rule("signum")])

    result = picky.run()

    assert result.statistics.failed > 0
    probe = Probe(WORDS, ProbeSettings(n_steps=32))
    assert all(is_good(probe.look(member.program)) for member in result.members)


def test_a_start_that_is_no_optimizer_is_an_error_that_says_why() -> None:
    blind = parse("def update(w):\n    return w\n", WORDS)

    with pytest.raises(ValueError, match="g is not read"):
        search().start([blind])


def test_an_elite_gives_way_only_to_a_better_one_of_its_kind() -> None:
    elites = ElitePopulation()
    first, second, better, other = (
        Member(rule("sgd"), fitness, cell, 0) for fitness, cell in ((1.0, (0,)), (1.0, (0,)), (2.0, (0,)), (0.5, (1,)))
    )

    let_in = [elites.add(member) for member in (first, second, better, other)]

    assert let_in == [True, False, True, True]
    assert elites.members() == [better, other]


def test_in_an_ageing_population_the_oldest_dies() -> None:
    ageing = AgeingPopulation(2)
    oldest, middle, youngest = (Member(rule("sgd"), fitness, (0,), 0) for fitness in (3.0, 1.0, 2.0))

    for member in (oldest, middle, youngest):
        ageing.add(member)

    assert ageing.members() == [youngest, middle]


@pytest.mark.parametrize(
    ("name", "degree", "flatness"), [("sgd", 1.0, 0.8), ("sign_sgd", 0.0, 1.0)], ids=["sgd", "sign"]
)
def test_behaviour_tells_kinds_of_optimizers_apart(name: str, degree: float, flatness: float) -> None:
    probe = Probe(WORDS)
    update = probe.look(rule(name)).update
    assert update is not None

    seen = behaviour_of(update, probe.stream.values["g"])

    assert seen.degree == pytest.approx(degree, abs=0.05)
    assert seen.flatness == pytest.approx(flatness, abs=0.15)


def test_likeness_sees_a_factor_that_changes_in_time_only_in_full() -> None:
    gradients = Probe(WORDS).stream.values["g"]
    fading = gradients / np.arange(1.0, 129.0)[:, None]

    assert likeness(fading, gradients) == pytest.approx(1.0)
    assert full_likeness(fading, gradients) < 0.9
    assert full_likeness(3.0 * gradients, gradients) == pytest.approx(1.0)


def recovered(name: str, rng_seed: int, n_programs: int) -> Recovery:
    start = rule("sgd" if name == "adamw" else "adam")
    settings = RecoverySettings(search=SearchSettings(n_programs=n_programs, enough=0.9995), moves=MOVES)
    return recover(rule(name), start, WORDS, settings, rng_seed=rng_seed)


@pytest.mark.parametrize(("name", "rng_seed"), [("rmsprop", 3), ("signum", 5)], ids=["rmsprop", "signum"])
def test_a_hidden_rule_is_found_from_its_trajectory(name: str, rng_seed: int) -> None:
    found = recovered(name, rng_seed, n_programs=1500)

    assert found.likeness >= 0.9995
    assert found.likeness_elsewhere >= 0.998
    assert found.n_programs <= 1500


@pytest.mark.skipif(not ALL_TESTS, reason="minutes: set EVOLVE_ALL_TESTS=1")
@pytest.mark.parametrize("name", ["nesterov", "lion"])
def test_a_hard_hidden_rule_is_found_by_at_least_one_of_three_searches(name: str) -> None:
    assert any(recovered(name, rng_seed, 30_000).likeness >= 0.9995 for rng_seed in range(3))


def test_a_search_is_a_function_of_its_random_numbers() -> None:
    first, second = (recovered("signum", 1, 120) for _ in range(2))

    assert first == second


def test_the_start_is_found_at_once_when_it_is_the_hidden_rule() -> None:
    found = recover(
        rule("adam"),
        parse(zoo_text("adam"), WORDS),
        WORDS,
        RecoverySettings(search=SearchSettings(n_programs=10, enough=0.9995), moves=MOVES),
        rng_seed=0,
    )

    assert found.n_programs == 0
    assert found.likeness_elsewhere == pytest.approx(1.0)
