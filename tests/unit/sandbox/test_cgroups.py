"""Control groups: real ones where this machine lets us make them, and v2 on files that look like it."""

import ctypes
import fcntl
import mmap
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import pytest

from evolve.testing.running import wait_until
from sandbox.cgroup_places import CgroupUnavailable, find_places
from sandbox.cgroup_tree import PREFIX, CgroupTree, sweep_group
from sandbox.cgroups import CgroupSlots, sweep

MIB = 1 << 20
LIMIT = 48 * MIB
MAP_NORESERVE = 0x4000
MADV_NOHUGEPAGE = 15
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.filterwarnings("ignore:This process .* use of fork:DeprecationWarning")
libc = ctypes.CDLL(None, use_errno=True)


def unavailable() -> str:
    """Why no real group can be made here, or nothing."""
    try:
        CgroupSlots.open(secrets.token_hex(8)).close()
    except CgroupUnavailable as error:
        return str(error)
    return ""


REASON = unavailable()
needs_cgroups = pytest.mark.skipif(bool(REASON), reason=f"control groups are not available: {REASON}")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide the control groups' files")


@pytest.fixture
def slots() -> Iterator[CgroupSlots]:
    found = CgroupSlots.open(secrets.token_hex(8))
    yield found
    found.close()


def groups() -> list[Path]:
    """Where servers make their folders."""
    return sorted(set(find_places()[0].values()))


def ours(name: str) -> list[Path]:
    """All folders of one server that there are."""
    return [group / name for group in groups() if (group / name).exists()]


