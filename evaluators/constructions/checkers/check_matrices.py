"""Re-check a certificate about matrices: python check_matrices.py CERTIFICATE.json (needs python-flint)."""

import json
import sys
from fractions import Fraction
from itertools import permutations, product

try:
    from flint import acb, acb_mat, acb_poly, arb, ctx, fmpq, fmpq_mat
except ImportError:
    print("this check needs python-flint: python -m pip install python-flint", file=sys.stderr)
    sys.exit(2)

ctx.prec = 300


def check(certificate):
    """Raise ValueError unless the construction has the claimed value."""
    value, parameters = Fraction(certificate["value"]), certificate["parameters"]
    if not QUANTITIES[certificate["verifier"]](certificate["construction"], exact(value), **parameters):
        raise ValueError("the construction does not have the claimed value")


def rational(text):
    number = Fraction(text)
    return fmpq(number.numerator, number.denominator)


def exact(number):
    return arb(rational(number))


def crouzeix(construction, value, n, cuts):
    """W(A) lies inside the polygon of the supporting lines; by the maximum principle |p| is largest on its rim."""
    entries = [[acb(exact(x), exact(y)) for x, y in row] for row in construction["matrix"]]
    if len(entries) != n or any(len(row) != n for row in entries):
        raise ValueError("the matrix is not of the claimed size")
    a, step = acb_mat(entries), 2 * arb.pi() / cuts
    p = acb_poly([acb(exact(x), exact(y)) for x, y in construction["polynomial"]])
    least = image_norm(a, p) / value
    if not least > 0:
        return value <= 0
    size = max(abs(entry).mid() for row in entries for entry in row)
    supports = [support(a, acb(0, -step * j).exp(), size) for j in range(cuts)]
    corners = []
    for j in range(cuts):
        here, following = supports[j], supports[(j + 1) % cuts]
        corners.append(acb(here, (following - here * step.cos()) / step.sin()) * acb(0, step * j).exp())
    edges = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    perimeter = sum((abs(w - z) for z, w in edges), arb(0)).mid()
    return all(bounded(p, z, w, least, 2.5 * cuts / perimeter) for z, w in edges)


def support(a, turn, size):
    """A bound of the eigenvalues of the Hermitian part of a turned matrix: all leading minors of bound - H are > 0."""
    h = (a * turn + (a * turn).conjugate().transpose()) / 2
    bound = max(value.real.mid() for value in h.eig(algorithm="approx")) + size * arb("1e-14")
    n = a.nrows()
    for k in range(1, n + 1):
        minor = acb_mat([[(bound if i == j else 0) - h[i, j] for j in range(k)] for i in range(k)]).det()
        if not minor.real > 0:
            raise ValueError("a supporting line is not certain")
    return bound


def bounded(p, z, w, least, density):
    """Whether |p| <= least between z and w, piece by piece: constant and linear term at the ends, plus all others."""
    pieces = 1 + int(float((abs(w - z) * density).upper()) + 1e-6)
    half = (w - z) / (2 * pieces)
    for k in range(pieces):
        q = p(acb_poly([z + half * (2 * k + 1), half]))
        rest = sum((abs(q[i]) for i in range(2, q.length())), arb(0))
        if not (abs(q[0] + q[1]) + rest <= least and abs(q[0] - q[1]) + rest <= least):
            return False
    return True


def image_norm(a, p):
    """A lower bound of the norm of p(A): |B v| / |v| with v from some steps of the power iteration."""
    n = a.nrows()
    b = acb_mat(n, n)
    for k in range(p.degree(), -1, -1):
        b = b * a + acb_mat([[p[k] if i == j else 0 for j in range(n)] for i in range(n)])
    star, best = b.conjugate().transpose(), arb(0)
    for first in range(n):
        v = acb_mat([[acb(1 + (i == first))] for i in range(n)])
        for _ in range(60):
            v = star * (b * v)
            size = length(v).mid()
            if not size > 0:
                break
            v = acb_mat([[(v[i, 0] / size).mid()] for i in range(n)])
            best = best.max(length(b * v) / length(v))
    return best


def length(v):
    return sum((abs(v[i, 0]) * abs(v[i, 0]) for i in range(v.nrows())), arb(0)).sqrt()


def matrix_mean(construction, value, n, m, d, norm):
    roots = [fmpq_mat([[rational(x) for x in row] for row in rows]) for rows in construction]
    if len(roots) != n or any((root.nrows(), root.ncols()) != (d, d) for root in roots) or not 1 < m <= n:
        raise ValueError("the matrices are not of the claimed size")
    matrices = [root.transpose() * root for root in roots]

    def mean(words):
        found = [size(matrices, word, norm) for word in words]
        return sum(found, arb(0)) / len(found)

    return mean(list(product(range(n), repeat=m))) <= value * mean(list(permutations(range(n), m)))


def size(matrices, word, norm):
    found = fmpq_mat(matrices[0].nrows(), matrices[0].nrows(), [int(i == j) for i in range(matrices[0].nrows())
                     for j in range(matrices[0].nrows())])  # fmt: skip
    for index in word:
        found *= matrices[index]
    square = found * found.transpose()
    if norm == "frobenius":
        return arb(sum((x * x for row in found.tolist() for x in row), fmpq(0))).sqrt()
    largest = arb(0)
    for root, _ in square.charpoly().numer().complex_roots():
        largest = largest.max(root.real)
    return largest.sqrt()


QUANTITIES = {"crouzeix": crouzeix, "matrix_mean": matrix_mean}

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
