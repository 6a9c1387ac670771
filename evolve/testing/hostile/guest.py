"""One candidate in our sandbox, judged by the same evaluator as a peer's: in another process, on plain data."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.errors import CandidateError, SandboxError
from sandbox.limits import Limits


class Guest:
    """A session, from its start to its end; the same shape as `Peer`."""

    def __init__(self, sandbox: Any, files: Mapping[str, str], limits: Limits) -> None:
        """Load the files; a failure is kept for `run`."""
        self._session: Any = None
        self._failure = ["", ""]
        try:
            self._session = sandbox.start(files, limits=limits)
        except (CandidateError, SandboxError) as error:
            self._failure = _failure_of(error)

    def run(self, calls: Sequence[str], world: Mapping[str, Any]) -> dict[str, Any]:
        """Call the functions in order until one fails; score the first answer."""
        answers: list[Any] = []
        seconds = 0.0
        try:
            for name in calls if self._session else ():
                began = time.perf_counter()
                answers.append(self._session.call(name, dict(world)))
                seconds = time.perf_counter() - began
        except (CandidateError, SandboxError) as error:
            self._failure = _failure_of(error)
        score = _score_of(answers[0], world["evaluator"]) if answers else 0.0
        return {"score": score, "seconds": seconds, "answers": answers, "failure": self._failure}

    def end(self) -> str:
        """Close the session; what it printed."""
        if self._session is None:
            return ""
        output: str = self._session.output
        self._session.close()
        return output


def _failure_of(error: CandidateError | SandboxError) -> list[str]:
    return [getattr(error, "kind", "sandbox"), str(error)]


def _score_of(answer: Any, evaluator: str) -> float:
    """What the world's evaluator says; its text is read anew, as the evaluator's process would."""
    with open(evaluator, encoding="utf-8") as file:
        text = file.read()
    names: dict[str, Any] = {}
    exec(text, names)  # noqa: S102 our own file
    return float(names["score_of"](answer))