def start(work: Callable[[], object]) -> tuple[int, int]:
    """A forked process that waits for its start; returns its pid and the descriptor whose closing starts it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)
        try:
            work()
        finally:
            os._exit(7)
    os.close(reading)
    return pid, writing


def run_in(
    slots: CgroupSlots, work: Callable[[], object], *, memory_bytes: int = LIMIT, n_processes: int = 8, slot: int = 0
) -> int:
    """How work in a slot ends: an exit code (7: it came to its end), or a signal, negative."""
    pid, gate = start(work)
    slots.enter(slot, pid, memory_bytes=memory_bytes, n_processes=n_processes)
    os.close(gate)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def touch(n_bytes: int) -> None:
    bytearray(b"x") * n_bytes


def touch_shared() -> None:
    shared = mmap.mmap(-1, 1024 * MIB, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for offset in range(0, len(shared), mmap.PAGESIZE):
        shared[offset] = 1


def fill_page_tables() -> None:
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    empty = mmap.mmap(-1, 256 << 30, flags=flags, prot=mmap.PROT_READ)
    empty.madvise(MADV_NOHUGEPAGE)
    for offset in range(0, len(empty), 2 * MIB):  # each first look needs a table of its own
        empty[offset]


def fill_memory_file() -> None:
    descriptor = os.memfd_create("bomb")
    for _ in range(1024):
        os.write(descriptor, bytes(MIB))


@needs_cgroups
@pytest.mark.parametrize("bomb", [lambda: touch(1024 * MIB), touch_shared, fill_page_tables, fill_memory_file])
def test_memory_of_any_kind_beyond_the_limit_ends_the_process(slots: CgroupSlots, bomb: Callable[[], None]) -> None:
    assert run_in(slots, bomb) == -signal.SIGKILL
    assert slots.was_out_of_memory(0)
    peak = slots.peak_bytes(0)
    assert slots.is_unified or (peak is not None and LIMIT / 2 < peak <= LIMIT)


@needs_cgroups
def test_work_within_the_limit_comes_to_its_end(slots: CgroupSlots) -> None:
    assert run_in(slots, lambda: touch(16 * MIB)) == 7
    assert not slots.was_out_of_memory(0)
    peak = slots.peak_bytes(0)
    assert slots.is_unified or (peak is not None and 15 * MIB < peak < LIMIT)


@needs_cgroups
def test_the_next_process_in_a_slot_is_not_blamed_for_the_last(slots: CgroupSlots) -> None:
    run_in(slots, lambda: touch(1024 * MIB))

    assert run_in(slots, lambda: touch(MIB)) == 7

    assert not slots.was_out_of_memory(0)
    peak = slots.peak_bytes(0)
    assert slots.is_unified or (peak is not None and peak < LIMIT / 2)


@needs_cgroups
def test_a_kill_by_somebody_else_is_not_taken_for_lack_of_memory(slots: CgroupSlots) -> None:
    assert run_in(slots, lambda: os.kill(os.getpid(), signal.SIGKILL)) == -signal.SIGKILL

    assert not slots.was_out_of_memory(0)


@needs_cgroups
def test_limits_of_a_slot_can_rise_and_fall(slots: CgroupSlots) -> None:
    endings = [run_in(slots, lambda: touch(64 * MIB), memory_bytes=size * MIB) for size in (32, 128, 32, 256)]

    assert endings == [-signal.SIGKILL, 7, -signal.SIGKILL, 7]


@needs_cgroups
def test_slots_have_limits_of_their_own(slots: CgroupSlots) -> None:
    endings = {
        slot: run_in(slots, lambda: touch(64 * MIB), memory_bytes=size * MIB, slot=slot)
        for slot, size in ((0, 32), (1, 128))
    }

    assert endings == {0: -signal.SIGKILL, 1: 7}
    assert [slots.was_out_of_memory(slot) for slot in (0, 1, 2)] == [True, False, False]


@needs_cgroups
def test_no_more_processes_than_allowed(slots: CgroupSlots) -> None:
    if "pids" not in slots.trees:
        pytest.skip("the number of processes cannot be limited here")
    n_made_pipe = os.pipe()

    def multiply() -> None:
        n_made = 0
        with suppress(BlockingIOError):
            while n_made < 100:
                if os.fork() == 0:
                    signal.pause()
                n_made += 1
        os.write(n_made_pipe[1], bytes([n_made]))
        os.kill(0, signal.SIGKILL)

    def lead() -> None:
        os.setsid()
        multiply()

    run_in(slots, lead, n_processes=5)

    assert os.read(n_made_pipe[0], 1) == bytes([4])
    for end in n_made_pipe:
        os.close(end)


@needs_cgroups
def test_kill_ends_all_processes_of_a_slot(slots: CgroupSlots) -> None:
    reading, writing = os.pipe()

    def leave_children() -> None:
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                os.write(writing, b"x")
                signal.pause()
        os.write(writing, b"x")
        signal.pause()

    pid, gate = start(leave_children)
    slots.enter(0, pid, memory_bytes=LIMIT, n_processes=8)
    os.close(gate)
    os.close(writing)
    n_started = 0
    while n_started < 4:
        n_started += len(os.read(reading, 4))

    slots.kill(0)

    os.waitpid(pid, 0)
    assert os.read(reading, 1) == b""  # nobody is left who could write
    os.close(reading)


@needs_cgroups
def test_kill_of_a_slot_that_was_never_entered_does_nothing(slots: CgroupSlots) -> None:
    slots.kill(3)

    assert slots.peak_bytes(3) is None


@needs_cgroups
def test_a_process_that_is_gone_cannot_enter(slots: CgroupSlots) -> None:
    pid, gate = start(lambda: None)
    os.close(gate)
    os.waitpid(pid, 0)

    with pytest.raises(OSError, match="No such process"):
        slots.enter(0, pid, memory_bytes=LIMIT, n_processes=8)


@needs_cgroups
def test_closing_ends_what_runs_and_leaves_nothing() -> None:
    token = secrets.token_hex(8)
    before = len(os.listdir("/proc/self/fd"))
    slots = CgroupSlots.open(token)
    reaper = []
    for slot in range(2):
        pid, gate = start(signal.pause)
        slots.enter(slot, pid, memory_bytes=LIMIT, n_processes=8)
        os.close(gate)
        reaper.append(threading.Thread(target=os.waitpid, args=(pid, 0)))
        reaper[-1].start()
    assert ours(PREFIX + token)

    slots.close()

    for thread in reaper:
        thread.join()
    if ours(PREFIX + token):  # a very busy machine did not bury them in time: that is left to the next sweep
        assert wait_until(lambda: sweep() >= 0 and ours(PREFIX + token) == [])
    assert ours(PREFIX + token) == []
    assert len(os.listdir("/proc/self/fd")) == before


SERVER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from sandbox.cgroups import CgroupSlots
slots = CgroupSlots.open(sys.argv[2])
pid = os.fork()
if pid == 0:
    os.closerange(3, 64)
    signal.pause()
slots.enter(0, pid, memory_bytes=1 << 26, n_processes=4)
print(pid, flush=True)
signal.pause()
"""


