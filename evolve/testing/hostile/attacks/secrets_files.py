"""Attacks on files that no candidate may read, by every way to open, name or merely notice a file."""

from evolve.testing.hostile.attack import Attack, Family, Judge, Need, is_claimed, is_evident, steps
from sandbox.layers import Layer, Level

_FILES = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE)
_CALLS = (Layer.SECCOMP, Layer.MOUNT_NAMESPACE)
_ALL = (*_FILES, Layer.SECCOMP)
_SEEN_BELOW_FULL = frozenset((Level.STRONG,))  # Landlock hides what is in a file, not that it is there


def _secret(
    name: str,
    text: str,
    *,
    stopped_by: tuple[str, ...] = _FILES,
    needs: tuple[Need, ...] = (),
    breached: Judge = is_evident,
    not_promised: frozenset[Level] = frozenset(),
) -> Attack:
    return Attack(
        name=name,
        family=Family.SECRETS,
        text=text,
        stopped_by=stopped_by,
        needs=needs,
        breached=breached,
        not_promised=not_promised,
    )


_WALK = """
import tempfile
def search(world):
    found = []
    for top in (world["folder"], "..", os.path.expanduser("~")):
        for place, _, names in os.walk(top):
            for name in names:
                try:
                    text = read(os.path.join(place, name))
                except OSError:
                    continue
                if "secret-" in text:
                    found.append(text)
    return found[:20] or None
"""

_UP = """
def climb(world):
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(40):
        folder = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
    return os.read(os.open(world["dotenv"].lstrip("/"), os.O_RDONLY, dir_fd=folder), 4096).decode()
"""

_SYMLINK = """
def follow(world):
    os.symlink(world["dotenv"], "innocent.txt")
    try:
        return read("innocent.txt")
    finally:
        os.unlink("innocent.txt")
"""

_HARD_LINK = """
def link(world):
    path = os.path.join(world["shared"], "innocent.txt")
    os.link(world["dotenv"], path)
    return read(path)
"""

_RAW = """
def raw(name, *arguments):
    descriptor = syscall(name, *arguments)
    return os.read(descriptor, 4096).decode()
def openat2(world):
    how = ctypes.create_string_buffer(struct.pack("QQQ", 0, 0, 0), 24)
    return raw("openat2", AT_FDCWD, world["dotenv"].encode(), how, 24)
"""

_HANDLE = """
def handle(world):
    at = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128), 136)
    mount = ctypes.c_int()
    syscall("name_to_handle_at", AT_FDCWD, world["dotenv"].encode(), at, ctypes.byref(mount), 0)
    top = os.open(world["home"], os.O_RDONLY | os.O_DIRECTORY)
    return os.read(syscall("open_by_handle_at", top, at, os.O_RDONLY), 4096).decode()
"""

_MAPPED = """
def mapped(world):
    with open(world["dotenv"], "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:].decode()
"""

_SENDFILE = """
def copy(world):
    ends = os.pipe()
    source = os.open(world["hidden_tests"], os.O_RDONLY)
    os.sendfile(ends[1], source, 0, 4096)
    return os.read(ends[0], 4096).decode()
"""

_STATX = """
def statx(world):
    state = ctypes.create_string_buffer(256)
    syscall("statx", AT_FDCWD, world["dotenv"].encode(), 0, 0x7FF, state)
    seconds, nanoseconds = struct.unpack_from("<qI", state.raw, 0x70)
    return str(seconds * 10**9 + nanoseconds)
"""

_BY_PATH_ONLY = """
def by_path_only(world):
    return str(os.fstat(os.open(world["dotenv"], os.O_PATH)).st_mtime_ns)
"""

_BY_ERROR = """
def number(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        return error.errno
    return 0
def tell(world):
    return number(world["dotenv"]) != number(world["dotenv"] + ".missing")
"""

_BY_CHDIR = """
def enter(path):
    try:
        os.chdir(path)
    except OSError as error:
        return error.errno
    return 0
def tell(world):
    return enter(world["home"]) != enter(world["home"] + ".missing")
"""

_COMPILED = """
import importlib.util
def load(world):
    spec = importlib.util.spec_from_file_location("evaluator", world["evaluator"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [module.HIDDEN, module.EXPECTED]
"""

_INOTIFY = """
def watch(world):
    watcher = syscall("inotify_init1", 0)
    return syscall("inotify_add_watch", watcher, world["home"].encode(), 0xFFF)
"""

_FANOTIFY = """
def watch(world):
    watcher = syscall("fanotify_init", 0, 0)
    syscall("fanotify_mark", watcher, 1, 0x20, AT_FDCWD, world["dotenv"].encode())
    return watcher
"""

