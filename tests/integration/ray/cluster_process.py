"""A Ray cluster in processes and folders of its own, which asks for a token. `python -m` runs it; tests hold it.

So nothing of Ray is in the test's process, other clusters of this machine stay apart, and the whole of it can be lost.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.marked_processes import marked, wait_for
from tests.sandboxes import all_below

STORE_BYTES = 80 << 20
ROOT = Path(__file__).parents[3]
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""What it is for has another name; by this Ray takes 127.0.0.1 for this machine's address, and listens nowhere else."""
KEPT = ("PATH", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class ClusterProcess:
    """A cluster; `folder` holds all of its files: Ray's own in `ray`, the home folder, and temporary files."""

    def __init__(self, *, cpus: tuple[int, ...], gpus: int = 0, added: Mapping[str, str] | None = None) -> None:
        """Start a node for each number of `cpus`, the head first, which says that it has so many `gpus`.

        `added` is what its environment has besides.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="rc-"))
        self.token = self.folder / "token"
        self.token.touch(mode=0o600)
        self.token.write_text(secrets.token_hex(32), encoding="ascii")
        (self.folder / "home").mkdir()
        self.address = ""
        with (self.folder / "stderr").open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.ray.cluster_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env={**self.environment(), "HOME": str(self.folder / "home"), **(added or {})},
                cwd=ROOT,
            )
        self.address = self._ask("start", cpus=list(cpus), gpus=gpus, folder=str(self.folder / "ray"))

    def environment(self, temporary: Path | None = None) -> dict[str, str]:
        """What a process needs that joins; `temporary` is its own folder for temporary files."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {
            **kept,
            "TMPDIR": str(temporary or self.folder),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_BACKEND_LOG_LEVEL": "fatal",
            LOOPBACK: "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.token),
        }

    def add_node(self, *, cpus: int, **environment: str) -> None:
        """One more node."""
        self._ask("add", cpus=cpus, environment=environment)

    def lose_node(self) -> None:
        """Kill the processes of the last node that was added."""
        self._ask("lose")

    def stop_node(self) -> int:
        """Stop the last node that was added; it goes on where SIGCONT reaches the process that is returned."""
        return int(self._ask("stop"))

    def lose(self) -> None:
        """Kill every process of the cluster, the head's last."""
        self._ask("end")

    def close(self) -> None:
        """End it, and remove its files."""
        if self._process.poll() is None:
            self.lose()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        wait_for(lambda: not marked(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, what: str, **how: Any) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"what": what, **how}).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"no cluster: {(self.folder / 'stderr').read_text(errors='replace')[-2000:]}")
        answer: str = json.loads(line)
        return answer


@contextmanager
def cluster_process(*, cpus: tuple[int, ...], gpus: int = 0, **added: str) -> Iterator[ClusterProcess]:
    """A cluster for as long as it is needed."""
    cluster = ClusterProcess(cpus=cpus, gpus=gpus, added=added)
    try:
        yield cluster
    finally:
        cluster.close()


class _Server:
    """The cluster's own process; one request a line."""

    def __init__(self) -> None:
        self._cluster: Any = None
        self._nodes: list[Any] = []

    def start(self, *, cpus: list[int], gpus: int, folder: str) -> str:
        from ray.cluster_utils import Cluster

        node = {"num_cpus": cpus[0], "object_store_memory": STORE_BYTES}
        head = {"include_dashboard": False, "temp_dir": folder, **node, **({"num_gpus": gpus} if gpus else {})}
        self._cluster = Cluster(initialize_head=True, head_node_args=head, shutdown_at_exit=True)
        for number in cpus[1:]:
            self.add(cpus=number)
        return str(self._cluster.address)

    def add(self, *, cpus: int, environment: Mapping[str, str] | None = None) -> str:
        node = self._cluster.add_node(num_cpus=cpus, object_store_memory=STORE_BYTES, env_vars=dict(environment or {}))
        self._nodes.append(node)
        return str(node.node_id)

    def lose(self) -> str:
        self._remove(self._nodes.pop())
        return ""

    def stop(self) -> str:
        [raylet] = self._nodes[-1].all_processes["raylet"]
        os.kill(raylet.process.pid, signal.SIGSTOP)
        return str(raylet.process.pid)

    def end(self) -> str:
        while self._nodes:
            self.lose()
        if self._cluster.head_node is not None:
            self._remove(self._cluster.head_node)
        return ""

    def _remove(self, node: Any) -> None:
        """Kill its processes, those below its raylet too: they only notice if it is init that becomes their parent."""
        [raylet] = node.all_processes["raylet"]
        with ExitStack() as opened:
            handles = []
            for pid in all_below(raylet.process.pid):
                with suppress(ProcessLookupError):
                    handles.append(os.pidfd_open(pid))
                    opened.callback(os.close, handles[-1])
            self._cluster.remove_node(node, allow_graceful=False)
            for handle in handles:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    server = _Server()
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(getattr(server, request.pop("what"))(**request)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
