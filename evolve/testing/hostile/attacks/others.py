"""Attacks between candidates: what one leaves behind for the next, or hands to one that runs beside it.

The first visitor is given a random word; if the second says it, there was a way from one to the other.
"""

from evolve.testing.hostile.attack import PEER, Attack, Family, Need, Visit
from sandbox.layers import Layer

_FILES = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE)
_QUEUES = (Layer.SECCOMP,)  # the namespace of queues is one for all candidates of a server
_FRESH = "a-fresh-process-each"


def _others(
    name: str,
    text: str,
    *,
    stopped_by: tuple[str, ...] = _FILES,
    needs: tuple[Need, ...] = (),
    limit_only: str = "",
) -> Attack:
    return Attack(
        name=name,
        family=Family.OTHERS,
        text="from prelude import *\n" + text,
        stopped_by=stopped_by,
        visit=Visit.AFTER,
        needs=needs,
        shown_in=None if limit_only else PEER,
        limit_only=limit_only,
    )


def _file_in(folder: str) -> str:
    """The first writes a file into a folder (an expression), the second reads and removes it."""
    return f"""
def path(world):
    return os.path.join({folder}, world["name"])
def attack(world):
    return tries(lambda: write(path(world), world["word"]))
def later(world):
    def take():
        try:
            return read(path(world))
        finally:
            os.unlink(path(world))
    return tries(take)
"""


_SEGMENT = """
libc.shmat.restype = ctypes.c_void_p
def place(world, flags):
    return libc.shmat(syscall("shmget", world["key"], 4096, flags), None, 0)
def attack(world):
    def leave():
        ctypes.memmove(place(world, 0o1666), world["word"].encode(), 24)
        return "left"
    return tries(leave)
def later(world):
    def take():
        try:
            return ctypes.string_at(place(world, 0), 24).decode()
        finally:
            syscall("shmctl", syscall("shmget", world["key"], 0, 0), 0, 0)
    return tries(take)
"""

_QUEUE = """
def attack(world):
    message = struct.pack("l", 1) + world["word"].encode()
    return tries(lambda: str(syscall("msgsnd", syscall("msgget", world["key"], 0o1666), message, 24, 0)))
def later(world):
    def take():
        queue = syscall("msgget", world["key"], 0)
        message = ctypes.create_string_buffer(64)
        try:
            syscall("msgrcv", queue, message, 24, 0, 0o4000)
            return message.raw[8:32].decode()
        finally:
            libc.msgctl(queue, 0, None)
    return tries(take)
"""

_SEMAPHORE = """
def attack(world):
    def leave():
        group = syscall("semget", world["key"], 24, 0o1666)
        for index, letter in enumerate(world["word"]):
            assert libc.semctl(group, index, 16, ord(letter)) == 0
        return "left"
    return tries(leave)
def later(world):
    def take():
        group = syscall("semget", world["key"], 24, 0)
        try:
            return "".join(chr(libc.semctl(group, index, 12)) for index in range(24))
        finally:
            libc.semctl(group, 0, 0)
    return tries(take)
"""

_POSIX_QUEUE = """
def attack(world):
    def leave():
        queue = syscall("mq_open", world["name"].encode(), 0o102, 0o666, 0)
        return str(syscall("mq_timedsend", queue, world["word"].encode(), 24, 0, 0))
    return tries(leave)
def later(world):
    def take():
        queue = syscall("mq_open", world["name"].encode(), 0o4000, 0, 0)
        text = ctypes.create_string_buffer(8192)
        try:
            size = syscall("mq_timedreceive", queue, text, 8192, 0, 0)
            return text.raw[:size].decode()
        finally:
            syscall("mq_unlink", world["name"].encode())
    return tries(take)
"""

_KEYRING = """
def attack(world):
    word = world["word"].encode()
    return tries(lambda: str(syscall("add_key", b"user", world["name"].encode(), word, len(word), -4)))
def later(world):
    def take():
        key = syscall("keyctl", 10, -4, b"user", world["name"].encode(), 0)
        text = ctypes.create_string_buffer(64)
        try:
            size = syscall("keyctl", 11, key, text, 64)
            return text.raw[:size].decode()
        finally:
            syscall("keyctl", 9, key, -4)
    return tries(take)
"""

_ATTRIBUTE = """
def attack(world):
    return tries(lambda: os.setxattr(world["shared"], "user.note", world["word"].encode()) or "left")
def later(world):
    def take():
        try:
            return os.getxattr(world["shared"], "user.note").decode()
        finally:
            os.removexattr(world["shared"], "user.note")
    return tries(take)
"""

