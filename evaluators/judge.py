"""The judge of one problem: from a candidate's files to an evaluation, or to a verdict."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from evaluators.answers import WrongAnswerError, clean, verdict_of
from evaluators.cards import settled
from evaluators.contract import INTERPRETER, Certainty, Evaluation, Failure, Verdict
from evaluators.errors import EvaluatorError
from evaluators.exclusive import Alone, alone
from evaluators.foreign import ForeignEvaluator, where
from evaluators.handles import PythonCandidate, SymbolicCandidate
from evaluators.optimizers.needs import INSTALL, MISSING, has_torch
from evaluators.peers.evaluator import PeerCandidate, PeerEvaluator
from evaluators.spec import CONSTRUCTION_FAMILY, OPTIMIZER_FAMILY, PEER_FAMILY, JudgeSpec, SymbolicSpec
from evaluators.stages import Handle, run_stages
from sandbox.contract import Sandbox
from sandbox.errors import CandidateError, CandidateSyntaxError, SandboxError
from sandbox.symbolic.canonical import canonical, operation_count
from sandbox.symbolic.parse import parse
from sandbox.symbolic.program import Program
from sandbox.symbolic.vocabulary import Vocabulary, VocabularyError, load_vocabulary

if TYPE_CHECKING:
    from evaluators.approximation.family import FunctionApproximation
    from evaluators.constructions.evaluator import ConstructionEvaluator
    from evaluators.constructions.family import FamilyEvaluator
    from evaluators.float32.family import Float32Family
    from evaluators.optimizers.family import OptimizerFamily

    SymbolicFamily = FunctionApproximation | Float32Family | OptimizerFamily

__all__ = ["FitData", "FloatArray", "Judge", "JudgeSpec", "Symmetry", "fit_data", "open_sandbox"]

NO_PROOF = "this problem's evaluator has no function verify(candidate)"
FAMILIES = ("function_approximation", "float32", OPTIMIZER_FAMILY, CONSTRUCTION_FAMILY)

FloatArray = npt.NDArray[np.float64]
FitData = tuple[FloatArray, FloatArray, bool]
Symmetry = tuple[str, float | None]


class Judge:
    """Judges candidates of one problem, one after the other; keeps a warm sandbox. A context manager.

    A candidate that fails is data: `evaluate` never raises for it. What it raises is the fault of the problem
    (`EvaluatorError`, from the constructor) or of the machine (`SandboxError`). It runs a problem's own evaluator, or
    the function that a problem brings, here: `evaluators.process.open_judge` gives a judge that neither can hang or
    crash.
    """

    def __init__(self, spec: JudgeSpec, sandbox: Sandbox | None = None, *, turns: Alone = alone) -> None:
        self.spec = spec
        self._turns = turns
        self._sandbox = sandbox
        self._owns_sandbox = sandbox is None
        self._symbolic = spec.symbolic if spec.language == "symbolic" else None
        self._vocabulary = None if self._symbolic is None else _vocabulary(self._symbolic)
        self._family: SymbolicFamily | None = None
        self._foreign: ForeignEvaluator | PeerEvaluator | ConstructionEvaluator | FamilyEvaluator | None = None
        self.is_worn = False
        """Whether the evaluator ran out of memory: nobody knows what state that left it in."""
        if spec.file is not None:
            self._foreign = ForeignEvaluator(Path(spec.folder) / spec.file, spec.stages)
        elif spec.family == PEER_FAMILY:
            self._foreign = PeerEvaluator(spec)
        elif spec.family == CONSTRUCTION_FAMILY:
            self._foreign = _constructions(spec)
        else:
            self._family = self._build_family()

    @property
    def level(self) -> str:
        """How well candidates are isolated, see `Evaluation.level`; starts the sandbox of Python candidates.

        Raises:
            SandboxError: the sandbox failed, or would confine next to nothing.
        """
        return INTERPRETER if self._symbolic is not None else str(self._open_sandbox().level)

    def evaluate(self, files: Mapping[str, str], *, rng_seed: int = 0, inherited: str = "") -> Evaluation:
        """Judge a candidate; `inherited` is what the run hands on to it, as JSON.

        Raises:
            SandboxError: the sandbox failed; the candidate is not to blame.
        """
        start = time.perf_counter()
        try:
            evaluation = self._evaluate(files, rng_seed, inherited)
        except MemoryError as error:
            self.is_worn = True
            detail = f"the evaluator ran out of memory: raise [evaluator].memory_mb; {where(error)}"
            evaluation = Evaluation.failed(Failure.EVALUATOR, detail=clean(detail))
        return replace(evaluation, seconds=time.perf_counter() - start, level=self.level)

    def verify(self, files: Mapping[str, str], *, inherited: str = "") -> Verdict:
        """Prove what the candidate is worth, where the problem has a proof; `inherited` is what it once constructed.

        Raises:
            SandboxError: the sandbox failed; the candidate is not to blame.
        """
        try:
            program = self._parsed(files)
            if self._family is not None and program is not None:
                return self._family.verify(program)
            return self._verify_foreign(files, program, inherited)
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
            return fit_data(self._foreign.fit_target())
        except EvaluatorError:
            raise
        except (Exception, SystemExit) as error:
            raise EvaluatorError(f"the evaluator's fit_target failed: {where(error)}") from error

    def fit_target_low(self) -> FloatArray | None:
        """What float64 rounding removed from the values of `fit_target`; None where that is not known."""
        return None if self._family is None else self._family.fit_target_low()

    def fit_weights(self) -> FloatArray | None:
        """What absolute errors are multiplied by at the points of `fit_target`; None where they are not weighted."""
        return None if self._family is None else self._family.fit_weights()

    def symmetry(self) -> Symmetry | None:
        """Structure that programs may use: ("odd", None), ("even", None), ("periodic", period), or None."""
        told = None if self._family is None else self._family.symmetry
        return None if told is None else (told.kind, told.period)

    def close(self) -> None:
        """End the sandbox, unless it was given; harmless when repeated."""
        if self._owns_sandbox and self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _build_family(self) -> "SymbolicFamily":
        if self.spec.family not in FAMILIES:
            raise EvaluatorError(f"evaluator.family is {self.spec.family!r}, expected one of {', '.join(FAMILIES)}")
        if self._vocabulary is None:
            raise EvaluatorError(f"the family {self.spec.family!r} judges symbolic candidates only")
        if self.spec.stages:
            raise EvaluatorError(f"the family {self.spec.family!r} has no stages: remove [[evaluator.stages]]")
        family = _family_named(self.spec.family)
        unknown = sorted(set(self.spec.axes) - family.descriptor_names)
        if unknown:
            raise EvaluatorError(
                f"the archive's axes {unknown} are unknown to the family {self.spec.family!r}, "
                f"which offers {', '.join(sorted(family.descriptor_names))}"
            )
        return family(self.spec.options, self._vocabulary, self.spec.folder)

    def _parsed(self, files: Mapping[str, str]) -> Program | None:
        """The program of a symbolic candidate; None for a Python one."""
        if self._symbolic is None or self._vocabulary is None:
            return None
        return parsed(files, self._symbolic, self._vocabulary)

    def _evaluate(self, files: Mapping[str, str], rng_seed: int, inherited: str) -> Evaluation:
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
            candidate = self._candidate(files, program, rng_seed=rng_seed, repeat=repeat)
            candidate.inherited = inherited
            return candidate

        return run_stages(self._foreign, self.spec, start, self._turns)

    def _candidate(
        self, files: Mapping[str, str], program: Program | None, *, rng_seed: int = 0, repeat: int = 0
    ) -> Handle:
        if program is not None and self._vocabulary is not None:
            return SymbolicCandidate(files, program, self._vocabulary, rng_seed=rng_seed, repeat=repeat)
        kind = PeerCandidate if self.spec.family == PEER_FAMILY else PythonCandidate
        candidate = kind(
            files,
            self._open_sandbox(),
            entry=self.spec.entry,
            limits=self.spec.limits.limits(),
            rng_seed=rng_seed,
            repeat=repeat,
        )
        candidate.gpus = tuple(map(str, self.spec.gpus))
        return candidate

    def _open_sandbox(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = open_sandbox(self.spec)
        return self._sandbox

    def _verify_foreign(self, files: Mapping[str, str], program: Program | None, inherited: str) -> Verdict:
        assert self._foreign is not None
        if self._foreign.verify is None:
            is_peer = isinstance(self._foreign, PeerEvaluator)
            detail = "a contract of another engine has no proof" if is_peer else NO_PROOF
            return Verdict(verdict=Certainty.UNVERIFIED, detail=detail)
        candidate = self._candidate(files, program)
        candidate.inherited = inherited
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


def _constructions(spec: JudgeSpec) -> "ConstructionEvaluator | FamilyEvaluator":
    if spec.language != "python" or spec.stages:
        raise EvaluatorError(f"the family {spec.family!r} judges Python candidates, without stages")
    # Exact arithmetic is slow to import, and problems with another judge do without it.
    from evaluators.constructions.evaluator import ConstructionEvaluator
    from evaluators.constructions.family import FamilyEvaluator

    return FamilyEvaluator(spec) if "family" in spec.options else ConstructionEvaluator(spec)


def _family_named(name: str) -> "type[SymbolicFamily]":
    # Exact arithmetic and torch are slow to import, and problems with another judge do without them.
    if name == "float32":
        from evaluators.float32.family import Float32Family

        return Float32Family
    if name == OPTIMIZER_FAMILY:
        if not has_torch():
            raise EvaluatorError(f"{MISSING}: {INSTALL}")
        from evaluators.optimizers.family import OptimizerFamily

        return OptimizerFamily
    from evaluators.approximation.family import FunctionApproximation

    return FunctionApproximation


def fit_data(target: Any) -> FitData:
    """What `fit_target` returned, checked.

    Raises:
        EvaluatorError: it is not two equally long lists of finite numbers and a truth value; with more than one
            input, the first of them a list for each input.
    """
    expected = (
        "the evaluator's fit_target must return two equally long lists of finite numbers and a truth value "
        "(with more than one input: the points as one such list for each input)"
    )
    try:
        points, values, relative = target
        rows, last, is_relative = np.array(points, dtype=np.float64), np.array(values, dtype=np.float64), bool(relative)
        table = np.vstack([rows, last])
    except (TypeError, ValueError, OverflowError) as error:
        raise EvaluatorError(f"{expected}: {clean(str(error))}") from error
    if rows.ndim not in (1, 2) or last.ndim != 1 or len(table) < 2 or not table.size or not np.isfinite(table).all():
        raise EvaluatorError(expected)
    return table[0] if rows.ndim == 1 else table[:-1], table[-1], is_relative


def open_sandbox(spec: JudgeSpec) -> Sandbox:
    """The sandbox that a problem's Python candidates run in; it passes to the caller, who closes it."""
    # Symbolic problems never start a process.
    from sandbox.gpu import GpuAccess
    from sandbox.process import ProcessSandbox

    spec = settled(spec)
    gpu = GpuAccess(devices=spec.gpus, memory_share=spec.gpu_share) if spec.gpus else None
    n_parked = 0 if spec.limits.gpu_shared_mb else 1  # a parked process holds that much of the card
    return ProcessSandbox(
        limits=spec.limits.limits(), preload=spec.preload, unsafe=spec.unsafe, gpu=gpu, n_parked=n_parked
    )


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
