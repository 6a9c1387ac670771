"""Re-check the area of a moving sofa: python check_sofas.py CERTIFICATE.json (standard library).

In the sofa's frame the corridor is at the angle a with its inner corner at c: a point p passes if (p - c) . u <= 1 and
(p - c) . v <= 1 and not both are negative, u = (cos a, sin a), v = (-sin a, cos a), from a = 0 to a right angle; before
and after it lies in a straight corridor. Between poses a and c move evenly; a function of the angle is nowhere more
than 1/8 of its second derivative above the larger of its ends. Functions of the place are lists of (start, slope,
height at 0).
"""

import json
import sys
from fractions import Fraction
from itertools import pairwise
from math import isqrt


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    if certificate["verifier"] != "moving_sofa":
        raise ValueError("the certificate is about something else")
    n, turns = certificate["parameters"]["n"], certificate["parameters"]["turns"]
    path = [[Fraction(x) for x in row] for row in certificate["construction"]]
    if len(path) != n + 1 or any(len(row) != 2 for row in path):
        raise ValueError("the path does not have the right number of corners")
    if area(path, n, turns) < Fraction(certificate["value"]):
        raise ValueError("the construction does not have the claimed value")


def area(path, n, turns):
    poses = [(x, y, Fraction(n * n - k * k, n * n + k * k), Fraction(2 * k * n, n * n + k * k))
             for k, (x, y) in enumerate(path)]  # fmt: skip
    left, right = path[n][0] - 1, path[0][0] + 1
    bends = [bend(a, b, left, right, path[0][1]) for a, b in pairwise(poses)]
    lost = [max(bends[max(k - 1, 0)], bends[min(k, n - 1)]) for k in range(n + 1)]
    left, right = left + lost[n], right - lost[0]
    low, high = max(path[0][1], path[n][1]), min(path[0][1], path[n][1]) + 1
    roofs, floors = [[(left, Fraction(0), high)]], [[(left, Fraction(0), low)]]
    for (x, y, c, s), gap in zip(poses, lost, strict=True):
        roofs += [[(left, -c / s, y + (1 - gap + c * x) / s)]] if s else []
        roofs += [[(left, s / c, y + (1 - gap - s * x) / c)]] if c else []
    floors += [hidden(a, b, gap, left, right) for a, b, gap in zip(poses, poses[1:], bends, strict=False)]
    roof, floor = fold(roofs, right, min), fold(floors, right, max)
    if turns == "both":
        mirrored = [[(x, -m, low + high - b) for x, m, b in pieces] for pieces in (floor, roof)]
        roof, floor = fold([roof, mirrored[0]], right, min), fold([floor, mirrored[1]], right, max)
    return largest_part(roof, floor, right)


def bend(one, other, left, right, low):
    """An eighth of a bound of the second derivative of (p - c) . u and (p - c) . v for the points that matter."""
    (x, y, c, s), (z, w, d, t) = one, other
    angle = (c * t - s * d) / (c * d + s * t)  # the tangent of the angle between
    far = max(size(p - a, q - b) for p in (left, right) for q in (low - 1, low + 2) for a, b in ((x, y), (z, w)))
    return (2 * angle * size(z - x, w - y) + angle**2 * far) / 8


def size(x, y):
    scale = 1 << 40
    square = (x * x + y * y) * scale * scale
    return Fraction(isqrt(-(-square.numerator // square.denominator)) + 1, scale)


def hidden(one, other, gap, left, right):
    """What may lie behind the inner corner between two poses: all that is below this function."""
    (x, y, c, s), (z, w, d, t) = one, other
    up, down = s / c, -d / t
    # The way of the corner plus the cone of all directions between those of the two poses.
    found = fold(
        [fold([[(left, m, b - m * a)] for a, b in ((x, y), (z, w))], right, max) for m in (up, down)], right, min
    )
    if x != z and down < (w - y) / (z - x) < up:
        m = (w - y) / (z - x)
        found = fold([found, [(left, m, y - m * x)]], right, min)
    # On the outer side of one wall at both poses, by more than it can bend: free all the time.
    if d:
        walls = [[(left, s / c, y + (gap - s * x) / c)], [(left, t / d, w + (gap - t * z) / d)]]
        found = fold([found, fold(walls, right, max)], right, min)
    if s:
        walls = [[(left, -c / s, y + (gap + c * x) / s)], [(left, -d / t, w + (gap + d * z) / t)]]
        found = fold([found, fold(walls, right, max)], right, min)
    return found


def fold(functions, right, choose):
    while len(functions) > 1:
        pairs = [functions[k : k + 2] for k in range(0, len(functions), 2)]
        functions = [combined(*pair, right, choose) if len(pair) == 2 else pair[0] for pair in pairs]
    return functions[0]


def strips(f, g, right):
    i = j = 0
    low = max(f[0][0], g[0][0])
    while low < right:
        while i + 1 < len(f) and f[i + 1][0] <= low:
            i += 1
        while j + 1 < len(g) and g[j + 1][0] <= low:
            j += 1
        high = min([right, *(piece[0] for piece in (*f[i + 1 : i + 2], *g[j + 1 : j + 2]))])
        yield low, high, f[i][1:], g[j][1:]
        low = high


def combined(f, g, right, choose):
    found = []
    for low, high, (m, b), (k, h) in strips(f, g, right):
        cuts = [low, high]
        if m != k and low < (h - b) / (m - k) < high:
            cuts.insert(1, (h - b) / (m - k))
        for start, end in pairwise(cuts):
            middle = (start + end) / 2
            line = choose(((m * middle + b, m, b), (k * middle + h, k, h)))[1:]
            if not found or found[-1][1:] != line:
                found.append((start, *line))
    return found


def largest_part(roof, floor, right):
    best = part = Fraction(0)
    for low, high, (m, b), (k, h) in strips(roof, floor, right):
        p, q = (m - k) * low + b - h, (m - k) * high + b - h
        if p > 0 and q > 0:
            part += (high - low) * (p + q) / 2
        elif p > 0:
            best, part = max(best, part + (high - low) * p * p / (p - q) / 2), Fraction(0)
        else:
            part = (high - low) * q * q / (q - p) / 2 if q > 0 else Fraction(0)
        best = max(best, part)
    return best


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} CERTIFICATE.json")
    sys.set_int_max_str_digits(0)
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            certificate = json.load(file)
        certificate = certificate.get("certificate", certificate)
        check(certificate)
        value = float(Fraction(certificate["value"]))
    except (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
        sys.exit(f"NOT CONFIRMED: {error}")
    told = json.dumps({name: certificate[name] for name in ("verifier", "parameters")})
    print(f"confirmed: {told} reaches the value, about {value!r}")
