"""An evaluator in its own process: whatever it does there, the answer is an evaluation, and the next one is judged."""

import math
import os
import resource
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluators.contract import INTERPRETER, Certainty, Evaluation, Failure
from evaluators.errors import EvaluatorError
from evaluators.judge import Judge
from evaluators.process import JudgeProcess, open_judge
from evaluators.spec import JudgeSpec, LimitsSpec, ProcessSpec, SymbolicSpec
from sandbox.errors import SandboxError
from tests.extent import ALL_TESTS
from tests.marked_processes import wait_for
from tests.patience import at_some_pace

LINE = {"seed.py": "def f(x):\n    return x + 1.0\n"}
TRIGGER = {"seed.py": "def f(x):\n    return x + 9.0\n"}
PLAIN = """
def evaluate(candidate):
    value = float(candidate.files["seed.py"].split("+")[1])
    {attack}
    return {{"score": value, "descriptor": {{"size": 1.0}}, "metrics": {{"value": value}}}}
"""
Make = Callable[..., JudgeProcess]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Judges of an evaluate.py; symbolic, so that no sandbox is needed, unless told otherwise."""
    judges: list[JudgeProcess] = []

    def made(source: str, *, process: ProcessSpec | None = None, **spec: Any) -> JudgeProcess:
        (tmp_path / "evaluate.py").write_text(source, encoding="utf-8")
        settings: dict[str, Any] = {
            "language": "symbolic",
            "symbolic": SymbolicSpec(),
            "folder": str(tmp_path),
            "file": "evaluate.py",
            "axes": ("size",),
            "process": process or ProcessSpec(),
        }
        judges.append(JudgeProcess(JudgeSpec(**settings | spec)))
        return judges[-1]

    yield made
    for judge in judges:
        judge.close()


def is_alive(pid: int) -> bool:
    """Whether a process exists and is not just waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def attacking(body: str) -> str:
    """An evaluator that does something else for the trigger."""
    return PLAIN.format(attack=f"if value == 9.0:\n        {body}")


def assert_only_the_trigger_fails(judge: JudgeProcess, trigger: Mapping[str, str] = TRIGGER) -> Evaluation:
    """Judge three candidates, the one in the middle triggers the attack; gives its evaluation."""
    before, attacked, after = (judge.evaluate(files) for files in (LINE, trigger, LINE))
    assert [before.score, after.score] == [1.0, 1.0]
    assert attacked.failure is Failure.EVALUATOR
    assert attacked.level == INTERPRETER
    return attacked


def test_an_evaluation_is_the_same_as_in_this_process(make: Make) -> None:
    judge = make(attacking("pass"))
    here = Judge(judge.spec).evaluate(LINE, rng_seed=5)

    there = judge.evaluate(LINE, rng_seed=5)

    assert replace(there, seconds=0.0) == replace(here, seconds=0.0)
    assert there.seconds > 0.0


@pytest.fixture(scope="module")
def attacked_often(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Evaluation]]:
    """Attacks on one evaluator, which does what stands in the candidate's comment; each meets a process of its own."""
    folder = tmp_path_factory.mktemp("attacked_often")
    (folder / "evaluate.py").write_text(OBEDIENT, encoding="utf-8")
    spec = JudgeSpec(
        language="symbolic",
        symbolic=SymbolicSpec(),
        folder=str(folder),
        file="evaluate.py",
        axes=("size",),
        process=ProcessSpec(wall_seconds=60.0),
    )
    with JudgeProcess(spec) as judge:
        yield lambda body: assert_only_the_trigger_fails(judge, {"seed.py": f"{TRIGGER['seed.py']}#{body!r}\n"})


