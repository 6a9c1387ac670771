"""Taking time for ever: what ends each is the wall limit or the limit of CPU seconds, and the failure says which."""

from evolve.testing.hostile.attack import PEER, Attack, Family
from evolve.testing.hostile.program import body, ends_as
from sandbox.layers import Layer
from sandbox.limits import MEBIBYTE, Limits

_WALL = Limits(wall_seconds=0.4, cpu_seconds=5.0, memory_bytes=128 * MEBIBYTE)
_CPU = Limits(wall_seconds=6.0, cpu_seconds=1.0, memory_bytes=128 * MEBIBYTE)
_OVERDUE = ends_as("timeout", telling="0.4 s")
_SPENT = ends_as("cpu", telling="1 s of CPU")
_KILLED = "the wall limit kills the process, whatever it does"


def _endless(name: str, text: str) -> Attack:
    """Only the deadline ends it, here as everywhere."""
    return Attack(
        name=name,
        family=Family.RESOURCES,
        text=text,
        stopped_by=("the wall limit",),
        shown_in=None,
        limit_only=_KILLED,
        breached=_OVERDUE,
        limits=_WALL,
    )


def _burning(name: str, text: str, limit_only: str = "the kernel counts all threads and kills in the end") -> Attack:
    """It burns processors; who has no limit for that waits for the deadline."""
    return Attack(
        name=name,
        family=Family.RESOURCES,
        text=text,
        stopped_by=(Layer.RESOURCE_LIMITS,),
        shown_in=None if limit_only else PEER,
        limit_only=limit_only,
        breached=_SPENT,
        limits=_CPU,
    )


_STUBBORN = """
def ignore_everything():
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
"""
_ENDLESS = """
class Endless(list):
    def __iter__(self):
        while True:
            pass
    def __len__(self):
        return 1
"""
_THREADS = """
def burn():
    while True:
        sum(range(10**6))
def threads(n):
    for _ in range(n):
        threading.Thread(target=burn, daemon=True).start()
"""

ATTACKS = (
    _endless("loop_for_ever", body("while True: pass")),
    _endless("sleep_for_ever", body("time.sleep(10**6)")),
    _endless("loop_at_import", "while True:\n    pass\n"),
    _endless(
        "catch_everything",
        body("while True:", "    try:", "        while True: pass", "    except BaseException: pass"),
    ),
    _endless("ignore_every_signal", body("ignore_everything()", "while True: time.sleep(1)", definitions=_STUBBORN)),
    _endless("block_in_a_pattern", body("import re", "return re.match('(a+)+b', 'a' * 60)")),
    _endless("block_in_a_number", body("return len(str(pow(3, 10**9))) if 3 ** 10**8 else 0")),
    _endless("block_in_c", body("return ctypes.PyDLL(None).sleep(600)")),
    _endless("wait_for_a_lock", body("lock = threading.Lock()", "lock.acquire()", "lock.acquire()")),
    _endless("wait_for_itself", body("reading, _ = os.pipe()", "os.read(reading, 1)")),
    _endless("stop_itself", body("while True: signal.raise_signal(signal.SIGSTOP)")),
    _endless("answer_with_an_endless_list", body("return Endless([1])", definitions=_ENDLESS)),
    _endless(
        "hang_in_a_destructor",
        body("class Slow:", "    def __del__(self): time.sleep(600)", "slow = Slow()", "del slow"),
    ),
    _burning("burn_processor", body("while True: pass"), ""),
    _burning("burn_in_threads", body("threads(4)", "burn()", definitions=_THREADS)),
    _burning("burn_and_ignore_the_warning", body("ignore_everything()", "while True: pass", definitions=_STUBBORN)),
    _burning("burn_and_catch_the_warning", body("signal.signal(signal.SIGXCPU, lambda *_: None)", "while True: pass")),
)
