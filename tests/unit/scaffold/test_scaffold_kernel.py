"""`evolve check` on judges that take time: the sound one is blamed for nothing, the careless ones are found out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.contract import Evaluation
from evolve.config.problem import load_problem
from evolve.scaffold.cheat_checks import check_cheats, fitting_cheats, try_cheats
from evolve.scaffold.cheats import FORGERIES, OUTPUTS
from evolve.scaffold.findings import State
from evolve.scaffold.instrument import Watch
from evolve.scaffold.seed_checks import SeedRuns, check_determinism, check_noise, run_seed
from evolve.scaffold.trials import Trials

PROBLEM = """
[problem]
name = "sums"
title = "Sums of rows"
statement = "What is asked of the program."
language = "python"
[evaluator]
file = "evaluate.py"
[limits]
wall_seconds = 10
n_processes = 4
shared_mb = 1
[[archive.axes]]
name = "size"
low = -2
high = 2
cells = 8
"""
SEED = """
# EVOLVE-BLOCK-START
def sums(x, out):
    x.sum(axis=1, out=out)


# EVOLVE-BLOCK-END
"""
SOUND = """
import numpy as np

from evolve import PairedTimer, TimedTask, TimingEffort, timed_evaluation

SEED = {"own.py": "def sums(x, out):\\n    x.sum(axis=1, out=out)\\n"}
EFFORT = TimingEffort(warm_ups=1, fewest=3, most=3, seconds=60.0, largest_error=1e9, flush_bytes=8)


def evaluate(candidate):
    timer = PairedTimer(candidate, reference=SEED, function="sums", effort=EFFORT)
    return {**timed_evaluation(timer, tasks=[TASK]), "descriptor": {"size": 0.0}}


def drawn(rng):
    return (rng.uniform(1, 2, (60, 40)),)


def error(inputs, outputs):
    (x,), (out,) = inputs, outputs
    return np.max(np.abs(out - x.sum(axis=1))) / 1e-9


TASK = TimedTask(name="sums", draw=drawn, outputs=lambda x: (np.empty(len(x)),), error=error)
"""
HALF_LOOKED_AT = SOUND.replace("return np.max(np.abs(out - x.sum(axis=1)))", "return abs(out[0] - x[0].sum())")
TRUSTING = """
import numpy as np


def evaluate(candidate):
    rng = np.random.default_rng(candidate.rng_seed)
    x, out = candidate.shared.array((60, 40)), candidate.shared.array((60,))
    seconds = []
    for number in range(5):
        x.values[...] = rng.uniform(1, 2, (60, 40))
        seconds.append(candidate.timed("sums", x, out).processor_seconds)
        if number == 0 and np.max(np.abs(out.values - x.values.sum(axis=1))) > 1e-9:
            return {"failure": "wrong"}
    return {"score": -float(np.median(seconds)), "descriptor": {"size": 0.0}}
"""


@contextmanager
def judged(folder: Path, evaluator: str) -> Iterator[tuple[Trials, SeedRuns]]:
    for name, text in {"problem.toml": PROBLEM, "seed.py": SEED, "evaluate.py": evaluator}.items():
        (folder / name).write_text(text)
    with Trials.of(load_problem(folder), seconds=60.0) as trials:
        seed, findings = run_seed(trials, 2)
        assert seed is not None, findings
        yield trials, seed


def found(folder: Path, evaluator: str) -> list[str]:
    """The cheats with outputs that get a score."""
    with judged(folder, evaluator) as (trials, seed):
        assert fitting_cheats(seed)[: len(OUTPUTS)] == OUTPUTS
        finding = check_cheats(trials, seed, try_cheats(trials, cheats=OUTPUTS))[0]
    assert finding.check == "outputs"
    won: Sequence[str] = finding.data["won"]
    assert (finding.state is State.ERROR) == bool(won)
    return list(won)


def test_a_timer_that_looks_at_everything_is_blamed_for_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, SOUND) == []


def test_a_judge_that_looks_at_half_of_the_output_is_found_out(tmp_path: Path) -> None:
    assert found(tmp_path, HALF_LOOKED_AT) == ["half_outputs"]


def test_a_judge_that_looks_at_the_first_call_alone_is_found_out(tmp_path: Path) -> None:
    assert {"outputs_left", "old_outputs"} <= set(found(tmp_path, TRUSTING))


def test_time_need_not_repeat_but_has_to_keep_to_the_error_that_it_tells(tmp_path: Path) -> None:
    with judged(tmp_path, SOUND) as (trials, seed):
        one, other = (
            Evaluation(score=1.0, metrics={"standard_error": 0.01}),
            Evaluation(score=1.05, metrics={"standard_error": 0.01}),
        )
        near = replace(seed, twins=(one, other), runs=(one, one))
        far = replace(seed, twins=(one, replace(other, score=1.2)), runs=(one, replace(other, score=1.2)))

        assert check_determinism(trials, near).state is State.OK
        assert check_noise(trials, near, []).state is State.OK
        assert check_determinism(trials, far).state is State.WARNING
        assert "believe differences above 0.42" in check_noise(trials, far, []).advice


@pytest.mark.parametrize(("form", "calls"), [("array 3 of float64", 4), ("", 0)])
def test_programs_that_answer_are_tried_with_forged_answers(form: str, calls: int) -> None:
    scored = Evaluation(score=1.0)
    watches = (Watch(calls=calls, form=form),) * 2
    seed = SeedRuns(plain=scored, runs=(scored,), twins=(scored, scored), watches=watches, twin_watches=watches)
    assert fitting_cheats(seed) == FORGERIES
