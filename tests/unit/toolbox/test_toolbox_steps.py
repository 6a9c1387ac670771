"""Steps keep what they promise: objects stay objects of their kind, work is counted, the best one is remembered."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from sandbox.toolbox.base import CHOOSE, SpentError, Step, Toolbox, found_by, steps_of
from sandbox.toolbox.catalog import MODULES, toolbox_named
from sandbox.toolbox.circles import Circles
from sandbox.toolbox.distances import DistanceRatio, SphericalCode
from sandbox.toolbox.functions import Autoconvolution, Overlap
from sandbox.toolbox.graphs import ShortCycleFree, repaired
from sandbox.toolbox.integers import IntegerSet, perfect_difference_set
from sandbox.toolbox.tensors import MatrixProduct, lift, product_tensor, scheme_tensor
from sandbox.toolbox.triangles import Heilbronn, convex_hull
from tests.unit.toolbox.makers_continuous import CONTINUOUS
from tests.unit.toolbox.makers_discrete import DISCRETE

MAKERS: list[tuple[str, Callable[..., Toolbox[Any]]]] = [
    ("circles", lambda **more: Circles(6, **more)),
    ("circles-rectangle", lambda **more: Circles(6, "rectangle", **more)),
    ("distance_ratio", lambda **more: DistanceRatio(7, 2, **more)),
    ("spherical_code", lambda **more: SphericalCode(7, 3, **more)),
    ("heilbronn-triangle", lambda **more: Heilbronn(6, "triangle", **more)),
    ("heilbronn-square", lambda **more: Heilbronn(6, "square", **more)),
    ("heilbronn-convex", lambda **more: Heilbronn(6, "convex", **more)),
    ("autoconvolution", lambda **more: Autoconvolution(60, **more)),
    ("autoconvolution-signed", lambda **more: Autoconvolution(60, signed=True, **more)),
    ("overlap", lambda **more: Overlap(60, **more)),
    ("integer_set", lambda **more: IntegerSet(15, "sums", **more)),
    ("integer_set-basis", lambda **more: IntegerSet(15, "basis", **more)),
    ("short_cycle_free", lambda **more: ShortCycleFree(8, **more)),
    ("matrix_product", lambda **more: MatrixProduct(2, 2, 2, **more)),
    *CONTINUOUS,
    *DISCRETE,
]
each_toolbox = pytest.mark.parametrize("make", [make for _, make in MAKERS], ids=[name for name, _ in MAKERS])


def smallest(step: Step) -> dict[str, float]:
    """Parameters that make a step cheap."""
    return {name: span.low for name, span in step.parameters}


def start(toolbox: Toolbox[Any]) -> Any:
    first = next(each for each in steps_of(type(toolbox)) if each.kind == "start")
    return getattr(toolbox, first.name)(**smallest(first))


def test_the_catalog_names_every_toolbox_with_starts_solvers_and_choices() -> None:
    assert {name.partition("-")[0] for name, _ in MAKERS} == set(MODULES)
    for name in MODULES:
        kinds = {step.kind for step in steps_of(toolbox_named(name))}
        assert {"start", "move", "solve", "choose"} == kinds


@each_toolbox
@pytest.mark.parametrize("pick", [smallest, lambda step: {name: span.default for name, span in step.parameters}])
def test_every_step_takes_objects_and_gives_one_of_finite_worth(
    make: Callable[..., Toolbox[Any]], pick: Callable[[Step], dict[str, float]]
) -> None:
    toolbox = make(work=1e9, seed=3)
    thing = start(toolbox)

    for step in steps_of(type(toolbox)):
        kept = toolbox.copy(thing)
        new = getattr(toolbox, step.name)(*[thing] * step.n_things, **pick(step))
        assert type(new) is type(thing)
        assert np.array_equal(thing, kept), f"{step.name} changed what it was given"
        if step.kind != "start":
            assert np.isfinite(toolbox.value(new)) or not np.isfinite(toolbox.value(thing))


@each_toolbox
def test_equal_seeds_give_equal_objects(make: Callable[..., Toolbox[Any]]) -> None:
    def found(seed: int) -> Any:
        toolbox = make(work=30.0, seed=seed)

        def strategy(t: Any) -> None:
            for step in steps_of(type(t)):
                if step.kind == "solve":
                    getattr(t, step.name)(start(t), **smallest(step))

        return found_by(strategy, toolbox)

    assert np.array_equal(found(5), found(5))


@each_toolbox
def test_work_is_counted_and_ends_a_strategy_with_the_best_object(make: Callable[..., Toolbox[Any]]) -> None:
    toolbox = make(work=3.0, seed=1)
    shown = []

    def strategy(t: Toolbox[Any]) -> None:
        thing = start(t)
        while True:
            shown.append(t.show(thing))
            thing = t.better(thing, start(t))

    best = found_by(strategy, toolbox)

    assert toolbox.work_left < 1.0
    assert toolbox.value(best) == toolbox.best_value == max(shown)
    with pytest.raises(SpentError):
        toolbox.spend(1.0)


def test_a_strategy_that_shows_nothing_is_told_so() -> None:
    with pytest.raises(ValueError, match="no step of it showed an object"):
        found_by(lambda t: None, DistanceRatio(4, 2, work=1.0, seed=1))


def test_accept_takes_the_better_one_and_at_a_temperature_now_and_then_the_worse() -> None:
    toolbox = IntegerSet(15, "sums", work=1e9, seed=1)
    good, bad = (np.array([k in kept for k in range(15)], np.int8) for kept in ((0, 2, 3, 4, 7, 11, 12, 14), (0, 1, 5)))

    assert toolbox.accept(bad, good) is good
    assert all(toolbox.accept(good, bad) is good for _ in range(50))
    taken = [toolbox.accept(good, bad, temperature=0.05) is bad for _ in range(400)]
    assert 0 < sum(taken) < 400


def test_an_inherited_object_is_given_once_asked_for_and_else_the_own_one() -> None:
    warm, own = np.zeros((4, 2)), np.ones((4, 2))

    assert DistanceRatio(4, 2, work=1.0, seed=1).inherit(own) is own
    given = DistanceRatio(4, 2, work=1.0, seed=1, warm=warm).inherit(own)
    assert np.array_equal(given, warm)
    assert given is not warm


@pytest.mark.parametrize(
    ("make", "solve", "optimum"),
    [
        (lambda: Circles(2, work=5, seed=1), "press", 2 - np.sqrt(2)),
        (lambda: DistanceRatio(4, 2, work=5, seed=1), "ascend", np.sqrt(0.5)),
        (lambda: SphericalCode(4, 3, work=5, seed=1), "ascend", np.sqrt(8 / 3)),
        (lambda: Heilbronn(4, "square", work=5, seed=1), "ascend", 0.5),
    ],
)
def test_solvers_find_small_optima_that_everybody_knows(make: Callable[[], Any], solve: str, optimum: float) -> None:
    def strategy(t: Any) -> None:
        while True:
            getattr(t, solve)(t.random(), rounds=40, gain=1e-14)

    toolbox = make()
    found_by(strategy, toolbox)

    assert toolbox.best_value == pytest.approx(optimum, abs=1e-9)


@pytest.mark.parametrize("n", [5, 9])
def test_every_round_of_press_gives_a_packing(n: int) -> None:
    box = Circles(n, work=50, seed=2)
    found = found_by(lambda t: [t.press(t.random(), rounds=1) for _ in range(20)], box)

    radii, centres = box.radii(found), found[:-1]

    assert box.best_value == pytest.approx(radii.sum())
    for i, j in combinations(range(n), 2):
        assert np.hypot(*(centres[i] - centres[j])) >= radii[i] + radii[j] - 1e-9
    assert (centres >= radii[:, None] - 1e-9).all()
    assert (centres <= 1 - radii[:, None] + 1e-9).all()


@pytest.mark.parametrize("make", [DistanceRatio, SphericalCode])
def test_slopes_are_derivatives_of_the_measures_along_moves_that_keep_the_place(make: Any) -> None:
    toolbox = make(6, 3, work=1.0, seed=4)
    points = toolbox.random()
    move = 1e-6 * np.random.default_rng(1).normal(size=points.shape)
    if make is SphericalCode:
        move -= (move * points).sum(1)[:, None] * points
        change = toolbox.measures.values(toolbox.region.inside(points + move)) - toolbox.measures.values(points)
    else:
        gaps = [np.linalg.norm(q[toolbox.pairs[0]] - q[toolbox.pairs[1]], axis=1) for q in (points, points + move)]
        change = gaps[1] - gaps[0]

    assert toolbox.measures.slopes(points) @ move.ravel() == pytest.approx(change, abs=1e-10)


@pytest.mark.parametrize("kind", [DistanceRatio, SphericalCode])
def test_gradients_hold_off_the_place_too(kind: Any) -> None:
    toolbox = kind(6, 3, work=1.0, seed=4)
    rng = np.random.default_rng(1)
    points, move, weights = 1.7 * toolbox.random() + 0.1, rng.normal(size=(6, 3)), rng.random(15)

    change = (
        weights @ (toolbox.measures.values(points + 1e-6 * move) - toolbox.measures.values(points - 1e-6 * move)) / 2e-6
    )

    assert toolbox.measures.gradient(points, weights) @ move.ravel() == pytest.approx(change, abs=1e-7)


@pytest.mark.parametrize("region", ["triangle", "square", "convex"])
def test_slopes_of_triangles_are_derivatives(region: str) -> None:
    toolbox = Heilbronn(6, region, work=1.0, seed=4)
    points = toolbox.random()
    move = 1e-7 * np.random.default_rng(1).normal(size=points.shape)

    change = toolbox.measures.values(points + move) - toolbox.measures.values(points)

    assert toolbox.measures.slopes(points) @ move.ravel() == pytest.approx(change, abs=1e-12)


@pytest.mark.parametrize("make", [Autoconvolution, Overlap])
def test_slopes_of_levels_are_derivatives(make: Any) -> None:
    toolbox = make(60, work=1.0, seed=4)
    heights = toolbox.random(steps=9)
    move = np.random.default_rng(1).normal(size=9)
    move -= move.mean()

    change = (toolbox.family.levels(heights + 1e-6 * move) - toolbox.family.levels(heights - 1e-6 * move)) / 2e-6

    assert toolbox.family.slopes(heights, np.arange(17)) @ move == pytest.approx(change, abs=1e-8)


def test_the_hull_goes_around_its_corners() -> None:
    points = np.array([[0.0, 0.0], [0.5, 0.4], [1.0, 0.0], [1.0, 1.0], [0.2, 0.3], [0.0, 1.0]])

    assert convex_hull(points) == [0, 2, 3, 5]


@pytest.mark.parametrize("seed", range(8))
def test_tabu_search_ends_with_a_graph_without_short_cycles(seed: int) -> None:
    toolbox = ShortCycleFree(12, work=100, seed=seed)
    graph = toolbox.tabu(toolbox.drop(toolbox.greedy(), share=0.3), flips=300).astype(int)

    paths = graph @ graph
    np.fill_diagonal(paths, 0)
    assert (graph == graph.T).all()
    assert not np.diag(graph).any()
    assert paths.max() <= 1
    assert not (paths * graph).any()
    assert graph.sum() // 2 == toolbox.value(graph.astype(np.int8))


def test_the_petersen_graph_is_found_from_nothing() -> None:
    toolbox = ShortCycleFree(10, work=60, seed=1)
    found_by(lambda t: [t.tabu(t.drop(t.greedy(), share=0.3), flips=1000) for _ in range(100)], toolbox)

    assert toolbox.best_value == 15.0


def test_a_complete_graph_is_repaired() -> None:
    graph = repaired(np.ones((6, 6), np.int8) - np.eye(6, dtype=np.int8))

    assert 5 <= graph.sum() // 2 <= 6


@pytest.mark.parametrize("seed", range(4))
def test_flips_and_splits_keep_the_product_modulo_two(seed: int) -> None:
    toolbox = MatrixProduct(2, 3, 2, work=1e9, seed=seed)
    scheme = toolbox.flip(toolbox.plus(toolbox.standard(), count=3), flips=3000, idle=500)

    factors = [
        np.array([[m >> b & 1 for b in range(size)] for m in scheme[:, f].tolist()])
        for f, size in ((0, 6), (1, 6), (2, 4))
    ]

    assert ((scheme_tensor(factors) - product_tensor(2, 3, 2)) % 2 == 0).all()


def test_strassen_is_found_and_lifted_to_whole_numbers() -> None:
    toolbox = MatrixProduct(2, 2, 2, work=50, seed=1)
    found_by(lambda t: [t.flip(t.standard(), flips=20000) for _ in range(20)], toolbox)

    factors = toolbox.lifted()

    assert toolbox.best_value == -7.0
    assert factors is not None
    assert (scheme_tensor(list(factors)) == product_tensor(2, 2, 2)).all()


def test_a_scheme_that_is_right_modulo_two_only_is_not_lifted_to_something_wrong() -> None:
    standard = MatrixProduct(2, 2, 2, work=1.0, seed=1).standard()
    wrong = standard[:7]

    assert lift(wrong, 2, 2, 2) is None


@pytest.mark.parametrize("q", [2, 3, 5, 7, 11])
def test_singers_sets_have_every_difference_once(q: int) -> None:
    residues, modulus = perfect_difference_set(q)

    assert len(residues) == q + 1
    assert sorted((a - b) % modulus for a in residues for b in residues if a != b) == list(range(1, modulus))


def test_conways_set_has_more_sums_than_differences() -> None:
    toolbox = IntegerSet(15, "sums", work=1.0, seed=1)
    chosen = np.zeros(15, np.int8)
    chosen[[0, 2, 3, 4, 7, 11, 12, 14]] = 1

    assert toolbox.value(chosen) == 26 / 25


@pytest.mark.parametrize(
    "make",
    [
        lambda: Circles(3, "round", work=1.0, seed=1),
        lambda: Heilbronn(5, "disc", work=1.0, seed=1),
        lambda: IntegerSet(9, "products", work=1.0, seed=1),
        lambda: MatrixProduct(8, 8, 8, work=1.0, seed=1),
    ],
)
def test_what_a_toolbox_does_not_know_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"expected|entries"):
        make()


def test_choices_take_two_objects_or_one() -> None:
    assert {step.name: step.n_things for step in steps_of(Circles) if step.kind == CHOOSE} == {
        "accept": 2,
        "better": 2,
        "inherit": 1,
        "recall": 1,
    }
