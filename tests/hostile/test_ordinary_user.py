"""The sandbox without the powers that root has, and inside containers without privileges.

Each program runs in a process of its own that has lost its privileges for good; `PROOF` shows what it still has.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.ordinary_user import CONTAINER_CAPABILITIES, Done, as_ordinary_user, in_container_without_privileges
from tests.outer_filter import Refused

PROOF = """
import errno, json, os
def opens(path, mode=os.O_RDONLY):
    try:
        os.close(os.open(path, mode))
    except OSError as error:
        return errno.errorcode[error.errno]
    return "opens"
status = {name: text.strip() for name, _, text in (line.partition(":") for line in open("/proc/self/status"))}
print(json.dumps({
    "uids": os.getresuid(), "groups": os.getgroups(), "status": status, "environment": sorted(os.environ),
    "home": os.access(os.environ["HOME"], os.W_OK), "shadow": opens("/etc/shadow"),
    "code": opens("sandbox/__init__.py"), "code for writing": opens("sandbox/__init__.py", os.O_RDWR),
}))
"""
CALLS = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
def error_of(outcome):
    return 0 if outcome >= 0 else ctypes.get_errno()
libc.syscall.restype = ctypes.c_long
print(json.dumps({
    "unshare": error_of(libc.unshare(0x20000)), "mount": error_of(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    "clone": error_of(libc.syscall({"x86_64": 56, "aarch64": 220}[os.uname().machine], 0x20000000, 0, 0, 0, 0)),
    "landlock": error_of(libc.syscall(444, None, 0, 1)), "prctl seccomp": error_of(libc.prctl(22, 2, None, 0, 0)),
    "prctl other": error_of(libc.prctl(38, 1, 0, 0, 0)),
}))
"""
SESSION = """
import json
import numpy as np
from sandbox.process import ProcessSandbox
with ProcessSandbox(unsafe={unsafe}) as sandbox:
    with sandbox.start({{"main.py": "import numpy as np\\ndef f(x):\\n    return np.sort(x)[::-1]\\n"}}) as session:
        answer = session.call("f", np.arange(5.0)).tolist()
    report = {{str(layer): text for layer, text in sandbox.report.items()}}
    level = str(sandbox.level)
print(json.dumps({{"level": level, "answer": answer, "report": report}}))
"""
CLOSED_FOLDER = """
import os
from sandbox.limits import Limits
from sandbox.process import ProcessSandbox
os.environ["TMPDIR"] = os.environ["HOME"] + "/closed"
os.mkdir(os.environ["TMPDIR"], 0o700)
with ProcessSandbox(limits=Limits(scratch_bytes=1 << 20)) as sandbox:
    text = "def f():\\n    open('file', 'w').write('text')\\n    return open('file').read()\\n"
    with sandbox.start({"main.py": text}) as session:
        assert session.call("f") == "text"
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to lose")
ANSWER = [4.0, 3.0, 2.0, 1.0, 0.0]
ALL_THREE = (Refused.LANDLOCK, Refused.SECCOMP)


def printed(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def capabilities(status: dict[str, str], name: str) -> int:
    return int(status[name], 16)


# the runner itself: it is only worth something if the privileges are gone


def test_an_ordinary_user_has_no_capability_group_or_foreign_file() -> None:
    said = printed(as_ordinary_user(["-c", PROOF]))

    uids, status = said["uids"], said["status"]
    assert len(set(uids)) == 1
    assert uids[0] != 0
    assert [capabilities(status, name) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == [0, 0, 0, 0]
    assert said["shadow"] == "EACCES"
    assert said["code"] == "opens"
    assert said["home"]


@needs_root
def test_the_ordinary_user_that_root_becomes_is_nobody_in_particular() -> None:
    first, second = (printed(as_ordinary_user(["-c", PROOF], environment={"MORE": "1"})) for _ in range(2))

    assert first["groups"] == []
    assert first["environment"] == ["HOME", "LANG", "MORE", "PATH", "TMPDIR"]
    assert first["code for writing"] == "EACCES"
    assert first["uids"] != second["uids"]
    assert first["status"]["NoNewPrivs"] == "0"


@needs_root
def test_a_user_inside_a_container_has_neither() -> None:
    status = printed(in_container_without_privileges(["-c", PROOF], as_user=True))["status"]

    assert capabilities(status, "CapEff") == 0
    assert capabilities(status, "CapBnd") == sum(1 << number for number in CONTAINER_CAPABILITIES)


@needs_root
def test_a_container_leaves_root_the_fourteen_capabilities_of_docker() -> None:
    said = printed(in_container_without_privileges(["-c", PROOF]))

    assert said["uids"] == [0, 0, 0]
    assert capabilities(said["status"], "CapEff") == 0xA80425FB  # as `docker run` shows it
    assert said["status"]["Seccomp"] == "2"


def test_a_container_refuses_namespaces_and_nothing_else() -> None:
    said = printed(in_container_without_privileges(["-c", CALLS]))

    assert [said[call] for call in ("unshare", "mount", "clone")] == [1, 1, 1]
    assert said["prctl other"] == 0
    assert said["prctl seccomp"] == 14  # the kernel looked for the program, so it would take one


def test_calls_of_landlock_and_seccomp_can_be_refused_too() -> None:
    said = printed(in_container_without_privileges(["-c", CALLS], also_refused=ALL_THREE))

    assert (said["landlock"], said["prctl seccomp"], said["prctl other"]) == (38, 22, 0)


@needs_root
def test_a_run_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    as_ordinary_user(["-c", "import os; open(os.environ['HOME'] + '/file', 'w').close()"])

    assert list(tmp_path.iterdir()) == []


# the sandbox there


def session(unsafe: bool = False) -> Sequence[str]:
    return ["-c", SESSION.format(unsafe=unsafe)]


def has_landlock() -> bool:
    return bool(printed(as_ordinary_user(["-c", CALLS]))["landlock"] == 0)


def test_an_ordinary_user_gets_the_whole_sandbox_where_user_namespaces_are_allowed() -> None:
    may_unshare = as_ordinary_user(["-c", "import ctypes, sys; sys.exit(-ctypes.CDLL(None).unshare(0x10000000))"])

    said = printed(as_ordinary_user(session()))

    wanted = "FULL" if may_unshare.returncode == 0 and has_landlock() else "STRONG"
    assert (said["level"], said["answer"]) == (wanted, ANSWER), said["report"]


@pytest.mark.parametrize("as_user", [False, True])
def test_a_container_without_privileges_gets_strong_isolation_and_hears_what_is_missing(as_user: bool) -> None:
    if not has_landlock():
        pytest.skip("this kernel has no Landlock")

    said = printed(in_container_without_privileges(session(), as_user=as_user))

    assert (said["level"], said["answer"]) == ("STRONG", ANSWER), said["report"]
    missing = {layer for layer, text in said["report"].items() if text != "active"}
    assert {"mount-namespace", "pid-namespace", "network-namespace", "ipc-namespace"} <= missing
    assert all(said["report"][layer] for layer in missing)


@pytest.mark.parametrize("as_user", [False, True])
def test_without_namespaces_and_landlock_candidates_cannot_open_anything(as_user: bool) -> None:
    said = printed(in_container_without_privileges(session(), also_refused=[Refused.LANDLOCK], as_user=as_user))

    assert (said["level"], said["answer"]) == ("NOOPEN", ANSWER), said["report"]
    assert said["report"]["landlock"] != "active"


@pytest.mark.parametrize("as_user", [False, True])
def test_without_a_filter_the_sandbox_refuses_to_start(as_user: bool) -> None:
    refused = in_container_without_privileges(session(), also_refused=ALL_THREE, as_user=as_user)
    unsafe = in_container_without_privileges(session(unsafe=True), also_refused=ALL_THREE, as_user=as_user)

    assert refused.returncode != 0
    assert "SandboxError" in refused.stderr
    assert "unsafe" in refused.stderr
    said = printed(unsafe)
    assert (said["level"], said["answer"]) == ("WEAK", ANSWER)


def test_a_temporary_folder_that_only_root_may_enter_does_for_scratch_folders() -> None:
    done = in_container_without_privileges(["-c", CLOSED_FOLDER])

    assert done.returncode == 0, done.stderr
