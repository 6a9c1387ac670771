"""The judge against evaluators that people write: what is accepted, what is told, what becomes of failures."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from evaluators.contract import Certainty, Evaluation, Failure
from evaluators.errors import EvaluatorError
from evaluators.judge import Judge, JudgeSpec
from evaluators.spec import LimitsSpec, StageSpec, SymbolicSpec
from sandbox.errors import CandidateError, CandidateOutOfMemory, CandidateRaised, CandidateTimedOut, SandboxError
from sandbox.limits import Limits

FILES = {"seed.py": "def answer():\n    return 1.0\n"}


class ScriptedSandbox:
    """A sandbox whose candidates answer what the test says; counts what is open."""

    level = "SCRIPTED"

    def __init__(self, answer: Callable[[int], Any], *, output: str = "") -> None:
        self.answer = answer
        self.text = output
        self.n_started = 0
        self.n_open = 0

    def start(
        self, files: Mapping[str, str], *, entry: str | None = None, limits: Limits | None = None
    ) -> "ScriptedSession":
        self.n_started += 1
        self.n_open += 1
        return ScriptedSession(self, self.n_started - 1)

    def close(self) -> None:
        pass


class ScriptedSession:
    def __init__(self, sandbox: ScriptedSandbox, number: int) -> None:
        self.sandbox = sandbox
        self.number = number

    @property
    def output(self) -> str:
        return self.sandbox.text

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        return self.sandbox.answer(self.number)

    def close(self) -> None:
        self.sandbox.n_open -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def fails(error: Exception) -> Callable[[int], Any]:
    def answer(number: int) -> Any:
        raise error

    return answer


@pytest.fixture
def evaluator(tmp_path: Path) -> Callable[..., Evaluation]:
    """Judge one candidate with the given evaluate.py; every session must be closed afterwards."""

    def judge_with(source: str, answer: Callable[[int], Any] = lambda number: 1.0, **spec: Any) -> Evaluation:
        (tmp_path / "evaluate.py").write_text(source, encoding="utf-8")
        sandbox = ScriptedSandbox(answer, output=spec.pop("output", ""))
        settings = {"language": "python", "folder": str(tmp_path), "file": "evaluate.py", "axes": ("size",), **spec}
        evaluation = Judge(JudgeSpec(**settings), sandbox).evaluate(FILES)
        assert sandbox.n_open == 0
        return evaluation

    return judge_with


GOOD = """
def evaluate(candidate):
    value = candidate.call("answer")
    return {"score": value, "descriptor": {"size": 2.0, "other": 3.0}, "metrics": {"value": value}}
