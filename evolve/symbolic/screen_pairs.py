"""How well every pair of values, joined by one operation, fits any of some targets after a factor and a term.

The score is the share of a target's variation that `factor * value + term` explains, 1 for an exact fit; for the factor
and the term of least squares three sums decide it. Sums are taken by adding halves, an order that whole arrays can
follow on any device, and + - * / are rounded alike everywhere: all devices give the same bits.
"""

from collections.abc import Iterator
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from evolve.symbolic.tape import FloatArray, IntArray
from sandbox.symbolic.vocabulary import OP_ADD, OP_DIV, OP_MUL, OP_SUB
from sandbox.torch_device import TorchDevice, open_device

FIRST_ALONE: Final = -1
"""In place of an opcode: the first value as it is."""

PAIRED: Final = (OP_ADD, OP_SUB, OP_MUL, OP_DIV)
LEAST_VARIATION: Final = 1e-10
"""A value whose variance is less than this part of its mean square is as good as constant."""

NO_SCORE: Final = -1.0
CPU_PAIRS: Final = 1 << 18
CARD_BYTES: Final = 1 << 30
SHARE: Final = 0.1
"""Of a card's free memory: workers share it."""

_ARRAYS: Final = 4  # of the size of all values of a block, that torch holds at once

Scores = tuple[FloatArray, npt.NDArray[np.int8]]


class Scorer(Protocol):
    """Scores pairs on one device."""

    def n_first(self, n_points: int, n_second: int) -> int:
        """How many first rows make a block of a good size."""

    def score(self, opcode: int, first: FloatArray, second: FloatArray, targets: FloatArray) -> Scores:
        """For each pair of rows the score, and the number of the target that it fits best."""


def scorer_for(device: str) -> Scorer:
    """Compiled code for "cpu", torch for "cuda", "cuda:1" and "auto" (there too if it finds no card).

    Raises:
        DeviceError: torch or the device is not there.
    """
    return CompiledScorer() if device == "cpu" else TorchScorer(open_device(device))


def blocks(scorer: Scorer, rows: IntArray, n_points: int, n_second: int) -> Iterator[IntArray]:
    """The first rows of pairs, in parts that a device takes at once."""
    size = scorer.n_first(n_points, n_second)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


class CompiledScorer:
    """On one core of the processor."""

    def n_first(self, n_points: int, n_second: int) -> int:
        """As many as give some hundred thousand scores."""
        del n_points
        return max(1, CPU_PAIRS // max(n_second, 1))

    def score(self, opcode: int, first: FloatArray, second: FloatArray, targets: FloatArray) -> Scores:
        """See `Scorer`."""
        scores = np.empty((len(first), len(second)))
        best = np.empty(scores.shape, np.int8)
        _score_pairs(opcode, first, second, targets, scores, best)
        return scores, best


class TorchScorer:
    """On torch: the same operations in the same order, each on the values of all pairs at once."""

    def __init__(self, opened: TorchDevice) -> None:
        self._torch, self._opened = opened.torch, opened

    def n_first(self, n_points: int, n_second: int) -> int:
        """As many as fit into a part of the card's free memory."""
        free = self._opened.free_bytes()
        room = CARD_BYTES if free is None else min(CARD_BYTES, int(free * SHARE))
        return max(1, room // (8 * _ARRAYS * n_points * max(n_second, 1)))

    def score(self, opcode: int, first: FloatArray, second: FloatArray, targets: FloatArray) -> Scores:
        """See `Scorer`."""
        torch = self._torch
        joined = self._joined(opcode, self._tensor(first)[:, None, :], self._tensor(second)[None, :, :])
        n_points = float(first.shape[1])
        total = self._sum(joined.clone())
        squares = self._sum(joined * joined)
        variation = squares - total * total / self._tensor(np.array(n_points))
        varies = variation > squares * self._tensor(np.array(LEAST_VARIATION))
        scores = torch.full_like(variation, NO_SCORE)
        best = torch.zeros(scores.shape, dtype=torch.int8, device=scores.device)
        for number, target in enumerate(targets):
            product = self._sum(joined * self._tensor(target))
            share = product * product / variation
            better = varies & (share > scores)
            scores = torch.where(better, share, scores)
            best = best.masked_fill(better, number)
        return scores.cpu().numpy(), best.cpu().numpy()

    def _joined(self, opcode: int, first: Any, second: Any) -> Any:
        if opcode == OP_ADD:
            return first + second
        if opcode == OP_SUB:
            return first - second
        if opcode == OP_MUL:
            return first * second
        return first / second if opcode == OP_DIV else first.expand(-1, second.shape[1], -1)

    def _sum(self, terms: Any) -> Any:
        """The sum over the points, in place: each time the second half is added to the first."""
        while terms.shape[-1] > 1:
            half = terms.shape[-1] // 2
            terms = terms[..., :half].add_(terms[..., half:])
        return terms[..., 0]

    def _tensor(self, array: Any) -> Any:
        return self._torch.tensor(array, device=self._opened.device)


@njit(nogil=True, error_model="numpy", cache=True)
def _sum(terms: FloatArray) -> float:
    """The same sum, of one row."""
    half = len(terms) // 2
    while half > 0:
        for p in range(half):
            terms[p] += terms[half + p]
        half //= 2
    total: float = terms[0]
    return total


@njit(nogil=True, error_model="numpy", cache=True)
def _join(opcode: int, first: FloatArray, second: FloatArray, joined: FloatArray) -> None:
    n_points = len(joined)
    if opcode == OP_ADD:
        for p in range(n_points):
            joined[p] = first[p] + second[p]
    elif opcode == OP_SUB:
        for p in range(n_points):
            joined[p] = first[p] - second[p]
    elif opcode == OP_MUL:
        for p in range(n_points):
            joined[p] = first[p] * second[p]
    elif opcode == OP_DIV:
        for p in range(n_points):
            joined[p] = first[p] / second[p]
    else:
        for p in range(n_points):
            joined[p] = first[p]


@njit(nogil=True, error_model="numpy", cache=True)
def _score_pairs(
    opcode: int, first: FloatArray, second: FloatArray, targets: FloatArray, scores: FloatArray, best: Any
) -> None:
    n_points = first.shape[1]
    joined, terms = np.empty(n_points), np.empty(n_points)
    for a in range(first.shape[0]):
        for b in range(second.shape[0]):
            _join(opcode, first[a], second[b], joined)
            for p in range(n_points):
                terms[p] = joined[p]
            total = _sum(terms)
            for p in range(n_points):
                terms[p] = joined[p] * joined[p]
            squares = _sum(terms)
            variation = squares - total * total / float(n_points)
            scores[a, b], best[a, b] = NO_SCORE, 0
            if variation > squares * LEAST_VARIATION:
                for t in range(targets.shape[0]):
                    for p in range(n_points):
                        terms[p] = joined[p] * targets[t, p]
                    product = _sum(terms)
                    share = product * product / variation
                    if share > scores[a, b]:
                        scores[a, b], best[a, b] = share, t
