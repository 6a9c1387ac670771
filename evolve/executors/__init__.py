"""Where compute runs: local worker processes (the default); a cluster executor keeps the same contract."""

from evolve.executors.contract import ITERATION, Executor, InfrastructureError, TaskError
from evolve.executors.local import LocalExecutor

__all__ = ["ITERATION", "Executor", "InfrastructureError", "LocalExecutor", "TaskError"]
