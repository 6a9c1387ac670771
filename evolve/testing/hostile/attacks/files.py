"""Attacks on files that no candidate may change: what the engine runs, reads, writes and believes."""

from evolve.testing.hostile.attack import Attack, Family, Judge, Need, is_claimed, is_evident, steps
from sandbox.layers import Layer

_WRITING = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, Layer.OWN_UID)
_SHARED = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE)  # whatever the uid: all may write there
_ALL = (*_WRITING, Layer.SECCOMP)
_CALLS = (Layer.SECCOMP, Layer.MOUNT_NAMESPACE, Layer.OWN_UID)
_KERNEL = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, Layer.OWN_UID)


def _files(
    name: str,
    text: str,
    *,
    stopped_by: tuple[str, ...] = _WRITING,
    needs: tuple[Need, ...] = (),
    breached: Judge = is_evident,
) -> Attack:
    return Attack(name=name, family=Family.FILES, text=text, stopped_by=stopped_by, needs=needs, breached=breached)


_SWAP = """
def swap(world):
    mine = os.path.join(os.path.dirname(world["evaluator"]), world["name"])
    write(mine, "def score_of(answer): return 1.0")
    os.rename(mine, world["evaluator"])
    return "swapped"
def exchange(world):
    ends = [world[name].encode() for name in ("evaluator", "hidden_tests")]
    return str(syscall("renameat2", AT_FDCWD, ends[0], AT_FDCWD, ends[1], 2))
def move_folder(world):
    folder = os.path.dirname(world["evaluator"])
    os.rename(folder, folder + "_old")
    return "moved"
"""

_POISON = """
def compiled(world):
    folder = os.path.join(os.path.dirname(world["evaluator"]), "__pycache__")
    os.makedirs(folder, exist_ok=True)
    return write(os.path.join(folder, "evaluate.cpython-311.pyc"), "poison")
def installed():
    import numpy
    return os.open(numpy.__file__, os.O_WRONLY | os.O_APPEND)
def stand_in(world):
    return os.open(os.path.join(world["site_packages"], "installed.py"), os.O_WRONLY | os.O_APPEND)
def interpreter():
    return os.open(os.__file__, os.O_WRONLY | os.O_APPEND)
"""

_MAPPED = """
def change(world):
    with open(world["database"], "r+b") as file, mmap.mmap(file.fileno(), 0) as pages:
        pages[:6] = b"poison"
    return "changed"
"""

_MODES = """
def by_descriptor(world):
    return os.fchmod(os.open(world["evaluator"], os.O_RDONLY), 0o777) or "changed"
def by_path_descriptor(world):
    descriptor = os.open(world["evaluator"], os.O_PATH)
    return os.chmod(f"/proc/self/fd/{descriptor}", 0o777) or "changed"
"""

_TRUNCATE = """
def open_for_reading(world):
    return os.open(world["database"], os.O_RDONLY | os.O_TRUNC) and "emptied"
def create(world):
    return str(syscall("creat", world["database"].encode(), 0o644))
"""

_COPY = """
def copy(world):
    target = os.open(world["database"], os.O_WRONLY)
    return os.copy_file_range(os.open("/usr/lib/os-release", os.O_RDONLY), target, 16)
def splice(world):
    ends = os.pipe()
    os.write(ends[1], b"poison")
    return os.splice(ends[0], os.open(world["database"], os.O_WRONLY), 6)
"""

_SPREAD = """
import tempfile
def spread(world):
    made = []
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run", world["home"], world["shared"], world["folder"]):
        try:
            made.append(write(os.path.join(folder, world["name"]), "x"))
        except OSError:
            pass
    return made or None
def folders(world):
    os.makedirs(os.path.join(tempfile.gettempdir(), world["name"], "deep"))
    return "made"
def special(world):
    os.mkfifo(os.path.join(world["shared"], world["name"]))
    return "made"
"""

_LINKS = """
def symbolic(world):
    os.symlink(world["ssh_key"], os.path.join(world["shared"], "report.txt"))
    return "linked"
def hard(world):
    os.link(world["evaluator"], os.path.join(world["shared"], "report.txt"))
    return "linked"
"""

_REOPEN = """
def reopen():
    opened = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.fstat(int(name)).st_size:
                os.ftruncate(os.open(f"/proc/self/fd/{name}", os.O_RDWR), 0)
                opened.append(name)
        except OSError:
            pass
    return opened or None
"""

_FLAGS = """
def flags(world):
    descriptor = os.open(world["database"], os.O_RDONLY)
    fcntl.ioctl(descriptor, 0x40086602, struct.pack("l", 0x40))
    return "changed"
"""

_MEMORY = """
def write_memory(world):
    with open(f"/proc/{world['engine_pid']}/mem", "r+b", buffering=0) as memory:
        for low, high in pages(f"/proc/{world['engine_pid']}/maps"):
            memory.seek(low)
            return len(memory.read(16))
"""

_KERNEL_FILES = """
def open_first(*paths):
    for path in paths:
        try:
            return path if os.open(path, os.O_WRONLY) else None
        except FileNotFoundError:
            pass
def cgroups():
    for place, _, names in os.walk("/sys/fs/cgroup"):
        if "cgroup.procs" in names:
            return os.path.join(place, "cgroup.procs") if os.open(place + "/cgroup.procs", os.O_WRONLY) else None
"""

_BIND = """
def cover(world):
    source, target = world["shared"].encode(), os.path.dirname(world["evaluator"]).encode()
    return str(syscall("mount", source, target, None, 0x1000, None))
"""

