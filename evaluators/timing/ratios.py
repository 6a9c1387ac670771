"""From pairs of times to one number: the median of the ratios, and how far it can be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

N_RESAMPLES = 400
COVERED = (0.025, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedUp:
    """How much faster than the reference, as log2: 0 is as fast, 1 twice as fast.

    `standard_error` is that of the median, in the same unit: 0.01 is about 0.7 percent of the time. `low` and `high`
    are the ends of its bootstrap interval of 95 percent.
    """

    log2: float
    standard_error: float
    low: float
    high: float
    n_pairs: int

    @property
    def factor(self) -> float:
        """The speed-up itself."""
        return math.exp2(self.log2)


def speed_up(reference: Sequence[float], candidate: Sequence[float]) -> SpeedUp:
    """The median over pairs of the ratio of the reference's seconds to the candidate's.

    A pair is timed within moments, so what slows the machine slows both; the median forgets the pairs where it did not.
    Resampling draws from a generator of its own: equal times give equal numbers.

    Raises:
        ValueError: there are no pairs, or a time is not above zero.
    """
    times = np.array([reference, candidate], dtype=np.float64)
    if times.ndim != 2 or not times.size or not (np.isfinite(times) & (times > 0)).all():
        raise ValueError("expected pairs of seconds above zero")
    logs = np.log2(times[0] / times[1])
    medians = _resampled_medians(logs)
    low, high = np.quantile(medians, COVERED)
    return SpeedUp(
        log2=float(np.median(logs)),
        standard_error=float(np.std(medians)),
        low=float(low),
        high=float(high),
        n_pairs=len(logs),
    )


def mean_of(each: Sequence[SpeedUp]) -> SpeedUp:
    """The geometric mean of independent speed-ups; the interval is the normal one."""
    n = len(each)
    log2 = math.fsum(one.log2 for one in each) / n
    error = math.sqrt(math.fsum(one.standard_error**2 for one in each)) / n
    return SpeedUp(
        log2=log2,
        standard_error=error,
        low=log2 - 1.96 * error,
        high=log2 + 1.96 * error,
        n_pairs=sum(one.n_pairs for one in each),
    )


def _resampled_medians(logs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    draws = np.random.default_rng(0).integers(0, len(logs), (N_RESAMPLES, len(logs)))
    medians: npt.NDArray[np.float64] = np.median(logs[draws], axis=1)
    return medians
