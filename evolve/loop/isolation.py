"""Whether this machine has what judging needs, confinement above all; asked before anything is written."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from evaluators.optimizers.needs import INSTALL, MISSING, has_torch
from evaluators.spec import OPTIMIZER_FAMILY
from evolve.config.problem import Problem
from evolve.errors import EvolveEnvironmentError, ProblemError

if TYPE_CHECKING:
    from sandbox.gpu import GpuAccess


def require_isolation(
    problem: Problem, *, unsafe: bool, cards: Sequence[str] | None = None, gpu_share: float = 1.0
) -> str:
    """Refuse to judge Python candidates where next to nothing would confine them, unless `unsafe` accepts that.

    `cards` are the UUIDs of their graphics cards, each getting `gpu_share` of one; without, those of the problem.

    Returns:
        The level that candidates will be judged at; empty for symbolic ones, which need no sandbox.

    Raises:
        ProblemError: a module of `[sandbox] preload` is not there.
        EvolveEnvironmentError: the sandbox would be `WEAK`, does not work at all, or lacks the problem's graphics card;
            or update rules are to train networks, and torch is not installed.
    """
    if problem.language != "python":
        _require_torch(problem)
        return ""
    # The sandbox is for Linux only, and symbolic problems run anywhere.
    from evaluators.cards import settled
    from evaluators.spec import JudgeSpec
    from sandbox.errors import PreloadError, SandboxError
    from sandbox.gpu import GpuAccess

    wanted = problem.tables.sandbox
    try:
        devices = settled(JudgeSpec.from_mapping(problem.judge_spec_mapping())).gpus if cards is None else tuple(cards)
        gpu = GpuAccess(devices=devices, memory_share=gpu_share) if devices else None
        return _level_here(tuple(wanted.preload), gpu, unsafe=unsafe)
    except PreloadError as error:
        raise ProblemError(f"{problem.name}: {error}") from error
    except SandboxError as error:
        asked = f"[sandbox] gpus = {problem.gpus} in problem.toml asks for graphics cards; " if problem.gpus else ""
        hint = f"{asked}`evolve doctor` shows what works here, docs/security.md what each part is for"
        raise EvolveEnvironmentError(str(error), hint=hint) from error


@cache
def _level_here(preload: tuple[str, ...], gpu: "GpuAccess | None", *, unsafe: bool) -> str:
    """The level of this machine, tried once: the judges' own sandboxes are tested again whenever they start."""
    from sandbox.process import ProcessSandbox

    # No candidate starts: this tries the layers, and whether the modules can be imported.
    with ProcessSandbox(preload=preload, unsafe=unsafe, gpu=gpu) as sandbox:
        return str(sandbox.level)


def warning_of(level: str, problem: Problem) -> str:
    """What a person should know of a run at this level; empty for nothing."""
    scratch = problem.tables.limits.scratch_mb
    if level == "WEAK":
        return "WEAK: candidates can read and change what you can (--unsafe-sandbox)"
    if level == "NOOPEN" and scratch:
        return f"NOOPEN: candidates can open no file here, so [limits] scratch_mb = {scratch} gives them no folder"
    return ""


def _require_torch(problem: Problem) -> None:
    if problem.tables.evaluator.family == OPTIMIZER_FAMILY and not has_torch():
        raise EvolveEnvironmentError(f"{problem.name}: {MISSING}", hint=f"install it: {INSTALL}")