_FILE_TIMES = """
def attack(world):
    number = int(world["word"], 16)
    times = [number >> shift & 0xFFFFFF for shift in (72, 48, 24, 0)]
    def leave():
        for index in (0, 2):
            path = os.path.join(world["shared"], f"{world['name']}{index}")
            write(path, "")
            os.utime(path, (times[index], times[index + 1]))
        return "left"
    return tries(leave)
def later(world):
    def take():
        times = []
        for index in (0, 2):
            state = os.stat(os.path.join(world["shared"], f"{world['name']}{index}"))
            times += [int(state.st_atime), int(state.st_mtime)]
        return "".join(f"{number:06x}" for number in times)
    return tries(take)
"""

_MODULES = """
def attack(world):
    import builtins, json, numpy
    json.left = builtins.left = numpy.left = os.environ["LEFT"] = sys.left = world["word"]
    numpy.random.seed(int(world["word"][:7], 16))
    return [world["word"]]
def later(world):
    import builtins, json, numpy
    places = [vars(json), vars(builtins), vars(numpy), os.environ, vars(sys)]
    return [str(place.get("left", place.get("LEFT"))) for place in places]
"""

_CACHE = """
import functools
@functools.lru_cache
def remembered(question):
    return []
def attack(world):
    remembered("answer").append(world["word"])
    return 1
def later(world):
    return remembered("answer")
"""

_SHARED_PAGES = """
def attack(world):
    def leave():
        n_written = 0
        for line in open("/proc/self/maps").read().splitlines():
            words = line.split()
            if words[1].startswith("rw") and words[1].endswith("s"):
                ctypes.memmove(int(words[0].split("-")[0], 16), world["word"].encode(), 24)
                n_written += 1
        return n_written or None
    return tries(leave)
def later(world):
    def take():
        return [ctypes.string_at(int(line.split("-")[0], 16), 24).decode("latin-1")
                for line in open("/proc/self/maps").read().splitlines() if line.split()[1].endswith("s")] or None
    return tries(take)
"""

ATTACKS = (
    _others("leave_a_file_in_tmp", _file_in("'/tmp'"), stopped_by=(*_FILES, Layer.RESOURCE_LIMITS)),
    _others("leave_a_file_in_var_tmp", _file_in("'/var/tmp'"), stopped_by=(*_FILES, Layer.RESOURCE_LIMITS)),
    _others("leave_a_file_in_shared_memory", _file_in("'/dev/shm'"), stopped_by=(*_FILES, Layer.RESOURCE_LIMITS)),
    _others("leave_a_file_in_the_working_folder", _file_in("'.'"), stopped_by=("a-folder-each", *_FILES)),
    _others(
        "leave_a_file_beside_the_working_folder",
        _file_in("'..'"),
        stopped_by=(*_FILES, Layer.OWN_UID, Layer.RESOURCE_LIMITS),
    ),
    _others(
        "leave_a_file_in_a_folder_of_all", _file_in("world['shared']"), stopped_by=(*_FILES, Layer.RESOURCE_LIMITS)
    ),
    _others("leave_a_file_in_the_cache", _file_in("os.path.expanduser('~')")),
    _others("leave_a_shared_segment", _SEGMENT, stopped_by=_QUEUES, needs=(Need.SYSV,)),
    _others("leave_a_message", _QUEUE, stopped_by=_QUEUES, needs=(Need.SYSV,)),
    _others("leave_a_semaphore", _SEMAPHORE, stopped_by=_QUEUES, needs=(Need.SYSV,)),
    _others(
        "leave_a_posix_message",
        _POSIX_QUEUE,
        stopped_by=(*_QUEUES, Layer.RESOURCE_LIMITS),
        needs=(Need.MESSAGE_QUEUES,),
    ),
    _others("leave_a_key", _KEYRING, stopped_by=(Layer.SECCOMP,), needs=(Need.KEYRING,)),
    _others(
        "leave_an_attribute",
        _ATTRIBUTE,
        stopped_by=(Layer.SECCOMP, Layer.MOUNT_NAMESPACE),
        needs=(Need.ATTRIBUTES,),
    ),
    _others("leave_times_of_files", _FILE_TIMES),
    _others(
        "leave_a_changed_module",
        _MODULES,
        stopped_by=(_FRESH,),
        limit_only="every candidate has a process of its own",
    ),
    _others(
        "leave_a_cached_answer",
        _CACHE,
        stopped_by=(_FRESH,),
        limit_only="every candidate has a process of its own",
    ),
    _others(
        "leave_it_in_shared_pages",
        _SHARED_PAGES,
        stopped_by=("no-shared-pages",),
        limit_only="no process of ours maps pages that its children could write for each other",
    ),
)
