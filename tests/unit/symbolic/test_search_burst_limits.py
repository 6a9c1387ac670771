"""Bursts at the edges of their settings: no constants, one operation, hardly any work, signs, inputs, odd parents."""

from dataclasses import replace

import numpy as np
import pytest

from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstKind, BurstResult, BurstSettings, FitTarget, FloatArray
from evolve.symbolic.elites import STEPS
from evolve.symbolic.rounding import exact_residuals
from evolve.symbolic.tables import check_band
from sandbox.symbolic.canonical import live, numbered
from sandbox.symbolic.double_double import has_double_double
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Instruction, Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, Function, Vocabulary

POINTS = np.linspace(1.0, 2.0, 30)
ROOT = FitTarget(points=POINTS, values=np.sqrt(POINTS))
SHORT = BurstSettings(work=0.01, max_operations=4)
GOOD = parse("def g(u):\n    return u * 0.4 + 0.6\n", ARITHMETIC)
COUNTS = {"cells", "offers", "entries", "fits", "refits", "repeats", "poles", "steps", "structures", "iterations"}
BY_STEP = {f"{step}_{what}" for step in STEPS for what in ("ticks", "fits", "entries", "news")}


def largest_error(program: Program, vocabulary: Vocabulary, target: FitTarget) -> float:
    """The error that the child should have said, as of real arithmetic where that can be had."""
    if has_double_double(program, vocabulary):
        return float(np.abs(exact_residuals(program, vocabulary, target)).max())
    values = np.asarray(evaluate(program, vocabulary, list(np.atleast_2d(target.points))))
    errors = np.abs(values - target.values)
    return float((errors / np.abs(target.values) if target.relative else errors).max())


def check_children(result: BurstResult, vocabulary: Vocabulary, target: FitTarget, settings: BurstSettings) -> None:
    """Valid, live, within the limits, with finite constants, distinct, and as good as they say."""
    programs = [child.program for child in result.children]
    assert len(programs) <= settings.n_children
    assert len(set(programs)) == len(programs)
    for child in result.children:
        assert numbered(child.program) == child.program
        assert len(live(child.program)) == len(child.program.instructions) <= settings.max_operations
        assert len(child.program.constants) <= settings.max_constants
        assert np.isfinite(child.program.constants).all()
        assert parse(render(child.program, vocabulary), vocabulary) == child.program
        found = largest_error(child.program, vocabulary, target)
        assert child.error == pytest.approx(found, rel=1e-3, abs=1e-14)


@pytest.mark.parametrize("kind", list(BurstKind))
@pytest.mark.parametrize(
    "settings",
    [
        BurstSettings(work=0.01, max_operations=1),
        BurstSettings(work=0.01, max_operations=2, max_constants=0),
        BurstSettings(work=0.01, max_operations=4, max_constants=1),
        BurstSettings(work=0.01, max_operations=20, max_constants=30, n_children=100),
        BurstSettings(work=0.01, max_operations=5, n_children=1),
    ],
)
def test_children_keep_to_any_settings(settings: BurstSettings, kind: BurstKind) -> None:
    settings = replace(settings, kind=kind)

    result = burst([GOOD], ARITHMETIC, ROOT, settings, [3])

    check_children(result, ARITHMETIC, ROOT, settings)


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize(
    "values", [-np.sqrt(POINTS), POINTS - 1.47, 1e-9 * POINTS**2, 1e12 * POINTS**2, np.full(30, 3.0)]
)
def test_children_of_targets_of_any_sign_and_size_are_as_good_as_they_say(values: FloatArray, relative: bool) -> None:
    target = FitTarget(points=POINTS, values=values, relative=relative)

    result = burst([], ARITHMETIC, target, SHORT, [1])

    assert result.children
    for child in result.children:
        found = largest_error(child.program, ARITHMETIC, target)
        assert child.error == pytest.approx(found, rel=2e-3, abs=1e-25)


def test_with_one_operation_the_best_line_through_nothing_is_found() -> None:
    # given sqrt on [1, 2]; one of  x * c, x + c, c - x, c / x is best, and its minimax constant is known
    settings = BurstSettings(work=0.02, max_operations=1)

    result = burst([], ARITHMETIC, ROOT, settings, [0])

    # sqrt(x) / x falls from 1 to 1 / sqrt 2: c = 2 / (1 + 1 / sqrt 2) levels x * c; the ends of x + c do better
    best = min(result.children, key=lambda child: child.error)
    candidates = np.linspace(-1.0, 1.0, 20001)
    shifted = np.abs((POINTS[:, None] + candidates) / np.sqrt(POINTS)[:, None] - 1.0).max(axis=0).min()
    scaled = (np.sqrt(2.0) - 1.0) / (np.sqrt(2.0) + 1.0)
    assert best.error == pytest.approx(min(float(shifted), scaled), rel=1e-3)
    assert len(best.program.instructions) == 1


