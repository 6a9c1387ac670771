"""Starting what must not run: forks, daemons, siblings, other programs, threads. Few processes, all mortal."""

from evolve.testing.hostile.attack import BARE, PEER, Attack, Configuration, Family, Judge, Need, steps
from evolve.testing.hostile.program import body, ends_as, is_broken, is_harmed
from sandbox.layers import Layer
from sandbox.limits import MEBIBYTE, Limits

_QUICK = Limits(wall_seconds=1.0, cpu_seconds=5.0, memory_bytes=128 * MEBIBYTE)
_NO_FORK = (Layer.SECCOMP, Layer.PID_NAMESPACE, "the server, who adopts and kills")
_NO_EXEC = (Layer.SECCOMP,)
_NO_SHELL = (Layer.SECCOMP, Layer.LANDLOCK, Layer.MOUNT_NAMESPACE)
_OWN_UID_ONLY = Configuration("own uid only", BARE.without - {Layer.OWN_UID})
_SECONDS = 20  # what escapes ends by itself

_CHILD = f"""
def stays():
    for number in signal.valid_signals() - {{signal.SIGKILL, signal.SIGSTOP}}:
        signal.signal(number, signal.SIG_IGN)
    time.sleep({_SECONDS})
    os._exit(0)

def fork(then=stays):
    pid = os.fork()
    if pid == 0:
        try:
            then()
        finally:
            os._exit(0)
    return pid

def daemon():
    os.setsid()
    fork()
"""
_HOPPER = f"""
def hop():
    end = time.monotonic() + {_SECONDS}
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.2)
"""
_RAW = """
def sibling():
    return syscall("clone", 0x8000 | signal.SIGCHLD, 0, 0, 0, 0) or stays()

def the_new_way():
    return syscall("clone3", struct.pack("11Q", *[0] * 4, signal.SIGCHLD, *[0] * 6), 88) or stays()
"""
_PROGRAM = f"""
LOOSE = "sleep {_SECONDS} & sleep {_SECONDS}"

def in_memory():
    descriptor = syscall("memfd_create", b"program", 0)
    os.write(descriptor, b"#!/bin/sh\\n" + LOOSE.encode())
    return descriptor

def execute(descriptor):
    words = (ctypes.c_char_p * 2)(b"x", None)
    return syscall("execveat", descriptor, b"", words, 0, 0x1000)
"""
_ROOT = """
def is_root(pid):
    time.sleep(0.1)
    words = next(line for line in read(f"/proc/{pid}/status").splitlines() if line.startswith("Uid:")).split()
    return words[1] != "0" and words[2] == "0"
"""
_THREADS = """
def threads(n, work, is_daemon=True):
    for _ in range(n):
        threading.Thread(target=work, daemon=is_daemon).start()
    return n
"""


def _attack(
    name: str,
    text: str,
    stopped_by: tuple[str, ...] = _NO_FORK,
    *,
    shown_in: Configuration = PEER,
    breached: Judge = is_harmed,
    needs: tuple[Need, ...] = (),
) -> Attack:
    return Attack(
        name=name,
        family=Family.PROCESSES,
        text=text,
        stopped_by=stopped_by,
        shown_in=shown_in,
        breached=breached,
        needs=needs,
        limits=_QUICK,
    )


ATTACKS = (
    _attack("fork_once", steps("fork()", definitions=_CHILD), (Layer.SECCOMP,), breached=is_broken),
    _attack("fork_bomb", steps("[fork() for _ in range(15)]", definitions=_CHILD)),
    _attack("fork_daemon", steps("fork(daemon)", definitions=_CHILD)),
    _attack("fork_into_own_session", steps("fork(lambda: os.setsid() and None or stays())", definitions=_CHILD)),
    _attack("fork_and_hop", steps("[fork(hop) for _ in range(3)]", definitions=_CHILD + _HOPPER)),
    _attack("fork_sibling", steps("sibling()", definitions=_CHILD + _RAW)),
    _attack("fork_the_new_way", steps("the_new_way()", definitions=_CHILD + _RAW)),
    _attack("fork_that_holds_the_pipes", body("fork()", "return 'the pipes stay open'", definitions=_CHILD)),
    _attack("fork_as_the_deadline_nears", body("for _ in range(19): fork(), time.sleep(0.06)", definitions=_CHILD)),
    _attack(
        "spawn_shell",
        steps("os.posix_spawn('/bin/sh', ['sh', '-c', LOOSE], {})", definitions=_PROGRAM),
        _NO_SHELL,
        breached=is_broken,
    ),
    _attack(
        "become_shell",
        steps("os.execv('/bin/sh', ['sh', '-c', LOOSE])", definitions=_PROGRAM),
        _NO_SHELL,
        breached=is_broken,
    ),
    _attack(
        "run_from_memory",
        steps("os.posix_spawn(f'/proc/self/fd/{in_memory()}', ['x'], {})", definitions=_PROGRAM),
        _NO_EXEC,
        breached=is_broken,
    ),
    _attack(
        "become_program_in_memory", steps("execute(in_memory())", definitions=_PROGRAM), _NO_EXEC, breached=is_broken
    ),
    _attack(
        "run_program_of_root",
        steps("is_root(os.posix_spawn('/bin/su', ['su', '-c', 'true'], {}))", definitions=_ROOT),
        (Layer.SECCOMP, Layer.NO_NEW_PRIVILEGES),
        shown_in=_OWN_UID_ONLY,
        breached=is_broken,
        needs=(Need.ROOT,),
    ),
    _attack(
        "thread_bomb",
        body("return threads(250, lambda: time.sleep(600))", definitions=_THREADS),
        (Layer.RESOURCE_LIMITS, Layer.MEMORY_WATCH, Layer.MEMORY_CGROUP),
        breached=ends_as("processes", "exception", telling="32"),
    ),
    Attack(
        name="thread_after_the_deadline",
        family=Family.PROCESSES,
        text=body(
            "threads(1, lambda: time.sleep(1.3) or write(world['shared'] + '/late', 'late'))",
            "time.sleep(600)",
            definitions=_THREADS,
        ),
        stopped_by=("the wall limit",),
        shown_in=None,
        limit_only="the wall limit kills the process, and its threads with it",
        breached=ends_as("timeout", telling="1 s"),
        limits=_QUICK,
    ),
    _attack(
        "thread_after_the_answer",
        body(
            "threads(1, lambda: time.sleep(0.2) or write(world['shared'] + '/late', 'late'), False)",
            "return 'answered'",
            definitions=_THREADS,
        ),
        (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, "the end of the session"),
    ),
)
