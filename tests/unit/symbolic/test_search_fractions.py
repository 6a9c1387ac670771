"""Programs continued as a continued fraction in one of their values."""

import numpy as np
import pytest

from evolve.symbolic.bench import Bench, prepare
from evolve.symbolic.contract import FitTarget
from evolve.symbolic.fractions import continue_as_fraction
from evolve.symbolic.genomes import read_genome, write_genome
from evolve.symbolic.normal_form import link, normalise
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.interpreter import evaluate as values_of
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import ARITHMETIC

POINTS = 0.5 - 0.5 * np.cos((2 * np.arange(64) + 1) * np.pi / 128)
SQUARE = "def f(x):\n    return x * x\n"


def continued(text: str, target: FitTarget, rng_seed: int, *, max_operations: int = 12) -> Program | None:
    """The program, continued once; its constants are those of the linear fit."""
    bench: Bench = prepare(ARITHMETIC, target, max_operations)
    drawing = bench.drawing
    n = write_genome(parse(text, ARITHMETIC), ARITHMETIC, drawing.code, drawing.constants)
    n_constants = link(drawing.code, drawing.constants, n, 1, bench.work.tape, drawing.flat)
    rng = np.array([rng_seed], np.uint64)
    n = continue_as_fraction(
        drawing.code,
        drawing.constants,
        n,
        n_constants,
        drawing.flat,
        bench.work,
        bench.search,
        bench.grammar,
        drawing.marks,
        rng,
    )
    if n > 0:
        n = normalise(drawing.code, drawing.constants, n, 1, drawing.scratch, True)
    return None if n < 0 else read_genome(drawing.code, drawing.constants, n, ARITHMETIC, name="f", inputs=("x",))


def error_of(program: Program, target: FitTarget) -> float:
    values = values_of(program, ARITHMETIC, [target.points])
    return float(np.max(np.abs(values - target.values) * target.scale))


def errors_by_size(text: str, target: FitTarget) -> dict[int, float]:
    """The least error at each count of operations over many draws."""
    least: dict[int, float] = {}
    for rng_seed in range(1, 400):
        program = continued(text, target, rng_seed)
        if program is not None:
            n = operation_count(program)
            least[n] = min(least.get(n, np.inf), error_of(program, target))
    return least


def test_the_continued_fraction_of_the_sine_is_found_without_a_fit_of_its_constants() -> None:
    points = POINTS * np.pi / 2
    least = errors_by_size(SQUARE, FitTarget(points=points, values=np.sin(points)))

    assert least[8] < 8e-9  # 5.3e-9 with minimax constants
    assert least[11] < 1e-13  # 5.0e-14


@pytest.mark.parametrize("degree", [-1, 0, 1, 2])
def test_a_quotient_of_polynomials_is_found_as_it_is(degree: int) -> None:
    numerator = np.polynomial.Polynomial([1.0, 0.5, -0.25, 0.125, 0.3][: 3 + degree])
    denominator = np.polynomial.Polynomial([3.0, 1.0, 0.5])
    target = FitTarget(points=POINTS, values=numerator(POINTS) / denominator(POINTS))

    assert min(errors_by_size(SQUARE, target).values()) < 1e-13


@pytest.mark.parametrize("rng_seed", range(1, 40))
def test_a_fraction_stays_within_the_operations_that_are_allowed(rng_seed: int) -> None:
    target = FitTarget(points=POINTS, values=np.exp2(POINTS))

    program = continued(SQUARE, target, rng_seed, max_operations=6)

    assert program is None or operation_count(program) <= 6
