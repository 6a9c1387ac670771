"""Hostile candidates and broken evaluators in the middle of a real run: data, never the run's end."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evolve.config.problem import load_problem
from evolve.loop import Event, RunOptions, replay_run, start_run
from evolve.store import CandidateRecord, RunReader
from tests.patience import at_some_pace

SEED = """
# EVOLVE-BLOCK-START
mode = 0  # choices: {modes}
# EVOLVE-BLOCK-END
import json, os, struct, sys, time


class Liar(float):
    def __float__(self):
        return 1e9

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return Liar(0.0)


def forged(message):
    body = json.dumps(message).encode()
    os.write(4, struct.pack("<IB", len(body) + 1, ord("J")) + body)


def answer():
    if mode == 0:
        return [1.0, 2.0]
{attacks}"""


def records(folder: Path, run_dir: Path, *, evaluations: int, seed: int = 1) -> list[CandidateRecord]:
    """All candidates of a run that ended in order and replays."""

    def silent(event: Event) -> None:
        del event

    options = RunOptions(rng_seed=seed, workers=2, window=2, evaluations=evaluations, durability="fast")
    assert start_run(load_problem(folder), run_dir, options, silent).stopped_by == "evaluations"
    assert replay_run(run_dir).equal
    reader = RunReader(run_dir)
    rows = [row for record in reader.iterations() for row in record.candidates]
    reader.close()
    return rows


def by_mode(rows: Sequence[CandidateRecord]) -> list[CandidateRecord]:
    """Candidates in the order of their modes, each of which occurs once."""
    found = {int(re.findall(r"^mode = (\d+)", row.candidate.files["seed.py"], re.MULTILINE)[0]): row for row in rows}
    assert sorted(found) == list(range(len(rows)))
    return [found[mode] for mode in range(len(rows))]


def attacked(folder: Path, *attacks: str) -> None:
    """Make the toy problem's only children the attacks: the mode of the first is 1."""
    cases = "".join(f"    if mode == {mode}:\n        {attack}\n" for mode, attack in enumerate(attacks, start=1))
    text = SEED.format(modes=list(range(len(attacks) + 1)), attacks=cases)
    (folder / "seed.py").write_text(text, encoding="utf-8")
    text = (folder / "problem.toml").read_text(encoding="utf-8")
    text = text.replace("[search]", '[search]\noperators = ["literal_edit"]')
    (folder / "problem.toml").write_text(text, encoding="utf-8")


ATTACKS: dict[str, str] = {
    'return {"score": 1e9, "descriptor": {"first": 1, "second": 1}}': "evaluator",
    "return [float('nan'), 2.0]": "not_finite",
    'print("\\x1b[2J"); raise ValueError("\\x1b[31mred\\u202e\\ud800")': "exception",
    'sys.stdout.write("x" * 10**7)': "output",
    "time.sleep(100)": "timeout",
    "return [0.0] * 2_000_000": "invalid",
    "os._exit(0)": "crash",
    "return [bytearray(8 * 10**9)[0], 1.0]": "memory",
    'forged({"score": 1e9}); forged({"score": 1e9}); time.sleep(100)': "invalid",
    "x = []\n        for _ in range(10**5): x = [x]\n        return x": "invalid",
}


def with_limits(problem: Path, limits: str) -> None:
    """Give the toy problem these limits instead of those that it has."""
    text = (problem / "problem.toml").read_text(encoding="utf-8")
    text = re.sub(r"\[limits\]\n(\w+ = .*\n)*", f"[limits]\n{limits}\n", text)
    (problem / "problem.toml").write_text(text, encoding="utf-8")


def test_attacks_in_mid_run_are_failures_with_harmless_text(python_problem: Path, tmp_path: Path) -> None:
    attacked(python_problem, *ATTACKS)

    def check(pace: float) -> None:
        with_limits(python_problem, f"wall_seconds = {3.0 * pace}")
        rows = by_mode(records(python_problem, tmp_path / f"run-{pace:g}", evaluations=1 + len(ATTACKS)))
        failures = [None if row.evaluation.failure is None else str(row.evaluation.failure) for row in rows]
        assert dict(zip(("", *ATTACKS), failures, strict=True)) == {"": None, **ATTACKS}
        for row in rows:
            assert "\x1b" not in row.evaluation.detail
            assert not any("\x1b" in text for text in row.evaluation.artifacts.values())

    at_some_pace(check)


LIMITS = "wall_seconds = 300.0\ncpu_seconds = 1.0\nn_processes = 4\nn_files = 16\nscratch_mb = 1\nmemory_mb = 100"
OVER_THE_LIMITS: dict[str, str] = {
    "while True: pass": "cpu",
    "from threading import Thread; [Thread(target=time.sleep, args=(9,)).start() for _ in range(50)]": "processes",
    "kept = [open(os.devnull) for _ in range(100)]": "files",
    "open('x', 'wb').write(bytes(10**7))": "disk",
    "kept = [bytearray(1 << 20) for _ in range(1000)]": "memory",
}


def test_every_limit_of_the_problem_has_its_own_failure(python_problem: Path, tmp_path: Path) -> None:
    attacked(python_problem, *OVER_THE_LIMITS)
    with_limits(python_problem, LIMITS)

    rows = by_mode(records(python_problem, tmp_path / "run", evaluations=1 + len(OVER_THE_LIMITS)))

    failures = [None if row.evaluation.failure is None else str(row.evaluation.failure) for row in rows]
    details = [row.evaluation.detail for row in rows]
    assert dict(zip(("", *OVER_THE_LIMITS), failures, strict=True)) == {"": None, **OVER_THE_LIMITS}, details


