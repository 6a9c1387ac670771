"""The evaluator family `function_approximation`: how well a symbolic program approximates a function."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
import numpy.typing as npt
from flint import arb

from evaluators.approximation.precision import working
from evaluators.approximation.proof import METHOD, NotProvedError, Proof, prove
from evaluators.approximation.rational import NoExactFormError, Quotient, UndefinedEverywhereError, quotient_of
from evaluators.approximation.settings import settings_of
from evaluators.approximation.sup_error import UnboundedErrorError
from evaluators.contract import Certainty, Evaluation, Failure, Verdict
from evaluators.errors import EvaluatorError
from sandbox.symbolic.canonical import counts, depth, operation_count
from sandbox.symbolic.program import Program
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import Vocabulary

MAX_DIGITS = 40.0
N_FIT_POINTS = 256
TOWARDS_A_ZERO = (2.0**-100, 2.0**-60, 2.0**-40, 2.0**-24, 2.0**-12)
HANDLED = frozenset({"add", "sub", "mul", "div", "neg", "square"})

CLAIM = (
    "for every real x in the interval, the program's value has at most this error; every number in its text is read as "
    "the exact float64 number nearest to it, one of more than 17 significant digits as the exact sum of two float64 "
    "numbers nearest to it (listed as `constants`), its operations are those of the real numbers, and poles of "
    "intermediate values that cancel are filled by limits"
)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A program's exact form, and its figures that need no error."""

    quotient: Quotient
    metrics: Mapping[str, float]


