"""Changing or robbing the one who judges: easy where candidate and evaluator share a process, or files are trusted."""

from evolve.testing.hostile.attack import PEER, Attack, Family, Judge
from evolve.testing.hostile.program import body, is_believed
from sandbox.limits import MEBIBYTE, Limits

_LIMITS = Limits(
    wall_seconds=1.0, cpu_seconds=5.0, memory_bytes=256 * MEBIBYTE, output_bytes=16 * 1024, result_bytes=MEBIBYTE
)
_APART = ("another process",)
_RESULT = """
import json
RESULT = {"score": 1e9, "combined_score": 1e9, "answers": [1], "failure": ["", ""], "seconds": 0}
def result_files(world):
    with open(world["work"] + "/metrics.json", "w") as file:
        json.dump(RESULT, file)
"""
_SEARCH = """
def expected(owner):
    return owner.get("EXPECTED") if isinstance(owner, dict) else None
def frames():
    frame = sys._getframe()
    while frame:
        yield from (frame.f_globals, frame.f_locals)
        yield from (vars(value) for value in list(frame.f_globals.values()) if isinstance(value, type(sys)))
        frame = frame.f_back
def first(owners):
    return next((found for found in map(expected, owners) if found is not None), 0.0)
"""


def _attack(
    name: str,
    text: str,
    *,
    stopped_by: tuple[str, ...] = _APART,
    limit_only: str = "",
    breached: Judge = is_believed,
) -> Attack:
    return Attack(
        name=name,
        family=Family.FORGING,
        text=text,
        stopped_by=stopped_by,
        shown_in=None if limit_only else PEER,
        limit_only=limit_only,
        breached=breached,
        limits=_LIMITS,
    )


def _patched(name: str, *lines: str, definitions: str = "") -> Attack:
    return _attack(name, body(*lines, "return 0.5", definitions=definitions))


_CODE = "import os; os.environ['STOLEN'] = 'by a pickle'"
_PICKLE = f"""
class Code:
    def __reduce__(self):
        return exec, ("{_CODE}",)
"""

ATTACKS = (
    _patched("patch_the_evaluator", "import evaluate", "evaluate.score_of = lambda answer: 1.0"),
    _patched("patch_the_expected_value", "import evaluate", "evaluate.EXPECTED = 0.5"),
    _patched(
        "patch_the_code_of_the_evaluator",
        "import evaluate",
        "evaluate.score_of.__code__ = (lambda answer: 1.0).__code__",
    ),
    _patched("patch_builtins", "import builtins", "builtins.abs = lambda value: 0"),
    _patched(
        "patch_the_report",
        "import json",
        "dump = json.dump",
        "json.dump = lambda report, *rest, **more: dump({**report, 'score': 1e9}, *rest, **more)",
    ),
    _patched("patch_the_clock", "time.perf_counter = lambda: 0.0", definitions="def work(n):\n    return n\n"),
    _patched(
        "patch_modules",
        "sys.modules['evaluate'] = sys",
        "sys.modules['random'].random = lambda: 0.0",
        definitions="def sort(items):\n    return items\n",
    ),
    _patched(
        "patch_from_a_thread",
        "def patch():",
        "    time.sleep(0.01)",
        "    import evaluate",
        "    evaluate.EXPECTED = 0.5",
        "threading.Thread(target=patch).start()",
        "time.sleep(0.1)",
    ),
    _patched(
        "patch_by_tracing",
        "sys.settrace(trace)",
        definitions="""
def trace(frame, event, argument):
    if frame.f_code.co_name == "score_of":
        frame.f_globals["EXPECTED"] = frame.f_locals["answer"]
    return trace
""",
    ),
    _patched(
        "patch_by_import_hook",
        "sys.modules.pop('evaluate', None)",
        "sys.meta_path.insert(0, Hook())",
        "import evaluate",
        definitions="""
class Hook:
    def find_spec(self, name, path=None, target=None):
        sys.modules["__main__"].__dict__["evaluate"].score_of = lambda answer: 1.0
""",
    ),
    _attack("answer_from_frames", body("return first(frames())", definitions=_SEARCH)),
    _attack("answer_from_objects", body("import gc", "return first(gc.get_objects())", definitions=_SEARCH)),
    _attack(
        "answer_from_modules",
        body("return first(vars(module) for module in list(sys.modules.values()))", definitions=_SEARCH),
    ),
    _attack(
        "answer_from_constants",
        body(
            "import gc",
            "codes = [each.__code__ for each in gc.get_objects() if hasattr(each, '__code__')]",
            "sources = {code.co_filename for code in codes if getattr(code, 'co_name', '') == 'score_of'}",
            "return float(read(sources.pop()).split('EXPECTED = ')[1].split()[0]) if sources else 0.0",
        ),
    ),
    _attack(
        "answer_from_the_file",
        body("return float(read(world['expected_path']).split('EXPECTED = ')[1].split()[0])"),
        stopped_by=("landlock", "mount-namespace", "seccomp without open", "own-uid"),
    ),
    _attack("result_file_and_exit", body("result_files(world)", "os._exit(0)", definitions=_RESULT)),
    _attack("result_file_and_crash", body("result_files(world)", "ctypes.string_at(0)", definitions=_RESULT)),
    _attack(
        "result_file_that_cannot_be_replaced",
        body(
            "import builtins",
            "result_files(world)",
            "work = world['work']",
            "plain = open",
            "elsewhere = lambda path: os.devnull if str(path).endswith('metrics.json') else path",
            "builtins.open = lambda path, *rest: plain(elsewhere(path), *rest)",
            "return 0.5",
            definitions=_RESULT,
        ),
    ),
    _attack("result_printed", body("print(json.dumps(RESULT), flush=True)", "return 0.5", definitions=_RESULT)),
    _attack(
        "result_printed_and_exit", body("print(json.dumps(RESULT), flush=True)", "os._exit(0)", definitions=_RESULT)
    ),
    _attack(
        "result_printed_raw",
        body("os.write(1, json.dumps(RESULT).encode() + b'\\n')", "os.abort()", definitions=_RESULT),
    ),
    _attack(
        "pickle_that_runs_code", body("return Code()", definitions=_PICKLE), stopped_by=("only plain data is sent",)
    ),
    _attack(
        "pickle_in_an_array",
        body("import numpy", "return numpy.array([Code()], dtype=object)", definitions=_PICKLE),
        stopped_by=("only plain data is sent",),
    ),
    _attack(
        "pickle_in_a_list",
        body("return [1.0, {'a': Code()}]", definitions=_PICKLE),
        stopped_by=("only plain data is sent",),
    ),
    _attack(
        "pickle_by_a_registered_function",
        body(
            "import copyreg",
            "copyreg.pickle(Plain, lambda self: (exec, (CODE,)))",
            "return Plain()",
            definitions=f'CODE = "{_CODE}"\nclass Plain:\n    pass\n',
        ),
        stopped_by=("only plain data is sent",),
    ),
)
