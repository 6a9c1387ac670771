"""The judge of one problem: from a candidate's files to an evaluation, or to a verdict."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from evaluators.answers import WrongAnswerError, clean, verdict_of
from evaluators.approximation.family import FunctionApproximation
from evaluators.contract import Certainty, Evaluation, Failure, Verdict
from evaluators.errors import EvaluatorError
from evaluators.foreign import ForeignEvaluator, where
from evaluators.handles import PythonCandidate, SymbolicCandidate
from evaluators.spec import JudgeSpec, SymbolicSpec
from evaluators.stages import Handle, run_stages
from sandbox.contract import Sandbox
from sandbox.errors import CandidateError, CandidateSyntaxError, SandboxError
from sandbox.symbolic.canonical import canonical, operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary, VocabularyError, load_vocabulary

__all__ = ["Judge", "JudgeSpec"]

FAMILIES = {"function_approximation": FunctionApproximation}

FloatArray = npt.NDArray[np.float64]
FitData = tuple[FloatArray, FloatArray, bool]


class Judge:
    """Judges candidates of one problem, one after the other; keeps a warm sandbox. A context manager.

    A candidate that fails is data: `evaluate` never raises for it. What it raises is the fault of the problem
    (`EvaluatorError`, from the constructor) or of the machine (`SandboxError`).
    """

    def __init__(self, spec: JudgeSpec, sandbox: Sandbox | None = None) -> None:
        self.spec = spec
        self._sandbox = sandbox
        self._owns_sandbox = sandbox is None
        self._symbolic = spec.symbolic if spec.language == "symbolic" else None
        self._vocabulary = None if self._symbolic is None else _vocabulary(self._symbolic)
        self._family: FunctionApproximation | None = None
        self._foreign: ForeignEvaluator | None = None
        if spec.file is not None:
            self._foreign = ForeignEvaluator(Path(spec.folder) / spec.file, spec.stages)
        else:
            self._family = self._build_family()

    def evaluate(self, files: Mapping[str, str], *, rng_seed: int = 0) -> Evaluation:
        """Judge a candidate.

        Raises:
            SandboxError: the sandbox failed; the candidate is not to blame.
        """
        start = time.perf_counter()
        evaluation = self._evaluate(files, rng_seed)
        return replace(evaluation, seconds=time.perf_counter() - start)

    def verify(self, files: Mapping[str, str]) -> Verdict:
        """Prove what the candidate is worth, where the problem has a proof.

        Raises:
            SandboxError: the sandbox failed; the candidate is not to blame.
        """
        try:
            program = self._parsed(files)
            if self._family is not None and program is not None:
                return self._family.verify(program)
            return self._verify_foreign(files, program)
        except CandidateError as error:
            return Verdict(verdict=Certainty.REFUTED, detail=clean(f"{error.kind}: {error.detail}"))

    def fit_target(self) -> FitData | None:
        """Points, values there, and whether errors are relative, for families and evaluators that have them.

        Raises:
            EvaluatorError: the evaluator's own `fit_target` raised, or returned something else.
        """
        if self._family is not None:
            return self._family.fit_target()
        if self._foreign is None or self._foreign.fit_target is None:
            return None
        try:
            points, values, relative = self._foreign.fit_target()
            table = np.array([points, values], dtype=np.float64)
        except (Exception, SystemExit) as error:
            raise EvaluatorError(f"the evaluator's fit_target failed: {where(error)}") from error
        if table.ndim != 2 or not np.isfinite(table).all():
            raise EvaluatorError("the evaluator's fit_target must return two equally long lists of finite numbers")
        return table[0], table[1], bool(relative)

    def fit_target_low(self) -> FloatArray | None:
        """What float64 rounding removed from the values of `fit_target`; None where that is not known."""
        return None if self._family is None else self._family.fit_target_low()

    def close(self) -> None:
        """End the sandbox, unless it was given; harmless when repeated."""
        if self._owns_sandbox and self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _build_family(self) -> FunctionApproximation:
        family = FAMILIES.get(self.spec.family or "")
        if family is None:
            raise EvaluatorError(f"evaluator.family is {self.spec.family!r}, expected one of {', '.join(FAMILIES)}")
        if self._vocabulary is None:
            raise EvaluatorError(f"the family {self.spec.family!r} judges symbolic candidates only")
        if self.spec.stages:
            raise EvaluatorError(f"the family {self.spec.family!r} has no stages: remove [[evaluator.stages]]")
        unknown = sorted(set(self.spec.axes) - family.descriptor_names)
        if unknown:
            raise EvaluatorError(
                f"the archive's axes {unknown} are unknown to the family {self.spec.family!r}, "
                f"which offers {', '.join(sorted(family.descriptor_names))}"
            )
        return family(self.spec.options, self._vocabulary)

    def _parsed(self, files: Mapping[str, str]) -> Program | None:
        """The program of a symbolic candidate; None for a Python one."""
        if self._symbolic is None or self._vocabulary is None:
            return None
        return parsed(files, self._symbolic, self._vocabulary)

    def _evaluate(self, files: Mapping[str, str], rng_seed: int) -> Evaluation:
        try:
            program = self._parsed(files)
        except CandidateError as error:
            return Evaluation.failed(Failure(error.kind), detail=clean(error.detail))
        if self._family is not None and program is not None:
            evaluation = self._family.evaluate(program)
            return replace(
                evaluation, descriptor={a: evaluation.descriptor[a] for a in self.spec.axes if not evaluation.failure}
            )
        assert self._foreign is not None

        def start(repeat: int) -> Handle:
            return self._candidate(files, program, rng_seed=rng_seed, repeat=repeat)

        return run_stages(self._foreign, self.spec, start)

    def _candidate(
        self, files: Mapping[str, str], program: Program | None, *, rng_seed: int = 0, repeat: int = 0
    ) -> Handle:
        if program is not None and self._vocabulary is not None:
            return SymbolicCandidate(files, program, self._vocabulary, rng_seed=rng_seed, repeat=repeat)
        return PythonCandidate(
            files,
            self._open_sandbox(),
            entry=self.spec.entry,
            limits=self.spec.limits.limits(),
            rng_seed=rng_seed,
            repeat=repeat,
        )

    def _open_sandbox(self) -> Sandbox:
        if self._sandbox is None:
            # Symbolic problems never start a process.
            from sandbox.process import ProcessSandbox

            self._sandbox = ProcessSandbox(limits=self.spec.limits.limits())
        return self._sandbox

    def _verify_foreign(self, files: Mapping[str, str], program: Program | None) -> Verdict:
        assert self._foreign is not None
        if self._foreign.verify is None:
            detail = "this problem's evaluator has no function verify(candidate)"
            return Verdict(verdict=Certainty.UNVERIFIED, detail=detail)
        candidate = self._candidate(files, program)
        try:
            return verdict_of(self._foreign.verify(candidate))
        except (CandidateError, SandboxError):
            raise
        except WrongAnswerError as error:
            raise EvaluatorError(f"the evaluator broke its contract: {error}") from error
        except (Exception, SystemExit) as error:
            raise EvaluatorError(f"the evaluator's verify raised {where(error)}") from error
        finally:
            candidate.close()


def parsed(files: Mapping[str, str], symbolic: SymbolicSpec, vocabulary: Vocabulary) -> Program:
    """The program of a symbolic candidate, in canonical form: that is what is judged.

    Raises:
        CandidateSyntaxError: it is not one file with one function of the right name, inputs and size.
    """
    if len(files) != 1:
        raise CandidateSyntaxError(f"a symbolic candidate is one file, got {len(files)}")
    [text] = files.values()
    program = canonical(parse(text, vocabulary, inputs=symbolic.inputs), vocabulary)
    if program.name != symbolic.function:
        raise CandidateSyntaxError(f"the function is called {program.name!r}, expected {symbolic.function!r}")
    sizes = (
        ("operations", operation_count(program), symbolic.max_operations),
        ("constants", len(program.constants), symbolic.max_constants),
    )
    for name, size, limit in sizes:
        if size > limit:
            raise CandidateSyntaxError(f"the program has {size} {name}, at most {limit} are allowed")
    return program


def _vocabulary(symbolic: SymbolicSpec) -> Vocabulary:
    try:
        return load_vocabulary(symbolic.vocabulary)
    except VocabularyError as error:
        raise EvaluatorError(f"symbolic.vocabulary: {error}") from error
