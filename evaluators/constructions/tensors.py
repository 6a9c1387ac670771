"""Algorithms for matrix multiplication: a tensor as a sum of few products of three linear forms, over a stated ring."""

from collections.abc import Callable, Mapping, Sequence
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import fmpq, fmpz_mat

from evaluators.constructions import reading
from evaluators.constructions.verdict import Choice, Measured, Parameters, RejectedError, Verifier, Whole

CHECKER = "check_tensors.py"
LARGEST = 1 << 256
SAFE = 1 << 62  # sums below it are exact in 64-bit arithmetic
FACTORS = ("u", "v", "w")

Gauss = tuple[fmpq, fmpq]
Objects = npt.NDArray[Any]


def matrix_multiplication(data: Any, parameters: Parameters) -> Measured:
    """The number of products of an exact algorithm for n x m times m x p matrices.

    `u`, `v` and `w` have one row for each product: its coefficients in the entries a(i, j), b(j, k) and in the entries
    c(k, i) of the transposed result, row by row of those matrices.
    """
    n, m, p = (int(parameters[name]) for name in ("n", "m", "p"))
    ring = str(parameters["ring"])
    widths = dict(zip(FACTORS, (n * m, m * p, p * n), strict=True))
    rank = len(reading.rows(reading.member(data, "u"), "u", most=n * m * p))
    if rank == 0:
        raise RejectedError("there are no products")
    rows = {name: _factor(reading.member(data, name), name, rank, width, ring) for name, width in widths.items()}
    _require_identity(rows, (n, m, p), ring)
    entries = [entry for factor in rows.values() for row in factor for entry in row]
    filled = sum(any(part != 0 for part in entry) for entry in entries)
    return Measured(
        value=fmpq(rank),
        construction={name: [[_text(entry) for entry in row] for row in factor] for name, factor in rows.items()},
        details={
            "density": filled / max(len(entries), 1),
            "ones_share": sum(entry[1] == 0 and abs(entry[0]) == 1 for entry in entries) / max(filled, 1),
        },
    )


def _text(entry: Gauss) -> Any:
    return str(entry[0]) if entry[1] == 0 else [str(entry[0]), str(entry[1])]


def _factor(data: Any, name: str, rank: int, width: int, ring: str) -> list[list[Gauss]]:
    found = reading.rows(data, name, count=rank)
    return [
        [
            _entry(value, f"entry {column + 1} of row {index + 1} of {name}", ring)
            for column, value in enumerate(reading.rows(row, f"row {index + 1} of {name}", count=width))
        ]
        for index, row in enumerate(found)
    ]


def _entry(value: Any, where: str, ring: str) -> Gauss:
    """An entry of the ring; with `ring = "c"` also a pair of a real and an imaginary part."""
    if ring == "c" and type(value) is list:
        real, imaginary = reading.rationals(value, where, count=2)
    else:
        real, imaginary = reading.rational(value, where), fmpq(0)
    if not RINGS[ring](real):
        raise RejectedError(f"{where} is {str(real)[:40]}, which is not in the ring: {RING_WORDS[ring]}")
    if max(abs(number) for part in (real, imaginary) for number in (part.p, part.q)) > LARGEST:
        raise RejectedError(f"{where} has too many digits")
    return real, imaginary


def _require_identity(rows: Mapping[str, Sequence[Sequence[Gauss]]], shape: tuple[int, int, int], ring: str) -> None:
    """Refuse the factors unless their products add up to the tensor, all of it, exactly."""
    scaled = [_scaled(rows[name]) for name in FACTORS]
    (ur, ui), (vr, vi), (wr, wi) = ((real, imaginary) for real, imaginary, _ in scaled)
    unit = scaled[0][2] * scaled[1][2] * scaled[2][2]
    parts = [part for real, imaginary, _ in scaled for part in (real, imaginary)]
    largest = max((abs(int(value)) for part in parts for value in part.flat), default=0)
    kind = np.int64 if 4 * max(len(ur), 1) * largest**3 < SAFE else object
    real, imaginary = _outer(vr, vi, wr, wi, kind)
    total = _times(ur, real, kind) - _times(ui, imaginary, kind)
    rest = _times(ur, imaginary, kind) + _times(ui, real, kind)
    wanted = _wanted(shape) * unit if kind is object else _wanted(shape).astype(np.int64) * unit
    wrong = ((total - wanted) % 2 if ring == "f2" else total - wanted) != 0
    if wrong.any() or (rest != 0).any():
        bad = int(wrong.sum() + (rest != 0).sum())
        raise RejectedError(f"the products do not add up to the tensor: {bad} of its {wrong.size} entries are wrong")


def _scaled(rows: Sequence[Sequence[Gauss]]) -> tuple[Objects, Objects, int]:
    scale = 1
    for denominator in {int(part.q) for row in rows for entry in row for part in entry}:
        scale = lcm(scale, denominator)
        if scale > LARGEST:
            raise RejectedError("the entries have no common denominator of a reasonable size")
    parts = [
        np.array([[int(entry[side].p) * (scale // int(entry[side].q)) for entry in row] for row in rows], dtype=object)
        for side in (0, 1)
    ]
    return parts[0], parts[1], scale


def _outer(vr: Objects, vi: Objects, wr: Objects, wi: Objects, kind: Any) -> tuple[Objects, Objects]:
    """For every product the outer product of its second and third form, flat; real and imaginary parts."""

    def flat(a: Objects, b: Objects) -> Objects:
        product: Objects = a.astype(kind)[:, :, None] * b.astype(kind)[:, None, :]
        return product.reshape(len(a), -1)

    return flat(vr, wr) - flat(vi, wi), flat(vr, wi) + flat(vi, wr)


def _times(u: Objects, table: Objects, kind: Any) -> Objects:
    """The sums over all products; in whole numbers of any size where 64 bits could overflow."""
    if kind is not object:
        found: Objects = u.astype(kind).T @ table
        return found
    product = fmpz_mat([[int(value) for value in column] for column in u.T])
    product = product * fmpz_mat([[int(value) for value in row] for row in table])
    return np.array([[int(value) for value in row] for row in product.tolist()], dtype=object)


def _wanted(shape: tuple[int, int, int]) -> Objects:
    n, m, p = shape
    tensor = np.zeros((n * m, m * p, p * n), dtype=object)
    for i in range(n):
        for j in range(m):
            for k in range(p):
                tensor[i * m + j, j * p + k, k * n + i] = 1
    return tensor.reshape(n * m, -1)


RINGS: Mapping[str, Callable[[fmpq], bool]] = {
    "f2": lambda x: x in (0, 1),
    "zt": lambda x: x in (-1, 0, 1),
    "z": lambda x: int(x.q) == 1,
    "half": lambda x: (int(x.q) & (int(x.q) - 1)) == 0,
    "q": lambda _: True,
    "c": lambda _: True,
}
RING_WORDS = {
    "f2": "0 and 1",
    "zt": "-1, 0 and 1",
    "z": "whole numbers",
    "half": "fractions with a power of two below",
    "q": "rational numbers",
    "c": "complex numbers with rational parts",
}
_SIZE = {"low": 1, "high": 8}

VERIFIERS = (
    Verifier(
        name="matrix_multiplication",
        quantity="number of products",
        direction="min",
        checker=CHECKER,
        measure=matrix_multiplication,
        parameters=(
            Whole(name="n", **_SIZE),
            Whole(name="m", **_SIZE),
            Whole(name="p", **_SIZE),
            Choice(name="ring", options=tuple(RINGS)),
        ),
    ),
)
