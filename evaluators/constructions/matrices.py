"""Matrices: Crouzeix's conjecture about numerical ranges, and means of products of positive matrices."""

import math
from collections.abc import Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import acb, acb_mat, acb_poly, arb, fmpq, fmpq_mat

from evaluators.constructions import reading
from evaluators.constructions.balls import squared, working
from evaluators.constructions.critical import max_of
from evaluators.constructions.pictures import float_of, polygons_picture
from evaluators.constructions.rounding import lower, upper
from evaluators.constructions.verdict import Choice, Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_matrices.py"
BITS = 160
SLACK = fmpq(1, 10**11)

Complexes = npt.NDArray[np.complex128]


def crouzeix(data: Any, parameters: Parameters) -> Measured:
    """The norm of p(A) over the largest |p| on the numerical range of A; its rim is taken from outside, by `cuts`.

    The numerical range lies inside of all its supporting lines. Neighbours among them meet in the corners of a polygon
    around it, on whose edges |p| is bounded: by the maximum principle no value inside is larger.
    """
    n, cuts = int(parameters["n"]), int(parameters["cuts"])
    rows = reading.rows(reading.member(data, "matrix"), "the matrix", count=n)
    matrix = [reading.points(row, f"row {i + 1} of the matrix", count=n, dimension=2) for i, row in enumerate(rows)]
    coefficients = reading.points(reading.member(data, "polynomial"), "the polynomial", most=13, dimension=2)
    size = max(abs(part) for row in matrix for entry in row for part in entry)
    if size == 0 or not any(part for row in coefficients for part in row):
        raise RejectedError("the matrix or the polynomial is zero")
    shown = np.array([[complex(float_of(x / size), float_of(y / size)) for x, y in row] for row in matrix])
    with working(bits=BITS):
        scaled = acb_mat([[acb(arb(x / size), arb(y / size)) for x, y in row] for row in matrix])
        # p(size z) for the matrix divided by its size
        polynomial = acb_poly([acb(arb(x), arb(y)) * arb(size) ** k for k, (x, y) in enumerate(coefficients)])
        corners = _corners(scaled, shown, cuts)
        largest = _largest_modulus(polynomial, corners)
        value = lower(_norm_of_image(polynomial, scaled, n) / largest) if largest > 0 else fmpq(0)
        outline = [[float(corner.real.mid()), float(corner.imag.mid())] for corner in corners[:: max(1, cuts // 100)]]
    return Measured(
        value=value,
        is_exact=False,
        construction={
            "matrix": [[[str(part) for part in entry] for entry in row] for row in matrix],
            "polynomial": [[str(part) for part in row] for row in coefficients],
        },
        details={"degree": float(len(coefficients) - 1), "roundness": _roundness(outline)},
        picture=polygons_picture("the numerical range", [outline]),
    )


def _roundness(outline: Sequence[list[float]]) -> float:
    widths = [max(column) - min(column) for column in zip(*outline, strict=True)]
    return float(min(widths) / max(max(widths), 1e-300))


def _corners(matrix: acb_mat, shown: Complexes, cuts: int) -> list[acb]:
    """Where neighbours among the supporting lines with the normals e^(2 pi i j / cuts) meet."""
    step = 2 * arb.pi() / cuts
    supports = []
    for j in range(cuts):
        turn = acb(0, -step * j).exp()
        half = shown * np.exp(-2j * math.pi * j / cuts)
        largest = float(np.linalg.eigvalsh((half + half.conj().T) / 2)[-1])
        supports.append(_certified_bound((matrix * turn + (matrix * turn).conjugate().transpose()) / 2, largest))
    corners = []
    for j, (here, following) in enumerate(zip(supports, [*supports[1:], supports[0]], strict=True)):
        along = (following - here * step.cos()) / step.sin()
        corners.append(acb(here, along) * acb(0, step * j).exp())
    return corners


def _certified_bound(hermitian: acb_mat, near: float) -> arb:
    """A number that no eigenvalue exceeds, a little above `near`: bound - H is positive, shown by elimination."""
    bound = arb(fmpq(*near.as_integer_ratio()) + SLACK)
    n = hermitian.nrows()
    rest = [[(bound if i == j else acb(0)) - hermitian[i, j] for j in range(n)] for i in range(n)]
    for k in range(n):
        pivot = acb(rest[k][k]).real
        if not pivot > 0:
            raise RejectedError("the numerical range cannot be enclosed: the matrix is too badly scaled")
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                rest[i][j] -= rest[i][k] * rest[k][j] / pivot
    return bound


def _largest_modulus(polynomial: acb_poly, corners: Sequence[acb]) -> arb:
    """A bound of |p| on the closed polygon: on each piece of it by the two first terms, at its ends, and the others."""
    ends = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    lengths = [float(abs(b - a).upper()) for a, b in ends]
    bounds = []
    for (a, b), length in zip(ends, lengths, strict=True):
        pieces = 1 + min(int(2.5 * len(ends) * length / max(sum(lengths), 1e-300)), 4 * len(ends))
        half = (b - a) / (2 * pieces)
        for k in range(pieces):
            local = polynomial(acb_poly([a + half * (2 * k + 1), half]))
            first, second = local[0], local[1]
            rest = sum((abs(local[i]) for i in range(2, local.length())), arb(0))
            bounds.append(abs(first + second).max(abs(first - second)) + rest)
    return max_of(bounds)


def _norm_of_image(polynomial: acb_poly, matrix: acb_mat, n: int) -> arb:
    """At most the norm of p(A): |p(A) v| / |v| for about the best v."""
    image = acb_mat(n, n)
    for k in range(polynomial.degree(), -1, -1):
        image = image * matrix + acb_mat([[polynomial[k] if i == j else 0 for j in range(n)] for i in range(n)])
    near = np.array([[complex(image[i, j].mid()) for j in range(n)] for i in range(n)])
    if not np.isfinite(near).all():
        raise RejectedError("p(A) is too large")
    vector = np.linalg.svd(near / max(np.abs(near).max(), 1e-300))[2][0].conj()
    column = acb_mat([[acb(complex(entry))] for entry in vector])
    return _length(image * column) / _length(column)


def _length(column: acb_mat) -> arb:
    """The length; 0 where it is not known to be more."""
    total = sum((squared(abs(column[i, 0])) for i in range(column.nrows())), arb(0))
    return total.sqrt() if total > 0 else arb(0)


def matrix_mean(data: Any, parameters: Parameters) -> Measured:
    """The mean norm of products of m of the matrices B^T B, over that of products without repetition."""
    n, m, d = (int(parameters[name]) for name in ("n", "m", "d"))
    if m > n or n**m > 4096:
        raise RejectedError(f"m = {m} and n = {n}: expected m up to n, and n^m up to 4096")
    given = reading.rows(data, "the list of matrices", count=n)
    roots = [fmpq_mat(reading.points(rows, f"matrix {i + 1}", count=d, dimension=d)) for i, rows in enumerate(given)]
    matrices = [root.transpose() * root for root in roots]
    with working(bits=BITS):
        norms = {word: _norm(matrices, word, str(parameters["norm"])) for word in product(range(n), repeat=m)}
        distinct = [norms[word] for word in permutations(range(n), m)]
        mean = sum(distinct, arb(0)) / len(distinct)
        if not mean > 0:
            raise RejectedError("all products of different matrices are zero, or too small to tell")
        value = upper(sum(norms.values(), arb(0)) / len(norms) / mean)
    traces = [float_of(sum((matrix[i, i] for i in range(d)), fmpq(0))) for matrix in matrices]
    return Measured(
        value=value,
        is_exact=False,
        construction=[[[str(entry) for entry in row] for row in root.tolist()] for root in roots],
        details={
            "balance": min(traces) / max(max(traces), 1e-300),
            "mean_rank": sum(root.rank() for root in roots) / n,
        },
    )


def _norm(matrices: Sequence[fmpq_mat], word: Sequence[int], norm: str) -> arb:
    found = matrices[word[0]]
    for index in word[1:]:
        found = found * matrices[index]
    square = found.transpose() * found
    if norm == "frobenius":
        return arb(sum((square[i, i] for i in range(square.nrows())), fmpq(0))).sqrt()
    # The largest root of the characteristic polynomial, all of whose roots are real.
    roots: Any = square.charpoly().numer().complex_roots()
    return max_of([root.real for root, _ in roots]).max(arb(0)).sqrt()


VERIFIERS = (
    Verifier(
        name="crouzeix",
        quantity="norm of p(A) over the largest modulus of p on the numerical range of A",
        direction="max",
        checker=CHECKER,
        measure=crouzeix,
        parameters=(Whole(name="n", low=2, high=8), Whole(name="cuts", low=8, high=8192)),
    ),
    Verifier(
        name="matrix_mean",
        quantity="mean norm of products with repetition over that without",
        direction="min",
        checker=CHECKER,
        measure=matrix_mean,
        parameters=(
            Whole(name="n", low=2, high=8),
            Whole(name="m", low=2, high=6),
            Whole(name="d", low=1, high=8),
            Choice(name="norm", options=("operator", "frobenius")),
        ),
    ),
)
