"""What workers can be asked to do: judge or verify candidates, search symbolically. Plain data in and out."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from evaluators.answers import MAX_TEXT, clean
from evaluators.contract import Evaluation, Failure
from evaluators.errors import EvaluatorError
from evaluators.judge import Judge
from evaluators.process import JudgeProcess, open_judge
from evaluators.records import (
    evaluation_from_mapping,
    evaluation_to_mapping,
    verdict_from_mapping,
    verdict_to_mapping,
)
from evaluators.spec import JudgeSpec
from sandbox.errors import SandboxError

HANDLER = "evolve.tasks:handle"
EVALUATE = "evaluate"
VERIFY = "verify"
BURST = "burst"
PREPARE = "prepare"
FIT = "fit"
"""As a burst's `kind`: no search, only the constants of its one parent are fitted."""
FLOAT32 = "float32"
RULE_BURST = "rule_burst"
REFERENCES = "references"

__all__ = ["HANDLER", "evaluation_from_mapping", "evaluation_to_mapping", "handle", "verdict_from_mapping"]

_judges: dict[str, Judge | JudgeProcess] = {}


def handle(task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Run one task by name; this is the entry point of worker processes."""
    return TASKS[task](payload)


def evaluate(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Judge each child: `judge` (a JudgeSpec mapping), `children` (files, rng_seed, inherited) -> `evaluations`.

    A sandbox that stays broken gives `broken`, the reason, instead. A judge that cannot be built fails the child that
    it was built for.
    """
    try:
        evaluations = [_evaluated(payload["judge"], child) for child in payload["children"]]
    except SandboxError as error:
        return {"broken": str(error)}
    return {"evaluations": [evaluation_to_mapping(each) for each in evaluations]}


def verify(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Verify one candidate: `judge`, `files` -> `verdict`; or `failed` or `broken`, the reason."""
    try:
        return {
            "verdict": verdict_to_mapping(
                _judge_for(payload["judge"]).verify(payload["files"], inherited=payload.get("inherited", ""))
            )
        }
    except EvaluatorError as error:
        return {"failed": str(error)}
    except SandboxError as error:
        return {"broken": str(error)}


def burst(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Search symbolically from `parents` (texts) for a fixed amount of work -> `children` (source, parents), `cost`.

    An evaluator without a usable fit target gives `failed`, the reason, instead.
    """
    # The compiled search costs a second to import: only workers that are asked for it pay.
    from evolve.symbolic.burst import burst as run_burst
    from evolve.symbolic.contract import BurstKind, BurstSettings, FitTarget
    from evolve.symbolic.fit import fit_constants
    from evolve.symbolic.tidy import tidied
    from sandbox.symbolic.canonical import canonical
    from sandbox.symbolic.parse import parse
    from sandbox.symbolic.render import render
    from sandbox.symbolic.vocabulary import load_vocabulary
    from sandbox.torch_device import DeviceError

    try:
        judge = _judge_for(payload["judge"])
        fit = judge.fit_target()
    except EvaluatorError as error:
        return {"failed": str(error)}
    if fit is None:
        raise ValueError("this problem's evaluator offers no fit target: use the plain symbolic operators")
    points, values, relative = fit
    n_inputs = len(points) if points.ndim > 1 else 1
    if n_inputs != len(payload["inputs"]):
        return {"failed": f"its fit_target has points of {n_inputs} inputs, programs take {len(payload['inputs'])}"}
    vocabulary = load_vocabulary(payload["vocabulary"])
    parents = [parse(text, vocabulary, inputs=payload["inputs"]) for text in payload["parents"]]
    kind, period = judge.symmetry() or (None, None)
    target = FitTarget(
        points=points,
        values=values,
        relative=relative,
        values_low=judge.fit_target_low(),
        weights=judge.fit_weights(),
        symmetry=kind,
        period=period,
    )
    if payload["settings"]["kind"] == FIT:
        result = fit_constants(canonical(parents[0], vocabulary), vocabulary, target, payload["rng_seed"])
    else:
        settings = BurstSettings(**{**payload["settings"], "kind": BurstKind(payload["settings"]["kind"])})
        try:
            result = run_burst(parents, vocabulary, target, settings, payload["rng_seed"])
        except DeviceError as error:
            return {"failed": str(error)}
    return {
        "children": [
            {
                "source": render(tidied(child.program, vocabulary), vocabulary),
                "parents": [int(index) for index in child.parent_indices],
            }
            for child in result.children
        ],
        "cost": float(result.work),
    }


def prepare(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Do next to nothing of a `burst`: on a fresh installation this compiles the search, once, into the cache."""
    answer = burst({**payload, "parents": [], "settings": {**payload["settings"], "work": 1e-3}})
    return {**answer, "cost": 0.0}


def float32(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Improve one float32 program; see `evolve.symbolic.machine_task`. A broken compiler gives `failed`, the reason."""
    from evolve.symbolic.machine_task import float32_children

    try:
        return float32_children(payload)
    except EvaluatorError as error:
        return {"failed": str(error)}


def references(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What tuned AdamW does on the tasks of a problem: `judge`, `measure` -> `missing`, the runs nobody measured here.

    With `measure` they are measured and kept for this machine.
    """
    from evaluators.optimizers.family import OptimizerFamily
    from sandbox.symbolic.vocabulary import load_vocabulary

    spec = JudgeSpec.from_mapping(payload["judge"])
    assert spec.symbolic is not None
    try:
        family = OptimizerFamily(spec.options, load_vocabulary(spec.symbolic.vocabulary))
        missing = family.unprepared()
        if missing and payload["measure"]:
            family.prepare()
    except EvaluatorError as error:
        return {"failed": str(error)}
    return {"missing": list(missing)}


def rule_burst(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Search update rules; see `evolve.rules.rule_task`. Where reference data cannot be had, `failed` is the reason."""
    from evolve.rules.rule_task import rule_children
    from sandbox.torch_device import DeviceError

    try:
        return rule_children(payload)
    except (EvaluatorError, DeviceError) as error:
        return {"failed": str(error)}


TASKS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    EVALUATE: evaluate,
    VERIFY: verify,
    BURST: burst,
    PREPARE: prepare,
    FLOAT32: float32,
    RULE_BURST: rule_burst,
    REFERENCES: references,
}


def _evaluated(spec: Mapping[str, Any], child: Mapping[str, Any]) -> Evaluation:
    try:
        return _judge_for(spec).evaluate(
            child["files"], rng_seed=child["rng_seed"], inherited=child.get("inherited", "")
        )
    except EvaluatorError as error:
        return Evaluation.failed(Failure.EVALUATOR, detail=clean(str(error), MAX_TEXT))


def _judge_for(spec: Mapping[str, Any]) -> Judge | JudgeProcess:
    """The judge of a problem; a worker keeps the one it used last, with its warm sandbox."""
    wanted = JudgeSpec.from_mapping(spec)
    key = json.dumps(wanted.to_mapping(), sort_keys=True)
    if key not in _judges:
        for stale in _judges.values():
            stale.close()
        _judges.clear()
        _judges[key] = open_judge(wanted)
    return _judges[key]
