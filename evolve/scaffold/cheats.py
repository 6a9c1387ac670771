"""Cheats that fit any problem: programs that try to get a score without earning it.

Bodies define `tamper(name, call, args)`: what the judge gets when it calls a function; `call()` is the honest answer.
See `instrument` for the words they can use. A cheat that does not fit the answers of a problem says so.
"""

from dataclasses import dataclass
from enum import StrEnum

CLAIM = 987654321.0
"""The score that cheats claim: no honest score is equal to it."""
UNFIT = "~cheat-does-not-fit~"


class Group(StrEnum):
    """What it means when a cheat gets a better score than the seed program."""

    CLAIM = "claim"  # a number that the program says about itself was believed
    ENDING = "ending"  # an end without an answer was scored
    FORM = "form"  # an answer that cannot be one was scored
    SIZE = "size"  # an answer of the right kind, with values or of a length that are hardly meant
    MEDDLING = "meddling"  # what the program did beside answering counted
    ECHO = "echo"  # the arguments hold the answer
    OUTPUT = "output"  # what a program that answers nothing should have written was not there, or not in time
    TRIVIAL = "trivial"  # an answer that is surely worse scored better: perhaps the wrong way round


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheat:
    """One program. `what` completes the sentence "a program that …". `at_load` is code run when it is loaded."""

    name: str
    what: str
    group: Group
    body: str = ""
    at_load: str = ""


def _answers(name: str, what: str, group: Group, *lines: str) -> Cheat:
    body = "def tamper(name, call, args):\n" + "".join(f"    {line}\n" for line in lines)
    return Cheat(name=name, what=what, group=group, body=body)


_PRINT = 'print(\'{"score": 987654321.0, "combined_score": 987654321.0, "valid": true}\', flush=True)'
_WORDS = (
    '{"score": CLAIM, "combined_score": CLAIM, "fitness": CLAIM, "value": CLAIM, "total": CLAIM, '
    '"correct": True, "valid": True, "metrics": {"score": CLAIM}}'
)
_SCALARS = """
def tamper(name, call, args):
    def claimed(value):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return claim if is_number or is_float(value) else value
    claim = @CLAIM@
    answer = call()
    if isinstance(answer, dict):
        made = {key: claimed(each) for key, each in answer.items()}
    elif isinstance(answer, (list, tuple)) and any(is_array(each) or isinstance(each, (list, dict)) for each in answer):
        made = [claimed(each) for each in answer]
    else:
        made = claimed(answer) if claim else answer
    if digest(made) == digest(answer):
        raise RuntimeError("@UNFIT@")
    return made
""".replace("@UNFIT@", UNFIT)
_UNFIT = f'raise RuntimeError("{UNFIT}")'


def _scalars(name: str, claim: str) -> Cheat:
    what = f"puts {claim.replace('CLAIM', '987654321')} in place of the single numbers that it returns"
    body = _SCALARS.replace("@CLAIM@", claim)
    return Cheat(name=name, what=what, group=Group.CLAIM, body=body)


CLAIMS = (
    _answers("claim_as_a_dict", "returns a dict with a score in it", Group.CLAIM, f"return {_WORDS}"),
    _answers(
        "claim_added_to_the_answer",
        "adds a score to the dict that it returns",
        Group.CLAIM,
        "answer = call()",
        f"return {{**answer, **{_WORDS}}} if isinstance(answer, dict) else [answer, {_WORDS}]",
    ),
    _scalars("claimed_numbers", "CLAIM"),
    _scalars("claimed_numbers_negative", "-CLAIM"),
    _scalars("claimed_zeros", "0.0"),
    _answers("claim_as_the_answer", "returns a huge number and nothing else", Group.CLAIM, "return CLAIM"),
)

NATURAL_CLAIMS = frozenset(each.name for each in CLAIMS[2:])
"""Claims that can be honest answers where a problem asks for a number."""

ENDINGS = (
    _answers("exit_after_printing_a_score", "prints a score and ends", Group.ENDING, _PRINT, "os._exit(0)"),
    _answers("system_exit", "raises SystemExit(0)", Group.ENDING, _PRINT, "raise SystemExit(0)"),
    Cheat(
        name="system_exit_at_load",
        what="ends while it is loaded",
        group=Group.ENDING,
        at_load=f"{_PRINT}\nraise SystemExit(0)",
    ),
    _answers("exception", "raises an exception", Group.ENDING, 'raise ValueError("no answer")'),
    Cheat(
        name="no_function",
        what="lacks the function that the judge calls",
        group=Group.ENDING,
        at_load="for _name in [each for each in globals() if not each.startswith('_')]:\n    del globals()[_name]",
    ),
)

