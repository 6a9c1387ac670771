import pytest

from evolve.executors import Executor
from evolve.executors.card_executor import CardExecutor
from evolve.executors.card_watch import CardWatch
from evolve.testing.executor_conformance import ExecutorConformance
from tests.extent import ALL_TESTS
from tests.unit.executors.test_card_executor import UNITS, nothing_new


@pytest.mark.skipif(not ALL_TESTS, reason="its workers are those of the local executor: set EVOLVE_ALL_TESTS")
class TestCardExecutor(ExecutorConformance):
    def make(self, *, n_workers: int, handler: str) -> Executor:
        return CardExecutor(
            units=UNITS, share=0.5, n_workers=n_workers, handler=handler, watch=CardWatch(UNITS, nothing_new)
        )
