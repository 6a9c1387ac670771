"""The files that a candidate sees: listed by one that no filter and no Landlock holds back, only the file tree."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.filetree import CANARY, DEVICES, N_SCRATCH_FILES, SCRATCH, library_paths, stand_in_private_tree
from sandbox.layers import Layer
from sandbox.limits import MEBIBYTE, Limits
from sandbox.namespaces import enter, probe
from sandbox.process import ProcessSandbox
from sandbox.session import ProcessSession
from tests.forked import in_child

pytestmark = pytest.mark.xdist_group("sandbox-filetree")  # one sandbox for all tests
ROOT = Path(__file__).parents[3]
EXPLORER = """
import ctypes, errno, os, stat

def walk(closed):
    found, folders = [], ["/"]
    while folders:
        for entry in os.scandir(folders.pop()):
            is_folder = entry.is_dir(follow_symlinks=False)
            kind = "link" if entry.is_symlink() else "folder" if is_folder else "file"
            found.append([entry.path, kind, os.readlink(entry.path) if kind == "link" else ""])
            if is_folder and entry.path not in closed:
                folders.append(entry.path)
    return found

def outcome(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "worked"

def make(path):
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))

def append(path):
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))

def attack(folders, files):
    told = {}
    for folder in folders:
        for name, call in (("make", make), ("mkdir", os.mkdir)):
            told[f"{name} in {folder}"] = outcome(call, os.path.join(folder, "of-a-candidate"))
        told[f"utime {folder}"] = outcome(os.utime, folder)
        told[f"chmod {folder}"] = outcome(os.chmod, folder, 0o777)
    for file in files:
        for call in (append, os.unlink, os.utime):
            told[f"{call.__name__} {file}"] = outcome(call, file)
        told[f"chmod {file}"] = outcome(os.chmod, file, 0o777)
        told[f"truncate {file}"] = outcome(os.truncate, file, 0)
    return told

def exist(paths):
    return [path for path in paths if os.path.lexists(path)]

def above():
    return [os.listdir("/") == os.listdir("/.."), os.getcwd()]

def devices():
    with open("/dev/null", "wb") as null, open("/dev/urandom", "rb") as random:
        null.write(b"x")
        return [len(random.read(8)), os.stat("/dev/null").st_rdev, os.stat("/dev/urandom").st_rdev]

def change_mounts():
    libc = ctypes.CDLL(None, use_errno=True)
    told = []
    for call in (
        lambda: libc.umount2(b"/usr", 2), lambda: libc.mount(b"tmpfs", b"/scratch", b"tmpfs", 0, None),
        lambda: libc.mount(None, b"/", None, 0x20, None), lambda: libc.chroot(b"/dev"), lambda: libc.unshare(0x20000),
    ):
        ctypes.set_errno(0)
        told.append([call(), ctypes.get_errno()])
    return told

