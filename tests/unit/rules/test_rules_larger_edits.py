"""Edits of several calls at once: a value combined with a function of itself, an average in another scale."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from evolve.rules.averages import correct_averages, rescale_average
from evolve.rules.draw import Draw, Taste
from evolve.rules.gate import gate
from evolve.rules.graph import drop_dead_slots, graph_of, live_slots, program_of
from evolve.rules.language import language_of
from evolve.rules.probe import Probe
from sandbox.symbolic.canonical import fingerprint
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.update_words import OPTIMIZER, OPTIMIZER_ELEMENTWISE
from sandbox.symbolic.vocabulary import Vocabulary
from sandbox.update_rules.zoo import zoo_text

SGD = "def update(g):\n    return g\n"
MOMENTUM = "def update(g, m):\n    m = ema(m, g, 0.9)\n    return m, m\n"


def children(text: str, vocabulary: Vocabulary, *, n: int) -> Iterator[Program]:
    language, rng = language_of(vocabulary), np.random.default_rng(0)
    draw = Draw(language, Taste())
    parent = parse(text, vocabulary)
    for _ in range(n):
        root = graph_of(parent)
        if gate(root, draw, rng):
            drop_dead_slots(root, language.state)
            yield program_of(root, parent)


def prints(programs: Iterable[Program], vocabulary: Vocabulary) -> set[str]:
    return {fingerprint(program, vocabulary) for program in programs}


@pytest.mark.parametrize(
    ("parent", "wanted", "vocabulary"),
    [
        (SGD, "def update(g):\n    return g / rms(g)\n", OPTIMIZER_ELEMENTWISE),
        (
            MOMENTUM,
            "def update(g, m):\n    m = ema(m, g, 0.9)\n    return m * agree(m, g), m\n",
            OPTIMIZER_ELEMENTWISE,
        ),
        (SGD, "def update(g, t, l):\n    l = inverse_root(left_gram(g), l, t)\n    return l @ g, l\n", OPTIMIZER),
    ],
    ids=["normalised", "cautious", "preconditioned"],
)
def test_one_edit_leads_to_ideas_that_took_several(parent: str, wanted: str, vocabulary: Vocabulary) -> None:
    [seen] = prints([parse(wanted, vocabulary)], vocabulary)

    assert any(fingerprint(child, vocabulary) == seen for child in children(parent, vocabulary, n=4000))


@pytest.mark.parametrize("name", ["adam", "lion", "soap", "muon_everywhere"])
def test_children_can_be_read_and_run_and_keep_no_memory_in_vain(name: str) -> None:
    language, probe = language_of(OPTIMIZER), Probe(OPTIMIZER)

    found = list(children(zoo_text(name), OPTIMIZER, n=60))

    assert len(found) > 20
    for child in found:
        again = parse(render(child, OPTIMIZER), OPTIMIZER)
        assert fingerprint(again, OPTIMIZER) == fingerprint(child, OPTIMIZER)
        root = graph_of(child)
        kept = {k for k, register in enumerate(language.state) if root.arguments[1 + k] != register}
        assert kept <= live_slots(root, language.state)
        assert probe.look(child).structure


def test_what_a_word_remembers_is_what_it_answered_one_step_before() -> None:
    language = language_of(OPTIMIZER)
    for child in children(SGD, OPTIMIZER, n=500):
        root = graph_of(child)
        for k, new in enumerate(root.arguments[1:]):
            if new != language.state[k]:
                assert language.state[k] in getattr(new, "arguments", ())


def test_a_mean_becomes_a_root_of_mean_squares_in_one_edit() -> None:
    # Given gradients over their mean size
    text = "def update(g, v):\n    v = ema(v, abs(g), 0.9)\n    return g / v, v\n"
    language, rng = language_of(OPTIMIZER_ELEMENTWISE), np.random.default_rng(0)
    parent = parse(text, OPTIMIZER_ELEMENTWISE)

    # When the average is taken in another scale
    found = set()
    for _ in range(10):
        root = graph_of(parent)
        assert rescale_average(root, Draw(language, Taste()), rng)
        found.add(fingerprint(program_of(root, parent), OPTIMIZER_ELEMENTWISE))

    # Then these two are what comes of it, the average itself being remembered
    squares = "def update(g, v):\n    v = ema(v, square(abs(g)), 0.9)\n    return g / sqrt(v), v\n"
    roots = "def update(g, v):\n    v = ema(v, sqrt(abs(g)), 0.9)\n    return g / square(v), v\n"
    assert found == prints([parse(each, OPTIMIZER_ELEMENTWISE) for each in (squares, roots)], OPTIMIZER_ELEMENTWISE)


def test_all_running_means_are_corrected_in_one_edit() -> None:
    # Given Adam without the correction of its averages
    text = (
        "def update(g, m, v):\n    m = ema(m, g, 0.9)\n    v = ema(v, square(g), 0.99)\n"
        "    return m / (sqrt(v) + 1e-8), m, v\n"
    )
    parent = parse(text, OPTIMIZER_ELEMENTWISE)
    language, rng = language_of(OPTIMIZER_ELEMENTWISE), np.random.default_rng(0)

    # When it is edited some times
    found = set()
    for _ in range(20):
        root = graph_of(parent)
        assert correct_averages(root, Draw(language, Taste()), rng)
        found.add(fingerprint(program_of(root, parent), OPTIMIZER_ELEMENTWISE))

    # Then one child is Adam, two have one corrected average, and Adam has nothing to correct
    adam = parse(zoo_text("adam", beta2=0.99), OPTIMIZER_ELEMENTWISE)
    assert prints([adam], OPTIMIZER_ELEMENTWISE) < found
    assert len(found) == 3
    assert not correct_averages(graph_of(adam), Draw(language, Taste()), rng)


def test_averages_whose_readers_cannot_be_given_the_inverse_are_left_alone() -> None:
    # Given Lion, whose second average is only kept, and read one step later; and Adam, whose averages are corrected
    language, rng = language_of(OPTIMIZER), np.random.default_rng(0)
    for name in ("lion", "adam"):
        parent = parse(zoo_text(name), OPTIMIZER)
        for _ in range(20):
            root = graph_of(parent)
            changed = rescale_average(root, Draw(language, Taste()), rng)

            # When it is edited, then nothing changes without being told
            assert changed or fingerprint(program_of(root, parent), OPTIMIZER) == fingerprint(parent, OPTIMIZER)
            assert not (changed and name == "adam")
        assert not correct_averages(graph_of(parent), Draw(language, Taste()), rng)


def test_without_an_average_there_is_nothing_to_rescale() -> None:
    language = language_of(OPTIMIZER)

    assert not rescale_average(graph_of(parse(SGD, OPTIMIZER)), Draw(language, Taste()), np.random.default_rng(0))
