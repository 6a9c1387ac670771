"""Where compute runs: local worker processes (the default); a cluster executor keeps the same contract."""

from evolve.executors.contract import Executor, InfrastructureError, TaskError
from evolve.executors.local import LocalExecutor

__all__ = ["Executor", "InfrastructureError", "LocalExecutor", "TaskError"]