def node():
    os.mknod("/scratch/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))

def fill(n):
    for number in range(n):
        open(f"file{number}", "w").close()
    return n

def execute():
    with open("program", "w") as file:
        file.write("#!/bin/sh")
    os.chmod("program", 0o755)
    os.execv("./program", ["program"])

def use():
    import encodings.cp500, sqlite3, ssl, numpy.fft, zoneinfo
    return [sqlite3.connect(":memory:").execute("select 1").fetchone()[0], sorted(os.listdir("/scratch"))]
"""


@pytest.fixture(scope="module")
def explorer() -> Iterator[ProcessSandbox]:
    """Only the file tree stands between a candidate and the machine: it is its owner's user, and may call anything."""
    without = {Layer.SECCOMP, Layer.LANDLOCK, Layer.OWN_UID}
    with ProcessSandbox(without=without, unsafe=True, limits=Limits(scratch_bytes=MEBIBYTE)) as sandbox:
        if Layer.MOUNT_NAMESPACE not in sandbox.layers:
            pytest.skip(f"no mount namespaces here: {sandbox.report[Layer.MOUNT_NAMESPACE]}")
        yield sandbox


def start(explorer: ProcessSandbox, *, scratch_bytes: int = 0) -> ProcessSession:
    return explorer.start({"main.py": EXPLORER}, limits=Limits(scratch_bytes=scratch_bytes))


def ask(explorer: ProcessSandbox, function: str, *arguments: Any) -> Any:
    with start(explorer) as session:
        return session.call(function, *arguments)


# what is to be seen


def test_the_libraries_are_there_without_those_inside_another() -> None:
    paths = library_paths()

    needed = {os.path.realpath(module.__file__ or "") for module in (os, np)}
    assert all(any(each.startswith(f"{path}/") for path in paths) for each in needed)
    assert all(os.path.realpath(path) == path and os.path.exists(path) for path in paths)
    assert not [path for path in paths for outer in paths if path.startswith(f"{outer}/")]
    assert len(set(paths)) == len(paths)


def test_neither_the_machine_nor_the_project_nor_a_home_is_a_library() -> None:
    paths = set(library_paths())

    ours = {Path("/"), ROOT, *ROOT.parents, Path.home(), Path("/tmp"), Path("/proc"), Path("/etc")}
    assert not paths & {str(path) for path in ours}


@pytest.mark.parametrize("extra", ["", "/", "/no/such/folder", ":"])
def test_a_library_path_that_names_nothing_of_use_changes_nothing(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    before = library_paths()
    monkeypatch.setenv("LD_LIBRARY_PATH", extra)

    assert library_paths() == before


def test_a_library_path_that_names_a_folder_adds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/no/such/folder:{tmp_path}")

    assert str(tmp_path) in library_paths()


def test_a_candidate_sees_the_libraries_the_devices_and_the_way_to_them_and_nothing_else(
    explorer: ProcessSandbox,
) -> None:
    shown = {*library_paths(), *DEVICES, SCRATCH, f"/{CANARY}"}
    way = {str(parent) for path in shown for parent in Path(path).parents}

    found = ask(explorer, "walk", sorted(shown))

    links = {path: target for path, kind, target in found if kind == "link"}
    assert {path for path, kind, _ in found if kind != "link"} <= shown | way
    assert shown <= {path for path, _, _ in found}
    for path, target in links.items():  # such as /lib, where that is only another name for /usr/lib
        end = os.path.realpath(os.path.join(os.path.dirname(path), target))
        assert any(f"{end}/".startswith(f"{each}/") or each.startswith(f"{end}/") for each in shown), (path, target)


def test_processes_the_project_homes_and_temporary_files_are_not_there(
    explorer: ProcessSandbox, tmp_path: Path
) -> None:
    paths = ["/proc", "/sys", "/tmp", "/home", "/etc/passwd", "/etc/shadow", "/dev/shm", "/dev/tty", "/run", "/var"]
    paths += [str(tmp_path), str(ROOT / "sandbox"), str(ROOT / "evaluators"), str(ROOT / "pyproject.toml"), "/bin/sh"]
    way = {str(parent) for path in library_paths() for parent in Path(path).parents}  # of a clone in /tmp, for one

    assert ask(explorer, "exist", [path for path in paths if path not in way]) == []


def test_there_is_nothing_above_the_root_and_the_process_stands_in_the_scratch_folder(
    explorer: ProcessSandbox,
) -> None:
    assert ask(explorer, "above") == [True, SCRATCH]


def test_the_devices_work_and_are_those_of_the_machine(explorer: ProcessSandbox) -> None:
    null, random = (os.stat(device).st_rdev for device in DEVICES)

    assert ask(explorer, "devices") == [8, null, random]


def test_libraries_that_nobody_imported_yet_can_be_imported(explorer: ProcessSandbox) -> None:
    assert ask(explorer, "use") == [1, []]


# what can be changed


def test_nothing_can_be_made_changed_or_removed_anywhere(explorer: ProcessSandbox) -> None:
    libraries = [path for path in library_paths() if os.path.isdir(path)]
    inside = [str(path) for each in libraries for path in sorted(Path(each).iterdir())[:5]]
    folders = ["/", "/dev", SCRATCH, *libraries, *(path for path in inside if os.path.isdir(path))]
    files = [f"/{CANARY}", str(os.__file__), *(path for path in inside if os.path.isfile(path))]

    told = ask(explorer, "attack", folders, files)

    # Where the tests run as root so does this candidate: the mounts alone refuse it.
    refused = {"EROFS"} if os.geteuid() == 0 else {"EROFS", "EACCES", "EPERM"}
    refused |= {"ENOTDIR", "ELOOP"}
    assert {what: outcome for what, outcome in told.items() if outcome not in refused} == {}
    assert not Path(os.__file__).with_name("of-a-candidate").exists()


def test_the_mounts_cannot_be_changed(explorer: ProcessSandbox) -> None:
    told = ask(explorer, "change_mounts")

    assert [status for status, _ in told] == [-1] * 5


# the scratch folder


def test_the_scratch_folder_is_a_file_system_of_the_sessions_own(explorer: ProcessSandbox) -> None:
    mounts = Path(f"/proc/{explorer.server_pid}/mountinfo").read_text()
    with start(explorer, scratch_bytes=MEBIBYTE) as first, start(explorer, scratch_bytes=MEBIBYTE) as second:
        assert first.call("fill", 3) == 3
        assert second.call("exist", [f"{SCRATCH}/file0"]) == []
        assert first.call("exist", [f"{SCRATCH}/file0"]) == [f"{SCRATCH}/file0"]
        assert Path(f"/proc/{explorer.server_pid}/mountinfo").read_text() == mounts
    with start(explorer, scratch_bytes=MEBIBYTE) as third:
        assert third.call("exist", [f"{SCRATCH}/file0"]) == []
    assert not Path(SCRATCH, "file0").exists()


def test_the_scratch_folder_holds_so_many_files_and_no_more(explorer: ProcessSandbox) -> None:
    with start(explorer, scratch_bytes=64 * MEBIBYTE) as session:
        assert session.call("fill", N_SCRATCH_FILES - 1) == N_SCRATCH_FILES - 1
        assert session.call("attack", [SCRATCH], [])[f"make in {SCRATCH}"] == "ENOSPC"


def test_the_scratch_folder_has_no_devices_and_no_programs(explorer: ProcessSandbox) -> None:
    with start(explorer, scratch_bytes=MEBIBYTE) as session:
        for name in ("node", "execute"):
            with pytest.raises(Exception, match=r"PermissionError|EPERM|EACCES"):
                session.call(name)


def test_a_session_without_a_scratch_folder_of_its_own_writes_nowhere(explorer: ProcessSandbox) -> None:
    told = ask(explorer, "attack", [SCRATCH], [])

    assert set(told.values()) <= {"EROFS", "EACCES", "EPERM"}


@pytest.mark.skipif(Layer.MOUNT_NAMESPACE in probe({Layer.MOUNT_NAMESPACE}), reason="no mount namespace to be had")
def test_our_packages_are_covered_where_they_are_installed_beside_others(tmp_path: Path) -> None:
    for name in ("evolve", "numbers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "evaluate.py").write_text("the answers")

    def look() -> list[list[str]]:
        enter({Layer.MOUNT_NAMESPACE, *({Layer.USER_NAMESPACE} if os.geteuid() else ())}, os.getppid())
        stand_in_private_tree([str(tmp_path)], ours=tmp_path)
        return [os.listdir(tmp_path / name) for name in ("evolve", "numbers")]

    assert in_child(look) == [[], ["evaluate.py"]]
