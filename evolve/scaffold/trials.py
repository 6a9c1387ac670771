"""Judging for a check: one judge of the problem at hand, what it cost so far, and the time that is left."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from evaluators.contract import Evaluation, Failure
from evaluators.errors import EvaluatorError
from evaluators.judge import Judge
from evaluators.process import JudgeProcess, open_judge
from evaluators.spec import JudgeSpec
from evolve.config.problem import Problem
from evolve.scaffold.cheats import UNFIT, Cheat
from evolve.scaffold.instrument import with_body, with_text

OUTPUT_KB = 1 << 15
"""Watched programs print a line for each call, on top of what they print anyway."""


@dataclass(slots=True, kw_only=True)
class Trials:
    """Judges programs of one problem, one after the other. A context manager.

    Every evaluation is a single one, whatever the problem's `repeats`. `deadline` is a time of `clock`: checks that try
    many programs stop there and say so.
    """

    problem: Problem
    spec: JudgeSpec
    deadline: float
    clock: Callable[[], float] = time.monotonic
    n_evaluations: int = 0
    _judge: Judge | JudgeProcess | None = None
    scored: list[Evaluation] = field(default_factory=list)

    @classmethod
    def of(cls, problem: Problem, *, seconds: float, unsafe: bool = False) -> Self:
        """Trials of a problem that have so many seconds."""
        spec = JudgeSpec.from_mapping(problem.judge_spec_mapping())
        limits = replace(spec.limits, output_kb=max(spec.limits.output_kb, OUTPUT_KB))
        spec = replace(spec, repeats=1, unsafe=unsafe, limits=limits)
        return cls(problem=problem, spec=spec, deadline=time.monotonic() + seconds)

    @property
    def entry(self) -> str:
        """The file whose functions the judge calls."""
        return self.problem.tables.seed.files[0]

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.clock() >= self.deadline

    @property
    def level(self) -> str:
        """How well candidates are confined."""
        return self._opened().level

    def judge(self, files: Mapping[str, str], *, rng_seed: int = 0) -> Evaluation:
        """One evaluation; an evaluator that cannot be loaded is a failure of the evaluator like any other.

        Raises:
            SandboxError: the sandbox does not work.
        """
        self.n_evaluations += 1
        try:
            evaluation = self._opened().evaluate(files, rng_seed=rng_seed)
        except EvaluatorError as error:
            return Evaluation.failed(Failure.EVALUATOR, detail=str(error))
        if evaluation.score is not None:
            self.scored.append(evaluation)
        return evaluation

    def cheated(self, cheat: Cheat, *, rng_seed: int = 0) -> Evaluation | None:
        """What the seed program with a cheat in it gets; None where the cheat does not fit the answers."""
        files = self.problem.seed_files
        if cheat.at_load:
            files = with_text(files, self.entry, cheat.at_load)
        if cheat.body:
            files = with_body(files, self.entry, cheat.body)
        evaluation = self.judge(files, rng_seed=rng_seed)
        return None if UNFIT in evaluation.detail else evaluation

    @contextlib.contextmanager
    def under(self, spec: JudgeSpec) -> Iterator["Trials"]:
        """Trials with another spec and a judge of their own; what they cost is counted here."""
        other = Trials(problem=self.problem, spec=spec, deadline=self.deadline, clock=self.clock)
        try:
            with other:
                yield other
        finally:
            self.n_evaluations += other.n_evaluations

    def close(self) -> None:
        """End the judge."""
        if self._judge is not None:
            self._judge.close()
            self._judge = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> Judge | JudgeProcess:
        if self._judge is None:
            self._judge = open_judge(self.spec)
        return self._judge

    def verifier(self) -> Judge | JudgeProcess:
        """The judge, to be asked for a verdict."""
        return self._opened()
