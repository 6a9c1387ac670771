"""One candidate judged by our judge with the world's evaluator, from files to score; the same shape as `Guest`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluators.judge import Judge
from evaluators.spec import KIBIBYTE, JudgeSpec, LimitsSpec
from evaluators.stages import OUTPUT_ARTIFACT
from evolve.testing.hostile import honest
from sandbox.contract import Sandbox
from sandbox.errors import SandboxError
from sandbox.limits import MEBIBYTE, Limits


class Judged:
    """A candidate for forgers: only the score counts, and what the failure's text and the output look like."""

    def __init__(self, sandbox: Sandbox, files: Mapping[str, str], limits: Limits) -> None:
        """Keep everything for `run`."""
        self._sandbox = sandbox
        self._files = files
        self._limits = limits
        self._output = ""

    def run(self, calls: Sequence[str], world: Mapping[str, Any]) -> dict[str, Any]:
        """Judge it; the evaluator decides what is called."""
        del calls
        try:
            with Judge(spec_of(world, self._limits), self._sandbox) as judge:
                evaluation = judge.evaluate(files_of(self._files, world))
        except SandboxError as error:
            return {"score": 0.0, "seconds": 0.0, "answers": [], "failure": ["sandbox", str(error)]}
        self._output = evaluation.artifacts.get(OUTPUT_ARTIFACT, "")
        return {
            "score": evaluation.score or 0.0,
            "seconds": evaluation.seconds,
            "answers": [evaluation.artifacts.get("answer")],
            "failure": [str(evaluation.failure or ""), evaluation.detail],
        }

    def end(self) -> str:
        """What it printed."""
        return self._output


def files_of(files: Mapping[str, str], world: Mapping[str, Any]) -> dict[str, str]:
    """The candidate's files, with what attackers know: the evaluator hands it to the program."""
    return {**files, honest.KNOWN: f"KNOWN = {dict(world)!r}\n"}


def spec_of(world: Mapping[str, Any], limits: Limits) -> JudgeSpec:
    """The world's evaluator as a problem."""
    return JudgeSpec(
        language="python",
        folder=str(Path(world["evaluator"]).parent),
        file=honest.NAME,
        limits=LimitsSpec(
            wall_seconds=limits.wall_seconds,
            cpu_seconds=limits.cpu_seconds,
            memory_mb=limits.memory_bytes // MEBIBYTE,
            output_kb=limits.output_bytes // KIBIBYTE,
            result_mb=limits.result_bytes // MEBIBYTE,
            n_processes=limits.n_processes,
            n_files=limits.n_files,
            scratch_mb=limits.scratch_bytes // MEBIBYTE,
        ),
    )
