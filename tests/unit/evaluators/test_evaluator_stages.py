"""Stages, repeats, sandboxes that break, handles, loading: every way from a candidate to a record."""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.contract import Certainty, Failure
from evaluators.errors import EvaluatorError
from evaluators.foreign import ForeignEvaluator, where
from evaluators.handles import PythonCandidate, SymbolicCandidate
from evaluators.judge import Judge
from evaluators.options import checked_options
from evaluators.spec import JudgeSpec, LimitsSpec, StageSpec, SymbolicSpec
from sandbox.errors import (
    CandidateCrashed,
    CandidateError,
    CandidateNotFinite,
    CandidateOutputLimit,
    CandidateRaised,
    CandidateResultInvalid,
    CandidateSyntaxError,
    SandboxError,
)
from sandbox.limits import Limits
from sandbox.symbolic.parse import parse
from sandbox.symbolic.vocabulary import ARITHMETIC, ELEMENTARY, load_vocabulary
from tests.extent import examples

FILES = {"seed.py": "def answer():\n    return 1.0\n"}

Calls = list[tuple[str, tuple[Any, ...], float | None]]


class ScriptedSandbox:
    """Gives each session, in order of starting, the next of the scripted answers; an exception is raised."""

    level = "SCRIPTED"

    def __init__(self, answers: Sequence[Any], *, starting: Mapping[int, Exception] | None = None) -> None:
        self.answers = answers
        self.starting = starting or {}
        self.started: list[tuple[Mapping[str, str], str | None, Limits | None]] = []
        self.calls: Calls = []
        self.n_open = 0
        self.closed = False

    def start(
        self, files: Mapping[str, str], *, entry: str | None = None, limits: Limits | None = None
    ) -> "ScriptedSession":
        number = len(self.started)
        self.started.append((dict(files), entry, limits))
        if number in self.starting:
            raise self.starting[number]
        self.n_open += 1
        return ScriptedSession(self, self.answers[number])

    def close(self) -> None:
        self.closed = True


class ScriptedSession:
    def __init__(self, sandbox: ScriptedSandbox, answer: Any) -> None:
        self.sandbox = sandbox
        self.answer = answer
        self.output = "printed" if answer == "talkative" else ""

    def call(self, name: str, *args: Any, timeout: float | None = None) -> Any:
        self.sandbox.calls.append((name, args, timeout))
        if isinstance(self.answer, Exception):
            raise self.answer
        return 1.0 if self.answer == "talkative" else self.answer

    def close(self) -> None:
        self.sandbox.n_open -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


THREE = """
def first(candidate):
    return {"score": candidate.call("answer"), "metrics": {"first": 1.0}}

def second(candidate):
    return {"score": candidate.call("answer"), "descriptor": {"size": 2.0}}

def third(candidate):
    return {"score": candidate.call("answer"), "descriptor": {"size": 3.0}}

stages = {"first": first, "second": second, "third": third}
"""
GOOD = 'def evaluate(candidate):\n    return {"score": candidate.call("answer")}\n'


def spec_of(folder: Path, source: str, **more: Any) -> JudgeSpec:
    (folder / "evaluate.py").write_text(source, encoding="utf-8")
    return JudgeSpec(**{"language": "python", "folder": str(folder), "file": "evaluate.py", **more})


