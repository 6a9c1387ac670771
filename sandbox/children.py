"""The fork server's children: how they are started, watched, killed and buried."""

import fcntl
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sandbox import child
from sandbox.cgroups import CgroupSlots
from sandbox.jail import RULESET, Jail
from sandbox.layers import Layer
from sandbox.namespaces import fork_apart
from sandbox.orphans import kill_orphans, kill_uid
from sandbox.place import Place
from sandbox.watch import Birth, Watch, outer_pid

CANNOT_PREPARE = 98
GROUP_SLACK_BYTES = 32 << 20  # the copies that a child makes of the server's pages are charged to its group


@dataclass(slots=True)
class _Running:
    """A session's leading process."""

    number: int
    slot: int
    home: str
    watch: Watch
    stop_request: int | None = None  # not answered yet


@dataclass(slots=True, kw_only=True)
class Children:
    """The sessions that run, by pid, and how those that ended by themselves ended."""

    jail: Jail
    place: Place
    birth: Birth
    groups: CgroupSlots | None = None
    _running: dict[int, _Running] = field(default_factory=dict)
    _ended: dict[int, dict[str, Any]] = field(default_factory=dict)
    _n_started: int = 0

    @property
    def leaders(self) -> set[int]:
        """The pids of the sessions' processes."""
        return set(self._running)

    @property
    def has_watched(self) -> bool:
        """Whether any child has to be looked at often."""
        return bool(self._running) and self.jail.does(Layer.MEMORY_WATCH)

    @property
    def are_alone(self) -> bool:
        """Whether no child can leave a process behind: its namespace dies with it, or it cannot fork."""
        return self.jail.does(Layer.PID_NAMESPACE) or self.jail.does(Layer.SECCOMP)

    def start(self, limits: dict[str, Any], descriptors: Sequence[int]) -> dict[str, Any]:
        """Fork a confined child that owns three descriptors (requests, answers, output), or shared memory as well."""
        self._n_started += 1
        slot = self._free_slot()
        has_scratch = limits["scratch_bytes"] > 0
        server_pid = os.getpid()
        try:
            home = self.place.make_home(self._n_started, uid=self.jail.uid_of(slot), is_writable=has_scratch)
        except OSError as error:
            return {"error": f"cannot make a folder: {error}"}
        try:
            pid = self.fork()
        except OSError as error:
            self.place.remove_home(home)
            return {"error": f"cannot start a process: {error}"}
        if pid == 0:
            try:
                arrange(self.jail, descriptors, home)
            except BaseException:  # noqa: BLE001 nothing may unwind the server's stack in a child
                os._exit(CANNOT_PREPARE)
            child.run(self.jail, limits, slot=slot, server_pid=server_pid)
        folder = home if has_scratch and self.place.folder is not None else None
        try:
            self.enter_group(slot, pid, limits)
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self.place.remove_home(home)
            return {"error": f"cannot limit a process: {error}"}
        watch = Watch(proc=self.place.proc, pid=pid, limits=limits, birth=self.birth, folder=folder)
        self._running[pid] = _Running(self._n_started, slot, home, watch)
        shares = limits["shared_bytes"] > 0  # whoever times a candidate has to be able to stop it
        outer = {"outer_pid": outer_pid(self.place.proc, pid)} if shares else {}
        return {"session": self._n_started, "pid": pid, **outer}

    def fork(self) -> int:
        """Fork, into a process namespace of its own where there are such; as `os.fork`."""
        if self.place.own_pids is not None and self.jail.does(Layer.PID_NAMESPACE):
            return fork_apart(self.place.own_pids)
        return os.fork()

    def enter_group(self, slot: int, pid: int, limits: dict[str, Any]) -> None:
        """Put a fresh child into the control group of its slot, where there are any.

        Raises:
            OSError: the kernel refused; the child must be killed.
        """
        if self.groups is not None and self.jail.does(Layer.MEMORY_CGROUP):
            memory = limits["memory_bytes"] + limits["scratch_bytes"] + limits["shared_bytes"] + GROUP_SLACK_BYTES
            self.groups.enter(slot, pid, memory_bytes=memory, n_processes=limits["n_processes"])

    def look(self) -> None:
        """Kill every child that uses more than it may; its burial follows its death."""
        for pid, running in self._running.items() if self.jail.does(Layer.MEMORY_WATCH) else ():
            if not running.watch.look():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self, number: int, request: int) -> dict[str, Any] | None:
        """Kill a session, if it still runs, and tell how it ended; None when `bury` will tell.

        A process takes milliseconds to die, and nothing here waits for it.
        """
        for pid, running in self._running.items():
            if running.number == number:
                running.stop_request = request
                _kill(pid)
                return None
        return self._ended.pop(number, {"error": f"session {number} is unknown"})

    def blame(self, number: int, limit: str, used: int) -> dict[str, Any]:
        """Kill a session that met a limit which only the controller can watch; how it ended will say so."""
        for pid, running in self._running.items():
            if running.number == number:
                running.watch.reason = {"limit": limit, "used": used}
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return {}

    def bury(self) -> list[tuple[int, dict[str, Any]]]:
        """Finish the sessions whose leader has ended, reap adopted processes that have.

        Returns:
            The requests to stop a session that can be answered now, and how those sessions ended.
        """
        told: list[tuple[int, dict[str, Any]]] = []
        with suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                running = self._running.get(ended.si_pid)
                if running is None:
                    os.waitpid(ended.si_pid, 0)
                    continue
                self._finish(ended.si_pid)
                if running.stop_request is not None:
                    told.append((running.stop_request, self._ended.pop(running.number)))
        return told

    def end(self) -> None:
        """Kill every session and remove the folder."""
        for pid in list(self._running):
            self._finish(pid)
        if not self.are_alone:
            kill_orphans(set())
        if self.groups is not None:
            self.groups.close()
        self.place.end()

    def _free_slot(self) -> int:
        taken = {running.slot for running in self._running.values()}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def _finish(self, pid: int) -> None:
        """Kill the leader, its process group and everything that escaped it; keep the leader's last record."""
        _kill(pid)
        _, status, usage = os.wait4(pid, 0)
        running = self._running.pop(pid)
        n_left = 0 if self.are_alone else self._sweep(running)
        self.place.remove_home(running.home)
        reason = running.watch.reason
        if not reason and self.groups is not None and self.groups.was_out_of_memory(running.slot):
            reason = {"limit": "memory", "used": running.watch.limits["memory_bytes"]}
        self._ended[running.number] = {
            "status": os.waitstatus_to_exitcode(status),
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "grown_bytes": usage.ru_maxrss * 1024 - self.birth.rss_bytes,
            "reason": reason,
            "n_left": n_left,
        }
        running.watch.close()

    def _sweep(self, running: _Running) -> int:
        uid = self.jail.uid_of(running.slot)
        n_left = kill_orphans(self.leaders)
        if n_left and uid is not None:
            kill_uid(uid)
            n_left = kill_orphans(self.leaders)
        return n_left