@needs_cgroups
def test_a_sweep_takes_what_a_killed_server_left_and_spares_the_living() -> None:
    token = secrets.token_hex(8)
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(ROOT), token], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    candidate = os.pidfd_open(int(server.stdout.readline()))

    sweep()
    left_while_alive = ours(PREFIX + token)
    server.kill()
    server.wait()
    server.stdout.close()
    sweep()

    assert len(left_while_alive) == len(groups())
    assert wait_until(lambda: ours(PREFIX + token) == [])  # another process of ours may be sweeping it just now
    assert select.select([candidate], [], [], 60) == ([candidate], [], [])  # it has ended
    os.close(candidate)


@needs_cgroups
@needs_root
def test_slots_work_after_the_view_of_files_has_changed() -> None:
    reading, writing = os.pipe()
    token = secrets.token_hex(8)
    pid = os.fork()
    if pid == 0:
        try:
            slots = CgroupSlots.open(token)
            libc.unshare(CLONE_NEWNS)
            libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
            libc.mount(b"tmpfs", b"/sys", b"tmpfs", 0, None)
            is_hidden = not os.listdir("/sys")
            ending = run_in(slots, lambda: touch(1024 * MIB))
            answer = [is_hidden, ending, slots.was_out_of_memory(0)]
            slots.close()
            os.write(writing, repr(answer).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)

    os.close(writing)
    assert os.read(reading, 100) == repr([True, -signal.SIGKILL, True]).encode()
    assert ours(PREFIX + token) == []
    os.close(reading)


class Machine:
    """Folders that look like a tree of control groups, and the files of /proc that tell of them.

    Nothing answers behind the files: a test reads from them what was written, and makes the folders that the kernel
    would fill. The server's folder is made first, so that its files are there.
    """

    def __init__(self, folder: Path) -> None:
        self.top, self.proc = folder / "cgroup", folder / "proc"
        self.proc.mkdir()
        self.describe("/")

    def describe(self, own: str, *, mounted: str = "/") -> None:
        self.write_proc(f"1:name=systemd:/\n0::{own}\n", f"{mounted} {self.top} rw shared:9 - cgroup2 cgroup2 rw")

    def write_proc(self, memberships: str, *mounts: str) -> None:
        (self.proc / "cgroup").write_text(memberships)
        lines = ["23 1 0:1 / / rw - ext4 /dev/root rw", *(f"31 23 0:28 {mount}" for mount in mounts)]
        (self.proc / "mountinfo").write_text("\n".join(lines))

    def add(
        self,
        path: str,
        files: Mapping[str, str] = MappingProxyType({}),
        *,
        is_root: bool = False,
        controllers: str = "cpu memory pids",
    ) -> Path:
        group = self.top / path
        group.mkdir(parents=True, exist_ok=True)
        (group / "cgroup.controllers").write_text(controllers)
        for name in ("cgroup.subtree_control", "cgroup.procs"):
            (group / name).write_text("")
        if not is_root:
            (group / "cgroup.type").write_text("domain\n")
        for name, text in files.items():
            (group / name).write_text(text)
        return group

    def add_slot(self, above: str = "", n_killed: int = 0) -> Path:
        self.add(f"{above}{PREFIX}t")
        empty = dict.fromkeys(("memory.max", "memory.swap.max", "memory.oom.group", "pids.max"), "")
        return self.add(f"{above}{PREFIX}t/slot4", {**empty, "memory.events": f"oom 9\noom_kill {n_killed}\n"})

    def open(self) -> CgroupSlots:
        return CgroupSlots.open("t", proc=self.proc)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def enter(slots: CgroupSlots, pid: int = 123) -> None:
    slots.enter(4, pid, memory_bytes=1000, n_processes=9)