@pytest.mark.parametrize("repeats", [1, 2, 3])
@pytest.mark.parametrize("thresholds", [(None, None, None), (1.0, None, None), (None, 1.0, 2.0), (1.0, 1.0, 2.0)])
@pytest.mark.parametrize("scores", [(0.0, 0.0, 0.0), (1.0, 0.0, 9.0), (1.0, 1.0, 1.0), (1.0, 1.0, 2.0)])
def test_a_candidate_goes_as_far_as_the_first_threshold_above_its_score(
    tmp_path: Path, scores: tuple[float, ...], thresholds: tuple[float | None, ...], repeats: int
) -> None:
    # given stages whose scores are known
    names = ("first", "second", "third")
    stages = tuple(StageSpec(name=n, threshold=t) for n, t in zip(names, thresholds, strict=True))
    sandbox = ScriptedSandbox([score for score in scores for _ in range(repeats)])
    # when
    spec = spec_of(tmp_path, THREE, stages=stages, repeats=repeats, axes=("size",))
    evaluation = Judge(spec, sandbox).evaluate(FILES)
    # then
    stops = [k for k in range(3) if (threshold := thresholds[k]) is not None and scores[k] < threshold]
    reached = stops[0] if stops else 2
    assert len(sandbox.started) == repeats * (reached + 1)
    assert sandbox.n_open == 0
    assert evaluation.stage == names[reached]
    if stops:
        assert (evaluation.failure, evaluation.score) == (Failure.THRESHOLD, None)
        return
    assert (evaluation.failure, evaluation.score) == (None, scores[2])
    assert evaluation.descriptor == {"size": 3.0}
    assert ("n_repeats" in evaluation.metrics) == (repeats > 1)


@pytest.mark.parametrize("stage", [0, 1, 2])
@pytest.mark.parametrize("repeat", [0, 1])
@pytest.mark.parametrize(
    "error", [CandidateRaised("no"), CandidateCrashed("gone"), CandidateOutputLimit("much"), CandidateNotFinite("nan")]
)
def test_a_failure_in_any_stage_and_repeat_ends_the_evaluation_there(
    tmp_path: Path, stage: int, repeat: int, error: CandidateError
) -> None:
    answers: list[Any] = [1.0] * 6
    answers[2 * stage + repeat] = error
    sandbox = ScriptedSandbox(answers)
    stages = tuple(StageSpec(name=name) for name in ("first", "second", "third"))
    evaluation = Judge(spec_of(tmp_path, THREE, stages=stages, repeats=2, axes=("size",)), sandbox).evaluate(FILES)
    assert evaluation.failure == error.kind
    assert evaluation.stage == stages[stage].name
    assert evaluation.detail == error.detail
    assert len(sandbox.started) == 2 * stage + repeat + 1
    assert sandbox.n_open == 0


def test_the_median_and_not_a_single_repeat_is_compared_with_the_threshold(tmp_path: Path) -> None:
    stages = (StageSpec(name="first", threshold=2.0),)
    passes = Judge(spec_of(tmp_path, THREE, stages=stages, repeats=3), ScriptedSandbox([0.0, 2.0, 9.0]))
    fails = Judge(spec_of(tmp_path, THREE, stages=stages, repeats=3), ScriptedSandbox([9.0, 0.0, 1.9]))
    assert passes.evaluate(FILES).score == 2.0
    assert fails.evaluate(FILES).failure is Failure.THRESHOLD


@pytest.mark.parametrize("when", ["starting", "calling"])
def test_every_repeat_may_find_its_sandbox_broken_once(tmp_path: Path, when: str) -> None:
    broken = SandboxError("died")
    answers = [broken, 1.0, broken, 3.0] if when == "calling" else [None, 1.0, None, 3.0]
    sandbox = ScriptedSandbox(answers, starting={0: broken, 2: broken} if when == "starting" else {})
    assert Judge(spec_of(tmp_path, GOOD, repeats=2), sandbox).evaluate(FILES).score == 2.0
    assert sandbox.n_open == 0


@pytest.mark.parametrize("repeat", [0, 1])
def test_a_sandbox_that_breaks_twice_in_a_row_stops_everything(tmp_path: Path, repeat: int) -> None:
    sandbox = ScriptedSandbox([1.0] * repeat + [SandboxError("died")] * 2)
    with pytest.raises(SandboxError, match="died"):
        Judge(spec_of(tmp_path, GOOD, repeats=2), sandbox).evaluate(FILES)
    assert sandbox.n_open == 0


def test_the_session_gets_the_problems_files_entry_limits_and_arguments(tmp_path: Path) -> None:
    source = 'def evaluate(c):\n    return {"score": c.call("answer", [1, "a"], 2.5, timeout=0.25)}\n'
    limits = LimitsSpec(wall_seconds=3.0, memory_mb=7, output_kb=5)
    sandbox = ScriptedSandbox([1.0])
    files = {"seed.py": "a = 1\n", "more.py": "b = 2\n"}
    Judge(spec_of(tmp_path, source, limits=limits, entry="more.py"), sandbox).evaluate(files)
    assert sandbox.started == [(files, "more.py", limits.limits())]
    assert sandbox.calls == [("answer", ([1, "a"], 2.5), 0.25)]


