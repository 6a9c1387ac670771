"""Attacks between candidates that run at the same time: a meeting point, a lock, a look at the neighbour."""

from evolve.testing.hostile.attack import (
    BARE,
    PEER,
    Attack,
    Configuration,
    Family,
    Judge,
    Need,
    Visit,
    is_claimed,
    is_evident,
    steps,
)
from evolve.testing.hostile.attacks.secrets_memory import SEARCH_MEMORY_FILE
from sandbox.layers import Layer

_FILES = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE)
_SOCKETS = (Layer.SECCOMP, Layer.NETWORK_NAMESPACE)


def _beside(  # noqa: PLR0913 one keyword for each field that is not always the same
    name: str,
    text: str,
    *,
    stopped_by: tuple[str, ...],
    visit: Visit = Visit.BESIDE,
    needs: tuple[Need, ...] = (),
    breached: Judge = is_evident,
    shown_in: Configuration = PEER,
) -> Attack:
    return Attack(
        name=name,
        family=Family.OTHERS,
        text=text,
        stopped_by=stopped_by,
        visit=visit,
        needs=needs,
        breached=breached,
        shown_in=shown_in,
    )


def _meeting(family: str, address: str) -> str:
    """The first serves its word in a thread, the second fetches it."""
    return f"""
from prelude import *
def serve(server, word):
    while True:
        caller, _ = server.accept()
        caller.sendall(word)
        caller.close()
def attack(world):
    def listen():
        server = socket.socket({family})
        server.bind({address})
        server.listen()
        threading.Thread(target=serve, args=(server, world["word"].encode()), daemon=True).start()
        return "listens"
    return tries(listen)
def later(world):
    def fetch():
        with socket.socket({family}) as caller:
            caller.settimeout(0.5)
            caller.connect({address})
            return caller.recv(64).decode()
    return tries(fetch)
"""


_FIFO = """
from prelude import *
kept = []
def path(world):
    return os.path.join(world["shared"], world["name"])
def attack(world):
    def leave():
        os.mkfifo(path(world))
        kept.append(os.open(path(world), os.O_RDWR | os.O_NONBLOCK))
        return os.write(kept[0], world["word"].encode())
    return tries(leave)
def later(world):
    return tries(lambda: os.read(os.open(path(world), os.O_RDONLY | os.O_NONBLOCK), 64).decode())
"""

_MEMORY_FILE = """
from prelude import *
kept = []
def attack(world):
    def leave():
        kept.append(os.memfd_create(world["name"]))
        return os.write(kept[0], world["word"].encode())
    return tries(leave)
def later(world):
    def find():
        for pid in filter(str.isdecimal, os.listdir("/proc")):
            try:
                for name in os.listdir(f"/proc/{pid}/fd"):
                    path = f"/proc/{pid}/fd/{name}"
                    if world["name"] in os.readlink(path):
                        return read(path)
            except OSError:
                pass
    return tries(find)
"""

_MESSENGER = """
from prelude import *
def attack(world):
    def leave():
        server = socket.socket(socket.AF_UNIX)
        server.bind(("\\0" + world["name"] + "x").encode())
        server.listen()
        if os.fork() == 0:
            os.setsid()
            signal.alarm(20)
            while True:
                caller, _ = server.accept()
                caller.sendall(world["word"].encode())
                caller.close()
        return "stays"
    return tries(leave)
def later(world):
    def fetch():
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(0.5)
            caller.connect(("\\0" + world["name"] + "x").encode())
            return caller.recv(64).decode()
    return tries(fetch)
"""

_LOCKS = """
kept = []
def flock(world):
    kept.append(os.open(world["database"], os.O_RDONLY))
    fcntl.flock(kept[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    return "locked"
def record(world):
    kept.append(os.open(world["database"], os.O_RDWR))
    fcntl.lockf(kept[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    return "locked"
def lease(world):
    kept.append(os.open(world["database"], os.O_RDONLY))
    fcntl.fcntl(kept[-1], 1024, fcntl.F_RDLCK)
    return "leased"
"""

_INHERITED_LOCK = """
import stat
def lock():
    locked = []
    for descriptor in range(256):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                locked.append(descriptor)
        except OSError:
            pass
    return locked or None
"""

