"""Running a problem's own evaluator: stage after stage, repeat after repeat; whatever it does becomes a record."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from evaluators.answers import COMBINE, WrongAnswerError, clean, evaluation_of
from evaluators.contract import MACHINE_ARTIFACT, Evaluation, Failure
from evaluators.exclusive import Alone, alone
from evaluators.foreign import ForeignEvaluator, Judging, where
from evaluators.handles import PythonCandidate, SymbolicCandidate
from evaluators.peers.evaluator import PeerEvaluator
from evaluators.spec import JudgeSpec, StageSpec
from sandbox.errors import CandidateError, SandboxError

if TYPE_CHECKING:
    from evaluators.constructions.evaluator import ConstructionEvaluator
    from evaluators.constructions.family import FamilyEvaluator

OUTPUT_ARTIFACT = "output"

Handle = PythonCandidate | SymbolicCandidate
Start = Callable[[int], Handle]
"""Makes a fresh handle of the candidate for a repeat; it is closed after use."""


def run_stages(
    foreign: "ForeignEvaluator | PeerEvaluator | ConstructionEvaluator | FamilyEvaluator",
    spec: JudgeSpec,
    start: Start,
    turns: Alone = alone,
) -> Evaluation:
    """The last stage's evaluation, or the first failure.

    An exclusive stage waits for its turn, which `turns` gives, and says how busy the machine was.

    Raises:
        SandboxError: the sandbox failed twice in a row; the candidate is not to blame.
        MemoryError: the evaluator, not the candidate, ran out of memory.
    """
    evaluation: Evaluation | None = None
    last = len(foreign.stages) - 1
    for position, (stage, function) in enumerate(foreign.stages):
        # Only the last stage places the candidate in the archive.
        axes = spec.axes if position == last else ()
        if stage.exclusive or spec.exclusive:
            with turns(tuple(map(str, spec.gpus))) as turn:
                evaluation = _stage(stage, function, axes, spec, start)
                told = {MACHINE_ARTIFACT: turn.told()}
            evaluation = replace(evaluation, artifacts={**evaluation.artifacts, **told})
        else:
            evaluation = _stage(stage, function, axes, spec, start)
        if evaluation.failure is not None:
            return evaluation
    assert evaluation is not None
    return evaluation


def _stage(stage: StageSpec, function: Judging, axes: tuple[str, ...], spec: JudgeSpec, start: Start) -> Evaluation:
    """The repeats of one stage combined, the first failure among them, or a score below the threshold."""
    evaluations = []
    for repeat in range(spec.repeats):
        evaluation = _with_second_try(stage, function, axes, start, repeat)
        if evaluation.failure is not None:
            return evaluation
        evaluations.append(evaluation)
    evaluation = COMBINE[spec.combine](evaluations)
    assert evaluation.score is not None
    if stage.threshold is None or evaluation.score >= stage.threshold:
        return evaluation
    detail = f"the score {evaluation.score!r} is below the threshold {stage.threshold!r} of stage {stage.name!r}"
    return Evaluation.failed(Failure.THRESHOLD, detail=clean(detail), stage=stage.name)


def _with_second_try(
    stage: StageSpec, function: Judging, axes: tuple[str, ...], start: Start, repeat: int
) -> Evaluation:
    """One evaluation; a sandbox that breaks is started again once, as its contract says."""
    try:
        return _once(stage, function, axes, start(repeat))
    except SandboxError:
        return _once(stage, function, axes, start(repeat))


def _once(stage: StageSpec, function: Judging, axes: tuple[str, ...], candidate: Handle) -> Evaluation:
    try:
        evaluation = evaluation_of(function(candidate), axes=axes, stage=stage.name)
    except CandidateError as error:
        evaluation = Evaluation.failed(Failure(error.kind), detail=clean(error.detail), stage=stage.name)
    except WrongAnswerError as error:
        detail = clean(f"the evaluator broke its contract: {error}")
        return Evaluation.failed(Failure.EVALUATOR, detail=detail, stage=stage.name)
    except (SandboxError, MemoryError):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: whatever it raises is data
        detail = clean(f"the evaluator raised {where(error)}")
        return Evaluation.failed(Failure.EVALUATOR, detail=detail, stage=stage.name)
    finally:
        output = clean(candidate.output)
        candidate.close()
    if not output:
        return evaluation
    return replace(evaluation, artifacts={**evaluation.artifacts, OUTPUT_ARTIFACT: output})