def test_several_calls_of_one_evaluation_share_a_session_and_repeats_do_not(tmp_path: Path) -> None:
    source = 'def evaluate(c):\n    return {"score": c.call("a") + c.call("b")}\n'
    sandbox = ScriptedSandbox([1.0, 5.0])
    evaluation = Judge(spec_of(tmp_path, source, repeats=2), sandbox).evaluate(FILES)
    assert evaluation.score == 6.0
    assert [name for name, *_ in sandbox.calls] == ["a", "b", "a", "b"]
    assert len(sandbox.started) == 2


def test_an_evaluator_that_changes_the_files_it_is_shown_changes_a_copy(tmp_path: Path) -> None:
    source = "def evaluate(c):\n    n = len(c.files)\n    c.files['more.py'] = ''\n    return {'score': n}\n"
    files = dict(FILES)
    evaluation = Judge(spec_of(tmp_path, source, repeats=3), ScriptedSandbox([])).evaluate(files)
    assert evaluation.score == 1.0
    assert evaluation.metrics["score_spread"] == 0.0
    assert files == FILES


def test_an_evaluator_that_never_calls_the_program_never_starts_it(tmp_path: Path) -> None:
    sandbox = ScriptedSandbox([])
    assert Judge(spec_of(tmp_path, "def evaluate(c):\n    return {'score': 1}\n"), sandbox).evaluate(FILES).score == 1.0
    assert sandbox.started == []


def test_what_was_printed_takes_the_place_of_an_artifact_of_that_name(tmp_path: Path) -> None:
    source = (
        "def evaluate(c):\n    return {'score': c.call('answer'), 'artifacts': {'output': 'mine', 'plot': 'dots'}}\n"
    )
    spec = spec_of(tmp_path, source)
    loud, silent = (Judge(spec, ScriptedSandbox([said])).evaluate(FILES) for said in ("talkative", 1.0))
    assert loud.artifacts == {"output": "printed", "plot": "dots"}
    assert silent.artifacts == {"output": "mine", "plot": "dots"}


def test_what_a_failing_candidate_printed_is_kept_too(tmp_path: Path) -> None:
    source = "def evaluate(c):\n    c.call('answer')\n    return {'failure': 'refused'}\n"
    evaluation = Judge(spec_of(tmp_path, source), ScriptedSandbox(["talkative"])).evaluate(FILES)
    assert evaluation.failure is Failure.INVALID
    assert evaluation.artifacts == {"output": "printed"}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("raise SystemExit(3)", "SystemExit: 3 at evaluate.py:3"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("raise RecursionError('deep')", "RecursionError: deep"),
        ("raise MemoryError", "MemoryError"),
        ("raise StopIteration", "StopIteration"),
        ("return {}['missing']", "KeyError: 'missing' at evaluate.py:3"),
        ("raise ValueError('\\x1b[31m' + 'x' * 9000)", "ValueError: \N{REPLACEMENT CHARACTER}[31mxxx"),
        ("return {'score': 1.0, 'descriptor': [0]}", "broke its contract: descriptor is a list"),
    ],
)
def test_whatever_an_evaluator_does_is_a_record_with_the_session_closed(
    tmp_path: Path, statement: str, words: str
) -> None:
    sandbox = ScriptedSandbox([1.0])
    source = f"def evaluate(c):\n    c.call('answer')\n    {statement}\n"
    evaluation = Judge(spec_of(tmp_path, source), sandbox).evaluate(FILES)
    assert evaluation.failure is Failure.EVALUATOR
    assert words in evaluation.detail
    assert len(evaluation.detail) <= 2100
    assert sandbox.n_open == 0


