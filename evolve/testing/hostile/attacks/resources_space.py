"""Filling what others need too: output, answers, disks, tables of files. At most 64 MiB and 3,000 files."""

from evolve.testing.hostile.attack import PEER, Attack, Configuration, Family, Judge, Outcome, is_evident, steps
from evolve.testing.hostile.program import body, ends_as
from sandbox.layers import Layer, Level
from sandbox.limits import MEBIBYTE, Limits

_SCRATCH = Limits(wall_seconds=5.0, memory_bytes=128 * MEBIBYTE, scratch_bytes=1 * MEBIBYTE)
_PLAIN = Limits(wall_seconds=8.0, memory_bytes=256 * MEBIBYTE, output_bytes=16 * 1024, result_bytes=1 * MEBIBYTE)
_PRINTED = ends_as("output", telling="16384 bytes")
_ANSWERED = ends_as("output", telling="1048576")
_OPEN = ends_as("files", telling="64")
_MANY = 2500


def _filled(outcome: Outcome) -> bool:
    """Breached unless it met the limit of the scratch folder, or where no file can be opened, not even one."""
    if outcome.error == "exception":
        return is_evident(outcome) or "PermissionError" not in outcome.detail
    return ends_as("disk", telling="1048576")(outcome)


def _got_many(outcome: Outcome) -> bool:
    """It says that it made more of something, or a longer file, than anybody needs."""
    return is_evident(outcome) or any(isinstance(each, int) and each >= _MANY for each in outcome.got)


_TIMERS = f"""
def timers():
    event = ctypes.create_string_buffer(struct.pack("QiiQ", 0, signal.SIGUSR1, 1, 0), 64)
    number = 222 if IS_X86 else 107
    for made in range({2 * _MANY}):
        try:
            syscall(number, 1, event, ctypes.byref(ctypes.c_int()))
        except OSError:
            break
    return made
"""


def _attack(
    name: str,
    text: str,
    breached: Judge,
    *,
    stopped_by: tuple[str, ...] = ("the limit of bytes from the pipe",),
    shown_in: Configuration = PEER,
) -> Attack:
    return Attack(
        name=name,
        family=Family.RESOURCES,
        text=text,
        stopped_by=stopped_by,
        shown_in=shown_in,
        breached=breached,
        limits=_PLAIN,
    )


def _disk(
    name: str,
    text: str,
    breached: Judge = _filled,
    stopped_by: tuple[str, ...] = (Layer.MOUNT_NAMESPACE, Layer.MEMORY_WATCH),
    not_promised: frozenset[Level] = frozenset(),
) -> Attack:
    return Attack(
        name=name,
        family=Family.RESOURCES,
        text=text,
        stopped_by=stopped_by,
        breached=breached,
        limits=_SCRATCH,
        not_promised=not_promised,
    )


ATTACKS = (
    _attack("print_a_flood", body("for _ in range(30_000): print('x' * 1000)"), _PRINTED),
    _attack("write_a_flood_of_errors", body("for _ in range(30_000): os.write(2, b'x' * 1000)"), _PRINTED),
    _attack("print_a_flood_at_import", "for _ in range(30_000): print('x' * 1000)\n" + body("return 1"), _PRINTED),
    _attack(
        "print_a_flood_while_asleep",
        body("for _ in range(30): os.write(1, b'x' * 1000)", "return 'said much'"),
        _PRINTED,
    ),
    _attack("answer_with_long_text", body("return 'x' * (2 << 20)"), _ANSWERED),
    _attack("answer_with_a_large_array", body("import numpy", "return numpy.zeros(1 << 18)"), _ANSWERED),
    _attack("answer_with_many_values", body("return [0] * 1_500_000"), ends_as("output", "invalid", telling="10")),
    _attack(
        "raise_a_long_error", body("raise ValueError('x' * (20 << 20))"), lambda outcome: len(outcome.detail) > 5000
    ),
    _disk(
        "fill_the_scratch_folder",
        body("with open('much', 'wb') as file:", "    for _ in range(48): file.write(b'x' * (1 << 20))"),
    ),
    _disk(
        "fill_it_with_many_files",
        body(
            "for number in range(48):",
            "    with open(f'much{number}', 'wb') as file: file.write(b'x' * 500_000)",
            "time.sleep(0.2)",  # without namespaces the folder is looked at every 10 ms, and removed at the end
        ),
    ),
    _disk(
        "fill_it_with_deleted_files",
        body(
            "kept = []",
            "for number in range(48):",
            "    kept.append(open(f'much{number}', 'wb'))",
            "    os.unlink(f'much{number}')",
            "    kept[-1].write(b'x' * 500_000)",
            "    kept[-1].flush()",
            "time.sleep(0.2)",
        ),
        stopped_by=(Layer.MOUNT_NAMESPACE,),
        not_promised=frozenset((Level.STRONG,)),  # who watches a folder does not see them: one scratch each file
    ),
    _disk(
        "fill_it_without_writing",
        body(
            "for number in range(48):",
            "    os.posix_fallocate(os.open(f'much{number}', os.O_CREAT | os.O_RDWR), 0, 900_000)",
            "time.sleep(0.2)",
        ),
    ),
    _disk(
        "make_a_sparse_file",
        body(
            "def sparse():",
            "    descriptor = os.open('sparse', os.O_CREAT | os.O_RDWR)",
            "    os.ftruncate(descriptor, 1 << 40)",
            "    return os.fstat(descriptor).st_size",
            "return tries(sparse)",
        ),
        _got_many,
        stopped_by=(Layer.RESOURCE_LIMITS,),
    ),
    _disk(
        "make_many_files",
        body(
            "def files():",
            f"    for number in range({_MANY}):",
            "        os.close(os.open(f'f{number}', os.O_CREAT))",
            f"    return {_MANY}",
            "return tries(files)",
        ),
        _got_many,
    ),
    _disk(
        "make_many_folders",
        body(
            "def folders():",
            f"    for number in range({_MANY}):",
            "        os.mkdir(f'd{number}')",
            f"    return {_MANY}",
            "return tries(folders)",
        ),
        _got_many,
    ),
    _attack(
        "open_many_files",
        body("return len([os.dup(1) for _ in range(500)])"),
        _OPEN,
        stopped_by=(Layer.RESOURCE_LIMITS,),
    ),
    _attack(
        "open_many_pipes",
        body("return len([os.pipe() for _ in range(200)])"),
        _OPEN,
        stopped_by=(Layer.RESOURCE_LIMITS,),
    ),
    _attack(
        "make_timers_without_end",
        steps("timers()", definitions=_TIMERS),
        _got_many,
        stopped_by=(Layer.RESOURCE_LIMITS,),
    ),
)
