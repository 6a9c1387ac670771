"""What an evaluator is given: the candidate's text, and a way to call the program where it can do no harm."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluators.spec import N_CALLS
from sandbox.contract import Sandbox, Session
from sandbox.errors import CandidateNotFinite, CandidateRaised, CandidateResultInvalid, CandidateTimedOut
from sandbox.limits import Limits
from sandbox.symbolic.canonical import canonical, depth, operation_count
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary


class PythonCandidate:
    """A Python candidate in its own process, which starts at the first call. Close it after each evaluation.

    `rng_seed` and `repeat` are for evaluators that need randomness: the same pair must give the same answer.
    """

    def __init__(
        self,
        files: Mapping[str, str],
        sandbox: Sandbox,
        *,
        entry: str | None,
        limits: Limits,
        rng_seed: int = 0,
        repeat: int = 0,
    ) -> None:
        self.files = dict(files)
        self.rng_seed = rng_seed
        self.repeat = repeat
        self._sandbox = sandbox
        self._entry = entry
        self._limits = limits
        self._seconds = 0.0
        self._session: Session | None = None

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        """Run `name(*args)` in the candidate's process; plain data in, plain data out.

        All calls together may take ten times as long as one of them, so that a candidate cannot keep its evaluator for
        ever by being slow in each of many calls.
        """
        allowed = N_CALLS * self._limits.wall_seconds
        if self._seconds > allowed:
            raise CandidateTimedOut(f"all calls together took more than {allowed:g} s, ten times the limit of one call")
        if self._session is None:
            files, entry = self.sent()
            self._session = self._sandbox.start(files, entry=entry, limits=self._limits)
        started = time.monotonic()
        try:
            return self._session.call(name, *args, timeout=timeout)
        finally:
            self._seconds += time.monotonic() - started

    def sent(self) -> tuple[Mapping[str, str], str | None]:
        """The files that the process loads, and the one whose functions are called."""
        return self.files, self._entry

    @property
    def output(self) -> str:
        """What the program printed so far: untrusted text."""
        return "" if self._session is None else self._session.output

    def close(self) -> None:
        """End the candidate's process."""
        if self._session is not None:
            self._session.close()
            self._session = None


class SymbolicCandidate:
    """A symbolic candidate, run by the interpreter: no process is needed."""

    def __init__(
        self, files: Mapping[str, str], program: Program, vocabulary: Vocabulary, *, rng_seed: int = 0, repeat: int = 0
    ) -> None:
        self.files = dict(files)
        self.program = program
        self.vocabulary = vocabulary
        self.rng_seed = rng_seed
        self.repeat = repeat
        self.output = ""

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        """The program's value; an input may be a number or an array of any vocabulary's type.

        Raises:
            CandidateResultInvalid: the program has another name or another number of inputs.
            CandidateRaised: a function of the problem's own vocabulary raised.
            CandidateNotFinite: the value is, or holds, NaN or infinity.
        """
        del timeout  # a straight-line program always ends
        # The interpreter costs a second to import, and the built-in families do without it.
        from sandbox.symbolic.interpreter import evaluate

        if name != self.program.name or len(args) != len(self.program.inputs):
            raise CandidateResultInvalid(
                f"the evaluator called {name} with {len(args)} inputs, the program is "
                f"{self.program.name}({', '.join(self.program.inputs)})"
            )
        try:
            value = evaluate(self.program, self.vocabulary, args)
        except Exception as error:
            raise CandidateRaised(f"{type(error).__name__}: {error}") from error
        if not _is_finite(value):
            raise CandidateNotFinite(f"{name} gave NaN or infinity")
        return value

    @property
    def operations(self) -> int:
        """How many operations depend on an input: what the program costs."""
        return operation_count(canonical(self.program, self.vocabulary))

    @property
    def depth(self) -> int:
        """The longest chain of such operations."""
        return depth(canonical(self.program, self.vocabulary))

    def close(self) -> None:
        """Nothing to end."""


def _is_finite(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
