"""How many steps tuned AdamW needs to reach a loss: the yardstick of the score.

`Curve` holds the final loss of AdamW trained to several horizons, each with its whole schedule and its own learning
rate. Reading it backwards gives the AdamW-equivalent horizon of a loss: "steps to target" as it is meant at the end of
a decayed run (so used by Metz et al. 2022, VeLO, <https://arxiv.org/abs/2211.09760>, figure 1).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAST_FALL = 1e-4
"""Fall of log loss per octave that a flat piece of a curve is given, so that it can be read backwards."""

BEYOND_OCTAVES = 1.0
"""How far beyond its ends a curve is continued. It is convex in nearly all tasks, so continuing its last octave as a
straight line asks for fewer steps of AdamW than it would need: the error is against the candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Log loss, strictly falling, over horizons in octaves (log2 of the number of steps), in ascending order."""

    octaves: tuple[float, ...]
    log_losses: tuple[float, ...]

    @classmethod
    def through(cls, log_losses: Mapping[int, float]) -> "Curve":
        """The curve nearest to measured points (mean log loss by number of steps) that never rises.

        Raises:
            ValueError: there are fewer than two points, or one is not finite.
        """
        steps = sorted(log_losses)
        values = [log_losses[n] for n in steps]
        if len(steps) < 2 or not all(map(math.isfinite, values)):
            raise ValueError(f"got the points {dict(log_losses)}, expected at least two of finite log loss")
        octaves = tuple(math.log2(n) for n in steps)
        falling = never_rising(values)
        strict = tuple(value - LEAST_FALL * (at - octaves[0]) for value, at in zip(falling, octaves, strict=True))
        return cls(octaves=octaves, log_losses=strict)

    def log_loss(self, n_steps: int) -> float:
        """The log loss of AdamW after a run of so many steps."""
        return _read(self.octaves, self.log_losses, math.log2(n_steps))

    def octave(self, log_loss: float) -> float:
        """Log2 of the steps that AdamW needs for this log loss, at most an octave beyond the horizons measured."""
        falling = tuple(-value for value in self.log_losses)
        found = _read(falling, self.octaves, -log_loss)
        return max(self.octaves[0] - BEYOND_OCTAVES, min(self.octaves[-1] + BEYOND_OCTAVES, found))

    def speed_up(self, log_ratio: float, n_steps: int) -> float:
        """Log2 of how many times as many steps AdamW needs, if its log loss after `n_steps` is beaten by -log_ratio."""
        return self.octave(self.log_loss(n_steps) + log_ratio) - math.log2(n_steps)


def never_rising(values: Sequence[float]) -> tuple[float, ...]:
    """The sequence that never rises and is nearest in squares (pool adjacent violators, Ayer et al. 1955)."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        mean, n = value, 1
        while blocks and blocks[-1][0] < mean:
            before, n_before = blocks.pop()
            mean, n = (before * n_before + mean * n) / (n_before + n), n + n_before
        blocks.append((mean, n))
    return tuple(mean for mean, n in blocks for _ in range(n))


def _read(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """Piecewise linear through ascending points; the end pieces go on as straight lines over an octave of points."""
    if x <= xs[0]:
        return ys[0] + (x - xs[0]) * _slope(xs, ys, 0, 1)
    if x >= xs[-1]:
        return ys[-1] + (x - xs[-1]) * _slope(xs, ys, max(0, len(xs) - 3), len(xs) - 1)
    place = next(i for i, right in enumerate(xs) if right >= x)
    return ys[place - 1] + (x - xs[place - 1]) * _slope(xs, ys, place - 1, place)


def _slope(xs: Sequence[float], ys: Sequence[float], i: int, j: int) -> float:
    return (ys[j] - ys[i]) / (xs[j] - xs[i])