def test_an_evaluator_may_catch_what_its_candidate_raised(tmp_path: Path) -> None:
    source = (
        "def evaluate(c):\n    try:\n        c.call('answer')\n    except Exception:\n        return {'score': 7}\n"
    )
    assert Judge(spec_of(tmp_path, source), ScriptedSandbox([CandidateRaised("x")])).evaluate(FILES).score == 7.0


# Verification by a problem's own proof


def verdict_for(folder: Path, body: str, answers: Sequence[Any] = (1.0,)) -> tuple[Any, ScriptedSandbox]:
    sandbox = ScriptedSandbox(answers)
    source = f"{GOOD}\ndef verify(c):\n    {body}\n"
    return Judge(spec_of(folder, source), sandbox).verify(FILES), sandbox


def test_a_problems_own_proof_is_asked_and_its_session_closed(tmp_path: Path) -> None:
    verdict, sandbox = verdict_for(tmp_path, "return {'verdict': 'certified', 'value': c.call('answer')}")
    assert (verdict.verdict, verdict.value) == (Certainty.CERTIFIED, 1.0)
    assert (len(sandbox.started), sandbox.n_open) == (1, 0)


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "1 / 0", "return None", "return {'verdict': 'maybe'}"])
def test_a_proof_that_breaks_is_the_problems_fault(tmp_path: Path, body: str) -> None:
    with pytest.raises(EvaluatorError, match="the evaluator"):
        verdict_for(tmp_path, body)


def test_a_broken_sandbox_under_verification_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="died"):
        verdict_for(tmp_path, "return c.call('answer')", [SandboxError("died")])


def test_a_verify_that_is_no_function_is_no_proof(tmp_path: Path) -> None:
    verdict = Judge(spec_of(tmp_path, GOOD + "verify = 3\n"), ScriptedSandbox([])).verify(FILES)
    assert verdict.verdict is Certainty.UNVERIFIED


# Fit targets of a problem's own


@pytest.mark.parametrize(
    "returned",
    [
        "None",
        "[1, 2], [3, 4]",
        "[1, 2], [3], False",
        "[1, 2], [3, 'a'], False",
        "[1.0, float('nan')], [1.0, 2.0], True",
        "[[1.0]], [[2.0]], True",
        "1.0, 2.0, True",
        "1 / 0",
        "exit(1)",
    ],
)
def test_a_fit_target_of_the_wrong_form_is_the_problems_fault(tmp_path: Path, returned: str) -> None:
    source = f"{GOOD}\ndef fit_target():\n    return {returned}\n"
    with pytest.raises(EvaluatorError, match="fit_target"):
        Judge(spec_of(tmp_path, source), ScriptedSandbox([])).fit_target()


def test_a_problem_without_a_fit_target_has_none(tmp_path: Path) -> None:
    judge = Judge(spec_of(tmp_path, GOOD), ScriptedSandbox([]))
    assert judge.fit_target() is None
    assert judge.fit_target_low() is None


# Closing


def test_a_sandbox_that_was_given_is_left_open_for_its_owner(tmp_path: Path) -> None:
    sandbox = ScriptedSandbox([1.0])
    with Judge(spec_of(tmp_path, GOOD), sandbox) as judge:
        judge.evaluate(FILES)
    judge.close()
    assert not sandbox.closed


def test_closing_a_judge_that_never_ran_anything_is_harmless_and_repeatable(tmp_path: Path) -> None:
    judge = Judge(spec_of(tmp_path, GOOD))
    judge.close()
    judge.close()


# Loading


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("stages = [1]\n", "has no dict `stages`"),
        (GOOD, "has no dict `stages`"),
        ("stages = {}\n", r"lacks the stages \['quick'\], it has \[\]"),
        ("stages = {'quick': 3}\n", r"lacks the stages \['quick'\], it has \['quick'\]"),
        ("raise SystemExit('no')\n", "cannot be loaded: SystemExit: no at evaluate.py:1"),
        ("1 / 0\n", "cannot be loaded: ZeroDivisionError"),
        ("def f(:\n", r"cannot be loaded: SyntaxError.*line 1\)$"),
    ],
)
def test_a_file_that_is_no_evaluator_is_told_with_its_path(tmp_path: Path, source: str, words: str) -> None:
    path = tmp_path / "evaluate.py"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(EvaluatorError, match=words) as told:
        ForeignEvaluator(path, (StageSpec(name="quick"),))
    assert str(path) in str(told.value)


