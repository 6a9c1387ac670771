"""`evolve check`: everything that can be found out about a problem before a run is paid for."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from evaluators.contract import Certainty
from evaluators.errors import EvaluatorError
from evolve.config.problem import Problem
from evolve.errors import EvolveEnvironmentError
from evolve.scaffold.cheat_checks import check_cheats, fitting_cheats, try_cheats
from evolve.scaffold.cheats import Group
from evolve.scaffold.containment_checks import check_grading, check_inputs, check_sight
from evolve.scaffold.cost import check_cost
from evolve.scaffold.direction_check import check_direction
from evolve.scaffold.findings import Finding, Report, error, ok, warning
from evolve.scaffold.place_checks import check_axes, judge_edits
from evolve.scaffold.seed_checks import (
    SeedRuns,
    check_determinism,
    check_memory,
    check_noise,
    check_time,
    run_seed,
)
from evolve.scaffold.suite_check import check_suites
from evolve.scaffold.tolerance_check import check_tolerance
from evolve.scaffold.trials import Trials
from sandbox.errors import SandboxError

DEFAULT_REPEATS = 5
DEFAULT_SECONDS = 300.0

Listener = Callable[[str], None]


def check_problem(
    problem: Problem,
    *,
    repeats: int = DEFAULT_REPEATS,
    seconds: float = DEFAULT_SECONDS,
    unsafe_sandbox: bool = False,
    listener: Listener = lambda _: None,
) -> Report:
    """Run the seed program, small edits of it and generic cheats through the problem's judge.

    Checks that try many programs stop after `seconds`. `listener` hears what is being done.

    Raises:
        EvolveEnvironmentError: the sandbox does not work on this machine.
    """
    started = time.monotonic()
    trials = Trials.of(problem, seconds=seconds, unsafe=unsafe_sandbox)
    try:
        with trials:
            findings = _findings(trials, repeats, listener)
    except SandboxError as broken:
        raise EvolveEnvironmentError(f"the sandbox does not work: {broken}", hint="see `evolve doctor`") from broken
    return Report(
        problem=problem.name,
        folder=str(problem.folder),
        findings=tuple(findings),
        evaluations=trials.n_evaluations,
        seconds=time.monotonic() - started,
    )


def _findings(trials: Trials, repeats: int, listener: Listener) -> list[Finding]:
    problem = trials.problem
    listener(f"the seed program, {repeats + 3} times")
    seed, findings = run_seed(trials, repeats)
    findings = [ok("problem.toml", f"{problem.name}: {problem.title}"), *check_suites(problem), *findings]
    if seed is None:
        return findings
    listener("small edits of it")
    edits = judge_edits(trials)
    verified = _check_verify(trials)
    findings += [
        check_noise(trials, seed, edits.scores),
        check_determinism(trials, seed),
        *check_time(trials, seed),
        *check_memory(trials),
        *check_axes(trials, seed.plain, edits),
        verified,
    ]
    findings += _attacks(trials, seed, listener, has_verify=verified.data.get("has_verify") is True)
    listener("is higher better?")
    findings.append(check_direction(trials, seed, edits))
    return [*findings, *_check_extent(trials), check_cost(problem, seed, os.environ)]


def _attacks(trials: Trials, seed: SeedRuns, listener: Listener, *, has_verify: bool) -> list[Finding]:
    if trials.problem.language != "python":
        return [check_grading(trials), check_sight(trials)]
    findings = [check_grading(trials), check_sight(trials)]
    # Where a program's text escapes, nothing keeps a cheat from leaving files behind or stopping the judge's clocks.
    is_contained = findings[0].data.get("escaped") is not True
    cheats = [each for each in fitting_cheats(seed) if is_contained or each.group is not Group.MEDDLING]
    listener(f"{len(cheats)} cheats")
    findings += check_cheats(trials, seed, try_cheats(trials, cheats=cheats))
    findings.append(check_inputs(trials, seed, has_verify=has_verify))
    listener("tolerances")
    return [*findings, check_tolerance(trials, seed)]


def _check_verify(trials: Trials) -> Finding:
    """Whether `evolve verify` will work, and what it says of the seed program."""
    has_verify = _has_verify(trials.problem)
    if not has_verify:
        seen = "evaluate.py has no verify(candidate): what a run finds is judged as in the search, and no better"
        return ok("verify", seen, has_verify=False)
    try:
        verdict = trials.verifier().verify(trials.problem.seed_files)
    except EvaluatorError as failed:
        return error("verify", f"verify fails on the seed program: {failed}", "mend it now, not after the search")
    detail = verdict.detail.strip().splitlines()
    seen = f"the seed program is {verdict.verdict}{f': {detail[0][:160]}' if detail else ''}"
    plain_score = verdict.score
    if verdict.verdict is Certainty.CERTIFIED and verdict.value is None and plain_score is None:
        return warning("verify", seen, "say in value what was certified", has_verify=True)
    return ok("verify", seen, has_verify=True, verdict=str(verdict.verdict))


def _has_verify(problem: Problem) -> bool:
    file = problem.tables.evaluator.file
    if file is None:
        return True
    text = Path(problem.folder, file).read_text(encoding="utf-8", errors="replace")
    return "def verify(" in text or "verify =" in text


def _check_extent(trials: Trials) -> list[Finding]:
    if not trials.is_over:
        return []
    seen = f"the time for this check was up after {trials.n_evaluations} evaluations: not everything was tried"
    return [warning("extent", seen, "give it more: --seconds 1800")]
