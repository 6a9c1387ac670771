"""Finishing: an elite of a burst, with constants that level its error on all points, as a program.

Where rounding in float64 would show, constants are polished in double-double arithmetic, and written with more digits
than float64 holds if the vocabulary lets them. News among the best of its operation count gets short constants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evolve.symbolic.contract import Child, FitTarget
from evolve.symbolic.exact_tape import exact_table
from evolve.symbolic.exchange import exchange, lawson
from evolve.symbolic.extremes import Curve
from evolve.symbolic.genomes import read_genome, write_genome
from evolve.symbolic.least_squares import Table, Workspace, differentiate, evaluate, fit
from evolve.symbolic.normal_form import link, unlink
from evolve.symbolic.polish import Constants, Linked, exact_constants, level_extremes, levelled
from evolve.symbolic.rounding import SETTLE_BELOW, exact_residuals, settle
from evolve.symbolic.search import Drawing, stays_between
from evolve.symbolic.shorten import shortened
from evolve.symbolic.tables import check_band
from evolve.symbolic.tape import FloatArray, IntArray
from sandbox.symbolic import interpreter
from sandbox.symbolic.canonical import numbered
from sandbox.symbolic.double_double import has_double_double
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

EXCHANGE_ABOVE = 1e-13
FINISHING_TICKS = 200_000
NOISE = 1e-3
NEWS = 0.999
"""An error below this part of the best known one is news."""


@dataclass(frozen=True, slots=True)
class Finisher:
    """What finishing needs besides the elite; `alike` lends its names."""

    work: Workspace
    drawing: Drawing
    full: Table
    weighted: Table
    vocabulary: Vocabulary
    target: FitTarget
    alike: Program | None

    def finish(self, code: IntArray, constants: FloatArray, n: int) -> tuple[Program, float] | None:
        """The levelled program and its largest error on the points; None if levelling shows a pole."""
        work, drawing, n_inputs = self.work, self.drawing, self.full.inputs.shape[0]
        n_constants = link(code, constants, n, n_inputs, work.tape, drawing.flat)
        flat = drawing.flat[:n_constants].copy()
        program = self._read(code, constants, n)
        work.ticks[0] += FINISHING_TICKS
        if n_constants and not self._rounding_shows(program, self._error(flat, n)):
            flat = self._levelled(flat, n)
        error = self._error(flat, n)
        if not np.isfinite(error) or not stays_between(work, drawing, n, n_constants, n_inputs, flat, error):
            return None
        unlink(code, constants, n, flat)
        program = self._read(code, constants, n)
        if self._rounding_shows(program, error):
            return self._polished(program, error)
        exact = n_constants > 0 and has_double_double(program, self.vocabulary)
        settles = exact and not self.vocabulary.precise_constants and error < SETTLE_BELOW
        return self._settled(program, n) if settles else (program, error)

    def _rounding_shows(self, program: Program, error: float) -> bool:
        """Whether float64 arithmetic gives an error that is not the program's, where constants may be precise."""
        exact = self.vocabulary.precise_constants and has_double_double(program, self.vocabulary)
        if not exact or not program.constants:
            return False
        linked, constants = linked_program(program, self.vocabulary, self.target, self.work.ticks)
        there = float(np.abs(linked.residuals(constants)).max())
        return not abs(there - error) <= NOISE * there

    def _read(self, code: IntArray, constants: FloatArray, n: int) -> Program:
        n_inputs = self.full.inputs.shape[0]
        alike = self.alike
        name, inputs = (alike.name, alike.inputs) if alike is not None else ("f", _input_names(n_inputs))
        return read_genome(code, constants, n, self.vocabulary, name=name, inputs=inputs)

    def _residuals(self, flat: FloatArray, n: int) -> FloatArray:
        evaluate(self.work, n, flat.size, flat, self.full)
        return self.work.residual[: self.target.values.size].copy()

    def _error(self, flat: FloatArray, n: int) -> float:
        return float(np.abs(self._residuals(flat, n)).max())

    def _derivatives(self, flat: FloatArray, n: int) -> FloatArray:
        first, n_points = self.full.inputs.shape[0] + n, self.target.values.size
        evaluate(self.work, n, flat.size, flat, self.full)
        differentiate(self.work, n, flat.size, self.full)
        rows = self.work.adjoints[first : first + flat.size, :n_points].T.copy()
        return np.where(np.isfinite(rows), rows, 0.0)

    def _levelled(self, flat: FloatArray, n: int) -> FloatArray:
        """Constants that level the errors as float64 shows them."""
        n_points = self.target.values.size

        def refit(constants: FloatArray, importance: FloatArray, iterations: int) -> None:
            self.weighted.weights[:n_points] = self.full.weights[:n_points] * np.sqrt(importance)
            fit(self.work, n, constants.size, constants, self.weighted, iterations, False)

        flat = lawson(flat, n_points, lambda moved: self._residuals(moved, n), refit)
        if self._error(flat, n) <= EXCHANGE_ABOVE:
            return flat
        return exchange(flat, lambda moved: self._residuals(moved, n), lambda moved: self._derivatives(moved, n))

    def _polished(self, program: Program, error: float) -> tuple[Program, float]:
        """With constants of as many digits as they need."""
        linked, constants = linked_program(program, self.vocabulary, self.target, self.work.ticks)
        better, error_there = _with(program, linked, levelled(linked, constants)[0])
        return (better, error_there) if is_tame(better, self.vocabulary, self.target, error_there) else (program, error)

    def _settled(self, program: Program, n: int) -> tuple[Program, float]:
        """With float64 constants chosen for their rounding."""
        flat = exchange(
            np.array(program.constants),
            lambda moved: exact_residuals(program.with_constants(moved.tolist()), self.vocabulary, self.target),
            lambda moved: self._derivatives(moved, n),
        )
        derivatives, rng = self._derivatives(flat, n), np.random.default_rng(n)
        return settle(program.with_constants(flat.tolist()), self.vocabulary, self.target, derivatives.T, rng)


