"""The enumeration: no structure twice, none missing whose functions no other has, shards that share the work."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolve.symbolic.burst import burst
from evolve.symbolic.contract import BurstKind, BurstSettings, FitTarget
from evolve.symbolic.enumerate_field import PRIME, inverse, negated, plus, times
from evolve.symbolic.enumerate_fit import Effort, Roots, fit_structures, no_fits
from evolve.symbolic.enumerate_shard import shard_of, structures
from evolve.symbolic.laws import NO_LAW, NO_PARITY, Laws
from evolve.symbolic.least_squares import allocate
from evolve.symbolic.normal_form import CONSTANT, link, normalise, structure_hash
from evolve.symbolic.tape import FloatArray, IntArray, forward
from sandbox.symbolic.canonical import operation_count
from sandbox.symbolic.render import render
from sandbox.symbolic.vocabulary import ARITHMETIC, OP_ADD, OP_DIV, OP_MUL, OP_SUB

ARITHMETIC_OPCODES = (OP_ADD, OP_SUB, OP_MUL, OP_DIV)
POINTS = np.ascontiguousarray(0.3 + 0.7 * (1.0 - np.cos(np.linspace(0.0, np.pi, 16)))[None, :])
NO_LAWS = Laws(*NO_LAW, NO_PARITY)
EFFORTS = (2, 10, 60, 250)
numbers = st.integers(0, int(PRIME) - 1)


def every_normal_form(n: int) -> dict[int, IntArray]:
    """All structures of one input by brute force: every list of `n` instructions, brought to normal form."""

    def instructions(i: int) -> Iterator[tuple[int, int, int]]:
        operands = range(CONSTANT, 1 + i)
        return (each for each in product(ARITHMETIC_OPCODES, operands, operands) if max(each[1:]) >= 0)

    found: dict[int, IntArray] = {}
    for instruction_list in product(*(list(instructions(i)) for i in range(n))):
        code = np.array(instruction_list, np.int64)
        constants = np.random.default_rng(1).uniform(1.0, 2.0, (n, 2))
        if normalise(code, constants, n, 1, np.zeros(n + 1, np.int64), True) == n:
            found.setdefault(hash_of(code), code)
    return found


def hash_of(code: IntArray) -> int:
    return int(structure_hash(code, len(code), 1, np.zeros(len(code) + 1, np.int64)))


def a_member(code: IntArray, rng: np.random.Generator) -> FloatArray | None:
    """The values of one function of the structure's family; None if it is constant or wild."""
    n = len(code)
    for _ in range(6):
        constants = rng.uniform(0.3, 1.5, (n, 2)) * rng.choice((-1.0, 1.0), (n, 2))
        tape, flat = np.zeros((n, 3), np.int64), np.zeros(2 * n)
        n_constants = link(code, constants, n, 1, tape, flat)
        values = np.zeros((1 + n + n_constants, 16))
        values[0], values[1 + n :] = POINTS[0], flat[:n_constants, None]
        forward(tape, n, 1, values, 16)
        if np.abs(values[n]).max() < 50.0 and np.ptp(values[n]) > 1e-3:
            return np.array(values[n])
    return None


def is_reached(values: FloatArray, size: int) -> bool:
    """Whether an enumerated structure of at most `size` operations gives these values."""
    roots = Roots(POINTS, values[None, :], np.full((1, 16), 1.0 / np.abs(values).max()))
    work, rng = allocate(1, size + 1, 16), np.array([1], np.uint64)
    work.values[0] = POINTS[0]
    for n_starts in EFFORTS:
        for n in range(1, size + 1):
            codes = structures(n, 1)
            fits = no_fits(len(codes), n)
            fit_structures(codes, np.arange(len(codes)), fits, Effort(n_starts, 10, 60, 0, 1e9), roots, work, rng)
            if fits.error.min() < 1e-7:
                return True
    return False


@pytest.mark.parametrize(("size", "n_checked"), [(2, 40), (3, 40)])
def test_every_function_of_every_small_structure_is_in_the_family_of_an_enumerated_one(
    size: int, n_checked: int
) -> None:
    listed = {hash_of(code.astype(np.int64)) for code in structures(size, 1)}
    left_out = [code for key, code in every_normal_form(size).items() if key not in listed]
    rng = np.random.default_rng(2)

    members = [a_member(left_out[k], rng) for k in rng.permutation(len(left_out))[:n_checked]]
    lost = [values for values in members if values is not None and not is_reached(values, size)]

    assert len([values for values in members if values is not None]) > 15
    assert lost == []


