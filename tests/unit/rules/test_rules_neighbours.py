"""All single edits around an update rule."""

import pytest

from evolve.rules.language import language_of
from evolve.rules.neighbours import neighbours
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import load_vocabulary
from sandbox.update_rules.rule import read_rule, rule_of

VOCABULARY = load_vocabulary("optimizer")
LANGUAGE = language_of(VOCABULARY)
MOMENTUM = "def update(g, m):\n    m = ema(m, g, 0.9)\n    return m, m\n"
SIGNUM = "def update(g, m):\n    m = ema(m, g, 0.9)\n    return sign(m), m\n"


def around(text: str, max_operations: int = 24) -> list[Program]:
    return neighbours(parse(text, VOCABULARY, inputs=LANGUAGE.inputs), LANGUAGE, max_operations=max_operations)


@pytest.mark.parametrize(
    ("text", "neighbour"),
    [
        (MOMENTUM, SIGNUM),
        (MOMENTUM, "def update(g, m):\n    m = ema(m, g, 0.9)\n    return orthogonal(m), m\n"),
        (MOMENTUM, "def update(g, m):\n    m = ema(m, tanh(g), 0.9)\n    return m, m\n"),
        (MOMENTUM, "def update(g):\n    return g\n"),
        (SIGNUM, MOMENTUM),
        (SIGNUM, "def update(g, m):\n    m = ema(m, g, 0.9)\n    return tanh(m), m\n"),
    ],
    ids=["sign", "orthogonal", "inside", "without momentum", "without sign", "another word"],
)
def test_a_rule_that_one_edit_leads_to_is_a_neighbour(text: str, neighbour: str) -> None:
    # given / when / then
    assert read_rule(neighbour).fingerprint in [rule_of(each).fingerprint for each in around(text)]


def test_neighbours_differ_from_each_other_and_from_the_rule() -> None:
    # given / when
    found = around(SIGNUM)

    # then
    assert len(set(found)) == len(found) > 20
    assert parse(SIGNUM, VOCABULARY, inputs=LANGUAGE.inputs) not in found


def test_neighbours_have_one_operation_more_at_most_and_none_where_there_is_no_room() -> None:
    # given / when / then
    assert max(operation_count(each) for each in around(SIGNUM)) == 3
    assert max(operation_count(each) for each in around(SIGNUM, max_operations=2)) == 2


@pytest.mark.parametrize("text", [MOMENTUM, SIGNUM], ids=["momentum", "signum"])
def test_every_neighbour_can_be_written_and_read(text: str) -> None:
    # given / when
    rules = [rule_of(each) for each in around(text)]

    # then
    assert [read_rule(rule.text).fingerprint for rule in rules] == [rule.fingerprint for rule in rules]
