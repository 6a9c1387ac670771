"""Checks that try to get a score without earning it: forged answers, early ends, odd values, meddling."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.contract import Evaluation, Failure
from evolve.scaffold.cheats import CLAIM, ENDINGS, FORGERIES, MEDDLING, NATURAL_CLAIMS, OUTPUTS, Cheat, Group
from evolve.scaffold.findings import Finding, error, ok, warning
from evolve.scaffold.seed_checks import SeedRuns
from evolve.scaffold.trials import Trials

N_CONFIRMATIONS = 2
GROWN = 1e-3
SHORTEST_REASON = 8

_NAMES = {
    Group.CLAIM: "claimed scores",
    Group.ENDING: "early ends",
    Group.FORM: "odd answers",
    Group.SIZE: "odd values",
    Group.MEDDLING: "meddling",
    Group.ECHO: "echoes",
    Group.OUTPUT: "outputs",
}
_ADVICE = {
    Group.CLAIM: "believe no number that a program says about itself: compute the score from the rest of its answer",
    Group.ENDING: "let what candidate.call raises pass through: it becomes a failure, which is compared with no score",
    Group.FORM: 'check type, length and finiteness of the answer first, and return {"failure": why}',
    Group.SIZE: 'check length, type (bool is an int in Python) and range of every number, and return {"failure": why}',
    Group.MEDDLING: "let nothing count but what candidate.call returns",
    Group.ECHO: "an argument scores as an answer: is the expected result among what the program is given?",
    Group.OUTPUT: "look at every output of every call, poisoned before it and read while the program stands still: "
    "evolve.PairedTimer does (docs/kernels.md)",
}
_GRAVE = frozenset({Group.CLAIM, Group.ENDING, Group.FORM, Group.MEDDLING, Group.OUTPUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A cheat and what it got."""

    cheat: Cheat
    evaluation: Evaluation

    @property
    def score(self) -> float | None:
        """Its score, None for a failure."""
        return self.evaluation.score


def fitting_cheats(seed: SeedRuns) -> tuple[Cheat, ...]:
    """The cheats that mean something here: where nothing is answered, there is no answer to forge."""
    watch = seed.watch
    if watch.calls and watch.form == "NoneType":
        return (*OUTPUTS, *ENDINGS, *MEDDLING)
    return FORGERIES


def try_cheats(trials: Trials, *, cheats: Sequence[Cheat] = FORGERIES) -> list[Tried]:
    """Judge every cheat that fits, until the time is up."""
    tried = []
    for cheat in cheats:
        if trials.is_over:
            break
        evaluation = trials.cheated(cheat)
        if evaluation is not None:
            tried.append(Tried(cheat=cheat, evaluation=evaluation))
    return tried


def check_cheats(trials: Trials, seed: SeedRuns, tried: Sequence[Tried]) -> list[Finding]:
    """One finding for each group of cheats, one for failures that the evaluator should have told better."""
    findings = []
    for group in _NAMES:
        mine = [each for each in tried if each.cheat.group is group]
        if mine:
            findings.append(_of_group(trials, seed, group, mine))
    return [*findings, _check_failures(tried)]


def _of_group(trials: Trials, seed: SeedRuns, group: Group, tried: Sequence[Tried]) -> Finding:
    name = _NAMES[group]
    won = [each for each in tried if _wins(trials, seed, each)]
    data = {"tried": len(tried), "won": [each.cheat.name for each in won]}
    if won:
        best = max(won, key=lambda each: each.score or 0.0)
        believed = ": the very number that it claimed" if _equals_claim(best) else ""
        more = f", and {len(won) - 1} more such" if len(won) > 1 else ""
        seen = (
            f"a program that {best.cheat.what} scores {best.score:.6g}, the seed program {seed.plain.score:.6g}{more}"
        )
        # Where judge and program share a process by contract, forging is a matter of course: `grading` says so.
        is_grave = any(_is_grave(each) for each in won) and not trials.problem.notices
        return (error if is_grave else warning)(name, seen + believed, _ADVICE[group], **data)
    scored = [each for each in tried if each.score is not None]
    if scored and group in (Group.ENDING, Group.FORM):
        told = "; ".join(f"{each.cheat.what}: {each.score:.6g}" for each in scored[:3])
        seen = f"{len(scored)} of {len(tried)} get a score, if a low one ({told})"
        advice = 'a failure is no low score: return {"failure": why}, so that it cannot enter the archive'
        return warning(name, seen, advice, **data)
    return ok(name, f"{len(tried)} tried, none scores higher than the seed program", **data)


def _equals_claim(tried: Tried) -> bool:
    return abs(abs(tried.score or 0.0) - CLAIM) <= 1e-6 * CLAIM


def _is_grave(tried: Tried) -> bool:
    """Whether a cheat that won shows a mistake for sure.

    A program whose answer is a single number may well be right with another: there, the score must grow with the claim.
    """
    if tried.cheat.name in NATURAL_CLAIMS:
        return abs(tried.score or 0.0) >= GROWN * CLAIM
    return tried.cheat.group in _GRAVE


def _wins(trials: Trials, seed: SeedRuns, tried: Tried) -> bool:
    """Whether a cheat beats the seed program again and again: a noisy score may do so once.

    Outputs that are not there must not have a score at all: left work makes time, if not in this very program.
    """
    if tried.cheat.group is Group.OUTPUT:
        return tried.score is not None
    if tried.score is None or tried.score <= seed.bar:
        return False
    if seed.is_repeatable:
        return True
    again = [trials.cheated(tried.cheat) for _ in range(N_CONFIRMATIONS)]
    return all(each is not None and each.score is not None and each.score > seed.bar for each in again)


def _check_failures(tried: Sequence[Tried]) -> Finding:
    """Whether failures say why, and whether it is the evaluator that stumbles over odd answers."""
    failed = [each for each in tried if each.evaluation.failure is not None]
    stumbled = [each for each in failed if each.evaluation.failure is Failure.EVALUATOR]
    if stumbled:
        example = stumbled[0]
        seen = (
            f"{len(stumbled)} of {len(failed)} odd answers make the evaluator itself fail; a program that "
            f"{example.cheat.what}: {example.evaluation.detail.strip()[:200]}"
        )
        advice = (
            'check the answer\'s form before using it, and return {"failure": why}: the text helps the next program'
        )
        return warning("failures", seen, advice, n=len(stumbled))
    mute = [
        each
        for each in failed
        if each.evaluation.failure is Failure.INVALID and len(each.evaluation.detail.strip()) < SHORTEST_REASON
    ]
    if mute:
        seen = f"{len(mute)} failures say {mute[0].evaluation.detail.strip()!r}"
        return warning("failures", seen, "say what was got and what was expected: models read it", n=len(mute))
    return ok("failures", f"all {len(failed)} failures say why")
