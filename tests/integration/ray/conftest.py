"""One cluster for all tests with Ray: two nodes, the head with three slots, the other with one."""

from collections.abc import Iterator

import pytest

from tests.integration.ray.cluster_process import ClusterProcess, cluster_process


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[ClusterProcess]:
    """A cluster that no test may harm; those that want to start one of their own."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    with cluster_process(cpus=(3, 1)) as cluster:
        yield cluster
