"""Discover algorithms by evolution over programs. Users import names from here, and from nowhere else."""

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive.candidate import Candidate
    from evaluators.contract import Evaluation, Failure
    from evaluators.timing.benches import CardBench, HostBench
    from evaluators.timing.evaluation import checked_evaluation, timed_evaluation
    from evaluators.timing.paired import PairedTimer, TimingEffort
    from evaluators.timing.quiet import QuietCard
    from evaluators.timing.tasks import TimedTask
    from evolve.config.locate import shipped_problems
    from evolve.config.problem import Problem, load_problem
    from evolve.errors import EvolveError
    from evolve.operators.contract import Compute, Operator, Proposal
    from sandbox.limits import Limits

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "CardBench",
    "Compute",
    "Evaluation",
    "EvolveError",
    "Failure",
    "HostBench",
    "Limits",
    "Operator",
    "PairedTimer",
    "Problem",
    "Proposal",
    "QuietCard",
    "TimedTask",
    "TimingEffort",
    "__version__",
    "checked_evaluation",
    "load_problem",
    "shipped_problems",
    "timed_evaluation",
]

_HOMES = {
    "Candidate": "archive.candidate",
    "CardBench": "evaluators.timing.benches",
    "Compute": "evolve.operators.contract",
    "Evaluation": "evaluators.contract",
    "EvolveError": "evolve.errors",
    "Failure": "evaluators.contract",
    "HostBench": "evaluators.timing.benches",
    "Limits": "sandbox.limits",
    "Operator": "evolve.operators.contract",
    "PairedTimer": "evaluators.timing.paired",
    "Problem": "evolve.config.problem",
    "Proposal": "evolve.operators.contract",
    "QuietCard": "evaluators.timing.quiet",
    "TimedTask": "evaluators.timing.tasks",
    "TimingEffort": "evaluators.timing.paired",
    "checked_evaluation": "evaluators.timing.evaluation",
    "load_problem": "evolve.config.problem",
    "shipped_problems": "evolve.config.locate",
    "timed_evaluation": "evaluators.timing.evaluation",
}
_SIBLINGS = ("archive", "evaluators", "sandbox")


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import evolve` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _refuse_shadowed_siblings() -> None:
    """Name the guilty file when a user's own `archive/`, `evaluators/` or `sandbox/` hides ours."""
    home = Path(__file__).resolve().parent.parent
    for name in _SIBLINGS:
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ImportError(f"the package {name!r}, a part of evolve, is missing beside {home / 'evolve'}: reinstall")
        found = Path(spec.origin or next(iter(spec.submodule_search_locations or [""]))).resolve()
        if found.parent != home / name:
            raise ImportError(
                f"{found} hides evolve's own package {name!r} ({home / name}); rename it, or start with the command "
                "`evolve` or with `python -P`, which do not look for modules in the current folder"
            )


_refuse_shadowed_siblings()
