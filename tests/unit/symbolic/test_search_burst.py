"""The burst: repeatable, valid, and better than polynomials from nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstKind, BurstSettings, Child, FitTarget, FloatArray
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Vocabulary

ROOT = Path(__file__).resolve().parents[3]
POINTS = 0.5 - 0.5 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
EXP2 = FitTarget(points=POINTS, values=np.exp2(POINTS))
EMPTY = Program(name="f", inputs=("x",), constants=(), instructions=(), output=0)
QUICK = BurstSettings(work=0.05, max_operations=8)


def grown(n_bursts: int, work: float, rng_seed: int) -> list[Child]:
    """Children of a few bursts, each seeing all children before it."""
    children: list[Child] = []
    for number in range(n_bursts):
        parents = [EMPTY, *(child.program for child in children)]
        settings = BurstSettings(work=work, max_operations=8)
        children += burst(parents, ARITHMETIC, EXP2, settings, [rng_seed, number]).children
    return children


def values_of(program: Program, vocabulary: Vocabulary, points: FloatArray) -> FloatArray:
    """What the program's text computes when Python runs it."""
    names = {f.name: f.apply for f in vocabulary.functions}
    scope: dict[str, object] = dict(names)
    exec(render(program, vocabulary), scope)
    function = scope[program.name]
    assert callable(function)
    with np.errstate(all="ignore"):
        values: FloatArray = np.asarray(function(points)) + np.zeros_like(points)
    return values


@pytest.mark.parametrize("kind", list(BurstKind))
def test_the_same_arguments_give_the_same_children_bit_for_bit(kind: BurstKind) -> None:
    parents = [EMPTY, *(child.program for child in grown(1, 0.05, 3))]
    settings = BurstSettings(work=0.03, max_operations=8, kind=kind)

    first = burst(parents, ARITHMETIC, EXP2, settings, [1, 2])
    second = burst(parents, ARITHMETIC, EXP2, settings, [1, 2])

    assert first == second


def test_another_process_gives_the_same_children() -> None:
    here = burst([EMPTY], ARITHMETIC, EXP2, QUICK, [11]).children
    code = (
        "import numpy as np; from evolve.symbolic.burst import burst; from evolve.symbolic.contract import *;"
        "from sandbox.symbolic.render import render; from sandbox.symbolic.vocabulary import ARITHMETIC;"
        "points = 0.5 - 0.5 * np.cos(np.pi * (np.arange(64) + 0.5) / 64);"
        "target = FitTarget(points=points, values=np.exp2(points));"
        "settings = BurstSettings(work=0.05, max_operations=8);"
        "print([render(c.program, ARITHMETIC) for c in burst([], ARITHMETIC, target, settings, [11]).children])"
    )

    there = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )

    assert there.stdout.strip() == str([render(child.program, ARITHMETIC) for child in here])


def test_another_seed_gives_other_children() -> None:
    assert burst([EMPTY], ARITHMETIC, EXP2, QUICK, [1]) != burst([EMPTY], ARITHMETIC, EXP2, QUICK, [2])


def test_a_burst_starts_from_nothing_as_from_the_empty_program() -> None:
    bare, empty = (burst(parents, ARITHMETIC, EXP2, QUICK, [5]) for parents in ([], [EMPTY]))

    assert [child.program for child in bare.children] == [child.program for child in empty.children]


@pytest.mark.parametrize("rng_seed", [0, 1])
def test_a_few_bursts_from_the_empty_program_beat_minimax_polynomials(rng_seed: int) -> None:
    polynomial = {2: 2.9821e-2, 4: 1.7248e-3, 6: 7.4781e-5, 8: 2.6e-6}
    best: dict[int, float] = {}

    for child in grown(4, 0.25, rng_seed):
        n = operation_count(child.program)
        best[n] = min(best.get(n, np.inf), child.error)

    assert best[2] <= polynomial[2] * 1.001
    assert best[3] < 1e-3
    assert best[4] < polynomial[4]
    assert best[5] < polynomial[6]
    assert best[6] < polynomial[6]


def test_children_are_valid_and_as_good_as_they_say() -> None:
    dense = np.linspace(0.0, 1.0, 2001)[1:]
    for child in grown(2, 0.1, 7):
        text = render(child.program, ARITHMETIC)

        assert parse(text, ARITHMETIC) == child.program
        assert operation_count(child.program) == len(child.program.instructions) <= 8
        at_points = np.abs(values_of(child.program, ARITHMETIC, POINTS) / EXP2.values - 1.0).max()
        assert at_points == pytest.approx(child.error, rel=1e-3, abs=3e-15)
        between = np.abs(values_of(child.program, ARITHMETIC, dense) / np.exp2(dense) - 1.0).max()
        assert between < max(3.0 * child.error, 1e-13)


def test_limits_are_kept() -> None:
    settings = BurstSettings(work=0.1, max_operations=5, max_constants=3, n_children=4)

    children = burst([EMPTY], ARITHMETIC, EXP2, settings, [0]).children

    assert 0 < len(children) <= 4
    assert all(len(c.program.instructions) <= 5 and len(c.program.constants) <= 3 for c in children)


def test_a_refit_finds_better_constants_for_a_parent() -> None:
    # given a good structure with poor constants
    text = "def f(x):\n    return 2.0 / (x + 3.0 + 4.0 / x) + 1.0\n"
    parent = parse(text, ARITHMETIC)
    settings = BurstSettings(work=0.05, max_operations=5, kind=BurstKind.REFIT)

    # when
    children = burst([parent], ARITHMETIC, EXP2, settings, [0]).children

    # then
    assert min(child.error for child in children) == pytest.approx(4.34e-6, rel=0.03)
    assert any(child.parent_indices == (0,) for child in children)


def test_a_good_exponential_is_squared_without_being_asked() -> None:
    core = """def f(x):
    t = 90.4939320171 / x + x
    return 62.7256158131 / (237.378640883 / t + -31.3627904523 + t) + 0.99999999943638
"""
    settings = BurstSettings(work=0.02, max_operations=10)

    children = burst([parse(core, ARITHMETIC)], ARITHMETIC, EXP2, settings, [0]).children

    best = {n: min(c.error for c in children if operation_count(c.program) == n) for n in (8, 9, 10)}
    assert best[8] == pytest.approx(8.94e-12, rel=0.03)
    assert best[9] == pytest.approx(1.40e-13, rel=0.05)
    assert best[10] < 5e-15


def test_functions_beyond_arithmetic_are_searched_too() -> None:
    target = FitTarget(points=POINTS, values=1.5 * np.exp(POINTS))

    children = burst([EMPTY], ELEMENTARY, target, BurstSettings(work=0.2, max_operations=2), [0]).children

    assert min(child.error for child in children) < 1e-12


def test_two_inputs_can_be_searched() -> None:
    grid = np.stack([np.tile(np.linspace(1.0, 2.0, 6), 6), np.repeat(np.linspace(1.0, 2.0, 6), 6)])
    target = FitTarget(points=grid, values=2.0 * grid[0] / grid[1] + 0.5)
    settings = BurstSettings(work=0.1, max_operations=4)

    children = burst([], ARITHMETIC, target, settings, [0]).children

    assert min(child.error for child in children) < 1e-12
    assert all(child.program.inputs == ("x0", "x1") for child in children)
