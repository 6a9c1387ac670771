"""Ending and stopping other processes: the engine, the fork server, a neighbour, everybody."""

from evolve.testing.hostile.attack import BARE, PEER, Attack, Configuration, Family, Judge, steps
from evolve.testing.hostile.program import is_broken, is_harmed
from sandbox.layers import Layer

_APART = (Layer.SECCOMP, Layer.PID_NAMESPACE, Layer.OWN_UID, Layer.LANDLOCK)
_HAND_MADE = """
def siginfo(number):
    return ctypes.create_string_buffer(struct.pack("6i", number, 0, -1, 0, os.getpid(), os.getuid()), 128)
"""


def _attack(
    name: str,
    text: str,
    stopped_by: tuple[str, ...] = _APART,
    shown_in: Configuration = PEER,
    breached: Judge = is_harmed,
) -> Attack:
    return Attack(
        name=name, family=Family.PROCESSES, text=text, stopped_by=stopped_by, shown_in=shown_in, breached=breached
    )


ATTACKS = (
    _attack("kill_engine", steps("os.kill(world['engine_pid'], signal.SIGKILL) or 'killed'")),
    _attack("kill_neighbour", steps("os.kill(world['neighbour_pid'], signal.SIGKILL) or 'killed'")),
    _attack("kill_server", steps("os.kill(os.getppid() or os.getpid(), signal.SIGKILL) or 'killed'"), shown_in=BARE),
    _attack("kill_everybody", steps("os.kill(-1, signal.SIGKILL) or 'killed'")),
    _attack("kill_own_group", steps("os.killpg(0, signal.SIGKILL) or 'killed'"), (Layer.OWN_SESSION, Layer.SECCOMP)),
    _attack("kill_group_of_engine", steps("os.killpg(os.getpgid(world['engine_pid']), signal.SIGKILL) or 'killed'")),
    _attack("kill_raw", steps("syscall('kill', world['engine_pid'], 9) == 0")),
    _attack("kill_a_thread", steps("syscall('tgkill', world['engine_pid'], world['engine_pid'], 9) == 0")),
    _attack("kill_a_thread_the_old_way", steps("syscall('tkill', world['engine_pid'], 9) == 0")),
    _attack(
        "kill_by_descriptor",
        steps("syscall('pidfd_send_signal', syscall('pidfd_open', world['engine_pid'], 0), 9, 0, 0) == 0"),
    ),
    _attack(
        "kill_by_folder_of_proc",
        steps("syscall('pidfd_send_signal', os.open(f\"/proc/{world['engine_pid']}\", os.O_RDONLY), 9, 0, 0) == 0"),
        (*_APART, Layer.MOUNT_NAMESPACE),
    ),
    _attack(
        "kill_with_queued_signal",
        steps("syscall(129 if IS_X86 else 138, world['engine_pid'], 9, siginfo(9)) == 0", definitions=_HAND_MADE),
    ),
    _attack("stop_engine", steps("os.kill(world['engine_pid'], signal.SIGSTOP) or 'stopped'")),
    _attack("terminate_engine", steps("os.kill(world['engine_pid'], signal.SIGTERM) or 'terminated'")),
    _attack(
        "outlive_the_server", steps("libc.prctl(1, 0, 0, 0, 0) == 0 and 'alone'"), (Layer.SECCOMP,), breached=is_broken
    ),
)