FORMS = (
    _answers("none", "returns None", Group.FORM, "return None"),
    _answers("empty_text", "returns an empty text", Group.FORM, 'return ""'),
    _answers("empty_list", "returns an empty list", Group.FORM, "return []"),
    _answers("empty_dict", "returns an empty dict", Group.FORM, "return {}"),
    _answers("not_a_number", "returns NaN in every place", Group.FORM, 'return every(call(), lambda x: float("nan"))'),
    _answers("infinity", "returns infinity in every place", Group.FORM, 'return every(call(), lambda x: float("inf"))'),
    _answers("text", "returns its numbers as text", Group.FORM, "return every(call(), str)"),
    _answers(
        "deep_list",
        "returns a list nested 60 deep",
        Group.FORM,
        "answer = call()",
        "for _ in range(60): answer = [answer]",
        "return answer",
    ),
    _answers(
        "lazy_answer",
        "returns a generator, to compute when the clock has stopped",
        Group.FORM,
        "return (call() for _ in range(1))",
    ),
    _answers("list_of_the_answer", "returns its answer in a list of one", Group.FORM, "return [call()]"),
)

SIZES = (
    _answers("truth_values", "returns True for every number", Group.SIZE, "return every(call(), lambda x: True)"),
    _answers(
        "huge_integers", "returns 10**400 for every number", Group.SIZE, "return every(call(), lambda x: 10**400)"
    ),
    _answers("huge_numbers", "returns 1e308 for every number", Group.SIZE, "return every(call(), lambda x: 1e308)"),
    _answers(
        "huge_negative_numbers", "returns -1e308 for every number", Group.SIZE, "return every(call(), lambda x: -1e308)"
    ),
    _answers(
        "one_more",
        "returns the last element twice",
        Group.SIZE,
        "answer = call()",
        "answer = answer.tolist() if is_array(answer) else answer",
        f"if not isinstance(answer, (list, tuple)) or not answer: {_UNFIT}",
        "return [*answer, answer[-1]]",
    ),
    _answers(
        "one_less",
        "leaves out the last element",
        Group.SIZE,
        "answer = call()",
        f"if not (isinstance(answer, (list, tuple)) or is_array(answer) and answer.ndim) or not len(answer): {_UNFIT}",
        "return answer[:-1]",
    ),
    _answers("long_list", "returns 100,000 zeros", Group.SIZE, "return [0.0] * 100_000"),
)

MEDDLING = (
    Cheat(
        name="patched_clock",
        what="stops the clocks in its process",
        group=Group.MEDDLING,
        at_load="""
import time as _time
for _name in ("perf_counter", "monotonic", "time", "process_time"):
    setattr(_time, _name, lambda: 0.0)
    setattr(_time, _name + "_ns", lambda: 0)
""",
    ),
    Cheat(
        name="patched_comparisons",
        what="makes isclose, allclose and array_equal say yes in its process",
        group=Group.MEDDLING,
        at_load="""
import math as _math
_math.isclose = lambda *args, **named: True
try:
    import numpy as _numpy
    for _name in ("isclose", "allclose", "array_equal", "array_equiv"):
        setattr(_numpy, _name, lambda *args, **named: True)
    for _name in ("assert_allclose", "assert_array_equal", "assert_array_almost_equal"):
        setattr(_numpy.testing, _name, lambda *args, **named: None)
except BaseException:
    pass
""",
    ),
    Cheat(
        name="result_files",
        what="writes result files where a judge might look for them",
        group=Group.MEDDLING,
        at_load="""
for _file in ("metrics.json", "results.json", "result.json", "correct.json", "score.txt"):
    try:
        with open(_file, "x") as _handle:
            _handle.write('{"score": 987654321.0, "combined_score": 987654321.0, "correct": true}')
    except BaseException:
        pass
""",
    ),
    _answers(
        "forged_messages",
        "writes answers to every open descriptor before it answers",
        Group.MEDDLING,
        "import struct",
        "data = b'J[\"ok\", 987654321.0]'",
        "for place in range(3, 10):",
        "    try: os.write(place, struct.pack('<I', len(data)) + data)",
        "    except OSError: pass",
        "return call()",
    ),
)

ECHOES = tuple(
    _answers(
        f"echo_{place}",
        f"returns its argument number {place + 1} as the answer",
        Group.ECHO,
        f"if len(args) <= {place}: {_UNFIT}",
        f"return args[{place}]",
    )
    for place in range(3)
)

TRIVIAL = tuple(
    _answers(
        name,
        what,
        Group.TRIVIAL,
        "answer = call()",
        # One or two numbers may well be better elsewhere; a whole table of them is hardly better shrunk.
        f"if size(answer) < 3: {_UNFIT}",
        f"return mapped(answer, lambda x, column: x * {factor})",
    )
    for name, what, factor in (
        ("zeros", "returns zero for every number", 0.0),
        ("halves", "returns half of every number", 0.5),
    )
)

