from evolve.executors import Executor, LocalExecutor
from evolve.testing.executor_conformance import ExecutorConformance


class TestLocalExecutor(ExecutorConformance):
    def make(self, *, n_workers: int, handler: str) -> Executor:
        return LocalExecutor(n_workers=n_workers, handler=handler)
