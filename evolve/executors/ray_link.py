"""Ray, started or joined by this process: silent, without usage statistics, without a key of ours."""

import logging
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from evaluators.environment import scrubbed_environment
from evolve.errors import EvolveEnvironmentError

OBJECT_STORE_BYTES = 200 << 20
CONNECT_SECONDS = 5.0
GCS_PORT = 6379
LAST_PORT = 65535
ALSO_KEPT = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
ALWAYS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
ON_START = {
    "RAY_AUTH_MODE": "token",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # one machine alone: only so does Ray listen on the loopback alone
}
ON_JOIN = {  # one attempt of seconds, where Ray would make twenty of a minute
    "RAY_gcs_server_port_wait_time_s": "1",
    "RAY_py_gcs_connect_timeout_s": "10",
    "RAY_gcs_rpc_server_connect_timeout_s": "3",
}
PLACE = "evolve-ray-"
LONGEST_PLACE = 20
"""So long may be the path of temporary folders: sockets lie 80 characters deeper, and 107 are allowed."""
LITTLE_DISK_BYTES = 16 << 20
MEBIBYTE = 1 << 20
REMOVE_TRIES = 20
REMOVE_SECONDS = 0.1
REFUSED = "InvalidAuthToken"
REFUSED_HINT = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH (or ~/.ray/auth_token) as on the cluster's nodes"
JOIN_HINT = (
    "start one with `ray start --head`, run this command on one of its nodes with the same versions of Python and Ray "
    "and with the cluster's token, or leave out --ray-address for a cluster on this machine alone"
)
MISSING_HINT = 'install it with `pip install "evolve-discovery[ray]"`, or leave out --executor ray'


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
    # Ray prints to standard output what befalls nodes and workers ("(raylet) …"), and has no setting against it.
    ray._private.worker._worker_logs_enabled = False
    return ray


@contextmanager
def connected(address: str | None, n_workers: int | None, *, place: Path | None = None) -> Iterator[Any]:
    """Ray, connected to the cluster at `address`, or to one of `n_workers` slots of our own on this machine.

    All of our own lies in the folder `place`, see `open_place`; the caller removes it. This process sees what Ray needs
    of the environment and nothing else as long as it is connected.

    Raises:
        EvolveEnvironmentError: Ray is missing, or the cluster cannot be used.
    """
    folder = place or open_place()
    own = {**ON_START, "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
    try:
        with _environment(ON_JOIN if address else own, is_scrubbed=address is None):
            if address is None:
                _write_token(folder / "token")
            with _silence() as said:
                ray = import_ray()
                _read_settings_again()
                _initialise(ray, address, n_workers, folder, said)
            try:
                yield ray
            finally:
                with _silence():
                    ray.shutdown()
    finally:
        if place is None:
            remove_place(folder)


def open_place() -> Path:
    """A fresh folder for a cluster of our own, for its owner alone; its path is short enough for sockets."""
    where = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix=PLACE, dir=where if len(where) <= LONGEST_PLACE else "/tmp"))  # noqa: S108


def remove_place(place: Path) -> None:
    """Remove the folder, also when processes that are ending still write there."""
    for _ in range(REMOVE_TRIES):
        shutil.rmtree(place, ignore_errors=True)
        if not place.exists():
            return
        time.sleep(REMOVE_SECONDS)


def _initialise(ray: Any, address: str | None, n_workers: int | None, place: Path, said: IO[bytes]) -> None:
    quiet: Mapping[str, Any] = {"log_to_driver": False, "configure_logging": False}
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=n_workers or 1,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1",
                _temp_dir=str(place / "ray"),
                **quiet,
            )
        else:
            ray.init(address=reachable(address), **quiet)
    except EvolveEnvironmentError:
        raise
    except Exception as error:  # noqa: BLE001 (Ray raises a dozen kinds here, from AssertionError to its own)
        what = "a Ray cluster cannot be started here" if address is None else f"no Ray cluster can be used at {address}"
        if REFUSED in _read(said):
            raise EvolveEnvironmentError(f"{what}: it asks for another token", hint=REFUSED_HINT) from None
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise EvolveEnvironmentError(f"{what}: {lines[0]}", hint=JOIN_HINT if address else start_hint(place)) from None


def start_hint(place: Path) -> str:
    """What to do where no cluster could be started whose files lie in `place`: Ray does not say that a disk is full."""
    free = shutil.disk_usage(place.parent).free
    if free < LITTLE_DISK_BYTES:
        return f"{place.parent} has only {free / MEBIBYTE:.1f} MiB left: make room, or set TMPDIR to another folder"
    return "`evolve doctor` shows what this machine offers; `--executor local` needs no Ray"


def reachable(address: str) -> str:
    """The address as Ray wants it; asks the port first, for Ray itself waits a minute for a host that is not there.

    Raises:
        EvolveEnvironmentError: it is none.
        OSError: nobody answers there.
    """
    if "://" in address:
        raise EvolveEnvironmentError(
            f"--ray-address is {address}, expected auto or HOST[:PORT]",
            hint="Ray's client protocol is not used: run this command on a node of the cluster",
        )
    if address == "auto":
        return address
    host, _, port = address.partition(":")
    if not host or (port and not (port.isdecimal() and int(port) <= LAST_PORT)):
        raise EvolveEnvironmentError(f"--ray-address is {address!r}, expected auto or HOST[:PORT]")
    with socket.create_connection((host, int(port or GCS_PORT)), timeout=CONNECT_SECONDS):
        return f"{host}:{port or GCS_PORT}"


def _write_token(path: Path) -> None:
    """A secret of this cluster's own: by itself Ray would write one into the home folder, for all to read."""
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(32), encoding="ascii")


def _read_settings_again() -> None:
    """Ray read its settings when it was imported, perhaps for an earlier cluster of this process."""
    from ray._raylet import AuthenticationTokenLoader, Config

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _silence() -> Iterator[IO[bytes]]:
    """Keep what Ray's compiled parts write to standard error in a file; no setting stops all of it."""
    held = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(held, 2)
            os.close(held)


def _read(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read(1 << 20).decode(errors="replace")


@contextmanager
def _environment(added: Mapping[str, str], *, is_scrubbed: bool) -> Iterator[None]:
    """What Ray sees, and what its processes inherit: `added`, and where it is scrubbed no key of ours."""
    before = dict(os.environ)
    kept = {name: before[name] for name in ALSO_KEPT if name in before}
    seen = {**(scrubbed_environment() | kept if is_scrubbed else before), **ALWAYS, **added}
    os.environ.clear()
    os.environ.update(seen)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
