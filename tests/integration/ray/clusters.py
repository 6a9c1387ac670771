"""A Ray cluster of several nodes on this machine, for tests and measurements."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_BACKEND_LOG_LEVEL": "fatal"}
NODE: dict[str, Any] = {"object_store_memory": 100 << 20}


@contextmanager
def cluster_of(*, head_cpus: int, nodes: int = 0, cpus: int = 1) -> Iterator[Any]:
    """A head with so many slots and further nodes with `cpus` slots each; nobody is connected to it yet."""
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ.update(QUIET)
    from ray._raylet import AuthenticationTokenLoader, Config
    from ray.cluster_utils import Cluster

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": head_cpus, "include_dashboard": False, **NODE})
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=cpus, **NODE)
        yield cluster
    finally:
        cluster.shutdown()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
