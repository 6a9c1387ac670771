"""Landlock for real: forked children try what no rule grants; each attempt is shown to succeed without Landlock."""

import ctypes
import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy.random._pcg64
import pytest

from sandbox import landlock

Attempts = dict[str, Callable[[], object]]

PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39
NOBODY = 65534
GET_ENTROPY_COUNT = 0x80045200
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000

libc = ctypes.CDLL(None, use_errno=True)
is_root = os.geteuid() == 0
pytestmark = [
    pytest.mark.filterwarnings("ignore:This process .* use of fork:DeprecationWarning"),
    pytest.mark.skipif(landlock.abi() == 0, reason="the kernel has no Landlock, or it is switched off"),
]


def needs(version: int) -> pytest.MarkDecorator:
    reason = f"needs Landlock {version}, the kernel has {landlock.abi()}"
    return pytest.mark.skipif(landlock.abi() < version, reason=reason)


def in_child(work: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Run work in a forked process and return what it returns."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    os.waitpid(pid, 0)
    found: dict[str, str] = json.loads(answer)
    return found


def try_all(attempts: Attempts) -> dict[str, str]:
    """How each attempt ended: "done" or the name of the error."""
    outcome = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            outcome[name] = "done"
        except OSError as error:
            outcome[name] = errno.errorcode[error.errno or 0]
    return outcome


def outcomes(ruleset: int | None, attempts: Attempts) -> dict[str, str]:
    """How attempts end in a child under a ruleset (None: unconfined)."""

    def work() -> dict[str, str]:
        if ruleset is not None:
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            landlock.restrict(ruleset)
        return try_all(attempts)

    return in_child(work)


def ended(attempts: Attempts, **lists: Any) -> dict[str, str]:
    """How attempts end in a child under a ruleset made for them."""
    ruleset = landlock.make_ruleset(**{"read": [], **lists})
    try:
        return outcomes(ruleset, attempts)
    finally:
        os.close(ruleset)


def all_end(ending: str, attempts: Attempts) -> dict[str, str]:
    return dict.fromkeys(attempts, ending)


def check(attempts: Attempts, ending: str = "EACCES", **lists: Any) -> None:
    """All attempts are refused under a ruleset, and only there."""
    assert ended(attempts, **lists) == all_end(ending, attempts)
    assert outcomes(None, attempts) == all_end("done", attempts)


@pytest.fixture
def readable(tmp_path: Path) -> Path:
    folder = tmp_path / "readable"
    folder.mkdir()
    (folder / "file").write_text("allowed")
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text("secret")
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_what_is_on_the_read_list_can_be_read_and_listed(readable: Path) -> None:
    attempts: Attempts = {"read": (readable / "file").read_bytes, "list": lambda: os.listdir(readable)}

    assert ended(attempts, read=[readable]) == all_end("done", attempts)


def test_nothing_outside_the_lists_can_be_read_or_listed(readable: Path, outside: Path) -> None:
    attempts: Attempts = {
        "read": (outside / "file").read_bytes,
        "list": lambda: os.listdir(outside),
        "read by a link": lambda: (readable / "link").read_bytes(),
        "own memory": lambda: open("/proc/self/maps").close(),
        "list processes": lambda: os.listdir("/proc"),
    }
    (readable / "link").symlink_to(outside / "file")

    check(attempts, read=[readable])


def test_nothing_on_the_read_list_can_be_changed(readable: Path) -> None:
    attempts: Attempts = {
        "open for writing": lambda: os.close(os.open(readable / "file", os.O_WRONLY)),
        "append": lambda: os.close(os.open(readable / "file", os.O_RDWR | os.O_APPEND)),
        "make a file": lambda: (readable / "new").write_text(""),
        "make a folder": (readable / "folder").mkdir,
        "rename": lambda: os.rename(readable / "file", readable / "moved"),
        "remove": (readable / "moved").unlink,
    }

    check({name: attempts[name] for name in list(attempts)[:-1]}, read=[readable])
    (readable / "moved").write_text("")
    check({"remove": attempts["remove"]}, read=[readable])


def test_a_program_on_the_read_list_cannot_be_executed_but_a_library_can_be_loaded(tmp_path: Path) -> None:
    library = str(shutil.copy(numpy.random._pcg64.__file__, tmp_path / "copy.so"))
    program = shutil.which("true") or pytest.skip("there is no program to execute")

    def execute() -> None:
        os.waitpid(os.posix_spawn(program, [program], {}), 0)

    assert ended({"load": lambda: ctypes.CDLL(library)}, read=[Path("/")]) == {"load": "done"}
    check({"execute": execute}, read=[Path("/")])


def test_a_scratch_folder_takes_plain_files_and_folders(scratch: Path) -> None:
    def use() -> None:
        (scratch / "folder").mkdir()
        (scratch / "folder" / "file").write_text("long text")
        (scratch / "folder" / "file").write_text("short")
        os.truncate(scratch / "folder" / "file", 1)
        assert (scratch / "folder" / "file").read_text() == "s"
        os.link(scratch / "folder" / "file", scratch / "folder" / "again")
        os.rename(scratch / "folder" / "file", scratch / "folder" / "moved")
        shutil.rmtree(scratch / "folder")
        assert os.listdir(scratch) == []

    assert ended({"use": use}, write=[scratch]) == {"use": "done"}


def test_a_scratch_folder_takes_no_links_pipes_sockets_devices_or_programs(scratch: Path) -> None:
    program = scratch / "program"
    shutil.copy(shutil.which("true") or pytest.skip("there is no program to copy"), program)

    def bind() -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(scratch / "socket"))

    attempts: Attempts = {
        "symbolic link": lambda: (scratch / "link").symlink_to("/etc/passwd"),
        "pipe": lambda: os.mkfifo(scratch / "pipe"),
        "socket": bind,
        "execute": lambda: os.waitpid(os.posix_spawn(program, ["program"], {}), 0),
    }
    if is_root:
        attempts["device"] = lambda: os.mknod(scratch / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))

    check(attempts, write=[scratch])


