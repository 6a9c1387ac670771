"""When a simpler rule may take the place of another: it is not inferior, as far as seeds can tell.

Both are trained on the same seeds. The simpler one is accepted if the one-sided lower confidence bound of the mean
difference of scores lies above `-MARGIN`, as in tests of non-inferiority (Schuirmann 1987, "A comparison of the two
one-sided tests procedure", https://doi.org/10.1007/BF01068419). Seeds are added until the answer is clear or they are
used up; what stays in doubt is not done. Looking again after each block, and at many variants, makes wrong acceptances
more frequent than the level of one test says. In the Lion paper people did this by hand (Chen et al. 2023,
https://arxiv.org/abs/2302.06675).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean, variance

MARGIN = 0.04
"""How much score a simplification may cost: in log2 of the speed-up, 2.8 %."""

CONFIDENCE = 0.95

Blocks = Sequence[Sequence[float]]
"""Differences of scores (new - old): a row for each block of seeds, in it a number for each task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The mean difference of scores (new - old), its lower bound, and how many blocks of seeds say so."""

    difference: float
    lower_bound: float
    n_blocks: int

    @property
    def is_kept(self) -> bool:
        """Whether the new one is not inferior."""
        return self.lower_bound > -MARGIN

    @property
    def is_lost(self) -> bool:
        """Whether more seeds could hardly change that it is inferior: even the upper bound is."""
        return 2.0 * self.difference - self.lower_bound < -MARGIN


def verdict_of(blocks: Blocks) -> Verdict:
    """What differences say; those of one block say nothing, for nobody knows their spread.

    Tasks are fixed and seeds are drawn, so the error of the mean comes from the spread over blocks within each task.
    """
    from scipy.special import stdtrit

    tasks = list(zip(*blocks, strict=True))
    mean = fmean(fmean(task) for task in tasks)
    if len(blocks) < 2:
        return Verdict(difference=mean, lower_bound=-inf, n_blocks=len(blocks))
    error = sqrt(sum(variance(task) for task in tasks) / len(blocks)) / len(tasks)
    quantile = float(stdtrit(len(tasks) * (len(blocks) - 1), CONFIDENCE))
    return Verdict(difference=mean, lower_bound=mean - quantile * error, n_blocks=len(blocks))


def compared(difference: Callable[[int], Sequence[float] | None], looks: Sequence[int]) -> Verdict | None:
    """Compare two rules on more and more blocks of seeds until the answer is clear.

    `difference` measures one block: a number for each task, or None where the new rule fails, which settles it.
    `looks` are the numbers of blocks after which an answer is sought, in ascending order.
    """
    blocks: list[Sequence[float]] = []
    verdict = None
    for n in looks:
        for number in range(len(blocks), n):
            block = difference(number)
            if block is None:
                return None
            blocks.append(block)
        verdict = verdict_of(blocks)
        if verdict.is_kept or verdict.is_lost:
            break
    return verdict
