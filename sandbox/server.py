"""The warm fork server: imports once, forks a confined child for each session, kills and buries them.

It is a process of its own, started with a clean environment. No candidate text, argument or answer ever passes through
its memory: it receives the ends of three pipes and hands them to the child. It is the only parent of candidates and
adopts whatever they leave behind, so every process in its care is either a session's leader or a runaway to be killed.

Messages are JSON over a sequenced-packet socket: `start` (with three descriptors) and `stop`, one reply for each.
"""

import fcntl
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sandbox import child
from sandbox.jail import PR_SET_CHILD_SUBREAPER, Jail, prctl
from sandbox.orphans import kill_orphans, kill_uid
from sandbox.plan import own_sizes, plan_jail

N_DESCRIPTORS = 3
MESSAGE_BYTES = 65536
CHECK_SECONDS = 1.0
CANNOT_PREPARE = 98
FOLDER_PREFIX = "evolve-sandbox-"


def main(control_descriptor: int) -> None:
    """Serve until the controller is gone or closes its end of the socket."""
    controller_pid = os.getppid()
    control = socket.socket(fileno=control_descriptor)
    config = json.loads(control.recv(MESSAGE_BYTES))
    try:
        server = _prepare(control, config)
    except (ImportError, OSError) as error:
        control.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        return
    try:
        server.serve(controller_pid)
    finally:
        server.end()


def _prepare(control: socket.socket, config: dict[str, Any]) -> "Server":
    """Import what children will need, fix the random state they inherit, choose the jail, tell the controller."""
    for name in config["preload"]:
        importlib.import_module(name)
    np.random.seed(0)  # noqa: NPY002 each candidate starts from the same state, so that runs replay
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    jail = plan_jail(config["token"])
    folder = make_folder()
    child.look_like_a_fresh_interpreter()
    gc.collect()
    gc.freeze()
    gc.disable()
    ready = {
        "measures": jail.measures,
        "folder": str(folder),
        "first_uid": jail.first_uid,
        "rss_bytes": own_sizes()["VmRSS"],
    }
    control.send(json.dumps(ready).encode())
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    return Server(control=control, jail=jail, folder=folder)


def make_folder() -> Path:
    """A folder for the sessions' own folders, locked while this process lives; folders of dead servers go."""
    for stale in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):  # another user's, or gone already
            handle = os.open(stale, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(stale, ignore_errors=True)
            finally:
                os.close(handle)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        with suppress(FileNotFoundError):  # another server swept it before it was locked
            fcntl.flock(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX)
            folder.chmod(0o711)
            return folder


@dataclass(slots=True)
class _Running:
    """A session's leading process."""

    number: int
    slot: int
    folder: Path


@dataclass(slots=True, kw_only=True)
class Server:
    """The sessions that run, by pid, and how those that ended by themselves ended."""

    control: socket.socket
    jail: Jail
    folder: Path
    _running: dict[int, _Running] = field(default_factory=dict)
    _ended: dict[int, dict[str, Any]] = field(default_factory=dict)
    _n_started: int = 0

    def serve(self, controller_pid: int) -> None:
        """Answer the controller; look after children; return when the controller is gone."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self.control, selectors.EVENT_READ)
            selector.register(wake_read, selectors.EVENT_READ)
            while os.getppid() == controller_pid:
                events = selector.select(CHECK_SECONDS)
                if not events and self._running:
                    kill_orphans(set(self._running))
                for key, _ in events:
                    if key.fd == wake_read:
                        with suppress(BlockingIOError):
                            os.read(wake_read, MESSAGE_BYTES)
                        self._bury()
                    elif not self._answer():
                        return

    def end(self) -> None:
        """Kill every session and remove the folder."""
        for pid in list(self._running):
            self._finish(pid)
        kill_orphans(set())
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answer(self) -> bool:
        """Read one message and reply; False when the controller closed."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES, N_DESCRIPTORS)
        except ConnectionError:
            return False
        if not data:
            return False
        message = json.loads(data)
        try:
            if message["op"] == "start":
                reply = self._start(message["limits"], descriptors)
            else:
                reply = self._stop(message["session"])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        try:
            self.control.send(json.dumps(reply).encode())
        except ConnectionError:
            return False
        return True

    def _start(self, limits: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        self._n_started += 1
        slot = self._free_slot()
        running = _Running(self._n_started, slot, self.folder / str(self._n_started))
        server_pid = os.getpid()
        try:
            running.folder.mkdir(mode=0o500 if self.jail.first_uid is None else 0o555)
            pid = os.fork()
        except OSError as error:
            return {"error": f"cannot start a process: {error}"}
        if pid == 0:
            try:
                _arrange(descriptors, running.folder)
            except OSError:
                os._exit(CANNOT_PREPARE)
            child.run(self.jail, limits, slot=slot, server_pid=server_pid)
        self._running[pid] = running
        return {"session": running.number, "pid": pid}

    def _free_slot(self) -> int:
        taken = {running.slot for running in self._running.values()}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def _stop(self, number: int) -> dict[str, Any]:
        for pid, running in self._running.items():
            if running.number == number:
                self._finish(pid)
                break
        return self._ended.pop(number, {"error": f"session {number} is unknown"})

    def _bury(self) -> None:
        """Finish the sessions whose leader has ended, reap adopted processes that have."""
        with suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if ended.si_pid in self._running:
                    self._finish(ended.si_pid)
                else:
                    os.waitpid(ended.si_pid, 0)

    def _finish(self, pid: int) -> None:
        """Kill the leader, its process group and everything that escaped it; keep the leader's last record."""
        for kill in (os.killpg, os.kill):  # the group may not be there yet; the leader is ours until it is waited for
            with suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        running = self._running.pop(pid)
        uid = self.jail.uid_of(running.slot)
        n_left = kill_orphans(set(self._running))
        if n_left and uid is not None:
            kill_uid(uid)
            n_left = kill_orphans(set(self._running))
        _remove(running.folder)
        self._ended[running.number] = {
            "status": os.waitstatus_to_exitcode(status),
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "max_rss_bytes": usage.ru_maxrss * 1024,
            "n_left": n_left,
        }


def _arrange(descriptors: list[int], folder: Path) -> None:
    """In the child: an own session, descriptors 0 to 4 and no others, the private folder."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    above = child.FIRST_UNUSED  # the received ones may lie where others have to go
    requests, answers, output = (fcntl.fcntl(descriptor, fcntl.F_DUPFD, above) for descriptor in descriptors)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(requests, child.REQUESTS)
    os.dup2(answers, child.ANSWERS)
    os.closerange(child.FIRST_UNUSED, os.sysconf("SC_OPEN_MAX"))
    os.chdir(folder)


def _remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # the candidate made something in it
        with suppress(OSError):
            folder.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