def test_no_file_gets_into_a_scratch_folder_by_link_or_move(readable: Path, outside: Path, scratch: Path) -> None:
    attempts: Attempts = {
        "link from outside": lambda: os.link(outside / "file", scratch / "secret"),
        "link from the read list": lambda: os.link(readable / "file", scratch / "allowed"),
        "move out": lambda: os.rename(scratch / "own", outside / "own"),
    }
    (scratch / "own").write_text("")

    found = ended(attempts, read=[readable], write=[scratch])

    assert set(found.values()) <= {"EXDEV", "EACCES"}
    assert outcomes(None, attempts) == all_end("done", attempts)


@pytest.mark.parametrize("version", [1, 2, pytest.param(3, marks=needs(3)), pytest.param(5, marks=needs(5))])
def test_a_readable_file_can_be_emptied_below_version_3_so_that_seccomp_has_to_refuse_it(
    version: int, readable: Path
) -> None:
    attempts: Attempts = {
        "truncate": lambda: os.truncate(readable / "file", 0),
        "open read-only to truncate": lambda: os.close(os.open(readable / "file", os.O_RDONLY | os.O_TRUNC)),
    }

    found = ended(attempts, read=[readable], cap_abi=version)

    assert found == all_end("done" if version < 3 else "EACCES", attempts)


@needs(4)
def test_tcp_is_refused_from_version_4() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def connect() -> None:  # not by create_connection, which reads files
        with socket.socket() as client:
            client.connect(listener.getsockname())

    attempts: Attempts = {"bind": lambda: socket.create_server(("127.0.0.1", 0)).close(), "connect": connect}

    check(attempts)
    assert ended(attempts, cap_abi=3) == all_end("done", attempts)
    listener.close()


@needs(5)
def test_only_listed_devices_can_be_controlled_from_version_5() -> None:
    def control() -> None:
        with open("/dev/urandom", "rb") as device:
            fcntl.ioctl(device, GET_ENTROPY_COUNT, bytes(4))

    device = Path("/dev/urandom")

    check({"control": control}, read=[device])
    assert ended({"control": control}, devices=[device]) == {"control": "done"}
    assert ended({"control": control}, read=[device], cap_abi=4) == {"control": "done"}


@needs(6)
def test_abstract_sockets_and_signals_do_not_leave_the_sandbox_from_version_6() -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0{secrets.token_hex(8)}")
    listener.listen()
    parent = os.getpid()

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(listener.getsockname())

    attempts: Attempts = {"connect": connect, "signal": lambda: os.kill(parent, 0)}

    check(attempts, "EPERM")
    assert ended(attempts, cap_abi=5) == all_end("done", attempts)
    listener.close()


def test_a_listed_device_can_be_written(tmp_path: Path) -> None:
    attempts: Attempts = {"write": lambda: Path(os.devnull).write_text("x")}

    assert ended(attempts, devices=[Path(os.devnull)]) == {"write": "done"}
    check(attempts, read=[Path(os.devnull)])


def test_one_ruleset_confines_any_number_of_forks_and_not_its_owner(readable: Path, outside: Path) -> None:
    attempts: Attempts = {"inside": (readable / "file").read_bytes, "outside": (outside / "file").read_bytes}
    ruleset = landlock.make_ruleset(read=[readable])

    found = [outcomes(ruleset, attempts) for _ in range(3)]
    os.close(ruleset)

    assert found == [{"inside": "done", "outside": "EACCES"}] * 3
    assert (outside / "file").read_text() == "secret"


def test_a_second_ruleset_only_takes_away(readable: Path, outside: Path) -> None:
    def widen() -> None:
        landlock.restrict(landlock.make_ruleset(read=[]))  # nothing, so that less is left than before
        (readable / "file").read_bytes()

    attempts: Attempts = {"widen": widen, "outside": (outside / "file").read_bytes}
    assert ended(attempts, read=[readable]) == all_end("EACCES", attempts)