class FunctionApproximation:
    """Judges programs of one input against a built-in function.

    The score is -log10 of the largest error over the closed interval: correct decimal digits. The program is read as
    a function of real numbers: its constants are exact (see `CLAIM`), rounding in its evaluation does not count, and
    where an intermediate value has a pole that cancels, the limit counts.

    Programs must be canonical, so that equal programs are worth the same whichever way they are written.

    Options:
        function: A name of `functions.TARGETS`, a formula over x such as "exp(-x^2/2)", or a .py file of the problem's
            folder with `value(x)` on mpmath numbers, or with `enclosure(x)` on python-flint's arb and arb_series.
            Without an enclosure nothing is proved.
        interval: Two ends: numbers, or text such as "pi/2".
        error: "relative" (the default; a limit where the function is zero), "absolute", or
            {weight = "a formula over x"}: the absolute error times that.
        symmetry: "odd", "even" or ["periodic", period]: structure that programs may use. It is checked, and offered to
            the search; programs are free not to have it.
    """

    descriptor_names = frozenset({"operations", "depth", "divisions", "constants"})

    def __init__(self, options: Mapping[str, Any], vocabulary: Vocabulary, folder: str = "") -> None:
        self._vocabulary = vocabulary
        unhandled = [function.name for function in vocabulary.functions if function.name not in HANDLED]
        if unhandled:
            raise EvaluatorError(
                f"the family function_approximation judges programs over + - * /, but the vocabulary "
                f"{vocabulary.name!r} also has {', '.join(unhandled)}: set symbolic.vocabulary to 'arithmetic'"
            )
        settings = settings_of(options, folder)
        self.curve = settings.curve
        self.symmetry = settings.symmetry
        """What structure programs may use, for a search that can."""
        self._table: tuple[list[float], list[Any]] | None = None

    def evaluate(self, program: Program) -> Evaluation:
        """The largest error of the program, as a score in digits."""
        try:
            judged = self._judged(program)
            peak = self.curve.largest(judged.quotient)
        except (UnboundedErrorError, UndefinedEverywhereError) as error:
            return Evaluation.failed(Failure.NOT_FINITE, detail=str(error))
        except NoExactFormError as error:
            return Evaluation.failed(Failure.INVALID, detail=str(error))
        if not math.isfinite(peak.error):
            return Evaluation.failed(Failure.NOT_FINITE, detail=f"the error is not finite near x = {peak.point!r}")
        return Evaluation(
            score=digits(peak.error),
            descriptor={name: judged.metrics[name] for name in sorted(self.descriptor_names)},
            metrics={**judged.metrics, f"max_{self.curve.kind}_error": peak.error, "worst_x": peak.point},
        )

    def verify(self, program: Program) -> Verdict:
        """A proven upper bound of the largest error, within half a percent of it."""
        try:
            judged = self._judged(program)
            peak = self.curve.largest(judged.quotient)
            proof = prove(self.curve, judged.quotient, peak)
        except (UnboundedErrorError, UndefinedEverywhereError) as error:
            return Verdict(verdict=Certainty.REFUTED, detail=str(error))
        except (NoExactFormError, NotProvedError) as error:
            return Verdict(verdict=Certainty.UNVERIFIED, detail=str(error))
        bound = rounded_up(proof.upper)
        detail = f"{self.curve.kind} error at most {bound!r} for every x in [{self.curve.low!r}, {self.curve.high!r}]"
        return Verdict(
            verdict=Certainty.CERTIFIED,
            value=bound,
            score=math.nextafter(digits(bound), -math.inf),
            detail=detail,
            certificate=self._certificate(program, proof, bound),
        )

    def fit_target(self) -> tuple[FloatArray, FloatArray, bool]:
        """Points, the function's values there, and whether errors are relative: what constants are fitted on.

        256 Chebyshev points of the open interval; where the function is zero, a few more next to it.
        """
        points, values = self._fit_table()
        return np.array(points), np.array([float(value) for value in values]), self.curve.relative

    def fit_target_low(self) -> FloatArray:
        """What float64 rounding removed from the values of `fit_target`."""
        _, values = self._fit_table()
        with working(bits=256):
            return np.array([float(value - arb(float(value))) for value in values])

    def fit_weights(self) -> FloatArray | None:
        """What absolute errors are multiplied by at the points of `fit_target`; None unless errors are weighted."""
        if self.curve.weight is None:
            return None
        points, _ = self._fit_table()
        with working(bits=128):
            return np.array([float(self.curve.weight_at(point)) for point in points])

    def _fit_table(self) -> tuple[list[float], list[Any]]:
        """Points and exact values, computed once: a problem's own function may be slow."""
        if self._table is None:
            points = self._fit_points()
            with working(bits=256):
                self._table = points, [self.curve.target.value(arb(point)) for point in points]
        return self._table

    def _fit_points(self) -> list[float]:
        low, high = self.curve.low, self.curve.high
        angles = (2 * np.arange(N_FIT_POINTS) + 1) * (np.pi / (2 * N_FIT_POINTS))
        points = {float(point) for point in low + (high - low) * (1 - np.cos(angles)) / 2}
        for zero in self.curve.zeros:
            points.update(zero.point + part * (end - zero.point) for end in (low, high) for part in TOWARDS_A_ZERO)
            points.discard(zero.point)
        return sorted(points)

    def _judged(self, program: Program) -> _Judged:
        used = counts(program, self._vocabulary)
        metrics = {
            "operations": float(operation_count(program)),
            "depth": float(depth(program)),
            "divisions": float(used.get("div", 0)),
            "multiplications": float(used.get("mul", 0)),
            "constants": float(len(program.constants)),
        }
        return _Judged(quotient=quotient_of(program, self._vocabulary), metrics=metrics)

    def _certificate(self, program: Program, proof: Proof, bound: float) -> dict[str, Any]:
        return {
            "claim": CLAIM,
            "program": render(program, self._vocabulary),
            **({} if program.constants_low is None else {"constants": _exact_constants(program)}),
            "function": self.curve.target.written,
            "interval": [self.curve.low.hex(), self.curve.high.hex()],
            **self.curve.target.details,
            "error": self.curve.kind,
            **({} if self.curve.weight is None else {"weight": self.curve.weight.written}),
            "bound": bound,
            "bound_hex": bound.hex(),
            "at_least": math.nextafter(float(proof.lower), 0.0),
            "witness_x": proof.witness.hex(),
            "method": METHOD,
            "precision_bits": proof.bits,
            "pieces": proof.n_pieces,
            "libraries": {"python-flint": flint.__version__, "flint": flint.__FLINT_VERSION__},
        }


def _exact_constants(program: Program) -> list[list[str]]:
    return [[high.hex(), low.hex()] for high, low in zip(program.constants, program.lows, strict=True) if low]


def digits(error: float) -> float:
    """-log10 of an error: correct decimal digits, at most 40."""
    return MAX_DIGITS if error <= 10**-MAX_DIGITS else -math.log10(error) + 0.0


def rounded_up(number: Any) -> float:
    """The smallest convenient float64 that is not below an exact ball."""
    nearest = float(number)
    return nearest if arb(nearest) >= number else math.nextafter(nearest, math.inf)