def with_short_constants(
    children: Sequence[Child], known: Mapping[int, float], vocabulary: Vocabulary, target: FitTarget, ticks: IntArray
) -> list[Child]:
    """The children in order, with short constants where no program of as few operations was known to be as good."""
    least, finished = dict(known), []
    for child in children:
        count = len(child.program.instructions)
        beaten = child.error < NEWS * min((error for n, error in least.items() if n <= count), default=np.inf)
        finished.append(_with_short_constants(child, vocabulary, target, ticks) if beaten else child)
        least[count] = min(child.error, least.get(count, np.inf))
    return finished


def _with_short_constants(child: Child, vocabulary: Vocabulary, target: FitTarget, ticks: IntArray) -> Child:
    exact = vocabulary.precise_constants and has_double_double(child.program, vocabulary)
    if not exact or not child.program.constants:
        return child
    linked, constants = linked_program(child.program, vocabulary, target, ticks)
    constants, _, _ = level_extremes(linked, constants)
    program, error = _with(child.program, linked, shortened(linked, constants))
    return replace(child, program=program, error=error) if is_tame(program, vocabulary, target, error) else child


def least_errors(
    programs: Sequence[Program], errors: Sequence[float], vocabulary: Vocabulary, target: FitTarget
) -> dict[int, float]:
    """The least error of each operation count, given those that float64 shows; small ones are taken exactly."""
    least: dict[int, float] = {}
    hidden = SETTLE_BELOW * size_of(target) if vocabulary.precise_constants else 0.0
    for program, error in zip(programs, errors, strict=True):
        count = len(program.instructions)
        if error < hidden and has_double_double(program, vocabulary):
            linked, constants = linked_program(numbered(program), vocabulary, target, np.zeros(1, np.int64))
            error = float(np.abs(linked.residuals(constants)).max())
        least[count] = min(error, least.get(count, np.inf))
    return least


def polish(program: Program, vocabulary: Vocabulary, target: FitTarget) -> Program:
    """The program with constants whose largest error is least, to as many digits as that takes.

    A program that cannot be polished comes back unchanged: without constants, with functions that have no
    double-double form, over a vocabulary without precise constants. Poles are looked for as in a burst: on points, so
    what comes back is to be judged.
    """
    rows = np.zeros((max(len(program.instructions), 1), 3), np.int64)
    constants = np.zeros((len(rows), 2))
    n = write_genome(program, vocabulary, rows, constants)
    fits = n > 0 and vocabulary.precise_constants and has_double_double(program, vocabulary)
    if not fits or not program.constants or len(program.inputs) != np.atleast_2d(target.points).shape[0]:
        return program
    plain = numbered(replace(program, instructions=program.instructions[:n]))
    linked, start = linked_program(plain, vocabulary, target, np.zeros(1, np.int64))
    found, _ = levelled(linked, start)
    better, error = _with(plain, linked, shortened(linked, found))
    return better if is_tame(better, vocabulary, target, error) else program


def linked_program(
    program: Program, vocabulary: Vocabulary, target: FitTarget, ticks: IntArray
) -> tuple[Linked, Constants]:
    """A `numbered` program in a tape of its own, and its constants."""
    n, n_inputs, n_constants = len(program.instructions), len(program.inputs), len(program.constants)
    code, tape, constants = np.zeros((n, 3), np.int64), np.zeros((n, 3), np.int64), np.zeros((n, 2))
    flat = np.zeros(n_constants)
    write_genome(program, vocabulary, code, constants)
    link(code, constants, n, n_inputs, tape, flat)
    exact = exact_table(target, n_inputs + n + n_constants)
    linked = Linked(tape, n, n_inputs, exact, Curve(target.points), tuple(range(n_constants)), ticks)
    return linked, Constants(flat, np.array(program.lows))


def _with(program: Program, linked: Linked, constants: Constants) -> tuple[Program, float]:
    highs, lows = exact_constants(constants)
    error = float(np.abs(linked.residuals(Constants(np.array(highs), np.array(lows)))).max())
    return program.with_constants(highs, lows), error


def size_of(target: FitTarget) -> float:
    """The largest value, in the unit of errors: 1 if they are relative. Rounding hides what is much smaller."""
    return float((np.abs(target.values) * target.scale).max())


def is_tame(program: Program, vocabulary: Vocabulary, target: FitTarget, error: float) -> bool:
    """Whether a program of one input, of a known error at the points, is tame between them: no pole, no NaN."""
    between, low, high = check_band(target)
    if not np.isfinite(error) or not between.size:
        return bool(np.isfinite(error))
    values = np.asarray(interpreter.evaluate(program, vocabulary, [between]))
    margin = 3.0 * error / target.scale.min()
    return bool(((low - margin <= values) & (values <= high + margin)).all())


def _input_names(n: int) -> tuple[str, ...]:
    return ("x",) if n == 1 else tuple(f"x{i}" for i in range(n))
