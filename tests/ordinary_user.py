"""Runs Python with fewer privileges than the tests have: as an ordinary user, or as in a container without privileges.

Tests often run as root, with the interpreter below a folder that only root may enter. An ordinary user then gets a
private view of the file system in which that folder shows the interpreter and our code, and nothing else.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.outer_filter import Refused

ROOT = Path(__file__).resolve().parents[1]
CONTAINER_CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)
"""What Docker leaves to root by default: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP."""
SECONDS = 300.0
_CAP_SETUID, _CAP_SYS_ADMIN = 7, 21
_UNUSED_UIDS = 0x6000_0000  # far from those that the sandbox takes
_SMALL_UIDS = 40_000  # inside user namespaces that map only 65,536
_N_UIDS = 20_000

Done = subprocess.CompletedProcess[str]


def as_ordinary_user(
    arguments: Sequence[str],
    *,
    refused: Iterable[Refused] = (),
    environment: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Done:
    """Run `python *arguments` from the project's folder as a user with no privileges at all.

    The program has a uid that nobody else has, no capabilities or groups, a fresh home and temporary folder, and an
    environment of its own (with `environment` added). Where the tests run as an ordinary user, that user runs it.
    Skips the test where root cannot become anybody else. `refused` adds an outer filter.
    """
    uid = _unused_uid() if os.geteuid() == 0 else None
    return _run(arguments, {"uid": uid, "refused": list(refused)}, environment, seconds)


def in_container_without_privileges(
    arguments: Sequence[str],
    *,
    also_refused: Iterable[Refused] = (),
    as_user: bool = False,
    environment: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Done:
    """Run `python *arguments` as Docker would by default: few capabilities, no namespaces, /sys read-only.

    It runs as root where the tests do, unless `as_user`. See `as_ordinary_user` for the rest.
    """
    wanted: dict[str, Any] = {"uid": None, "refused": [Refused.NAMESPACES, *also_refused]}
    if os.geteuid() == 0:
        _skip_without(_CAP_SYS_ADMIN, "make /sys read-only")
        wanted |= {"read_only": ["/sys"], "capabilities": CONTAINER_CAPABILITIES}
        wanted["uid"] = _unused_uid() if as_user else None
    return _run(arguments, wanted, environment, seconds)


def _run(
    arguments: Sequence[str], wanted: dict[str, Any], environment: Mapping[str, str] | None, seconds: float
) -> Done:
    home = tempfile.mkdtemp(prefix="ordinary-")
    try:
        if wanted["uid"] is not None:
            os.chown(home, wanted["uid"], wanted["uid"])
        else:
            os.chmod(home, 0o711)  # a sandbox of root keeps folders of other users in it
        closed = _closed_folders() if os.geteuid() == 0 else {}
        defaults: dict[str, Any] = {"shown": closed, "read_only": [], "capabilities": None}
        own = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": home, "TMPDIR": home}
        command = [sys.executable, *arguments]
        request = defaults | wanted | {"command": command, "environment": own | dict(environment or {})}
        return subprocess.run(
            [sys.executable, "-E", "-s", "-m", "tests.lose_privileges", json.dumps(request)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _closed_folders() -> dict[str, list[str]]:
    """The folders that only their owner may enter, with what a Python program needs of each."""
    closed: dict[str, list[str]] = {}
    for needed in sorted({Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), ROOT}):
        if not needed.stat().st_mode & stat.S_IROTH:
            pytest.skip(f"no other user may read {needed}")
        for folder in reversed(needed.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                closed.setdefault(str(folder), []).append(str(needed))
                break
    if closed:
        _skip_without(_CAP_SYS_ADMIN, f"show an ordinary user what lies below {', '.join(closed)}")
    return closed


def _unused_uid() -> int:
    """A uid for one run; processes of other runs do not count against its limits."""
    _skip_without(_CAP_SETUID, "become an ordinary user")
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    number = int.from_bytes(os.urandom(4)) % _N_UIDS
    for uid in (_UNUSED_UIDS + number, _SMALL_UIDS + number):
        if any(first <= uid < first + length for first, _, length in ranges):
            return uid
    pytest.skip("root here is alone in its user namespace: there is no ordinary user to become")


def _skip_without(capability: int, purpose: str) -> None:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")]
    if not int(line.split()[1], 16) >> capability & 1:
        pytest.skip(f"root without capability {capability} cannot {purpose}")
