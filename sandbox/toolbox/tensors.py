"""Bilinear schemes for matrix products: walks in the flip graph over GF(2), and their lift to the integers.

A scheme is an array of shape (rank, 3) of bit masks: the term u x v x w, whose factors are sums of entries of A
(n x m), B (m x p) and C transposed (p x n), row by row. Flips and reductions: Kauers and Moosbauer 2022
(https://arxiv.org/abs/2212.01175); plus transitions: Arai, Ichikawa and Hukushima 2024
(https://arxiv.org/abs/2312.16960).
"""

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from sandbox.toolbox.base import MOVE, SMALL_WORK, SOLVE, START, Toolbox, Whole, step
from sandbox.toolbox.compiled import below, compiled, fresh_state

Scheme = npt.NDArray[np.int64]
FLIPS_PER_WORK = 150_000
LIFT_WORK = 0.2
MOST_BITS = 62
N_LIFTS = 10


class MatrixProduct(Toolbox[Scheme]):
    """Schemes of the product of an n x m by an m x p matrix over GF(2); the value is minus the rank."""

    def __init__(self, n: int, m: int, p: int, *, work: float, seed: int, warm: Scheme | None = None) -> None:
        super().__init__(minus_rank, work=work, seed=seed, warm=warm)
        if max(n * m, m * p, p * n) > MOST_BITS:
            raise ValueError(f"<{n},{m},{p}> has a matrix of more than {MOST_BITS} entries")
        self.n, self.m, self.p = n, m, p

    def show(self, thing: Scheme) -> float:
        """Minus the rank; of schemes of a rank that was not reached before, only one with an integer lift is kept."""
        value = self.value(thing)
        if value > self.best_value:
            self.spend(LIFT_WORK * len(thing) * (self.n * self.m * self.p / 27.0))
            if lift(thing, self.n, self.m, self.p) is not None:
                return super().show(thing)
        return value

    def lifted(self) -> tuple[npt.NDArray[np.int64], ...] | None:
        """The best scheme with integer entries, three arrays (rank, entries), or None where it has no such lift."""
        return None if self.best is None else lift(self.best, self.n, self.m, self.p)

    @step(START)
    def standard(self) -> Scheme:
        """The schoolbook algorithm: n m p terms."""
        self.spend(SMALL_WORK)
        n, m, p = self.n, self.m, self.p
        terms = [
            (1 << (i * m + j), 1 << (j * p + k), 1 << (k * n + i)) for i in range(n) for j in range(m) for k in range(p)
        ]
        scheme = np.array(terms, np.int64)
        self.show(scheme)
        return scheme

    @step(MOVE)
    def plus(self, scheme: Scheme, *, count: Annotated[int, Whole(1, 6, 1)] = 1) -> Scheme:
        """So many terms more: two terms become three, which opens flips that were not there."""
        self.spend(SMALL_WORK)
        return np.asarray(_split(scheme, count, fresh_state(self.rng)), np.int64)

    @step(SOLVE)
    def flip(
        self,
        scheme: Scheme,
        *,
        flips: Annotated[int, Whole(1000, 3000000, 200000)] = 200000,
        idle: Annotated[int, Whole(500, 200000, 20000)] = 20000,
        above: Annotated[int, Whole(1, 6, 2)] = 2,
    ) -> Scheme:
        """A random walk of flips, reduced where it can be.

        After `idle` flips without a reduction a term is split, unless the rank is `above` over the walk's lowest.
        Ends with the scheme of lowest rank, the last one seen.
        """
        self.spend(0.05 + flips / FLIPS_PER_WORK)
        found = np.asarray(_walk(scheme, flips, idle, above, fresh_state(self.rng)), np.int64)
        self.show(found)
        return found


def minus_rank(scheme: Scheme) -> float:
    """Minus the number of terms."""
    return -float(len(scheme))


@compiled("int64(int64[:,:], int64)")
def _reduced(terms: Any, rank: int) -> int:
    """Drop terms with a zero factor and merge terms that share two; returns the rank."""
    i = 0
    while i < rank:
        if terms[i, 0] == 0 or terms[i, 1] == 0 or terms[i, 2] == 0:
            rank -= 1
            terms[i] = terms[rank]
            i = 0
            continue
        j = i + 1
        while j < rank:
            same = (terms[i] == terms[j]).sum()
            if same >= 2:
                for f in range(3):
                    if terms[i, f] != terms[j, f] or (same == 3 and f == 0):
                        terms[i, f] ^= terms[j, f]
                rank -= 1
                terms[j] = terms[rank]
                i = -1
                break
            j += 1
        i += 1
    return rank


@compiled("int64(int64[:,:], int64, uint64[:])")
def _plus(terms: Any, rank: int, state: Any) -> int:
    """Split: a1 b1 c1 + a2 b2 c2 = a1 (b1+b2) c1 + a1 b2 (c1+c2) + (a1+a2) b2 c2, in a random role of the factors."""
    i, j = below(state, rank), below(state, rank)
    f = below(state, 3)
    g, h = (f + 1) % 3, (f + 2) % 3
    if i == j or terms[i, f] == terms[j, f] or terms[i, g] == terms[j, g] or terms[i, h] == terms[j, h]:
        return rank
    a1, b1, c1, a2, b2, c2 = terms[i, f], terms[i, g], terms[i, h], terms[j, f], terms[j, g], terms[j, h]
    terms[i, g] = b1 ^ b2
    terms[j, f] = a1
    terms[j, h] = c1 ^ c2
    terms[rank, f], terms[rank, g], terms[rank, h] = a1 ^ a2, b2, c2
    return rank + 1


