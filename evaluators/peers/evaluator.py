"""The judge's side of another engine's evaluator: its files and the candidate go into one process, a result comes out.

Evaluator and candidate share that process, because their contract says so. So the result is only as honest as the
candidate; what the process can reach is what the sandbox lets it.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.contract import Failure
from evaluators.errors import EvaluatorError
from evaluators.handles import PythonCandidate
from evaluators.peers import alphaevolve, gepa, openevolve, shinka
from evaluators.peers.descriptor import COMPLEXITY, DIVERSITY, SCORE, distance, program_length
from evaluators.peers.folder import files_of
from evaluators.peers.outcome import Outcome
from evaluators.peers.spec import ALPHAEVOLVE, GEPA, OPENEVOLVE, SHINKA, PeerSpec
from evaluators.spec import JudgeSpec, StageSpec
from sandbox.errors import CandidateError, CandidateTimedOut, SandboxError
from sandbox.layers import Level
from sandbox.wire import PlainDataError

INSIDE = Path(__file__).parent / "inside"
ENTRY = "evaluators/peers/inside/bridge.py"

Judging = Callable[[Any], object]
Ask = Callable[..., Any]
JUDGES: Mapping[str, Callable[[PeerSpec, Ask, dict[str, str]], Outcome]] = {
    OPENEVOLVE: openevolve.judge,
    SHINKA: shinka.judge,
    GEPA: gepa.judge,
    ALPHAEVOLVE: alphaevolve.judge,
}


class PeerEvaluator:
    """Judges candidates by the evaluator of another engine's folder; used like `ForeignEvaluator`."""

    def __init__(self, spec: JudgeSpec) -> None:
        self.peer = PeerSpec.from_options(spec.options)
        self.path = Path(spec.folder) / self.peer.evaluator
        self.verify: Judging | None = None
        self.fit_target: Callable[[], Any] | None = None
        self.stages: tuple[tuple[StageSpec, Judging], ...] = ((StageSpec(name=""), self.judge),)
        self._axes = spec.axes
        self._folder = Path(spec.folder)

    def judge(self, candidate: "PeerCandidate") -> dict[str, Any]:
        """Let the evaluator judge one candidate; an answer as `evaluation_of` reads it."""
        candidate.open(self.peer, self._files)
        outcome = JUDGES[self.peer.contract](self.peer, candidate.call, candidate.files)
        if outcome.failure is not None:
            return outcome.answer({})
        try:
            return outcome.answer(self._descriptor(candidate.files, outcome))
        except KeyError as missing:
            found = ", ".join(outcome.metrics) or "none"
            reason = f"the evaluator returned no metric {missing}, which tells programs apart; it returned {found}"
            return Outcome.failed(Failure.INVALID, reason).answer({})

    @cached_property
    def _files(self) -> dict[str, Any]:
        try:
            paths = files_of(self._folder).paths
            return {name: np.frombuffer(path.read_bytes(), dtype=np.uint8) for name, path in paths.items()}
        except (OSError, ValueError) as error:
            raise EvaluatorError(f"the folder {self._folder} cannot be copied: {error}") from error

    def _descriptor(self, files: Mapping[str, str], outcome: Outcome) -> dict[str, float]:
        return {axis: self._place(axis, files, outcome) for axis in self._axes}

    def _place(self, axis: str, files: Mapping[str, str], outcome: Outcome) -> float:
        """A metric of this name goes before what we measure ourselves, as in OpenEvolve."""
        if axis in outcome.metrics:
            return outcome.metrics[axis]
        if axis == COMPLEXITY:
            return program_length(files)
        if axis == DIVERSITY:
            return distance("\n".join(files.values()), self.peer.seed)
        if axis == SCORE:
            return outcome.score
        raise KeyError(axis)


class PeerCandidate(PythonCandidate):
    """A candidate that is not called itself: its process serves the evaluator, which does with it what it likes."""

    def open(self, peer: PeerSpec, folder: Mapping[str, Any]) -> None:
        """Send the peer's folder and the program.

        Raises:
            SandboxError: this machine's sandbox can give no files.
        """
        if self._sandbox.level == Level.NOOPEN:
            raise SandboxError(
                "a folder of another engine needs files, and this machine's sandbox can give none (level NOOPEN): "
                "`evolve doctor` says what is missing"
            )
        self._contract = peer.contract
        self._layout = (dict(folder), self.files, list(peer.search), peer.mount)
        self._scratch = PythonCandidate.call(self, "set_up", *self._layout, True)

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        """Call into the process, and run the scripts that the evaluator starts meanwhile."""
        answer = PythonCandidate.call(self, name, *args, timeout=timeout)
        while isinstance(answer, dict) and set(answer) == {"errand"}:
            started = time.monotonic()
            told = self._run(answer["errand"])
            self._seconds += time.monotonic() - started  # so that a candidate cannot send errands for ever
            answer = PythonCandidate.call(self, "told", told)
        return answer

    def sent(self) -> tuple[Mapping[str, str], str | None]:
        """The files that the process loads, and their entry."""
        return _bridge(self._contract), ENTRY

    def _run(self, errand: Any) -> dict[str, Any]:
        """Run a script in a fresh confined process with the same limits; how it failed is its exit status."""
        seconds = errand.get("seconds") if isinstance(errand, dict) else None
        seconds = seconds if isinstance(seconds, int | float) and seconds > 0 else None
        other = PythonCandidate(_bridge(""), self._sandbox, entry=ENTRY, limits=self._limits)
        try:
            other.call("set_up", *self._layout, False)
            result: dict[str, Any] = other.call("errand", errand, self._scratch, timeout=seconds)
            return result
        except CandidateTimedOut:
            if seconds is None:
                raise  # nobody but us set a limit
            return {"timed_out": True}
        except (CandidateError, PlainDataError) as error:
            text = b64encode(str(error).encode()).decode()
            return {"status": 1, "stdout": "", "stderr": text, "files": {}}
        finally:
            other.close()


OWN_FILES: Mapping[str, frozenset[str]] = {
    OPENEVOLVE: frozenset({"openevolve.py", "standins.py"}),
    SHINKA: frozenset({"shinka.py", "standins.py"}),
    GEPA: frozenset({"gepa.py", "code_execution.py", "standins.py"}),
    ALPHAEVOLVE: frozenset({"alphaevolve.py", "standins.py"}),
}
"""Which files serve one contract alone: every process compiles what it gets."""


@cache
def _bridge(contract: str) -> Mapping[str, str]:
    """The text of what serves an evaluator of this contract inside; without one, of what runs a script."""
    unwanted = frozenset().union(*OWN_FILES.values()) - OWN_FILES.get(contract, frozenset())
    names = sorted(path.name for path in INSIDE.glob("*.py") if path.name not in unwanted)
    return {f"evaluators/peers/inside/{name}": (INSIDE / name).read_text("utf-8") for name in names}