ATTACKS = (
    _files("write_into_the_home", steps("write(os.path.join(world['home'], '.bashrc'), 'poison')")),
    _files("append_to_the_database", steps("write(world['database'], 'x', os.O_WRONLY | os.O_APPEND)")),
    _files("change_the_database_by_mapping", steps("change(world)", definitions=_MAPPED)),
    _files("change_the_database_by_copying", steps("copy(world)", definitions=_COPY), stopped_by=_ALL),
    _files("change_the_database_by_splicing", steps("splice(world)", definitions=_COPY), stopped_by=_ALL),
    _files("truncate_the_database", steps("os.truncate(world['database'], 0) or 'emptied'"), stopped_by=_CALLS),
    _files(
        "truncate_while_opening_for_reading", steps("open_for_reading(world)", definitions=_TRUNCATE), stopped_by=_ALL
    ),
    _files(
        "truncate_by_the_old_call", steps("create(world)", definitions=_TRUNCATE), stopped_by=_ALL, needs=(Need.X86_64,)
    ),
    _files("delete_the_database", steps("os.unlink(world['database']) or 'deleted'"), stopped_by=_ALL),
    _files("swap_the_evaluator", steps("swap(world)", definitions=_SWAP)),
    _files("exchange_two_files", steps("exchange(world)", definitions=_SWAP), stopped_by=_ALL),
    _files("move_a_folder_away", steps("move_folder(world)", definitions=_SWAP), stopped_by=_ALL),
    _files(
        "add_a_module_that_always_runs",
        steps("write(os.path.join(world['site_packages'], world['name'] + '.pth'), 'import os')"),
    ),
    _files("poison_compiled_modules", steps("compiled(world)", definitions=_POISON), stopped_by=_ALL),
    _files(
        "poison_installed_modules",
        steps("installed()", "interpreter()", "stand_in(world)", definitions=_POISON),
        breached=is_claimed,
    ),
    _files("chmod_the_evaluator", steps("os.chmod(world['evaluator'], 0o777) or 'changed'"), stopped_by=_CALLS),
    _files("chmod_by_descriptor", steps("by_descriptor(world)", definitions=_MODES), stopped_by=_CALLS),
    _files("chmod_by_path_descriptor", steps("by_path_descriptor(world)", definitions=_MODES), stopped_by=_CALLS),
    _files(
        "chown_the_evaluator",
        steps("os.chown(world['evaluator'], 12345, 12345) or 'changed'"),
        stopped_by=_CALLS,
        needs=(Need.ROOT,),
    ),
    _files("change_times", steps("os.utime(world['evaluator'], (1, 1)) or 'changed'"), stopped_by=_CALLS),
    _files(
        "set_attributes",
        steps("os.setxattr(world['evaluator'], 'user.note', b'x') or 'changed'"),
        stopped_by=_CALLS,
        needs=(Need.ATTRIBUTES,),
    ),
    _files(
        "set_flags_of_a_file",
        steps("flags(world)", definitions=_FLAGS),
        stopped_by=_ALL,
        needs=(Need.FILE_FLAGS,),
        breached=is_claimed,
    ),
    _files("make_files_everywhere", steps("spread(world)", definitions=_SPREAD), stopped_by=_SHARED),
    _files("make_folders", steps("folders(world)", definitions=_SPREAD), stopped_by=(*_SHARED, Layer.SECCOMP)),
    _files("make_a_named_pipe", steps("special(world)", definitions=_SPREAD), stopped_by=(*_SHARED, Layer.SECCOMP)),
    _files("plant_a_symlink", steps("symbolic(world)", definitions=_LINKS), stopped_by=(*_SHARED, Layer.SECCOMP)),
    _files("plant_a_hard_link", steps("hard(world)", definitions=_LINKS), stopped_by=_ALL),
    _files(
        "write_through_inherited_descriptors",
        steps("reopen()", definitions=_REOPEN),
        stopped_by=(Layer.CLOSED_DESCRIPTORS, *_WRITING),
        breached=is_claimed,
    ),
    _files(
        "open_the_engines_memory_for_writing",
        steps("write_memory(world)", definitions=_MEMORY),
        stopped_by=_ALL,
        needs=(Need.TRACING,),
        breached=is_claimed,
    ),
    _files(
        "set_the_handler_of_crashes",
        steps("open_first('/proc/sys/kernel/core_pattern')", definitions=_KERNEL_FILES),
        stopped_by=_KERNEL,
        needs=(Need.ROOT, Need.KERNEL_SETTINGS),
        breached=is_claimed,
    ),
    _files(
        "change_settings_of_the_kernel",
        steps("open_first('/proc/sys/kernel/modprobe', '/proc/sys/vm/overcommit_memory')", definitions=_KERNEL_FILES),
        stopped_by=_KERNEL,
        needs=(Need.ROOT, Need.KERNEL_SETTINGS),
        breached=is_claimed,
    ),
    _files(
        "trigger_sysrq",
        steps("open_first('/proc/sysrq-trigger')", definitions=_KERNEL_FILES),
        stopped_by=_KERNEL,
        needs=(Need.ROOT, Need.SYSRQ),
        breached=is_claimed,
    ),
    _files(
        "escape_its_cgroup",
        steps("cgroups()", definitions=_KERNEL_FILES),
        stopped_by=_KERNEL,
        needs=(Need.ROOT, Need.CGROUPS),
        breached=is_claimed,
    ),
    _files(
        "mount_over_the_evaluator",
        steps("cover(world)", definitions=_BIND),
        stopped_by=(Layer.SECCOMP, Layer.OWN_UID),
        needs=(Need.ROOT,),
    ),
)
