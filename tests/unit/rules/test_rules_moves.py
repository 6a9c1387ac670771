"""Moves over update rules: what every child is, and what each kind of move changes."""

import numpy as np
import pytest

from evolve.rules.draw import Taste
from evolve.rules.graph import calls_of, graph_of, live_slots, program_of
from evolve.rules.moves import Moves, MoveSettings
from sandbox.symbolic.canonical import fingerprint
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.update_words import OPTIMIZER, OPTIMIZER_ELEMENTWISE
from sandbox.update_rules.zoo import zoo_text

PARENTS = ("adam", "lion", "muon_everywhere", "soap", "nadamw")


def rule(name: str) -> Program:
    return parse(zoo_text(name), OPTIMIZER)


def words(program: Program) -> list[int]:
    return sorted(instruction.function for instruction in program.instructions)


@pytest.mark.parametrize("name", PARENTS)
def test_a_program_survives_the_way_to_a_graph_and_back(name: str) -> None:
    program = rule(name)

    again = program_of(graph_of(program), program)

    assert fingerprint(again, OPTIMIZER) == fingerprint(program, OPTIMIZER)


@pytest.mark.parametrize("name", PARENTS)
def test_children_are_written_and_read_back_and_have_no_dead_slot(name: str) -> None:
    donors = [rule(donor) for donor in PARENTS]
    moves = Moves(OPTIMIZER, donors, MoveSettings(max_operations=30))
    rng = np.random.default_rng(1)
    program = rule(name)
    for _ in range(40):
        child = moves.mutate(program, rng)
        assert child is not None
        read = parse(render(child, OPTIMIZER), OPTIMIZER)
        assert fingerprint(read, OPTIMIZER) == fingerprint(child, OPTIMIZER)
        root = graph_of(child)
        state = moves.language.state
        assert len(calls_of(root)) - 1 <= 30
        assert {k for k, register in enumerate(state) if root.arguments[1 + k] != register} <= live_slots(root, state)
        program = child


def test_the_same_random_numbers_make_the_same_children() -> None:
    moves = Moves(OPTIMIZER, [rule("lion")])

    def family(rng_seed: int) -> list[Program | None]:
        rng = np.random.default_rng(rng_seed)
        return [moves.mutate(rule("adam"), rng) for _ in range(20)]

    assert family(3) == family(3)
    assert family(3) != family(4)


def test_tuned_changes_literals_and_nothing_else() -> None:
    moves = Moves(OPTIMIZER)
    rng = np.random.default_rng(0)
    parent = rule("adam")

    children = [moves.tuned(parent, rng) for _ in range(30)]

    for child in children:
        assert child is not None
        assert words(child) == words(parent)
        assert sorted(child.constants) != sorted(parent.constants)


def test_tuned_keeps_shares_that_are_remembered_between_zero_and_one() -> None:
    moves = Moves(OPTIMIZER)
    rng = np.random.default_rng(0)
    program = rule("lion")
    for _ in range(200):
        program = moves.tuned(program, rng) or program
        assert all(0.0 <= constant < 1.0 for constant in program.constants)


def test_a_rule_without_literals_cannot_be_tuned() -> None:
    assert Moves(OPTIMIZER).tuned(rule("sgd"), np.random.default_rng(0)) is None


def test_a_graft_brings_the_donors_memory_along() -> None:
    moves = Moves(OPTIMIZER, [rule("signum")])
    rng = np.random.default_rng(0)

    children = [moves.grafted(rule("sgd"), rng) for _ in range(30)]

    texts = {render(child, OPTIMIZER) for child in children if child is not None}
    assert any("ema(m, g, 0.9)" in text and "return" in text for text in texts)
    assert all("def update(g" in text for text in texts)


def test_without_donors_nothing_is_grafted() -> None:
    assert Moves(OPTIMIZER).grafted(rule("adam"), np.random.default_rng(0)) is None


def test_crossover_mixes_words_of_both_parents() -> None:
    moves = Moves(OPTIMIZER)
    rng = np.random.default_rng(2)

    children = [moves.crossed(rule("adam"), rule("lion"), rng) for _ in range(30)]

    names = [{OPTIMIZER.functions[k].name for k in words(child)} for child in children if child is not None]
    assert any({"sign", "sqrt"} <= mixed for mixed in names)


@pytest.mark.parametrize("offered", [frozenset({"g"}), frozenset({"g", "h"})], ids=["gradient", "curvature"])
def test_new_calls_read_only_the_inputs_that_are_offered(offered: frozenset[str]) -> None:
    moves = Moves(OPTIMIZER, (), MoveSettings(taste=Taste(inputs=offered)))
    rng = np.random.default_rng(5)
    n_read = len(moves.language.inputs) - len(moves.language.state)
    read: set[str] = set()
    program = rule("lion")
    for _ in range(150):
        child = moves.mutate(program, rng)
        assert child is not None
        read |= {child.inputs[a] for i in child.instructions for a in i.arguments if 0 <= a < n_read}
    assert read <= offered | {"t"}  # the step number is what debias is for
    assert offered <= read


def test_elementwise_moves_never_write_a_matrix_word() -> None:
    moves = Moves(OPTIMIZER_ELEMENTWISE)
    rng = np.random.default_rng(0)
    program = parse(zoo_text("adam"), OPTIMIZER_ELEMENTWISE)
    for _ in range(60):
        program = moves.mutate(program, rng) or program

    assert not {"orthogonal", "left_gram", "basis"} & {OPTIMIZER_ELEMENTWISE.functions[k].name for k in words(program)}
