"""What the watcher sees of a process that lives, and when it says that it has to end."""

import mmap
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite
import pytest

from sandbox.watch import SLACK_BYTES, Birth, Watch, birth_of, open_status, outer_pid, read_status, size_of, usage

pytestmark = pytest.mark.filterwarnings("ignore:This process .* use of fork:DeprecationWarning")
MEBIBYTE = 1 << 20
LIMITS = {"memory_bytes": 20 * MEBIBYTE, "n_processes": 4, "scratch_bytes": 100_000, "shared_bytes": 0}
PAGE = 4096
NO_RESERVE = 0x4000


@pytest.fixture(scope="module")
def proc() -> Iterator[int]:
    descriptor = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


@contextmanager
def waiting_child(action: Callable[[], Any]) -> Iterator[int]:
    """A forked process that does something and then waits to be killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            kept = action()
            os.write(writing, b"x")
            signal.pause()
            del kept
        finally:
            os._exit(1)
    os.close(writing)
    try:
        assert os.read(reading, 1) == b"x"
        yield pid
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@contextmanager
def watched(proc: int, action: Callable[[], Any], folder: str | None = None) -> Iterator[Watch]:
    """A child under watch; what it holds counts from that of one that does nothing."""
    with waiting_child(lambda: None) as idle:
        birth = birth_of(proc, idle)
    with waiting_child(action) as pid:
        watch = Watch(proc=proc, pid=pid, limits=LIMITS, birth=birth, folder=folder)
        yield watch
        watch.close()


def shared(n_bytes: int) -> mmap.mmap:
    taken = mmap.mmap(-1, n_bytes)
    for place in range(0, n_bytes, PAGE):
        taken[place] = 1
    return taken


# measuring


def test_the_numbers_are_those_of_the_process_in_bytes(proc: int) -> None:
    status = open_status(proc, os.getpid())
    before = read_status(status)
    kept = shared(32 * MEBIBYTE)
    after = read_status(status)
    os.close(status)

    nearly_all = len(kept) - MEBIBYTE  # some kernels count for each core, and add up now and then
    assert after[b"RssShmem"] - before[b"RssShmem"] >= nearly_all
    assert usage(after) - usage(before) >= nearly_all
    assert after[b"VmRSS"] >= after[b"RssShmem"] + after[b"RssAnon"]
    assert after[b"Threads"] == threading.active_count() or after[b"Threads"] >= 1


def test_a_process_without_numbers_is_one_that_is_gone(proc: int) -> None:
    with waiting_child(lambda: None) as pid:
        status = open_status(proc, pid)
    with pytest.raises(OSError, match="No such process"):
        read_status(status)
    os.close(status)
    with pytest.raises(OSError, match=r".*"):
        open_status(proc, pid)


def test_in_the_same_namespace_a_process_has_the_number_that_it_has(proc: int) -> None:
    before = len(os.listdir("/proc/self/fd"))

    assert outer_pid(proc, os.getpid()) == os.getpid()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_child_is_born_with_less_than_its_parent_holds(proc: int) -> None:
    with waiting_child(lambda: None) as pid:
        birth = birth_of(proc, pid)
    status = open_status(proc, os.getpid())
    own = read_status(status)
    os.close(status)

    assert 0 < birth.rss_bytes <= own[b"VmRSS"]
    assert 0 < birth.used_bytes < own[b"VmRSS"]


# judging


def test_a_child_that_does_nothing_may_go_on(proc: int) -> None:
    with watched(proc, lambda: None) as watch:
        assert [watch.look() for _ in range(3)] == [True] * 3
        assert watch.reason == {}


@pytest.mark.parametrize(
    "action",
    [lambda: shared(60 * MEBIBYTE), lambda: b"x" * (60 * MEBIBYTE)],
    ids=["shared", "private"],
)
def test_memory_beyond_the_limit_ends_a_child_with_what_it_used(proc: int, action: Callable[[], object]) -> None:
    with watched(proc, action) as watch:
        assert not watch.look()

        assert watch.reason["limit"] == "memory"
        assert 50 * MEBIBYTE < watch.reason["used"] < 100 * MEBIBYTE
        assert not watch.look()


def test_memory_within_the_limit_and_its_slack_is_granted(proc: int) -> None:
    with watched(proc, lambda: shared(LIMITS["memory_bytes"] + SLACK_BYTES // 2)) as watch:
        assert watch.look()


def test_address_space_that_is_never_touched_and_files_that_are_read_do_not_count(proc: int) -> None:
    library = max(Path(llvmlite.__file__).parent.rglob("*.so"), key=lambda path: path.stat().st_size)

    def action() -> list[Any]:
        reserved = mmap.mmap(-1, 1 << 32, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE)
        with library.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return [reserved, mapped, sum(mapped[place] for place in range(0, len(mapped), PAGE))]

    with watched(proc, action) as watch:
        assert watch.look(), watch.reason


@pytest.mark.parametrize(("n_more", "may_go_on"), [(3, True), (4, False)])
def test_more_threads_than_allowed_end_a_child(proc: int, n_more: int, may_go_on: bool) -> None:
    def action() -> list[threading.Thread]:
        threads = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(n_more)]
        for thread in threads:
            thread.start()
        return threads

    with watched(proc, action) as watch:
        assert watch.look() is may_go_on
        if not may_go_on:
            assert watch.reason == {"limit": "processes", "used": 5}


def test_more_on_the_disk_than_allowed_ends_a_child(proc: int, tmp_path: Path) -> None:
    with watched(proc, lambda: None, str(tmp_path)) as watch:
        (tmp_path / "first").write_bytes(b"x" * 50_000)
        before = watch.look()
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "second").write_bytes(b"x" * 60_000)

        assert (before, watch.look()) == (True, False)
        assert watch.reason["limit"] == "disk"
        assert watch.reason["used"] >= 110_000


def test_a_child_that_is_dead_needs_no_second_death(proc: int) -> None:
    with waiting_child(lambda: None) as pid:
        late = Watch(proc=proc, pid=pid, limits=LIMITS, birth=Birth(used_bytes=0, rss_bytes=0))
        watch = Watch(proc=proc, pid=pid, limits=LIMITS, birth=Birth(used_bytes=1 << 40, rss_bytes=0))
        assert watch.look()
    assert late.look()
    assert watch.look()
    watch.close()
    late.close()


def test_a_watch_holds_one_descriptor_until_it_is_closed(proc: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    watch = Watch(proc=proc, pid=os.getpid(), limits=LIMITS, birth=Birth(used_bytes=1 << 40, rss_bytes=0))
    unopened = len(os.listdir("/proc/self/fd"))
    watch.look()
    watch.look()
    opened = len(os.listdir("/proc/self/fd"))
    watch.close()
    watch.close()

    assert [unopened, opened, len(os.listdir("/proc/self/fd"))] == [before, before + 1, before]


# the size of a folder


def test_every_file_and_folder_takes_a_page_at_least(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"empty{number}").touch()
    (tmp_path / "folder").mkdir()

    assert size_of(str(tmp_path), unseen=0) >= 11 * PAGE


def test_a_hole_in_a_file_takes_nothing_and_a_link_is_not_followed(tmp_path: Path) -> None:
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(1 << 30)
    (tmp_path / "link").symlink_to(sys.prefix)

    assert size_of(str(tmp_path), unseen=0) <= 4 * PAGE


def test_what_lies_deeper_than_any_path_counts_as_everything(tmp_path: Path) -> None:
    at = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=at)
        below = os.open("d" * 200, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)

    assert size_of(str(tmp_path), unseen=1 << 40) > 1 << 40


@pytest.mark.skipif(os.geteuid() == 0, reason="no folder is closed to root")
def test_what_is_closed_to_us_counts_as_everything(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o300)

    assert size_of(str(tmp_path), unseen=1 << 40) > 1 << 40


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert size_of(str(tmp_path / "missing"), unseen=1 << 40) == 0