def test_a_number_that_lies_is_worth_what_the_evaluator_measures(python_problem: Path, tmp_path: Path) -> None:
    attacked(python_problem, "return [Liar(3.0), Liar(5.0)]")
    row = records(python_problem, tmp_path / "run", evaluations=2)[1]
    assert row.evaluation.score == -((1e9 - 3.0) ** 2) - (1e9 - 5.0) ** 2


def test_no_key_of_the_controller_reaches_a_candidate(
    python_problem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    attacked(python_problem, "return [float(any('KEY' in name for name in os.environ)), float('HOME' in os.environ)]")
    row = records(python_problem, tmp_path / "run", evaluations=2)[1]
    assert row.evaluation.metrics["first"] == 0.0
    assert os.environ["SOME_API_KEY"] == "secret"


def limited(folder: Path, seconds: float) -> None:
    """Give the toy problem's evaluator so many seconds and half a GiB."""
    text = (folder / "problem.toml").read_text(encoding="utf-8")
    limits = f'file = "evaluate.py"\nwall_seconds = {seconds}\nmemory_mb = 512\n'
    text = re.sub('file = "evaluate.py"\n(wall_seconds = .*\nmemory_mb = 512\n)?', limits, text)
    (folder / "problem.toml").write_text(text, encoding="utf-8")


BROKEN: list[tuple[str, str]] = [
    ("raise ValueError('\\x1b[31m \\ud800')", "raised ValueError"),
    ("raise SystemExit(3)", "raised SystemExit"),
    ("import os; os._exit(0)", "died"),
    ("import ctypes; ctypes.string_at(0)", "died"),
    ("answer['metrics']['x'] = float('nan')", "nan"),
    ("answer['descriptor']['first'] = float('inf')", "inf"),
    ("answer['descriptor']['first'] = 'z' * 10**6", "finite number"),
    ("answer['descriptor'] = [1, 2]", "a list"),
    ("answer['score'] = 10**400", "inf"),
    ("answer[5] = 6", "unknown keys"),
    ("answer['artifacts'] = {str(n): 'x' for n in range(100_000)}", "100000 artifacts"),
    ("answer['metrics'] = {str(n): 1.0 for n in range(100_000)}", "100000 metrics"),
    ("answer.update({str(n) * 50: 1 for n in range(1000)})", "unknown keys"),
    ("while True: pass", "raise [evaluator].wall_seconds"),
    ("import signal; signal.signal(15, signal.SIG_IGN); signal.pause()", " s of its own time"),
    ("kept = [bytearray(1 << 29) for _ in range(100)]", "raise [evaluator].memory_mb"),
    ("import sys; print('some last words', file=sys.stderr); sys.stderr.flush(); import os; os.abort()", "last words"),
    (
        "import os; [os.write(fd, b'loud') for fd in range(3, 200) if os.path.exists(f'/proc/self/fd/{fd}')]",
        "evaluator",
    ),
]


def test_an_evaluator_that_breaks_in_mid_run_fails_that_candidate_only(python_problem: Path, tmp_path: Path) -> None:
    attacked(python_problem, *(f"return [{mode}.0, 2.0]" for mode in range(2, 2 + len(BROKEN))))
    cases = "".join(f"    if first == {mode}.0:\n        {body}\n" for mode, (body, _) in enumerate(BROKEN, start=2))
    with (python_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write(
            "\njudge = evaluate\n\ndef evaluate(candidate):\n    answer = judge(candidate)\n"
            f"    first = answer['metrics']['first']\n{cases}    return answer\n"
        )

    def check(pace: float) -> None:
        limited(python_problem, 2.0 * pace)
        run_dir = tmp_path / f"run-{pace:g}"
        seed, *failed = by_mode(records(python_problem, run_dir, evaluations=1 + len(BROKEN)))
        assert seed.evaluation.failure is None
        for row, (body, word) in zip(failed, BROKEN, strict=True):
            assert row.evaluation.failure == "evaluator", body
            assert row.evaluation.level in ("FULL", "STRONG", "NOOPEN")
            assert word in row.evaluation.detail, body
            assert len(row.evaluation.detail) <= 4000

    at_some_pace(check)


def test_an_evaluator_may_print_and_name_its_numbers_oddly(python_problem: Path, tmp_path: Path, capfd: Any) -> None:
    with (python_problem / "evaluate.py").open("a", encoding="utf-8") as handle:
        handle.write(
            "\njudge = evaluate\n\ndef evaluate(candidate):\n    import os\n    os.write(1, b'loud')\n"
            "    odd = {1: 2.0, None: 1, '\\ud800\\x1b': 3, 'n' * 10**6: 4}\n"
            "    return {**judge(candidate), 'metrics': {**odd, 'first': 1.0}, 'artifacts': {7: 'x' * 10**6}}\n"
        )
    rows = records(python_problem, tmp_path / "run", evaluations=4)
    assert capfd.readouterr().out == ""
    for row in rows:
        assert row.evaluation.failure is None
        assert all(name.isprintable() and len(name) <= 200 for name in row.evaluation.metrics)
        assert len(row.evaluation.artifacts["7"]) <= 2000
