"""Taking more memory than allowed, by every way the kernel offers. No attack takes more than 200 MiB."""

from evolve.testing.hostile.attack import Attack, Family, Judge, Need, Outcome, is_evident
from evolve.testing.hostile.program import body, ends_as
from sandbox.layers import Layer
from sandbox.limits import MEBIBYTE, Limits

_LIMITS = Limits(wall_seconds=4.0, cpu_seconds=8.0, memory_bytes=48 * MEBIBYTE)
_TELLING = ends_as("memory", telling="48 MiB")
_COUNTED = (Layer.MEMORY_WATCH, Layer.MEMORY_CGROUP)
_RESERVED = (Layer.RESOURCE_LIMITS, *_COUNTED)
_REFUSED = (Layer.SECCOMP, *_COUNTED)
_ENOUGH = 96  # MiB; more than allowed with every allowance


def _got_much(outcome: Outcome) -> bool:
    """It says that it holds twice what it may; a refusal by the kernel is as good as an end."""
    return is_evident(outcome) or any(isinstance(each, int) and each >= _ENOUGH for each in outcome.got)


def _attack(
    name: str,
    text: str,
    stopped_by: tuple[str, ...],
    breached: Judge = _TELLING,
    needs: tuple[Need, ...] = (),
) -> Attack:
    return Attack(
        name=name,
        family=Family.RESOURCES,
        text=text,
        stopped_by=stopped_by,
        breached=breached,
        needs=needs,
        limits=_LIMITS,
    )


_HOLD = """
MIB = 1 << 20

def hold(take, step=4, most=192):
    kept, held = [], 0
    while held < most:
        kept.append(take(step * MIB))
        held += step
    time.sleep(0.3)
    return held

def shared(size, flags=0x21, descriptor=-1):
    libc.mmap.restype = ctypes.c_void_p
    place = libc.mmap(None, ctypes.c_size_t(size), 3, flags, descriptor, ctypes.c_long(0))
    assert place != ctypes.c_void_p(-1).value, os.strerror(ctypes.get_errno())
    ctypes.memset(place, 1, size)
    return place

def mapped(size):
    pages = mmap.mmap(-1, size)
    pages.write(b"x" * size)
    return pages

def in_file(descriptor, size):
    block = b"x" * size
    return os.write(descriptor, block)

def from_c(allocate):
    allocate.restype = ctypes.c_void_p
    def take(size):
        place = allocate(ctypes.c_size_t(size))
        if place in (None, 0, ctypes.c_void_p(-1).value):
            raise MemoryError
        ctypes.memset(place, 1, size)
        return place
    return take

def page_tables():
    libc.mmap.restype = ctypes.c_void_p
    size = 48 << 30
    place = libc.mmap(None, ctypes.c_size_t(size), 1, 0x4022, -1, ctypes.c_long(0))
    assert place != ctypes.c_void_p(-1).value, "no room"
    for at in range(place, place + size, 2 * MIB):
        ctypes.c_char.from_address(at).value
    return size // (2 * MIB) * 4096 // MIB

def on_stacks(n=24, size=8):
    threading.stack_size(size * MIB)
    filled = threading.Semaphore(0)
    def fill():
        attributes, place = ctypes.create_string_buffer(64), ctypes.c_void_p()
        libc.pthread_getattr_np(ctypes.c_void_p(threading.get_ident()), attributes)
        libc.pthread_attr_getstack(attributes, ctypes.byref(place), ctypes.byref(ctypes.c_size_t()))
        ctypes.memset(place.value + 65536, 1, size * MIB - 262144)  # below what is in use
        filled.release()
        time.sleep(600)
    for _ in range(n):
        threading.Thread(target=fill, daemon=True).start()
    for _ in range(n):
        filled.acquire()
    return n * size
"""


def _tried(expression: str) -> str:
    return body(f"return tries(lambda: {expression})", definitions=_HOLD)