"""


def answering(expression: str) -> str:
    return f"import math\ndef evaluate(candidate):\n    return {expression}\n"


def test_a_good_answer_is_scored_and_only_the_archives_axes_are_kept(evaluator: Callable[..., Evaluation]) -> None:
    evaluation = evaluator(GOOD)
    assert evaluation.score == 1.0
    assert evaluation.descriptor == {"size": 2.0}
    assert evaluation.metrics == {"value": 1.0}
    assert evaluation.seconds > 0.0


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("None", "returned nothing, expected a dict"),
        ("3.0", "returned a float, expected a dict"),
        ("{}", "score is nothing"),
        ("{'score': math.nan, 'descriptor': {'size': 1}}", "score is nan, expected a finite number"),
        ("{'score': 10**400, 'descriptor': {'size': 1}}", "score is inf"),
        ("{'score': True, 'descriptor': {'size': 1}}", "score is a bool"),
        ("{'score': '1', 'descriptor': {'size': 1}}", "score is a str"),
        ("{'score': 1.0}", "lacks ['size']"),
        ("{'score': 1.0, 'descriptor': {'size': math.inf}}", "the descriptor's size is inf"),
        ("{'score': 1.0, 'descriptor': {'size': [1]}}", "the descriptor's size is a list"),
        ("{'score': 1.0, 'descriptor': {'size': 1}, 'metrics': {'m': None}}", "the metric m is nothing"),
        ("{'score': 1.0, 'descriptor': {'size': 1}, 'combined_score': 1.0}", "unknown keys ['combined_score']"),
        ("{'failure': 'no', 'kind': 'sad'}", "the failure has the kind 'sad'"),
        ("1 / 0", "ZeroDivisionError: division by zero at evaluate.py:3"),
    ],
)
def test_an_evaluator_that_breaks_its_contract_is_to_blame_and_told_why(
    evaluator: Callable[..., Evaluation], expression: str, words: str
) -> None:
    evaluation = evaluator(answering(expression))
    assert evaluation.failure is Failure.EVALUATOR
    assert words in evaluation.detail


def test_an_answer_the_problem_refuses_is_invalid_with_the_problems_words(evaluator: Callable[..., Evaluation]) -> None:
    evaluation = evaluator(answering("{'failure': 'two circles overlap'}"))
    assert evaluation.failure is Failure.INVALID
    assert evaluation.detail == "two circles overlap"


def test_a_problem_may_name_the_kind_of_failure(evaluator: Callable[..., Evaluation]) -> None:
    evaluation = evaluator(answering("{'failure': 'it is NaN', 'kind': 'not_finite'}"))
    assert evaluation.failure is Failure.NOT_FINITE


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (CandidateRaised("ValueError: no"), Failure.EXCEPTION),
        (CandidateTimedOut("10 s"), Failure.TIMEOUT),
        (CandidateOutOfMemory("512 MB"), Failure.MEMORY),
    ],
)
def test_what_the_sandbox_raises_about_a_candidate_becomes_its_failure(
    evaluator: Callable[..., Evaluation], error: CandidateError, failure: Failure
) -> None:
    evaluation = evaluator(GOOD, fails(error))
    assert evaluation.failure is failure
    assert evaluation.detail == error.detail


def test_every_way_a_candidate_can_fail_in_the_sandbox_is_a_kind_of_failure() -> None:
    kinds = {CandidateError.kind, *(each.kind for each in CandidateError.__subclasses__())}
    assert kinds <= set(Failure)


def test_a_sandbox_that_breaks_once_is_tried_again(evaluator: Callable[..., Evaluation]) -> None:
    def answer(number: int) -> float:
        if number == 0:
            raise SandboxError("the server died")
        return 5.0

    assert evaluator(GOOD, answer).score == 5.0


def test_a_broken_sandbox_is_not_the_candidates_fault(evaluator: Callable[..., Evaluation]) -> None:
    with pytest.raises(SandboxError):
        evaluator(GOOD, fails(SandboxError("no server")))


def test_what_the_candidate_printed_is_kept_bounded_and_without_control_characters(
    evaluator: Callable[..., Evaluation],
) -> None:
    evaluation = evaluator(GOOD, output="\x1b[31mred\x00 " + "x" * 10_000)
    kept = evaluation.artifacts["output"]
    assert "\x1b" not in kept
    assert "\x00" not in kept
    assert "red" in kept
    assert len(kept) <= 2000


STAGES = """
def quick(candidate):
    value = candidate.call("answer")
    return {"score": value, "descriptor": {"size": 0.0}}

def full(candidate):
    value = candidate.call("answer")
    return {"score": 10 * value, "descriptor": {"size": 1.0}}