OBEDIENT = """
def evaluate(candidate):
    _, _, body = candidate.files["seed.py"].partition("#")
    if body:
        exec("if True:\\n        " + eval(body))
    return {"score": 1.0, "descriptor": {"size": 1.0}}
"""
ENDS = {
    "_exit": ("import os; os._exit(7)", "died: exit status 7"),
    "clean exit": ("import os; os._exit(0)", "died: exit status 0"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "died: SIGSEGV"),
    "abort": ("import os; os.abort()", "died: SIGABRT"),
    "killed": ("import os; os.kill(os.getpid(), 9)", "died: SIGKILL"),
    "own group": ("import os; os.killpg(0, 15)", "died: SIGTERM"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "no exception": ("raise BaseException('odd')", "BaseException: odd"),
    "generator": ("raise GeneratorExit", "GeneratorExit"),
    "exit": ("import sys; sys.exit(3)", "raised SystemExit: 3"),
    "recursion": ("(lambda f: f(f))(lambda f: f(f))", "RecursionError"),
    "closed pipes": ("import os; os.closerange(3, 99)", "the evaluator"),
    "threads at the end": (
        "import os, threading, time; threading.Thread(target=time.sleep, args=(600,)).start(); os._exit(1)",
        "died: exit status 1",
    ),
}


@pytest.mark.parametrize(("body", "words"), ENDS.values(), ids=ENDS)
def test_an_evaluator_that_ends_fails_one_candidate_and_says_how(
    attacked_often: Callable[[str], Evaluation], body: str, words: str
) -> None:
    assert words in attacked_often(body).detail


def test_an_evaluator_that_raises_fails_one_candidate_and_says_where(make: Make) -> None:
    detail = assert_only_the_trigger_fails(make(attacking("raise ValueError('wrong')"))).detail

    assert "raised ValueError: wrong at evaluate.py:5" in detail


@pytest.mark.parametrize("body", ["while True: pass", "import time; time.sleep(600)", "import signal; signal.pause()"])
def test_an_evaluator_that_hangs_is_cut_off_and_told_what_to_raise(make: Make, body: str) -> None:
    def check(pace: float) -> None:
        judge = make(attacking(body), process=ProcessSpec(wall_seconds=pace))

        detail = assert_only_the_trigger_fails(judge).detail

        assert f"did not answer within {pace:g} s of its own time" in detail
        assert "raise [evaluator].wall_seconds" in detail

    at_some_pace(check)


def test_an_evaluator_that_ignores_every_signal_and_hangs_in_c_is_cut_off(make: Make) -> None:
    body = (
        "import ctypes, signal; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]; "
        "ctypes.PyDLL(None).sleep(600)"
    )

    def check(pace: float) -> None:
        assert_only_the_trigger_fails(make(attacking(body), process=ProcessSpec(wall_seconds=pace)))

    at_some_pace(check)


def test_an_evaluator_that_prints_for_ever_is_cut_off_and_does_not_fill_the_screen(
    make: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    body = "import os\n        while True: os.write(1, b'loud' * 4096)"

    def check(pace: float) -> None:
        assert_only_the_trigger_fails(make(attacking(body), process=ProcessSpec(wall_seconds=pace)))

        captured = capfd.readouterr()
        assert "more bytes not shown" in captured.err
        assert len(captured.err) < 1 << 20

    at_some_pace(check)


@pytest.mark.parametrize("n_free", [0, 1, 3, 5, 6, 7, 8, 9])
def test_a_process_that_cannot_be_started_is_the_machines_fault_and_leaves_no_descriptor(
    make: Make, n_free: int
) -> None:
    judge = make(attacking("pass"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(30)]  # no holes below the last
    before = os.listdir("/proc/self/fd")
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[-1] + 1 + n_free, hard))
    try:
        with pytest.raises(SandboxError, match="cannot be started"):
            judge.evaluate(LINE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.listdir("/proc/self/fd") == before
    for descriptor in taken:
        os.close(descriptor)
    assert judge.evaluate(LINE).score == 1.0


def test_what_a_lost_evaluator_printed_last_is_told_harmlessly(make: Make) -> None:
    body = "import os, sys; print('x' * 10**6); print('\\x1b[31mthe last word\\u202e', file=sys.stderr); os._exit(1)"

    detail = assert_only_the_trigger_fails(make(attacking(body))).detail

    assert detail.endswith("the last word")
    assert "\x1b" not in detail
    assert len(detail) <= 2000


def test_an_evaluator_that_runs_out_of_memory_is_replaced_and_told_what_to_raise(make: Make) -> None:
    judge = make(attacking("kept = []\n        while True: kept.append(bytearray(1 << 20))"), process=SMALL)
    first = judge.evaluate(LINE)
    pid = judge.guard_pid

    attacked = judge.evaluate(TRIGGER)

    assert attacked.failure is Failure.EVALUATOR
    assert "ran out of memory: raise [evaluator].memory_mb" in attacked.detail
    assert judge.evaluate(LINE).score == first.score
    assert judge.guard_pid != pid


SMALL = ProcessSpec(memory_mb=512)


def test_an_array_over_the_memory_limit_is_refused_to_the_evaluator(make: Make) -> None:
    judge = make(attacking("import numpy; numpy.ones(1 << 30)"), process=SMALL)

    assert "memory" in assert_only_the_trigger_fails(judge).detail


@pytest.mark.parametrize("stream", ["sys.stdout", "sys.stderr", "sys.__stdout__"])
def test_an_evaluator_may_print_a_lot_of_which_the_beginning_comes_out_on_standard_error(
    make: Make, stream: str, capfd: pytest.CaptureFixture[str]
) -> None:
    judge = make(attacking(f"import sys; print('loud' * 200_000, file={stream})"))

    assert [judge.evaluate(TRIGGER).score for _ in range(2)] == [9.0] * 2

    judge.close()
    captured = capfd.readouterr()
    assert captured.err == ("loud" * (1 << 14) + f"\n… {800_001 - (1 << 16)} more bytes not shown\n") * 2
    assert captured.out == ""


@pytest.mark.parametrize("end", ["import os; os._exit(3)", "while True: pass"])
def test_what_an_evaluator_printed_without_flushing_before_it_is_lost_is_told_after_what_to_do(
    make: Make, end: str
) -> None:
    body = f"print('step 1 done')\n        {end}"

    def check(pace: float) -> None:
        detail = assert_only_the_trigger_fails(make(attacking(body), process=ProcessSpec(wall_seconds=pace))).detail

        told, _, said = detail.partition("; it last printed:\n")
        assert said == "step 1 done"
        assert told.endswith("exit status 3" if "_exit" in end else "; raise [evaluator].wall_seconds if it needs more")

    at_some_pace(check)


SCRIBBLE = """import os
        for fd in range(3, 300):
            try:
                os.write(fd, {what})
            except OSError:
                pass"""
FORGED = 'struct.pack("<IB", len(text) + 1, 74) + text'


@pytest.mark.parametrize(
    "what",
    [
        "b'loud'",
        "b'\\0' * 100",
        "b'\\xff' * 100",
        "bytes(range(256)) * 4",
        "b'\\x03\\0\\0\\0J[]'",
        "b'\\x01\\0\\0\\0J'",
        "b'J' * 3",
    ],
)
def test_bytes_in_every_descriptor_that_can_be_found_are_no_answer(
    attacked_often: Callable[[str], Evaluation], what: str
) -> None:
    assert " raised " not in attacked_often(SCRIBBLE.format(what=what)).detail


FORGERIES = [
    '["done", "0" * 16, answer]',
    '["done", None, answer]',
    '["done", "", answer]',
    "answer",
    '["done", answer]',
]


@pytest.mark.parametrize("message", FORGERIES)
def test_an_answer_forged_on_every_descriptor_is_not_believed(
    attacked_often: Callable[[str], Evaluation], message: str
) -> None:
    forge = (
        "import json, struct\n"
        "        answer = {'score': 1e9, 'descriptor': {'size': 1.0}, 'metrics': {}, 'failure': None, 'detail': '',\n"
        "            'artifacts': {}, 'stage': '', 'seconds': 0.0, 'level': 'FULL'}\n"
        f"        text = json.dumps({message}).encode()\n        " + SCRIBBLE.format(what=FORGED)
    )

    assert " raised " not in attacked_often(forge).detail


def test_bytes_written_after_the_answer_are_not_taken_for_the_next_one(make: Make) -> None:
    later = (
        "import os, threading, time\n"
        "        def scribble():\n            time.sleep(0.3)\n            for fd in range(3, 300):\n"
        "                try:\n                    os.write(fd, b'\\x03\\0\\0\\0J[]')\n"
        "                except OSError:\n                    pass\n"
        "        threading.Thread(target=scribble).start()"
    )
    judge = make(attacking(later))
    assert judge.evaluate(TRIGGER).score == 9.0

    scores = [judge.evaluate(LINE).score for _ in range(3000 if ALL_TESTS else 1000)]

    assert set(scores) - {None} == {1.0}
    assert scores.count(None) <= 1


ANSWERS = {
    "bool": ("True", "score is a bool"),
    "text": ("'1.0'", "score is a str"),
    "nothing": ("None", "score is nothing"),
    "nan": ("float('nan')", "score is nan"),
    "infinity": ("-float('inf')", "score is -inf"),
    "huge": ("10 ** 400", "score is inf"),
    "complex": ("1j", "score is a complex"),
    "array": ("__import__('numpy').ones(2)", "score is a ndarray"),
    "numpy nan": ("__import__('numpy').float64('nan')", "score is nan"),
    "numpy bool": ("__import__('numpy').bool_(True)", "expected a finite number"),
}


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Evaluation]]:
    """Evaluations by one evaluator whose score is the expression that stands in the candidate's comment."""
    folder = tmp_path_factory.mktemp("echo")
    source = PLAIN.replace("value = float", "value = eval").replace('"+"', '"#"').format(attack="")
    (folder / "evaluate.py").write_text(source, encoding="utf-8")
    spec = JudgeSpec(
        language="symbolic", symbolic=SymbolicSpec(), folder=str(folder), file="evaluate.py", axes=("size",)
    )
    with JudgeProcess(spec) as judge:
        yield lambda expression: judge.evaluate({"seed.py": f"def f(x):\n    return x + 1.0  #{expression}\n"})


