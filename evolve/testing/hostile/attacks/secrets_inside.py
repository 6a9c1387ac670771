"""Attacks on what a candidate's own process may hold by mistake: environment, descriptors, modules, freed memory."""

from evolve.testing.hostile.attack import Attack, Family, Judge, is_evident, steps
from sandbox.layers import Layer

_APART = "evaluator-in-another-process"
_NO_PAYLOADS = "no-payloads-in-the-server"


def _secret(name: str, text: str, *, stopped_by: tuple[str, ...], breached: Judge = is_evident) -> Attack:
    return Attack(name=name, family=Family.SECRETS, text=text, stopped_by=stopped_by, breached=breached)


_SEARCH = """
import re
SECRET = re.compile(rb"secret-[a-z]+-[0-9a-f]{24}")
def found_in(chunk):
    return [word.decode() for word in set(SECRET.findall(chunk))]
"""

_OWN_MEMORY = f"""
{_SEARCH}
def search():
    found = []
    for low, high in pages():
        found += found_in(ctypes.string_at(low, min(high - low, 32 << 20)))
    return found or None
"""

# A bad address given to write() is an error, not a crash: so memory can be felt out without /proc.
_FEEL = f"""
{_SEARCH}
from prelude import *
PAGE = 4096
def attack(world):
    ends = os.pipe()
    os.set_blocking(ends[1], False)
    def is_there(address):
        if libc.write(ends[1], ctypes.c_void_p(address), ctypes.c_size_t(1)) != 1:
            return False
        os.read(ends[0], 1)
        return True
    def search():
        found, deadline = [], time.monotonic() + 1.5
        starts = {{id(value) >> 22 << 22 for value in (world, search, object(), "text", [0] * 999, bytes(9999), os)}}
        starts |= {{ctypes.cast(libc.malloc, ctypes.c_void_p).value >> 22 << 22}}
        todo, seen = sorted(starts), set()
        while todo and time.monotonic() < deadline:
            block = todo.pop(0)
            if block in seen:
                continue
            seen.add(block)
            any_there = False
            for address in range(block, block + (1 << 22), PAGE):
                if is_there(address):
                    any_there = True
                    found += found_in(ctypes.string_at(address, PAGE))
            if any_there:
                todo += [block + (1 << 22), block - (1 << 22)]
        return sorted(set(found)) or None
    return tries(search)
"""

_DESCRIPTORS = """
def inherited():
    found = []
    for descriptor in range(3, 256):
        try:
            found.append(os.pread(descriptor, 4096, 0).decode())
        except OSError:
            pass
    return [text for text in found if text] or None
"""

_OWN_LINKS = """
def inherited():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.pread(os.open(f"/proc/self/fd/{name}", os.O_RDONLY | os.O_NONBLOCK), 4096, 0).decode())
        except (OSError, UnicodeDecodeError):
            pass
    return [text for text in found if "secret" in text] or None
"""

_FRAMES = """
def walk():
    frame, found = sys._getframe(), []
    while frame is not None:
        for scope in (frame.f_locals, frame.f_globals):
            for value in list(scope.values()):
                names = getattr(value, "__dict__", None) or {}
                found += [text for text in (value, *names.values()) if type(text) is str and text.startswith("secret-")]
        frame = frame.f_back
    return found or None
"""

_GARBAGE = """
import gc
def search():
    found = []
    for thing in gc.get_objects():
        if type(thing) is dict:
            found += [text for text in list(thing.values()) if type(text) is str and text.startswith("secret-")]
    return found or None
"""

_MODULES = """
def search():
    found = []
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        found += [text for text in list(names.values()) if type(text) is str and text.startswith("secret-")]
    return found or None
"""

_FREED = """
import re
def search():
    libc.malloc.restype = ctypes.c_void_p
    found = []
    for size in (48, 100, 500, 2000, 9000, 70000, 1 << 20, 8 << 20):
        for _ in range(8):
            place = libc.malloc(ctypes.c_size_t(size))
            found += re.findall(rb"secret-[a-z]+-[0-9a-f]{24}", ctypes.string_at(place, size))
    return [word.decode() for word in found] or None
"""

_HOME = """
import pathlib
def home():
    return (pathlib.Path.home() / ".ssh" / "id_ed25519").read_text()
"""

ATTACKS = (
    _secret(
        "own_environment", steps("[value for value in os.environ.values()]"), stopped_by=(Layer.CLEAN_ENVIRONMENT,)
    ),
    _secret(
        "own_environment_from_proc",
        steps("read('/proc/self/environ')", "read(f'/proc/{os.getpid()}/environ')"),
        stopped_by=(Layer.CLEAN_ENVIRONMENT, Layer.LANDLOCK, Layer.MOUNT_NAMESPACE),
    ),
    _secret(
        "own_environment_in_c",
        steps(
            "ctypes.string_at(libc.getenv(b'OPENAI_API_KEY')).decode()",
            definitions="libc.getenv.restype = ctypes.c_void_p",
        ),
        stopped_by=(Layer.CLEAN_ENVIRONMENT,),
    ),
    _secret(
        "home_folder_by_its_variable",
        steps("home()", definitions=_HOME),
        stopped_by=(Layer.CLEAN_ENVIRONMENT, Layer.LANDLOCK, Layer.MOUNT_NAMESPACE),
    ),
    _secret(
        "inherited_descriptors", steps("inherited()", definitions=_DESCRIPTORS), stopped_by=(Layer.CLOSED_DESCRIPTORS,)
    ),
    _secret(
        "inherited_descriptors_from_proc",
        steps("inherited()", definitions=_OWN_LINKS),
        stopped_by=(Layer.CLOSED_DESCRIPTORS, Layer.LANDLOCK, Layer.MOUNT_NAMESPACE),
    ),
    _secret("frames_of_the_caller", steps("walk()", definitions=_FRAMES), stopped_by=(_APART,)),
    _secret("objects_of_the_interpreter", steps("search()", definitions=_GARBAGE), stopped_by=(_APART,)),
    _secret("modules_of_the_interpreter", steps("search()", definitions=_MODULES), stopped_by=(_APART,)),
    _secret(
        "import_the_evaluator_by_name",
        steps("[__import__('evaluate').HIDDEN, __import__('evaluate').EXPECTED]"),
        stopped_by=(_APART,),
    ),
    _secret("own_memory_from_proc", steps("search()", definitions=_OWN_MEMORY), stopped_by=(_APART, _NO_PAYLOADS)),
    _secret("own_memory_felt_out", _FEEL, stopped_by=(_APART, _NO_PAYLOADS)),
    Attack(
        name="memory_that_was_freed",
        family=Family.SECRETS,
        text=steps("search()", definitions=_FREED),
        stopped_by=(_NO_PAYLOADS,),
        shown_in=None,
        limit_only="the kernel clears pages, and the server never held a candidate's data",
    ),
)
