"""The evaluator family `float32`: how exact and how fast a program is as compiled C, operation by operation rounded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluators.contract import Certainty, Evaluation, Failure, Verdict
from evaluators.errors import EvaluatorError
from evaluators.float32.compiler import FLAGS, Compiler, Kernel
from evaluators.float32.measure import Worst, largest, speed_of, worst_everywhere, worst_of
from evaluators.float32.targets import REFERENCE_ERROR, TARGETS, interval_of, spread, target_named
from evaluators.options import checked_options
from sandbox.symbolic.c_source import c_source
from sandbox.symbolic.canonical import counts, depth, operation_count
from sandbox.symbolic.interpreter import evaluate
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import FLOAT32, Vocabulary

N_SCREENED = 256
N_POINTS = 60_000
OPTIONAL = {"exhaustive_below": 1.0, "most_ulp": 2.0**22, "timed": True}

CLAIM = (
    "for every float32 x of the interval, both ends and both zeros included, the program's float32 result differs from "
    "the function's exact value by at most this many ulp; an ulp is the distance between neighbouring float32 numbers "
    "in the binade of the exact value, 2^-149 below the normal numbers; every operation rounds to nearest, as written"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A compiled program with the largest error known so far."""

    kernel: Kernel
    worst: Worst
    is_exhaustive: bool