@compiled("int64[:,:](int64[:,:], int64, uint64[:])")
def _split(scheme: Any, count: int, state: Any) -> Any:
    rank = len(scheme)
    terms = np.zeros((rank + count, 3), np.int64)
    terms[:rank] = scheme
    for _ in range(20 * count):
        if rank < len(terms):
            rank = _plus(terms, rank, state)
    return terms[:rank].copy()


@compiled("int64(int64[:,:], int64, int64, int64, int64)")
def _partner(terms: Any, rank: Any, i: Any, f: Any, start: Any) -> Any:
    """Another term with the same factor `f` as term `i`, the first from `start` on, or -1."""
    for k in range(rank):
        j = k + start if k + start < rank else k + start - rank
        if j != i and terms[j, f] == terms[i, f]:
            return j
    return -1


@compiled("int64[:,:](int64[:,:], int64, int64, int64, uint64[:])")
def _walk(scheme: Any, flips: int, idle: int, above: int, state: Any) -> Any:
    rank = len(scheme)
    terms = np.zeros((rank + above + 1, 3), np.int64)
    terms[:rank] = scheme
    rank = _reduced(terms, rank)
    best, lowest, since = terms[:rank].copy(), rank, 0
    for _ in range(flips):
        since += 1
        f, i = below(state, 3), below(state, rank)
        partner = _partner(terms, rank, i, f, below(state, rank))
        if partner >= 0:
            g, h = (f + 1) % 3, (f + 2) % 3
            if below(state, 2):
                g, h = h, g
            terms[i, g] ^= terms[partner, g]
            terms[partner, h] ^= terms[i, h]
            if terms[i, g] == 0 or terms[partner, h] == 0:
                rank = _reduced(terms, rank)
                since = 0
                if rank <= lowest:
                    best, lowest = terms[:rank].copy(), rank
        if since >= idle and rank < lowest + above and rank < len(terms):
            rank = _plus(terms, rank, state)
            since = 0
    if rank == lowest:
        best = terms[:rank].copy()
    return best


def lift(scheme: Scheme, n: int, m: int, p: int) -> tuple[npt.NDArray[np.int64], ...] | None:
    """Integer factors that agree with the scheme modulo 2 and multiply matrices exactly, or None.

    Hensel's lemma: a scheme that is right modulo 2^k is corrected to one that is right modulo 2^(k+1) by a linear
    system over GF(2). Entries are then taken between -2^(k-1) and 2^(k-1) and checked over the integers.
    """
    sizes = (n * m, m * p, p * n)
    factors = [
        np.array([[mask >> bit & 1 for bit in range(size)] for mask in scheme[:, f].tolist()], np.int64)
        for f, size in enumerate(sizes)
    ]
    target = product_tensor(n, m, p)
    system = _corrections(factors)
    for k in range(1, N_LIFTS + 1):
        wrong = target - scheme_tensor(factors)
        if not wrong.any():
            return tuple(factors)
        signed = [_centred(each, k) for each in factors]
        if not (target - scheme_tensor(signed)).any():
            return tuple(signed)
        change = _solved(system, (wrong.ravel() >> k) & 1)
        if change is None:
            return None
        at = 0
        for f, each in enumerate(factors):
            part = change[at : at + each.size].reshape(each.shape)
            factors[f], at = each + (part << k), at + each.size
    return None


def product_tensor(n: int, m: int, p: int) -> npt.NDArray[np.int64]:
    """The tensor of the matrix product: 1 at ((i,j), (j,k), (k,i)), else 0."""
    tensor = np.zeros((n * m, m * p, p * n), np.int64)
    for i in range(n):
        for j in range(m):
            for k in range(p):
                tensor[i * m + j, j * p + k, k * n + i] = 1
    return tensor


def scheme_tensor(factors: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """The sum of the terms."""
    u, v, w = factors
    return np.asarray(np.einsum("ra,rb,rc->abc", u, v, w, optimize=True), np.int64)


def _centred(factor: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
    modulus = 1 << k
    kept = factor % modulus
    return np.where(kept > modulus // 2, kept - modulus, kept) if k > 1 else kept


def _corrections(factors: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.uint8]:
    """The derivative of the tensor by all entries modulo 2: shape (entries of the tensor, entries of the factors)."""
    u, v, w = (each & 1 for each in factors)
    rank, a, b, c = len(u), u.shape[1], v.shape[1], w.shape[1]
    by_u = np.einsum("rb,rc,ax->abcrx", v, w, np.eye(a, dtype=np.int64)).reshape(a * b * c, rank * a)
    by_v = np.einsum("ra,rc,bx->abcrx", u, w, np.eye(b, dtype=np.int64)).reshape(a * b * c, rank * b)
    by_w = np.einsum("ra,rb,cx->abcrx", u, v, np.eye(c, dtype=np.int64)).reshape(a * b * c, rank * c)
    return np.concatenate([by_u, by_v, by_w], axis=1).astype(np.uint8)


def _solved(system: npt.NDArray[np.uint8], right: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """A solution over GF(2), free variables zero, or None."""
    packed = np.packbits(np.column_stack([system, right.astype(np.uint8)]), axis=1)
    columns = system.shape[1]
    pivots: list[int] = []
    row = 0
    for column in range(columns):
        byte, bit = column >> 3, 7 - (column & 7)
        candidates = np.flatnonzero(packed[row:, byte] >> bit & 1)
        if not len(candidates):
            continue
        packed[[row, row + candidates[0]]] = packed[[row + candidates[0], row]]
        others = np.flatnonzero(packed[:, byte] >> bit & 1)
        packed[others[others != row]] ^= packed[row]
        pivots.append(column)
        row += 1
        if row == len(packed):
            break
    last = packed[:, columns >> 3] >> (7 - (columns & 7)) & 1
    if last[row:].any():
        return None
    solution = np.zeros(columns, np.int64)
    solution[pivots] = last[:row]
    return solution