# The kernel opens the file on behalf of a ring: a filter of system calls never sees it.
_RING = """
from prelude import *
def attack(world):
    def steal():
        params = ctypes.create_string_buffer(120)
        ring = syscall("io_uring_setup", 4, params)
        n_submit, n_complete = struct.unpack_from("II", params.raw, 0)
        sq, cq = struct.unpack_from("10I", params.raw, 40), struct.unpack_from("10I", params.raw, 80)
        size = max(sq[6] + 4 * n_submit, cq[5] + 16 * n_complete)
        rings = mmap.mmap(ring, size, flags=mmap.MAP_SHARED, offset=0)
        entries = mmap.mmap(ring, 64 * n_submit, flags=mmap.MAP_SHARED, offset=0x10000000)
        path = ctypes.create_string_buffer(world["dotenv"].encode())
        entries[:64] = struct.pack("BBHiQQII", 18, 0, 0, AT_FDCWD, 0, ctypes.addressof(path), 0, 0) + bytes(32)
        struct.pack_into("I", rings, sq[6], 0)
        struct.pack_into("I", rings, sq[1], 1)
        syscall("io_uring_enter", ring, 1, 1, 1, 0, 0)
        result = struct.unpack_from("<Qi", rings, cq[5])[1]
        assert result >= 0, os.strerror(-result)
        return os.read(result, 4096).decode()
    return tries(steal)
"""

ATTACKS = (
    _secret("read_dotenv", steps("read(world['dotenv'])")),
    _secret("read_ssh_key", steps("read(world['ssh_key'])")),
    _secret("read_hidden_tests", steps("read(world['hidden_tests'])")),
    _secret("read_evaluators_source", steps("read(world['evaluator'])")),
    _secret("import_the_evaluator_by_path", steps("load(world)", definitions=_COMPILED)),
    _secret("search_all_folders", steps("search(world)", definitions=_WALK)),
    _secret("climb_out_of_the_folder", steps("climb(world)", definitions=_UP)),
    _secret("read_through_a_symlink", steps("follow(world)", definitions=_SYMLINK), stopped_by=_ALL),
    _secret(
        "read_through_a_hard_link",
        steps("link(world)", definitions=_HARD_LINK),
        stopped_by=_ALL,
        needs=(Need.HARD_LINKS,),
    ),
    _secret("read_by_mapping", steps("mapped(world)", definitions=_MAPPED)),
    _secret("read_by_sendfile", steps("copy(world)", definitions=_SENDFILE), stopped_by=_ALL),
    _secret(
        "open_by_the_old_call",
        steps("raw('open', world['dotenv'].encode(), 0, 0)", definitions=_RAW),
        needs=(Need.X86_64,),
    ),
    _secret("open_by_the_new_call", steps("openat2(world)", definitions=_RAW), stopped_by=_ALL),
    _secret("open_by_io_uring", _RING, stopped_by=_ALL, needs=(Need.IO_URING,)),
    _secret(
        "open_by_handle",
        steps("handle(world)", definitions=_HANDLE),
        stopped_by=_CALLS,
        needs=(Need.ROOT, Need.FILE_HANDLES),
    ),
    _secret(
        "read_shadow_passwords",
        steps("read('/etc/shadow')", "read('/etc/gshadow')"),
        needs=(Need.ROOT,),
        breached=is_claimed,
    ),
    _secret(
        "notice_a_file_by_stat",
        steps("str(os.stat(world['dotenv']).st_mtime_ns)"),
        stopped_by=(Layer.MOUNT_NAMESPACE,),
        not_promised=_SEEN_BELOW_FULL,
    ),
    _secret(
        "notice_a_file_by_statx",
        steps("statx(world)", definitions=_STATX),
        stopped_by=(Layer.MOUNT_NAMESPACE,),
        not_promised=_SEEN_BELOW_FULL,
    ),
    _secret(
        "notice_a_file_by_its_path_alone",
        steps("by_path_only(world)", definitions=_BY_PATH_ONLY),
        stopped_by=_CALLS,
    ),
    _secret(
        "notice_a_file_by_the_error",
        steps("tell(world)", definitions=_BY_ERROR),
        stopped_by=(Layer.MOUNT_NAMESPACE,),
        breached=is_claimed,
        not_promised=_SEEN_BELOW_FULL,
    ),
    _secret(
        "notice_a_folder_by_entering_it",
        steps("tell(world)", definitions=_BY_CHDIR),
        stopped_by=(Layer.MOUNT_NAMESPACE,),
        breached=is_claimed,
        not_promised=_SEEN_BELOW_FULL,
    ),
    _secret("list_the_home_folder", steps("os.listdir(world['home'])"), breached=is_claimed),
    _secret(
        "watch_files_by_inotify", steps("watch(world)", definitions=_INOTIFY), stopped_by=_CALLS, breached=is_claimed
    ),
    _secret(
        "watch_files_by_fanotify",
        steps("watch(world)", definitions=_FANOTIFY),
        stopped_by=(*_CALLS, Layer.OWN_UID),
        needs=(Need.ROOT,),
        breached=is_claimed,
    ),
)
