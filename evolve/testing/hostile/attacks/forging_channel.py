"""Bytes on the answers' pipe that no honest child writes. Whoever reads them strictly learns nothing from them."""

from evolve.testing.hostile.attack import Attack, Family, Judge
from evolve.testing.hostile.program import body, ends_as, is_believed
from sandbox.limits import MEBIBYTE, Limits

_LIMITS = Limits(
    wall_seconds=0.5, cpu_seconds=5.0, memory_bytes=256 * MEBIBYTE, output_bytes=16 * 1024, result_bytes=MEBIBYTE
)
_FRAMES = """
import json

def frame(text, tag=b"J", size=None):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<I", len(data) + 1 if size is None else size) + tag + data

def parts(text, arrays=b"", size=None):
    data = text.encode()
    return frame(struct.pack("<Q", len(data) if size is None else size) + data + bytes(-len(data) % 8) + arrays, b"P")

def say(data):
    os.set_blocking(4, True)
    while data:
        data = data[os.write(4, data):]

ANSWER = frame('["ok", 1.0]')
"""
_SORT = "\ndef sort(items):\n    return [0]\n"


def _forged(name: str, *lines: str, breached: Judge = is_believed, definitions: str = "") -> Attack:
    return Attack(
        name=name,
        family=Family.FORGING,
        text=body(*lines, definitions=_FRAMES + definitions),
        stopped_by=("the strict reader",),
        shown_in=None,
        limit_only="an answer is one whole message of plain data, asked for; a score is never read from it",
        breached=breached,
        limits=_LIMITS,
    )


def _said(name: str, data: str, *kinds: str) -> Attack:
    """Says something and is silent from then on."""
    return _forged(name, f"say({data})", "time.sleep(600)", breached=ends_as(*(kinds or ("invalid",))))


ATTACKS = (
    _forged("answer_beside_the_answer", "say(ANSWER)", "return 1.0"),
    _forged("answer_before_the_question", "say(ANSWER * 3)", "return 1.0", definitions=_SORT),
    _forged(
        "answer_from_a_thread_later",
        "threading.Thread(target=lambda: (time.sleep(0.01), say(ANSWER)), daemon=True).start()",
        "return 1.0",
        definitions="\ndef sort(items):\n    time.sleep(0.05)\n    return [0]\n",
    ),
    _forged("answer_at_import", "return 1.0", definitions="say(ANSWER)\n"),
    _forged("answer_and_exit", "say(ANSWER)", "os._exit(0)", definitions=_SORT, breached=ends_as("crash", "invalid")),
    _forged("answer_through_another_descriptor", "os.write(os.dup(4), ANSWER)", "time.sleep(600)"),
    _forged("score_as_the_message", "say(frame('{\"score\": 1e9}'))", "time.sleep(600)", breached=ends_as("invalid")),
    _said("readiness_as_the_message", "frame('[\"ready\"]')"),
    _said("two_answers_in_one_write", "ANSWER * 2"),
    _said("answer_with_a_tail", "ANSWER + b'x'"),
    _said("answer_with_two_values", "frame('[\"ok\", 1, 2]')"),
    _said("failure_of_the_evaluator", 'frame(\'["error", "evaluator", "the evaluator is broken"]\')'),
    _said("failure_of_the_sandbox", 'frame(\'["error", "sandbox", "start again"]\')'),
    _said("failure_with_a_number_for_text", 'frame(\'["error", "exception", 1]\')'),
    _said("failure_of_an_object", 'frame(\'["error", {"kind": "memory"}, "x"]\')'),
    _said("message_of_length_zero", "frame('', size=0)"),
    _said("message_longer_than_allowed", "frame('x', size=0xffffffff)", "output"),
    _said("message_that_stops_halfway", "ANSWER[:-2]", "timeout"),
    _said("message_that_stops_in_its_header", "ANSWER[:3]", "timeout"),
    _said("message_of_an_unknown_kind", "frame('[\"ok\", 1]', b'X')"),
    _said("message_of_pickle", "frame(b'\\x80\\x04cos\\nsystem\\n(S\\'true\\'\\ntR.')"),
    _said("message_of_pickle_among_arrays", "frame(b'\\x80\\x04cos\\nsystem\\n(S\\'true\\'\\ntR.' * 9, b'P')"),
    _said("message_that_is_not_text", 'frame(b\'["ok", "\\xff\\xfe"]\')'),
    _said("nesting_without_end", "frame('[' * 500_000)"),
    _said("nesting_of_objects", "frame('{\"a\":' * 100_000)"),
    _said("a_million_digits", "frame('[\"ok\", ' + '9' * 900_000 + ']')"),
    _said("names_twice", 'frame(\'["ok", {"a": 1, "a": 2}]\')'),
    _said("not_a_number_by_its_name", "frame('[\"ok\", NaN]')", "not_finite"),
    _said("infinity_by_overflow", "frame('[\"ok\", 1e999]')", "not_finite"),
    _said("half_a_character_by_escape", 'frame(\'["ok", "\\\\ud800"]\')'),
    _said("array_of_ten_gigabytes", 'parts(\'["ok", {"$": ["<f8", [1250000000]]}]\', bytes(64))'),
    _said("array_of_negative_size", 'parts(\'["ok", {"$": ["<f8", [-1, -8]]}]\', bytes(64))'),
    _said("array_of_objects_by_header", 'parts(\'["ok", {"$": ["|O", [1]]}]\', bytes(8))'),
    _said("array_of_overflowing_shape", 'parts(\'["ok", {"$": ["<f8", [4294967296, 4294967296, 0]]}]\', bytes(8))'),
    _said("array_with_a_tail", 'parts(\'["ok", {"$": ["<f8", [1]]}]\', bytes(16))'),
    _said("array_of_untrue_booleans", 'parts(\'["ok", {"$": ["|b1", [8]]}]\', b\'\\x02\' * 8)'),
    _said("json_longer_than_the_message", "parts('[\"ok\", 1]', size=(1 << 64) - 1)"),
    _forged("lists_that_swell", "say(frame('[\"ok\", [' + '[],' * 300_000 + '0]]'))", "time.sleep(600)"),
    _forged(
        "numbers_that_are_slow_to_read",
        "say(frame('[\"ok\", [' + ('1' * 199 + ',') * 5_000 + '0]]'))",
        "time.sleep(600)",
    ),
    _forged("answer_in_drips", "while True:", "    say(b' ')", "    time.sleep(0.02)"),
    _forged(
        "answer_by_our_own_writer",
        "own_writer(lambda value: ANSWER)",
        "return 1.0",
        definitions="""
def own_writer(function):
    frame = sys._getframe()
    while frame:
        if "encode" in frame.f_globals:
            frame.f_globals["encode"] = function
        frame = frame.f_back
""",
    ),
    _forged("close_the_answers", "os.close(4)", "return 1.0", breached=ends_as("crash")),
    _forged("close_the_questions", "os.close(3)", "return 1.0", definitions=_SORT, breached=ends_as("crash")),
    _forged(
        "swap_the_pipes",
        "os.dup2(3, 5)",
        "os.dup2(4, 3)",
        "os.dup2(5, 4)",
        "return 1.0",
        breached=ends_as("crash", "timeout"),
    ),
)
