"""Growing a fitted program by the term that promises most, and leaps along narrow valleys."""

import numpy as np
import pytest

from evolve.symbolic.bench import Bench, prepare
from evolve.symbolic.contract import FitTarget
from evolve.symbolic.genomes import read_genome, write_genome
from evolve.symbolic.grow import grow
from evolve.symbolic.least_squares import evaluate, fit, leap
from evolve.symbolic.normal_form import link
from sandbox.symbolic.interpreter import evaluate as values_of
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC

POINTS = 0.5 - 0.5 * np.cos((2 * np.arange(64) + 1) * np.pi / 128)
EXPONENTIAL = FitTarget(points=POINTS, values=np.exp2(POINTS))
QUOTIENT = "def f(x):\n    return -8.0 / (x - 3.5) - 1.3\n"


class Linked:
    """A program in the arrays of a burst, with its constants fitted."""

    def __init__(self, text: str, target: FitTarget, *, max_operations: int = 10) -> None:
        self.bench: Bench = prepare(ARITHMETIC, target, max_operations)
        drawing = self.bench.drawing
        program = parse(text, ARITHMETIC)
        self.n = write_genome(program, ARITHMETIC, drawing.code, drawing.constants)
        self.n_constants = link(drawing.code, drawing.constants, self.n, 1, self.bench.work.tape, drawing.flat)
        self.cost = fit(self.bench.work, self.n, self.n_constants, drawing.flat, self.bench.search, 40, True)

    def grown(self, rng_seed: int) -> Program | None:
        drawing, bench = self.bench.drawing, self.bench
        k = 0
        for i in range(self.n):
            for side in (1, 2):
                if drawing.code[i, side] == -1:
                    drawing.constants[i, side - 1] = drawing.flat[k]
                    k += 1
        rng = np.array([rng_seed], np.uint64)
        n = grow(
            drawing.code,
            drawing.constants,
            self.n,
            self.n_constants,
            drawing.flat,
            bench.work,
            bench.search,
            bench.grammar,
            rng,
        )
        if n < 0:
            return None
        return read_genome(drawing.code, drawing.constants, n, ARITHMETIC, name="f", inputs=("x",))


@pytest.mark.parametrize("rng_seed", range(1, 9))
def test_a_grown_program_still_has_the_value_it_had(rng_seed: int) -> None:
    linked = Linked(QUOTIENT, EXPONENTIAL)
    evaluate(linked.bench.work, linked.n, linked.n_constants, linked.bench.drawing.flat, linked.bench.search)
    before = linked.bench.work.values[linked.n].copy()

    program = linked.grown(rng_seed)

    assert program is not None
    assert len(program.instructions) in (linked.n + 2, linked.n + 3)
    after = values_of(program, ARITHMETIC, list(linked.bench.search.inputs))
    np.testing.assert_allclose(after, before, rtol=1e-15)


def test_fits_from_grown_programs_are_better_and_some_much_better() -> None:
    factors = []
    for rng_seed in range(1, 9):
        linked = Linked(QUOTIENT, EXPONENTIAL)
        grown = linked.grown(rng_seed)
        assert grown is not None
        bench = prepare(ARITHMETIC, EXPONENTIAL, 10)
        drawing = bench.drawing
        n = write_genome(grown, ARITHMETIC, drawing.code, drawing.constants)
        n_constants = link(drawing.code, drawing.constants, n, 1, bench.work.tape, drawing.flat)
        fit(bench.work, n, n_constants, drawing.flat, bench.search, 30, False)
        factors.append(leap(bench.work, n, n_constants, drawing.flat, bench.search, 12) / linked.cost)

    assert max(factors) < 1.0001  # sums of squares
    assert min(factors) < 1e-2


def test_there_is_no_growth_without_room() -> None:
    assert Linked(QUOTIENT, EXPONENTIAL, max_operations=4).grown(1) is None


def test_leaps_reach_in_a_few_steps_what_going_down_only_does_not() -> None:
    # sin(x) / x in u = x^2, a continued fraction; its valley is 1e-8 wide and bent
    u = np.linspace(0.01, 2.4, 40)
    target = FitTarget(points=u, values=np.sin(np.sqrt(u)) / np.sqrt(u))
    text = (
        "def f(x):\n    t1 = x + 25.5527\n    t2 = 1857.33 / t1\n    t3 = x + t2\n    t4 = t3 + 106.347\n"
        "    t5 = -2896.227 / t4\n    return t5 + 17.177\n"
    )
    slow, fast = Linked(text, target), Linked(text, target)

    down = fit(slow.bench.work, slow.n, slow.n_constants, slow.bench.drawing.flat, slow.bench.search, 100, False)
    leapt = leap(fast.bench.work, fast.n, fast.n_constants, fast.bench.drawing.flat, fast.bench.search, 15)

    assert leapt < 1e-2 * down
    assert fast.bench.work.error[0] < 1e-8


def test_leaps_never_end_worse_than_they_began() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        linked = Linked(QUOTIENT, EXPONENTIAL)
        flat = linked.bench.drawing.flat
        flat[: linked.n_constants] = rng.normal(size=linked.n_constants) * 10.0 ** rng.uniform(-2, 2)
        before = evaluate(linked.bench.work, linked.n, linked.n_constants, flat, linked.bench.search)

        after = leap(linked.bench.work, linked.n, linked.n_constants, flat, linked.bench.search, 8)

        assert after <= before
        assert evaluate(linked.bench.work, linked.n, linked.n_constants, flat, linked.bench.search) == after
