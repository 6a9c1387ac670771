"""Chooses, in the fork server, how its children are confined, by trying it on a child that runs nothing."""

import os
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

from sandbox.jail import N_SMALL_RANGES, N_UIDS, N_UNUSED_RANGES, SMALL_UIDS, UNUSED_UIDS, Jail, enter
from sandbox.limits import MEBIBYTE

_WORKS, _FAILS = 0, 1
_TRIAL = {"memory_bytes": 256 * MEBIBYTE, "cpu_seconds": 5.0, "n_threads": 1}
_WHOLE_RANGE = 1 << 31


def plan_jail(token: str) -> Jail:
    """The strongest confinement that works here and still lets a child import from the interpreter's folders.

    Args:
        token: random hexadecimal digits; they pick a range of uids that no other server shares.
    """
    sizes = own_sizes()
    shared = Jail(
        first_uid=None,
        reads_all_files=False,
        n_processes_now=_count_own_threads(),
        address_bytes=sizes["VmSize"],
        data_bytes=sizes["VmData"],
    )
    if os.geteuid() != 0:
        return shared
    own_uid = replace(shared, first_uid=_pick_uids(token))
    for jail in (own_uid, replace(own_uid, reads_all_files=True)):
        if _try(jail) == _WORKS:
            return jail
    return shared


def own_sizes() -> dict[str, int]:
    """What /proc tells of this process's memory now, in bytes: VmSize, VmData, VmRSS and others."""
    lines = Path("/proc/self/status").read_text().splitlines()
    words = [line.split() for line in lines if line.startswith("Vm")]
    return {name.rstrip(":"): int(number) * 1024 for name, number, _ in words}


def _pick_uids(token: str) -> int:
    """The first of `N_UIDS` uids that nobody else uses."""
    number = int(token, 16)
    n_mapped = sum(int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text().splitlines())
    if n_mapped >= _WHOLE_RANGE:
        return UNUSED_UIDS + number % N_UNUSED_RANGES * N_UIDS
    return SMALL_UIDS + number % N_SMALL_RANGES * N_UIDS


def _try(jail: Jail) -> int:
    """Enter the jail in a throw-away child, look for the interpreter's folders, report."""
    server_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        outcome = _FAILS
        try:
            enter(jail, _TRIAL, slot=0, server_pid=server_pid)
            for folder in _folders():
                os.listdir(folder)
            outcome = _WORKS
        except OSError:
            outcome = _FAILS
        finally:
            os._exit(outcome)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _folders() -> set[str]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return {sysconfig.get_path(name) for name in names} | {sys.prefix, sys.base_prefix}


def _count_own_threads() -> int:
    """How many threads the processes of this uid have; what vanishes meanwhile is not counted."""
    uid, n_threads = os.geteuid(), 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            if folder.stat().st_uid == uid:
                n_threads += len(os.listdir(folder / "task"))
        except OSError:
            continue
    return n_threads
