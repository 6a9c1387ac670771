"""Getting more rights than were given: namespaces, mounts, kernel interfaces, taking off the own sandbox."""

from evolve.testing.hostile.attack import PEER, Attack, Configuration, Family, Need, steps
from evolve.testing.hostile.program import is_broken
from sandbox.layers import Layer

_NO_RIGHTS = (Layer.SECCOMP, Layer.OWN_UID)
_FILTER = (Layer.SECCOMP,)
_ROOT = (Need.ROOT,)
_LIMITED = (Layer.RESOURCE_LIMITS, Layer.SECCOMP)
_NEW_USERS, _NEW_MOUNTS = 0x1000_0000, 0x2_0000
_EVENT = "struct.pack('IIQQQQQ', 1, 64, 0, 0, 0, 0, 0) + bytes(16)"
_OWN_FILTER = """
def own_filter():
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000), 8)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(code)), 16)
    libc.prctl(38, 1, 0, 0, 0)
    return syscall("seccomp", 1, 0, program) == 0
"""
_PACE = """
def set_pace():
    clock = ctypes.create_string_buffer(208)
    syscall("clock_adjtime", 0, clock)
    struct.pack_into("I", clock, 0, 2)  # the pace, and as it was
    return syscall("clock_adjtime", 0, clock) >= 0 and "the machine's clock"
"""
_LIMITS = """
def raised(name, value):
    resource.setrlimit(name, (value, value))
    return resource.getrlimit(name)[0] == value and value
"""


def _attack(
    name: str,
    text: str,
    stopped_by: tuple[str, ...] = _FILTER,
    shown_in: Configuration | None = PEER,
    needs: tuple[Need, ...] = (),
) -> Attack:
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
    _attack("make_user_namespace", steps(f"syscall('unshare', {_NEW_USERS}) == 0"), needs=(Need.USER_NAMESPACES,)),
    _attack("make_mount_namespace", steps(f"syscall('unshare', {_NEW_MOUNTS}) == 0"), _NO_RIGHTS, needs=_ROOT),
    _attack(
        "enter_namespace_of_engine",
        steps("syscall('setns', syscall('pidfd_open', world['engine_pid'], 0), 0x08000000) == 0"),
        (*_NO_RIGHTS, Layer.PID_NAMESPACE),
        needs=_ROOT,
    ),
    _attack("mount_the_new_way", steps("syscall('fsopen', b'tmpfs', 0)"), _NO_RIGHTS, needs=_ROOT),
    _attack("mount_a_copy_of_the_tree", steps("syscall('open_tree', AT_FDCWD, b'/', 1)"), _NO_RIGHTS, needs=_ROOT),
    _attack("change_root", steps("os.chroot('/') or 'a new root'"), _NO_RIGHTS, needs=_ROOT),
    _attack("become_root_again", steps("os.setuid(0) or os.setgroups([0]) or 'root'"), _NO_RIGHTS, needs=_ROOT),
    _attack("load_bpf", steps("syscall('bpf', 0, struct.pack('16I', 2, 4, 8, 1, *[0] * 12), 64)"), needs=(Need.BPF,)),
    _attack("watch_with_perf", steps(f"syscall('perf_event_open', {_EVENT}, 0, -1, -1, 0)"), needs=(Need.PERF,)),
    _attack("hold_page_faults", steps("syscall('userfaultfd', 1)"), needs=(Need.PAGE_FAULTS,)),
    _attack("change_personality", steps("syscall('personality', 0x0040000) >= 0 and 'no random addresses'")),
    _attack("filter_itself_again", steps("own_filter()", definitions=_OWN_FILTER)),
    _attack("restrict_itself_again", steps("syscall('landlock_create_ruleset', 0, 0, 1)"), needs=(Need.LANDLOCK,)),
    _attack("raise_file_limit", steps("raised(resource.RLIMIT_NOFILE, 1000)", definitions=_LIMITS), _LIMITED),
    _attack("raise_memory_limit", steps("raised(resource.RLIMIT_AS, 1 << 40)", definitions=_LIMITS), _LIMITED),
    _attack("raise_file_size_limit", steps("raised(resource.RLIMIT_FSIZE, 1 << 40)", definitions=_LIMITS), _LIMITED),
    _attack("be_dumpable_again", steps("libc.prctl(4, 1, 0, 0, 0) == 0 and libc.prctl(3, 0, 0, 0, 0) == 1")),
    _attack("pin_memory", steps("libc.mlockall(3) == 0 and 'all pinned'"), stopped_by=_NO_RIGHTS, needs=_ROOT),
    _attack(
        "real_time_policy",
        steps("os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)) or 'first'"),
        stopped_by=_NO_RIGHTS,
        needs=_ROOT,
    ),
    _attack("have_children_adopted", steps("libc.prctl(36, 1, 0, 0, 0) == 0 and 'a reaper'")),
    _attack("change_clock", steps("set_pace()", definitions=_PACE), _NO_RIGHTS, needs=_ROOT),
)