def test_without_constants_an_exact_program_is_still_found() -> None:
    target = FitTarget(points=POINTS, values=POINTS + POINTS**2)

    result = burst([], ARITHMETIC, target, BurstSettings(work=0.05, max_operations=2, max_constants=0), [0])

    assert min(child.error for child in result.children) < 1e-15
    assert all(child.program.constants == () for child in result.children)


@pytest.mark.parametrize("work", [0.0, -1.0, 1e-9])
def test_hardly_any_work_still_fits_the_parents(work: float) -> None:
    result = burst([GOOD], ARITHMETIC, ROOT, BurstSettings(work=work, max_operations=4), [0])

    assert result.statistics["steps"] <= 1.0
    assert result.statistics["fits"] >= 1.0
    check_children(result, ARITHMETIC, ROOT, BurstSettings(max_operations=4))


def test_no_children_may_be_asked_for() -> None:
    result = burst([GOOD], ARITHMETIC, ROOT, replace(SHORT, n_children=0), [0])

    assert result.children == ()


def test_the_work_done_is_about_the_work_asked_for_and_counts_are_told() -> None:
    asked = (0.01, 0.05)

    results = [
        burst([], ARITHMETIC, ROOT, BurstSettings(work=work, max_operations=4, n_children=0), [0]) for work in asked
    ]

    for work, result in zip(asked, results, strict=True):
        assert work <= result.work < 1.5 * work
        assert set(result.statistics) == COUNTS | BY_STEP
        assert result.statistics["entries"] <= result.statistics["offers"]
    less, more = (result.statistics for result in results)
    assert all(more[name] > less[name] for name in ("offers", "fits", "steps"))


def test_children_come_with_the_best_news_of_each_length_first() -> None:
    result = burst([], ARITHMETIC, ROOT, BurstSettings(work=0.05, max_operations=5), [2])
    few = burst([], ARITHMETIC, ROOT, BurstSettings(work=0.05, max_operations=5, n_children=3), [2])

    assert few.children == result.children[:3]
    best = [len(child.program.instructions) for child in result.children[:3]]
    assert best == sorted(set(best))


def test_points_and_values_are_only_read() -> None:
    target = FitTarget(points=POINTS.copy(), values=np.sqrt(POINTS))
    target.points.flags.writeable = target.values.flags.writeable = False

    assert burst([GOOD], ARITHMETIC, target, SHORT, [0]) == burst([GOOD], ARITHMETIC, ROOT, SHORT, [0])


def test_four_points_are_enough_for_a_burst() -> None:
    target = FitTarget(points=np.array([1.0, 1.5, 1.7, 2.0]), values=np.array([2.0, 3.0, 3.4, 4.0]))

    result = burst([], ARITHMETIC, target, SHORT, [0])

    assert min(child.error for child in result.children) < 1e-14


def test_children_are_named_like_the_first_parent() -> None:
    result = burst([GOOD], ARITHMETIC, ROOT, SHORT, [0])

    assert result.children
    assert {(child.program.name, child.program.inputs) for child in result.children} == {("g", ("u",))}


def test_children_of_nothing_have_plain_names_and_no_parents() -> None:
    result = burst([], ARITHMETIC, ROOT, SHORT, [0])

    assert {(child.program.name, child.program.inputs) for child in result.children} == {("f", ("x",))}
    assert {child.parent_indices for child in result.children} == {()}


def test_parent_indices_are_positions_among_the_parents() -> None:
    other = parse("def g(u):\n    return 1.5 / u + u\n", ARITHMETIC)
    settings = BurstSettings(work=0.05, max_operations=5, kind=BurstKind.CROSSOVER)

    result = burst([GOOD, other], ARITHMETIC, ROOT, settings, [0])

    indices = {child.parent_indices for child in result.children}
    assert indices <= {(), (0,), (1,), (0, 0), (0, 1), (1, 0), (1, 1)}
    assert any(len(pair) == 2 for pair in indices)


def test_a_parent_is_not_returned_as_its_own_child() -> None:
    # given a parent that is already the best of its structure
    first = burst([], ARITHMETIC, ROOT, BurstSettings(work=0.05, max_operations=3), [0])
    best = min(first.children, key=lambda child: child.error)

    again = burst([best.program], ARITHMETIC, ROOT, BurstSettings(work=0.0, max_operations=3), [0])

    shapes = {child.program.instructions for child in again.children}
    assert best.program.instructions not in shapes


def own_word(name: str) -> Function:
    return Function(
        name=name,
        symbol=None,
        argument_types=("real", "real"),
        result_type="real",
        commutative=False,
        opcode=-1,
        apply=np.hypot,
    )