def test_an_evaluator_that_cannot_be_loaded_leaves_no_half_made_module(tmp_path: Path) -> None:
    (tmp_path / "evaluate.py").write_text(f"1 / 0  # {tmp_path}\n", encoding="utf-8")
    before = set(sys.modules)
    with pytest.raises(EvaluatorError, match="cannot be loaded"):
        ForeignEvaluator(tmp_path / "evaluate.py", ())
    assert set(sys.modules) == before


@pytest.mark.parametrize("source", ["evaluate = 3\n", "", "def Evaluate(c):\n    return {}\n"])
def test_an_evaluator_without_stages_needs_a_function_evaluate(tmp_path: Path, source: str) -> None:
    (tmp_path / "evaluate.py").write_text(source, encoding="utf-8")
    with pytest.raises(EvaluatorError, match=r"has no function evaluate\(candidate\)"):
        ForeignEvaluator(tmp_path / "evaluate.py", ())


@pytest.mark.parametrize("name", ["evaluate.txt", "evaluate"])
def test_an_evaluator_must_be_a_python_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(EvaluatorError, match="is not a Python file"):
        ForeignEvaluator(tmp_path / name, ())


def test_a_folder_in_place_of_an_evaluator_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluatorError, match="cannot read the evaluator"):
        ForeignEvaluator(tmp_path, ())


def test_an_evaluator_may_define_dataclasses(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass P:\n    n: int\n"
        "def evaluate(c):\n    return {'score': P(4).n}\n"
    )
    assert Judge(spec_of(tmp_path, source), ScriptedSandbox([])).evaluate(FILES).score == 4.0


def test_an_evaluator_that_was_edited_is_loaded_anew(tmp_path: Path) -> None:
    for score in (1, 2):
        judge = Judge(spec_of(tmp_path, f"def evaluate(c):\n    return {{'score': {score}}}\n"), ScriptedSandbox([]))
        assert judge.evaluate(FILES).score == score


def test_an_error_is_told_with_the_innermost_line_or_without_one() -> None:
    def inner() -> None:
        raise ValueError("here")

    with pytest.raises(ValueError, match="here") as told:
        inner()
    assert where(told.value).startswith(f"ValueError: here at {Path(__file__).name}:")
    assert where(KeyError("k")) == "KeyError: 'k'"


# Handles


def symbolic(text: str, vocabulary: str | Path = "arithmetic") -> SymbolicCandidate:
    words = load_vocabulary(vocabulary)
    return SymbolicCandidate({"f.py": text}, parse(text, words), words, rng_seed=3, repeat=2)


@settings(deadline=None, max_examples=examples(30))
@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_a_symbolic_program_computes_what_python_computes(x: float, y: float) -> None:
    candidate = symbolic("def f(x, y):\n    t = x * y - 2.5\n    return t * t + x / 4.0\n")
    assert candidate.call("f", x, y) == (x * y - 2.5) * (x * y - 2.5) + x / 4.0


def test_a_symbolic_program_takes_arrays() -> None:
    points = np.linspace(-1.0, 1.0, 5)
    assert symbolic("def f(x):\n    return x * x + 1.0\n").call("f", points) == pytest.approx(points**2 + 1)


@pytest.mark.parametrize(("name", "args"), [("g", (1.0,)), ("f", ()), ("f", (1.0, 2.0))])
def test_calling_a_symbolic_program_by_another_name_or_with_other_inputs_is_told(
    name: str, args: tuple[float, ...]
) -> None:
    with pytest.raises(CandidateResultInvalid, match=rf"called {name} with {len(args)} inputs, the program is f\(x\)"):
        symbolic("def f(x):\n    return x\n").call(name, *args)


