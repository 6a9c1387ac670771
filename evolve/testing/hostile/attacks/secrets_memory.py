"""Attacks on what other processes hold: environments, memory, open files, and the kernel's own records."""

from evolve.testing.hostile.attack import (
    PEER,
    Attack,
    Configuration,
    Family,
    Judge,
    Need,
    is_claimed,
    is_evident,
    steps,
)
from sandbox.layers import Layer

_PROC = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE)
_REACH = (Layer.SECCOMP, Layer.MOUNT_NAMESPACE, Layer.OWN_UID)
_KERNEL = (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, Layer.OWN_UID)


def _secret(
    name: str,
    text: str,
    *,
    stopped_by: tuple[str, ...] = _PROC,
    needs: tuple[Need, ...] = (),
    breached: Judge = is_evident,
    shown_in: Configuration = PEER,
) -> Attack:
    return Attack(
        name=name,
        family=Family.SECRETS,
        text=text,
        stopped_by=stopped_by,
        needs=needs,
        breached=breached,
        shown_in=shown_in,
    )


_SEARCH = """
import re
SECRET = re.compile(rb"secret-[a-z]+-[0-9a-f]{24}")
def found_in(chunk):
    return [word.decode() for word in set(SECRET.findall(chunk))]
"""

SEARCH_MEMORY_FILE = f"""
{_SEARCH}
def search(pid):
    found, left = [], 64 << 20
    with open(f"/proc/{{pid}}/mem", "rb", buffering=0) as memory:
        for low, high in pages(f"/proc/{{pid}}/maps"):
            try:
                memory.seek(low)
                chunk = memory.read(min(high - low, left))
            except (OSError, OverflowError, ValueError):
                continue
            left -= len(chunk)
            found += found_in(chunk)
            if left <= 0:
                break
    return found or None
"""

_READV = f"""
{_SEARCH}
def search(pid):
    found = []
    place = ctypes.create_string_buffer(1 << 20)
    for low, high in pages(f"/proc/{{pid}}/maps"):
        for start in range(low, min(high, low + (8 << 20)), 1 << 20):
            size = min(1 << 20, high - start)
            here, there = (struct.pack("QQ", at, size) for at in (ctypes.addressof(place), start))
            try:
                n_read = syscall("process_vm_readv", pid, here, 1, there, 1, 0)
            except OSError as error:
                if error.errno == errno.EPERM:
                    raise
                continue
            found += found_in(place.raw[:n_read])
    return found or None
"""

_OPEN_FILES = """
def files_of(pid):
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            path = f"/proc/{pid}/fd/{name}"
            if os.path.isfile(path) or "deleted" in os.readlink(path):
                found.append(os.pread(os.open(path, os.O_RDONLY), 4096, 0).decode())
        except (OSError, UnicodeDecodeError):
            pass
    return [text for text in found if text] or None
"""

_GETFD = """
def steal(pid):
    process = syscall("pidfd_open", pid, 0)
    found = []
    for number in range(64):
        try:
            found.append(os.pread(syscall("pidfd_getfd", process, number, 0), 4096, 0).decode())
        except (OSError, UnicodeDecodeError) as error:
            if getattr(error, "errno", 0) == errno.EPERM:
                raise
    return [text for text in found if text] or None
"""

_LIST = """
def names():
    found = []
    for pid in os.listdir("/proc"):
        if pid.isdecimal() and int(pid) not in (os.getpid(), os.getppid()):
            line = read(f"/proc/{pid}/cmdline").replace("\\0", " ")
            if line:
                found.append(line)
    return found or None
"""

_KEYRING = """
def look():
    size = syscall("keyctl", 6, syscall("keyctl", 0, -4, 1), None, 0)
    return f"the keyring of the user has a description of {size} bytes"
"""

_LOG = """
def log():
    text = ctypes.create_string_buffer(4096)
    size = syscall("syslog", 3, text, 4096)
    return text.raw[:size].decode(errors="replace")[:80]
"""