@pytest.mark.parametrize(("score", "words"), ANSWERS.values(), ids=ANSWERS)
def test_a_score_that_is_no_finite_number_is_the_evaluators_failure(
    echo: Callable[[str], Evaluation], score: str, words: str
) -> None:
    evaluation = echo(score)

    assert evaluation.failure is Failure.EVALUATOR
    assert words in evaluation.detail


@pytest.mark.parametrize(
    "score",
    [
        "9",
        "__import__('numpy').float32(9.0)",
        "__import__('numpy').int64(9)",
        "__import__('fractions').Fraction(9)",
        "type('F', (float,), {})(9.0)",
    ],
)
def test_any_real_number_becomes_a_plain_float(echo: Callable[[str], Evaluation], score: str) -> None:
    evaluation = echo(score)

    assert (type(evaluation.score), evaluation.score) == (float, 9.0)
    assert type(evaluation.metrics["value"]) is float


def test_an_answer_that_is_far_too_large_is_refused_where_it_is_made(make: Make) -> None:
    huge = "return {'score': 1.0, 'descriptor': {'size': 1}, 'artifacts': {str(n): 'x' * 10**6 for n in range(51)}}"

    assert "51 artifacts" in assert_only_the_trigger_fails(make(attacking(huge))).detail


def test_an_evaluator_cannot_leave_its_limits_to_the_next_candidate(make: Make) -> None:
    def check(pace: float) -> None:
        judge = make(attacking(f"import time; time.sleep({0.4 * pace})"), process=ProcessSpec(wall_seconds=1.5 * pace))

        scores = [judge.evaluate(TRIGGER).score for _ in range(4)]

        assert scores == [9.0] * 4

    at_some_pace(check)


