"""Checks of the seed program as it is: does it score, always the same, within its limits?"""

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluators.contract import Evaluation, Failure
from evaluators.stages import OUTPUT_ARTIFACT
from evolve.config.problem import Problem
from evolve.scaffold.findings import Finding, error, ok, warning
from evolve.scaffold.instrument import Watch, watch_of, watched
from evolve.scaffold.trials import Trials

ROOM = 0.5  # a seed program that needs more than this part of a limit leaves no room for others
SMALL_NOISE = 0.01
MOST_REPEATS = 100
MEDIAN_ERROR = 1.25  # the standard error of a median is so many times that of a mean
_CLOCK = re.compile(r"\b(perf_counter|monotonic|process_time|time\.time|timeit|PairedTimer)\b")
_FORESEEN_BY_NOBODY = re.compile(r"\bPairedTimer\b")
MANY_ERRORS = 4.0  # so many standard errors apart, two scores differ by more than they say of themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRuns:
    """The seed program's evaluations: as it is, watched with other random states, watched twice with the same.

    `bar` is what a cheat has to beat: above every honest score by more than these differ.
    """

    plain: Evaluation
    runs: tuple[Evaluation, ...]
    twins: tuple[Evaluation, Evaluation]
    watches: tuple[Watch, ...]
    twin_watches: tuple[Watch, Watch]

    @property
    def scores(self) -> list[float]:
        """The scores with other random states."""
        return [each.score for each in self.runs if each.score is not None]

    @property
    def margin(self) -> float:
        """By how much honest scores differ, and a little more."""
        known = [each.score for each in (self.plain, *self.runs, *self.twins) if each.score is not None]
        return 1.5 * (max(known) - min(known)) + 1e-12 * max(map(abs, known))

    @property
    def bar(self) -> float:
        """See the class."""
        known = [each.score for each in (self.plain, *self.runs, *self.twins) if each.score is not None]
        return max(known) + self.margin

    @property
    def is_repeatable(self) -> bool:
        """Whether the same random state gave the same score."""
        return self.twins[0].score == self.twins[1].score

    @property
    def watch(self) -> Watch:
        """What the judge asked for in the first run."""
        return self.watches[0]


def run_seed(trials: Trials, repeats: int) -> tuple[SeedRuns | None, list[Finding]]:
    """Judge the seed program `repeats` times and twice more; no runs, and why, if it cannot be scored."""
    problem = trials.problem
    plain = trials.judge(problem.seed_files)
    if plain.score is None:
        return None, [_failed(plain)]
    files = watched(problem.seed_files, trials.entry) if problem.language == "python" else problem.seed_files
    runs = tuple(trials.judge(files, rng_seed=number) for number in range(repeats))
    twins = (trials.judge(files, rng_seed=repeats), trials.judge(files, rng_seed=repeats))
    # A program that cannot be watched (too little memory for it, say) is checked unwatched.
    if any(each.score is None for each in (*runs, *twins)):
        runs = tuple(trials.judge(problem.seed_files, rng_seed=number) for number in range(repeats))
        twins = (trials.judge(problem.seed_files, rng_seed=repeats), trials.judge(problem.seed_files, rng_seed=repeats))
    failed = [each for each in (*runs, *twins) if each.score is None]
    if failed:
        return None, [_failed(failed[0], once=True)]
    seed = SeedRuns(
        plain=plain,
        runs=runs,
        twins=twins,
        watches=tuple(_watch(each) for each in runs),
        twin_watches=(_watch(twins[0]), _watch(twins[1])),
    )
    asked = f"; the judge calls {', '.join(seed.watch.names)} {seed.watch.calls}x" if seed.watch.calls else ""
    form = f" and gets {seed.watch.form}" if seed.watch.form else ""
    seen = f"score {plain.score:.6g} at level {plain.level or 'none'}{asked}{form}"
    return seed, [ok("seed program", seen, score=plain.score, level=plain.level, calls=seed.watch.calls)]