def _kill(pid: int) -> None:
    """Kill a leader and its group, which may not be there yet; the leader is ours until it is waited for."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def arrange(jail: Jail, descriptors: Sequence[int], home: str) -> None:
    """In the child: an own session, descriptors 0 to 4 and three that it closes soon, no others, the private folder."""
    if jail.does(Layer.OWN_SESSION):
        os.setsid()
    signal.set_wakeup_fd(-1)
    above = child.CARD + 1  # the received ones may lie where others have to go
    requests, answers, output, *shared = (fcntl.fcntl(descriptor, fcntl.F_DUPFD, above) for descriptor in descriptors)
    ruleset = None if jail.ruleset is None else fcntl.fcntl(jail.ruleset, fcntl.F_DUPFD, above)
    null = os.open(os.devnull, os.O_RDONLY)  # an inherited one would share its flags with every other child
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(requests, child.REQUESTS)
    os.dup2(answers, child.ANSWERS)
    closes = jail.does(Layer.CLOSED_DESCRIPTORS)
    host, card = (*shared, None, None)[:2]
    for place, descriptor in ((RULESET, ruleset), (child.SHARED, host), (child.CARD, card)):
        if descriptor is not None:
            os.dup2(descriptor, place)
        elif closes:
            os.closerange(place, place + 1)
    if closes:
        os.closerange(above, os.sysconf("SC_OPEN_MAX"))
    os.chdir(home)