def test_a_process_that_died_while_nobody_asked_is_replaced_and_nobody_is_blamed(make: Make) -> None:
    judge = make(attacking("pass"))
    assert judge.evaluate(LINE).score == 1.0
    first = judge.guard_pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: not is_alive(first))

    scores = [judge.evaluate(LINE).score for _ in range(3)]

    assert scores == [1.0] * 3
    assert judge.guard_pid != first


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_module", "cannot be loaded: ModuleNotFoundError"),
        ("evaluate = 3", "has no function evaluate"),
        ("import os; os._exit(4)", "cannot be loaded: the evaluator's process died: exit status 4"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("while True: pass", "did not answer within 1 s of its own time"),
    ],
)
def test_an_evaluator_that_cannot_be_loaded_is_told_and_no_candidate_blamed(
    make: Make, source: str, words: str
) -> None:
    judge = make(source, process=ProcessSpec(wall_seconds=1.0 if "while True" in source else 60.0))

    for _ in range(2):
        with pytest.raises(EvaluatorError, match=words):
            judge.evaluate(LINE)
    assert judge.guard_pid is None


def test_an_evaluator_sees_no_key_and_always_the_same_hashes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    source = PLAIN.format(attack="import os; value = float('SOME_API_KEY' in os.environ or 'PYTHONPATH' in os.environ)")
    assert make(source).evaluate(LINE).score == 0.0

    hashes = {make(PLAIN.format(attack="value = float(hash('word'))")).evaluate(LINE).score for _ in range(2)}

    assert len(hashes) == 1


def verifying(body: str) -> str:
    return PLAIN.format(attack="pass") + f"\ndef verify(candidate):\n    {body}\n"


