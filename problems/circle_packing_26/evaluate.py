"""Judge 26 circles in the unit square, in exact arithmetic and without tolerance.

The program's answer is 26 rows of x, y and radius. Every float is a rational number with a power of two below it, so
all comparisons are exact, in integers. Where circles overlap or stick out, all radii are reduced by the same least
amount that makes the packing exact; the score is the sum of the reduced radii. No number that the program claims about
itself is read.
"""

import hashlib
import json
import math
from fractions import Fraction

N_CIRCLES = 26
ROOT_BITS = 128
CONTACT = Fraction(1, 10**7)


class WrongAnswerError(Exception):
    """The program's answer is not 26 circles; the text says why."""


def evaluate(candidate):
    """Score the packing that the candidate's pack() returns."""
    try:
        packing = Packing(candidate.call("pack"))
    except WrongAnswerError as wrong:
        return {"failure": str(wrong)}
    score = rounded_down(packing.total)
    return {
        "score": score,
        "descriptor": {
            "radius_spread": packing.radius_spread(),
            "program_lines": program_lines(candidate.files),
        },
        "metrics": {
            "raw_sum": packing.raw_sum(),
            "shrink": float(packing.shrink),
            "contacts": packing.contacts(),
            "smallest_radius": float(min(packing.radii)),
            "largest_radius": float(max(packing.radii)),
        },
        "artifacts": {"picture": packing.picture()},
    }


def verify(candidate):
    """The same arithmetic again, with a certificate: the exact circles and what they prove."""
    try:
        packing = Packing(candidate.call("pack"))
    except WrongAnswerError as wrong:
        return {"verdict": "refuted", "detail": str(wrong)}
    packing.require_exact()
    score = rounded_down(packing.total)
    rows = packing.exact_rows()
    return {
        "verdict": "certified",
        "value": score,
        "score": score,
        "detail": f"{N_CIRCLES} disjoint circles in the unit square with radii that add up to at least {score!r}",
        "certificate": {
            "claim": "the circles (x, y, radius as exact fractions) have non-negative radii, lie in the unit square "
            "and have disjoint interiors; the sum of the radii is `sum`",
            "circles": rows,
            "sum": str(packing.total),
            "sum_at_least": score,
            "shrink": str(packing.shrink),
            "method": "rational arithmetic: (xi-xj)^2 + (yi-yj)^2 >= (ri+rj)^2 for all pairs, r <= x, y, 1-x, 1-y",
            "sha256": hashlib.sha256(repr(rows).encode()).hexdigest(),
        },
    }


