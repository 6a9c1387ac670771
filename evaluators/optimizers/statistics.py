"""Statistics of paired comparisons: two rules on the same seeds, many tasks, one claim.

Sources: Student (1908), The probable error of a mean; Holm (1979), A simple sequentially rejective multiple test
procedure, <https://www.jstor.org/stable/4615733>; Kendall (1938), A new measure of rank correlation,
<https://doi.org/10.1093/biomet/30.1-2.81>.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What paired differences say: their mean, its standard error, and the two-sided p-value against zero."""

    mean: float
    standard_error: float
    p_value: float
    n: int

    @property
    def is_decided(self) -> bool:
        """Whether the mean has two standard errors on its side."""
        return abs(self.mean) > 2.0 * self.standard_error


def paired(differences: Sequence[float]) -> Paired:
    """Student's t-test on paired differences (log ratios of losses, log2 speed-ups per task).

    One difference says nothing: its standard error is infinite and its p-value 1. Differences that are all alike and
    not zero have the p-value 0.
    """
    n = len(differences)
    if n == 0:
        raise ValueError("got no differences, expected at least one pair")
    mean = math.fsum(differences) / n
    if n == 1:
        return Paired(mean=mean, standard_error=math.inf, p_value=1.0, n=1)
    error = math.sqrt(math.fsum((each - mean) ** 2 for each in differences) / (n - 1) / n)
    return Paired(mean=mean, standard_error=error, p_value=_two_sided(mean, error, n - 1), n=n)


def _two_sided(mean: float, error: float, freedom: int) -> float:
    """How likely a t at least this far from zero is."""
    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    from scipy.special import stdtr

    return min(1.0, 2.0 * float(stdtr(freedom, -abs(mean / error))))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values corrected for having looked at all of them (Holm 1979), in the order given.

    A claim that holds at 5 % after this holds with at most 5 % chance of even one false claim among them.
    """
    n = len(p_values)
    order = sorted(range(n), key=lambda place: p_values[place])
    corrected = [1.0] * n
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (n - rank) * p_values[place]))
        corrected[place] = largest
    return tuple(corrected)


def geometric_mean(ratios: Sequence[float]) -> float:
    """The geometric mean of positive ratios."""
    if not ratios or min(ratios) <= 0.0:
        raise ValueError(f"got {len(ratios)} ratios, the smallest {min(ratios, default=None)}: expected positive ones")
    return math.exp(math.fsum(map(math.log, ratios)) / len(ratios))


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float:
    """How far two orders agree, from -1 to 1 (tau-b: ties count as half)."""
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"got {len(first)} and {len(second)} values, expected two equal lengths of at least 2")
    concordance, first_apart, second_apart = 0, 0, 0
    for i in range(len(first)):
        for j in range(i):
            a, b = _sign(first[i] - first[j]), _sign(second[i] - second[j])
            concordance += a * b
            first_apart += abs(a)
            second_apart += abs(b)
    return concordance / math.sqrt(first_apart * second_apart) if first_apart and second_apart else 0.0


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def pooled_error(errors: Sequence[float]) -> float:
    """The standard error of a mean over tasks whose own errors are independent."""
    return math.sqrt(math.fsum(error * error for error in errors)) / len(errors)


def ranks(values: Sequence[float]) -> tuple[float, ...]:
    """Ranks from 1 for the largest value; equal values share their mean rank."""
    return tuple(
        1.0 + sum(other > value for other in values) + 0.5 * (sum(other == value for other in values) - 1)
        for value in values
    )
