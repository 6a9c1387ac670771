"""The connection to Ray: one thread that starts or joins a cluster, waits for its tasks, and leaves it."""

import asyncio
import logging
import os
import queue
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from evaluators.environment import scrubbed_environment
from evolve.errors import EvolveEnvironmentError

OBJECT_STORE_BYTES = 200 << 20
WAIT_SECONDS = 0.05
"""`ray.wait` sees tasks only that were there when it was called: it looks again this often."""
LOOK_SECONDS = 1.0
"""How often the cluster's size is asked for: nodes join and leave."""
CANCEL_SECONDS = 3.0
"""A cancelled task that goes on for so long loses its Ray worker."""
CLOSE_SECONDS = 30.0
CONNECT_SECONDS = 5.0
GCS_PORT = 6379
ALSO_KEPT = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
ALWAYS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
ON_START = {"RAY_AUTH_MODE": "token", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1"}
MISSING_HINT = 'install it with `pip install "evolve-discovery[ray]"`, or leave out --executor ray'

Landed = Callable[[bytes | Exception], object]
"""Told in the link's thread how a task ended: its bytes, or why there are none."""


class RayLink:
    """Owns Ray in this process. What is told in callbacks is told from the link's own thread.

    Ray's processes end with the thread that started them, so all of its life is in one thread.
    """

    def __init__(self, *, address: str | None, n_workers: int | None, resized: Callable[[int], None]) -> None:
        self._address, self._n_workers, self._resized = address, n_workers, resized
        self._pending: dict[Any, Landed] = {}
        self._cancelled: dict[Any, float] = {}
        self._changed = threading.Condition()
        self._is_closed = False
        self._ready: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="ray-link", daemon=True)
        self.ray: Any = None

    async def open(self) -> None:
        """Start or join the cluster, which takes seconds; a stop is heard meanwhile.

        Raises:
            EvolveEnvironmentError: Ray is missing, or there is no cluster that can be used.
        """
        self._thread.start()
        while self._ready.empty():
            await asyncio.sleep(WAIT_SECONDS)
        error = self._ready.get()
        if error is not None:
            raise error

    def watch(self, reference: Any, landed: Landed) -> None:
        """Tell `landed` when the task behind this reference has ended."""
        with self._changed:
            self._pending[reference] = landed
            self._changed.notify()

    def cancel(self, reference: Any) -> None:
        """Have a task's work killed; it lands as any other."""
        with self._changed:
            if reference in self._pending and reference not in self._cancelled:
                self._cancelled[reference] = time.monotonic() + CANCEL_SECONDS
        self.ray.cancel(reference, force=False)

    async def close(self) -> None:
        """Kill what is in flight and leave the cluster, or end it. A cluster that does not answer is left alone."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        deadline = time.monotonic() + CLOSE_SECONDS
        while self._thread.is_alive() and time.monotonic() < deadline:
            await asyncio.sleep(WAIT_SECONDS)

    def _live(self) -> None:
        try:
            with connected(self._address, self._n_workers) as ray:
                self.ray = ray
                self._look()
                self._ready.put(None)
                self._wait()
                self._drop()
        except Exception as error:  # noqa: BLE001 (a thread has nobody else to tell)
            self._ready.put(error)
            self._abandon(error)

    def _wait(self) -> None:
        looked = time.monotonic()
        while True:
            with self._changed:
                if not self._pending and not self._is_closed:
                    self._changed.wait(LOOK_SECONDS)
                if self._is_closed:
                    return
                pending = list(self._pending)
            if pending:
                self._land(pending)
                self._force()
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self._look()

    def _land(self, pending: list[Any]) -> None:
        done, _ = self.ray.wait(pending, num_returns=1, timeout=WAIT_SECONDS)
        if done and len(pending) > 1:
            done, _ = self.ray.wait(pending, num_returns=len(pending), timeout=0)
        for reference in done:
            outcome = self._outcome(reference)
            with self._changed:
                landed = self._pending.pop(reference)
                self._cancelled.pop(reference, None)
            landed(outcome)

    def _outcome(self, reference: Any) -> bytes | Exception:
        try:
            answer = self.ray.get(reference)
        except Exception as error:  # noqa: BLE001 (whatever Ray raises is told to who asked)
            return error
        return answer if isinstance(answer, bytes) else TypeError(f"a worker answered with {type(answer).__name__}")

    def _force(self) -> None:
        now = time.monotonic()
        with self._changed:
            late = [reference for reference, deadline in self._cancelled.items() if deadline < now]
            self._cancelled.update(dict.fromkeys(late, now + CANCEL_SECONDS))
        for reference in late:
            self.ray.cancel(reference, force=True)

    def _look(self) -> None:
        self._resized(int(self.ray.cluster_resources().get("CPU", 0)))

    def _drop(self) -> None:
        """Kill what is in flight, so that nothing goes on in a cluster that lives longer than this process."""
        with self._changed:
            pending = list(self._pending)
        for reference in pending:
            self.ray.cancel(reference, force=False)
        if pending:
            self.ray.wait(pending, num_returns=len(pending), timeout=CANCEL_SECONDS)
        for reference in pending:
            with suppress(Exception):
                self.ray.cancel(reference, force=True)
        self._abandon(RuntimeError("the executor is closed"))

    def _abandon(self, error: Exception) -> None:
        with self._changed:
            flights = list(self._pending.values())
            self._pending.clear()
        for landed in flights:
            landed(error)


def import_ray() -> Any:
    """The module, silent and without usage statistics.

    Raises:
        EvolveEnvironmentError: it is not installed.
    """
    os.environ.update(ALWAYS)  # read when it is imported
    try:
        import ray
    except ModuleNotFoundError as error:
        raise EvolveEnvironmentError(f"Ray cannot be imported: {error}", hint=MISSING_HINT) from None
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    return ray


@contextmanager
def connected(address: str | None, n_workers: int | None) -> Iterator[Any]:
    """Ray, connected to the cluster at `address`, or to one of `n_workers` slots of our own on this machine.

    Raises:
        EvolveEnvironmentError: Ray is missing, or the cluster cannot be used.
    """
    place = Path(tempfile.mkdtemp(prefix="evolve-ray-"))
    before = dict(os.environ)
    try:
        added = {} if address else {**ON_START, "RAY_AUTH_TOKEN_PATH": _token_file(place)}
        with _environment(added), _silence():
            ray = import_ray()
            if added:
                _read_token_again()
            _initialise(ray, address, n_workers)
        os.environ.update(added)
        try:
            yield ray
        finally:
            ray.shutdown()
    finally:
        for name in (*ALWAYS, *ON_START, "RAY_AUTH_TOKEN_PATH"):
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)
        shutil.rmtree(place, ignore_errors=True)


def _initialise(ray: Any, address: str | None, n_workers: int | None) -> None:
    quiet: Mapping[str, Any] = {"log_to_driver": False, "configure_logging": False}
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=n_workers or 1,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1",
                **quiet,
            )
        else:
            ray.init(address=_reachable(address), **quiet)
    except EvolveEnvironmentError:
        raise
    except Exception as error:  # noqa: BLE001 (Ray raises a dozen kinds here, from AssertionError to its own)
        what = "a Ray cluster cannot be started here" if address is None else f"no Ray cluster can be used at {address}"
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise EvolveEnvironmentError(f"{what}: {said[0]}", hint=_hint(address)) from None


def _hint(address: str | None) -> str:
    if address is None:
        return "`evolve doctor` shows what this machine offers; `--executor local` needs no Ray"
    return (
        "start one with `ray start --head`, run this command on one of its nodes with the same versions of Python and "
        "Ray and with the cluster's token, or leave out --ray-address for a cluster on this machine alone"
    )


def _reachable(address: str) -> str:
    """The address as Ray wants it; asks the port first, for Ray itself waits a minute for a host that is not there."""
    if "://" in address:
        raise EvolveEnvironmentError(
            f"--ray-address is {address}, expected auto or HOST[:PORT]",
            hint="Ray's client protocol is not used: run this command on a node of the cluster",
        )
    if address == "auto":
        return address
    host, _, port = address.partition(":")
    if port and not port.isdecimal():
        raise EvolveEnvironmentError(f"--ray-address is {address}, expected auto or HOST[:PORT]")
    with socket.create_connection((host, int(port or GCS_PORT)), timeout=CONNECT_SECONDS):
        return f"{host}:{port or GCS_PORT}"


def _token_file(place: Path) -> str:
    """A secret of this cluster's own: by itself Ray would write one into the home folder, for all to read."""
    path = place / "token"
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(32), encoding="ascii")
    return str(path)


def _read_token_again() -> None:
    """Ray read its settings when it was imported, perhaps for an earlier cluster of this process."""
    from ray._raylet import AuthenticationTokenLoader, Config

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what Ray's compiled parts write to standard error off the terminal: they know no setting for all of it."""
    held, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(held, 2)
        os.close(held)
        os.close(nowhere)


@contextmanager
def _environment(added: Mapping[str, str]) -> Iterator[None]:
    """What Ray's processes inherit: no key of ours, and what `added` says. Without it, nothing is changed."""
    if not added:
        yield
        return
    before = dict(os.environ)
    kept = {name: before[name] for name in ALSO_KEPT if name in before}
    scrubbed = {**scrubbed_environment(), **kept, **ALWAYS, **added}
    os.environ.clear()
    os.environ.update(scrubbed)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