def test_a_proof_with_any_json_certificate_comes_back(make: Make) -> None:
    body = "return {'verdict': 'certified', 'value': 1.5, 'score': 1, 'certificate': {'n': 10**2000, 'deep': [[[1]]]}}"

    verdict = make(verifying(body)).verify(LINE)

    assert (verdict.verdict, verdict.value, verdict.score) == (Certainty.CERTIFIED, 1.5, 1.0)
    assert verdict.certificate == {"n": 10**2000, "deep": [[[1]]]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os; os._exit(0)", "died: exit status 0"),
        ("while True: pass", "raise .evaluator..verify_seconds"),
        ("raise ValueError('no')", "verify raised ValueError: no"),
        ("return {'verdict': 'sure'}", "broke its contract"),
        ("return {'verdict': 'certified', 'certificate': {'x': float('nan')}}", "not JSON"),
        ("return {'verdict': 'certified', 'value': float('inf')}", "inf"),
    ],
)
def test_a_proof_that_fails_is_the_evaluators_failure(make: Make, body: str, words: str) -> None:
    judge = make(verifying(body), process=ProcessSpec(verify_seconds=1.0 if "while True" in body else 60.0))

    with pytest.raises(EvaluatorError, match=words):
        judge.verify(LINE)
    assert judge.evaluate(LINE).score == 1.0


def test_a_certificate_that_is_far_too_large_is_refused_where_it_is_made(make: Make) -> None:
    judge = make(verifying("return {'verdict': 'certified', 'certificate': {'x': 'x' * (1 << 27)}}"))

    with pytest.raises(EvaluatorError, match="at most 67108864 are allowed"):
        judge.verify(LINE)


def test_a_proof_has_its_own_time(make: Make) -> None:
    def check(pace: float) -> None:
        body = f"import time; time.sleep({1.3 * pace}); return {{'verdict': 'unverified'}}"
        judge = make(verifying(body), process=ProcessSpec(wall_seconds=pace, verify_seconds=60.0 * pace))

        assert judge.verify(LINE).verdict is Certainty.UNVERIFIED

    at_some_pace(check)


def test_a_fit_target_is_asked_for_once_and_comes_back_in_full(make: Make) -> None:
    count = "\nn = 0\ndef fit_target():\n    global n\n    n += 1\n    return [0.0, 1.0], [float(n), 2.0], True\n"
    judge = make(PLAIN.format(attack="pass") + count)

    targets = [judge.fit_target() for _ in range(3)]

    for target in targets:
        assert target is not None
        points, values, relative = target
        assert (points.tolist(), values.tolist(), relative) == ([0.0, 1.0], [1.0, 2.0], True)


@pytest.mark.parametrize(
    "body",
    [
        "import os; os._exit(1)",
        "raise ValueError",
        "return [1.0], [float('nan')], True",
        "return [1.0]",
        "return [1.0, 2.0], [1.0], True",
        "return [], [], True",
        "return ['a'], [object()], True",
        "return [10 ** 400], [1.0], True",
    ],
)
def test_a_fit_target_that_fails_is_the_evaluators_failure(make: Make, body: str) -> None:
    judge = make(PLAIN.format(attack="pass") + f"\ndef fit_target():\n    {body}\n")

    with pytest.raises(EvaluatorError):
        judge.fit_target()


def test_an_evaluator_without_a_fit_target_has_none(make: Make) -> None:
    judge = make(PLAIN.format(attack="pass"))

    assert judge.fit_target() is None
    assert judge.fit_target_low() is None


def test_a_family_stays_in_this_process_and_an_evaluator_does_not(make: Make) -> None:
    spec = make(PLAIN.format(attack="pass")).spec
    options = {"function": "exp2", "interval": [0.0, 1.0], "error": "relative"}
    family = JudgeSpec(language="symbolic", symbolic=SymbolicSpec(), family="function_approximation", options=options)

    assert isinstance(open_judge(spec), JudgeProcess)
    assert isinstance(open_judge(family), Judge)


# Python candidates: whose fault, whose time

NUMBERS = """
def evaluate(candidate):
    value = candidate.call("answer")
    {rest}
    return {{"score": value, "descriptor": {{"size": 1.0}}}}
"""
LIMITS = LimitsSpec(wall_seconds=60.0, cpu_seconds=30.0, memory_mb=200)


def python(make: Make, rest: str = "pass", **spec: Any) -> JudgeProcess:
    return make(NUMBERS.format(rest=rest), language="python", symbolic=None, **{"limits": LIMITS} | spec)


def answering(body: str) -> Mapping[str, str]:
    return {"seed.py": f"import os, time\ndef answer():\n    {body}\n"}