def texts(group: Path, *names: str) -> list[str]:
    return [(group / name).read_text() for name in names]


def test_v2_slots_at_the_root_of_the_tree_get_every_limit(machine: Machine) -> None:
    root = machine.add("", is_root=True)
    slot = machine.add_slot()
    slots = machine.open()

    enter(slots)

    assert (slots.is_unified, sorted(slots.trees)) == (True, ["memory", "pids"])
    assert texts(root, "cgroup.subtree_control") == texts(slot.parent, "cgroup.subtree_control") == ["+memory +pids"]
    assert texts(slot, "memory.max", "memory.swap.max", "memory.oom.group", "pids.max") == ["1000", "0", "1", "9"]
    assert texts(slot, "cgroup.procs") == ["123"]
    slots.close()


def test_v2_limits_that_an_old_kernel_lacks_are_done_without(machine: Machine) -> None:
    machine.add("", is_root=True, controllers="memory")
    slot = machine.add_slot()
    for name in ("memory.swap.max", "memory.oom.group", "pids.max"):
        (slot / name).unlink()
    slots = machine.open()

    enter(slots)

    assert list(slots.trees) == ["memory"]
    assert texts(slot, "memory.max", "cgroup.procs") == ["1000", "123"]
    assert slots.peak_bytes(4) is None
    slots.close()


def test_v2_limits_that_stay_the_same_are_not_written_again(machine: Machine) -> None:
    machine.add("", is_root=True)
    slot = machine.add_slot()
    slots = machine.open()
    enter(slots)
    (slot / "memory.max").write_text("")

    enter(slots)

    assert texts(slot, "memory.max") == [""]
    slots.close()


def test_v2_tells_only_new_kills_for_memory(machine: Machine) -> None:
    machine.add("", is_root=True)
    slot = machine.add_slot(n_killed=2)
    slots = machine.open()
    enter(slots)

    before = slots.was_out_of_memory(4)
    (slot / "memory.events").write_text("oom 10\noom_kill 3\noom_group_kill 1\n")

    assert (before, slots.was_out_of_memory(4)) == (False, True)
    slots.close()


def test_v2_kills_a_slot_with_one_word(machine: Machine) -> None:
    machine.add("", is_root=True)
    slot = machine.add_slot()
    slots = machine.open()
    enter(slots)
    (slot / "cgroup.kill").write_text("")

    slots.kill(4)

    assert texts(slot, "cgroup.kill") == ["1"]
    slots.close()


def test_without_that_word_each_process_that_can_be_seen_is_killed(machine: Machine) -> None:
    machine.add("", is_root=True)
    slot = machine.add_slot()
    slots = machine.open()
    pid, gate = start(signal.pause)
    enter(slots, pid)
    (slot / "cgroup.procs").write_text(f"0\n{pid}\n")

    slots.kill(4)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    os.close(gate)
    slots.close()


def test_v2_divides_the_delegated_group_above_and_not_the_own_one(machine: Machine) -> None:
    machine.add("", is_root=True)
    above = machine.add("unit")
    machine.add("unit/main")
    machine.describe("/unit/main")
    try:
        os.setxattr(above, "user.delegate", b"1")
    except OSError:
        pytest.skip("this file system keeps no marks")
    slot = machine.add_slot("unit/")
    slots = machine.open()

    enter(slots)

    assert texts(slot, "memory.max") == ["1000"]
    slots.close()


def test_v2_divides_the_top_of_a_container_when_the_own_group_lies_below(machine: Machine) -> None:
    machine.add("")
    machine.add("init")
    machine.describe("/docker/1/init", mounted="/docker/1")

    assert find_places(machine.proc) == ({"memory": machine.top, "pids": machine.top}, True)


@pytest.mark.parametrize("own", ["/", "/user/session"])
def test_v2_is_unavailable_where_processes_are_in_the_way(own: str, machine: Machine) -> None:
    machine.add("", is_root=own != "/")
    machine.add("user")
    machine.add("user/session")
    machine.describe(own)

    with pytest.raises(CgroupUnavailable, match=r"holds processes.*not delegated"):
        machine.open()