# The flags belong to what a descriptor stands for, and so to everybody who inherited it.
_FLAGS = """
from prelude import *
def descriptors():
    for descriptor in range(64):
        try:
            yield descriptor, fcntl.fcntl(descriptor, fcntl.F_GETFL)
        except OSError:
            pass
def attack(world):
    for descriptor, flags in descriptors():
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)
def later(world):
    return tries(lambda: [number for number, flags in descriptors() if flags & os.O_NONBLOCK] or None)
"""

_LIST = """
def others(world):
    folder = world["neighbour_folder"]
    if folder != os.getcwd():
        folder = os.path.dirname(folder)
    return os.listdir(folder) or None
"""

ATTACKS = (
    _beside(
        "meet_at_an_abstract_socket",
        _meeting("socket.AF_UNIX", "('\\0' + world['name'] + 'm').encode()"),
        stopped_by=(Layer.SECCOMP,),
    ),
    _beside(
        "meet_at_a_socket_in_a_folder",
        _meeting("socket.AF_UNIX", "os.path.join(world['shared'], world['name'])"),
        stopped_by=(Layer.SECCOMP, *_FILES),
    ),
    _beside(
        "meet_at_a_port",
        _meeting("socket.AF_INET", "('127.0.0.1', 20000 + world['key'] % 12000)"),
        stopped_by=_SOCKETS,
    ),
    _beside("meet_at_a_named_pipe", _FIFO, stopped_by=(Layer.SECCOMP, *_FILES)),
    _beside("meet_at_a_memory_file", _MEMORY_FILE, stopped_by=(Layer.SECCOMP, *_FILES)),
    _beside(
        "leave_a_messenger",
        _MESSENGER,
        stopped_by=(Layer.SECCOMP, Layer.PID_NAMESPACE, "the-whole-tree-is-killed"),
        visit=Visit.AFTER,
    ),
    _beside(
        "lock_the_database",
        steps("flock(world)", definitions=_LOCKS),
        stopped_by=(Layer.SECCOMP, *_FILES),
        visit=Visit.NONE,
    ),
    _beside(
        "lock_records_of_the_database",
        steps("record(world)", definitions=_LOCKS),
        stopped_by=(Layer.SECCOMP, *_FILES),
        visit=Visit.NONE,
    ),
    _beside(
        "lease_the_database",
        steps("lease(world)", definitions=_LOCKS),
        stopped_by=(Layer.SECCOMP, *_FILES),
        visit=Visit.NONE,
        breached=is_claimed,
    ),
    _beside(
        "take_inherited_locks",
        steps("lock()", definitions=_INHERITED_LOCK),
        stopped_by=(Layer.CLOSED_DESCRIPTORS, Layer.SECCOMP),
        visit=Visit.NONE,
        breached=is_claimed,
    ),
    _beside(
        "leave_flags_on_a_descriptor",
        _FLAGS,
        stopped_by=("descriptors-of-its-own",),
        visit=Visit.AFTER,
        breached=is_claimed,
    ),
    _beside(
        "read_the_neighbours_notes",
        steps("read(os.path.join(world['neighbour_folder'], 'notes.txt'))"),
        stopped_by=("a-folder-each", *_FILES),
        visit=Visit.NONE,
    ),
    _beside(
        "read_the_neighbours_memory",
        steps("search(world['neighbour_pid'])", definitions=SEARCH_MEMORY_FILE),
        stopped_by=(*_FILES, Layer.SECCOMP, Layer.OWN_UID),
        visit=Visit.NONE,
        needs=(Need.TRACING,),
    ),
    _beside(
        "read_the_neighbours_memory_on_our_server",
        steps("search(world['neighbour_pid'])", definitions=SEARCH_MEMORY_FILE),
        stopped_by=(*_FILES, Layer.SECCOMP, Layer.OWN_UID),
        visit=Visit.NONE,
        needs=(Need.TRACING,),
        shown_in=BARE,
    ),
    _beside(
        "list_the_neighbours",
        steps("others(world)", definitions=_LIST),
        stopped_by=_FILES,
        visit=Visit.NONE,
        breached=is_claimed,
    ),
)