def _watch(evaluation: Evaluation) -> Watch:
    return watch_of(evaluation.artifacts.get(OUTPUT_ARTIFACT, ""))


def _failed(evaluation: Evaluation, *, once: bool = False) -> Finding:
    by_evaluator = evaluation.failure is Failure.EVALUATOR
    who = "the evaluator fails on the seed program" if by_evaluator else "the seed program fails"
    seen = f"{who}{' with some random states' if once else ''} ({evaluation.failure}): {evaluation.detail.strip()}"
    file = "evaluate.py" if by_evaluator else "the seed program"
    return error("seed program", seen, f"mend {file}: a run starts only from a seed program with a score")


def check_noise(trials: Trials, seed: SeedRuns, others: Sequence[float]) -> Finding:
    """How much the score depends on the random state, beside how much programs differ (`others`: their scores)."""
    deviation = statistics.stdev(seed.scores) if len(seed.scores) > 1 else 0.0
    size = max(abs(statistics.median(seed.scores)), statistics.pstdev(others) if len(others) > 1 else 0.0)
    repeats = trials.problem.tables.evaluator.repeats
    if deviation == 0.0:
        n = len(seed.scores)
        return ok("noise", f"the same score with {n} random states; repeats = {repeats}", deviation=0.0, repeats=1)
    if times_in_pairs(trials.problem):
        return _check_spread(seed, deviation)
    if trials.problem.combine == "best":
        seen = f"the score varies by {deviation:.3g} with the random state; the best construction of a run counts"
        return ok("noise", seen, deviation=deviation)
    share = deviation / size if size else 1.0
    needed = _repeats_for(share, SMALL_NOISE)
    seen = f"the score varies by {deviation:.3g} ({share:.1%} of its size) with the random state; repeats = {repeats}"
    data = {"deviation": deviation, "share": share, "needed": needed}
    if repeats >= needed:
        return ok("noise", seen, **data)
    few = _repeats_for(share, share / 2)
    enough = f"{needed} bring it to 1%" if needed <= MOST_REPEATS else f"even {MOST_REPEATS} leave more than 1%"
    advice = (
        f"[evaluator] repeats = {few} halves it, {enough}; judging more inputs, or the same for every candidate, helps "
        "too; otherwise the archive fills with lucky programs"
    )
    return warning("noise", seen, advice, **data)


def _repeats_for(share: float, wanted: float) -> int:
    """How many repeats bring the median's noise from one share to another."""
    needed = math.ceil((MEDIAN_ERROR * share / wanted) ** 2)
    return needed if share > wanted else 1


def check_determinism(trials: Trials, seed: SeedRuns) -> Finding:
    """Whether the same random state gives the same score, and if not, who is to blame."""
    one, other = seed.twins
    if seed.is_repeatable:
        return ok("determinism", "judged twice with the same random state: the same score")
    seen = f"judged twice with the same random state: scores {one.score!r} and {other.score!r}"
    if times_in_pairs(trials.problem):
        return _check_times(seen, one, other)
    first, second = seed.twin_watches
    if first.first != second.first:
        return error(
            "determinism",
            f"{seen}; already the first question differs, so the judge draws its inputs from an unseeded generator",
            "start it from np.random.default_rng([candidate.rng_seed, candidate.repeat]): runs can be repeated then",
        )
    if first.calls and first.first_answer != second.first_answer:
        return warning(
            "determinism",
            f"{seen}; the seed program answers the same question differently",
            "let the program seed its own generator, or pass it a seed: otherwise luck is kept, not skill",
        )
    if _CLOCK.search(_evaluator_text(trials.problem)):
        return warning(
            "determinism",
            f"{seen}; the evaluator reads a clock",
            "time is noisy: pair it with a reference, take a median, use `evolve run --workers 1`",
        )
    return error(
        "determinism",
        f"{seen}, though the questions and answers begin alike",
        "look for an unseeded generator, a set's order or a clock in evaluate.py",
    )