def test_v2_that_refuses_to_hand_limits_down_is_unavailable_and_leaves_no_descriptor(machine: Machine) -> None:
    root = machine.add("", is_root=True)
    (root / "cgroup.subtree_control").unlink()
    (root / "cgroup.subtree_control").mkdir()
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(CgroupUnavailable, match=r"no group can be made below .*: Is a directory"):
        machine.open()

    assert not (root / f"{PREFIX}t").exists()
    assert len(os.listdir("/proc/self/fd")) == before


def test_v2_without_the_memory_controller_is_unavailable(machine: Machine) -> None:
    machine.add("", is_root=True, controllers="hugetlb")

    with pytest.raises(CgroupUnavailable, match="no control groups with the memory controller"):
        machine.open()


def test_a_group_outside_of_what_is_mounted_is_unavailable(machine: Machine) -> None:
    machine.describe("/docker/2", mounted="/docker/1")

    with pytest.raises(CgroupUnavailable, match="outside"):
        machine.open()


def test_a_machine_that_tells_nothing_is_unavailable_and_has_nothing_to_sweep(tmp_path: Path) -> None:
    with pytest.raises(CgroupUnavailable, match="not known"):
        CgroupSlots.open("t", proc=tmp_path)

    assert sweep(proc=tmp_path) == 0


def test_a_group_where_nothing_can_be_made_is_unavailable(machine: Machine) -> None:
    machine.write_proc("4:memory:/gone\n", f"/ {machine.top} rw - cgroup cgroup rw,memory")

    with pytest.raises(CgroupUnavailable, match=r"no group can be made below .*: No such file"):
        machine.open()


def test_v1_finds_its_groups_in_a_container_and_does_without_pids(machine: Machine) -> None:
    mounts = [f"/docker/1 {machine.top}/{name} ro - cgroup cgroup rw,{name}" for name in ("pids", "memory")]
    machine.write_proc("9:pids:/\n4:cpu,memory:/docker/1/job\n", *mounts)

    assert find_places(machine.proc) == ({"memory": machine.top / "memory" / "job"}, False)


def test_v1_slots_are_limited_in_both_trees(machine: Machine) -> None:
    mounts = [f"/ {machine.top}/{name} rw - cgroup cgroup rw,{name}" for name in ("pids", "memory")]
    machine.write_proc("9:pids:/\n4:memory:/job\n", *mounts)
    slot = f"{PREFIX}t/slot4"
    names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max_usage_in_bytes")
    memory = machine.add(f"memory/job/{slot}", {**dict.fromkeys(names, ""), "memory.oom_control": "oom_kill 0\n"})
    pids = machine.add(f"pids/{slot}", {"pids.max": ""})
    slots = machine.open()

    enter(slots)

    assert texts(memory, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes") == ["1000", "1000"]
    assert texts(memory, "memory.max_usage_in_bytes", "cgroup.procs") == ["0", "123"]
    assert texts(pids, "pids.max", "cgroup.procs") == ["9", "123"]
    slots.close()


def test_a_folder_whose_server_lives_is_not_swept(tmp_path: Path) -> None:
    tree = CgroupTree.make(tmp_path, "living")
    (tmp_path / f"{PREFIX}dead").mkdir()
    (tmp_path / "of-others").mkdir()

    assert sweep_group(tmp_path) == 1

    assert sorted(os.listdir(tmp_path)) == [f"{PREFIX}living", "of-others"]
    tree.remove()


def test_a_folder_that_is_swept_before_it_is_locked_is_made_again(tmp_path: Path) -> None:
    name = f"{PREFIX}t"
    (tmp_path / name).mkdir()
    sweeper = os.open(tmp_path / name, os.O_RDONLY)
    fcntl.flock(sweeper, fcntl.LOCK_EX)
    made: list[CgroupTree] = []
    maker = threading.Thread(target=lambda: made.append(CgroupTree.make(tmp_path, "t")))
    maker.start()
    (tmp_path / name).rmdir()

    os.close(sweeper)

    maker.join()
    assert (tmp_path / name).is_dir()
    made[0].remove()