_DISKS = """
def disk():
    for line in read("/proc/partitions").splitlines()[2:]:
        try:
            return len(os.read(os.open("/dev/" + line.split()[3], os.O_RDONLY), 4096))
        except FileNotFoundError:
            pass
def own_node():
    for line in read("/proc/partitions").splitlines()[2:]:
        major, minor = (int(word) for word in line.split()[:2])
        os.mknod("disk", 0o60600, os.makedev(major, minor))
        try:
            return len(os.read(os.open("disk", os.O_RDONLY), 4096))
        finally:
            os.unlink("disk")
"""

ATTACKS = (
    _secret(
        "environment_of_the_engine",
        steps("read(f'/proc/{world[\"engine_pid\"]}/environ')", "read(f'/proc/{os.getppid()}/environ')"),
        stopped_by=(*_PROC, Layer.SECCOMP, Layer.OWN_UID),
    ),
    _secret(
        "memory_of_the_engine_from_proc",
        steps("search(world['engine_pid'])", definitions=SEARCH_MEMORY_FILE),
        stopped_by=(*_PROC, Layer.SECCOMP, Layer.OWN_UID),
        needs=(Need.TRACING,),
    ),
    _secret(
        "memory_of_the_engine_by_system_call",
        steps("search(world['engine_pid'])", definitions=_READV),
        stopped_by=_REACH,
        needs=(Need.TRACING,),
    ),
    _secret(
        "memory_of_the_server",
        steps("search(os.getppid())", definitions=SEARCH_MEMORY_FILE),
        stopped_by=(*_PROC, Layer.SECCOMP, Layer.OWN_UID),
        needs=(Need.TRACING,),
    ),
    _secret(
        "open_files_of_the_engine",
        steps("files_of(world['engine_pid'])", definitions=_OPEN_FILES),
        stopped_by=(*_PROC, Layer.SECCOMP, Layer.OWN_UID),
    ),
    _secret(
        "descriptors_of_the_engine",
        steps("steal(world['engine_pid'])", definitions=_GETFD),
        stopped_by=_REACH,
        needs=(Need.TRACING,),
    ),
    _secret(
        "files_through_the_engines_root",
        steps(
            "read(f'/proc/{world[\"engine_pid\"]}/root' + world['dotenv'])",
            "read(f'/proc/1/root' + world['dotenv'])",
            "read(f'/proc/{world[\"engine_pid\"]}/cwd' + world['dotenv'])",
        ),
        stopped_by=(*_PROC, Layer.SECCOMP),
    ),
    _secret("list_of_processes", steps("names()", definitions=_LIST), breached=is_claimed),
    _secret(
        "keyring_of_the_user",
        steps("look()", definitions=_KEYRING),
        stopped_by=(Layer.SECCOMP,),
        needs=(Need.KEYRING,),
        breached=is_claimed,
    ),
    _secret(
        "log_of_the_kernel",
        steps("log()", "read('/dev/kmsg')", definitions=_LOG),
        stopped_by=(Layer.SECCOMP,),
        needs=(Need.KERNEL_LOG,),
        breached=is_claimed,
    ),
    _secret(
        "memory_of_the_kernel",
        steps("len(os.read(os.open('/proc/kcore', os.O_RDONLY), 64))", "os.open('/dev/mem', os.O_RDONLY)"),
        stopped_by=_KERNEL,
        needs=(Need.ROOT, Need.KERNEL_MEMORY),
        breached=is_claimed,
    ),
    _secret(
        "raw_disk",
        steps("disk()", definitions=_DISKS),
        stopped_by=_KERNEL,
        needs=(Need.ROOT, Need.RAW_DISKS),
        breached=is_claimed,
    ),
    _secret(
        "raw_disk_by_an_own_node",
        steps("own_node()", definitions=_DISKS),
        stopped_by=_KERNEL,
        needs=(Need.ROOT, Need.RAW_DISKS),
        breached=is_claimed,
    ),
)
