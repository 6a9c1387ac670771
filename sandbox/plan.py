"""Chooses, in the fork server, which layers confine its children, by trying them on children that run nothing."""

import os
import sys
import sysconfig
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path

from sandbox import landlock, namespaces, seccomp
from sandbox.filetree import DEVICES
from sandbox.gpu import Gpu, nodes_in
from sandbox.jail import (
    N_SMALL_RANGES,
    N_UIDS,
    N_UNUSED_RANGES,
    SMALL_UIDS,
    UNUSED_UIDS,
    Jail,
    confine,
    make_rules,
)
from sandbox.layers import BASIC, NAMESPACES, Layer, Level, level_of
from sandbox.limits import MEBIBYTE

ACTIVE = "active"
FORCED_OFF = "forced off"
NO_OWN_PIDS = "CUDA looks for its threads in /proc, which counts as the machine does"
_WORKS, _FAILS = 0, 1
_TRIAL = {
    "memory_bytes": 256 * MEBIBYTE,
    "cpu_seconds": 5.0,
    "n_threads": 1,
    "n_processes": 32,
    "n_files": 64,
    "scratch_bytes": 0,
    "shared_bytes": 0,
}
_WHOLE_RANGE = 1 << 31


def choose_layers(without: Set[Layer], *, for_gpu: bool = False) -> dict[Layer, str]:
    """For every layer `ACTIVE`, or the reason why it cannot be had here. To be asked before anything is imported."""
    if for_gpu:
        return choose_layers(without | {Layer.PID_NAMESPACE}) | {Layer.PID_NAMESPACE: NO_OWN_PIDS}
    reasons = dict.fromkeys(BASIC, ACTIVE)
    reasons[Layer.OWN_UID] = ACTIVE if os.geteuid() == 0 else "only root can give it"
    reasons[Layer.LANDLOCK] = ACTIVE if landlock.abi() else "this kernel has none, or it is switched off"
    reasons[Layer.SECCOMP] = ACTIVE if seccomp.is_supported() else "not supported by this kernel or architecture"
    reasons |= dict.fromkeys((*NAMESPACES, Layer.USER_NAMESPACE), ACTIVE)
    reasons |= namespaces.probe(NAMESPACES - without)
    if os.geteuid() == 0:
        reasons[Layer.USER_NAMESPACE] = "not needed by root"
    reasons |= {layer: FORCED_OFF for layer in without if layer in reasons}
    if reasons[Layer.USER_NAMESPACE] == FORCED_OFF and os.geteuid() != 0:
        reasons |= dict.fromkeys(NAMESPACES, f"needs {Layer.USER_NAMESPACE}")
    if reasons[Layer.NO_NEW_PRIVILEGES] != ACTIVE:
        reasons |= dict.fromkeys((Layer.LANDLOCK, Layer.SECCOMP), f"needs {Layer.NO_NEW_PRIVILEGES}")
    return reasons


def measured_jail(layers: frozenset[Layer], *, skipped: frozenset[Layer], token: str, gpu: Gpu | None = None) -> Jail:
    """The jail as far as it follows from /proc; to be asked when everything is imported.

    Args:
        layers: the active ones.
        skipped: layers that are not applied all the same.
        token: random hexadecimal digits; they pick a range of uids that no other server shares.
        gpu: the graphics cards of children.
    """
    sizes = own_sizes()
    return Jail(
        layers=layers,
        skipped=skipped,
        first_uid=_pick_uids(token) if Layer.OWN_UID in layers else None,
        n_processes_now=_count_own_threads(),
        address_bytes=sizes["VmSize"],
        data_bytes=sizes["VmData"],
        devices=DEVICES if gpu is None else (*DEVICES, *gpu.nodes),
        gpu=gpu,
        hidden=nodes_in() if gpu is None else gpu.hidden_nodes,
    )


def tried_jail(jail: Jail, readable: tuple[str, ...]) -> Jail:
    """The jail with what its children need to read their libraries; to be asked when the file tree stands.

    Args:
        jail: as `measured_jail` made it.
        readable: the files and folders of the interpreter.

    Raises:
        OSError: the kernel refused Landlock's rules.
    """
    jail = replace(jail, readable=(*readable, *(jail.gpu.files if jail.gpu is not None else ())))
    if Layer.OWN_UID in jail.layers:
        shared = replace(jail, layers=jail.layers - {Layer.OWN_UID}, first_uid=None)
        candidates = (jail, replace(jail, reads_all_files=True))
        jail = next((each for each in candidates if _try(each) == _WORKS), shared)
    if Layer.LANDLOCK in jail.layers:
        jail = replace(jail, ruleset=make_rules(jail))
    if Layer.SECCOMP in jail.layers:
        profile = _profile(jail)
        filters = {may_write: seccomp.build_filter(profile, may_write=may_write) for may_write in (False, True)}
        jail = replace(jail, filters=filters)
    return jail


def refusal(layers: Set[Layer], reasons: Mapping[Layer, str]) -> str | None:
    """Why candidates with these layers must not have a graphics card, or None: they see the machine's /proc then."""
    if Layer.LANDLOCK in layers or level_of(layers) is Level.WEAK:
        return None
    return (
        f"a graphics card cannot be given safely without {Layer.LANDLOCK} ({reasons[Layer.LANDLOCK]}): use a machine "
        "whose kernel has it, or leave gpu=GpuAccess(...) away"
    )


def own_sizes() -> dict[str, int]:
    """What /proc tells of this process's memory now, in bytes: VmSize, VmData, VmRSS and others."""
    lines = Path("/proc/self/status").read_text().splitlines()
    words = [line.split() for line in lines if line.startswith("Vm")]
    return {name.rstrip(":"): int(number) * 1024 for name, number, _ in words}


def _profile(jail: Jail) -> seccomp.Profile:
    if jail.gpu is not None:
        return seccomp.Profile.GPU
    return seccomp.Profile.NOOPEN if level_of(jail.layers) is Level.NOOPEN else seccomp.Profile.CPU


def _pick_uids(token: str) -> int:
    """The first of `N_UIDS` uids that nobody else uses."""
    number = int(token, 16)
    n_mapped = sum(int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text().splitlines())
    if n_mapped >= _WHOLE_RANGE:
        return UNUSED_UIDS + number % N_UNUSED_RANGES * N_UIDS
    return SMALL_UIDS + number % N_SMALL_RANGES * N_UIDS


def _try(jail: Jail) -> int:
    """Confine a throw-away child, look for the interpreter's folders, report."""
    server_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        outcome = _FAILS
        try:
            confine(jail, _TRIAL, slot=0, server_pid=server_pid)
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
    return {sysconfig.get_path(name) for name in names} | {f"{sys.prefix}/lib", f"{sys.base_prefix}/lib"}


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