def test_a_descriptor_opened_before_stays_usable_so_that_it_must_be_closed(outside: Path) -> None:
    descriptor = os.open(outside / "file", os.O_RDONLY)

    attempts: Attempts = {"old": lambda: os.read(descriptor, 1), "new": (outside / "file").read_bytes}

    assert ended(attempts) == {"old": "done", "new": "EACCES"}
    os.close(descriptor)


def test_restricting_needs_no_new_privileges() -> None:
    if libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0):
        pytest.skip("the test process has no_new_privs already")
    ruleset = landlock.make_ruleset(read=[])

    def work() -> dict[str, str]:
        if is_root:
            os.setresuid(NOBODY, NOBODY, NOBODY)
        before = try_all({"before": lambda: landlock.restrict(ruleset)})
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return before | try_all({"after": lambda: landlock.restrict(ruleset)})

    assert in_child(work) == {"before": "EPERM", "after": "done"}
    os.close(ruleset)


def enter_mount_namespace() -> None:
    flags = CLONE_NEWNS if is_root else CLONE_NEWNS | CLONE_NEWUSER
    if libc.unshare(flags) or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "unshare")


def mount(source: Path | None, target: Path) -> None:
    if source is None:
        failed = libc.mount(b"tmpfs", os.fsencode(target), b"tmpfs", 0, None)
    else:
        failed = libc.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None)
    if failed:
        raise OSError(ctypes.get_errno(), "mount")


@pytest.fixture
def mounts() -> None:
    if in_child(lambda: try_all({"enter": enter_mount_namespace})) != {"enter": "done"}:
        pytest.skip("no mount namespace can be made here")


def ended_after_mount(attempts: Attempts, source: Path | None, target: Path, **lists: Any) -> dict[str, str]:
    """How attempts end when something is mounted after the ruleset was made."""
    ruleset = landlock.make_ruleset(**{"read": [], **lists})

    def work() -> dict[str, str]:
        enter_mount_namespace()
        mount(source, target)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        landlock.restrict(ruleset)
        return try_all(attempts)

    found = in_child(work)
    os.close(ruleset)
    return found


@pytest.mark.usefixtures("mounts")
def test_a_rule_reaches_what_is_mounted_later_beneath_a_folder_but_not_on_it(scratch: Path) -> None:
    point = scratch / "point"
    point.mkdir()
    attempts: Attempts = {"list": lambda: os.listdir(point)}

    above = ended_after_mount(attempts, None, point, read=[scratch])
    on = ended_after_mount(attempts, None, point, read=[point])

    assert (above["list"], on["list"]) == ("done", "EACCES")


@pytest.mark.usefixtures("mounts")
def test_a_rule_holds_for_a_folder_under_the_name_of_a_later_bind_mount(readable: Path, scratch: Path) -> None:
    attempts: Attempts = {"read": (scratch / "file").read_bytes}

    assert ended_after_mount(attempts, readable, scratch, read=[readable]) == {"read": "done"}
    assert ended_after_mount(attempts, readable, scratch, read=[scratch]) == {"read": "EACCES"}


def test_a_ruleset_closes_on_exec() -> None:
    ruleset = landlock.make_ruleset(read=[])

    assert not os.get_inheritable(ruleset)
    os.close(ruleset)


def test_a_missing_path_is_an_error_unless_the_caller_expects_it(tmp_path: Path, readable: Path) -> None:
    missing = tmp_path / "missing"

    with pytest.raises(FileNotFoundError, match="missing"):
        landlock.make_ruleset(read=[missing])
    attempts: Attempts = {"read": (readable / "file").read_bytes}

    assert ended(attempts, read=[missing, readable], missing_ok=True) == {"read": "done"}


def test_a_failed_ruleset_leaves_no_descriptor(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(FileNotFoundError):
        landlock.make_ruleset(read=[Path("/"), tmp_path / "missing"])

    assert len(os.listdir("/proc/self/fd")) == before


def test_files_and_folders_fit_in_every_list(readable: Path, scratch: Path) -> None:
    both = [readable / "file", scratch]

    attempts: Attempts = {"write": lambda: (readable / "file").write_text("x")}

    assert ended(attempts, read=both, write=both, devices=both) == {"write": "done"}


def test_a_descriptor_that_is_no_ruleset_is_refused(readable: Path) -> None:
    descriptor = os.open(readable, os.O_RDONLY)

    with pytest.raises(OSError, match="Landlock") as caught:
        landlock.restrict(descriptor)

    assert caught.value.errno in (errno.EBADFD, errno.EPERM)  # EPERM: the privilege is asked for first
    os.close(descriptor)


def test_no_ruleset_is_made_without_landlock() -> None:
    with pytest.raises(OSError, match="no Landlock") as caught:
        landlock.make_ruleset(read=[], cap_abi=0)

    assert caught.value.errno == errno.EOPNOTSUPP


@pytest.mark.parametrize("version", range(1, landlock.abi() + 1))
def test_every_version_that_the_kernel_has_makes_a_ruleset_that_refuses(version: int, outside: Path) -> None:
    assert ended({"read": (outside / "file").read_bytes}, cap_abi=version) == {"read": "EACCES"}
