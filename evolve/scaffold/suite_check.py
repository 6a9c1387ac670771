"""Does a problem search on tasks that `evolve validate` keeps for choosing and comparing?"""

from evolve.config.problem import Problem
from evolve.scaffold.findings import Finding, ok, warning

KEPT_BACK = ("validation", "test")


def check_suites(problem: Problem) -> list[Finding]:
    """One finding for problems whose judge trains on named proxy tasks, none for others."""
    table = problem.tables.evaluator
    names = table.options.get("tasks")
    if table.family != "optimizer" or not isinstance(names, list):
        return []
    from evaluators.optimizers.tasks import TASKS

    if not names or any(not isinstance(name, str) or name not in TASKS for name in names):
        return []  # the judge says what is wrong with them
    kept_back = [name for name in names if TASKS[name].suite in KEPT_BACK]
    if not kept_back:
        return [ok("tasks", f"{len(names)} tasks, none of them kept for `evolve validate`")]
    told = ", ".join(f"{name} ({TASKS[name].suite})" for name in kept_back)
    seen = f"evaluator.options.tasks has {told}: `evolve validate` chooses among finalists and compares them on these"
    return [
        warning("tasks", seen, "search on others, or do not take its table for one of unseen tasks", kept=kept_back)
    ]
