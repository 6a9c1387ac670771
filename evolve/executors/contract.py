"""The executor's contract: work in, JSON answer out, infrastructure failures told apart from failures of the work."""

from collections.abc import Mapping
from typing import Any, Protocol

from evolve.errors import EvolveError

ITERATION = "iteration"
"""The key of a payload that says which iteration of a run a task belongs to: for those who watch the workers."""


class TaskError(EvolveError):
    """The task's own code raised in a worker: the text ends with its traceback. Running it again would not help."""


class InfrastructureError(EvolveError):
    """Workers died under this work again and again; the work itself was never answered."""

    exit_code = 75


def iteration_of(payload: Mapping[str, Any]) -> str:
    """The iteration that a task belongs to, "" where nobody says."""
    return str(payload.get(ITERATION, ""))


class Executor(Protocol):
    """Runs tasks on workers. One event loop owns an executor."""

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time."""

    @property
    def n_lost_workers(self) -> int:
        """How many workers died and were replaced so far."""

    async def start(self) -> None:
        """Start the workers.

        Raises:
            InfrastructureError: none could be started.
        """

    async def submit(self, task: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Run one task and return its answer; waits for a free worker.

        Raises:
            TaskError: the task raised.
            InfrastructureError: every worker that tried it died: three, or two on different machines.
        """

    async def close(self) -> None:
        """Kill the workers and whatever they started; unanswered work is dropped."""