stages = {"quick": quick, "full": full}
"""


def test_a_candidate_below_a_stages_threshold_goes_no_further(evaluator: Callable[..., Evaluation]) -> None:
    started: list[int] = []

    def answer(number: int) -> float:
        started.append(number)
        return 1.0

    stages = (StageSpec(name="quick", threshold=2.0), StageSpec(name="full"))
    evaluation = evaluator(STAGES, answer, stages=stages)
    assert evaluation.failure is Failure.THRESHOLD
    assert evaluation.stage == "quick"
    assert "below the threshold 2.0" in evaluation.detail
    assert started == [0]


def test_a_candidate_that_passes_all_stages_has_the_last_ones_score(evaluator: Callable[..., Evaluation]) -> None:
    stages = (StageSpec(name="quick", threshold=1.0), StageSpec(name="full"))
    evaluation = evaluator(STAGES, stages=stages)
    assert evaluation.score == 10.0
    assert evaluation.stage == "full"
    assert evaluation.descriptor == {"size": 1.0}


def test_a_stage_that_the_evaluator_lacks_is_told_when_the_judge_is_built(evaluator: Callable[..., Evaluation]) -> None:
    with pytest.raises(EvaluatorError, match="lacks the stages \\['slow'\\], it has \\['full', 'quick'\\]"):
        evaluator(STAGES, stages=(StageSpec(name="slow"),))


def test_repeats_give_the_median_and_tell_the_spread(evaluator: Callable[..., Evaluation]) -> None:
    evaluation = evaluator(GOOD, lambda number: [1.0, 9.0, 2.0][number], repeats=3)
    assert evaluation.score == 2.0
    assert evaluation.metrics == {"value": 2.0, "score_spread": 8.0, "n_repeats": 3.0}


def test_one_failing_repeat_fails_the_candidate(evaluator: Callable[..., Evaluation]) -> None:
    def answer(number: int) -> float:
        if number == 1:
            raise CandidateRaised("flaky")
        return 1.0

    assert evaluator(GOOD, answer, repeats=3).failure is Failure.EXCEPTION


def test_each_repeat_has_its_own_place_in_the_random_stream(evaluator: Callable[..., Evaluation]) -> None:
    source = "def evaluate(c):\n    return {'score': c.repeat + 10 * c.rng_seed, 'descriptor': {'size': 0}}\n"
    evaluation = evaluator(source, repeats=3)
    assert evaluation.score == 1.0
    assert evaluation.metrics["score_spread"] == 2.0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def evaluate(candidate:\n", "cannot be loaded: SyntaxError"),
        ("import no_such_module_anywhere\n", "cannot be loaded: ModuleNotFoundError"),
        ("score = 1\n", "has no function evaluate"),
    ],
)
def test_an_evaluator_that_cannot_be_loaded_is_told_when_the_judge_is_built(
    evaluator: Callable[..., Evaluation], source: str, words: str
) -> None:
    with pytest.raises(EvaluatorError, match=words):
        evaluator(source)


def test_a_missing_evaluator_is_told_when_the_judge_is_built(tmp_path: Path) -> None:
    with pytest.raises(EvaluatorError, match=r"cannot read the evaluator .*evaluate\.py"):
        Judge(JudgeSpec(language="python", folder=str(tmp_path), file="evaluate.py"))


def test_two_problems_with_files_of_the_same_name_do_not_see_each_other(tmp_path: Path) -> None:
    judges = []
    for name, score in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "evaluate.py").write_text(f"def evaluate(c):\n    return {{'score': {score}}}\n")
        spec = JudgeSpec(language="python", folder=str(tmp_path / name), file="evaluate.py")
        judges.append(Judge(spec, ScriptedSandbox(lambda number: None)))
    assert [judge.evaluate(FILES).score for judge in judges] == [1.0, 2.0]


def test_an_evaluator_without_a_proof_leaves_the_candidate_unverified(tmp_path: Path) -> None:
    (tmp_path / "evaluate.py").write_text(GOOD)
    spec = JudgeSpec(language="python", folder=str(tmp_path), file="evaluate.py")
    verdict = Judge(spec, ScriptedSandbox(lambda number: 1.0)).verify(FILES)
    assert verdict.verdict is Certainty.UNVERIFIED
    assert "no function verify" in verdict.detail


def test_a_candidate_that_crashes_under_verification_is_refuted(tmp_path: Path) -> None:
    (tmp_path / "evaluate.py").write_text(GOOD + "def verify(c):\n    return c.call('answer')\n")
    spec = JudgeSpec(language="python", folder=str(tmp_path), file="evaluate.py")
    verdict = Judge(spec, ScriptedSandbox(fails(CandidateRaised("boom")))).verify(FILES)
    assert verdict.verdict is Certainty.REFUTED
    assert verdict.detail == "exception: boom"


def test_a_proof_that_breaks_its_contract_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "evaluate.py").write_text(GOOD + "def verify(c):\n    return {'verdict': 'certainly'}\n")
    spec = JudgeSpec(language="python", folder=str(tmp_path), file="evaluate.py")
    with pytest.raises(EvaluatorError, match="broke its contract"):
        Judge(spec, ScriptedSandbox(lambda number: 1.0)).verify(FILES)


def test_a_python_candidate_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "evaluate.py").write_text(
        "import os\ndef evaluate(c):\n    return {'score': float(c.call('pid') != os.getpid())}\n"
    )
    spec = JudgeSpec(language="python", folder=str(tmp_path), file="evaluate.py")
    with Judge(spec) as judge:
        evaluation = judge.evaluate({"seed.py": "import os\ndef pid():\n    print('hi')\n    return os.getpid()\n"})
    assert evaluation.score == 1.0
    assert evaluation.artifacts["output"].strip() == "hi"


def test_a_python_candidate_that_hangs_is_a_timeout(tmp_path: Path) -> None:
    (tmp_path / "evaluate.py").write_text("def evaluate(c):\n    return {'score': c.call('loop')}\n")
    limits = LimitsSpec(wall_seconds=0.3, cpu_seconds=5.0)
    spec = JudgeSpec(language="python", folder=str(tmp_path), file="evaluate.py", limits=limits)
    with Judge(spec) as judge:
        evaluation = judge.evaluate({"seed.py": "def loop():\n    while True:\n        pass\n"})
    assert evaluation.failure is Failure.TIMEOUT


SYMBOLIC = {"language": "symbolic", "symbolic": SymbolicSpec(max_operations=2, max_constants=1)}


def symbolic_judge(folder: Path, source: str, **spec: Any) -> Judge:
    (folder / "evaluate.py").write_text(source, encoding="utf-8")
    return Judge(JudgeSpec(folder=str(folder), file="evaluate.py", **{**SYMBOLIC, **spec}))


def test_a_symbolic_candidate_is_called_through_the_interpreter(tmp_path: Path) -> None:
    judge = symbolic_judge(tmp_path, "def evaluate(c):\n    return {'score': float(c.call('f', 3.0))}\n")
    assert judge.evaluate({"f.py": "def f(x):\n    return x * 2.0\n"}).score == 6.0


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"f.py": "def f(x):\n    return x * x + x * 2.0\n"}, "3 operations, at most 2"),
        ({"f.py": "def f(x):\n    return x * 2.0 + 3.0\n"}, "2 constants, at most 1"),
        ({"f.py": "def g(x):\n    return x\n"}, "called 'g', expected 'f'"),
        ({"f.py": "def f(y):\n    return y\n"}, "def f(x)"),
        ({"f.py": "def f(x):\n    return x\n", "g.py": ""}, "one file, got 2"),
        ({"f.py": "import os\ndef f(x):\n    return x\n"}, "import"),
    ],
)
def test_a_symbolic_candidate_outside_its_language_is_a_syntax_failure(
    tmp_path: Path, files: Mapping[str, str], words: str
) -> None:
    evaluation = symbolic_judge(tmp_path, "def evaluate(c):\n    return {'score': 0.0}\n").evaluate(files)
    assert evaluation.failure is Failure.SYNTAX
    assert words in evaluation.detail


def test_equal_programs_are_worth_the_same_however_they_are_written(tmp_path: Path) -> None:
    judge = symbolic_judge(tmp_path, "def evaluate(c):\n    return {'score': len(c.program.instructions)}\n")
    once = judge.evaluate({"f.py": "def f(x):\n    t = x * x\n    return t + t\n"})
    twice = judge.evaluate({"f.py": "def f(x):\n    dead = x / 3.0\n    return x * x + x * x\n"})
    assert once.score == twice.score == 2.0


def test_a_fit_target_of_a_problems_own_evaluator_is_offered(tmp_path: Path) -> None:
    source = "def evaluate(c):\n    return {'score': 0}\ndef fit_target():\n    return [1, 2], [3, 4], False\n"
    fit = symbolic_judge(tmp_path, source).fit_target()
    assert fit is not None
    points, values, relative = fit
    assert points.tolist() == [1.0, 2.0]
    assert values.tolist() == [3.0, 4.0]
    assert relative is False


def test_a_fit_target_of_several_inputs_has_a_list_of_points_for_each(tmp_path: Path) -> None:
    target = "[[1, 2, 3], [4, 5, 6]], [7, 8, 9], True"
    source = f"def evaluate(c):\n    return {{'score': 0}}\ndef fit_target():\n    return {target}\n"

    fit = symbolic_judge(tmp_path, source).fit_target()

    assert fit is not None
    assert [fit[0].tolist(), fit[1].tolist(), fit[2]] == [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [7.0, 8.0, 9.0], True]


@pytest.mark.parametrize(
    "target",
    [
        "[[1, 2], [3, 4]], [5, 6, 7], True",
        "[[1, 2], [3]], [5, 6], True",
        "[[[1, 2]]], [5, 6], True",
        "[], [], True",
        "[1, 2], [3, float('nan')], True",
        "[1, 2], [3, 4]",
    ],
)
def test_a_fit_target_that_is_no_table_is_refused_with_what_it_should_be(tmp_path: Path, target: str) -> None:
    source = f"def evaluate(c):\n    return {{'score': 0}}\ndef fit_target():\n    return {target}\n"

    with pytest.raises(EvaluatorError, match="one such list for each input"):
        symbolic_judge(tmp_path, source).fit_target()


def test_a_judge_never_returns_a_score_that_is_not_finite(evaluator: Callable[..., Evaluation]) -> None:
    for value in (math.nan, math.inf, -math.inf):
        assert evaluator(GOOD, lambda number, value=value: value).score is None