MIXED = Vocabulary(name="mixed", functions=(*ARITHMETIC.functions, own_word("hypotenuse")))
ODD_PARENTS = {
    "an own word": Program(name="f", inputs=("x",), constants=(), instructions=(Instruction(4, (0, 0)),), output=1),
    "a constant": Program(name="f", inputs=("x",), constants=(1.2,), instructions=(), output=-1),
    "too long": Program(
        name="f",
        inputs=("x",),
        constants=(1.5,),
        instructions=tuple(Instruction(0, (i, -1)) for i in range(9)),
        output=9,
    ),
    "a pole": Program(
        name="f",
        inputs=("x",),
        constants=(-1.0,),
        instructions=(Instruction(0, (0, -1)), Instruction(3, (0, 1))),
        output=2,
    ),
    "constants that are no numbers": Program(
        name="f", inputs=("x",), constants=(float("nan"),), instructions=(Instruction(2, (0, -1)),), output=1
    ),
    "dead instructions": Program(
        name="f",
        inputs=("x",),
        constants=(2.0,),
        instructions=(Instruction(2, (0, 0)), Instruction(2, (0, -1))),
        output=2,
    ),
    "nothing new": Program(name="f", inputs=("x",), constants=(), instructions=(Instruction(1, (0, 0)),), output=1),
}


@pytest.mark.parametrize("name", sorted(ODD_PARENTS))
def test_an_odd_parent_stops_nobody(name: str) -> None:
    result = burst([ODD_PARENTS[name], replace(GOOD, name="f", inputs=("x",))], MIXED, ROOT, SHORT, [0])

    check_children(result, MIXED, ROOT, SHORT)
    assert min(child.error for child in result.children) < 0.02


@pytest.mark.parametrize("first", [True, False])
def test_a_parent_of_other_inputs_is_passed_over(first: bool) -> None:
    stranger = parse("def h(a, b):\n    return a * b + 1.0\n", ARITHMETIC)
    parents = [stranger, GOOD] if first else [GOOD, stranger]

    result = burst(parents, ARITHMETIC, ROOT, SHORT, [0])

    check_children(result, ARITHMETIC, ROOT, SHORT)
    assert result.children
    assert {child.program.inputs for child in result.children} == {("u",)}


def test_a_vocabulary_that_nothing_compiled_belongs_to_is_refused() -> None:
    own = Vocabulary(name="own", functions=(own_word("hypotenuse"),))

    with pytest.raises(ValueError, match="'own' has no compiled function"):
        burst([], own, ROOT, SHORT, [0])


def test_a_vocabulary_of_two_words_is_searched_without_the_others() -> None:
    sums = Vocabulary(name="sums", functions=(ARITHMETIC.functions[1], ARITHMETIC.functions[2]))
    target = FitTarget(points=POINTS, values=POINTS - 3.0 * POINTS**2)

    result = burst([], sums, target, BurstSettings(work=0.05, max_operations=4), [1])

    check_children(result, sums, target, BurstSettings(max_operations=4))
    assert min(child.error for child in result.children) < 1e-13


def test_kinks_are_found_with_minimum_and_maximum() -> None:
    target = FitTarget(points=POINTS, values=np.maximum(POINTS, 1.5))

    result = burst([], ELEMENTARY, target, BurstSettings(work=0.1, max_operations=2), [0])

    assert min(child.error for child in result.children) < 1e-9


def test_three_inputs_are_told_apart() -> None:
    x, y, z = np.random.default_rng(3).uniform(1.0, 2.0, (3, 60))
    target = FitTarget(points=np.stack([x, y, z]), values=x * y - z)

    result = burst([], ARITHMETIC, target, BurstSettings(work=0.15, max_operations=3), [0])

    best = min(result.children, key=lambda child: child.error)
    assert best.error < 1e-12
    assert best.program.inputs == ("x0", "x1", "x2")


def test_children_stay_in_the_band_of_the_target_between_its_points() -> None:
    # given few points, between which a pole could hide
    points = np.linspace(-1.0, 1.0, 8)
    target = FitTarget(points=points, values=np.exp(points))
    between, low, high = check_band(target)

    result = burst([], ARITHMETIC, target, BurstSettings(work=0.1, max_operations=6), [4])

    assert result.children
    for child in result.children:
        values = np.asarray(evaluate(child.program, ARITHMETIC, [between]))
        margin = 3.01 * child.error * target.values.max()
        assert (low - margin <= values).all()
        assert (values <= high + margin).all()


@pytest.mark.parametrize("wrong", [{"max_operations": 0}, {"max_constants": -1}, {"n_children": -1}])
def test_sizes_that_no_search_has_room_for_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="give at least 1, 0 and 0"):
        replace(BurstSettings(), **wrong)  # type: ignore[arg-type]


def test_more_operations_reach_a_smaller_error() -> None:
    result = burst([], ARITHMETIC, ROOT, BurstSettings(work=0.1, max_operations=6), [7])

    best: dict[int, float] = {}
    for child in result.children:
        n = len(child.program.instructions)
        best[n] = min(best.get(n, np.inf), child.error)
    assert best[3] < best[1]
    assert best[5] < best[3]
    assert best[6] < 1e-4
