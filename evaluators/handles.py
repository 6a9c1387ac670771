"""What an evaluator is given: the candidate's text, and a way to call the program where it can do no harm."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from evaluators.spec import N_CALLS
from sandbox.card_memory import CardMemory
from sandbox.contract import Sandbox, Session, SharingSession
from sandbox.errors import CandidateNotFinite, CandidateRaised, CandidateResultInvalid, CandidateTimedOut
from sandbox.limits import Limits
from sandbox.pausing import CallTime
from sandbox.shared import SharedMemory
from sandbox.symbolic.canonical import canonical, depth, operation_count
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary


class PythonCandidate:
    """A Python candidate in its own process, which starts at the first call. Close it after each evaluation.

    `rng_seed` and `repeat` are for evaluators that need randomness: the same pair must give the same answer. `gpus` are
    the graphics cards that it has, by UUID; none where it has to do with processors. `inherited` is the construction
    that the run hands on, as JSON, where the problem asks for it.
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
        self.gpus: tuple[str, ...] = ()
        self.inherited = ""
        self._sandbox = sandbox
        self._entry = entry
        self._limits = limits
        self._seconds = 0.0
        self._session: Session | None = None
        self._beside: list[PythonCandidate] = []

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        """Run `name(*args)` in the candidate's process; plain data in, plain data out.

        All calls together may take ten times as long as one of them, so that a candidate cannot keep its evaluator for
        ever by being slow in each of many calls.
        """
        with self._at_work() as session:
            return session.call(name, *args, timeout=timeout)

    @property
    def shared(self) -> SharedMemory:
        """Memory for large arrays that the program sees too, `[limits] shared_mb` of it; starts the process.

        Its arrays are arguments for `call` and `timed`. What lies there may change at any time, unless the candidate is
        paused.
        """
        return cast("SharingSession", self._started()).shared

    @property
    def card(self) -> CardMemory:
        """Memory of its first graphics card that the program sees too, `[limits] gpu_shared_mb`; as `shared` else.

        The program's kernels go on while it is paused, so what lies there may change at any time.
        """
        return cast("SharingSession", self._started()).card

    def timed(self, name: str, *args: Any, timeout: float | None = None) -> CallTime:
        """Run `name(*args)` like `call`, and tell how long the process was at it: it is paused before and after.

        Needs shared memory, where the program leaves what is wanted of it: its answer is thrown away.
        """
        with self._at_work() as session:
            return cast("SharingSession", session).timed(name, *args, timeout=timeout)

    def pause(self) -> None:
        """Stop the program's process until it is called again: nothing in it can look, compute or write."""
        cast("SharingSession", self._started()).pause()

    def beside(self, files: Mapping[str, str]) -> "PythonCandidate":
        """Another program, one of the problem's own to compare with, in a process like this one's; ends with it."""
        other = PythonCandidate(files, self._sandbox, entry=None, limits=self._limits)
        self._beside.append(other)
        return other

    def _started(self) -> Session:
        if self._session is None:
            files, entry = self.sent()
            self._session = self._sandbox.start(files, entry=entry, limits=self._limits)
        return self._session

    @contextmanager
    def _at_work(self) -> Iterator[Session]:
        allowed = N_CALLS * self._limits.wall_seconds
        if self._seconds > allowed:
            raise CandidateTimedOut(f"all calls together took more than {allowed:g} s, ten times the limit of one call")
        session, started = self._started(), time.monotonic()
        try:
            yield session
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
        for other in self._beside:
            other.close()
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
        self.gpus: tuple[str, ...] = ()
        self.inherited = ""
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