def _check_times(seen: str, one: Evaluation, other: Evaluation) -> Finding:
    """Time cannot be repeated, and its inputs must not be: two scores should differ by as much as they say."""
    apart = abs((one.score or 0.0) - (other.score or 0.0))
    error_told = math.hypot(*(each.metrics.get("standard_error", 0.0) for each in (one, other)))
    told = f"{seen}; time on inputs that nobody can foresee, {apart:.3g} apart, standard error told {error_told:.3g}"
    if apart <= MANY_ERRORS * error_told:
        return ok("determinism", told)
    advice = "something disturbs the machine for longer than one evaluation takes: `evolve run --workers 1`, alone"
    return warning("determinism", told, advice)


def _check_spread(seed: SeedRuns, deviation: float) -> Finding:
    """A speed-up is no quantity whose size its noise could be compared with; its own standard error is."""
    told = statistics.median(each.metrics.get("standard_error", 0.0) for each in seed.runs)
    seen = f"the score varies by {deviation:.3g} between evaluations, standard error told {told:.3g}"
    if deviation <= 2.0 * told:
        return ok("noise", seen, deviation=deviation, told=told)
    advice = (
        f"believe differences above {3.0 * deviation:.2g} only; a machine that does nothing else tells smaller ones"
    )
    return warning("noise", seen, advice, deviation=deviation, told=told)


def times_in_pairs(problem: Problem) -> bool:
    """Whether the evaluator leaves timing, and drawing inputs for it, to the library."""
    return bool(_FORESEEN_BY_NOBODY.search(_evaluator_text(problem)))


def reads_clock(problem: Problem) -> bool:
    """Whether the evaluator's text names a clock."""
    return bool(_CLOCK.search(_evaluator_text(problem)))


def _evaluator_text(problem: Problem) -> str:
    file = problem.tables.evaluator.file
    if file is None:
        return ""
    return Path(problem.folder, file).read_text(encoding="utf-8", errors="replace")


def check_time(trials: Trials, seed: SeedRuns) -> list[Finding]:
    """The seed program's and the evaluator's time beside their limits."""
    limits, process = trials.spec.limits, trials.spec.process
    seconds = statistics.median(each.seconds for each in seed.runs)
    inside = statistics.median(watch.seconds for watch in seed.watches)
    own = max(seconds - inside, 0.0)
    used = {
        "one call, [limits] wall_seconds": (max(watch.longest for watch in seed.watches), limits.wall_seconds),
        "all calls, [limits] cpu_seconds": (inside, limits.cpu_seconds),
        "the evaluator's own time, [evaluator] wall_seconds": (own, process.wall_seconds),
    }
    tight = {name: each for name, each in used.items() if each[0] > ROOM * each[1]}
    share = f", of which {inside:.3g} s are the program's" if seed.watch.calls else ""
    seen = f"{seconds:.3g} s for one evaluation{share}"
    data = {"seconds": seconds, "program_seconds": inside}
    if not tight:
        hang = f"; a program that hangs costs {limits.wall_seconds:g} s"
        return [ok("time", seen + (hang if trials.problem.language == "python" else ""), **data)]
    told = ", ".join(f"{name}: {taken:.3g} of {limit:g} s" for name, (taken, limit) in tight.items())
    return [
        warning("time", f"{seen}; {told}", "raise the limit, or make the task smaller: others will be slower", **data)
    ]


def check_memory(trials: Trials) -> list[Finding]:
    """Whether the seed program runs with a fraction of the memory that it may have."""
    if trials.problem.language != "python":
        return []
    limit = trials.spec.limits.memory_mb
    for share in (8, 2):
        smaller = replace(trials.spec, limits=replace(trials.spec.limits, memory_mb=max(1, limit // share)))
        with trials.under(smaller) as other:
            if other.judge(trials.problem.seed_files).score is not None:
                return [ok("memory", f"runs with 1/{share} of [limits] memory_mb = {limit} too", share=1 / share)]
    return [
        warning(
            "memory",
            f"needs more than half of [limits] memory_mb = {limit}",
            "raise it: programs that evolution makes often need a little more than the seed program",
        )
    ]
