"""Simplification of update rules: cuts, roundings, and when they may stay."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from evolve.rules.language import language_of
from evolve.rules.probe import Probe
from evolve.rules.shrink import LOOKS, Scales, shrink
from evolve.rules.simplify import MARGIN, compared, verdict_of
from evolve.rules.smaller import smaller
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import load_vocabulary
from sandbox.update_rules.rule import rule_of

VOCABULARY = load_vocabulary("optimizer")
LANGUAGE = language_of(VOCABULARY)

ADAM = """
def update(g, t, m, v):
    m = ema(m, g, 0.9)
    v = ema(v, square(g), 0.999)
    return debias(m, 0.9, t) / (sqrt(debias(v, 0.999, t)) + 1e-8), m, v
"""
MOMENTUM = "def update(g, m):\n    m = ema(m, g, 0.9)\n    return m, m\n"
PLAIN = "def update(g):\n    return g\n"


def read(text: str) -> Program:
    return parse(text, VOCABULARY, inputs=LANGUAGE.inputs)


def texts(programs: Sequence[Program]) -> list[str]:
    return [rule_of(each).text for each in programs]


# Differences and verdicts


def test_one_block_of_seeds_says_nothing() -> None:
    # given / when
    verdict = verdict_of([[0.5, 0.5]])

    # then
    assert not verdict.is_kept
    assert not verdict.is_lost


def test_equal_losses_on_two_blocks_are_not_inferior() -> None:
    # given / when / then
    assert verdict_of([[0.0, 0.0], [0.0, 0.0]]).is_kept


def test_tasks_that_differ_are_no_noise() -> None:
    # given: a gain on one task and as much lost on the other, the same on every seed
    verdict = verdict_of([[0.5, -0.5], [0.5, -0.5]])

    # when / then
    assert verdict.lower_bound == verdict.difference == 0.0


def test_the_bound_is_students_over_the_spread_within_tasks() -> None:
    # given: one task, differences 0.1 and 0.3: mean 0.2, error 0.1, quantile 6.3138 for one degree of freedom
    verdict = verdict_of([[0.1], [0.3]])

    # when / then
    assert verdict.lower_bound == pytest.approx(0.2 - 6.3138 * 0.1, abs=1e-4)


def test_a_loss_beyond_doubt_ends_the_comparison_at_the_first_look() -> None:
    # given
    asked: list[int] = []

    def difference(block: int) -> list[float]:
        asked.append(block)
        return [-0.5 + 0.001 * block] * 6

    # when
    verdict = compared(difference, LOOKS)

    # then
    assert verdict is not None
    assert verdict.is_lost
    assert asked == [0, 1]


def test_doubt_asks_for_more_seeds_until_they_are_used_up() -> None:
    # given: around the margin, with much noise
    asked: list[int] = []

    def difference(block: int) -> list[float]:
        asked.append(block)
        return [-MARGIN + (-1) ** block * 0.5] * 2

    # when
    verdict = compared(difference, LOOKS)

    # then
    assert verdict is not None
    assert not verdict.is_kept
    assert asked == list(range(LOOKS[-1]))


def test_a_variant_that_fails_once_is_out() -> None:
    # given / when / then
    assert compared(lambda block: None if block == 1 else [0.1], LOOKS) is None


# Variants


def test_variants_are_shorter_or_have_fewer_digits_and_come_shortest_first() -> None:
    # given
    adam = read(ADAM)

    # when
    sizes = [operation_count(each) for each in smaller(adam, LANGUAGE)]

    # then
    assert sizes == sorted(sizes)
    assert sizes[0] < operation_count(adam)
    assert len(set(texts(smaller(adam, LANGUAGE)))) == len(sizes)


@pytest.mark.parametrize(
    "wanted",
    [
        "    return debias(m, 0.9, t), m\n",  # no normalisation: its slot goes with it
        "    v = ema(v, square(g), 0.999)\n    return debias(m, 0.9, t) / sqrt(debias(v, 0.999, t)), m, v\n",
    ],
    ids=["numerator", "without epsilon"],
)
def test_a_cut_drops_a_call_and_what_only_it_needed(wanted: str) -> None:
    # given
    signature = "g, t, m, v" if " v " in wanted else "g, t, m"
    text = f"def update({signature}):\n    m = ema(m, g, 0.9)\n{wanted}"

    # when / then
    assert rule_of(read(text)).fingerprint in [rule_of(each).fingerprint for each in smaller(read(ADAM), LANGUAGE)]


def test_a_remembered_share_is_rounded_in_what_is_forgotten() -> None:
    # given
    text = "def update(g, m):\n    m = ema(m, g, 0.99873)\n    return m * 2.718, m\n"

    # when
    rounded = texts(smaller(read(text), LANGUAGE))

    # then
    assert any("0.999)" in each and "* 3.0" in each for each in rounded)
    assert any("0.9987)" in each and "* 2.7" in each for each in rounded)


def test_plain_descent_has_no_simpler_variant() -> None:
    # given / when / then
    assert smaller(read(PLAIN), LANGUAGE) == []


# The burst


@dataclass(frozen=True)
class Weight:
    score: float | None
    values: tuple[float, ...]
    work: float = 1.0


def scales(value: Callable[[Program], float | None]) -> Scales:
    """Scales without noise over two tasks."""

    def weigh(programs: Sequence[Program], _block: int = 0) -> list[Weight]:
        found = [value(each) for each in programs]
        return [Weight(each, () if each is None else (each, each)) for each in found]

    probe = Probe(VOCABULARY)
    return Scales(signature=lambda each: probe.look(each).signature, glance=weigh, weigh=weigh)


def remembers(program: Program) -> float:
    """A running mean is worth something, nothing else is."""
    names = {VOCABULARY.functions[each.function].name for each in program.instructions}
    return 1.0 if "ema" in names else 0.0


def test_what_matters_stays_and_the_rest_goes() -> None:
    # given / when
    shrunk = shrink(read(ADAM), LANGUAGE, scales(remembers), work=1000.0)

    # then
    assert remembers(shrunk.program) == 1.0
    assert operation_count(shrunk.program) <= 2
    assert shrunk.kept >= 1


def test_without_work_only_cuts_that_change_nothing_are_made() -> None:
    # given
    padded = "def update(g, m):\n    m = ema(m, g, 0.9)\n    return -(-m) + 1e-12, m\n"

    # when
    shrunk = shrink(read(padded), LANGUAGE, scales(lambda _: None), work=1.0)

    # then
    assert rule_of(shrunk.program).fingerprint == rule_of(read(MOMENTUM)).fingerprint
    assert (shrunk.exact, shrunk.kept) == (1, 0)


def test_sign_descent_is_seen_in_its_disguises() -> None:
    # given: a slot that is handed on stays zero, and a number over its size is its sign
    text = "def update(g, v):\n    return g / (sqrt(ema(v, square(g), 0.95)) + 1e-12), v\n"

    # when
    shrunk = shrink(read(text), LANGUAGE, scales(lambda _: None), work=1.0)

    # then
    assert texts([shrunk.program]) == ["def update(g):\n    return sign(g)\n"]


def test_small_losses_do_not_add_up() -> None:
    # given: every call that goes costs three quarters of the margin
    def value(program: Program) -> float:
        return 0.75 * MARGIN * operation_count(program)

    # when
    first = read(ADAM)
    shrunk = shrink(first, LANGUAGE, replace(scales(value), signature=lambda each: rule_of(each).text), work=1000.0)

    # then
    assert operation_count(first) - operation_count(shrunk.program) <= 1


def test_a_simplification_stops_when_its_work_is_spent() -> None:
    # given / when
    shrunk = shrink(read(ADAM), LANGUAGE, scales(remembers), work=3.0)

    # then: one glance at all variants, and at most one comparison of a block
    assert shrunk.work <= 3.0 + len(smaller(read(ADAM), LANGUAGE)) + 2 * LOOKS[-1]
