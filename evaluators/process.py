"""A problem's own evaluator in a process and with limits of its own: what hangs or crashes there stays there."""

import time
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from evaluators import judging
from evaluators.answers import MAX_TEXT, WrongAnswerError, clean
from evaluators.contract import Evaluation, Failure, Verdict
from evaluators.errors import EvaluatorError
from evaluators.judge import FitData, FloatArray, Judge, Symmetry, fit_data
from evaluators.link import HungError, JudgeLink, LostError, StuckError
from evaluators.records import evaluation_from_mapping, verdict_from_mapping
from evaluators.spec import SANDBOX_SECONDS, JudgeSpec
from sandbox.errors import SandboxError
from sandbox.wire import PlainDataError


class JudgeProcess:
    """A `Judge` at the other end of pipes; a context manager.

    The process starts when it is needed, and again after an evaluator that hung, crashed or ran out of memory: that
    candidate's evaluation is a failure of the evaluator, the next gets a fresh process. Used by one thread at a time.
    """

    def __init__(self, spec: JudgeSpec) -> None:
        self.spec = spec
        self._link: JudgeLink | None = None
        self._level = ""
        self._fit: Mapping[str, Any] | None = None
        self._knows_fit = False

    @property
    def level(self) -> str:
        """How well candidates are isolated; starts the process.

        Raises:
            EvaluatorError: the evaluator cannot be loaded.
            SandboxError: the sandbox failed, or would confine next to nothing.
        """
        self._open()
        return self._level

    @property
    def guard_pid(self) -> int | None:
        """The first of the processes, or None while there is none."""
        return None if self._link is None else self._link.pid

    def evaluate(self, files: Mapping[str, str], *, rng_seed: int = 0, inherited: str = "") -> Evaluation:
        """Judge a candidate; see `Judge.evaluate`.

        Raises:
            EvaluatorError: the evaluator cannot be loaded.
            SandboxError: the sandbox failed; the candidate is not to blame.
        """
        self._open()
        started = time.perf_counter()
        try:
            answer = self._ask(judging.EVALUATE, [dict(files), rng_seed, inherited])
            return evaluation_from_mapping(answer, axes=self.spec.axes)
        except PlainDataError as error:
            failure, detail = Failure.SYNTAX, f"the files cannot be sent to the judge: {error}"
        except (EvaluatorError, LostError) as error:
            failure, detail = Failure.EVALUATOR, str(error)
        except WrongAnswerError as error:
            self.close()
            failure, detail = Failure.EVALUATOR, f"the evaluator wrote to the judge's own pipes: {error}"
        seconds = time.perf_counter() - started
        return Evaluation.failed(failure, detail=clean(detail, MAX_TEXT), seconds=seconds, level=self._level)

    def verify(self, files: Mapping[str, str], *, inherited: str = "") -> Verdict:
        """Prove what the candidate is worth; see `Judge.verify`.

        Raises:
            EvaluatorError: the evaluator cannot be loaded, or its `verify` failed, hung or crashed.
            SandboxError: the sandbox failed; the candidate is not to blame.
        """
        self._open()
        try:
            return verdict_from_mapping(self._ask(judging.VERIFY, [dict(files), inherited]))
        except (LostError, PlainDataError, WrongAnswerError) as error:
            raise EvaluatorError(str(error)) from None

    def fit_target(self) -> FitData | None:
        """What constants are fitted on; see `Judge.fit_target`. Asked for once.

        Raises:
            EvaluatorError: the evaluator cannot be loaded, or its `fit_target` failed, hung or crashed.
        """
        fit = self._asked_fit()
        return None if fit is None else fit_data(fit["target"])

    def fit_target_low(self) -> FloatArray | None:
        """What rounding removed; see `Judge.fit_target_low`."""
        return self._fit_array("low")

    def fit_weights(self) -> FloatArray | None:
        """What absolute errors are multiplied by; see `Judge.fit_weights`."""
        return self._fit_array("weights")

    def symmetry(self) -> Symmetry | None:
        """What structure programs may use; see `Judge.symmetry`."""
        fit = self._asked_fit()
        told = None if fit is None else fit["symmetry"]
        return None if told is None else (str(told[0]), told[1])

    def _fit_array(self, name: str) -> FloatArray | None:
        fit = self._asked_fit()
        return None if fit is None or fit[name] is None else np.array(fit[name], dtype=np.float64)

    def _asked_fit(self) -> Mapping[str, Any] | None:
        if not self._knows_fit:
            self._open()
            try:
                self._fit = self._ask(judging.FIT_TARGET, None)
            except LostError as error:
                raise EvaluatorError(str(error)) from None
            self._knows_fit = True
        return self._fit

    def close(self) -> None:
        """End the process and all it started; harmless when repeated."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        """Have a process that has loaded the evaluator. One that died while nobody asked is replaced, nobody blamed."""
        if self._link is not None and self._link.is_usable:
            return
        self.close()
        try:
            self._link = JudgeLink()
        except OSError as error:
            raise SandboxError(f"the evaluator's process cannot be started: {error}") from error
        try:
            level = self._ask(judging.OPEN, self.spec.to_mapping())
        except LostError as error:
            raise EvaluatorError(f"the evaluator cannot be loaded: {error}") from None
        except BaseException:
            self.close()
            raise
        self._level = str(level)

    def _ask(self, task: str, argument: Any) -> Any:
        assert self._link is not None
        limit = "verify_seconds" if task == judging.VERIFY else "wall_seconds"
        own_seconds: float = getattr(self.spec.process, limit)
        all_seconds = self.spec.longest_seconds + own_seconds + SANDBOX_SECONDS
        try:
            word, value = self._link.ask(task, argument, own_seconds=own_seconds, all_seconds=all_seconds)
        except StuckError as error:
            self.close()
            raise SandboxError(str(error)) from None
        except LostError as error:
            self.close()
            if isinstance(error, HungError):
                error.hint = f"raise [evaluator].{limit} if it needs more"
            raise
        if word == judging.LAST:
            self.close()
        if word in (judging.DONE, judging.LAST):
            return value
        text = clean(str(value), MAX_TEXT)
        raise SandboxError(text) if word == judging.BROKEN else EvaluatorError(text)


def open_judge(spec: JudgeSpec) -> Judge | JudgeProcess:
    """The judge of a problem; it passes to the caller, who closes it.

    A built-in family is our own code, works in bounded steps and starts nothing, so it is asked where it is: some are
    asked thousands of times a second. A problem's own evaluator, or a function that it brings, gets a process.

    Raises:
        EvaluatorError: a family with wrong options.
    """
    return JudgeProcess(spec) if spec.runs_own_code else Judge(spec)
