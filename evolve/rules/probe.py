"""Abstract execution: what a rule does to a fixed stream of gradients, found out without any training."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evolve.rules.expressions import Expressions, Written
from evolve.rules.language import Language, language_of
from evolve.rules.stream import Stream, make_stream
from evolve.rules.trace import Traces
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary

Array = NDArray[np.float64]

SPIKES: Final = 1e-6
"""An update nine tenths of which are this much smaller than its size is one of a few spikes: the rest tells nothing."""

SMALLEST_SCALE: Final = 1e-20
LARGEST_SCALE: Final = 1e20
GROWTH: Final = 1e4
"""An update whose size grows by more than this from the first to the last eighth of the stream explodes.

It vanishes where most coordinates shrink as much: single ones do with rules that divide by what was zero at first.
"""

_MAX_EXPRESSIONS: Final = 400_000
"""Beyond this many the table starts again: it only saves work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """The stream, how many arrays and looks (64 KB each) are kept, how many numbers make a signature."""

    rng_seed: int = 0
    n_steps: int = 128
    max_arrays: int = 600
    max_looks: int = 1_000
    n_signature: int = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the probe saw.

    `signature` is equal for rules that make the same steps up to one constant factor, None where `refusal` says why
    the rule cannot be an optimizer. `update` is what it did at every step, `scale` its root mean square.
    `structure` is equal for programs that are the same up to names, order, repetition and dead code.
    """

    structure: str
    signature: str | None = None
    refusal: str = ""
    update: Array | None = None
    scale: float = 0.0


@dataclass(slots=True)
class ProbeStatistics:
    """How much work was saved: looks asked for, answered by structure, run on the stream, refused (by reason)."""

    n_looks: int = 0
    n_known_structures: int = 0
    n_run: int = 0
    refused: dict[str, int] = field(default_factory=dict)


class Probe:
    """Runs update rules on one stream; equal parts of different rules are computed once."""

    def __init__(self, vocabulary: Vocabulary, settings: ProbeSettings | None = None) -> None:
        self.settings = settings or ProbeSettings()
        self.language: Language = language_of(vocabulary)
        self.stream: Stream = make_stream(self.settings.rng_seed, n_steps=self.settings.n_steps)
        self.statistics = ProbeStatistics()
        self._gradient = 1 << self.language.register("g")
        rng = np.random.default_rng([self.settings.rng_seed, 915])
        n_values = self.stream.values["g"].size
        self._sampled = rng.choice(n_values, min(self.settings.n_signature, n_values), replace=False)
        self._restart()

    def _restart(self) -> None:
        self._expressions = Expressions(self.language)
        self._traces = Traces(self._expressions, self.language, self.stream, max_kept=self.settings.max_arrays)
        self._looks: OrderedDict[int, Look] = OrderedDict()

    def look(self, program: Program) -> Look:
        """What the program does on the stream."""
        if len(self._expressions.nodes) > _MAX_EXPRESSIONS:
            self._restart()
        self.statistics.n_looks += 1
        written = self._expressions.write(program)
        known = self._looks.get(written.update)
        if known is not None:
            self.statistics.n_known_structures += 1
            self._looks.move_to_end(written.update)
            return known
        look = self._run(written)
        if look.refusal:
            self.statistics.refused[look.refusal] = self.statistics.refused.get(look.refusal, 0) + 1
        self._looks[written.update] = look
        if len(self._looks) > self.settings.max_looks:
            self._looks.popitem(last=False)
        return look

    def _run(self, written: Written) -> Look:
        structure = str(written.update)
        if not self._expressions.reads[written.update] & self._gradient:
            return Look(structure=structure, refusal="g is not read")
        self.statistics.n_run += 1
        with np.errstate(all="ignore"):
            update = np.asarray(self._traces.value(written.update))
            scale = float(np.sqrt(np.mean(np.square(update))))
            refusal = _refusal(update, scale)
            if refusal:
                return Look(structure=structure, refusal=refusal)
            signature = signature_of(update / scale, self._sampled)
        return Look(structure=structure, signature=signature, update=update, scale=scale)


def _refusal(update: Array, scale: float) -> str:
    """Why an update cannot be one; empty when it can."""
    if not np.isfinite(update).all():
        return "not finite"
    if scale < SMALLEST_SCALE:
        return "zero"
    if not scale < LARGEST_SCALE:
        return "too large"
    return _odd_course(update, scale)


def _odd_course(update: Array, scale: float) -> str:
    """What is odd about how the sizes of an update go; empty for nothing."""
    part = len(update) // 8
    early, late = np.abs(update[:part]).mean(axis=0), np.abs(update[-part:]).mean(axis=0)
    if late.mean() > GROWTH * early.mean():
        return "explodes"
    if np.mean(late * GROWTH < early) > 0.5:
        return "vanishes"
    if np.quantile(np.abs(update), 0.9) < SPIKES * scale:
        return "spikes"
    return "constant" if update.min() == update.max() else ""


def signature_of(update: Array, sampled: NDArray[np.int64]) -> str:
    """A digest of some of an update's values, three significant digits each; smaller ones than 1e-9 count as zero."""
    values = update.ravel()[sampled]
    mantissa, exponent = np.frexp(np.where(np.abs(values) < 1e-9, 0.0, values))
    digits = np.rint(mantissa * 1000.0).astype(np.int16)
    return hashlib.blake2b(digits.tobytes() + exponent.astype(np.int16).tobytes(), digest_size=12).hexdigest()
