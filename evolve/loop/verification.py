"""Verification: ask the problem's judge for a rigorous verdict on one candidate and keep its certificate."""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluators.answers import CONSTRUCTION
from evaluators.contract import Verdict
from evaluators.spec import FAMILY_SCHEMA, JudgeSpec
from evolve import tasks
from evolve.config.problem import Problem
from evolve.errors import EvolveEnvironmentError, SeedError
from evolve.executors import InfrastructureError, LocalExecutor, TaskError
from evolve.loop.isolation import require_isolation
from evolve.store import RunReader

GRACE_SECONDS = 120.0
SCHEMA = "evolve.certificate/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A verdict (`certified`, `refuted` or `unverified`) with the proven value and where the certificate lies."""

    id: int
    verdict: str
    value: float | None
    score: float | None
    detail: str
    certificate: Path | None


def verify_candidate(run_dir: Path, identifier: int, *, unsafe_sandbox: bool = False) -> Verification:
    """Verify one candidate of a run; writes `certificates/<id>.json` in the run directory, whole or not at all.

    `unsafe_sandbox` allows to run a Python candidate where it cannot be confined.

    Raises:
        UsageError: no such run or candidate.
        ProblemError: the problem's judge has changed since the run began.
        SeedError: the evaluator itself fails.
        EvolveEnvironmentError: the sandbox does not work, or the certificate cannot be written.
    """
    reader = RunReader(run_dir)
    record = reader.candidate(identifier)
    problem = Problem.from_json(reader.meta()["problem"])
    reader.close()
    problem.require_unchanged_judge()
    require_isolation(problem, unsafe=unsafe_sandbox)
    spec = replace(JudgeSpec.from_mapping(problem.judge_spec_mapping()), unsafe=unsafe_sandbox)
    construction = record.evaluation.artifacts.get(CONSTRUCTION, "")
    verdict = asyncio.run(_verdict(spec, record.candidate.files, construction))
    path = None
    if verdict.certificate:
        document = {
            "schema": SCHEMA,
            "problem": problem.name,
            "run": str(run_dir),
            "candidate": identifier,
            "verdict": verdict.verdict,
            "value": verdict.value,
            "detail": verdict.detail,
            "files": dict(record.candidate.files),
            "certificate": verdict.certificate,
        }
        path = run_dir / "certificates" / f"{identifier}.json"
        _write_whole(path, document)
        _write_sizes(path.with_suffix(""), document)
    return Verification(
        id=identifier,
        verdict=verdict.verdict,
        value=verdict.value,
        score=record.evaluation.score,
        detail=verdict.detail,
        certificate=path,
    )


def _write_sizes(folder: Path, document: dict[str, Any]) -> None:
    """Of a program that works for several sizes: also the certificate of each, which a script can re-check alone."""
    whole = document["certificate"]
    if whole.get("schema") != FAMILY_SCHEMA:
        return
    for each in whole["sizes"]:
        if each["certificate"] is not None:
            _write_whole(
                folder / f"{whole['parameter']}{each['size']}.json", {**document, "certificate": each["certificate"]}
            )


async def _verdict(spec: JudgeSpec, files: Mapping[str, str], construction: str) -> Verdict:
    """Ask in a worker: what a proof hangs on, crashes or uses up stays there."""
    executor = LocalExecutor(n_workers=1, handler=tasks.HANDLER)
    deadline = GRACE_SECONDS + spec.longest_verification_seconds
    try:
        await executor.start()
        async with asyncio.timeout(deadline):
            payload = {"judge": spec.to_mapping(), "files": dict(files), "inherited": construction}
            answer = await executor.submit(tasks.VERIFY, payload)
    except TimeoutError as error:
        raise SeedError(
            f"the evaluator of {spec.name} did not verify the candidate within {deadline:.0f} s",
            hint="raise [evaluator].verify_seconds if it needs more",
        ) from error
    except (TaskError, InfrastructureError) as error:
        raise SeedError(f"the evaluator of {spec.name} failed under verification: {error}") from error
    finally:
        await executor.close()
    if "broken" in answer:
        raise EvolveEnvironmentError(f"the sandbox does not work: {answer['broken']}")
    if "failed" in answer:
        raise SeedError(f"the evaluator of {spec.name} failed under verification: {answer['failed']}")
    return tasks.verdict_from_mapping(answer["verdict"])


def _write_whole(path: Path, document: dict[str, Any]) -> None:
    """Write JSON so that the file is there complete or not at all."""
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as handle:
            json.dump(document, handle, indent=1)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        raise EvolveEnvironmentError(f"cannot write the certificate {path}: {error.strerror}") from error
