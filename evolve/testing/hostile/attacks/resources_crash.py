"""Ending badly: crashes of every kind are one failure of one candidate, and nothing is left behind."""

from evolve.testing.hostile.attack import Attack, Family, Judge
from evolve.testing.hostile.program import body, ends_as
from sandbox.limits import MEBIBYTE, Limits

_HARMED_ITSELF = ends_as("", "crash", "forbidden")  # the first process of a namespace ignores its own signals
_LIMITS = Limits(wall_seconds=8.0, cpu_seconds=5.0, memory_bytes=256 * MEBIBYTE)


def _attack(name: str, text: str, breached: Judge) -> Attack:
    return Attack(
        name=name,
        family=Family.RESOURCES,
        text=text,
        stopped_by=("a process of its own",),
        shown_in=None,
        limit_only="it ends only its own process",
        breached=breached,
        limits=_LIMITS,
    )


ATTACKS = (
    _attack("read_address_zero", body("return ctypes.string_at(0)"), ends_as("crash", telling="SIGSEGV")),
    _attack("abort", body("os.abort()"), ends_as("crash")),
    _attack("trap", body("signal.raise_signal(signal.SIGILL)"), _HARMED_ITSELF),
    _attack("kill_itself", body("signal.raise_signal(signal.SIGKILL)"), _HARMED_ITSELF),
    _attack("pretend_to_be_out_of_cpu", body("signal.raise_signal(signal.SIGXCPU)"), _HARMED_ITSELF),
    _attack("pretend_to_be_forbidden", body("signal.raise_signal(signal.SIGSYS)"), _HARMED_ITSELF),
    _attack("recurse_for_ever", body("return attack(world)"), ends_as("exception", telling="RecursionError")),
    _attack(
        "overflow_the_c_stack",
        body(
            "sys.setrecursionlimit(10**9)",
            "value = []",
            "for _ in range(200_000): value = [value]",
            "return repr(value)",
        ),
        ends_as("crash", telling="SIGSEGV"),
    ),
    _attack("jump_to_nowhere", body("return ctypes.CFUNCTYPE(None)(1)()"), ends_as("crash", telling="SIGSEGV")),
    _attack("break_the_allocator", body("libc.free(ctypes.c_void_p(id(world) + 8))"), ends_as("crash")),
    _attack(
        "crash_in_a_thread",
        body("threading.Thread(target=ctypes.string_at, args=(0,)).start()", "time.sleep(600)"),
        ends_as("crash"),
    ),
    _attack(
        "hang_in_an_exit_handler",
        body("import atexit", "atexit.register(time.sleep, 600)", "sys.exit(0)"),
        ends_as("crash", "timeout"),
    ),
    _attack("nest_the_source_too_deep", "x = " + "(" * 5000 + ")" * 5000 + "\n" + body("return x"), ends_as("syntax")),
    _attack(
        "operators_without_end", "x = " + "-" * 200_000 + "1\n" + body("return x"), ends_as("syntax", "crash", "memory")
    ),
    _attack("source_with_a_null_byte", "x = 1\0\n" + body("return x"), ends_as("syntax")),
    _attack("source_in_another_coding", "# coding: utf-7\nx = 1\n" + body("raise ValueError(x)"), ends_as("exception")),
)