class Packing:
    """A program's circles, and the same made exact by the least uniform shrink (to 128 bits below the scale)."""

    def __init__(self, answer):
        rows = [_row(number, row) for number, row in enumerate(_rows(answer))]
        self.x, self.y, self.raw = ([row[i] for row in rows] for i in range(3))
        self.shrink = _least_shrink(self.x, self.y, self.raw)
        if self.shrink > 0 and self.shrink >= min(self.raw):
            raise WrongAnswerError(
                "the circles overlap or stick out too much: all radii would have to shrink by "
                f"{float(self.shrink):.3g}, but the smallest is {float(min(self.raw)):.3g}"
            )
        self.radii = [radius - self.shrink for radius in self.raw]
        self.total = sum(self.radii, Fraction(0))

    def raw_sum(self):
        return float(sum(self.raw, Fraction(0)))

    def radius_spread(self):
        """Standard deviation of the radii, as a part of their mean: 0 for equal circles."""
        radii = [float(radius) for radius in self.radii]
        mean = math.fsum(radii) / N_CIRCLES
        if mean == 0.0:
            return 0.0
        return math.sqrt(math.fsum((radius - mean) ** 2 for radius in radii) / N_CIRCLES) / mean

    def contacts(self):
        """Pairs of circles, and circles and walls, that touch to within 1e-7."""
        gap = float(CONTACT)
        x, y, r = ([float(v) for v in values] for values in (self.x, self.y, self.radii))
        walls = sum(side - r[i] <= gap for i in range(N_CIRCLES) for side in (x[i], y[i], 1.0 - x[i], 1.0 - y[i]))
        pairs = sum(
            math.hypot(x[i] - x[j], y[i] - y[j]) - r[i] - r[j] <= gap for i in range(N_CIRCLES) for j in range(i)
        )
        return walls + pairs

    def picture(self):
        """The circles to be drawn by the dashboard and the report: what they show, not what is proved."""
        rows = zip(self.x, self.y, self.radii, strict=True)
        circles = [[round(float(value), 6) for value in row] for row in rows]
        return json.dumps({"kind": "circles", "title": f"{N_CIRCLES} circles", "circles": circles})

    def exact_rows(self):
        return [[str(x), str(y), str(r)] for x, y, r in zip(self.x, self.y, self.radii, strict=True)]

    def require_exact(self):
        """Check the repaired packing once more, the plain way and with fractions only."""
        x, y, r = self.x, self.y, self.radii
        for i in range(N_CIRCLES):
            inside = r[i] >= 0 and r[i] <= min(x[i], y[i], 1 - x[i], 1 - y[i])
            apart = all((x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 >= (r[i] + r[j]) ** 2 for j in range(i))
            if not (inside and apart):
                raise ArithmeticError(f"circle {i + 1} of the repaired packing is not exact")


def _rows(answer):
    if not isinstance(answer, list) and type(answer).__name__ == "ndarray":
        answer = answer.tolist()
    if not isinstance(answer, list):
        raise WrongAnswerError(f"pack() returned a {type(answer).__name__}, expected {N_CIRCLES} rows of x, y, radius")
    if len(answer) != N_CIRCLES:
        raise WrongAnswerError(
            f"pack() returned {len(answer)} rows, expected {N_CIRCLES} rows of x, y, radius and nothing else"
        )
    return answer


def _row(number, row):
    where = f"circle {number + 1}"
    if not isinstance(row, list) and type(row).__name__ == "ndarray":
        row = row.tolist()
    if not isinstance(row, list) or len(row) != 3:
        raise WrongAnswerError(f"{where} is not a row of x, y, radius")
    for name, value in zip(("x", "y", "radius"), row, strict=True):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise WrongAnswerError(f"the {name} of {where} is a {type(value).__name__}, expected a number")
        if not 0 <= value <= 1:  # also refuses NaN
            raise WrongAnswerError(f"the {name} of {where} is {_short(value)}, expected a number from 0 to 1")
    return [Fraction(value) for value in row]


def _short(value):
    return repr(value) if isinstance(value, float) else "a whole number out of range"


def _least_shrink(x, y, r):
    """The least amount to take off every radius so that the packing is exact.

    Exact for walls; for pairs the distance, a square root, is rounded down at 128 bits below the inputs' scale.
    """
    scale = max(value.denominator for value in (*x, *y, *r))
    xs, ys, rs = ([value.numerator * (scale // value.denominator) for value in values] for values in (x, y, r))
    worst = 0
    for i in range(N_CIRCLES):
        wall = rs[i] - min(xs[i], ys[i], scale - xs[i], scale - ys[i])
        worst = max(worst, wall << (ROOT_BITS + 1))
        for j in range(i):
            squared = (xs[i] - xs[j]) ** 2 + (ys[i] - ys[j]) ** 2
            both = rs[i] + rs[j]
            if squared < both * both:
                worst = max(worst, (both << ROOT_BITS) - math.isqrt(squared << (2 * ROOT_BITS)))
    return Fraction(worst, scale << (ROOT_BITS + 1))


def rounded_down(number):
    """The largest float that is not above a fraction."""
    nearest = float(number)
    return nearest if Fraction(nearest) <= number else math.nextafter(nearest, -math.inf)


def program_lines(files):
    """Lines that are neither empty nor a comment."""
    lines = [line.strip() for text in files.values() for line in text.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)
