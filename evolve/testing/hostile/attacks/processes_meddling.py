"""Changing how other processes run: their limits, priorities, processors and memory."""

from evolve.testing.hostile.attack import BARE, PEER, Attack, Configuration, Family, Need, steps
from evolve.testing.hostile.program import is_broken, is_harmed
from sandbox.layers import Layer

_APART = (Layer.SECCOMP, Layer.PID_NAMESPACE, Layer.OWN_UID)
_TRACED = (*_APART, Layer.LANDLOCK)
_BY_PROC = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, Layer.OWN_UID)
_OPEN = Configuration("BARE with open descriptors", BARE.without | {Layer.CLOSED_DESCRIPTORS})
_MEMORY = """
def heap_of(pid):
    line = next(line for line in read(f"/proc/{pid}/maps", 1 << 20).splitlines() if "[heap]" in line)
    return int(line.split("-")[0], 16)

def by_file(pid):
    descriptor, place = os.open(f"/proc/{pid}/mem", os.O_RDWR), heap_of(pid)
    return os.pwrite(descriptor, os.pread(descriptor, 64, place), place)

def vector(address, size):
    return struct.pack("QQ", address, size)

def overwrite(pid, place=None):
    own = ctypes.create_string_buffer(4096)
    ours, theirs = vector(ctypes.addressof(own), 64), vector(place or heap_of(pid), 64)
    syscall("process_vm_readv", pid, ours, 1, theirs, 1, 0)
    return syscall("process_vm_writev", pid, ours, 1, theirs, 1, 0)
"""


def _changed(name: str, text: str, stopped_by: tuple[str, ...] = _APART, needs: tuple[Need, ...] = ()) -> Attack:
    """The change can be seen from outside."""
    return Attack(name=name, family=Family.PROCESSES, text=text, stopped_by=stopped_by, breached=is_harmed, needs=needs)


def _entered(
    name: str,
    text: str,
    stopped_by: tuple[str, ...] = _TRACED,
    shown_in: Configuration = PEER,
    needs: tuple[Need, ...] = (Need.TRACING,),
) -> Attack:
    """It looks or reaches into another process."""
    return Attack(
        name=name,
        family=Family.PROCESSES,
        text=text,
        stopped_by=stopped_by,
        shown_in=shown_in,
        breached=is_broken,
        needs=needs,
    )


ATTACKS = (
    _changed(
        "limit_engine_files", steps("syscall('prlimit64', world['engine_pid'], 7, struct.pack('QQ', 4, 4), 0) == 0")
    ),
    _changed(
        "limit_engine_cpu",
        steps("resource.prlimit(world['engine_pid'], resource.RLIMIT_CPU, (1, 1)) and 'one second left'"),
    ),
    _changed("renice_engine", steps("os.setpriority(os.PRIO_PROCESS, world['engine_pid'], 19) or 'last'")),
    _changed("renice_the_user", steps("os.setpriority(os.PRIO_USER, world['uid'], 19) or 'all last'")),
    _changed("idle_policy_for_engine", steps("os.sched_setscheduler(world['engine_pid'], 5, os.sched_param(0)) or 5")),
    _changed(
        "pin_engine",
        steps("os.sched_setaffinity(world['engine_pid'], {max(os.sched_getaffinity(0))}) or 'one processor'"),
        needs=(Need.TWO_CPUS,),
    ),
    _changed(
        "offer_engine_to_the_killer", steps("write(f\"/proc/{world['engine_pid']}/oom_score_adj\", '1000')"), _BY_PROC
    ),
    _entered(
        "trace_engine",
        steps("syscall('ptrace', 0x4206, world['engine_pid'], 0, 0x100000) == 0"),
    ),
    _entered("attach_to_engine", steps("syscall('ptrace', 16, world['engine_pid'], 0, 0) == 0")),
    _entered("overwrite_engine_memory", steps("overwrite(world['engine_pid'])", definitions=_MEMORY)),
    _entered(
        "overwrite_engine_memory_by_proc",
        steps(
            "by_file(world['engine_pid'])",
            definitions=_MEMORY,
        ),
        _BY_PROC,
    ),
    _entered(
        "take_engine_descriptor",
        steps("[syscall('pidfd_getfd', syscall('pidfd_open', world['engine_pid'], 0), n, 0) for n in (0, 1, 2)]"),
    ),
    _entered(
        "compare_with_engine",
        steps("syscall('kcmp', os.getpid(), world['engine_pid'], 0, 0, 0) >= 0"),
    ),
    _entered(
        "take_server_descriptor",
        steps("[syscall('pidfd_getfd', syscall('pidfd_open', os.getppid(), 0), n, 0) for n in (3, 4)]"),
        shown_in=BARE,
    ),
    _entered(
        "overwrite_server_memory",
        steps("overwrite(os.getppid(), id(os))", definitions=_MEMORY),
        shown_in=BARE,
    ),
    _entered(
        "read_server_descriptors",
        steps("os.listdir(f'/proc/{os.getppid()}/fd')", definitions=_MEMORY),
        (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, Layer.PID_NAMESPACE),
        shown_in=BARE,
        needs=(),
    ),
    _entered(
        "talk_to_the_server",
        steps(
            "[n for n in range(3, 256) if sends(n)] or None",
            definitions="""
def sends(number):
    try:
        return socket.socket(fileno=os.dup(number)).send(b'{"op": "stop", "session": 1}') > 0
    except OSError:
        return False
""",
        ),
        (Layer.CLOSED_DESCRIPTORS, Layer.SECCOMP),
        shown_in=_OPEN,
        needs=(),
    ),
    _entered(
        "idle_disk_for_engine",
        steps("syscall('ioprio_set', 1, world['engine_pid'], 3 << 13) == 0"),
        _APART,
        needs=(),
    ),
)
