"""Search over float32 programs: cores of fused operations, other cores for smooth parts, polished constants."""

import shutil
from typing import Any

import numpy as np
import pytest

from evaluators.float32.compiler import COMPILERS, Compiler
from evaluators.float32.targets import interval_of, spread, target_named
from evolve.operators.contract import Compute
from evolve.operators.float32 import Float32Climb
from evolve.symbolic.fma_cores import Core, draw_structure, fitted_values, level, operation_texts, search_cores
from evolve.symbolic.machine import Bench, CoreSettings, mirrored, polish, recored, smooth_parts
from evolve.symbolic.machine_task import float32_children
from evolve.symbolic.mutate import mutate
from sandbox.symbolic.canonical import canonical
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import FLOAT32

pytestmark = pytest.mark.xdist_group(
    "first-compiled-search"
)  # compiles its own part of the search: once, and not beside the rest of it

needs_cc = pytest.mark.skipif(
    not any(shutil.which(name) for name in COMPILERS), reason="no C compiler on this machine: nothing can be polished"
)

ROUGH = """
def f(x):
    t = x + 12582912.0
    r = x - (t - 12582912.0)
    p = fma(r, 0.0096, 0.0558)
    p = fma(p, r, 0.2402)
    p = fma(p, r, 0.6931)
    p = fma(p, r, 1.0)
    return add_bits(p, to_exponent(t))
"""
LOGARITHM = """
def f(x):
    i = sub_bits(x, 0.7071067690849304)
    c = clear_bits(i, 1.1754942106924411e-38)
    m = sub_bits(x, c) - 1.0
    q = fma(m, -0.12, 0.19)
    q = fma(q, m, -0.19)
    q = fma(q, m, 0.2038)
    q = fma(q, m, -0.2395)
    q = fma(q, m, 0.2886)
    q = fma(q, m, -0.3607)
    q = fma(q, m, 0.4809)
    q = fma(q, m, -0.72135)
    q = fma(q, m, 1.442695)
    return fma(int_to_float(c), 1.1920928955078125e-07, m * q)
"""
BINADE = [1.0, 2.0]


def program() -> Program:
    return canonical(parse(ROUGH, FLOAT32), FLOAT32)


def table() -> tuple[Any, Any, Any]:
    x = np.linspace(-0.5, 0.5, 30)
    return x, 1.0 + x * (0.5 - 0.25 * x), np.ones(30)


def test_a_core_finds_a_quadratic_and_says_how_well() -> None:
    cores = search_cores(*table(), n_operations=2, n_structures=60, n_starts=10, rng=np.random.default_rng(1))
    best = cores[0]
    assert best.error < 1e-9
    x, y, _ = table()
    assert np.abs(fitted_values(best, x) - y).max() == pytest.approx(best.error, abs=1e-12)
    assert len(operation_texts(best, "x", "t")) == 2


def test_the_same_stream_finds_the_same_cores() -> None:
    found = [
        search_cores(*table(), n_operations=3, n_structures=20, n_starts=3, rng=np.random.default_rng(5))
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert found[0]


def test_a_structure_uses_everything_and_has_a_constant_more_than_operations() -> None:
    rng = np.random.default_rng(0)
    drawn = [code for _ in range(300) if (code := draw_structure(4, rng)) is not None]
    assert len(drawn) > 20
    for code in drawn:
        assert {operand for operation in code for operand in operation} >= {0, 1, 2, 3}
        assert sum(operand == -1 for operation in code for operand in operation) > 4


def test_levelling_lowers_the_largest_error() -> None:
    x = np.linspace(-0.5, 0.5, 60)
    start = Core(code=((0, -1, -1), (1, 0, -1)), constants=(0.24, 0.69, 1.0), error=np.inf)
    fitted = level(start, x, np.exp2(x), np.ones(60), rounds=1)
    levelled = level(start, x, np.exp2(x), np.ones(60))
    assert levelled.error < fitted.error


def test_smooth_parts_have_one_entrance() -> None:
    form = canonical(program(), FLOAT32)
    names = ["x", *(FLOAT32.functions[each.function].name for each in form.instructions)]
    parts = {(names[part.inner], names[part.outer], part.n_operations) for part in smooth_parts(form)}
    assert ("sub", "fma", 4) in parts  # from the reduced argument to the polynomial's value
    assert not {outer for _, outer, _ in parts} & {"to_exponent", "add_bits"}


def test_another_core_computes_what_the_part_should_have_computed() -> None:
    points = np.linspace(-3, 3, 4000).astype(np.float32)
    settings = CoreSettings(n_structures=60, n_starts=4, n_cores=1)
    for number in range(6):
        children = recored(program(), np.exp2, points, np.random.default_rng(number), settings)
        errors = [
            np.abs(evaluate(child, FLOAT32, [points]) / np.exp2(np.float64(points)) - 1).max() for child in children
        ]
        if errors and min(errors) < 1e-4:
            return
    pytest.fail("no core came near")


def test_a_mirrored_difference_computes_the_same_to_the_last_bit() -> None:
    points = np.linspace(-3, 3, 500).astype(np.float32)
    children = [mirrored(program(), np.exp2, points, np.random.default_rng(number)) for number in range(4)]
    others = [child for child in children if child is not None and child != program()]
    assert others
    for child in others:
        np.testing.assert_array_equal(evaluate(child, FLOAT32, [points]), evaluate(program(), FLOAT32, [points]))


def test_a_mirrored_difference_of_bits_still_splits_off_the_exponent() -> None:
    start = canonical(parse(LOGARITHM, FLOAT32), FLOAT32)
    points = spread(interval_of([1e-30, 1e30]), 3000)
    child = mirrored(start, np.log2, points, np.random.default_rng(11))  # this stream draws the first difference
    assert child is not None
    assert child != start
    np.testing.assert_allclose(evaluate(child, FLOAT32, [points]), np.log2(np.float64(points)), atol=0.01)


@needs_cc
def test_polishing_improves_and_repeats() -> None:
    interval = interval_of(BINADE)
    with Compiler(target_named("exp2")) as compiler:
        bench = Bench(compiler=compiler, interval=interval, points=spread(interval, 400), steps=300, n_rounds=2)
        found = [polish(program(), bench, rng_seed=3) for _ in range(2)]
        unpolished = polish(
            program(), Bench(compiler=compiler, interval=interval, points=bench.points, steps=0, n_rounds=1), rng_seed=3
        )
    assert found[0] == found[1]
    assert found[0].ulp < unpolished.ulp


@needs_cc
def test_the_operator_asks_for_one_climb_and_returns_its_children() -> None:
    judge = {"options": {"function": "exp2", "interval": BINADE}}
    operator = Float32Climb(kind="polish", judge=judge, inputs=("x",), entry="seed.py", max_operations=20)
    proposing = operator.propose([_Parent()], [], np.random.default_rng(0))  # type: ignore[list-item]
    request = next(proposing)
    assert isinstance(request, Compute)
    answer = float32_children(request.payload)
    with pytest.raises(StopIteration) as ended:
        proposing.send(answer)
    [proposal] = ended.value.value
    assert proposal.parent_ids == (7,)
    assert canonical(parse(proposal.files["seed.py"], FLOAT32), FLOAT32) != program()
    assert answer["cost"] > 0


class _Parent:
    """What the operator reads of a candidate."""

    id = 7
    files = {"seed.py": ROUGH}  # noqa: RUF012 - never changed


def test_mutations_of_float32_programs_stay_in_the_language() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        child = mutate(program(), FLOAT32, rng, max_operations=20)
        assert child is not None
        assert parse(render(child, FLOAT32), FLOAT32) == child