@pytest.mark.parametrize("x", [0.0, np.array([1.0, 0.0]), float("nan"), float("inf")])
def test_a_value_that_is_or_holds_no_finite_number_is_told(x: Any) -> None:
    with pytest.raises(CandidateNotFinite, match="f gave NaN or infinity"):
        symbolic("def f(x):\n    return x / x\n").call("f", x)


def test_an_error_of_a_problems_own_word_is_the_candidates_failure(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text("def half(x: float) -> float:\n    raise ValueError('odd')\n", encoding="utf-8")
    with pytest.raises(CandidateRaised, match="ValueError: odd"):
        symbolic("def f(x):\n    return half(x)\n", tmp_path / "words.py").call("f", 1.0)


def test_a_handle_knows_its_place_in_the_random_stream_and_closes_quietly() -> None:
    candidate = symbolic("def f(x):\n    return x\n")
    assert (candidate.rng_seed, candidate.repeat, candidate.output) == (3, 2, "")
    candidate.close()
    candidate.close()


def test_a_python_handle_starts_at_the_first_call_and_can_be_closed_twice() -> None:
    sandbox = ScriptedSandbox(["talkative"])
    candidate = PythonCandidate(FILES, sandbox, entry=None, limits=Limits())
    assert (candidate.output, sandbox.started) == ("", [])
    assert candidate.call("answer") == 1.0
    assert candidate.output == "printed"
    candidate.close()
    candidate.close()
    assert (sandbox.n_open, candidate.output) == (0, "")


# Options and specs

KEYS = st.sampled_from(["function", "interval", "error", "functoin", "colour"])


@settings(max_examples=examples(60))
@given(st.dictionaries(KEYS, st.integers()))
def test_options_are_complete_and_known_or_every_wrong_key_is_named(options: dict[str, int]) -> None:
    missing = {"function", "interval"} - set(options)
    unknown = set(options) - {"function", "interval", "error"}

    def check() -> dict[str, Any]:
        return checked_options(options, required=("function", "interval"), optional={"error": -1})

    if not missing and not unknown:
        assert check() == {"error": -1, **options}
        return
    with pytest.raises(EvaluatorError) as told:
        check()
    assert all(f"evaluator.options.{key} is missing" in str(told.value) for key in missing)
    assert all(f"evaluator.options.{key} is unknown" in str(told.value) for key in unknown)
    assert len(str(told.value).split("; evaluator.")) == len(missing) + len(unknown)


def test_defaults_are_not_changed_by_the_options_that_replace_them() -> None:
    defaults = {"error": "relative"}
    assert checked_options({"error": "absolute"}, required=(), optional=defaults) == {"error": "absolute"}
    assert defaults == {"error": "relative"}


NAMES = st.text("abc_", min_size=1, max_size=5)
SPECS = st.builds(
    JudgeSpec,
    name=NAMES,
    language=st.just("symbolic"),
    folder=NAMES,
    file=NAMES,
    options=st.dictionaries(NAMES, st.one_of(st.integers(), NAMES, st.lists(st.integers(), max_size=2))),
    repeats=st.integers(1, 9),
    stages=st.lists(st.builds(StageSpec, name=NAMES, threshold=st.none() | st.floats(allow_nan=False)), max_size=3).map(
        tuple
    ),
    axes=st.lists(NAMES, max_size=3).map(tuple),
    symbolic=st.builds(SymbolicSpec, inputs=st.lists(NAMES, min_size=1, max_size=2).map(tuple)),
    limits=st.builds(LimitsSpec, wall_seconds=st.floats(0.1, 99.0), n_threads=st.integers(1, 8)),
    entry=st.none() | NAMES,
)


@settings(max_examples=examples(40))
@given(SPECS)
def test_every_spec_survives_the_way_through_json(spec: JudgeSpec) -> None:
    assert JudgeSpec.from_mapping(json.loads(json.dumps(spec.to_mapping()))) == spec


@pytest.mark.parametrize(
    "changed",
    [
        {"limits": {"wall_secs": 1}},
        {"limits": 3},
        {"stages": [{"threshold": 1.0}]},
        {"stages": 3},
        {"symbolic": {"operations": 3}},
        {"symbolic": "arithmetic"},
        {"axes": 1},
    ],
)
def test_data_of_the_wrong_form_are_no_spec(changed: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="not a judge's data"):
        JudgeSpec.from_mapping({"language": "python", "file": "evaluate.py", **changed})


@pytest.mark.parametrize("field", [each.name for each in dataclasses.fields(LimitsSpec)])
def test_every_limit_reaches_the_sandbox(field: str) -> None:
    plain = LimitsSpec(scratch_mb=3, gpu_memory_mb=3, shared_mb=3, gpu_shared_mb=3)
    changed = dataclasses.replace(plain, **{field: 2 * getattr(plain, field)})
    before, after = (dataclasses.asdict(spec.limits()) for spec in (plain, changed))
    [different] = [name for name in before if before[name] != after[name]]
    assert after[different] == 2 * before[different]


# Symbolic candidates of a problem's own evaluator


@pytest.mark.parametrize(("name", "allowed"), [("operations", 3), ("constants", 2)])
def test_a_program_may_be_as_large_as_allowed_and_no_larger(tmp_path: Path, name: str, allowed: int) -> None:
    unit = "y = y * x\n    " if name == "operations" else "y = y * 3.0\n    "
    source = "def evaluate(c):\n    return {'score': c.operations}\n"
    for size, fits in ((allowed, True), (allowed + 1, False)):
        limits = SymbolicSpec(**{"max_operations": 9, "max_constants": 9, f"max_{name}": allowed})  # type: ignore[arg-type]
        spec = spec_of(tmp_path, source, language="symbolic", symbolic=limits)
        evaluation = Judge(spec).evaluate({"f.py": "def f(x):\n    y = x\n    " + unit * size + "return y\n"})
        assert (evaluation.failure is None) == fits
        if not fits:
            assert evaluation.failure is Failure.SYNTAX
            assert evaluation.detail == f"the program has {size} {name}, at most {allowed} are allowed"


def test_no_file_at_all_is_no_symbolic_candidate(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, GOOD, language="symbolic", symbolic=SymbolicSpec())
    assert Judge(spec).evaluate({}).detail == "a symbolic candidate is one file, got 0"
    assert Judge(spec).verify({}).verdict is Certainty.REFUTED


@pytest.mark.parametrize("vocabulary", [ARITHMETIC, ELEMENTARY], ids=lambda each: each.name)
def test_the_same_program_is_judged_in_either_built_in_language(tmp_path: Path, vocabulary: Any) -> None:
    source = "def evaluate(c):\n    return {'score': c.call('f', 2.0), 'metrics': {'n': c.operations, 'd': c.depth}}\n"
    spec = spec_of(tmp_path, source, language="symbolic", symbolic=SymbolicSpec(vocabulary=vocabulary.name))
    evaluation = Judge(spec).evaluate({"f.py": "def f(x):\n    t = x * x\n    return t + x * x\n"})
    assert (evaluation.score, evaluation.metrics) == (8.0, {"n": 2.0, "d": 2.0})


def test_a_syntax_error_of_a_python_candidate_is_a_syntax_failure(tmp_path: Path) -> None:
    sandbox = ScriptedSandbox([None], starting={0: CandidateSyntaxError("line 1: no")})
    evaluation = Judge(spec_of(tmp_path, GOOD), sandbox).evaluate({"seed.py": "def f(:\n"})
    assert (evaluation.failure, evaluation.detail) == (Failure.SYNTAX, "line 1: no")


def test_the_same_candidate_and_seed_give_the_same_record_but_for_the_time(tmp_path: Path) -> None:
    source = "def evaluate(c):\n    return {'score': hash((c.rng_seed, c.repeat)) % 97, 'metrics': {'s': c.rng_seed}}\n"
    judge = Judge(spec_of(tmp_path, source, repeats=3), ScriptedSandbox([]))
    once, again = (dataclasses.replace(judge.evaluate(FILES, rng_seed=11), seconds=0.0) for _ in range(2))
    other = judge.evaluate(FILES, rng_seed=12)
    assert once == again
    assert other.metrics["s"] != once.metrics["s"]