class Float32Family:
    """Judges programs of one input over the vocabulary `float32` against a function of the C library.

    The score is -log2 of the largest error in ulp: 0 is an error of one ulp, 1 (half an ulp) cannot be beaten. A
    program is compiled, tried on about 60,000 numbers, and if it is good on those (`exhaustive_below` ulp) on every
    float32 of the interval; then the score is exact, else it is an upper bound.

    Options: `function` (a name of `targets.TARGETS`), `interval` (two ends), `exhaustive_below`, `most_ulp` (a program
    that is worse is a failure), `timed` (whether nanoseconds are measured; they differ from run to run).

    Raises:
        EvaluatorError: there is no C compiler, or an option is wrong.
    """

    descriptor_names = frozenset(
        {"operations", "depth", "divisions", "instructions", "ulp", "nanoseconds", "relative_time"}
    )

    def __init__(self, options: Mapping[str, Any], vocabulary: Vocabulary, folder: str = "") -> None:
        del folder  # its functions are those of the C library
        if vocabulary != FLOAT32:
            raise EvaluatorError(
                f"the family float32 judges programs over the vocabulary 'float32', not {vocabulary.name!r}: "
                "set symbolic.vocabulary to 'float32'"
            )
        values = checked_options(options, required=("function", "interval"), optional=OPTIONAL)
        reference = target_named(values["function"])
        self._function = str(values["function"])
        self.interval = interval_of(values["interval"])
        self._exhaustive_below = _limit("exhaustive_below", values)
        self._most_ulp = _limit("most_ulp", values)
        self._timed = bool(values["timed"])
        self.points = spread(self.interval, N_POINTS)
        self._screen = self.points[:: max(1, len(self.points) // N_SCREENED)]
        self.compiler = Compiler(reference)

    def evaluate(self, program: Program) -> Evaluation:
        """The largest error of the program in ulp, as a score, with what it costs."""
        refused = self._refused(program)
        if refused is not None:
            return refused
        kernel = self.compiler.kernel(c_source(program))
        try:
            judged = self._judged(kernel)
            if not judged.worst.ulp <= self._most_ulp:
                return _failed_at(judged.worst)
            metrics = self._metrics(program, judged)
        finally:
            kernel.remove()
        return Evaluation(
            score=-math.log2(judged.worst.ulp) if judged.worst.ulp > 0 else 1.0,
            descriptor={name: metrics[name] for name in sorted(self.descriptor_names & set(metrics))},
            metrics=metrics,
            artifacts={"loop": kernel.loop.text},
        )

    def verify(self, program: Program) -> Verdict:
        """The largest error over every float32 of the interval."""
        try:
            kernel = self.compiler.kernel(c_source(program))
        except ValueError as error:
            return Verdict(verdict=Certainty.REFUTED, detail=str(error))
        try:
            found = worst_everywhere(kernel, self.interval)
        finally:
            kernel.remove()
        worst = largest(found)
        if not math.isfinite(worst.ulp):
            return Verdict(verdict=Certainty.REFUTED, detail=f"the result is not finite at x = {worst.x!r}")
        bound = worst.ulp + REFERENCE_ERROR
        count = sum(part.count for part in found)
        return Verdict(
            verdict=Certainty.CERTIFIED,
            value=bound,
            score=math.nextafter(-math.log2(bound), -math.inf),
            detail=f"at most {bound:.6f} ulp for all {count} float32 numbers, most at x = {worst.x!r}",
            certificate={
                "claim": CLAIM,
                "program": render(program, FLOAT32),
                "function": TARGETS[self._function],
                "interval": [self.interval.low.hex(), self.interval.high.hex()],
                "bound_ulp": bound,
                "witness_x": worst.x.hex(),
                "numbers": count,
                "method": "every float32 number tried in compiled C, against the C library in double precision",
                "reference_error_ulp": REFERENCE_ERROR,
                "compiler": self.compiler.version,
                "flags": list(FLAGS),
            },
        )

    def fit_target(self) -> None:
        """None: real constants fitted to a table do not know how operations round."""

    def fit_target_low(self) -> None:
        """None, as there is no table."""

    def fit_weights(self) -> None:
        """None, as there is no table."""

    @property
    def symmetry(self) -> None:
        """None: range reduction is part of the program."""

    def close(self) -> None:
        """Delete what was compiled."""
        self.compiler.close()

    def _refused(self, program: Program) -> Evaluation | None:
        """What a few numbers in our interpreter tell: most changed programs are not worth a compilation."""
        values = np.broadcast_to(np.asarray(evaluate(program, FLOAT32, [self._screen]), np.float32), self._screen.shape)
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            detail = f"the result is not finite at x = {float(self._screen[wrong[0]])!r}"
            return Evaluation.failed(Failure.NOT_FINITE, detail=detail)
        if not operation_count(program):
            return Evaluation.failed(Failure.INVALID, detail="the program computes nothing: give it an operation")
        try:
            c_source(program)
        except ValueError as error:
            return Evaluation.failed(Failure.INVALID, detail=str(error))
        return None

    def _judged(self, kernel: Kernel) -> _Judged:
        worst = worst_of(kernel, self.points)
        if not worst.ulp <= self._exhaustive_below:
            return _Judged(kernel=kernel, worst=worst, is_exhaustive=False)
        found = worst_everywhere(kernel, self.interval, stop=self._exhaustive_below)
        most = largest([*found, worst])
        return _Judged(kernel=kernel, worst=most, is_exhaustive=most.ulp <= self._exhaustive_below)

    def _metrics(self, program: Program, judged: _Judged) -> dict[str, float]:
        used = counts(program, FLOAT32)
        metrics = {
            "ulp": judged.worst.ulp,
            "worst_x": judged.worst.x,
            "exhaustive": float(judged.is_exhaustive),
            "instructions": judged.kernel.loop.instructions,
            "lanes": float(judged.kernel.loop.lanes),
            "operations": float(operation_count(program)),
            "depth": float(depth(program)),
            "divisions": float(used.get("div", 0)),
            "fused": float(used.get("fma", 0)),
        }
        if self._timed:
            speed = speed_of(judged.kernel, self.points)
            metrics |= {"nanoseconds": speed.nanoseconds, "relative_time": speed.ratio}
        return metrics


def _limit(name: str, values: Mapping[str, Any]) -> float:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < math.inf:
        raise EvaluatorError(f"evaluator.options.{name} is {value!r}, expected a number of ulp, 0 or more")
    return float(value)


def _failed_at(worst: Worst) -> Evaluation:
    if math.isfinite(worst.ulp):
        return Evaluation.failed(Failure.THRESHOLD, detail=f"an error of {worst.ulp:.3g} ulp at x = {worst.x!r}")
    return Evaluation.failed(Failure.NOT_FINITE, detail=f"the result is not finite at x = {worst.x!r}")
