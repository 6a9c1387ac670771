"""The judging process: it alone imports a problem's `evaluate.py` and owns the sandbox; it is asked over pipes.

A request is `[task, token, argument]`, an answer `[word, token, value]` with the token of its request, so that bytes
which the evaluator writes to descriptors that are not its own cannot pass for an answer. What it prints goes elsewhere.
"""

import os
import resource
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self, cast

from evaluators.cards import settled
from evaluators.errors import EvaluatorError
from evaluators.exclusive import alone
from evaluators.judge import Judge, open_sandbox
from evaluators.records import evaluation_to_mapping, verdict_to_mapping
from evaluators.spec import JudgeSpec
from evaluators.stopwatch import Stopwatch
from sandbox.card_memory import CardMemory
from sandbox.contract import Sandbox, Session, SharingSession
from sandbox.errors import SandboxError
from sandbox.frames import read_frame, write_all
from sandbox.limits import MEBIBYTE, Limits
from sandbox.pausing import CallTime
from sandbox.shared import SharedMemory
from sandbox.wire import HEADER, PlainDataError, decode, encode

OPEN = "open"
EVALUATE = "evaluate"
VERIFY = "verify"
FIT_TARGET = "fit_target"

DONE = "done"
LAST = "last"  # done, but the process is worn out and wants to be replaced
FAILED = "failed"  # the evaluator cannot be used
BROKEN = "broken"  # the sandbox does not work

MAX_ANSWER_BYTES = 64 * MEBIBYTE


def serve(requests: int, answers: int, stopwatch: int) -> None:
    """Answer requests until nobody can ask any more; the first must be `OPEN`."""
    clock = Stopwatch(stopwatch)
    judge: Judge | None = None
    with ExitStack() as owned:
        while (frame := read_frame(requests)) is not None:
            task, token, argument = decode(*frame)
            try:
                if task == OPEN:
                    judge, value = _open(argument, clock, owned)
                else:
                    assert judge is not None
                    value = TASKS[task](judge, argument)
                word = LAST if judge.is_worn else DONE
            except EvaluatorError as error:
                word, value = FAILED, str(error)
            except SandboxError as error:
                word, value = BROKEN, str(error)
            write_all(answers, _encoded(word, token, value))


def _open(argument: Mapping[str, Any], clock: Stopwatch, owned: ExitStack) -> tuple[Judge, str]:
    """Open the sandbox, then limit this process, then load the evaluator; gives the level of isolation."""
    spec = settled(JudgeSpec.from_mapping(argument))
    sandbox: Sandbox | None = None
    if spec.language == "python":
        # Read when the evaluator starts CUDA, if ever: it sees the cards of its candidates and no others.
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, spec.gpus))
        sandbox = TimedSandbox(open_sandbox(spec), clock)
        owned.callback(sandbox.close)
        _ = sandbox.level  # starts its server, which is not to inherit the evaluator's limit
    # The soft limit alone: a server that is started again lifts it for its candidates.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (spec.process.memory_mb * MEBIBYTE, hard))
    clock.start()
    judge = Judge(spec, sandbox, turns=partial(alone, pause=clock.standing_still))
    return judge, judge.level


def _evaluate(judge: Judge, argument: Any) -> Any:
    files, rng_seed, inherited = argument
    return evaluation_to_mapping(judge.evaluate(files, rng_seed=rng_seed, inherited=inherited))


def _verify(judge: Judge, argument: Any) -> Any:
    files, inherited = argument
    return verdict_to_mapping(judge.verify(files, inherited=inherited))


def _fit_target(judge: Judge, argument: Any) -> Any:
    del argument
    target = judge.fit_target()
    if target is None:
        return None
    symmetry = judge.symmetry()
    return {
        "target": list(target),
        "low": judge.fit_target_low(),
        "weights": judge.fit_weights(),
        "symmetry": None if symmetry is None else list(symmetry),
    }


TASKS: dict[str, Callable[[Judge, Any], Any]] = {EVALUATE: _evaluate, VERIFY: _verify, FIT_TARGET: _fit_target}


def _encoded(word: str, token: str, value: Any) -> bytes:
    try:
        message = encode([word, token, value])
    except PlainDataError as error:
        return encode([FAILED, token, f"the evaluator's answer cannot be sent: {error}"])
    if len(message) - HEADER.size > MAX_ANSWER_BYTES:
        text = f"the evaluator's answer takes {len(message)} bytes, at most {MAX_ANSWER_BYTES} are allowed"
        return encode([FAILED, token, text])
    return message


class TimedSandbox:
    """A sandbox that stops the evaluator's clock while it or a candidate is at work."""

    def __init__(self, sandbox: Sandbox, clock: Stopwatch) -> None:
        self._sandbox = sandbox
        self._clock = clock

    @property
    def level(self) -> str:
        """That of the sandbox."""
        with self._clock.standing_still():
            return self._sandbox.level

    def start(self, files: Mapping[str, str], *, entry: str | None = None, limits: Limits | None = None) -> Session:
        """Start a session whose calls stop the clock too."""
        with self._clock.standing_still():
            return TimedSession(self._sandbox.start(files, entry=entry, limits=limits), self._clock)

    def close(self) -> None:
        """Close the sandbox."""
        self._sandbox.close()


class TimedSession:
    """A session that stops the evaluator's clock while the candidate is at work."""

    def __init__(self, session: Session, clock: Stopwatch) -> None:
        self._session = session
        self._clock = clock

    @property
    def output(self) -> str:
        """What the program printed."""
        return self._session.output

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        """Call the candidate."""
        with self._clock.standing_still():
            return self._session.call(name, *args, timeout=timeout)

    @property
    def shared(self) -> SharedMemory:
        """The memory that the candidate shares."""
        return cast("SharingSession", self._session).shared

    @property
    def card(self) -> CardMemory:
        """The memory of a card that the candidate shares."""
        return cast("SharingSession", self._session).card

    def timed(self, name: str, *args: Any, timeout: float | None = None) -> CallTime:
        """Time a call of the candidate."""
        with self._clock.standing_still():
            return cast("SharingSession", self._session).timed(name, *args, timeout=timeout)

    def pause(self) -> None:
        """Stop the candidate until its next call."""
        with self._clock.standing_still():
            cast("SharingSession", self._session).pause()

    def close(self) -> None:
        """End the candidate."""
        with self._clock.standing_still():
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