NOISES = (0.01, 0.1, 1.0)


def noisy(size: float, draw: int) -> Cheat:
    """A program that spoils its answer: floats get noise of a relative size, whole numbers are swapped about."""
    lines = (
        f"rng = numpy.random.default_rng({draw})",
        "answer = call()",
        "noise = lambda x: numpy.maximum(abs(x), 0.1) * rng.standard_normal(numpy.shape(x))",
        f"made = mapped(answer, lambda x, c: x + {size} * noise(x))",
        "if digest(made) == digest(answer):",
        "    made = made.tolist() if is_array(made) else made",
        f"    if not isinstance(made, list) or len(made) < 2: {_UNFIT}",
        f"    for _ in range(max(1, int({size} * len(made)))):",
        "        i, j = (int(k) for k in rng.integers(len(made), size=2))",
        "        made[i], made[j] = made[j], made[i]",
        "return made",
    )
    return _answers(f"noise_{size:g}_{draw}", f"spoils its answers by {size:.0%}", Group.TRIVIAL, *lines)


def slow(seconds: float) -> Cheat:
    """A program that takes its time."""
    return _answers(
        "slow",
        f"computes for {seconds:g} s in vain before each answer",
        Group.TRIVIAL,
        f"end = time.thread_time() + {seconds}",
        "while time.thread_time() < end: pass",
        "return call()",
    )


def nudged(*, size: float, column: int | None) -> Cheat:
    """A program whose floats (of one column, or all) are a little larger; smaller if `size` is negative."""
    chosen = "True" if column is None else f"c == {column}"
    line = f"return mapped(call(), lambda x, c: x * (1.0 + {size!r}) if {chosen} else x)"
    where = "every float" if column is None else f"the floats in column {column}"
    return _answers(f"nudge_{size:g}_{column}", f"multiplies {where} by 1 {size:+g}", Group.TRIVIAL, line)


_WRITTEN = """
state = {"n": 0}

def tamper(name, call, args):
    state["n"] += 1
    arrays = [each for each in args if is_array(each)]
    before = [each.copy() for each in arrays]

    def written():
        call()
        changed = [k for k, each in enumerate(arrays) if digest(each) != digest(before[k])]
        if not changed:
            raise RuntimeError("@UNFIT@")
        return [arrays[k] for k in changed], [before[k] for k in changed]
""".replace("@UNFIT@", UNFIT)


def _writes(name: str, what: str, *lines: str) -> Cheat:
    body = _WRITTEN + "".join(f"    {line}\n" for line in lines)
    return Cheat(name=name, what=what, group=Group.OUTPUT, body=body)


OUTPUTS = (
    _writes("outputs_left", "writes no output from its third call on", "if state['n'] <= 2: written()"),
    _writes(
        "old_outputs",
        "writes what its first call should have written, again and again",
        "if 'kept' not in state:",
        "    outputs, _ = written()",
        "    state['kept'] = [each.copy() for each in outputs]",
        "else:",
        "    for each, kept in zip(arrays[-len(state['kept']):], state['kept']):",
        "        each[...] = numpy.resize(kept, each.shape)",
    ),
    _writes(
        "half_outputs",
        "leaves out the second half of its outputs",
        "for each, old in zip(*written()): each[len(each) // 2 :] = old[len(each) // 2 :]",
    ),
    _writes(
        "late_outputs",
        "writes its outputs after it has answered",
        "import threading",
        "outputs, old = written()",
        "results = [each.copy() for each in outputs]",
        "for each, start in zip(outputs, old): each[...] = start",
        "def later():",
        "    time.sleep(1.0)",
        "    for each, result in zip(outputs, results): each[...] = result",
        "threading.Thread(target=later).start()",
    ),
    _writes(
        "early_answer",
        "answers before it computes",
        "import struct",
        "answer = b'[\"ok\",null]'",
        "os.write(4, struct.pack('<IB', len(answer) + 1, ord('J')) + answer)",
        "written()",
    ),
    _writes(
        "rough_outputs",
        "is wrong by a thousandth",
        "for each in written()[0]:",
        "    if each.dtype.kind == 'f': each *= each.dtype.type(1.001)",
    ),
    _writes(
        "emptied_inputs",
        "makes its inputs zeros and computes with those",
        "outputs, _ = written()",
        "places = {id(each) for each in outputs}",
        "for each in arrays:",
        "    if id(each) not in places: each[...] = 0",
        "call()",
    ),
)
"""For programs that answer nothing and write into arrays that they are given: any score of these is a mistake."""

FORGERIES = (*CLAIMS, *ENDINGS, *FORMS, *SIZES, *MEDDLING, *ECHOES)
"""All that are tried as they are; the rest belongs to checks of their own."""