ATTACKS = (
    _attack("memory_in_one_piece", body("return len(bytearray(200 << 20))"), _RESERVED),
    _attack("memory_by_and_by", body("return hold(bytearray)", definitions=_HOLD), _RESERVED),
    _attack("memory_at_import", "kept = [b'x' * (1 << 20) for _ in range(190)]\n" + body("return 1"), _RESERVED),
    _attack(
        "memory_in_arrays",
        body("import numpy", "return hold(lambda size: numpy.ones(size // 8))", definitions=_HOLD),
        _RESERVED,
    ),
    _attack("memory_in_objects", body("return len([[number] for number in range(2_000_000)])"), _RESERVED),
    _attack("memory_in_one_number", body("return (1 << (1 << 30)).bit_length()"), _RESERVED),
    _attack("memory_behind_python", body("return hold(from_c(libc.malloc))", definitions=_HOLD), _RESERVED),
    _attack("memory_of_the_heap", body("return hold(from_c(libc.sbrk))", definitions=_HOLD), _RESERVED),
    _attack(
        "memory_after_a_refusal",
        body(
            "kept, step = [], 1 << 20",
            "while step > 64:",
            "    try: kept.append(bytearray(step))",
            "    except MemoryError: step //= 2",
            "    if sum(map(len, kept)) > 100 << 20: break",
            "return {'got': [sum(map(len, kept)) >> 20]}",
        ),
        _RESERVED,
        _got_much,
    ),
    _attack("memory_shared", _tried("hold(shared)"), _REFUSED, _got_much),
    _attack(
        "memory_shared_by_python",
        _tried("hold(mapped)"),
        _REFUSED,
        _got_much,
    ),
    _attack(
        "memory_in_a_nameless_file",
        body(
            "def much():",
            "    descriptor = syscall('memfd_create', b'much', 0)",
            "    return hold(lambda size: in_file(descriptor, size))",
            "return tries(much)",
            definitions=_HOLD,
        ),
        (Layer.SECCOMP, Layer.RESOURCE_LIMITS, Layer.MEMORY_CGROUP),
        _got_much,
    ),
    _attack(
        "memory_in_dev_shm",
        body(
            "def much():",
            "    descriptor = os.open('/dev/shm/' + world['name'], os.O_CREAT | os.O_RDWR)",
            "    os.unlink('/dev/shm/' + world['name'])",
            "    return hold(lambda size: in_file(descriptor, size))",
            "return tries(much)",
            definitions=_HOLD,
        ),
        (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, Layer.RESOURCE_LIMITS, Layer.MEMORY_CGROUP),
        _got_much,
    ),
    _attack(
        "memory_of_dev_zero",
        body(
            "def much():",
            "    descriptor = os.open('/dev/zero', os.O_RDWR)",
            "    return hold(lambda size: shared(size, 1, descriptor))",
            "return tries(much)",
            definitions=_HOLD,
        ),
        (Layer.LANDLOCK, Layer.MOUNT_NAMESPACE, *_COUNTED),
        _got_much,
    ),
    _attack(
        "memory_in_system_v_segments",
        body(
            "def segment(size):",
            "    number = syscall('shmget', 0, size, 0o600)",
            "    libc.shmat.restype = ctypes.c_void_p",
            "    place = libc.shmat(number, None, 0)",
            "    syscall('shmctl', number, 0, 0)",
            "    ctypes.memset(place, 1, size)",
            "return tries(lambda: hold(segment))",
            definitions=_HOLD,
        ),
        _REFUSED,
        _got_much,
        needs=(Need.SYSV,),
    ),
    _attack("memory_on_stacks", _tried("on_stacks()"), _RESERVED, _got_much),
    _attack("memory_in_page_tables", _tried("page_tables()"), _RESERVED, _got_much),
    _attack(
        "memory_in_secret_pages",
        body(
            "def much():",
            "    descriptor = syscall('memfd_secret', 0)",
            "    os.ftruncate(descriptor, 96 << 20)",
            "    return shared(96 << 20, 1, descriptor) and 96",
            "return tries(much)",
            definitions=_HOLD,
        ),
        (Layer.SECCOMP, Layer.RESOURCE_LIMITS),
        _got_much,
        needs=(Need.SECRET_MEMORY, Need.ROOT),
    ),
    _attack(
        "memory_in_pipes",
        body(
            "def full_pipe():",
            "    reading, writing = os.pipe()",
            "    fcntl.fcntl(writing, 1031, 1 << 20)",
            "    os.set_blocking(writing, False)",
            "    return os.write(writing, b'x' * (1 << 20)) >> 20",
            "return tries(lambda: sum(full_pipe() for _ in range(120)))",
        ),
        (Layer.RESOURCE_LIMITS, Layer.SECCOMP),
        _got_much,
        needs=(Need.ROOT,),
    ),
)