def test_the_enumerated_structures_are_normal_forms_of_their_size() -> None:
    for size in (1, 2, 3):
        known = every_normal_form(size)

        listed = {hash_of(code.astype(np.int64)) for code in structures(size, 1)}

        assert listed <= known.keys()
        assert len(listed) == len(structures(size, 1))


def test_the_number_of_structures_of_each_size_is_known() -> None:
    counts = [len(structures(size, 1)) for size in (1, 2, 3, 4)]

    assert counts == [5, 16, 134, 1988]


def test_no_structure_of_four_operations_comes_twice() -> None:
    codes = structures(4, 1)

    assert len({hash_of(code.astype(np.int64)) for code in codes}) == len(codes)


def test_of_two_ways_to_write_a_family_one_is_listed() -> None:
    def is_listed(*code: tuple[int, int, int]) -> bool:
        return hash_of(np.array(code, np.int64)) in {hash_of(c.astype(np.int64)) for c in structures(len(code), 1)}

    assert is_listed((OP_MUL, 0, CONSTANT), (OP_ADD, 1, CONSTANT))
    assert not is_listed((OP_ADD, 0, CONSTANT), (OP_MUL, 1, CONSTANT))
    assert is_listed((OP_ADD, 0, CONSTANT), (OP_DIV, CONSTANT, 1), (OP_ADD, 2, CONSTANT))
    assert not is_listed((OP_MUL, 0, CONSTANT), (OP_ADD, 1, CONSTANT), (OP_DIV, 0, 2))


def test_two_inputs_are_enumerated_too() -> None:
    codes = structures(2, 2)

    assert {(OP_MUL, 0, 1), (OP_ADD, 0, 1)} <= {tuple(code) for code in structures(1, 2)[:, 0].tolist()}
    assert len(codes) > 4 * len(structures(2, 1))


@pytest.mark.parametrize("n_shards", [1, 3, 7])
def test_shards_share_the_structures(n_shards: int) -> None:
    everything = structures(4, 1).tolist()

    shards = [shard_of(a_shard(4, shard, n_shards), 1, NO_LAWS).tolist() for shard in range(n_shards)]

    assert sorted(code for shard in shards for code in shard) == sorted(everything)


def test_structures_with_too_many_constants_are_left_out() -> None:
    codes = shard_of(BurstSettings(kind=BurstKind.ENUMERATE, size=3, max_constants=1), 1, NO_LAWS)

    assert 0 < len(codes) < len(structures(3, 1))
    assert (codes[:, :, 1:] == CONSTANT).sum(axis=(1, 2)).max() == 1


def test_the_best_of_three_and_four_operations_for_a_power_of_two_are_found() -> None:
    result = burst([], ARITHMETIC, the_target(), a_shard(3, 0, 1), [0])
    more = burst([], ARITHMETIC, the_target(), a_shard(4, 0, 2), [0])
    rest = burst([], ARITHMETIC, the_target(), a_shard(4, 1, 2), [0])

    three = [child.error for child in result.children if operation_count(child.program) == 3]
    four = [child.error for child in (*more.children, *rest.children) if operation_count(child.program) == 4]
    assert min(three) == pytest.approx(8.672e-4, rel=1e-3)
    assert min(four) == pytest.approx(2.168e-4, rel=1e-3)


def test_a_shard_is_a_pure_function_of_its_arguments() -> None:
    first, again = (burst([], ARITHMETIC, the_target(), a_shard(3, 1, 2), [5]) for _ in range(2))

    assert [render(child.program, ARITHMETIC) for child in first.children] == [
        render(child.program, ARITHMETIC) for child in again.children
    ]
    assert first.work == again.work > 0.0


@settings(deadline=None)
@given(numbers, numbers)
def test_the_field_computes_modulo_the_prime(a: int, b: int) -> None:
    p = int(PRIME)

    assert int(plus(np.uint64(a), np.uint64(b))) == (a + b) % p
    assert int(negated(np.uint64(a))) == -a % p
    assert int(times(np.uint64(a), np.uint64(b))) == a * b % p


@settings(deadline=None)
@given(st.integers(1, int(PRIME) - 1))
def test_a_number_times_its_inverse_is_one(a: int) -> None:
    assert int(times(np.uint64(a), inverse(np.uint64(a)))) == 1


def a_shard(size: int, shard: int, n_shards: int) -> BurstSettings:
    return BurstSettings(
        kind=BurstKind.ENUMERATE, size=size, shard=shard, n_shards=n_shards, max_operations=size, n_children=6
    )


def the_target() -> FitTarget:
    points = 0.5 - 0.5 * np.cos(np.pi * (np.arange(128) + 0.5) / 128)
    return FitTarget(points=points, values=np.exp2(points))
