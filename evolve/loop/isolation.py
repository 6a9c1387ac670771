"""Whether this machine can confine Python candidates; asked before anything is written."""

from collections.abc import Mapping

from evolve.config.problem import Problem
from evolve.errors import EvolveEnvironmentError
from sandbox.errors import SandboxError
from sandbox.layers import Layer, Level
from sandbox.process import ProcessSandbox

ACTIVE = "active"
NOT_NEEDED = "not needed by root"


def require_isolation(problem: Problem, *, unsafe: bool) -> None:
    """Refuse to judge Python candidates where next to nothing would confine them, unless `unsafe` accepts that.

    Raises:
        EvolveEnvironmentError: the sandbox would be `WEAK`, or does not work at all.
    """
    if problem.language != "python" or unsafe:
        return
    try:
        # Nothing is preloaded and no candidate starts: this only tries the layers.
        with ProcessSandbox(preload=(), unsafe=True) as sandbox:
            level, report = sandbox.level, sandbox.report
    except SandboxError as error:
        raise EvolveEnvironmentError(f"the sandbox does not work: {error}") from error
    if level == Level.WEAK:
        raise weakness(report)


def weakness(report: Mapping[Layer, str]) -> EvolveEnvironmentError:
    """The error that says what is missing here and what can be done."""
    wanting = {layer: reason for layer, reason in report.items() if reason not in (ACTIVE, NOT_NEEDED)}
    missing = "".join(f"\n  {layer}: {reason}" for layer, reason in wanting.items())
    return EvolveEnvironmentError(
        "the sandbox reaches the level WEAK only: nothing would keep a hostile candidate from your files, keys and "
        f"processes. What is missing here:{missing}",
        hint="use a machine or container that has them, or accept the risk with --unsafe-sandbox "
        "(unsafe_sandbox = true in your own settings, EVOLVE_UNSAFE_SANDBOX=1); docs/security.md says what each is for",
    )