CANDIDATES = [
    ("return 1 / 0", Failure.EXCEPTION),
    ("os._exit(0)", Failure.CRASH),
    ("time.sleep(600)", Failure.TIMEOUT),
    ("return float('nan')", Failure.NOT_FINITE),
    ("return {1}", Failure.INVALID),
]


def test_a_candidates_failure_is_not_the_evaluators_and_costs_no_process(make: Make) -> None:
    def check(pace: float) -> None:
        judge = python(make, process=ProcessSpec(wall_seconds=60.0), limits=replace(LIMITS, wall_seconds=pace))
        assert judge.level in ("FULL", "STRONG", "NOOPEN")
        pid = judge.guard_pid

        evaluations = [judge.evaluate(answering(body)) for body, _ in CANDIDATES]

        assert [each.failure for each in evaluations] == [failure for _, failure in CANDIDATES]
        assert {each.level for each in evaluations} == {judge.level}
        assert judge.evaluate(answering("return 4.0")).score == 4.0
        assert judge.guard_pid == pid

    at_some_pace(check)


def test_time_that_a_candidate_takes_is_not_its_evaluators(make: Make) -> None:
    rest = "[candidate.call('slow') for _ in range(4)]"

    def check(pace: float) -> None:
        judge = python(make, rest, process=ProcessSpec(wall_seconds=pace))
        slow = f"def slow(): time.sleep({0.3 * pace})"

        assert judge.evaluate({"seed.py": f"import time\ndef answer(): return 1.0\n{slow}\n"}).score == 1.0

    at_some_pace(check)


def test_an_evaluator_that_hangs_between_two_calls_is_still_cut_off(make: Make) -> None:
    rest = "candidate.call('answer')\n    while value == 5.0: pass"

    def check(pace: float) -> None:
        judge = python(make, rest, process=ProcessSpec(wall_seconds=pace))

        hung = judge.evaluate(answering("return 5.0"))

        assert hung.failure is Failure.EVALUATOR
        assert "of its own time" in hung.detail
        assert judge.evaluate(answering("return 4.0")).score == 4.0

    at_some_pace(check)


def test_a_candidate_that_is_slow_in_every_call_is_stopped_after_ten_times_its_limit(make: Make) -> None:
    rest = "[candidate.call('answer') for _ in range(100)]"

    def check(pace: float) -> None:
        judge = python(make, rest, limits=replace(LIMITS, wall_seconds=0.2 * pace))

        slow = judge.evaluate(answering(f"time.sleep({0.08 * pace}); return 1.0"))

        assert slow.failure is Failure.TIMEOUT
        assert f"all calls together took more than {2 * pace:g} s" in slow.detail

    at_some_pace(check)


def test_a_card_that_is_not_there_is_the_machines_fault(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SandboxError, match="nvidia-smi"):
        python(make, gpus=(0,)).evaluate(answering("return 1.0"))


def test_a_helper_beside_the_evaluator_is_imported_as_documented(make: Make, tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("VALUE = 4.0\n", encoding="utf-8")
    path = "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent))\n"

    judge = make(path + "from beside_it import VALUE\n" + PLAIN.format(attack="value = VALUE"))

    assert judge.evaluate(LINE).score == 4.0


def test_a_module_that_cannot_be_preloaded_is_the_sandboxs_complaint(make: Make) -> None:
    with pytest.raises(SandboxError, match="no_such_module"):
        python(make, preload=("no_such_module",)).evaluate(answering("return 1.0"))


def test_a_preloaded_module_and_every_limit_reach_the_candidate(make: Make) -> None:
    limits = replace(LIMITS, scratch_mb=4, n_files=32)
    files = answering("import sys; open('x', 'w').write('y'); return float('decimal' in sys.modules)")

    evaluation = python(make, limits=limits, preload=("numpy", "decimal")).evaluate(files)

    assert evaluation.score == 1.0, evaluation.detail


def test_files_that_are_no_text_are_the_candidates_failure(make: Make) -> None:
    evaluation = python(make).evaluate({"seed.py": "x = '\ud800'"})

    assert evaluation.failure is Failure.SYNTAX


def test_the_longest_time_lies_above_every_limit_that_it_is_made_of() -> None:
    spec = JudgeSpec(language="python", file="e.py", limits=LimitsSpec(wall_seconds=7.0), repeats=3)

    assert spec.longest_seconds > 2 * spec.process.wall_seconds + 3 * 10 * 7.0
    assert spec.longest_verification_seconds > spec.process.verify_seconds
    assert math.isfinite(spec.longest_seconds)
