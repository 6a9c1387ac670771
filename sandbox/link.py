"""The controller's end of a fork server: starts it, sends it requests, notices its death, cleans up after it."""

import json
import os
import secrets
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sandbox
from sandbox.cgroups import sweep as sweep_groups
from sandbox.errors import PreloadError, SandboxError
from sandbox.gpu import Gpu
from sandbox.jail import N_UIDS, UNUSED_UIDS
from sandbox.layers import BASIC, NAMESPACES, Layer
from sandbox.limits import Limits
from sandbox.namespaces import identities
from sandbox.orphans import TOKEN_VARIABLE, sweep
from sandbox.plan import ACTIVE
from sandbox.removal import remove_tree
from sandbox.untrusted_text import tame

START_SECONDS = 120.0
REPLY_SECONDS = 30.0
END_SECONDS = 10.0
MESSAGE_BYTES = 65536
# A fork copies the tables of all pages: with large ones that of a process with torch takes a third of the time.
_LARGE_PAGES = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
PASSED_ON = ("LD_LIBRARY_PATH", "TMPDIR")
_DIED = "the sandbox's server died and took its sessions with it; the next start makes another"

# The server finds our package by its file and not by a folder on its path: candidates could import what lies beside it.
_BOOT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("sandbox", sys.argv[1])
sys.modules["sandbox"] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
from sandbox.server import main
main(int(sys.argv[2]))
"""


class ServerLink:
    """One running fork server. Requests may come from any thread of the process that made it."""

    def __init__(
        self,
        preload: Sequence[str],
        *,
        without: Set[Layer] = frozenset(),
        unsafe: bool = False,
        sabotage: Set[Layer] = frozenset(),
        gpu: Gpu | None = None,
    ) -> None:
        """Start a server and wait until it has imported `preload`.

        Args:
            preload: modules that candidates find imported.
            without: layers to leave away.
            unsafe: start also when only the level `WEAK` is reached.
            sabotage: layers that are not applied though they count as active; the self-test has to notice.
            gpu: the graphics cards of its children.

        Raises:
            SandboxError: it did not come up; the text holds what it said.
        """
        self._token = secrets.token_hex(16)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._is_reading = False
        self._owner = os.getpid()
        self._is_lost = False
        try:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            raise SandboxError(f"cannot open a socket to the sandbox's server: {error}") from error
        closes = Layer.CLOSED_DESCRIPTORS not in without
        with theirs:
            theirs.set_inheritable(not closes)
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-s", "-P", "-c", _BOOT, str(sandbox.__file__), str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=_server_environment(
                        self._token,
                        is_clean=Layer.CLEAN_ENVIRONMENT not in without | sabotage,
                        cards="" if gpu is None else gpu.visible,
                    ),
                    pass_fds=(theirs.fileno(),) if closes else (),
                    close_fds=closes,
                    start_new_session=Layer.OWN_SESSION not in without,
                    cwd="/",
                )
            except OSError as error:
                self._control.close()
                raise SandboxError(f"cannot start the sandbox's server: {error}") from error
        ready = self._await_ready(
            {
                "token": self._token,
                "preload": list(preload),
                "without": sorted(without),
                "unsafe": unsafe,
                "sabotage": sorted(sabotage),
                "namespaces": _own_namespaces(),
                "gpu": None if gpu is None else asdict(gpu),
            }
        )
        self.report: Mapping[Layer, str] = {Layer(name): reason for name, reason in ready["layers"].items()}
        self.reads_all_files: bool = ready["reads_all_files"]
        self._server_pid: int = ready["pid"]
        self._folder = None if ready["folder"] is None else Path(ready["folder"])
        self._replies: dict[int, Reply] = {}
        self._n_requests = 0
        first_uid = ready["first_uid"] or 0
        self._uids = range(first_uid, first_uid + N_UIDS) if first_uid >= UNUSED_UIDS else range(0)

    @property
    def pid(self) -> int:
        """The server's process; a launcher may stand between it and this one."""
        return self._server_pid

    @property
    def layers(self) -> frozenset[Layer]:
        """What confines its children."""
        return frozenset(layer for layer, reason in self.report.items() if reason == ACTIVE)

    @property
    def lifeline(self) -> int:
        """A descriptor that hangs up when the server dies; not to be read or closed."""
        return self._control.fileno()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs, as far as can be told without asking it."""
        if self._is_lost or self._process.poll() is not None:
            return False
        poll = select.poll()
        poll.register(self._control, 0)
        return not poll.poll(0)  # else it hung up, and its launcher has not noticed yet

    def start(self, limits: Limits, descriptors: Sequence[int]) -> "Reply":
        """Ask for a child that owns the descriptors (requests, answers, output, and shared memory if it has any).

        The reply has its `session`, and with shared memory its `outer_pid`.

        Raises:
            SandboxError: the server is gone.
        """
        return self._send({"op": "start", "limits": asdict(limits)}, descriptors)

    def stop(self, session: int) -> "Reply":
        """Ask to kill a session and everything it started, if it still runs; the reply tells how its process ended.

        Raises:
            SandboxError: the server is gone (the session is then dead too).
        """
        return self._send({"op": "stop", "session": session})

    def blame(self, session: int, limit: str, used: int) -> "Reply":
        """Ask to kill a session, if it still runs, for a limit that the server cannot watch; its end tells of it.

        Raises:
            SandboxError: the server is gone.
        """
        return self._send({"op": "blame", "session": session, "limit": limit, "used": used})

    def wait(self, reply: "Reply") -> dict[str, Any]:
        """Wait for a reply.

        Raises:
            SandboxError: the server is gone, or could not do it.
        """
        with self._changed:
            while reply.answer is None:
                if self._is_lost:
                    raise SandboxError(_DIED)
                if self._is_reading:
                    self._changed.wait()
                else:
                    self._read_reply()
        if "error" in reply.answer:
            raise SandboxError(reply.answer["error"])
        return reply.answer

    def close(self) -> None:
        """End the server and all its sessions; harmless when repeated."""
        self._control.close()
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status != 0 and not self._is_lost:
            self._clean_up()
        self._is_lost = True

    def _await_ready(self, config: Mapping[str, Any]) -> dict[str, Any]:
        self._control.settimeout(START_SECONDS)
        try:
            self._control.send(json.dumps(config).encode())
            reply = self._control.recv(MESSAGE_BYTES)
        except OSError:
            reply = b""
        ready: dict[str, Any] = json.loads(reply) if reply else {}
        assert self._process.stderr is not None
        with self._process.stderr as errors:
            if "layers" in ready:
                self._control.settimeout(REPLY_SECONDS)
                return ready
            self._control.close()
            self._process.kill()
            said = errors.read().decode(errors="replace")
            self._process.wait()
        sweep_groups()
        if "missing" in ready:
            name = ready["missing"]
            raise PreloadError(f"no module {name!r} to preload: install it here or take it from [sandbox] preload")
        if "weak" in ready:
            raise SandboxError(_too_weak(ready["weak"]))
        raise SandboxError(
            f"the sandbox's server did not start: {ready.get('error') or tame(said) or 'it said nothing'}"
        )

    def _send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> "Reply":
        if os.getpid() != self._owner:
            raise SandboxError("this sandbox was opened before a fork: each process opens its own")
        reply = Reply()
        with self._lock:
            if self._is_lost:
                raise SandboxError("the sandbox's server is gone")
            self._n_requests += 1
            self._replies[self._n_requests] = reply
            data = json.dumps({**message, "number": self._n_requests}).encode()
            try:
                socket.send_fds(self._control, [data], descriptors)
            except OSError:
                self._bury()
                raise SandboxError(_DIED) from None
        return reply

    def _read_reply(self) -> None:
        """Take the next reply from the socket, whosever it is; the others may send, and wait, meanwhile."""
        self._is_reading = True
        self._lock.release()
        try:
            data = self._control.recv(MESSAGE_BYTES)
        except OSError:
            data = b""
        finally:
            self._lock.acquire()
            self._is_reading = False
            self._changed.notify_all()
        if not data:
            self._bury()
            raise SandboxError(_DIED)
        number, answer = json.loads(data)
        self._replies.pop(number).answer = answer

    def _bury(self) -> None:
        """The server is dead or mute: end it, and what it can no longer end itself."""
        self._is_lost = True
        self._process.kill()
        self._process.wait()
        self._clean_up()

    def _clean_up(self) -> None:
        sweep(self._token, self._uids)
        sweep_groups()
        if self._folder is not None:
            remove_tree(self._folder)


@dataclass(slots=True)
class Reply:
    """What the server will say to one request; None until it is read."""

    answer: dict[str, Any] | None = None


def _own_namespaces() -> dict[str, str]:
    """The namespaces of this process; nothing where there is no /proc."""
    try:
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        return identities(proc)
    finally:
        os.close(proc)


def _server_environment(token: str, *, is_clean: bool, cards: str) -> dict[str, str]:
    """Everything a server, and so a candidate, can learn from its environment: nothing of ours but these."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/",
        "PYTHONHASHSEED": "0",  # sets of text iterate alike in every run
        "OMP_NUM_THREADS": "1",  # a library that starts threads at import cannot be forked safely
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": cards,
        TOKEN_VARIABLE: token,
        **_LARGE_PAGES,
    }
    for name in PASSED_ON:
        with suppress(KeyError):
            environment[name] = os.environ[name]
    return environment if is_clean else {**os.environ, **environment}


def _too_weak(reasons: Mapping[str, str]) -> str:
    """Why no candidate will run here."""
    essential = (Layer.SECCOMP, Layer.LANDLOCK, *sorted(NAMESPACES), *sorted(BASIC))
    missing = "; ".join(f"{layer}: {reasons[layer]}" for layer in essential if reasons[layer] != ACTIVE)
    return (
        f"the sandbox reaches only the level WEAK here, at which a hostile program can do what you can do ({missing}). "
        "To run code that you trust all the same, allow it with --unsafe-sandbox (unsafe=True from Python)"
    )
