"""Is higher better? An evaluator cannot be asked, so signs are collected: what is worse should not score higher."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from evaluators.contract import Evaluation
from evolve.config.problem import Problem
from evolve.scaffold.cheats import NOISES, TRIVIAL, noisy, slow
from evolve.scaffold.findings import Finding, error, ok, warning
from evolve.scaffold.place_checks import Edits
from evolve.scaffold.seed_checks import SeedRuns, reads_clock
from evolve.scaffold.trials import Trials

NAME = "direction"
N_DRAWS = 2
MANY = 0.75
ENOUGH = 8  # fewer edits than this happen to be better where the seed program is poor on purpose
SLOW_SECONDS = 0.02
N_PAIRS = 5
ORDERED = 0.9
_COSTS = re.compile(
    r"(^|_)(error|errors|loss|cost|costs|regret|penalty|violation|violations|makespan|lateness|seconds|runtime|"
    r"milliseconds|misses|mistakes|mse|rmse|mae|residual|overlap)($|_)",
    re.IGNORECASE,
)
_WORTHS = re.compile(
    r"(^|_)(accuracy|quality|reward|value|profit|correct|precision|recall|speedup|speed_up)($|_)", re.I
)
_LOWER = re.compile(r"\b(lower|smaller|less|fewer) is better|\bminimi[sz]e\b|\bthe lower,? the better", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A reason to believe that the score is the wrong way round."""

    text: str


def check_direction(trials: Trials, seed: SeedRuns, edits: Edits) -> Finding:
    """Collect the signs: one is a warning, two that agree an error. All are suspicions."""
    signs = [
        *_by_words(trials.problem),
        *_by_known_value(trials.problem, seed),
        *_by_edits(seed, edits),
    ]
    looked = ["words", f"{edits.n} edits"]
    if trials.problem.language == "python" and trials.problem.tables.evaluator.file is not None:
        signs += _by_noise(trials, seed)
        signs += _by_trivial_answers(trials, seed)
        looked += ["spoilt answers", "zeros and halves"]
        if reads_clock(trials.problem):
            signs += _by_slowness(trials, seed)
            looked.append("a slow program")
    if trials.problem.tables.evaluator.file is not None:  # in the families of ours a smaller `value` may be better
        signs += _by_metrics(trials.scored)
    if not signs:
        return ok(NAME, f"no sign that the score is the wrong way round (looked at {', '.join(looked)}, metrics)")
    seen = "a suspicion that the score is the wrong way round: " + "; ".join(sign.text for sign in signs)
    advice = (
        "higher must be better: return minus an error or a cost. If the seed program is very poor, this may be wrong"
    )
    return (error if len(signs) > 1 else warning)(NAME, seen, advice, signs=[sign.text for sign in signs])


def _by_words(problem: Problem) -> list[Sign]:
    words = _LOWER.search(problem.tables.problem.score)
    if words is None or re.search(r"higher is better|\bminus\b|\bnegative\b|-log", problem.tables.problem.score, re.I):
        return []
    return [Sign(text=f'[problem] score says "{words[0]}", but selection keeps what scores higher')]


def _by_known_value(problem: Problem, seed: SeedRuns) -> list[Sign]:
    known = problem.tables.known
    if known is None or known.kind != "score" or seed.plain.score is None or seed.plain.score <= known.value:
        return []
    return [Sign(text=f"the seed program scores {seed.plain.score:.6g}, the best known value is {known.value:.6g}")]


def _by_edits(seed: SeedRuns, edits: Edits) -> list[Sign]:
    assert seed.plain.score is not None
    changed = [score for score in edits.scores if abs(score - seed.plain.score) > seed.margin]
    better = [score for score in changed if score > seed.plain.score]
    if len(changed) < ENOUGH or len(better) < MANY * len(changed):
        return []
    return [Sign(text=f"{len(better)} of {len(changed)} random edits that changed the score raised it")]


def _by_noise(trials: Trials, seed: SeedRuns) -> list[Sign]:
    """Answers that are spoilt more and more should score less and less."""
    means = []
    for size in NOISES:
        if trials.is_over:
            return []
        tried = [trials.cheated(noisy(size, draw)) for draw in range(N_DRAWS)]
        scores = [each.score for each in tried if each is not None and each.score is not None]
        if len(scores) == N_DRAWS:
            means.append(statistics.fmean(scores))
    is_rising = len(means) > 1 and all(low < high for low, high in pairwise(means))
    if not is_rising or means[-1] <= seed.bar:
        return []
    return [Sign(text=f"the more an answer is spoilt by noise, the higher its score (up to {means[-1]:.6g})")]


def _by_trivial_answers(trials: Trials, seed: SeedRuns) -> list[Sign]:
    won = []
    for cheat in TRIVIAL:
        if trials.is_over:
            break
        evaluation = trials.cheated(cheat)
        if evaluation is not None and evaluation.score is not None and evaluation.score > seed.bar:
            won.append(f"a program that {cheat.what} scores {evaluation.score:.6g}")
    return [Sign(text=" and ".join(won))] if won else []


def _by_slowness(trials: Trials, seed: SeedRuns) -> list[Sign]:
    if trials.is_over:
        return []
    evaluation = trials.cheated(slow(SLOW_SECONDS))
    if evaluation is None or evaluation.score is None or evaluation.score <= seed.bar:
        return []
    return [Sign(text=f"a program that waits before each answer scores {evaluation.score:.6g}")]


def _by_metrics(scored: Sequence[Evaluation]) -> list[Sign]:
    """A metric that is called an error should not rise with the score, nor one that is called accuracy fall."""
    signs = []
    for name in scored[0].metrics if scored else ():
        is_cost, is_worth = bool(_COSTS.search(name)), bool(_WORTHS.search(name))
        if is_cost == is_worth:
            continue
        pairs = {(each.metrics[name], each.score) for each in scored if name in each.metrics and each.score is not None}
        order = _order(sorted(pairs))
        if order is None:
            continue
        if (is_cost and order >= ORDERED) or (is_worth and order <= -ORDERED):
            way = "rises" if is_cost else "falls"
            signs.append(Sign(text=f'the score {way} as the metric "{name}" rises'))
    return signs


def _order(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Kendall's rank correlation of pairs in order of the first; None for too few different values."""
    if len({first for first, _ in pairs}) < N_PAIRS or len({second for _, second in pairs}) < N_PAIRS:
        return None
    total = count = 0
    for index, (first, second) in enumerate(pairs):
        for other_first, other_second in pairs[index + 1 :]:
            if first != other_first and second != other_second:
                total += 1 if (other_first > first) == (other_second > second) else -1
                count += 1
    return total / count if count else None
